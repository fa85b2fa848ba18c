"""What is peculiar to WooCommerce's orders: money decides, and what cannot be exact is held."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from app.domain.changes import Change, CodeGone, Ignored, OrderChanged
from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.orders import CodeUse, OrderLine, OrderState, RefundedLine
from connectors.base import Delivery
from connectors.decoding import decode
from connectors.woocommerce.mapping import normalise, snapshot
from connectors.woocommerce.payloads import FeeLine, LineItem, MetaItem, Order, RefundDetail
from tests.connectors.stories import usd
from tests.connectors.woocommerce import recorded

PENDING = "02-A-created-pending-1-order.created.json"
PAID = "04-A-processing-1-order.updated.json"
WITH_FEE = "27-G-order-EUR-tax-shipping-fee-1-order.created.json"
REFUNDED = "09-A-partial-refund-line-1-order.updated.json"
COUPON = "24-coupon-updated-1-coupon.updated.json"


@pytest.mark.parametrize(
    ("status", "paid", "state"),
    [
        ("pending", False, OrderState.OPEN),
        ("pending", True, OrderState.OPEN),
        ("on-hold", True, OrderState.OPEN),
        ("failed", True, OrderState.OPEN),
        ("processing", False, OrderState.OPEN),  # cash on delivery
        ("processing", True, OrderState.PAID),
        ("completed", True, OrderState.PAID),
        ("completed", False, OrderState.OPEN),
        ("refunded", True, OrderState.PAID),
        ("refunded", False, OrderState.OPEN),
        ("shipped-by-a-plugin", True, OrderState.PAID),
        ("shipped-by-a-plugin", False, OrderState.OPEN),
        ("partial-payment", True, OrderState.OPEN),
        ("cancelled", True, OrderState.CANCELLED),
        ("cancelled", False, OrderState.CANCELLED),
        ("trash", True, OrderState.GONE),
    ],
)
def test_money_decides_the_state(status: str, paid: bool, state: OrderState) -> None:
    order = _order(PAID if paid else PENDING, {"status": status})
    assert order.state is state
    assert (order.paid_at is not None) == (paid and state is not OrderState.OPEN)


@pytest.mark.parametrize("status", ["checkout-draft", "auto-draft"])
def test_a_draft_is_no_order_yet(status: str) -> None:
    change = _change("order.created", PENDING, {"status": status})
    assert isinstance(change, Ignored)
    assert status in change.reason


def test_a_positive_fee_is_not_goods_and_a_negative_one_lowers_them() -> None:
    wrapping = _order(WITH_FEE, {"fee_lines.0.total": "3.00"})
    discount = _order(WITH_FEE, {"fee_lines.0.total": "-3.00"})
    whole = _order(WITH_FEE, {"fee_lines.0.total": "-65.01"})
    assert [str(order.goods) for order in (wrapping, discount, whole)] == ["65.00", "62.00", "0.00"]


@pytest.mark.parametrize(
    "key", ["_wc_gc_giftcard_to_multiple", "wc_gc_giftcard_amount", "pw_gift_card_to", "_ywgc_amount"]
)
def test_a_gift_card_is_money_and_not_goods(key: str) -> None:
    meta = [{"id": 1, "key": key, "value": {"any": ["thing", 1.5]}}]
    assert _order(PAID, {"line_items.0.meta_data": meta}).goods == usd("19.99")
    assert _order(PAID, {"line_items.0.meta_data": {"3": meta[0]}}).goods == usd("19.99")
    assert _order(PAID, {"line_items.0.meta_data": [{"id": 1, "key": 7, "value": None}]}).goods == usd(
        "39.99"
    )


@pytest.mark.parametrize(
    ("edits", "code"),
    [
        ({"line_items.0.total": "20.005"}, "inexact_amount"),
        ({"line_items.0.total": "20,00"}, "not_an_amount"),
        ({"line_items.0.total": "1e3"}, "not_an_amount"),
        ({"line_items.0.total": "٢٠"}, "not_an_amount"),
        ({"line_items.0.total": 20}, "not_understood"),
        ({"line_items.0.total": None}, "not_understood"),
        ({"currency": "XXX"}, "unknown_currency"),
        ({"currency": "usd"}, "unknown_currency"),
        ({"currency": "JPY", "line_items.0.total": "20.50"}, "inexact_amount"),
        ({"line_items.0.quantity": -1}, "negative_quantity"),
        ({"line_items.0.quantity": "two"}, "not_understood"),
        ({"id": True}, "not_understood"),
        ({"id": "23"}, "not_understood"),
        ({"id": 0}, "not_understood"),
        ({"customer_id": True}, "not_understood"),
        ({"customer_id": -2}, "not_understood"),
        ({"date_created_gmt": None}, "not_understood"),
        ({"date_created_gmt": "yesterday"}, "not_a_time"),
        ({"line_items": None}, "not_understood"),
        ({"line_items.0.subtotal": "20.005"}, "inexact_amount"),
        ({"line_items.0.total_tax": "none"}, "not_an_amount"),
        ({"line_items.0.quantity": "NaN"}, "not_understood"),
        ({"shipping_total": "7.505"}, "inexact_amount"),
        ({"shipping_tax": "free"}, "not_an_amount"),
    ],
)
def test_what_is_not_exact_is_held(edits: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as caught:
        _order(PAID, edits)
    assert caught.value.code == code
    assert "alice" not in str(caught.value)


@pytest.mark.parametrize(
    ("edits", "path"),
    [
        ({"line_items.1.total": "20.005"}, "line_items[1].total:"),
        ({"line_items.1.subtotal": "20.005"}, "line_items[1].subtotal:"),
        ({"line_items.1.total_tax": "2.005"}, "line_items[1].total_tax:"),
        ({"line_items.1.quantity": -1}, "line_items[1].quantity"),
        ({"shipping_total": "7.505"}, "shipping_total:"),
        ({"shipping_tax": "7.505"}, "shipping_tax:"),
    ],
)
def test_what_is_held_names_its_field(edits: dict[str, Any], path: str) -> None:
    with pytest.raises(Refused) as caught:
        _order(PAID, edits)
    assert path in caught.value.detail


def test_refunds_above_what_was_paid_are_held() -> None:
    with pytest.raises(Refused) as caught:
        _order(REFUNDED, {"refunds.0.total": "-47.25"})
    assert caught.value.code == "refunds_above_total"
    assert len(_order(REFUNDED, {"refunds.0.total": "-47.24"}).refunds) == 2


def test_a_trashed_order_keeps_its_facts() -> None:
    order = _order(REFUNDED, {"status": "trash"})
    assert (order.state, order.goods, len(order.refunds)) == (OrderState.GONE, usd("39.99"), 2)


@pytest.mark.parametrize(
    ("answer", "goods"),
    [
        ("refunds-goodwill-and-a-mug", ["5.00", "10.00"]),  # nothing but money, then a line and its tax
        ("refunds-everything", ["39.99"]),  # shipping and tax are no goods
        # A mug 10.00 + 1.00 tax, 3.00 of shipping, 1.00 of a discount taken back, and 7.00 beyond all lines.
        ("refunds-with-shipping-and-fee", ["16.00"]),
    ],
)
def test_a_refund_as_read_counts_its_lines_and_what_goes_beyond_them(answer: str, goods: list[str]) -> None:
    details = decode(recorded.answer(answer), list[RefundDetail])
    order = snapshot(decode(recorded.body_of(PAID), Order), details)
    assert [refund.goods for refund in order.refunds] == [usd(amount) for amount in goods]
    assert all(refund.exact and refund.refunded_at for refund in order.refunds)


def test_a_refund_of_shipping_alone_takes_no_goods() -> None:
    edits = {"0.amount": "3.00", "0.line_items": [], "0.fee_lines": []}
    details = decode(recorded.answer("refunds-with-shipping-and-fee", edits), list[RefundDetail])
    order = snapshot(decode(recorded.body_of(PAID), Order), details)
    assert order.goods_refunded == usd("0.00")


def test_an_order_tells_its_lines_shipping_and_channel() -> None:
    order = _order(PAID, {"line_items.1.variation_id": 77, "line_items.1.subtotal": "24.99"})
    assert order.lines == (
        OrderLine(line_ref="3", product_ref="13", quantity=2, goods_minor=2000, tax_minor=200),
        OrderLine(
            line_ref="4",
            product_ref="12",
            variant_ref="77",
            quantity=1,
            goods_minor=1999,
            discount_minor=500,
            tax_minor=200,
        ),
    )
    assert (order.shipping_minor, order.shipping_tax_minor) == (750, 75)
    assert (order.channel, order.tags, order.tips_minor) == ("rest-api", (), 0)


def test_a_coupons_share_is_told_on_its_line() -> None:
    (line,) = _order("25-F-order-with-coupon-1-order.created.json", {}).lines
    assert (line.quantity, line.goods_minor, line.discount_minor) == (2, 3398, 600)


@pytest.mark.parametrize(
    ("with_tax", "edits", "taken"),
    [
        (False, {}, 600),  # as recorded: 6 off, and 0.6 of tax by itself
        (True, {}, 660),
        (True, {"discount": "5.00", "discount_tax": "1.00"}, 600),
        (True, {"discount": "2.916667", "discount_tax": "0.583333"}, 350),  # not rounded by the shop
        (True, {"discount": 2.92, "discount_tax": 0.58}, 350),
        (False, {"discount": "-6.00"}, 600),
        (False, {"discount": "a lot"}, None),
        (False, {"discount": None}, None),
        (False, {"discount": "NaN"}, None),
        (False, {"discount": "Infinity"}, None),
        (False, {"discount": "1e400"}, None),
        (True, {"discount_tax": []}, None),
    ],
)
def test_what_a_coupon_took_is_of_listed_prices(
    with_tax: bool, edits: dict[str, Any], taken: int | None
) -> None:
    of_line = {f"coupon_lines.0.{name}": value for name, value in edits.items()}
    order = _order("25-F-order-with-coupon-1-order.created.json", {"prices_include_tax": with_tax, **of_line})
    assert [one.taken_minor for one in order.code_uses] == ([] if taken is None else [taken])


@pytest.mark.parametrize("status", ["cancelled", "failed", "trash"])
def test_an_order_whose_uses_the_shop_gave_back_took_nothing(status: str) -> None:
    order = _order("25-F-order-with-coupon-1-order.created.json", {"status": status})
    assert order.codes_used == ("loyal-abc-1",)
    assert order.code_uses == (CodeUse(code="loyal-abc-1", taken_minor=0),)


def test_a_gift_card_is_a_line_and_no_goods_even_when_it_goes_back() -> None:
    """What made it a gift card stands on the order's line; the refund's line only says which line that is."""
    card = [{"id": 1, "key": "_wc_gc_giftcard_amount", "value": "20"}]
    order = decode(recorded.body_of(PAID, {"line_items.0.meta_data": card}), Order)
    edits = {"0.line_items.0.meta_data.0.value": "3", "0.line_items.1.meta_data.0.value": "4"}
    details = decode(recorded.answer("refunds-everything", edits), list[RefundDetail])
    told = snapshot(order, details)
    assert [(line.line_ref, line.gift_card) for line in told.lines] == [("3", True), ("4", False)]
    (refund,) = told.refunds
    assert refund.goods == usd("19.99")
    assert refund.lines == (RefundedLine(line_ref="4", goods_minor=1999, tax_minor=200),)


@pytest.mark.parametrize("named", ["161", 161, "161 ", None, [161]])
def test_a_refund_tells_its_lines_and_its_shipping(named: object) -> None:
    """10.00 for the mug, less 1.00 of a discount taken back, and 7.00 beyond all lines: 16.00."""
    edits = {"0.line_items.0.meta_data.0.value": named}
    details = decode(recorded.answer("refunds-with-shipping-and-fee", edits), list[RefundDetail])
    order = decode(recorded.body_of(PAID, {"line_items.0.id": 161}), Order)
    (refund,) = snapshot(order, details).refunds
    lines = (RefundedLine(line_ref="161", goods_minor=1000, tax_minor=100),)
    assert refund.lines == (lines if named in ("161", 161) else ())
    assert (refund.goods, refund.shipping_minor) == (usd("16.00"), 300)


def test_a_refunds_lines_are_never_more_than_it_counts() -> None:
    edits = {"0.line_items.0.meta_data.0.value": "3", "0.amount": "13.00"}  # nothing beyond its lines
    details = decode(recorded.answer("refunds-with-shipping-and-fee", edits), list[RefundDetail])
    (refund,) = snapshot(decode(recorded.body_of(PAID), Order), details).refunds
    assert refund.goods == usd("9.00")
    assert refund.lines == (RefundedLine(line_ref="3", goods_minor=900, tax_minor=100),)


@pytest.mark.parametrize(
    ("edits", "what"),
    [
        ({"created_via": None}, {"channel": None}),
        ({"created_via": ["checkout"]}, {"channel": None}),
        ({"created_via": ""}, {"channel": None}),
        ({"created_via": "x" * 999}, {"channel": "x" * 255}),
        ({"shipping_total": None, "shipping_tax": ""}, {"shipping_minor": 0, "shipping_tax_minor": 0}),
        ({"line_items.0.product_id": 0}, {"product_ref": None}),
        ({"line_items.0.product_id": "13"}, {"product_ref": "13"}),
        ({"line_items.0.product_id": -1}, {"product_ref": None}),
        ({"line_items.0.product_id": True}, {"product_ref": None}),
        ({"line_items.0.variation_id": {}}, {"variant_ref": None}),
        ({"line_items.0.id": None}, {"line_ref": "line_items[0]"}),
        ({"line_items.0.subtotal": None}, {"discount_minor": 0}),
        ({"line_items.0.subtotal": "15.00"}, {"discount_minor": 0}),  # staff raised the price
        ({"line_items.0.quantity": 1.2}, {"quantity": 2}),
        ({"line_items.0.quantity": 10**30}, {"quantity": 10**9}),
    ],
)
def test_an_odd_word_spoils_no_order(edits: dict[str, Any], what: dict[str, Any]) -> None:
    order = _order(PAID, edits)
    assert order.goods == usd("39.99")
    line = order.lines[0]
    told = {name: getattr(order if hasattr(order, name) else line, name) for name in what}
    assert told == what


_CENTS = st.integers(0, 30_000)
_FEES = st.lists(st.integers(-5_000, 5_000), max_size=3)


def _amount(cents: int) -> str:
    return str(Money(cents, "USD"))


@st.composite
def _orders(draw: st.DrawFn) -> tuple[Order, list[RefundDetail]]:
    lines = [
        LineItem(
            id=number,
            total=_amount(draw(_CENTS)),
            subtotal=_amount(draw(_CENTS)),
            total_tax=_amount(draw(_CENTS)),
            quantity=draw(st.decimals(0, 9, places=1)),
            meta_data=[MetaItem("_ywgc_amount")] if draw(st.booleans()) else [],
        )
        for number in range(1, draw(st.integers(0, 4)) + 1)
    ]
    details = [
        RefundDetail(
            id=9001 + index,
            amount=_amount(draw(_CENTS)),
            line_items=[
                LineItem(
                    total=_amount(-draw(_CENTS)),
                    total_tax=_amount(-draw(_CENTS)),
                    quantity=Decimal(-1),
                    meta_data=[MetaItem("_refunded_item_id", str(each))],
                )
                for each in draw(st.lists(st.integers(1, 5), max_size=4))
            ],
            shipping_lines=[FeeLine(_amount(-each)) for each in draw(st.lists(_CENTS, max_size=2))],
            fee_lines=[FeeLine(_amount(each)) for each in draw(_FEES)],
        )
        for index in range(draw(st.integers(0, 3)))
    ]
    order = decode(recorded.body_of(PAID, {"total": "9999999.00"}), Order)
    fees = [FeeLine(_amount(each)) for each in draw(_FEES)]
    return structs.replace(order, line_items=lines, fee_lines=fees), details


@given(told=_orders())
def test_lines_and_negative_fees_come_to_goods_and_refunds_cover_their_lines(
    told: tuple[Order, list[RefundDetail]],
) -> None:
    order, details = told
    read = snapshot(order, details)
    fees = sum(min(0, Money.parse(fee.total, "USD").minor) for fee in order.fee_lines)
    total = sum(line.goods_minor for line in read.lines if not line.gift_card) + fees
    assert read.goods.minor == max(total, 0)
    goods = {line.line_ref for line in read.lines if not line.gift_card}
    for refund in read.refunds:
        assert {line.line_ref for line in refund.lines} <= goods
        assert all(line.goods_minor >= 0 for line in refund.lines)
        assert sum(line.goods_minor for line in refund.lines) <= refund.goods.minor
        assert refund.shipping_minor >= 0


def test_a_number_that_a_plugin_made_is_what_people_call_the_order() -> None:
    assert _order(PAID, {"number": "2026/0815"}).number == "#2026/0815"
    assert _order(PAID, {"number": ""}).number == "#23"


def test_fractions_of_a_piece_are_sold_too() -> None:
    assert _order(PAID, {"line_items.0.quantity": 1.5}).goods == usd("39.99")


def test_a_coupon_that_was_switched_off_is_gone() -> None:
    assert _change("coupon.updated", COUPON, {"status": "draft"}) == CodeGone("33")
    assert isinstance(_change("coupon.updated", COUPON, {}), Ignored)


def test_a_broken_coupon_is_not_taken_for_an_error_object() -> None:
    with pytest.raises(Refused) as caught:
        _change("coupon.updated", COUPON, {"id": "33"})
    assert caught.value.code == "not_understood"
    assert "$.id" in caught.value.detail


def _order(name: str, edits: dict[str, Any]) -> Any:
    change = _change("order.updated", name, edits)
    assert isinstance(change, OrderChanged)
    return change.order


def _change(topic: str, name: str, edits: dict[str, Any]) -> Change:
    body = recorded.body_of(name, edits)
    return normalise(Delivery(topic=topic, delivery_ref="", shop_ref=None, body=body))
