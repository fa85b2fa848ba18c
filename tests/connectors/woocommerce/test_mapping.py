"""What is peculiar to WooCommerce's orders: money decides, and what cannot be exact is held."""

from typing import Any

import pytest

from app.domain.changes import Change, CodeGone, Ignored, OrderChanged
from app.domain.errors import Refused
from app.domain.orders import OrderState
from connectors.base import Delivery
from connectors.decoding import decode
from connectors.woocommerce.mapping import normalise, snapshot
from connectors.woocommerce.payloads import Order, RefundDetail
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
    ],
)
def test_what_is_not_exact_is_held(edits: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as caught:
        _order(PAID, edits)
    assert caught.value.code == code
    assert "alice" not in str(caught.value)


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
