"""A program's finer rules made ready: which of them speak of a line, of an order, of a member, at a moment.

For many orders keep one plan: it remembers what it was asked, by what a line is, never by whose it was.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import prod
from operator import attrgetter

from app.domain.calendar import LocalClock
from app.domain.known import Known
from app.domain.orders import OrderLine, OrderSnapshot
from app.domain.program import Program
from app.domain.rules import ALWAYS, EVERYBODY, Bonus, Campaign, Selector, Stacking, Whose
from app.domain.tier_rules import Tier

_MOST_KNOWN = 50_000  # kinds of lines remembered at once

Scope = tuple[int, int]
"""Which rate a line has, by its place (-1: the program's own), and which campaigns name it, as bits by their place."""

_Kind = tuple[object, ...]
_kind: Callable[[OrderLine], _Kind] = attrgetter("product_ref", "variant_ref", "vendor", "subscription")
"""What a line is, as far as rules ask; beside it, where they do, the groups that its product is in."""


@dataclass(frozen=True, slots=True)
class _Planned:
    """A campaign or bonus, with what need not be asked of it."""

    rule: Campaign | Bonus
    bit: int
    of_all: bool
    is_timed: bool
    is_for_all: bool


@dataclass(frozen=True, slots=True)
class Factor:
    """What lines that earn alike are multiplied by, exactly: a rate, and the percents on it, as one fraction."""

    by_piece: bool  # times how many pieces there are; otherwise times what of the lines counts
    above: int
    below: int


class RulePlan:
    """`whole`: the scope of what has no line."""

    __slots__ = (
        "_always", "_bonuses", "_campaigns", "_clock", "_factors", "_is_timed", "_known", "_sometimes", "_together",
        "program", "rules", "whole",
    )  # fmt: skip

    def __init__(self, program: Program) -> None:
        rules = self.rules = program.rules
        self.program = program
        self._campaigns = [_planned(one, 1 << place) for place, one in enumerate(rules.campaigns)]
        self._sometimes = [
            one for one in self._campaigns if one.is_timed or one.rule.channels or not one.is_for_all
        ]
        self._always = sum(one.bit for one in self._campaigns if one not in self._sometimes)
        self._bonuses = [(one, _planned(one, 0)) for one in rules.bonuses]
        self._is_timed = any(one.is_timed for one in [*self._campaigns, *(plan for _, plan in self._bonuses)])
        self._clock = LocalClock(program.zone)
        self._known: dict[_Kind, Scope | None] = {}
        self._together: dict[int, tuple[Campaign, ...]] = {}
        self._factors: dict[tuple[int, int, int, str], Factor] = {}
        rate = next((place for place, one in enumerate(rules.rates) if one.of.is_everything), -1)
        self.whole: Scope = (rate, sum(one.bit for one in self._campaigns if one.of_all))

    def local(self, order: OrderSnapshot) -> datetime | None:
        """When it was placed, by the program's clock; None where no rule asks."""
        return self._clock.at(order.placed_at) if self._is_timed else None

    def of(self, line: OrderLine, known: Known) -> Scope | None:
        """None: the line earns nothing."""
        key = _kind(line)
        if known.products:
            key = (*key, known.products.get(line.product_ref or "", ()))
        try:
            return self._known[key]
        except KeyError:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            scope = self._known[key] = self._find(line, known)
            return scope

    def running(self, order: OrderSnapshot, tier: Tier, known: Known, local: datetime | None) -> int:
        """The campaigns that run for the order, whatever its lines are, as bits."""
        found = self._always
        for one in self._sometimes:
            if _speaks(one, order, tier, known, local):
                found |= one.bit
        return found

    def campaigns(self, bits: int) -> tuple[Campaign, ...]:
        """Those of the bits, as the document lists them."""
        found = self._together.get(bits)
        if found is None:
            every = enumerate(self.rules.campaigns)
            found = self._together[bits] = tuple(one for bit, one in every if bits >> bit & 1)
        return found

    def factor(self, place: int, bits: int, earn_percent: int, currency: str) -> Factor:
        """Of lines at that rate, with the tier's percent and those campaigns'. The program has that currency."""
        key = (place, bits, earn_percent, currency)
        try:
            return self._factors[key]
        except KeyError:
            found = self._factors[key] = self._factor(*key)
            return found

    def _factor(self, place: int, bits: int, earn_percent: int, currency: str) -> Factor:
        percents = [earn_percent, *(one.percent for one in self.campaigns(bits))]
        percent, hundreds = _stacked(percents, self.rules.stacking)
        rate, own = None if place < 0 else self.rules.rates[place], self.program.rate_for(currency)
        assert own is not None
        if rate is None:
            points, per = own.points, own.spend_minor
        elif rate.spend_minor is None:
            points, per = rate.points, 1
        else:
            # Written in the program's currency; another's rate stands to the own as the currencies do.
            points, per = rate.points * self.program.rate.spend_minor, rate.spend_minor * own.spend_minor
        return Factor(rate is not None and rate.spend_minor is None, points * percent, per * hundreds)

    def bonuses(
        self, order: OrderSnapshot, tier: Tier, known: Known, worth: int, local: datetime | None
    ) -> list[Bonus]:
        """Those that the order has. One that is worth nothing has none: what goes back entirely was never bought."""
        found: list[Bonus] = []
        if worth <= 0:
            return found
        number = known.number
        for bonus, plan in self._bonuses:
            if (
                (bonus.order_number is None or bonus.order_number == number)
                and (bonus.every is None or not number % bonus.every)
                and (bonus.spend_from_minor is None or worth >= bonus.spend_from_minor)
                and (plan.of_all or any(_names(bonus.of, line, known) for line in order.lines))
                and _speaks(plan, order, tier, known, local)
            ):
                found.append(bonus)
        return found

    def _find(self, line: OrderLine, known: Known) -> Scope | None:
        rules = self.rules
        if rules.exclude is not None and _names(rules.exclude, line, known):
            return None
        place = next((place for place, one in enumerate(rules.rates) if _names(one.of, line, known)), -1)
        return place, sum(1 << bit for bit, one in enumerate(rules.campaigns) if _names(one.of, line, known))


def is_for(whose: Whose, tier: Tier, known: Known) -> bool:
    """Whether it speaks of the member, as known when the order was first counted."""
    return (
        (not whose.tiers or tier.key in whose.tiers)
        and _within(known.number - 1, whose.orders_from, whose.orders_to)
        and _within(known.spend_minor, whose.spend_from_minor, whose.spend_to_minor)
        and _within(known.member_days, whose.member_days_from, whose.member_days_to)
        and (
            whose.quiet_days_from is None
            or (known.quiet_days is not None and known.quiet_days >= whose.quiet_days_from)
        )
        and (not whose.tags or not whose.tags.isdisjoint(known.tags))
        and whose.without_tags.isdisjoint(known.tags)
        and (not whose.segments or any(is_for(one.whose, tier, known) for one in whose.segments))
    )


def _within(number: int, least: int | None, most: int | None) -> bool:
    return (least is None or number >= least) and (most is None or number <= most)


def _planned(rule: Campaign | Bonus, bit: int) -> _Planned:
    return _Planned(
        rule=rule,
        bit=bit,
        of_all=rule.of.is_everything,
        is_timed=rule.during != ALWAYS,
        is_for_all=rule.whose == EVERYBODY,
    )


def _speaks(one: _Planned, order: OrderSnapshot, tier: Tier, known: Known, local: datetime | None) -> bool:
    """Whether it is of such an order, now, and for the member."""
    rule = one.rule
    if rule.channels and order.channel not in rule.channels:
        return False
    if one.is_timed and (local is None or not rule.during.covers(local)):
        return False
    return one.is_for_all or is_for(rule.whose, tier, known)


def _names(selector: Selector, line: OrderLine, known: Known) -> bool:
    """Whether the selector names the line. One without lists names every line."""
    if selector.subscription is not None and line.subscription is not selector.subscription:
        return False
    if selector.excluding is not None and _names(selector.excluding, line, known):
        return False
    if not (selector.products or selector.variants or selector.vendors or selector.groups):
        return True
    return (
        line.product_ref in selector.products
        or line.variant_ref in selector.variants
        or (
            line.vendor is not None
            and bool(selector.vendors)
            and line.vendor.casefold() in _folded(selector.vendors)
        )
        or (
            bool(selector.groups)
            and not selector.groups.isdisjoint(known.products.get(line.product_ref or "", ()))
        )
    )


@lru_cache(maxsize=256)
def _folded(vendors: frozenset[str]) -> frozenset[str]:
    """However a vendor is written, it is the same one."""
    return frozenset(vendor.casefold() for vendor in vendors)


def _stacked(percents: list[int], stacking: Stacking) -> tuple[int, int]:
    if len(percents) == 1:
        return percents[0], 100
    match stacking:
        case Stacking.MULTIPLY:
            return prod(percents), 100 ** len(percents)
        case Stacking.ADD:
            return max(100 + sum(percent - 100 for percent in percents), 0), 100
        case Stacking.HIGHEST:
            return max(percents), 100
