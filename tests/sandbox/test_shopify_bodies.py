"""The Shopify stand-in's webhook bodies are shaped as Shopify's sample payloads."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.shopify import Shop
from tests.sandbox.receiver import Receiver, recorded
from tests.sandbox.shapes import differences


def tell_everything(acme: Shop) -> None:
    """One of each act, so that every topic is sent."""
    alice = acme.create_customer("alice@example.test", "Alice", "Jones")
    acme.update_customer(alice, first_name="Al")
    gone = acme.create_customer("alice2@example.test")
    mug = acme.product("Mug", "10.00")
    code = acme.create_discount("FIVE", amount="5.00", customers=[alice])
    order = acme.checkout([(mug, 3)], customer=alice, codes=["five"], shipping="7.50")
    acme.fulfil(order)
    acme.edit(order, add=[(mug, 1)], remove={order.lines[0].id: 1})
    acme.refund(order, {order.lines[0].id: 1}, shipping="7.50", beyond="1.00")
    acme.merge_customers(alice, gone, fails=True)
    acme.cancel(order)
    acme.delete(order)
    acme.deactivate_discount(code)
    acme.delete_discount(code)
    acme.request_data(alice)
    acme.redact_customer(alice)
    acme.delete_customer(alice)
    acme.grant("write_customers")
    acme.uninstall()
    acme.redact_shop()
    acme.deliveries.run()


SAMPLES = [
    ("orders/create", "orders__create"),
    ("orders/paid", "orders__paid"),
    ("orders/updated", "orders__updated"),
    ("orders/cancelled", "orders__cancelled"),
    ("orders/edited", "orders__edited"),
    ("orders/delete", "orders__delete"),
    ("refunds/create", "refunds__create"),
    ("customers/create", "customers__create"),
    ("customers/update", "customers__update"),
    ("customers/delete", "customers__delete"),
    ("customers/merge", "customers__merge"),
    ("customers/data_request", "customers__data_request"),
    ("customers/redact", "customers__redact"),
    ("shop/redact", "shop__redact"),
    ("app/uninstalled", "app__uninstalled"),
    ("app/scopes_update", "app__scopes_update"),
    ("discounts/create", "discounts__create"),
    ("discounts/update", "discounts__update"),
    ("discounts/delete", "discounts__delete"),
]


@pytest.mark.parametrize(("topic", "sample"), SAMPLES)
def test_each_topics_body_has_the_samples_shape(
    acme: Shop, receiver: Receiver, topic: str, sample: str
) -> None:
    tell_everything(acme)
    bodies = receiver.bodies(topic)
    assert bodies, f"{topic} was not sent"
    for body in bodies:
        assert differences(body, recorded(f"shopify/{sample}.2026-07")) == []


def test_an_order_has_93_keys_and_ids_that_floats_cannot_hold(acme: Shop, receiver: Receiver) -> None:
    tell_everything(acme)
    body = receiver.bodies("orders/create")[0]
    assert len(body) == len(recorded("shopify/orders__create.2026-07")) == 93
    assert int(float(body["id"])) != body["id"]


def body_of(acme: Shop, receiver: Receiver) -> dict[str, Any]:
    acme.deliveries.run()
    newest: dict[str, Any] = receiver.bodies("orders/updated")[-1]
    return newest


def test_current_figures_are_net_of_refunds_and_the_others_are_not(acme: Shop, receiver: Receiver) -> None:
    order = acme.checkout([(acme.product("Mug", "10.00"), 3)], shipping="7.50")
    acme.refund(order, {order.lines[0].id: 1})
    body = body_of(acme, receiver)
    assert (body["subtotal_price"], body["current_subtotal_price"]) == ("30.00", "20.00")
    assert (body["total_price"], body["current_total_price"]) == ("41.25", "30.25")
    assert (body["line_items"][0]["quantity"], body["line_items"][0]["current_quantity"]) == (3, 2)
    refund = body["refunds"][0]["refund_line_items"][0]
    assert (refund["subtotal"], refund["total_tax"]) == (10, 1)
    assert body["financial_status"] == "partially_refunded"


def test_a_codes_share_stands_in_the_allocations_and_sums_up(acme: Shop, receiver: Receiver) -> None:
    acme.create_discount("FIVE", amount="5.00")
    lines = [(acme.product("Mug", "10.00"), 1), (acme.product("Tea", "3.33"), 2)]
    acme.checkout(lines, codes=["five"])
    body = body_of(acme, receiver)
    shares = [Decimal(part["amount"]) for line in body["line_items"] for part in line["discount_allocations"]]
    assert sum(shares) == Decimal("5.00")
    assert body["discount_codes"] == [{"code": "FIVE", "amount": "5.00", "type": "fixed_amount"}]
    assert {line["total_discount"] for line in body["line_items"]} == {"0.00"}


def test_tax_within_the_price_is_told_within(acme: Shop, receiver: Receiver) -> None:
    acme.create_order([(acme.product("Mug", "11.00"), 1)], taxes_included=True, paid=True)
    body = body_of(acme, receiver)
    assert (body["taxes_included"], body["total_price"], body["total_tax"]) == (True, "11.00", "1.00")


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "1500"), ("KWD", "3.000"), ("EUR", "9.00")])
def test_the_shoppers_currency_has_its_own_decimals(
    acme: Shop, receiver: Receiver, currency: str, amount: str
) -> None:
    acme.create_order([(acme.product("Mug", "10.00"), 1)], currency=currency)
    body = body_of(acme, receiver)
    assert body["subtotal_price_set"]["presentment_money"] == {"amount": amount, "currency_code": currency}
    assert (body["currency"], body["presentment_currency"]) == ("USD", currency)


def test_paid_in_steps_voided_cancelled_and_free(acme: Shop) -> None:
    mug = acme.product("Mug", "10.00")
    order = acme.create_order([(mug, 1)])
    seen = [acme.sums(order).financial_status]
    acme.pay(order, "5.00")
    seen.append(acme.sums(order).financial_status)
    acme.pay(order)
    seen.append(acme.sums(order).financial_status)
    acme.cancel(order)
    seen.append(acme.sums(order).financial_status)
    assert seen == ["pending", "partially_paid", "paid", "refunded"]
    held = acme.create_order([(mug, 1)])
    acme.authorize(held)
    assert acme.sums(held).financial_status == "authorized"
    acme.cancel(held)
    assert acme.sums(held).financial_status == "voided"


def test_a_line_refunded_in_parts_gives_back_every_cent(acme: Shop) -> None:
    acme.create_discount("FIVE", amount="5.00")
    order = acme.checkout([(acme.product("Mug", "10.00"), 3)], codes=["five"])
    for _ in range(3):
        acme.refund(order, {order.lines[0].id: 1})
    assert sum(part.subtotal for refund in order.refunds for part in refund.lines) == Decimal("25.00")
    assert acme.sums(order).financial_status == "refunded"


def test_goods_may_come_back_without_money_moving(acme: Shop, receiver: Receiver) -> None:
    order = acme.checkout([(acme.product("Mug", "10.00"), 1)])
    acme.refund(order, {order.lines[0].id: 1}, moves_money=False)
    assert body_of(acme, receiver)["refunds"][0]["transactions"] == []
    assert acme.sums(order).financial_status == "paid"
