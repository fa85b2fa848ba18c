"""A past order as far as a simulation looks at it: a flat tuple, so that a million of them are cheap."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from app.domain.money import Money
from app.domain.orders import OrderSnapshot, OrderState, Refund
from app.domain.program import EarnWhen, Program
from app.domain.rules import PLAIN


class PastOrder(NamedTuple):
    """Amounts in the smallest units of `currency`. Sorts by member, then by when it was paid."""

    member: str  # whoever it is: a text that is the same for all orders of one person
    paid_at: datetime
    key: tuple[int, str]  # (shop id, order_ref): breaks ties
    placed_at: datetime
    fulfilled_at: datetime | None
    void_at: datetime | None  # cancelled or gone since
    currency: str
    goods_minor: int  # before refunds
    refunds: tuple[tuple[datetime, int], ...]  # (when, how much of the goods), oldest first
    snapshot: OrderSnapshot | None  # paid, what finer rules look at; None: nothing is known but the above


def looks_closer(program: Program) -> bool:
    """Whether it looks at more of an order than its moments, its goods and its refunds."""
    return program.rules != PLAIN or any(tier.paid is not None for tier in program.tiers)


def past_order(order: OrderSnapshot, *, member: str, shop_id: int, whole: bool) -> PastOrder | None:
    """None for what was never paid. `whole`: keep the snapshot, which only finer rules need."""
    if order.paid_at is None or order.state is OrderState.OPEN:
        return None
    void = order.state is not OrderState.PAID
    refunds = [(refund.refunded_at or order.updated_at, refund) for refund in order.refunds]
    refunds.sort(key=lambda dated: dated[0])
    return PastOrder(
        member=member,
        paid_at=order.paid_at,
        key=(shop_id, order.order_ref),
        placed_at=order.placed_at,
        fulfilled_at=order.fulfilled_at,
        void_at=(order.cancelled_at or order.updated_at) if void else None,
        currency=order.goods.currency,
        goods_minor=order.goods.minor,
        refunds=tuple((when, refund.goods.minor) for when, refund in refunds),
        snapshot=_as_paid(order, [refund for _, refund in refunds]) if whole else None,
    )


def _as_paid(order: OrderSnapshot, refunds: Sequence[Refund]) -> OrderSnapshot:
    if order.state is OrderState.PAID and order.refunds == tuple(refunds):
        return order
    return replace(order, state=OrderState.PAID, refunds=tuple(refunds))


def with_refund(order: PastOrder, refunded_at: datetime, minor: int) -> PastOrder:
    """The order with one more refund, which is its latest."""
    return order._replace(refunds=(*order.refunds, (refunded_at, minor)))


def counted_from(order: PastOrder, earn_when: EarnWhen) -> datetime | None:
    """The moment from which it counts; None: it was not fulfilled, and had to be."""
    return order.paid_at if earn_when is EarnWhen.PAID else order.fulfilled_at


def snapshot_at(order: PastOrder, *, refunds: int) -> OrderSnapshot:
    """The order as the shop told it once this many of its refunds had been made."""
    if order.snapshot is not None:
        if refunds == len(order.snapshot.refunds):
            return order.snapshot
        return replace(order.snapshot, refunds=order.snapshot.refunds[:refunds])
    return OrderSnapshot(
        order_ref=order.key[1],
        number=order.key[1],
        customer_ref=order.member,
        email=None,
        state=OrderState.PAID,
        goods=Money(order.goods_minor, order.currency),
        refunds=tuple(
            Refund(
                refund_ref=str(place),
                goods=Money(minor, order.currency),
                exact=False,
                refunded_at=refunded_at,
            )
            for place, (refunded_at, minor) in enumerate(order.refunds[:refunds], 1)
        ),
        codes_used=(),
        placed_at=order.placed_at,
        paid_at=order.paid_at,
        fulfilled_at=order.fulfilled_at,
        cancelled_at=None,
        updated_at=order.paid_at,
        test=False,
    )
