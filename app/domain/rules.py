"""What a program says beyond its one rate: bases, product rates, campaigns, bonuses, limits. Data only.

`app.domain.counting` applies them, in the order that docs/program.md gives: select, base, rate, stack, cap, round.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from typing import Any

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
    PROGRAM_DAY = "program_day"  # everybody's together, by when orders were placed
    PROGRAM_MONTH = "program_month"

    @property
    def is_of_member(self) -> bool:
        """It looks at what the same member had before."""
        return self in (CapPer.DAY, CapPer.MONTH, CapPer.MEMBER)

    @property
    def is_of_program(self) -> bool:
        """It looks at what all members had before."""
        return self in (CapPer.PROGRAM_DAY, CapPer.PROGRAM_MONTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Which lines of an order: those that any of the lists names, less those that `excluding` names."""

    products: frozenset[str] = frozenset()
    variants: frozenset[str] = frozenset()
    vendors: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()  # what the shop sorts products into: see `collection`, `tag`
    subscription: bool | None = None  # only lines that are one, or are none; None: either
    excluding: "Selector | None" = None

    @property
    def is_everything(self) -> bool:
        return self.subscription is None and not (
            self.products or self.variants or self.vendors or self.groups or self.excluding
        )


def collection(ref: str) -> str:
    """A collection or category as a group of products, by the shop's own id."""
    return f"collection:{ref}"


def tag(name: str) -> str:
    """A tag as a group of products; however it is written, it is the same one."""
    return f"tag:{name.strip().casefold()}"


def folded(tags: Iterable[str]) -> tuple[str, ...]:
    """Customers' tags or roles as rules compare them."""
    return tuple(dict.fromkeys(name.strip().casefold() for name in tags))


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

    def covers(self, local: datetime) -> bool:
        """`local`: a moment by the program's clock, without a zone."""
        if self.starts is not None and local < self.starts:
            return False
        if self.ends is not None and local >= self.ends:
            return False
        if self.hours is None and not self.days:
            return True
        day = local.weekday()
        if self.hours is not None:
            first, last = self.hours
            clock = local.time()
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
    """For whom: those for whom all of this holds, at the moment their order is first counted. Empty: everybody."""

    tiers: frozenset[str] = frozenset()  # any of these
    orders_from: int | None = None  # counted before
    orders_to: int | None = None
    spend_from_minor: int | None = None  # what those came to, less refunds, in the program's currency
    spend_to_minor: int | None = None
    member_days_from: int | None = None  # since they joined
    member_days_to: int | None = None
    quiet_days_from: int | None = None  # since their order before this one; somebody without one is not quiet
    tags: frozenset[str] = frozenset()  # any of these tags or roles of the customer at the shop, case-folded
    without_tags: frozenset[str] = frozenset()  # none of these
    segments: tuple["Segment", ...] = ()  # in any of these


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """People whom several rules speak of, by one name. A segment names no other segment."""

    key: str
    name: str
    whose: Whose


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


class GoalPer(StrEnum):
    MONTH = "month"
    YEAR = "year"
    MEMBER = "member"  # once, for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Points for the order with which a member's spend in a period reaches a figure; once a period."""

    key: str
    name: str
    points: int
    spend_minor: int  # the program's currency, less refunds
    per: GoalPer


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    key: str
    name: str
    points: int
    per: CapPer


def _derived() -> Any:
    """A field that follows from the others."""
    return field(init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnRules:
    base: Base = Base()
    minimum_minor: int | None = (
        None  # what counts of an order must be at least this, in the program's currency
    )
    channels: frozenset[str] = frozenset()  # orders from anywhere else earn nothing; empty: from anywhere
    exclude: Selector | None = None  # lines that earn nothing
    exclude_members: Whose | None = None  # people who earn nothing by orders: staff, wholesale
    rates: tuple[ProductRate, ...] = ()  # the first that names a line has it
    campaigns: tuple[Campaign, ...] = ()
    bonuses: tuple[Bonus, ...] = ()
    stacking: Stacking = Stacking.MULTIPLY
    goals: tuple[Goal, ...] = ()
    caps: tuple[Cap, ...] = ()

    # Worked out once from the above, since every order asks.
    people: tuple[Whose, ...] = _derived()  # every "for whom" in these rules, those of segments among them
    asks: bool = _derived()  # some rule looks at more than the order itself: `Known` has it
    limits_members: bool = _derived()  # some limit looks at what a member had before
    asks_for_number: bool = _derived()  # some rule looks at how many orders a member had before
    asks_for_history: bool = _derived()  # … at what a member spent before, or when
    asks_for_joining: bool = _derived()  # … at how long somebody has been a member
    tags: frozenset[str] = _derived()  # every tag or role of a customer that some rule names
    groups: frozenset[str] = _derived()  # every group of products that some rule names

    def __post_init__(self) -> None:
        people = _people(self)
        derived: dict[str, Any] = {
            "limits_members": any(cap.per.is_of_member for cap in self.caps),
            "asks_for_number": any(
                one.order_number is not None or one.every is not None for one in self.bonuses
            )
            or any(one.orders_from is not None or one.orders_to is not None for one in people),
            "asks_for_history": any(
                one.spend_from_minor is not None
                or one.spend_to_minor is not None
                or one.quiet_days_from is not None
                for one in people
            ),
            "asks_for_joining": any(
                one.member_days_from is not None or one.member_days_to is not None for one in people
            ),
            "tags": frozenset().union(*(one.tags | one.without_tags for one in people)),
            "groups": frozenset().union(*(_groups(one) for one in _selectors(self))),
        }
        asks = (
            any(derived.values()) or bool(self.goals) or any(cap.per is not CapPer.ORDER for cap in self.caps)
        )
        derived |= {"people": people, "asks": asks}
        for name, value in derived.items():
            object.__setattr__(self, name, value)


def _people(rules: EarnRules) -> tuple[Whose, ...]:
    named = [*(one.whose for one in rules.campaigns), *(one.whose for one in rules.bonuses)]
    if rules.exclude_members is not None:
        named.append(rules.exclude_members)
    return (*named, *(segment.whose for whose in named for segment in whose.segments))


def _selectors(rules: EarnRules) -> list[Selector]:
    every = [
        *(one.of for one in rules.rates),
        *(one.of for one in rules.campaigns),
        *(one.of for one in rules.bonuses),
    ]
    return every if rules.exclude is None else [*every, rules.exclude]


PLAIN = EarnRules()


def decode_segments(documents: Sequence[Mapping[str, Any]]) -> dict[str, Segment]:
    """The segments of a document, by key."""
    return {
        one["key"]: Segment(key=one["key"], name=one["name"], whose=decode_whose(one["whose"], {}))
        for one in documents
    }


def decode_rules(earn: Mapping[str, Any], segments: Mapping[str, Segment]) -> EarnRules:
    """The rules of a document's `earn`, which passed its schema."""
    return EarnRules(
        base=Base(**earn.get("base", {})),
        minimum_minor=earn.get("minimum_minor"),
        channels=frozenset(earn.get("channels", ())),
        exclude=_selector(earn["exclude"]) if "exclude" in earn else None,
        exclude_members=(
            decode_whose(earn["exclude_members"], segments) if "exclude_members" in earn else None
        ),
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
            Campaign(key=one["key"], name=one["name"], percent=one["percent"], **_scope(one, segments))
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
                **_scope(one, segments),
            )
            for one in earn.get("bonuses", ())
        ),
        goals=tuple(
            Goal(
                key=one["key"],
                name=one["name"],
                points=one["points"],
                spend_minor=one["spend_minor"],
                per=GoalPer(one["per"]),
            )
            for one in earn.get("goals", ())
        ),
        stacking=Stacking(earn.get("stacking", Stacking.MULTIPLY)),
        caps=tuple(
            Cap(key=one["key"], name=one["name"], points=one["points"], per=CapPer(one["per"]))
            for one in earn.get("caps", ())
        ),
    )


def decode_whose(document: Mapping[str, Any], segments: Mapping[str, Segment]) -> Whose:
    """Raises KeyError for a segment that is not there."""
    return Whose(
        tiers=frozenset(document.get("tiers", ())),
        tags=frozenset(folded(document.get("tags", ()))),
        without_tags=frozenset(folded(document.get("without_tags", ()))),
        segments=tuple(segments[key] for key in document.get("segments", ())),
        **{name: document.get(name) for name in _NUMBERS},
    )


_NUMBERS = (
    "orders_from",
    "orders_to",
    "spend_from_minor",
    "spend_to_minor",
    "member_days_from",
    "member_days_to",
    "quiet_days_from",
)


def _scope(one: Mapping[str, Any], segments: Mapping[str, Segment]) -> dict[str, Any]:
    return {
        "of": _selector(one.get("of", {})),
        "during": decode_during(one.get("during", {})),
        "whose": decode_whose(one.get("whose", {}), segments),
        "channels": frozenset(one.get("channels", ())),
    }


def _groups(selector: Selector) -> frozenset[str]:
    return selector.groups | (_groups(selector.excluding) if selector.excluding is not None else frozenset())


def _selector(document: Mapping[str, Any]) -> Selector:
    return Selector(
        products=frozenset(document.get("products", ())),
        variants=frozenset(document.get("variants", ())),
        vendors=frozenset(document.get("vendors", ())),
        groups=frozenset(
            [
                *(collection(ref) for ref in document.get("collections", ())),
                *(tag(name) for name in document.get("tags", ())),
            ]
        ),
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
