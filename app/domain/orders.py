"""What a shop says about an order: frozen facts, in the shop's own currency. No points here."""

from collections.abc import Iterable
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
class OrderLine:
    """One product on an order, before refunds. Amounts are of all its pieces, in the order's smallest units.

    Pieces that staff removed from the order are left out, as `goods` leaves them out; so are tips. The lines that
    are no gift cards come to `goods` together, but for negative fees and where `goods` stops at zero.
    """

    line_ref: str
    product_ref: str | None = None  # None: typed in by hand, the product is gone, or we may not read it
    variant_ref: str | None = None
    vendor: str | None = None
    quantity: int = 1  # a begun piece counts whole
    goods_minor: int  # after discounts, without tax
    discount_minor: int = 0  # what discounts took off, without tax
    tax_minor: int = 0
    gift_card: bool = False
    subscription: bool = False  # sold by a selling plan or subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundedLine:
    """How much of one line went back, in the order's smallest units. Gift cards' lines are not told."""

    line_ref: str
    goods_minor: int
    tax_minor: int = 0


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
    # What of `goods` is known to be of which line; the rest is of the order as a whole. Empty unless `exact`.
    lines: tuple[RefundedLine, ...] = ()
    shipping_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeUse:
    """What a discount code took off an order, of the code's own amount, in the order's smallest units.

    0 while the shop does not count the use: the order failed or is void, and the code may be used again.
    """

    code: str
    taken_minor: int


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
    # What finer rules look at. Empty in what was stored before there were such rules: it earns as goods do.
    lines: tuple[OrderLine, ...] = ()  # gift cards among them, though `goods` leaves them out
    shipping_minor: int = 0  # after discounts, without tax
    shipping_tax_minor: int = 0
    tips_minor: int = 0
    channel: str | None = None  # where it was bought, in the platform's word: "web", "pos", "checkout"
    tags: tuple[str, ...] = ()  # the order's own
    code_uses: tuple[CodeUse, ...] = ()  # of `codes_used` those of which the platform tells what they took

    @property
    def goods_refunded(self) -> Money:
        """The running total that counts against goods; never more than `goods`."""
        return Money(self.refunded_minor(self.refunds), self.goods.currency)

    def refunded_minor(self, refunds: Iterable[Refund]) -> int:
        """What so many of its refunds count against goods, as `goods_refunded` does."""
        return min(sum([refund.goods.minor for refund in refunds]), self.goods.minor)
