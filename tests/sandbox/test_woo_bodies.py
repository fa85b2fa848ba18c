"""The WooCommerce stand-in's bodies are shaped as a real store's."""

import pytest

from sandbox.woocommerce import Shop
from sandbox.woocommerce.bodies_orders import order_body
from tests.sandbox.receiver import Receiver, recorded
from tests.sandbox.shapes import differences


@pytest.mark.parametrize(
    ("topic", "recording"),
    [
        ("order.created", "27-G-order-EUR-tax-shipping-fee-1-order.created"),
        ("order.updated", "27-G-order-EUR-tax-shipping-fee-1-order.created"),
        ("order.deleted", "29-I-order-trashed-1-order.deleted"),
        ("customer.created", "31-J-customer-created-1-customer.created"),
        ("customer.updated", "05-A-completed-2-customer.updated"),
        ("customer.deleted", "33-J-customer-deleted-1-customer.deleted"),
        ("coupon.created", "23-coupon-created-full-1-coupon.created"),
        ("coupon.updated", "24-coupon-updated-1-coupon.updated"),
        ("coupon.deleted", "35-coupon-trashed-1-coupon.deleted"),
    ],
)
def test_each_topics_body_has_the_recorded_shape(
    woo: Shop, receiver: Receiver, topic: str, recording: str
) -> None:
    alice = woo.create_customer("alice@example.test", "Alice", "Jones")
    coupon = woo.create_coupon("LOYAL-1", "5.00", emails=["alice@example.test"], usage_limit=1)
    coupon.usage_limit_per_user = 1
    coupon.meta.append(woo.new_meta("_loyalty_reward_id", "rw_1"))
    order = woo.create_order(
        [(woo.product("Mug", "10.00"), 2)],
        customer=alice,
        shipping="7.50",
        fees={"Gift wrap": "3.00"},
        currency="EUR",
    )
    order.meta.append(woo.new_meta("_loyalty_member", "m_1"))
    woo.deliveries.run()
    woo.complete(order)
    woo.change_coupon(coupon)
    woo.deliveries.run()
    woo.trash(order)
    woo.trash_coupon(coupon)
    woo.delete_customer(alice)
    woo.deliveries.run()
    bodies = receiver.bodies(topic)
    assert differences(bodies[0], recorded(f"woocommerce/{recording}")) == []


def test_a_paid_order_with_shipping_has_the_recorded_amounts(woo: Shop) -> None:
    alice = woo.create_customer("alice@example.test", "Alice", "Jones")
    lines = [(woo.product("Mug", "10.00"), 2), (woo.product("Coffee beans 1kg", "19.99"), 1)]
    order = woo.create_order(lines, customer=alice, shipping="7.50")
    mine, theirs = order_body(woo, order), recorded("woocommerce/02-A-created-pending-1-order.created")
    for key in (
        "total",
        "total_tax",
        "cart_tax",
        "shipping_total",
        "shipping_tax",
        "prices_include_tax",
        "status",
    ):
        assert mine[key] == theirs[key], key
    for key in (
        "is_editable",
        "needs_payment",
        "needs_processing",
        "currency_symbol",
        "payment_method_title",
    ):
        assert mine[key] == theirs[key], key
    for here, there in zip(mine["line_items"], theirs["line_items"], strict=True):
        for key in ("quantity", "subtotal", "subtotal_tax", "total", "total_tax", "price", "taxes"):
            assert here[key] == there[key], key


def test_refunds_are_shown_newest_first_with_their_tax_and_leave_the_total(woo: Shop) -> None:
    lines = [(woo.product("Mug", "10.00"), 2), (woo.product("Coffee beans 1kg", "19.99"), 1)]
    order = woo.create_order(lines, shipping="7.50", status="processing")
    woo.refund(order, amount="5.00", reason="goodwill")
    woo.refund(order, {order.lines[0].id: 1}, reason="one mug broken")
    mine, theirs = order_body(woo, order), recorded("woocommerce/09-A-partial-refund-line-1-order.updated")
    assert [{**refund, "id": 0} for refund in mine["refunds"]] == [{**r, "id": 0} for r in theirs["refunds"]]
    assert mine["total"] == theirs["total"]


def test_a_coupons_share_stands_on_the_lines_and_unpadded_on_the_coupon_line(woo: Shop) -> None:
    woo.create_coupon("loyal-abc-1", "6.00")
    order = woo.create_order(
        [(woo.product("Coffee beans 1kg", "19.99"), 2)], codes=["LOYAL-ABC-1"], status="processing"
    )
    mine, theirs = order_body(woo, order), recorded("woocommerce/25-F-order-with-coupon-1-order.created")
    for key in ("discount_total", "discount_tax", "total", "total_tax"):
        assert mine[key] == theirs[key], key
    here, there = mine["coupon_lines"][0], theirs["coupon_lines"][0]
    assert differences(here, there) == []
    for key in ("code", "discount", "discount_tax", "discount_type", "nominal_amount", "free_shipping"):
        assert here[key] == there[key], key


def test_money_has_the_stores_decimals_whatever_the_currency(woo: Shop) -> None:
    order = woo.create_order([(woo.product("Kettle", 1500), 1)], currency="JPY")
    assert order_body(woo, order)["total"] == "1650.00"


def test_prices_with_tax_are_told_without_it(woo: Shop) -> None:
    order = woo.create_order([(woo.product("Mug", "11.00"), 1)], prices_include_tax=True)
    body = order_body(woo, order)
    assert (body["total"], body["total_tax"]) == ("11.00", "1.00")
    assert body["line_items"][0]["total"] == "10.00"
