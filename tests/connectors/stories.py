"""Twelve stories that every platform must tell alike: name -> the OrderSnapshot it must become.

All have the same beginning (two mugs at 10.00, a bag of coffee at 19.99, shipping 7.50, 10 % tax on top) and change
one thing. What a platform's webhook does not say by itself (the lines of a WooCommerce refund) is told once the
order was read at the shop; the contract tests know which stories need that second look.

A platform's fixtures may set ids, times, currency and prices in a recorded body, never its shape.

Recorded bodies differ in their lines, so a story is the order without them (`plain`). Where a story's lines are those
of the common beginning on every platform, FINER has what must become of them.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.domain.money import Money
from app.domain.orders import OrderSnapshot, OrderState, Refund

OUR_CODE = "laurel-7k3m9q2x4v8t1w5z"
FOREIGN_CODE = "summer20"


def usd(amount: str) -> Money:
    return Money.parse(amount, "USD")


def at(clock: str) -> datetime:
    """The moment of the stories' day, 2026-11-21, in UTC: at("18:18:36")."""
    return datetime.fromisoformat(f"2026-11-21T{clock}").replace(tzinfo=UTC)


_PAID = OrderSnapshot(
    order_ref="4501",
    number="#4501",
    customer_ref="77",
    email="alice@example.test",
    state=OrderState.PAID,
    goods=usd("39.99"),
    refunds=(),
    codes_used=(),
    placed_at=at("18:18:36"),
    paid_at=at("18:18:39"),
    fulfilled_at=None,
    cancelled_at=None,
    updated_at=at("18:18:40"),
    test=False,
)

STORIES: dict[str, OrderSnapshot] = {
    "paid": _PAID,
    "unpaid": replace(
        _PAID,
        order_ref="4502",
        number="#4502",
        state=OrderState.OPEN,
        paid_at=None,
        updated_at=at("18:18:36"),
    ),
    # Sent out, then 5.00 given back for goodwill without a line, then one mug (10.00 and its 1.00 tax).
    "part_refunded": replace(
        _PAID,
        order_ref="4503",
        number="#4503",
        refunds=(
            Refund(refund_ref="9024", goods=usd("5.00"), exact=True, refunded_at=at("18:18:46")),
            Refund(refund_ref="9025", goods=usd("10.00"), exact=True, refunded_at=at("18:18:48")),
        ),
        fulfilled_at=at("18:18:41"),
        updated_at=at("18:18:48"),
    ),
    # Everything at once: all lines, their tax and the shipping.
    "all_refunded": replace(
        _PAID,
        order_ref="4504",
        number="#4504",
        refunds=(Refund(refund_ref="9026", goods=usd("39.99"), exact=True, refunded_at=at("18:18:52")),),
        fulfilled_at=at("18:18:41"),
        updated_at=at("18:18:52"),
    ),
    # Never paid. WooCommerce does not date a cancellation: there, it is the moment of this last change.
    "cancelled": replace(
        _PAID,
        order_ref="4505",
        number="#4505",
        state=OrderState.CANCELLED,
        paid_at=None,
        cancelled_at=at("18:19:02"),
        updated_at=at("18:19:02"),
    ),
    # A third mug was added by staff after payment, and paid for.
    "edited": replace(_PAID, order_ref="4506", number="#4506", goods=usd("49.99"), updated_at=at("18:25:00")),
    "guest": replace(
        _PAID, order_ref="4507", number="#4507", customer_ref=None, email="guest.person@example.test"
    ),
    # 5.00 off the goods before tax.
    "with_our_code": replace(
        _PAID, order_ref="4508", number="#4508", goods=usd("34.99"), codes_used=(OUR_CODE,)
    ),
    # 20 % off: 16.00 for the mugs, 15.99 for the coffee.
    "with_a_foreign_coupon": replace(
        _PAID, order_ref="4509", number="#4509", goods=usd("31.99"), codes_used=(FOREIGN_CODE,)
    ),
    # The shop shows prices with tax: one thing at 110.00, of which 10.00 is tax.
    "tax_included": replace(_PAID, order_ref="4510", number="#4510", goods=usd("100.00")),
    # Two mugs at 1500 yen, no tax, no shipping.
    "yen": replace(_PAID, order_ref="4511", number="#4511", goods=Money(3000, "JPY")),
    # One thing at 12.755 dinars, no tax, no shipping.
    "dinar": replace(_PAID, order_ref="4512", number="#4512", goods=Money(12755, "KWD")),
}


def plain(order: OrderSnapshot) -> OrderSnapshot:
    """The order without what finer rules look at."""
    refunds = tuple(replace(refund, lines=(), shipping_minor=0) for refund in order.refunds)
    words = replace(order, channel=None, tags=(), code_uses=())
    return replace(words, refunds=refunds, lines=(), shipping_minor=0, shipping_tax_minor=0, tips_minor=0)


@dataclass(frozen=True, kw_only=True)
class Finer:
    """What finer rules look at, without the platform's ids. A line of a refund is named by its place in the order."""

    lines: tuple[tuple[int, int, int, int], ...]  # quantity, goods, discount, tax
    shipping: tuple[int, int] = (750, 75)  # and its tax
    lines_back: tuple[tuple[tuple[int, int, int], ...], ...] = ()  # for each refund: place, goods, tax
    shipping_back: tuple[int, ...] = ()


def finer(order: OrderSnapshot) -> Finer:
    places = {line.line_ref: place for place, line in enumerate(order.lines)}
    return Finer(
        lines=tuple(
            (line.quantity, line.goods_minor, line.discount_minor, line.tax_minor) for line in order.lines
        ),
        shipping=(order.shipping_minor, order.shipping_tax_minor),
        lines_back=tuple(
            tuple((places[line.line_ref], line.goods_minor, line.tax_minor) for line in refund.lines)
            for refund in order.refunds
        ),
        shipping_back=tuple(refund.shipping_minor for refund in order.refunds),
    )


_MUGS, _COFFEE = (2, 2000, 0, 200), (1, 1999, 0, 200)
FINER: dict[str, Finer] = {
    "paid": Finer(lines=(_MUGS, _COFFEE)),
    "unpaid": Finer(lines=(_MUGS, _COFFEE)),
    "part_refunded": Finer(lines=(_MUGS, _COFFEE), lines_back=((), ((0, 1000, 100),)), shipping_back=(0, 0)),
    "all_refunded": Finer(
        lines=(_MUGS, _COFFEE), lines_back=(((0, 2000, 200), (1, 1999, 200)),), shipping_back=(750,)
    ),
    "edited": Finer(lines=((3, 3000, 0, 300), _COFFEE)),
    "tax_included": Finer(lines=((1, 10000, 0, 1000),), shipping=(0, 0)),
    "yen": Finer(lines=((2, 3000, 0, 0),), shipping=(0, 0)),
    "dinar": Finer(lines=((1, 12755, 0, 0),), shipping=(0, 0)),
}
