"""Every number of points as a plain English sum, from the facts stored with it and nothing else. Pure.

`sentence` is for entries, `order_sentence` for what an order is worth, zero included; `counted` lists the same facts
one by one, for "How it was counted". Numbers are bare, in the currency of the order; no-break spaces hold “125 %”.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.domain.earning import Facts, Zero
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
}

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
            return order_sentence(facts)
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
            return f"Let off: the points of order {_order(facts)} were spent before they were taken back."
        case EntryKind.WRITE_OFF_REVERSAL:
            return f"No longer let off: order {_order(facts)} counts for more again."


def order_sentence(facts: Facts, *, waits: Waits | None = None) -> str:
    """What an order is worth, as a sum; where nothing, why. `waits`: nobody owns it yet.

    A sum that replaces another names both sides: “= 148, and 173 were given”.
    """
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


def counted(facts: Facts) -> tuple[Counted, ...]:
    """The facts one by one: rule, program version, inputs, rounding, and what came of it."""
    return tuple(Counted(label, value) for label, value in _lines(facts))


def points_of(points: int) -> str:
    """ "1 point", "2 points"."""
    return f"{points} point" if abs(points) == 1 else f"{points} points"


def _sum(facts: Facts) -> str:
    parts = [
        f"{facts['net']} of goods",
        f"{points_of(_number(facts, 'points_per'))} per {facts['spend']}",
    ]
    percent = _number(facts, "earn_percent")
    if percent != 100:
        parts.append(f"{percent}{NBSP}% {facts['tier_name']}")
    return f" {TIMES} ".join(parts)


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
        case "write_off":
            yield "Order", _order(facts)
        case "adjustment":
            yield "Adjustment", f"no. {facts.get('adjustment', '')}"
        case _:
            return


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
        yield "Rounding", "down, once an order"
    yield "Points", str(facts["target"])
    if _number(facts, "given"):
        yield "Given before", str(facts["given"])


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
