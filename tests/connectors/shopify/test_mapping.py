"""What is peculiar to Shopify's words: edits, refunds of every kind, gift cards, tips, currencies, what is held."""

import ast
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.changes import CodeGone, CustomersMerged, Ignored, OrderChanged
from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.orders import OrderSnapshot, OrderState
from connectors.base import Delivery, ShopAccess
from connectors.shopify import mapping, payloads
from connectors.shopify.client import ShopifyShop
from tests.connectors.shopify.admin import SHOP
from tests.connectors.shopify.make_fixtures import (
    COFFEE,
    MUGS,
    Edit,
    at,
    beyond,
    edited,
    line,
    money_set,
    order,
    recording,
    refund,
    refunded_line,
    refunded_shipping,
    share,
    tax,
)
from tests.connectors.shopify.platform import Shop

ORDER = 4501


def told(body: Any) -> OrderSnapshot:
    """The order as its webhook tells it, which must be as the API tells it."""
    delivery = Delivery(
        topic="orders/updated", delivery_ref="", shop_ref=SHOP, body=json.dumps(body).encode()
    )
    change = mapping.normalise(delivery)
    assert isinstance(change, OrderChanged)
    access = ShopAccess(shop_key="acme", shop_ref=SHOP, credentials={"access_token": "shpat_1"})
    read = ShopifyShop(access, Shop(body)).read_orders([str(body["id"])])
    assert read == {change.order.order_ref: change.order}
    return change.order


def normalised(topic: str, body: Any) -> object:
    return mapping.normalise(
        Delivery(topic=topic, delivery_ref="", shop_ref=SHOP, body=json.dumps(body).encode())
    )


def usd(amount: str) -> Money:
    return Money.parse(amount, "USD")


def with_refunds(*refunds: Any, edits: tuple[Edit, ...] = ()) -> Any:
    return order(ORDER, ("financial_status", "partially_refunded"), ("refunds", list(refunds)), *edits)


# --- Edits and refunds -------------------------------------------------------------------------------------


def test_a_line_removed_by_an_edit_lessens_goods_and_is_no_refund() -> None:
    removed = order(ORDER, ("line_items.1.current_quantity", 0))
    assert (told(removed).goods, told(removed).refunds) == (usd("20.00"), ())


def test_a_removal_told_as_a_refund_without_money_is_not_counted_twice() -> None:
    edit = refund(
        9030,
        ORDER,
        "18:20:00",
        "0",
        ("refund_line_items", [refunded_line(COFFEE, 1, "19.99", "2.00")]),
        ("transactions", []),
    )
    body = order(ORDER, ("refunds", [edit]), ("line_items.1.current_quantity", 0))
    assert (told(body).goods, told(body).refunds) == (usd("20.00"), ())
    late = order(ORDER, ("refunds", [edit]))  # a body whose quantity does not show it yet
    assert told(late).goods == usd("20.00")


def test_an_edit_and_a_refund_of_the_same_line_are_kept_apart() -> None:
    given = refund(
        9030, ORDER, "18:20:00", "11.00", ("refund_line_items", [refunded_line(MUGS, 1, "10.00", "1.00")])
    )
    body = with_refunds(given, edits=(("line_items.0.quantity", 3), ("line_items.0.current_quantity", 1)))
    snapshot = told(body)
    assert snapshot.goods == usd("39.99")  # three sold, one removed
    assert snapshot.goods_refunded == usd("10.00")


def test_shipping_given_back_does_not_count_against_goods() -> None:
    given = refund(
        9030, ORDER, "18:20:00", "8.25", ("refund_shipping_lines", [refunded_shipping("7.50", "0.75")])
    )
    assert [each.goods for each in told(with_refunds(given)).refunds] == [usd("0.00")]


def test_what_is_given_beyond_lines_and_shipping_counts_against_goods() -> None:
    given = refund(
        9030,
        ORDER,
        "18:20:00",
        "14.00",
        ("refund_line_items", [refunded_line(MUGS, 1, "10.00", "1.00")]),
        ("order_adjustments", [beyond("3.00", ORDER, 9030)]),
    )
    body = with_refunds(given, edits=(("line_items.0.current_quantity", 1),))
    assert told(body).goods_refunded == usd("13.00")


def test_less_given_than_the_lines_come_to_still_takes_the_lines() -> None:
    given = refund(
        9030, ORDER, "18:20:00", "6.00", ("refund_line_items", [refunded_line(MUGS, 1, "10.00", "1.00")])
    )
    body = with_refunds(given, edits=(("line_items.0.current_quantity", 1),))
    assert told(body).goods_refunded == usd("10.00")


def test_a_refund_that_failed_moved_no_money() -> None:
    given = refund(9030, ORDER, "18:20:00", "5.00", ("order_adjustments", [beyond("5.00", ORDER, 9030)]))
    given["transactions"][0]["status"] = "failure"
    assert told(with_refunds(given)).goods_refunded == usd("0.00")


def test_refunds_above_what_was_paid_take_all_goods_and_no_more() -> None:
    """Shopify allows it (RefundInput.allowOverRefunding), so it is no mistake to be held."""
    first = refund(9030, ORDER, "18:20:00", "30.00", ("order_adjustments", [beyond("30.00", ORDER, 9030)]))
    second = refund(9031, ORDER, "18:21:00", "40.00", ("order_adjustments", [beyond("40.00", ORDER, 9031)]))
    snapshot = told(with_refunds(second, first))
    assert [(each.refund_ref, each.goods) for each in snapshot.refunds] == [
        ("9030", usd("30.00")),
        ("9031", usd("9.99")),
    ]


def test_a_shopper_who_pays_in_another_currency_is_counted_in_the_shops() -> None:
    """There a transaction's bare amount is in the shopper's currency: 4.60 EUR are 5.00 USD."""
    given = refund(
        9030, ORDER, "18:20:00", "4.60", ("order_adjustments", [beyond("5.00", ORDER, 9030)]), currency="EUR"
    )
    given["transactions"][0]["amount"] = "4.60"
    body = with_refunds(given, edits=(("presentment_currency", "EUR"),))
    body["line_items"][0]["price_set"] = money_set("10.00", "USD", "9.20", "EUR")
    snapshot = told(body)
    assert (snapshot.goods, snapshot.goods_refunded) == (usd("39.99"), usd("5.00"))


def test_with_tax_included_lines_and_their_refunds_are_net() -> None:
    given = refund(
        9030, ORDER, "18:20:00", "55.00", ("refund_line_items", [refunded_line(MUGS, 1, "55.00", "5.00")])
    )
    body = with_refunds(
        given,
        edits=(("taxes_included", True), *line("line_items.0", MUGS, "55.00", 2, [tax("10.00")])),
    )
    body["line_items"][0]["current_quantity"] = 1
    del body["line_items"][1]
    snapshot = told(body)
    assert (snapshot.goods, snapshot.goods_refunded) == (usd("100.00"), usd("50.00"))


def test_discounts_on_the_line_and_on_the_order_both_count() -> None:
    body = order(ORDER, ("line_items.0.discount_allocations", [share("1.00", 0), share("2.50", 1)]))
    assert told(body).goods == usd("36.49")


# --- What is no goods --------------------------------------------------------------------------------------


def test_a_gift_card_counts_neither_when_sold_nor_when_refunded() -> None:
    given = refund(
        9030, ORDER, "18:20:00", "21.99", ("refund_line_items", [refunded_line(COFFEE, 1, "19.99", "2.00")])
    )
    body = with_refunds(given, edits=(("line_items.1.gift_card", True), ("line_items.1.current_quantity", 0)))
    snapshot = told(body)
    assert (snapshot.goods, snapshot.goods_refunded) == (usd("20.00"), usd("0.00"))


@pytest.mark.parametrize("marked", [True, False], ids=["marked by the webhook", "known by its price"])
def test_a_tip_is_no_goods(marked: bool) -> None:
    edits: list[Edit] = [
        ("total_tip_received", "19.99"),
        ("line_items.1.taxable", False),
        ("line_items.1.requires_shipping", False),
    ]
    if marked:
        edits.append(("line_items.1.tip", {"id": 5, "payment_gateway": "visa"}))
    assert told(order(ORDER, *edits)).goods == usd("20.00")


def test_a_tip_at_the_till_that_is_no_line_takes_nothing_from_goods() -> None:
    assert told(order(ORDER, ("total_tip_received", "3.00"))).goods == usd("39.99")


# --- Times, states, ids ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "state"),
    [
        *(("pending", "open"), ("authorized", "open"), ("partially_paid", "open"), ("expired", "open")),
        *(("paid", "paid"), ("partially_refunded", "paid"), ("refunded", "paid"), ("voided", "cancelled")),
    ],
)
def test_the_state_is_what_the_platform_says_of_money(word: str, state: str) -> None:
    snapshot = told(order(ORDER, ("financial_status", word)))
    assert snapshot.state == state
    assert (snapshot.paid_at is None) == (state != "paid")


def test_a_cancelled_order_is_cancelled_whatever_was_paid() -> None:
    snapshot = told(order(ORDER, ("cancelled_at", at("19:00:00"))))
    assert snapshot.state is OrderState.CANCELLED
    assert snapshot.cancelled_at == datetime(2026, 11, 21, 19, 0, tzinfo=UTC)


def test_an_imported_order_was_placed_when_it_was_first_sold() -> None:
    snapshot = told(order(ORDER, ("processed_at", "2019-05-04T12:00:00+02:00")))
    assert snapshot.placed_at == snapshot.paid_at == datetime(2019, 5, 4, 10, 0, tzinfo=UTC)


def test_a_later_touch_moves_neither_placed_at_nor_paid_at() -> None:
    earlier, later = told(order(ORDER)), told(order(ORDER, ("updated_at", at("23:00:00"))))
    assert (earlier.placed_at, earlier.paid_at) == (later.placed_at, later.paid_at)


def test_only_parcels_that_went_date_the_fulfilment() -> None:
    parcels = [
        {"created_at": at("18:30:00"), "status": "success"},
        {"created_at": at("18:40:00"), "status": "cancelled"},
    ]
    body = order(ORDER, ("fulfillment_status", "fulfilled"), ("fulfillments", parcels))
    assert told(body).fulfilled_at == datetime(2026, 11, 21, 18, 30, tzinfo=UTC)
    assert told(edited(body, [("fulfillment_status", "partial")])).fulfilled_at is None


def test_ids_above_2_to_the_53_are_exact() -> None:
    change = normalised("orders/updated", recording("orders/updated"))
    assert isinstance(change, OrderChanged)
    assert change.order.order_ref == "820982911946154508"
    assert change.order.customer_ref == "115310627314723954"


THREE_MUGS_BACK = refund(
    9030, ORDER, "18:20:00", "33.00", ("refund_line_items", [refunded_line(MUGS, 3, "30.00", "3.00")])
)

# --- Held --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edits", "code", "path"),
    [
        ([("line_items.0.price_set", money_set("10.005"))], "inexact_amount", "line_items[0].price_set.shop_money"),
        ([("line_items.0.price_set", money_set("ten"))], "not_an_amount", "line_items[0].price_set.shop_money"),
        ([("line_items.0.price_set", money_set("9.00", "EUR"))], "mixed_currency", "line_items[0].price_set"),
        ([("currency", "XTS")], "unknown_currency", "currency"),
        ([("line_items.0.quantity", -1)], "not_understood", "line_items[0].quantity"),
        ([("line_items.0.quantity", True)], "not_understood", "line_items[0].quantity"),
        ([("line_items.0.quantity", 1.0)], "not_understood", "line_items[0].quantity"),
        ([("id", True)], "not_understood", "$.id"),
        ([("id", "4501")], "not_understood", "$.id"),
        ([("updated_at", "2026-11-21T18:18:40")], "not_understood", "$.updated_at"),
        ([("financial_status", "gone_fishing")], "unknown_state", "financial_status"),
        ([("refunds", [THREE_MUGS_BACK])], "impossible", "line_items[0]"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_held_and_names_its_field(edits: list[Edit], code: str, path: str) -> None:
    with pytest.raises(Refused) as held:
        normalised("orders/updated", order(ORDER, *edits))
    assert held.value.code == code
    assert path in held.value.detail


# --- Other topics ------------------------------------------------------------------------------------------


def test_only_a_completed_merge_counts() -> None:
    merge = recording("customers/merge")
    assert isinstance(normalised("customers/merge", merge), Ignored)
    completed = {**merge, "status": "completed"}
    assert normalised("customers/merge", completed) == CustomersMerged(kept_ref="1", deleted_ref="2")


def test_a_deleted_code_is_gone_and_a_deleted_automatic_discount_is_nothing() -> None:
    gone = {**recording("discounts/delete"), "admin_graphql_api_id": "gid://shopify/DiscountCodeNode/42"}
    assert normalised("discounts/delete", gone) == CodeGone("42")
    assert isinstance(normalised("discounts/delete", recording("discounts/delete")), Ignored)


def test_an_address_that_is_not_verified_is_not_vouched_for() -> None:
    customer = {**recording("customers/update"), "verified_email": False}
    assert normalised("customers/update", customer).customer.email_verified is False  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", [mapping, payloads])
def test_no_float_is_named_or_written(module: Any) -> None:
    for node in ast.walk(ast.parse(Path(module.__file__).read_text("utf-8"))):
        assert not (isinstance(node, ast.Name) and node.id == "float"), node.lineno
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), node.lineno
        assert not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)), node.lineno
