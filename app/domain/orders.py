"""What a shop says about an order: frozen facts, in the shop's own currency. No points here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.money import Money


class OrderState(StrEnum):
    OPEN = "open"  # placed, not (fully) paid: pending, on hold, authorised, partly paid, failed
    PAID = "paid"  # paid in full, refunds or not
    CANCELLED = "cancelled"  # cancelled, voided
    GONE = "gone"  # deleted, in the trash, or a draft that never became an order


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money given back on an order. `goods` is what of it counts against goods (positive, without tax and shipping).

    `exact`: its lines were read, so `goods` is what the lines say; otherwise `goods` is the whole refund without
    tax, which serves until the order is read again at the shop.
    `refunded_at`: the shop's clock; None where the message does not date it, as some platforms' order body.
    """

    refund_ref: str
    goods: Money
    exact: bool
    refunded_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSnapshot:
    """All that earning may look at, as the shop told it at `updated_at`.

    Amounts share one currency, the shop's (never the shopper's presentment currency). `goods` is what the lines
    cost after discounts, without tax, shipping, gift cards and tips, less negative fees, before refunds; never
    below zero. Times are UTC and the platform's own.
    """

    order_ref: str  # the platform's bare id, as text
    number: str  # what people call it: "#1001"
    customer_ref: str | None  # None: guest checkout
    email: str | None  # the address on the order; joins guests' orders once proven, never stored in clear
    state: OrderState
    goods: Money
    refunds: tuple[Refund, ...]  # oldest first
    codes_used: tuple[str, ...]  # discount codes on the order, as the platform writes them
    placed_at: datetime
    paid_at: datetime | None  # None while not paid in full
    fulfilled_at: datetime | None
    cancelled_at: datetime | None
    updated_at: datetime
    test: bool

    @property
    def goods_refunded(self) -> Money:
        """The running total that counts against goods; never more than `goods`."""
        total = sum(refund.goods.minor for refund in self.refunds)
        return Money(min(total, self.goods.minor), self.goods.currency)
