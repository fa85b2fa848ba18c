"""What we hold of an order, and a message about it: which of the two is true now."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.domain.orders import OrderLine, OrderSnapshot, OrderState, Refund


class Verdict(StrEnum):
    NEWER = "newer"  # settle it
    SAME = "same"  # nothing new
    STALE = "stale"  # older than what we hold
    TIE = "tie"  # same moment, other facts: only the shop knows
    GONE = "gone"  # we know the order as gone: only the shop can bring it back


@dataclass(frozen=True, slots=True)
class Folded:
    order: OrderSnapshot  # what to hold from now on
    verdict: Verdict


def fold(held: OrderSnapshot | None, seen: OrderSnapshot, *, reread: bool) -> Folded:
    """What to hold after `seen`. `reread`: the shop itself answered, so it beats a message of the same time.

    Refund lines once read are kept for every later body. A refund or a cancellation that the platform does not
    date is dated by the earliest message that shows it, whichever came first. What a line is of, once told, is
    kept too: a product that is deleted later, or that the next body does not tell, moves no points.
    """
    if held is None:
        return Folded(_dated(seen), Verdict.NEWER)
    if held.state is OrderState.GONE and seen.state is not OrderState.GONE and not reread:
        return Folded(held, Verdict.GONE)
    if seen.updated_at < held.updated_at:
        return Folded(_with_earlier_dates(held, seen), Verdict.STALE)
    merged = _carried(held, _dated(seen))
    if seen.updated_at > held.updated_at or reread:
        same = merged == replace(held, updated_at=merged.updated_at)
        return Folded(merged, Verdict.SAME if same and merged == held else Verdict.NEWER)
    knowing = _knowing(held, merged)
    if _facts(merged) != _facts(knowing):
        return Folded(held, Verdict.TIE)
    return Folded(knowing, Verdict.SAME if knowing == held else Verdict.NEWER)


def _dated(order: OrderSnapshot) -> OrderSnapshot:
    refunds = tuple(
        refund if refund.refunded_at is not None else replace(refund, refunded_at=order.updated_at)
        for refund in order.refunds
    )
    void = order.state in (OrderState.CANCELLED, OrderState.GONE)
    cancelled_at = (order.cancelled_at or order.updated_at) if void else order.cancelled_at
    if refunds == order.refunds and cancelled_at == order.cancelled_at:
        return order
    return replace(order, refunds=refunds, cancelled_at=cancelled_at)


def _carried(held: OrderSnapshot, seen: OrderSnapshot) -> OrderSnapshot:
    """`seen`, with the refund lines, the first dates and what lines are of that `held` knows."""
    seen = _knowing(seen, held)
    if not held.refunds and held.cancelled_at is None:
        return seen
    known = {refund.refund_ref: refund for refund in held.refunds}
    refunds = tuple(_better(known.get(refund.refund_ref), refund) for refund in seen.refunds)
    cancelled_at = seen.cancelled_at
    if cancelled_at is not None and held.cancelled_at is not None:
        cancelled_at = min(cancelled_at, held.cancelled_at)
    return replace(seen, refunds=refunds, cancelled_at=cancelled_at)


def _knowing(order: OrderSnapshot, other: OrderSnapshot) -> OrderSnapshot:
    """`order`, with what `other` alone tells of its lines."""
    known = {line.line_ref: line for line in other.lines}
    lines = tuple(_knowing_line(line, known.get(line.line_ref)) for line in order.lines)
    return order if lines == order.lines else replace(order, lines=lines)


def _knowing_line(line: OrderLine, other: OrderLine | None) -> OrderLine:
    if other is None:
        return line
    return replace(
        line,
        product_ref=line.product_ref or other.product_ref,
        variant_ref=line.variant_ref or other.variant_ref,
        subscription=line.subscription or other.subscription,
    )


def _better(known: Refund | None, seen: Refund) -> Refund:
    if known is None or seen.exact:
        return seen
    if known.exact:
        return known
    return replace(seen, refunded_at=_earlier(known.refunded_at, seen.refunded_at))


def _with_earlier_dates(held: OrderSnapshot, stale: OrderSnapshot) -> OrderSnapshot:
    dated = _dated(stale)
    shown = {refund.refund_ref: refund.refunded_at for refund in dated.refunds if not refund.exact}
    refunds = tuple(
        refund
        if refund.exact or refund.refund_ref not in shown
        else replace(refund, refunded_at=_earlier(refund.refunded_at, shown[refund.refund_ref]))
        for refund in held.refunds
    )
    cancelled_at = held.cancelled_at
    if cancelled_at is not None and dated.cancelled_at is not None:
        cancelled_at = min(cancelled_at, dated.cancelled_at)
    if refunds == held.refunds and cancelled_at == held.cancelled_at:
        return held
    return replace(held, refunds=refunds, cancelled_at=cancelled_at)


def _facts(order: OrderSnapshot) -> OrderSnapshot:
    """The order without what we dated ourselves and without the address, which we do not keep."""
    refunds = tuple(replace(refund, refunded_at=None) for refund in order.refunds)
    return replace(order, refunds=refunds, cancelled_at=None, email=None)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)
