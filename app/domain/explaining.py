"""Every number of points as a plain English sum, from the facts stored with it and nothing else. Pure.

`sentence` is for entries, `order_sentence` for what an order is worth, zero included; `counted` lists the same facts
one by one, for "How it was counted". Numbers are bare, in the currency of the order; no-break spaces hold “125 %”.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.domain.awarding import Withheld, activity_words, is_activity
from app.domain.counting import Facts
from app.domain.earning import Zero
from app.domain.ledger import EntryKind

TIMES = "\u00d7"
NBSP = "\u00a0"

# What comes before " and 173 were given", and ends with a full stop where nothing was.
_ZERO = {
    Zero.NOT_PAID: "The order is not paid",
    Zero.NOT_FULFILLED: "The order is paid, and counts once it is fulfilled",
    Zero.CANCELLED: "The order was cancelled",
    Zero.GONE: "The shop has no such order any more",
    Zero.BEFORE_START: "The order was placed before the program counted this shop",
    Zero.TEST_ORDER: "This is a test order",
    Zero.OTHER_MEMBER: "The order belongs to another customer now",
    Zero.CHANNEL: "Orders from there earn nothing",
    Zero.BELOW_MINIMUM: "What counts of the order is below the least that earns",
    Zero.EXCLUDED_MEMBER: "Orders of this customer earn nothing in this program",
    Zero.BLOCKED: "The account earned nothing when the order was placed",
}

# The same of activities.
_WITHHELD = {
    Withheld.TAKEN_BACK: "It was taken back",
    Withheld.ONCE: "This is given once, and was given before",
    Withheld.LIMIT: "The limit was reached",
    Withheld.NOT_NOW: "It earns nothing at that time",
    Withheld.BLOCKED: "The account earned nothing then",
    Withheld.BACK_FILL: "The account began with an order from before the shop was connected",
    Withheld.KNOWN_BEFORE: "This is given once, and this person had joined before",
    Withheld.TOO_SOON: "The last birthday was less than eleven months before",
    Withheld.WAITS: "It counts once the friend has ordered",
    Withheld.NOT_NEW: "The friend had ordered before",
    Withheld.NOT_COUNTED: "The friend’s first order does not count, or no longer",
    Withheld.BELOW_MINIMUM: "What is left of the friend’s first order is below the least that counts",
    Withheld.SAME_PERSON: "Both are the same person",
    Withheld.GONE: "The account is no longer there",
}
_LIMITS = {"day": "a day", "month": "a month", "year": "a year", "member": "in all"}

_WHY_BACK = {
    "cancelled": "the code was given back before it was used",
    "expired": "the code was not used in time",
    "failed": "the shop could not make the code",
    "refund": "goods of the order that used it went back",
    "order_void": "the order that used it was cancelled",
}


class Waits(StrEnum):
    """Why nobody has an order's points yet."""

    GUEST = "ordered as a guest: counted once a member confirms the e-mail address it was placed with"
    NOT_JOINED = "counted once the customer joins"


@dataclass(frozen=True, slots=True)
class Counted:
    """One line of "How it was counted"."""

    label: str
    value: str


def sentence(kind: EntryKind, points: int, facts: Facts, *, reason: str | None = None) -> str:
    """Why this entry is what it is. `reason`: what the staff wrote, for those who may read it."""
    match kind:
        case EntryKind.EARN | EntryKind.EARN_REVERSAL:
            if is_activity(facts):
                return activity_sentence(facts)
            return _level_sentence(points, facts) if is_of_level(facts) else order_sentence(facts)
        case EntryKind.REDEEM:
            return f"{points_of(-points)} for “{_title(facts)}”."
        case EntryKind.REDEEM_REVERSAL:
            return _reversed(points, facts)
        case EntryKind.EXPIRY:
            return f"{points_of(-points)} expired: {_were(-points)} not used in time."
        case EntryKind.EXPIRY_REVERSAL:
            return "Expired points, given back first: the order that they came from is taken back."
        case EntryKind.ADJUSTMENT:
            done = "Given by the shop" if points > 0 else "Taken by the shop"
            return f"{done}: {_closed(reason)}" if reason else f"{done}."
        case EntryKind.TRANSFER_IN:
            return "Brought along from another account of the same person."
        case EntryKind.TRANSFER_OUT:
            return "Moved to another account of the same person."
        case EntryKind.WRITE_OFF:
            return f"Let off: the points {_of_what(facts)} were spent before they were taken back."
        case EntryKind.WRITE_OFF_REVERSAL:
            if "tier_name" in facts:
                return f"No longer let off: {facts['tier_name']} is reached again."
            if "activity" in facts:
                return f"No longer let off: {facts['activity']} counts for more again."
            return f"No longer let off: order {_order(facts)} counts for more again."


def is_of_level(facts: Facts) -> bool:
    """Whether it is what reaching a level brought, not an order."""
    return facts.get("rule") == "tier"


def _level_sentence(points: int, facts: Facts) -> str:
    name = facts["tier_name"]
    if points > 0:
        return f"{points_of(points)} for reaching {name}."
    return f"{points_of(-points)} for reaching {name}, taken back: what reached it went back."


def _of_what(facts: Facts) -> str:
    if "tier_name" in facts:
        return f"for reaching {facts['tier_name']}"
    return f"of “{facts['activity']}”" if "activity" in facts else f"of order {_order(facts)}"


def order_sentence(facts: Facts, *, waits: Waits | None = None) -> str:
    """What an order is worth, as a sum; where nothing, why. `waits`: nobody owns it yet.

    A sum that replaces another names both sides: “= 148, and 173 were given”.
    """
    if facts.get("rule") == "held" and facts.get("why") == "shop_facts":
        return "The order waits until the shop has told what its products or its customer belong to."
    if facts.get("rule") == "held":
        currency = facts.get("currency", "its currency")
        return f"The program has no rate for {currency} yet: the order is counted once there is one."
    if "points_per" not in facts:
        return "The order was not counted yet."
    target, given = _number(facts, "target"), _number(facts, "given")
    if (zero := _zero(facts)) is not None:
        return f"{_ZERO[zero]}{_and_given(given)}."
    text = f"{_went_back(facts)}{_sum(facts)}, rounded down"
    if given or target == 0:
        text += f" = {target}{_and_given(given)}"
    return f"{text}; {waits}." if waits and target else f"{text}."


def activity_sentence(facts: Facts) -> str:
    """What an activity is worth; where nothing, why."""
    what, given = activity_words(facts), _number(facts, "given")
    zero = facts.get("zero")
    if isinstance(zero, str) and zero in set(Withheld):
        why = _WITHHELD[Withheld(zero)]
        limit = f": {_times(facts)}" if "limit" in facts else ""
        return f"{what}: {why[0].lower()}{why[1:]}{limit}{_and_given(given)}."
    return f"{what}: {points_of(_number(facts, 'target'))}{_and_given(given)}."


def counted(facts: Facts) -> tuple[Counted, ...]:
    """The facts one by one: rule, program version, inputs, rounding, and what came of it."""
    return tuple(Counted(label, value) for label, value in _lines(facts))


def points_of(points: int) -> str:
    """ "1 point", "2 points"."""
    return f"{points} point" if abs(points) == 1 else f"{points} points"


def _sum(facts: Facts) -> str:
    parts = " + ".join(_part_words(facts, place) for place in _places(facts, "part.{}.counts") or [1])
    bonuses = "".join(
        f" + {facts[f'bonus.{place}.points']} {facts[f'bonus.{place}']}"
        for place in _places(facts, "bonus.{}")
    )
    limit = f", at most {facts['cap.room']} ({facts['cap']})" if "cap" in facts else ""
    return f"{parts}{bonuses}{limit}"


def _part_words(facts: Facts, place: int) -> str:
    """One part of an order, whose lines earn alike: what counts, its rate, the percents on it."""
    name = f"part.{place}"
    counts = facts.get(f"{name}.counts", facts.get("counts", facts["net"]))
    rate = facts.get(f"{name}.rate")
    if rate is None:
        words = [f"{counts} of goods", f"{points_of(_number(facts, 'points_per'))} per {facts['spend']}"]
    elif f"{name}.pieces" in facts:
        words = [f"{facts[f'{name}.pieces']} pieces ({rate})", points_of(_number(facts, f"{name}.points"))]
    else:
        each = points_of(_number(facts, f"{name}.points"))
        words = [f"{counts} of goods ({rate})", f"{each} per {facts[f'{name}.spend']}"]
    percents = list(_percents(facts, name))
    match facts.get("stacking"):
        case "highest" if len(percents) > 1:
            words.append(f"the highest of {', '.join(percents)}")
        case "add" if len(percents) > 1:
            words.append(f"({' + '.join(percents)}, added above 100{NBSP}%)")
        case _:
            words += percents
    return f" {TIMES} ".join(words)


def _percents(facts: Facts, part: str) -> Iterator[str]:
    if _number(facts, "earn_percent") != 100:
        yield f"{facts['earn_percent']}{NBSP}% {facts['tier_name']}"
    for number in _places(facts, f"{part}.campaign.{{}}"):
        name = f"{part}.campaign.{number}"
        yield f"{facts[f'{name}.percent']}{NBSP}% {facts[name]}"


def _places(facts: Facts, pattern: str) -> list[int]:
    """1, 2, … as far as the facts go."""
    found: list[int] = []
    while pattern.format(len(found) + 1) in facts:
        found.append(len(found) + 1)
    return found


def _went_back(facts: Facts) -> str:
    refunded = str(facts.get("refunded", "0"))
    return f"{refunded} of goods went back. " if refunded.strip("0.") else ""


def _and_given(given: int) -> str:
    return f", and {given} {'was' if given == 1 else 'were'} given" if given else ""


def _reversed(points: int, facts: Facts) -> str:
    if points < 0:
        return f"“{_title(facts)}”: the refund did not stand, so its points are used again."
    why = _WHY_BACK.get(str(facts.get("why", "")), "the code was not used")
    return f"Points back for “{_title(facts)}”: {why}."


def _lines(facts: Facts) -> Iterator[tuple[str, str]]:
    match facts.get("rule"):
        case "order":
            yield from _order_lines(facts)
        case "held":
            yield "Order", _order(facts)
            yield "Waits for", f"a rate for {facts.get('currency', 'its currency')}"
        case "redeem" | "redeem_reversal":
            yield "Reward", _title(facts)
            if "cost" in facts:
                yield "Costs", points_of(_number(facts, "cost"))
            if "why" in facts:
                yield "Points back because", _WHY_BACK.get(str(facts["why"]), str(facts["why"]))
        case "activity" | "referral":
            yield from _activity_lines(facts)
        case "write_off" if "activity" in facts:
            yield "Activity", str(facts["activity"])
        case "tier":
            yield "Level", str(facts["tier_name"])
            yield "Program version", str(facts["version"])
            yield "For reaching it, once", points_of(_number(facts, "points"))
            yield "Points", str(facts["target"])
        case "write_off" if "tier_name" in facts:
            yield "Level", str(facts["tier_name"])
        case "write_off":
            yield "Order", _order(facts)
        case "adjustment":
            yield "Adjustment", f"no. {facts.get('adjustment', '')}"
        case _:
            return


def _activity_lines(facts: Facts) -> Iterator[tuple[str, str]]:
    yield "Activity", activity_words(facts)
    yield "Rule", points_of(_number(facts, "points"))
    yield "Program version", str(facts["version"])
    if "order" in facts:
        yield "Order", _order(facts)
    if "minimum" in facts:
        yield "From", f"{facts['minimum']} of goods"
    if "limit" in facts:
        yield "Limit", _times(facts)
    zero = facts.get("zero")
    if isinstance(zero, str) and zero in set(Withheld):
        yield "Not counted", _WITHHELD[Withheld(zero)]
    yield "Points", str(facts["target"])
    if _number(facts, "given"):
        yield "Given before", str(facts["given"])


def _times(facts: Facts) -> str:
    times = _number(facts, "limit")
    return f"{'once' if times == 1 else f'{times} times'} {_LIMITS.get(str(facts.get('limit_per')), '')}"


def _order_lines(facts: Facts) -> Iterator[tuple[str, str]]:
    currency = facts["currency"]
    yield "Order", _order(facts)
    yield "Rule", f"{points_of(_number(facts, 'points_per'))} per {facts['spend']} {currency}"
    yield "Program version", str(facts["version"])
    yield "Goods, after discounts, without tax and shipping", f"{facts['goods']} {currency}"
    if _went_back(facts):
        yield "Went back", f"{facts['refunded']} {currency}"
        yield "Goods that count", f"{facts['net']} {currency}"
    yield "Tier when it was placed", f"{facts['tier_name']}, {facts['earn_percent']}{NBSP}%"
    if (zero := _zero(facts)) is not None:
        yield "Not counted", _ZERO[zero]
    else:
        yield from _finer_lines(facts)
        yield "Rounding", "down, once an order"
    yield "Points", str(facts["target"])
    if _number(facts, "given"):
        yield "Given before", str(facts["given"])


def _finer_lines(facts: Facts) -> Iterator[tuple[str, str]]:
    currency = facts["currency"]
    if "counts" in facts and facts["counts"] != facts["net"]:
        yield "Counts by the program's base", f"{facts['counts']} {currency}"
    for place in _places(facts, "part.{}.counts"):
        yield f"Part {place}", _part_words(facts, place)
    for number in _places(facts, "part.1.campaign.{}") if "part.1.counts" not in facts else ():
        name = f"part.1.campaign.{number}"
        yield "Campaign", f"{facts[name]}, {facts[f'{name}.percent']}{NBSP}%"
    for place in _places(facts, "bonus.{}"):
        yield "Bonus", f"{facts[f'bonus.{place}']}, {points_of(_number(facts, f'bonus.{place}.points'))}"
    if "cap" in facts:
        yield "Before the limit", points_of(_number(facts, "before_cap"))
        yield "Limit", f"{facts['cap']}: {points_of(_number(facts, 'cap.room'))} were left"


def _zero(facts: Facts) -> Zero | None:
    word = facts.get("zero")
    return Zero(word) if isinstance(word, str) and word in set(Zero) else None


def _number(facts: Facts, name: str) -> int:
    return int(facts.get(name, 0))


def _title(facts: Facts) -> str:
    return str(facts.get("title", "a reward"))


def _order(facts: Facts) -> str:
    return str(facts.get("order") or "?")


def _were(points: int) -> str:
    return "it was" if points == 1 else "they were"


def _closed(text: str) -> str:
    """`text` with a full stop unless it ends with a mark of its own."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
