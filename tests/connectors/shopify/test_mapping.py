"""What is peculiar to Shopify's words: edits, refunds of every kind, gift cards, tips, currencies, what is held."""

import ast
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.changes import CodeGone, CustomersMerged, Ignored, OrderChanged
from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.orders import OrderLine, OrderSnapshot, OrderState, RefundedLine
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


# --- Lines, shipping, words --------------------------------------------------------------------------------


def test_a_recorded_order_tells_its_lines() -> None:
    change = normalised("orders/updated", recording("orders/updated"))
    assert isinstance(change, OrderChanged)
    first, *others = change.order.lines
    assert first == OrderLine(
        line_ref="315789986012684393", product_ref="788032119674292900", quantity=1, goods_minor=11999
    )
    assert [(line.goods_minor, line.product_ref) for line in others] == [
        (8999, "788032119674292900"),
        (1999, None),
        (2499, None),
        (15999, "788032119674292900"),
    ]
    assert (change.order.channel, change.order.tags) == ("web", ("tag1", "tag2"))
    assert change.order.shipping_minor == 0  # 10.00, discounted away; its share stands in no allocation


def test_a_line_tells_its_discount_and_tax_and_what_it_is_of() -> None:
    """50.00 off 110.00, both with 10 % tax in them: 60.00 are left, of which 5.45 is tax."""
    edits: list[Edit] = [
        ("taxes_included", True),
        *line("line_items.0", MUGS, "55.00", 2, [tax("5.45")]),
        ("line_items.0.discount_allocations", [share("30.00"), share("20.00", 1)]),
        ("line_items.0.product_id", 5001),
        ("line_items.0.variant_id", 6001),
        ("line_items.0.vendor", "Fern & Field"),
        ("line_items.1.product_id", None),  # typed in by hand
        ("line_items.1.product_exists", False),
    ]
    mugs, coffee = told(order(ORDER, *edits)).lines
    assert mugs == OrderLine(
        line_ref="11",
        product_ref="5001",
        variant_ref="6001",
        vendor="Fern & Field",
        quantity=2,
        goods_minor=5455,
        discount_minor=4545,
        tax_minor=545,
    )
    assert (coffee.product_ref, coffee.variant_ref, coffee.goods_minor) == (None, None, 1799)


def test_a_line_that_was_discounted_away_keeps_its_discount_as_told() -> None:
    edits: list[Edit] = [
        ("taxes_included", True),
        *line("line_items.0", MUGS, "55.00", 2, []),
        ("line_items.0.discount_allocations", [share("110.00")]),
    ]
    mugs = told(order(ORDER, *edits)).lines[0]
    assert (mugs.goods_minor, mugs.discount_minor, mugs.tax_minor) == (0, 11000, 0)


def test_of_a_line_only_what_no_edit_removed_is_told() -> None:
    edits: list[Edit] = [
        *line("line_items.0", MUGS, "10.00", 3, [tax("2.80")]),
        ("line_items.0.discount_allocations", [share("2.00")]),
        ("line_items.0.current_quantity", 2),
        ("line_items.1.current_quantity", 0),
    ]
    snapshot = told(order(ORDER, *edits))
    (mugs,) = snapshot.lines
    assert (mugs.quantity, mugs.goods_minor, mugs.discount_minor, mugs.tax_minor) == (2, 1866, 133, 186)
    assert snapshot.goods.minor == 1866


def test_a_product_that_is_gone_has_no_name_any_more() -> None:
    """A webhook may still show its number, the API does not: `product_exists` makes them agree."""
    body = order(ORDER, ("line_items.0.product_id", 5001), ("line_items.0.product_exists", False))
    assert told(body).lines[0].product_ref is None


def test_a_gift_card_is_a_line_and_no_goods_and_a_tip_is_neither() -> None:
    edits: list[Edit] = [
        ("line_items.0.gift_card", True),
        ("total_tip_received", "19.99"),
        ("line_items.1.taxable", False),
        ("line_items.1.requires_shipping", False),
    ]
    snapshot = told(order(ORDER, *edits))
    assert [(line.line_ref, line.gift_card, line.goods_minor) for line in snapshot.lines] == [
        ("11", True, 2000)
    ]
    assert (snapshot.goods, snapshot.tips_minor) == (usd("0.00"), 1999)


def test_a_selling_plan_makes_a_subscription_wherever_it_is_told() -> None:
    body = order(ORDER)
    body["line_items"][1]["selling_plan_id"] = 688
    assert [line.subscription for line in told(body).lines] == [False, True]


def test_lines_come_by_their_ids() -> None:
    body = order(ORDER)
    body["line_items"].reverse()
    assert told(body) == told(order(ORDER))


def test_shipping_is_after_discounts_and_without_tax() -> None:
    edits: list[Edit] = [
        ("taxes_included", True),
        ("shipping_lines.0.price_set", money_set("11.00")),
        ("shipping_lines.0.discounted_price_set", money_set("8.25")),
        ("shipping_lines.0.tax_lines", [tax("0.50"), tax("0.25")]),
    ]
    body = order(ORDER, *edits)
    assert (told(body).shipping_minor, told(body).shipping_tax_minor) == (750, 75)
    body["shipping_lines"].append({**body["shipping_lines"][0], "is_removed": True})
    assert (told(body).shipping_minor, told(body).shipping_tax_minor) == (750, 75)
    body["shipping_lines"] = []
    assert (told(body).shipping_minor, told(body).shipping_tax_minor) == (0, 0)


def test_a_refund_tells_its_lines_and_its_shipping() -> None:
    parts = [
        refunded_line(COFFEE, 1, "19.99", "2.00"),
        refunded_line(MUGS, 1, "10.00", "1.00"),
        refunded_line(MUGS, 1, "10.00", "1.00"),
    ]
    given = refund(
        9030,
        ORDER,
        "18:20:00",
        "55.24",
        ("refund_line_items", parts),
        ("refund_shipping_lines", [refunded_shipping("7.50", "0.75")]),
        ("order_adjustments", [beyond("3.00", ORDER, 9030)]),
    )
    body = with_refunds(
        given, edits=(("line_items.0.current_quantity", 0), ("line_items.1.current_quantity", 0))
    )
    (back,) = told(body).refunds
    assert back.lines == (
        RefundedLine(line_ref="11", goods_minor=2000, tax_minor=200),
        RefundedLine(line_ref="12", goods_minor=1999, tax_minor=200),
    )
    assert (back.goods, back.shipping_minor) == (usd("39.99"), 750)


def test_with_tax_included_a_refunds_lines_and_shipping_are_net() -> None:
    given = refund(
        9030,
        ORDER,
        "18:20:00",
        "63.25",
        ("refund_line_items", [refunded_line(MUGS, 1, "55.00", "5.00")]),
        ("refund_shipping_lines", [refunded_shipping("8.25", "0.75")]),
    )
    edits = (("taxes_included", True), *line("line_items.0", MUGS, "55.00", 2, [tax("10.00")]))
    body = with_refunds(given, edits=(*edits, ("line_items.0.current_quantity", 1)))
    (back,) = told(body).refunds
    assert back.lines == (RefundedLine(line_ref="11", goods_minor=5000, tax_minor=500),)
    assert (back.goods, back.shipping_minor) == (usd("50.00"), 750)


def test_a_refunds_lines_are_never_more_than_it_counts() -> None:
    """A gift card that goes back is not told; after a goodwill of 30.00 only 9.99 of the mugs can still count."""
    first = refund(9030, ORDER, "18:20:00", "30.00", ("order_adjustments", [beyond("30.00", ORDER, 9030)]))
    second = refund(
        9031, ORDER, "18:21:00", "22.00", ("refund_line_items", [refunded_line(MUGS, 2, "20.00", "2.00")])
    )
    mugs_back = with_refunds(first, second, edits=(("line_items.0.current_quantity", 0),))
    assert [each.lines for each in told(mugs_back).refunds] == [
        (),
        (RefundedLine(line_ref="11", goods_minor=999, tax_minor=200),),
    ]
    card_back = with_refunds(
        second, edits=(("line_items.0.gift_card", True), ("line_items.0.current_quantity", 0))
    )
    assert [each.lines for each in told(card_back).refunds] == [()]


@pytest.mark.parametrize(
    ("edit", "channel", "tags", "first"),
    [
        (("source_name", None), None, ("tag1", "tag2"), {}),
        (("source_name", 580111), None, ("tag1", "tag2"), {}),
        (("source_name", "x" * 999), "x" * 255, ("tag1", "tag2"), {}),
        (("tags", None), "web", (), {}),
        (("tags", 7), "web", (), {}),
        (("tags", ["a"]), "web", (), {}),
        (("tags", " b ,, a,b," + "x" * 999), "web", ("a", "b", "x" * 255), {}),
        (("tags", ",".join(f"{n:03}" for n in range(300))), "web", tuple(f"{n:03}" for n in range(250)), {}),
        (("line_items.0.vendor", ["odd"]), "web", ("tag1", "tag2"), {"vendor": None}),
        (("line_items.0.product_id", "odd"), "web", ("tag1", "tag2"), {"product_ref": None}),
        (("line_items.0.product_id", True), "web", ("tag1", "tag2"), {"product_ref": None}),
        (("line_items.0.variant_id", 1.5), "web", ("tag1", "tag2"), {"variant_ref": None}),
    ],
)
def test_an_odd_word_spoils_no_order(
    edit: Edit, channel: str | None, tags: tuple[str, ...], first: dict[str, Any]
) -> None:
    change = normalised("orders/updated", order(ORDER, edit))
    assert isinstance(change, OrderChanged)
    assert (change.order.goods, change.order.channel, change.order.tags) == (usd("39.99"), channel, tags)
    assert {name: getattr(change.order.lines[0], name) for name in first} == first


_CENTS = st.integers(0, 30_000)


def _amount(cents: int) -> str:
    return str(Money(cents, "USD"))


@st.composite
def _orders(draw: st.DrawFn) -> Any:
    """Any order: lines with discounts, tax, edits, gift cards; refunds with and without money."""
    lines = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        price, quantity = draw(_CENTS), draw(st.integers(0, 5))
        edits: list[Edit] = [
            *line("0", number, _amount(price), quantity, [tax(_amount(each)) for each in draw(_few(900))]),
            ("0.discount_allocations", [share(_amount(each)) for each in draw(_few(2_000))]),
            ("0.gift_card", draw(st.booleans())),
            ("0.current_quantity", draw(st.integers(0, quantity))),
        ]
        lines.append(edited(order(ORDER)["line_items"][:1], edits)[0])
    refunds = []
    for number in range(9001, 9001 + draw(st.integers(0, 3))):
        parts = [
            refunded_line(each, 0, _amount(draw(_CENTS)), _amount(draw(st.integers(0, 900))))
            for each in draw(st.lists(st.integers(1, 5), max_size=4))
        ]
        given = refund(number, ORDER, "18:20:00", _amount(draw(_CENTS)), ("refund_line_items", parts))
        given["refund_shipping_lines"] = [
            refunded_shipping(_amount(each), "0.50") for each in draw(_few(900))
        ]
        if draw(st.booleans()):
            given["transactions"] = []
        refunds.append(given)
    edits = [("line_items", lines), ("refunds", refunds), ("taxes_included", draw(st.booleans()))]
    return order(ORDER, edits)


def _few(most: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, most), max_size=2)


@given(body=_orders())
def test_lines_come_to_goods_and_refunds_cover_their_lines(body: Any) -> None:
    change = normalised("orders/updated", body)
    assert isinstance(change, OrderChanged)
    snapshot = change.order
    total = sum(line.goods_minor for line in snapshot.lines if not line.gift_card)
    assert snapshot.goods.minor == max(total, 0)
    goods = {line.line_ref for line in snapshot.lines if not line.gift_card}
    for each in snapshot.refunds:
        assert {line.line_ref for line in each.lines} <= goods
        assert all(line.goods_minor >= 0 for line in each.lines)
        assert sum(line.goods_minor for line in each.lines) <= each.goods.minor
        assert each.shipping_minor >= 0


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
        ([("line_items.1.tax_lines", [tax("0.005")])], "inexact_amount", "line_items[1].tax_lines[0].price_set"),
        ([("line_items.0.discount_allocations", [share("x")])], "not_an_amount", "line_items[0].discount_allocations[0]"),
        ([("shipping_lines.0.discounted_price_set", money_set("7.505"))], "inexact_amount", "shipping_lines[0].disc"),
        ([("shipping_lines.0.tax_lines", [tax("1", "EUR")])], "mixed_currency", "shipping_lines[0].tax_lines[0]"),
        ([("total_tip_received", "three")], "not_an_amount", "total_tip_received"),
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
