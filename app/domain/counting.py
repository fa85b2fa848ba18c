"""What an order's goods are worth under a program's finer rules. Pure and exact: fractions, and one rounding, down.

In this order: select which lines earn at all; find the base, what of each line counts after refunds; give each line
its rate; stack the tier's and the campaigns' percents; add bonuses; cap; round. Lines that earn alike are added up
first, so that neither their order nor how an order is split into lines can change a result.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from math import prod

from app.domain.calendar import local_time
from app.domain.money import Money
from app.domain.orders import OrderLine, OrderSnapshot
from app.domain.program import Program, Rate
from app.domain.rules import (
    Bonus,
    Campaign,
    Cap,
    CapPer,
    EarnRules,
    Goal,
    ProductRate,
    Selector,
    Stacking,
    Whose,
)
from app.domain.tier_rules import Tier

Facts = Mapping[str, str | int]
"""An explanation as data: flat, whole numbers and text only, so that it hashes and compares exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the rules needed to know of the member when the order was first counted. It never changes afterwards.

    Only what the rules ask for is filled in. `number`: this is their n-th counted order. `room`: what was left under
    each cap that looks at the member. `spend_minor`: what their orders before came to, in the program's currency.
    `member_days`: since they joined. `quiet_days`: since the order before, None without one. `tags`: the customer's
    at the shop, case-folded. `products`: product_ref -> those of its groups that the rules name. `goals`: of each goal
    that no other order of the period has reached, what the member spent in it before.
    `blocked`: they were when it was placed, so it earns nothing, and counts for nothing.
    """

    number: int = 1
    room: Mapping[str, int] = field(default_factory=dict)
    spend_minor: int = 0
    member_days: int = 0
    quiet_days: int | None = None
    tags: tuple[str, ...] = ()
    products: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    goals: Mapping[str, int] = field(default_factory=dict)
    blocked: bool = False


ALONE = Known()
"""Somebody without other orders: a guest, until the order is claimed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """`points` before any reason that makes the order worth nothing; `why`: a reason of the rules' own, if one did."""

    points: int
    why: str | None
    facts: Facts


_MOST_KNOWN = 50_000  # kinds of lines remembered at once

Exact = int | Fraction
"""An exact amount. Whole ones stay `int`: they are nearly all, and a tenth of the cost."""


@dataclass(slots=True)
class _Part:
    """Lines that earn alike: their rate, the percents that apply to them, and what of them counts."""

    rate: ProductRate | None  # None: the program's own
    campaigns: tuple[Campaign, ...]
    base: Exact = 0  # smallest units of the order's currency
    pieces: Exact = 0


@dataclass(slots=True)
class _Count:
    """What was counted, before it is put into words. `cap`: the limit that cut, and what it left."""

    points: int = 0
    why: str | None = None
    parts: Sequence[_Part] = ()
    base: Exact = 0
    bonuses: Sequence[Bonus] = ()
    goals: Sequence[Goal] = ()
    cap: tuple[Cap, int] | None = None
    before_cap: int = 0


def count_order(order: OrderSnapshot, program: Program, tier: Tier, known: Known) -> Counted:
    """Raises: KeyError if the program has no rate for the order's currency."""
    count = _count(order, program, tier, known, Scopes(program.rules))
    return Counted(points=count.points, why=count.why, facts=_facts(count, order, program))


def count_points(
    order: OrderSnapshot, program: Program, tier: Tier, known: Known, scopes: "Scopes"
) -> tuple[int, tuple[str, ...]]:
    """The points of `count_order` and the keys of the goals reached, unexplained. Raises: KeyError as it does.

    `scopes`: of the program's rules; for many orders keep one, it remembers what it was asked.
    """
    count = _count(order, program, tier, known, scopes)
    return count.points, tuple(goal.key for goal in count.goals)


def _count(order: OrderSnapshot, program: Program, tier: Tier, known: Known, scopes: "Scopes") -> _Count:
    rules = program.rules
    own = program.rate_for(order.goods.currency)
    if own is None:
        raise KeyError(order.goods.currency)
    if rules.channels and order.channel not in rules.channels:
        return _Count(why="channel")
    if rules.exclude_members is not None and is_for(rules.exclude_members, tier, known):
        return _Count(why="excluded_member")
    local = local_time(order.placed_at, program.zone)
    parts = _parts(order, rules, tier, known, local, scopes)
    base = sum(part.base for part in parts)
    worth = program.worth(Money(int(base), order.goods.currency)).minor if base else 0
    if rules.minimum_minor is not None and worth < rules.minimum_minor:
        return _Count(why="below_minimum", base=base)
    above, below = 0, 1  # the exact sum, as a fraction that is reduced nowhere
    for part in parts:
        one, of = _worth(part, own, program, tier)
        above, below = (above + one, below) if of == below else (above * of + one * below, below * of)
    points = above // below  # never negative: it rounds down
    bonuses = list(_bonuses(order, rules, tier, known, worth, local))
    goals = list(_reached(rules, known, worth))
    points += sum(bonus.points for bonus in bonuses) + sum(goal.points for goal in goals)
    cap = _narrowest(points, rules, known)
    return _Count(
        points=points if cap is None else cap[1],
        parts=parts,
        base=base,
        bonuses=bonuses,
        goals=goals,
        cap=cap,
        before_cap=points,
    )


# --- Select and base ---------------------------------------------------------------------------------------


def _parts(
    order: OrderSnapshot, rules: EarnRules, tier: Tier, known: Known, local: datetime, scopes: "Scopes"
) -> Sequence[_Part]:
    running = 0
    for bit, campaign in enumerate(rules.campaigns):
        if _runs(campaign, order, tier, known, local):
            running |= 1 << bit
    found: dict[tuple[int, int], _Part] = {}
    for line, base, pieces in _bases(order, rules):
        scope = scopes.whole if line is None else scopes.of(line, known)
        if scope is None or not (base or pieces):
            continue
        place, bits = scope[0], scope[1] & running
        part = found.get((place, bits))
        if part is None:
            rate = None if place < 0 else rules.rates[place]
            part = found[place, bits] = _Part(rate, scopes.campaigns(bits) if bits else ())
        part.base += base
        part.pieces += pieces
    return [part for part in found.values() if part.base or (part.pieces and part.rate)]


Scope = tuple[int, int]
"""Which rate a line has, by its place (-1: the program's own), and which campaigns name it, as bits by their place."""


# Product, variant, vendor, subscription, and the groups that the product is in.
_Kind = tuple[str | None, str | None, str | None, bool, tuple[str, ...]]


class Scopes:
    """Which rules name a line, by what the line is: whatever it cost, whoever bought it, whenever."""

    __slots__ = ("_known", "_rules", "_together", "whole")

    def __init__(self, rules: EarnRules) -> None:
        self._rules = rules
        self._known: dict[_Kind, Scope | None] = {}
        self._together: dict[int, tuple[Campaign, ...]] = {}
        everything = (1 << bit for bit, one in enumerate(rules.campaigns) if one.of.is_everything)
        rate = next((place for place, one in enumerate(rules.rates) if one.of.is_everything), -1)
        self.whole: Scope = (rate, sum(everything))  # what has no line

    def of(self, line: OrderLine, known: Known) -> Scope | None:
        """None: the line earns nothing."""
        groups = known.products.get(line.product_ref or "", ())
        key = (line.product_ref, line.variant_ref, line.vendor, line.subscription, groups)
        try:
            return self._known[key]
        except KeyError:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            scope = self._known[key] = self._find(line, known)
            return scope

    def campaigns(self, bits: int) -> tuple[Campaign, ...]:
        """Those of the bits, as the document lists them."""
        found = self._together.get(bits)
        if found is None:
            every = enumerate(self._rules.campaigns)
            found = self._together[bits] = tuple(one for bit, one in every if bits >> bit & 1)
        return found

    def _find(self, line: OrderLine, known: Known) -> Scope | None:
        rules = self._rules
        if rules.exclude is not None and _names(rules.exclude, line, known):
            return None
        place = next((place for place, one in enumerate(rules.rates) if _names(one.of, line, known)), -1)
        return place, sum(1 << bit for bit, one in enumerate(rules.campaigns) if _names(one.of, line, known))


def _bases(order: OrderSnapshot, rules: EarnRules) -> Iterator[tuple[OrderLine | None, Exact, Exact]]:
    """(line, what of it counts, how many pieces of it are left). None: the order as a whole, or what has no lines."""
    base = rules.base
    refunded = order.goods_refunded.minor if order.refunds else 0
    if not order.lines:
        yield None, order.goods.minor - refunded, 1
    else:
        yield from _line_bases(order, rules, order.goods.minor - refunded)
    if base.shipping:
        shipped_back = sum(refund.shipping_minor for refund in order.refunds)
        left = max(order.shipping_minor - shipped_back, 0)
        yield None, left, 0
        if base.tax and order.shipping_minor:
            yield None, order.shipping_tax_minor * _part_of(left, order.shipping_minor), 0
    if base.tips and refunded != order.goods.minor:
        yield None, order.tips_minor, 0


def _line_bases(order: OrderSnapshot, rules: EarnRules, net: int) -> Iterator[tuple[OrderLine, Exact, Exact]]:
    gone: dict[str, int] = {}
    for refund in order.refunds:
        for back in refund.lines:
            gone[back.line_ref] = gone.get(back.line_ref, 0) + back.goods_minor
    kept = {line.line_ref: max(line.goods_minor - gone.get(line.line_ref, 0), 0) for line in order.lines}
    # Fees below zero, goodwill, and refunds whose lines are not known, are of all goods alike.
    left = sum(kept[line.line_ref] for line in order.lines if not line.gift_card)
    share = _part_of(net, left) if left else 0
    for line in order.lines:
        if line.gift_card and not rules.base.gift_cards:
            continue
        of_goods = kept[line.line_ref] * (1 if line.gift_card else share)
        # What cost nothing stays, unless all that cost something went back.
        part = (
            _part_of(of_goods, line.goods_minor)
            if line.goods_minor
            else (0 if order.goods.minor and not net else 1)
        )
        counts = of_goods
        if rules.base.before_discounts:
            counts += line.discount_minor * part
        if rules.base.tax:
            counts += line.tax_minor * part
        yield line, counts, line.quantity * part


def _part_of(amount: Exact, of: int) -> Exact:
    if amount == of:
        return 1
    return Fraction(amount, of) if amount else 0


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


# --- Rate and stack ----------------------------------------------------------------------------------------


def _worth(part: _Part, own: Rate, program: Program, tier: Tier) -> tuple[int, int]:
    """The exact points of a part, as (above, below) of a fraction. `own`: the rate in the order's currency."""
    percent, hundreds = _percent(part, program.rules.stacking, tier)
    if part.rate is None:
        of, points, per = part.base, own.points, own.spend_minor
    elif part.rate.spend_minor is None:
        of, points, per = part.pieces, part.rate.points, 1
    else:
        # Written in the program's currency; another's rate stands to the own as the currencies do.
        of, points = part.base, part.rate.points * program.rate.spend_minor
        per = part.rate.spend_minor * own.spend_minor
    return of.numerator * points * percent, of.denominator * per * hundreds


def _percent(part: _Part, stacking: Stacking, tier: Tier) -> tuple[int, int]:
    """All percents as one, as (above, below) of a fraction."""
    if not part.campaigns:
        return tier.earn_percent, 100
    percents = [tier.earn_percent, *(one.percent for one in part.campaigns)]
    match stacking:
        case Stacking.MULTIPLY:
            return prod(percents), 100 ** len(percents)
        case Stacking.ADD:
            return max(100 + sum(percent - 100 for percent in percents), 0), 100
        case Stacking.HIGHEST:
            return max(percents), 100


def _runs(campaign: Campaign, order: OrderSnapshot, tier: Tier, known: Known, local: datetime) -> bool:
    """Whether it runs for the order, whatever its lines are. `local`: when it was placed, by the program's clock."""
    if campaign.channels and order.channel not in campaign.channels:
        return False
    return campaign.during.covers(local) and is_for(campaign.whose, tier, known)


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


# --- Bonuses, caps -----------------------------------------------------------------------------------------


def _bonuses(
    order: OrderSnapshot, rules: EarnRules, tier: Tier, known: Known, worth: int, local: datetime
) -> Iterator[Bonus]:
    """Those that the order has. One that is worth nothing has none: what goes back entirely was never bought."""
    if worth <= 0:
        return
    for bonus in rules.bonuses:
        if bonus.channels and order.channel not in bonus.channels:
            continue
        if bonus.order_number is not None and known.number != bonus.order_number:
            continue
        if bonus.every is not None and known.number % bonus.every:
            continue
        if bonus.spend_from_minor is not None and worth < bonus.spend_from_minor:
            continue
        if not bonus.of.is_everything and not any(_names(bonus.of, line, known) for line in order.lines):
            continue
        if bonus.during.covers(local) and is_for(bonus.whose, tier, known):
            yield bonus


def _reached(rules: EarnRules, known: Known, worth: int) -> Iterator[Goal]:
    """The open goals that the member has reached with what is left of this order."""
    for goal in rules.goals:
        before = known.goals.get(goal.key)
        if worth > 0 and before is not None and before + worth >= goal.spend_minor:
            yield goal


def _narrowest(points: int, rules: EarnRules, known: Known) -> tuple[Cap, int] | None:
    """The limit that leaves least, if it cuts, and what it leaves; the first of the narrowest."""
    narrowest: tuple[Cap, int] | None = None
    for cap in rules.caps:
        room = cap.points if cap.per is CapPer.ORDER else max(known.room.get(cap.key, cap.points), 0)
        if room < points and (narrowest is None or room < narrowest[1]):
            narrowest = (cap, room)
    return narrowest


# --- Facts -------------------------------------------------------------------------------------------------


def _facts(count: _Count, order: OrderSnapshot, program: Program) -> Facts:
    if count.why == "channel":
        return {"channel": order.channel or ""}
    if count.why == "excluded_member":
        return {}
    currency = order.goods.currency
    facts: dict[str, str | int] = {"counts": _amount(count.base, currency)}
    if count.why == "below_minimum":
        facts["minimum"] = str(Money(program.rules.minimum_minor or 0, program.currency))
        return facts
    for place, part in enumerate(_in_order(count.parts, program.rules), 1):
        facts |= _part_facts(place, part, currency, program.currency, only=len(count.parts) == 1)
    extras: list[Bonus | Goal] = [*count.bonuses, *count.goals]
    for place, bonus in enumerate(extras, 1):
        facts |= {f"bonus.{place}": bonus.name, f"bonus.{place}.points": bonus.points}
    if count.goals:
        facts["goals"] = " ".join(goal.key for goal in count.goals)
    stacking = program.rules.stacking
    if stacking is not Stacking.MULTIPLY and any(part.campaigns for part in count.parts):
        facts["stacking"] = stacking.value
    if count.cap is not None:
        cap, room = count.cap
        facts |= {"cap": cap.name, "cap.room": room, "before_cap": count.before_cap}
    return facts


def _in_order(parts: Sequence[_Part], rules: EarnRules) -> Sequence[_Part]:
    """As the document lists the rates, so that the order of lines changes no explanation either."""
    place = {rate.key: place for place, rate in enumerate(rules.rates)}
    return sorted(
        parts,
        key=lambda part: (
            -1 if part.rate is None else place[part.rate.key],
            tuple(one.key for one in part.campaigns),
        ),
    )


def _part_facts(place: int, part: _Part, currency: str, program_currency: str, *, only: bool) -> Facts:
    """How one part was counted; the only part of a plain order needs no naming."""
    facts: dict[str, str | int] = {}
    if not only or part.rate is not None:
        facts[f"part.{place}.counts"] = _amount(part.base, currency)
    if part.rate is not None:
        facts |= {f"part.{place}.rate": part.rate.name, f"part.{place}.points": part.rate.points}
        if part.rate.spend_minor is None:
            facts[f"part.{place}.pieces"] = _short(part.pieces)
        else:
            facts[f"part.{place}.spend"] = str(Money(part.rate.spend_minor, program_currency))
    for number, one in enumerate(part.campaigns, 1):
        name = f"part.{place}.campaign.{number}"
        facts |= {name: one.name, f"{name}.percent": one.percent}
    return facts


def _amount(base: Exact, currency: str) -> str:
    return str(Money(int(base), currency))


def _short(pieces: Exact) -> str:
    whole, hundredths = divmod(int(pieces * 100), 100)
    return str(whole) if pieces.denominator == 1 else f"{whole}.{hundredths:02d}"
