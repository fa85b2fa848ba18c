"""Valid facts by default: a test names only what it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.money import Money
from app.domain.orders import OrderSnapshot, OrderState, Refund
from app.domain.program import Program, decode, default_document

START = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def eur(amount: str) -> Money:
    return Money.parse(amount, "EUR")


def after(**by: float) -> datetime:
    """So long after the day on which the tests' orders begin."""
    return START + timedelta(**by)


PROGRAM = decode(default_document("Sprig", "EUR", "UTC"), 1)


def make_program(**changes: Any) -> Program:
    return replace(PROGRAM, **changes)


_PAID = OrderSnapshot(
    order_ref="1001",
    number="#1001",
    customer_ref="7",
    email=None,
    state=OrderState.PAID,
    goods=eur("39.99"),
    refunds=(),
    codes_used=(),
    placed_at=START,
    paid_at=after(minutes=1),
    fulfilled_at=None,
    cancelled_at=None,
    updated_at=after(minutes=1),
    test=False,
)


def make_order(**changes: Any) -> OrderSnapshot:
    """A paid order of 39.99 euros."""
    return replace(_PAID, **changes)


def make_refund(goods: str = "10.00", ref: str = "r1", **changes: Any) -> Refund:
    refund = Refund(refund_ref=ref, goods=eur(goods), exact=True, refunded_at=after(days=1))
    return replace(refund, **changes)
