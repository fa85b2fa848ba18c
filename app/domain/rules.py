"""What a program says beyond its one rate: bases, product rates, campaigns, bonuses, limits. Data only.

`app.domain.counting` applies them, in the order that docs/program.md gives: select, base, rate, stack, cap, round.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Stacking(StrEnum):
    """How the tier's percent and those of campaigns become one."""

    MULTIPLY = "multiply"  # 125 % and 200 % are 250 %
    ADD = "add"  # 125 % and 200 % are 225 %: what each adds to 100 %
    HIGHEST = "highest"  # 125 % and 200 % are 200 %


class CapPer(StrEnum):
    ORDER = "order"
    DAY = "day"  # a member's local day
    MONTH = "month"
    MEMBER = "member"  # for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Which lines of an order: those that any of the lists names, less those that `excluding` names."""

    products: frozenset[str] = frozenset()
    variants: frozenset[str] = frozenset()
    vendors: frozenset[str] = frozenset()
    subscription: bool | None = None  # only lines that are one, or are none; None: either
    excluding: "Selector | None" = None

    @property
    def is_everything(self) -> bool:
        return self == EVERYTHING


EVERYTHING = Selector()


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What else of an order counts as goods do."""

    tax: bool = False
    shipping: bool = False
    before_discounts: bool = False
    gift_cards: bool = False
    tips: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRate:
    """Another rate for some lines: `points` per `spend_minor`, or for each piece where that is None."""

    key: str
    name: str
    of: Selector
    points: int
    spend_minor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class During:
    """When, in the program's time zone: from `starts` up to `ends`, on these days, within these hours."""

    starts: datetime | None = None  # without a zone: the program's
    ends: datetime | None = None
    days: frozenset[int] = frozenset()  # Monday is 0; empty: every day
    hours: tuple[time, time] | None = None  # the second may lie past midnight

    def covers(self, moment: datetime, zone: ZoneInfo) -> bool:
        local = moment.astimezone(zone).replace(tzinfo=None)
        if self.starts is not None and local < self.starts:
            return False
        if self.ends is not None and local >= self.ends:
            return False
        clock, day = local.time(), local.weekday()
        if self.hours is not None:
            first, last = self.hours
            if first <= last:
                if not first <= clock < last:
                    return False
            elif clock < last:
                day = (day - 1) % 7  # past midnight still belongs to the evening it began in
            elif clock < first:
                return False
        return not self.days or day in self.days


ALWAYS = During()


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """For whom: members of these tiers, with this many orders counted before. Empty: everybody."""

    tiers: frozenset[str] = frozenset()
    orders_from: int | None = None
    orders_to: int | None = None


EVERYBODY = Whose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A percent on the points of some lines, for a time and for some people."""

    key: str
    name: str
    percent: int
    of: Selector
    during: During
    whose: Whose
    channels: frozenset[str]  # empty: any


@dataclass(frozen=True, slots=True, kw_only=True)
class Bonus:
    """Points for an order as a whole, once, beside what its goods earn; no percent applies to them."""

    key: str
    name: str
    points: int
    of: Selector  # the order has at least one such line
    during: During
    whose: Whose
    channels: frozenset[str]
    order_number: int | None  # the member's n-th
    every: int | None  # every n-th
    spend_from_minor: int | None  # what counts of the order is at least this, in the program's currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    key: str
    name: str
    points: int
    per: CapPer


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnRules:
    base: Base = Base()
    minimum_minor: int | None = (
        None  # what counts of an order must be at least this, in the program's currency
    )
    channels: frozenset[str] = frozenset()  # orders from anywhere else earn nothing; empty: from anywhere
    exclude: Selector | None = None  # lines that earn nothing
    rates: tuple[ProductRate, ...] = ()  # the first that names a line has it
    campaigns: tuple[Campaign, ...] = ()
    bonuses: tuple[Bonus, ...] = ()
    stacking: Stacking = Stacking.MULTIPLY
    caps: tuple[Cap, ...] = ()

    @property
    def limits_members(self) -> bool:
        """Whether some limit looks at what a member had before."""
        return any(cap.per is not CapPer.ORDER for cap in self.caps)

    @property
    def asks_for_number(self) -> bool:
        """Whether some rule looks at how many orders a member had before."""
        whose = [*(one.whose for one in self.campaigns), *(one.whose for one in self.bonuses)]
        return any(one.order_number is not None or one.every is not None for one in self.bonuses) or any(
            one.orders_from is not None or one.orders_to is not None for one in whose
        )


PLAIN = EarnRules()


def decode_rules(earn: Mapping[str, Any]) -> EarnRules:
    """The rules of a document's `earn`, which passed its schema."""
    return EarnRules(
        base=Base(**earn.get("base", {})),
        minimum_minor=earn.get("minimum_minor"),
        channels=frozenset(earn.get("channels", ())),
        exclude=_selector(earn["exclude"]) if "exclude" in earn else None,
        rates=tuple(
            ProductRate(
                key=one["key"],
                name=one["name"],
                of=_selector(one["of"]),
                points=one["points"],
                spend_minor=one.get("spend_minor"),
            )
            for one in earn.get("rates", ())
        ),
        campaigns=tuple(
            Campaign(key=one["key"], name=one["name"], percent=one["percent"], **_scope(one))
            for one in earn.get("campaigns", ())
        ),
        bonuses=tuple(
            Bonus(
                key=one["key"],
                name=one["name"],
                points=one["points"],
                order_number=one.get("order_number"),
                every=one.get("every"),
                spend_from_minor=one.get("spend_from_minor"),
                **_scope(one),
            )
            for one in earn.get("bonuses", ())
        ),
        stacking=Stacking(earn.get("stacking", Stacking.MULTIPLY)),
        caps=tuple(
            Cap(key=one["key"], name=one["name"], points=one["points"], per=CapPer(one["per"]))
            for one in earn.get("caps", ())
        ),
    )


def _scope(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "of": _selector(one.get("of", {})),
        "during": decode_during(one.get("during", {})),
        "whose": Whose(
            tiers=frozenset(one.get("whose", {}).get("tiers", ())),
            orders_from=one.get("whose", {}).get("orders_from"),
            orders_to=one.get("whose", {}).get("orders_to"),
        ),
        "channels": frozenset(one.get("channels", ())),
    }


def _selector(document: Mapping[str, Any]) -> Selector:
    return Selector(
        products=frozenset(document.get("products", ())),
        variants=frozenset(document.get("variants", ())),
        vendors=frozenset(document.get("vendors", ())),
        subscription=document.get("subscription"),
        excluding=_selector(document["excluding"]) if "excluding" in document else None,
    )


def decode_during(document: Mapping[str, Any]) -> During:
    """The window of a document that passed its schema."""
    hours: Sequence[str] | None = document.get("hours")
    return During(
        starts=_local(document.get("starts")),
        ends=_local(document.get("ends")),
        days=frozenset(DAYS.index(day) for day in document.get("days", ())),
        hours=(time.fromisoformat(hours[0]), time.fromisoformat(hours[1])) if hours else None,
    )


def _local(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
