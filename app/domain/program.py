"""A program's settings at one version, decoded from its document. A version never changes once published.

The document itself is checked against the JSON Schema (`app.services.program_document`) before it comes here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.activities import (
    ActivityKind,
    ActivityRule,
    ReferralRule,
    decode_activities,
    decode_referral,
)
from app.domain.look import LAURELS_OWN, Look, decode_look
from app.domain.money import Money, exponent
from app.domain.rewards import Reward, RewardKind, decode_rewards
from app.domain.rules import PLAIN, Cap, CapPer, EarnRules, decode_rules, decode_segments
from app.domain.suspicion import Signal, decode_review
from app.domain.tier_rules import Downgrade, Tier, Window, decode_levels

BUDGET = "budget"  # the key of the limit that a budget is


class EarnWhen(StrEnum):
    PAID = "paid"
    FULFILLED = "fulfilled"


class ExpiryKind(StrEnum):
    NEVER = "never"
    AFTER_DAYS = "after_days"
    AFTER_INACTIVITY_DAYS = "after_inactivity_days"


class RefundPolicy(StrEnum):
    DEFICIT = "deficit"
    CLAMP = "clamp"


class CountsIn(StrEnum):
    """What one unit of the ledger is. It never changes: entries that are there would mean something else."""

    POINTS = "points"
    MONEY = "money"  # the smallest unit of the program's currency: cashback


class Enrolment(StrEnum):
    AUTOMATIC = "automatic"
    ON_JOIN = "on_join"


class UnusedCodes(StrEnum):
    RETURN = "return"
    BREAKAGE = "breakage"


@dataclass(frozen=True, slots=True)
class Rate:
    """`points` for each full or partial `spend_minor`: 1 per 1000 is "1 point per 10.00"."""

    points: int
    spend_minor: int


@dataclass(frozen=True, slots=True)
class CurrencyRate:
    """Another currency: its own `spend_minor` in the rate; that much is worth `program_minor` of the program's."""

    spend_minor: int
    program_minor: int


class AtBudget(StrEnum):
    WARN = "warn"
    STOP_EARNING = "stop_earning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What the points that orders earn in a month may cost: `points` of them cost `worth_minor`."""

    minor: int  # program's currency
    points: int
    worth_minor: int
    warn_percent: int
    at_limit: AtBudget

    @property
    def most_points(self) -> int:
        return self.minor * self.points // self.worth_minor

    def cost_minor(self, points: int) -> int:
        """What that many points cost, rounded up: a begun unit is spent."""
        return -(-points * self.worth_minor // self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    version: int
    name: str
    currency: str
    timezone: str
    rate: Rate
    currencies: Mapping[str, CurrencyRate]
    earn_when: EarnWhen
    hold_days: int
    expiry: ExpiryKind
    expiry_days: int | None
    tiers: tuple[Tier, ...]  # lowest first; the first starts at 0
    tier_months: int  # of a rolling window; 0 with any other
    grace_days: int
    rewards: tuple[Reward, ...]
    code_days: int
    unused_codes: UnusedCodes
    refund_policy: RefundPolicy
    return_redeemed_points: bool
    enrolment: Enrolment
    rules: EarnRules = PLAIN
    budget: Budget | None = None
    reminders: tuple[int, ...] = ()  # members are told so many days before points end; most days first
    activities: tuple[ActivityRule, ...] = ()
    referral: ReferralRule | None = None
    signals: tuple[Signal, ...] = ()  # of abuse, that are looked for
    window: Window = Window.ROLLING
    downgrade: Downgrade = Downgrade.TO_LEVEL
    counts_in: CountsIn = CountsIn.POINTS
    language: str = "en"  # what shoppers read whose own language is not known, or not ours
    look: Look = LAURELS_OWN
    successors: Mapping[str, str] = field(
        default_factory=dict
    )  # levels of earlier versions -> what stands for them

    @property
    def unit(self) -> str:
        """For programs: "points", or the currency whose smallest unit the ledger counts."""
        return self.unit_currency or CountsIn.POINTS.value

    @property
    def unit_currency(self) -> str | None:
        """The currency that the ledger counts in; None: points."""
        return self.currency if self.counts_in is CountsIn.MONEY else None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def rate_for(self, currency: str) -> Rate | None:
        """How an order in `currency` earns; None: it has no rate and is held."""
        if currency == self.currency:
            return self.rate
        other = self.currencies.get(currency)
        return Rate(self.rate.points, other.spend_minor) if other else None

    def worth(self, amount: Money) -> Money:
        """`amount` in the program's currency, rounded down. Raises KeyError without a rate."""
        if amount.currency == self.currency:
            return amount
        other = self.currencies[amount.currency]
        return Money(amount.minor * other.program_minor // other.spend_minor, self.currency)

    def tier(self, key: str) -> Tier:
        """The tier of that key, or the one that stands for it since it was removed; the lowest for any other."""
        return self.tiers[max(self.rank(key), 0)]

    def rank(self, key: str) -> int:
        """0 for the lowest tier; -1 for a key that neither this version nor one before it has."""
        here = self.successors.get(key, key)
        return next((rank for rank, tier in enumerate(self.tiers) if tier.key == here), -1)

    def has_tier(self, key: str) -> bool:
        return any(tier.key == key for tier in self.tiers)

    def activity(self, key: str) -> ActivityRule | None:
        return next((one for one in self.activities if one.key == key), None)

    def activity_of(self, kind: ActivityKind) -> ActivityRule | None:
        """The one of that kind, for those kinds of which there is one at most; else the first."""
        return next((one for one in self.activities if one.kind is kind), None)

    def reward(self, key: str) -> Reward | None:
        return next((reward for reward in self.rewards if reward.key == key), None)


def decode(document: Mapping[str, Any], version: int) -> Program:
    """The typed program of a document that passed its schema."""
    tiers = document["tiers"]
    expiry = document["expiry"]
    codes = document["codes"]
    refunds = document["refunds"]
    return Program(
        version=version,
        name=document["name"],
        currency=document["currency"],
        timezone=document["timezone"],
        rate=Rate(document["earn"]["points"], document["earn"]["spend_minor"]),
        currencies={
            code: CurrencyRate(rate["spend_minor"], rate["program_minor"])
            for code, rate in document["currencies"].items()
        },
        earn_when=EarnWhen(document["earn"]["when"]),
        hold_days=document["earn"]["hold_days"],
        expiry=ExpiryKind(expiry["kind"]),
        expiry_days=expiry.get("days"),
        tiers=decode_levels(tiers["levels"]),
        tier_months=tiers.get("months", 0),
        grace_days=tiers["grace_days"],
        rewards=decode_rewards(document["rewards"]),
        code_days=codes["days"],
        unused_codes=UnusedCodes(codes["unused"]),
        refund_policy=RefundPolicy(refunds["policy"]),
        return_redeemed_points=refunds["return_redeemed_points"],
        enrolment=Enrolment(document["enrolment"]),
        rules=_rules(document),
        budget=_budget(document),
        reminders=tuple(sorted(expiry.get("reminders", ()), reverse=True)),
        activities=decode_activities(document),
        referral=decode_referral(document),
        signals=decode_review(document),
        window=Window(tiers.get("window", Window.ROLLING)),
        downgrade=Downgrade(tiers.get("downgrade", Downgrade.TO_LEVEL)),
        counts_in=CountsIn(document.get("counts_in", CountsIn.POINTS)),
        language=document.get("language", "en"),
        look=decode_look(document.get("look", {})),
    )


def _budget(document: Mapping[str, Any]) -> Budget | None:
    if "budget" not in document:
        return None
    told = document["budget"]
    return Budget(
        minor=told["minor"],
        points=told["points"],
        worth_minor=told["worth_minor"],
        warn_percent=told.get("warn_percent", 80),
        at_limit=AtBudget(told["at_limit"]),
    )


def _rules(document: Mapping[str, Any]) -> EarnRules:
    """Those of `earn`; a budget that stops earning is one more limit among them."""
    rules = decode_rules(document["earn"], decode_segments(document.get("segments", ())))
    budget = _budget(document)
    if budget is None or budget.at_limit is not AtBudget.STOP_EARNING:
        return rules
    stop = Cap(key=BUDGET, name="The month’s budget", points=budget.most_points, per=CapPer.PROGRAM_MONTH)
    return replace(rules, caps=(*rules.caps, stop))


def successors(versions: Sequence[Program]) -> list[dict[str, str]]:
    """For each version: the levels that only versions before it have -> the level that stands for each now.

    That is the nearest one below it that is left, as the last version with it had them in order.
    """
    found: list[dict[str, str]] = []
    stands: dict[str, str] = {}
    for before, after in zip((None, *versions[:-1]), versions, strict=True):
        if before is not None:
            stands = {tier.key: tier.key for tier in before.tiers} | stands
            stands = {key: _left_of(here, before, after) for key, here in stands.items()}
            stands = {key: here for key, here in stands.items() if not after.has_tier(key)}
        found.append(stands)
    return found


def _left_of(key: str, before: Program, after: Program) -> str:
    below = [tier.key for tier in before.tiers[: before.rank(key) + 1] if after.has_tier(tier.key)]
    return below[-1] if below else after.tiers[0].key


def default_document(
    name: str, currency: str, timezone: str, *, counts_in: CountsIn = CountsIn.POINTS
) -> dict[str, Any]:
    """The program that a new installation starts with. `unit` is 1.00, or 100 where there are no decimals."""
    unit = 10 ** exponent(currency) if exponent(currency) else 100
    document: dict[str, Any] = {
        "name": name,
        "currency": currency,
        "timezone": timezone,
        "enrolment": Enrolment.AUTOMATIC.value,
        "earn": {"points": 1, "spend_minor": unit, "when": EarnWhen.PAID.value, "hold_days": 0},
        "currencies": {},
        "expiry": {"kind": ExpiryKind.NEVER.value},
        "tiers": {
            "months": 12,
            "grace_days": 0,
            "levels": [
                {"key": "member", "name": "Member", "from_minor": 0, "earn_percent": 100},
                {"key": "silver", "name": "Silver", "from_minor": 500 * unit, "earn_percent": 125},
                {"key": "gold", "name": "Gold", "from_minor": 2000 * unit, "earn_percent": 150},
            ],
        },
        "rewards": [
            {"key": "amount-5", "kind": RewardKind.AMOUNT.value, "cost": 100, "amount_minor": 5 * unit},
            {"key": "free-shipping", "kind": RewardKind.FREE_SHIPPING.value, "cost": 150},
            {"key": "percent-10", "kind": RewardKind.PERCENT.value, "cost": 200, "percent": 10},
        ],
        "codes": {"days": 90, "unused": UnusedCodes.RETURN.value},
        "refunds": {"policy": RefundPolicy.DEFICIT.value, "return_redeemed_points": False},
        "review": {},
    }
    return document if counts_in is CountsIn.POINTS else document | _cashback(unit)


def _cashback(unit: int) -> dict[str, Any]:
    """5 % back, spent at what it is worth."""
    steps = {"points": unit, "amount_minor": unit, "minimum_points": unit}
    return {
        "counts_in": CountsIn.MONEY.value,
        "earn": {"points": 5, "spend_minor": 100, "when": EarnWhen.PAID.value, "hold_days": 0},
        "rewards": [{"key": "money-off", "kind": RewardKind.AMOUNT.value, "steps": steps}],
    }
