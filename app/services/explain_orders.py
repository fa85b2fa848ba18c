"""An order that reconciliation changed: what was amiss with it, as a repair with its cause."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from app.db.deliveries import Kept
from app.db.orders import OrderRow
from app.db.reconciliations import Repair
from app.db.session import Session
from app.db.shops import ShopRow
from app.domain.changes import Change, OrderChanged
from app.domain.orders import OrderSnapshot, OrderState
from app.services.arrived import Arrived, arrived
from app.services.causes import Cause
from app.services.late_tiers import late_tiers
from app.services.read_at_shop import Ending, ReadOrder
from app.services.runtime import Runtime

LATE = timedelta(minutes=15)  # slower queues than this have been seen only where nobody visits the shop
_AROUND = timedelta(days=1)  # how far the shop's clock and ours are looked past each other


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """An order as held before and after the shop was asked. `deleted`: the shop says there is no such order."""

    before: OrderRow | None
    after: OrderRow
    moved: int
    deleted: bool = False

    @property
    def order(self) -> OrderSnapshot:
        assert self.after.order is not None
        return self.after.order

    @property
    def held(self) -> OrderSnapshot | None:
        return self.before.order if self.before is not None else None


def differences(read: Sequence[ReadOrder]) -> list[Difference]:
    """What reading them at the shop changed, or did not."""
    return [
        Difference(before=one.before, after=one.after, moved=one.moved, deleted=one.ending is Ending.GONE)
        for one in read
        if one.after is not None
    ]


def explain_orders(
    rt: Runtime, session: Session, shop: ShopRow, differences: Sequence[Difference], *, now: datetime
) -> list[Repair]:
    """A repair for each order that differs in more than its date of change.

    What was there before the shop was connected is no repair: no message of it was ever due.
    """
    amiss = [one for one in differences if _differs(one) and not _is_older_than_shop(one, shop)]
    if not amiss:
        return []
    since = min(one.order.updated_at for one in amiss) - _AROUND
    came = arrived(rt, session, shop, {one.order.order_ref for one in amiss}, since=since)
    tiers = late_tiers(session, [one.after for one in amiss])
    repairs = []
    for one in amiss:
        cause, detail = _cause(one, came, now)
        if left := tiers.get(one.after.order_id):
            detail = f"{detail} {left}"
        repairs.append(
            Repair(
                subject=one.after.source,
                cause=cause.value,
                detail=f"{one.order.number}: {detail}",
                points=one.moved,
            )
        )
    return repairs


def _differs(one: Difference) -> bool:
    return bool(one.moved) or one.held is None or _facts(one.held) != _facts(one.order)


def _is_older_than_shop(one: Difference, shop: ShopRow) -> bool:
    return one.held is None and one.order.updated_at <= shop.connected_at


def _facts(order: OrderSnapshot) -> OrderSnapshot:
    """What counts of an order: not how often it was saved, nor how exactly we know its refunds and its lines.

    Where that moved points, the points say so.
    """
    refunds = tuple(
        replace(refund, exact=True, refunded_at=None, lines=(), shipping_minor=0) for refund in order.refunds
    )
    same = replace(order, email=None, updated_at=order.placed_at, cancelled_at=None, refunds=refunds)
    return replace(
        same, lines=(), shipping_minor=0, shipping_tax_minor=0, tips_minor=0, channel=None, tags=()
    )


def _cause(one: Difference, came: Arrived, now: datetime) -> tuple[Cause, str]:
    held, order = one.held, one.order
    if one.deleted:
        return Cause.ORDER_DELETED, "deleted for good at the shop, which tells nobody."
    if held is None or order.updated_at > held.updated_at:
        return _cause_of_newer(one, came[order.order_ref], now)
    before = {refund.refund_ref: refund.goods for refund in held.refunds}
    after = {refund.refund_ref: refund.goods for refund in order.refunds}
    if gone := sorted(set(before) - set(after)):
        return Cause.REFUND_DELETED, f"refund {', '.join(gone)} was deleted at the shop, which tells nobody."
    read = any(not refund.exact for refund in held.refunds)
    if read and (before != after or one.moved):
        return Cause.REFUND_LINES, "its refund's lines were read."
    if before != after:
        return Cause.REFUND_CHANGED, "a refund changed at the shop, which told nobody."
    if _facts(held) == _facts(order):
        return Cause.CHANGED_SILENTLY, "the ledger did not hold what the order is worth."
    return Cause.CHANGED_SILENTLY, "other facts at the same date of change: the shop told nobody."


def _cause_of_newer(one: Difference, came: Sequence[tuple[Kept, Change]], now: datetime) -> tuple[Cause, str]:
    changed_at = one.order.updated_at
    what = _what(one)
    told = [kept for kept, change in came if _tells(kept, change, changed_at)]
    if not told:
        if now - changed_at < LATE:
            return Cause.WEBHOOK_LATE, f"{what}; its delivery has not arrived yet."
        return Cause.WEBHOOK_MISSED, f"{what} and no delivery of it arrived."
    last = max(told, key=lambda kept: kept.row.inbox_id)
    shown = f"{what}; delivery {last.row.inbox_id} of it"
    if last.state == "new":
        return Cause.DELIVERY_WAITS, f"{shown} waits to be settled."
    if last.state == "failed":
        return Cause.DELIVERY_FAILED, f"{shown} was set aside: {last.reason}."
    return Cause.DELIVERY_NOT_APPLIED, f"{shown} changed nothing: {last.reason or last.state}."


def _tells(kept: Kept, change: Change, changed_at: datetime) -> bool:
    """Whether the delivery tells of that state or a later one."""
    if isinstance(change, OrderChanged):
        return change.order.updated_at >= changed_at
    return kept.row.received_at >= changed_at


def _what(one: Difference) -> str:
    moment = f"{one.order.updated_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if one.held is None:
        return f"first seen now, changed at {moment}"
    if one.order.state is OrderState.GONE and one.held.state is not OrderState.GONE:
        return f"put in the trash at {moment}"
    if one.held.state is OrderState.GONE and one.order.state is not OrderState.GONE:
        return f"restored at {moment}"
    return f"changed at {moment}"
