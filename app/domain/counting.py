"""What an order's goods are worth under a program's finer rules. Pure and exact: fractions, and one rounding, down.

In this order: select which lines earn at all; find the base, what of each line counts after refunds; give each line
its rate; stack the tier's and the campaigns' percents; add bonuses; cap; round. Lines that earn alike are added up
first, so that neither their order nor how an order is split into lines can change a result.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from app.domain.money import Money
from app.domain.orders import OrderLine, OrderSnapshot
from app.domain.program import Program
from app.domain.rules import Bonus, Campaign, CapPer, EarnRules, ProductRate, Selector, Stacking, Whose
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


@dataclass(slots=True)
class _Part:
    """Lines that earn alike: their rate, the percents that apply to them, and what of them counts."""

    rate: ProductRate | None  # None: the program's own
    campaigns: tuple[Campaign, ...]
    base: Fraction = Fraction(0)  # smallest units of the order's currency
    pieces: Fraction = Fraction(0)


def count_order(order: OrderSnapshot, program: Program, tier: Tier, known: Known) -> Counted:
    """Raises: KeyError if the program has no rate for the order's currency."""
    rules = program.rules
    own = program.rate_for(order.goods.currency)
    if own is None:
        raise KeyError(order.goods.currency)
    if rules.channels and order.channel not in rules.channels:
        return Counted(points=0, why="channel", facts={"channel": order.channel or ""})
    if rules.exclude_members is not None and is_for(rules.exclude_members, tier, known):
        return Counted(points=0, why="excluded_member", facts={})
    parts = _parts(order, program, tier, known)
    base = sum((part.base for part in parts), Fraction(0))
    facts: dict[str, str | int] = {"counts": _amount(base, order.goods.currency)}
    worth = program.worth(Money(int(base), order.goods.currency)).minor if base else 0
    if rules.minimum_minor is not None and worth < rules.minimum_minor:
        facts["minimum"] = str(Money(rules.minimum_minor, program.currency))
        return Counted(points=0, why="below_minimum", facts=facts)
    exact = Fraction(0)
    for place, part in enumerate(parts, 1):
        exact += _worth(part, own.points, own.spend_minor, program, tier)
        facts |= _part_facts(place, part, order.goods.currency, program.currency, only=len(parts) == 1)
    points = int(exact)  # never negative: int() rounds down
    for place, bonus in enumerate(_bonuses(order, program, tier, known, worth), 1):
        points += bonus.points
        facts |= {f"bonus.{place}": bonus.name, f"bonus.{place}.points": bonus.points}
    points += _reached(rules, known, worth, facts)
    if rules.stacking is not Stacking.MULTIPLY and any(part.campaigns for part in parts):
        facts["stacking"] = rules.stacking.value
    points = _capped(points, rules, known, facts)
    return Counted(points=points, why=None, facts=facts)


# --- Select and base ---------------------------------------------------------------------------------------


def _parts(order: OrderSnapshot, program: Program, tier: Tier, known: Known) -> list[_Part]:
    rules = program.rules
    found: dict[tuple[str | None, tuple[str, ...]], _Part] = {}
    for line, base, pieces in _bases(order, rules):
        if rules.exclude is not None and line is not None and _names(rules.exclude, line, known):
            continue
        rate = next((one for one in rules.rates if line is not None and _names(one.of, line, known)), None)
        campaigns = tuple(one for one in rules.campaigns if _runs(one, order, program, tier, known, line))
        key = (rate.key if rate else None, tuple(one.key for one in campaigns))
        part = found.setdefault(key, _Part(rate, campaigns))
        part.base += base
        part.pieces += pieces
    order_of = {rate.key: place for place, rate in enumerate(rules.rates)}
    return sorted(
        (part for part in found.values() if part.base or (part.pieces and part.rate)),
        key=lambda part: (
            -1 if part.rate is None else order_of[part.rate.key],
            tuple(one.key for one in part.campaigns),
        ),
    )


def _bases(order: OrderSnapshot, rules: EarnRules) -> Iterator[tuple[OrderLine | None, Fraction, Fraction]]:
    """(line, what of it counts, how many pieces of it are left). None: the order as a whole, or what has no lines."""
    base = rules.base
    if not order.lines:
        yield None, Fraction((order.goods - order.goods_refunded).minor), Fraction(1)
    else:
        yield from _line_bases(order, rules)
    shipped_back = sum(refund.shipping_minor for refund in order.refunds)
    if base.shipping:
        yield None, Fraction(max(order.shipping_minor - shipped_back, 0)), Fraction(0)
    if base.tax and base.shipping and order.shipping_minor:
        left = Fraction(max(order.shipping_minor - shipped_back, 0), order.shipping_minor)
        yield None, order.shipping_tax_minor * left, Fraction(0)
    if base.tips and order.goods_refunded != order.goods:
        yield None, Fraction(order.tips_minor), Fraction(0)


def _line_bases(order: OrderSnapshot, rules: EarnRules) -> Iterator[tuple[OrderLine, Fraction, Fraction]]:
    gone: dict[str, int] = {}
    for refund in order.refunds:
        for back in refund.lines:
            gone[back.line_ref] = gone.get(back.line_ref, 0) + back.goods_minor
    kept = {line.line_ref: max(line.goods_minor - gone.get(line.line_ref, 0), 0) for line in order.lines}
    goods = [line for line in order.lines if not line.gift_card]
    # Fees below zero, goodwill, and refunds whose lines are not known, are of all goods alike.
    left = sum(kept[line.line_ref] for line in goods)
    net = (order.goods - order.goods_refunded).minor
    share = Fraction(net, left) if left else Fraction(0)
    for line in order.lines:
        if line.gift_card and not rules.base.gift_cards:
            continue
        of_goods = kept[line.line_ref] * (Fraction(1) if line.gift_card else share)
        # What cost nothing stays, unless all that cost something went back.
        part = (
            of_goods * Fraction(1, line.goods_minor)
            if line.goods_minor
            else Fraction(0 if order.goods.minor and not net else 1)
        )
        counts = of_goods
        if rules.base.before_discounts:
            counts += line.discount_minor * part
        if rules.base.tax:
            counts += line.tax_minor * part
        yield line, counts, line.quantity * part


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
        or (line.vendor is not None and line.vendor.casefold() in _folded(selector.vendors))
        or not selector.groups.isdisjoint(known.products.get(line.product_ref or "", ()))
    )


@lru_cache(maxsize=256)
def _folded(vendors: frozenset[str]) -> frozenset[str]:
    """However a vendor is written, it is the same one."""
    return frozenset(vendor.casefold() for vendor in vendors)


# --- Rate and stack ----------------------------------------------------------------------------------------


def _worth(part: _Part, points: int, spend_minor: int, program: Program, tier: Tier) -> Fraction:
    """`points` per `spend_minor`: the program's own rate in the order's currency."""
    if part.rate is None:
        plain = part.base * Fraction(points, spend_minor)
    elif part.rate.spend_minor is None:
        plain = part.pieces * part.rate.points
    else:
        # Written in the program's currency; another's rate stands to the own as the currencies do.
        plain = part.base * Fraction(
            part.rate.points * program.rate.spend_minor, part.rate.spend_minor * spend_minor
        )
    return plain * _percent(part, program.rules.stacking, tier)


def _percent(part: _Part, stacking: Stacking, tier: Tier) -> Fraction:
    percents = [tier.earn_percent, *(one.percent for one in part.campaigns)]
    match stacking:
        case Stacking.MULTIPLY:
            product = Fraction(1)
            for percent in percents:
                product *= Fraction(percent, 100)
            return product
        case Stacking.ADD:
            return Fraction(max(100 + sum(percent - 100 for percent in percents), 0), 100)
        case Stacking.HIGHEST:
            return Fraction(max(percents), 100)


def _runs(
    campaign: Campaign,
    order: OrderSnapshot,
    program: Program,
    tier: Tier,
    known: Known,
    line: OrderLine | None,
) -> bool:
    if campaign.channels and order.channel not in campaign.channels:
        return False
    if not campaign.of.is_everything and (line is None or not _names(campaign.of, line, known)):
        return False
    return campaign.during.covers(order.placed_at, program.zone) and is_for(campaign.whose, tier, known)


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


def _bonuses(order: OrderSnapshot, program: Program, tier: Tier, known: Known, worth: int) -> Iterator[Bonus]:
    """Those that the order has. One that is worth nothing has none: what goes back entirely was never bought."""
    if worth <= 0:
        return
    for bonus in program.rules.bonuses:
        if bonus.channels and order.channel not in bonus.channels:
            continue
        if not bonus.of.is_everything and not any(_names(bonus.of, line, known) for line in order.lines):
            continue
        if bonus.order_number is not None and known.number != bonus.order_number:
            continue
        if bonus.every is not None and known.number % bonus.every:
            continue
        if bonus.spend_from_minor is not None and worth < bonus.spend_from_minor:
            continue
        if bonus.during.covers(order.placed_at, program.zone) and is_for(bonus.whose, tier, known):
            yield bonus


def _reached(rules: EarnRules, known: Known, worth: int, facts: dict[str, str | int]) -> int:
    """Points of the open goals that the member has reached with what is left of this order."""
    if worth <= 0:
        return 0
    place = sum(name.startswith("bonus.") and name.count(".") == 1 for name in facts)
    points, keys = 0, []
    for goal in rules.goals:
        before = known.goals.get(goal.key)
        if before is None or before + worth < goal.spend_minor:
            continue
        place, points = place + 1, points + goal.points
        keys.append(goal.key)
        facts |= {f"bonus.{place}": goal.name, f"bonus.{place}.points": goal.points}
    if keys:
        facts["goals"] = " ".join(keys)
    return points


def _capped(points: int, rules: EarnRules, known: Known, facts: dict[str, str | int]) -> int:
    """No more than the narrowest limit leaves; the first of the narrowest is named."""
    narrowest: tuple[int, str] | None = None
    for cap in rules.caps:
        room = cap.points if cap.per is CapPer.ORDER else max(known.room.get(cap.key, cap.points), 0)
        if room < points and (narrowest is None or room < narrowest[0]):
            narrowest = (room, cap.name)
    if narrowest is None:
        return points
    facts |= {"cap": narrowest[1], "cap.room": narrowest[0], "before_cap": points}
    return narrowest[0]


# --- Facts -------------------------------------------------------------------------------------------------


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


def _amount(base: Fraction, currency: str) -> str:
    return str(Money(int(base), currency))


def _short(pieces: Fraction) -> str:
    whole, hundredths = divmod(int(pieces * 100), 100)
    return str(whole) if pieces.denominator == 1 else f"{whole}.{hundredths:02d}"
