"""A program's settings at one version, decoded from its document. A version never changes once published.

The document itself is checked against the JSON Schema (`app.services.program_document`) before it comes here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.money import Money, exponent
from app.domain.rewards import Reward, RewardKind, decode_rewards
from app.domain.rules import PLAIN, EarnRules, decode_rules


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


@dataclass(frozen=True, slots=True)
class Tier:
    key: str
    name: str
    from_minor: int  # qualifying spend, program's currency
    earn_percent: int


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
    tier_months: int  # rolling window of the qualifying spend
    grace_days: int
    rewards: tuple[Reward, ...]
    code_days: int
    unused_codes: UnusedCodes
    refund_policy: RefundPolicy
    return_redeemed_points: bool
    enrolment: Enrolment
    rules: EarnRules = PLAIN

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
        """The tier of that key; the lowest where this version has none of that name."""
        return next((tier for tier in self.tiers if tier.key == key), self.tiers[0])

    def rank(self, key: str) -> int:
        """0 for the lowest tier; -1 for a key this version does not have."""
        return next((rank for rank, tier in enumerate(self.tiers) if tier.key == key), -1)

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
        tiers=tuple(
            Tier(tier["key"], tier["name"], tier["from_minor"], tier["earn_percent"])
            for tier in sorted(tiers["levels"], key=lambda level: int(level["from_minor"]))
        ),
        tier_months=tiers["months"],
        grace_days=tiers["grace_days"],
        rewards=decode_rewards(document["rewards"]),
        code_days=codes["days"],
        unused_codes=UnusedCodes(codes["unused"]),
        refund_policy=RefundPolicy(refunds["policy"]),
        return_redeemed_points=refunds["return_redeemed_points"],
        enrolment=Enrolment(document["enrolment"]),
        rules=decode_rules(document["earn"]),
    )


def default_document(name: str, currency: str, timezone: str) -> dict[str, Any]:
    """The program that a new installation starts with. `unit` is 1.00, or 100 where there are no decimals."""
    unit = 10 ** exponent(currency) if exponent(currency) else 100
    return {
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
    }
