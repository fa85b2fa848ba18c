"""What an order's goods are worth under a program's finer rules. Pure and exact: fractions, and one rounding, down.

In this order: select which lines earn at all; find the base, what of each line counts after refunds; give each line
its rate; stack the tier's and the campaigns' percents; add bonuses; cap; round. Lines that earn alike are added up
first, so that neither their order nor how an order is split into lines can change a result.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from app.domain.known import Known
from app.domain.money import Money
from app.domain.orders import OrderLine, OrderSnapshot, Refund
from app.domain.program import Program
from app.domain.rule_plan import RulePlan, is_for
from app.domain.rules import Base, Bonus, Cap, CapPer, EarnRules, Goal, Stacking
from app.domain.tier_rules import Tier

Facts = Mapping[str, str | int]
"""An explanation as data: flat, whole numbers and text only, so that it hashes and compares exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """`points` before any reason that makes the order worth nothing; `why`: a reason of the rules' own, if one did."""

    points: int
    why: str | None
    facts: Facts


Exact = int | Fraction
"""An exact amount. Whole ones stay `int`: they are nearly all, and a tenth of the cost."""

_Base = tuple[OrderLine | None, Exact, Exact]
"""(line, what of it counts, how many pieces of it are left). None: the order as a whole, or what has no lines."""


@dataclass(slots=True)
class _Part:
    """Lines that earn alike: their rate, the campaigns whose percents apply to them, and what of them counts."""

    place: int  # of its rate in the document; -1: the program's own
    campaigns: int  # as bits: `RulePlan.campaigns`
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
    plan = RulePlan(program)
    count = _count(order, order.refunds, plan, tier, known)
    return Counted(points=count.points, why=count.why, facts=_facts(count, order, plan))


def count_points(
    order: OrderSnapshot, refunds: Sequence[Refund], plan: RulePlan, tier: Tier, known: Known
) -> tuple[int, tuple[str, ...]]:
    """The points of `count_order` and the keys of the goals reached, unexplained, if `refunds` were all of its refunds.

    Raises: KeyError as `count_order` does.
    """
    count = _count(order, refunds, plan, tier, known)
    return count.points, tuple([goal.key for goal in count.goals]) if count.goals else ()


def _count(
    order: OrderSnapshot, refunds: Sequence[Refund], plan: RulePlan, tier: Tier, known: Known
) -> _Count:
    program, rules = plan.program, plan.rules
    currency = order.goods.currency
    if currency != program.currency and program.rate_for(currency) is None:
        raise KeyError(currency)
    if rules.channels and order.channel not in rules.channels:
        return _Count(why="channel")
    if rules.exclude_members is not None and is_for(rules.exclude_members, tier, known):
        return _Count(why="excluded_member")
    local = plan.local(order)
    parts = _parts(_bases(order, refunds, plan.rules), plan, known, plan.running(order, tier, known, local))
    base: Exact = 0
    above, below = 0, 1  # the exact sum, as a fraction that is reduced nowhere
    for part in parts:
        base += part.base
        factor = plan.factor(part.place, part.campaigns, tier.earn_percent, currency)
        counts = part.pieces if factor.by_piece else part.base
        one, of = counts.numerator * factor.above, counts.denominator * factor.below
        above, below = (above + one, below) if of == below else (above * of + one * below, below * of)
    worth = int(base)
    if worth and currency != program.currency:
        worth = program.worth(Money(worth, currency)).minor
    if rules.minimum_minor is not None and worth < rules.minimum_minor:
        return _Count(why="below_minimum", base=base)
    points = above // below  # never negative: it rounds down
    bonuses = plan.bonuses(order, tier, known, worth, local) if rules.bonuses else ()
    goals = list(_reached(rules, known, worth)) if rules.goals else ()
    for extra in (*bonuses, *goals):
        points += extra.points
    cap = _narrowest(points, rules, known)
    return _Count(points if cap is None else cap[1], None, parts, base, bonuses, goals, cap, points)


# --- Select and base ---------------------------------------------------------------------------------------


def _parts(bases: Sequence[_Base], plan: RulePlan, known: Known, running: int) -> Sequence[_Part]:
    """`running`: the campaigns that run for the order, as bits."""
    found: dict[tuple[int, int], _Part] = {}
    for line, base, pieces in bases:
        scope = plan.whole if line is None else plan.of(line, known)
        if scope is None or not (base or pieces):
            continue
        alike = place, bits = scope[0], scope[1] & running
        part = found.get(alike)
        if part is None:
            found[alike] = _Part(place, bits, base, pieces)
        else:
            part.base += base
            part.pieces += pieces
    return [part for part in found.values() if part.base or (part.pieces and part.place >= 0)]


def _bases(order: OrderSnapshot, refunds: Sequence[Refund], rules: EarnRules) -> list[_Base]:
    base = rules.base
    refunded = order.refunded_minor(refunds) if refunds else 0
    net = order.goods.minor - refunded
    if not order.lines:
        found: list[_Base] = [(None, net, 1)]
    elif not refunds and net == sum([line.goods_minor for line in order.lines if not line.gift_card]):
        found = _whole_lines(order, base)
    else:
        found = _line_bases(order, refunds, base, net)
    if base.shipping:
        shipped_back = sum([refund.shipping_minor for refund in refunds]) if refunds else 0
        left = max(order.shipping_minor - shipped_back, 0)
        found.append((None, left, 0))
        if base.tax and order.shipping_tax_minor and order.shipping_minor:
            found.append((None, _times(order.shipping_tax_minor, left, order.shipping_minor), 0))
    if base.tips and refunded != order.goods.minor:
        found.append((None, order.tips_minor, 0))
    return found


def _whole_lines(order: OrderSnapshot, base: Base) -> list[_Base]:
    """`_line_bases` where nothing went back and the lines come to the goods: every line counts as it is."""
    with_discount, with_tax = base.before_discounts, base.tax
    found: list[_Base] = []
    for line in order.lines:
        if line.gift_card and not base.gift_cards:
            continue
        counts = line.goods_minor
        if with_discount:
            counts += line.discount_minor
        if with_tax:
            counts += line.tax_minor
        found.append((line, counts, line.quantity))
    return found


def _line_bases(order: OrderSnapshot, refunds: Sequence[Refund], base: Base, net: int) -> list[_Base]:
    found: list[_Base] = []
    gone: dict[str, int] = {}
    for refund in refunds:
        for back in refund.lines:
            gone[back.line_ref] = gone.get(back.line_ref, 0) + back.goods_minor
    kept = {line.line_ref: max(line.goods_minor - gone.get(line.line_ref, 0), 0) for line in order.lines}
    # Fees below zero, goodwill, and refunds whose lines are not known, are of all goods alike.
    left = sum([kept[line.line_ref] for line in order.lines if not line.gift_card])
    for line in order.lines:
        if line.gift_card and not base.gift_cards:
            continue
        goods = counts = line.goods_minor
        if base.before_discounts:
            counts += line.discount_minor
        if base.tax:
            counts += line.tax_minor
        # Above and below of the part that stays. What cost nothing stays, unless all that cost something went back.
        if not goods:
            above, below = (0 if order.goods.minor and not net else 1), 1
        elif line.gift_card:
            above, below = kept[line.line_ref], goods
        else:
            above, below = (kept[line.line_ref] * net, goods * left) if left else (0, 1)
        found.append((line, _times(counts, above, below), _times(line.quantity, above, below)))
    return found


def _times(amount: int, above: int, below: int) -> Exact:
    if above == below:
        return amount
    whole, rest = divmod(amount * above, below)
    return Fraction(amount * above, below) if rest else whole


# --- Rate, goals, caps -------------------------------------------------------------------------------------


def _reached(rules: EarnRules, known: Known, worth: int) -> Iterator[Goal]:
    """The open goals that the member has reached with what is left of this order."""
    for goal in rules.goals:
        before = known.goals.get(goal.key)
        if worth > 0 and before is not None and before + worth >= goal.spend_minor:
            yield goal


def _narrowest(points: int, rules: EarnRules, known: Known) -> tuple[Cap, int] | None:
    """The limit that leaves least, if it cuts, and what it leaves; the first of the narrowest."""
    narrowest: tuple[Cap, int] | None = None
    least = points
    for cap in rules.caps:
        room = cap.points
        if cap.per is not CapPer.ORDER:
            room = known.room.get(cap.key, room)
            if room < 0:
                room = 0
        if room < least:
            least, narrowest = room, (cap, room)
    return narrowest


# --- Facts -------------------------------------------------------------------------------------------------


def _facts(count: _Count, order: OrderSnapshot, plan: RulePlan) -> Facts:
    program = plan.program
    if count.why == "channel":
        return {"channel": order.channel or ""}
    if count.why == "excluded_member":
        return {}
    currency = order.goods.currency
    facts: dict[str, str | int] = {"counts": _amount(count.base, currency)}
    if count.why == "below_minimum":
        facts["minimum"] = str(Money(program.rules.minimum_minor or 0, program.currency))
        return facts
    for place, part in enumerate(_in_order(count.parts, plan), 1):
        facts |= _part_facts(place, part, currency, plan, only=len(count.parts) == 1)
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


def _in_order(parts: Sequence[_Part], plan: RulePlan) -> Sequence[_Part]:
    """As the document lists the rates, so that the order of lines changes no explanation either."""
    return sorted(
        parts,
        key=lambda part: (part.place, tuple(one.key for one in plan.campaigns(part.campaigns))),
    )


def _part_facts(place: int, part: _Part, currency: str, plan: RulePlan, *, only: bool) -> Facts:
    """How one part was counted; the only part of a plain order needs no naming."""
    facts: dict[str, str | int] = {}
    rate = None if part.place < 0 else plan.rules.rates[part.place]
    if not only or rate is not None:
        facts[f"part.{place}.counts"] = _amount(part.base, currency)
    if rate is not None:
        facts |= {f"part.{place}.rate": rate.name, f"part.{place}.points": rate.points}
        if rate.spend_minor is None:
            facts[f"part.{place}.pieces"] = _short(part.pieces)
        else:
            facts[f"part.{place}.spend"] = str(Money(rate.spend_minor, plan.program.currency))
    for number, one in enumerate(plan.campaigns(part.campaigns), 1):
        name = f"part.{place}.campaign.{number}"
        facts |= {name: one.name, f"{name}.percent": one.percent}
    return facts


def _amount(base: Exact, currency: str) -> str:
    return str(Money(int(base), currency))


def _short(pieces: Exact) -> str:
    whole, hundredths = divmod(int(pieces * 100), 100)
    return str(whole) if pieces.denominator == 1 else f"{whole}.{hundredths:02d}"
