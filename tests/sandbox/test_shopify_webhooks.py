"""How Shopify tells what happened: headers, retries, what an uninstalled app hears."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import httpx
import pytest

from sandbox.clock import VirtualClock
from sandbox.shopify import Shop
from tests.sandbox.conftest import APP_SECRET
from tests.sandbox.receiver import Receiver


def test_headers_are_shopifys_and_the_body_is_signed_with_the_apps_secret(
    acme: Shop, receiver: Receiver
) -> None:
    acme.checkout([(acme.product("Mug", "10.00"), 1)])
    acme.deliveries.run()
    request = receiver.got[0]
    digest = hmac.new(APP_SECRET.encode(), request.content, hashlib.sha256).digest()
    assert request.headers["x-shopify-hmac-sha256"] == base64.b64encode(digest).decode()
    assert request.headers["x-shopify-shop-domain"] == "acme.myshopify.com"
    assert request.headers["x-shopify-api-version"] == "2026-10"
    assert request.headers["x-shopify-triggered-at"] == "2026-11-21T18:00:00.000000000Z"


def test_one_action_shares_its_event_id_and_each_delivery_has_its_own(acme: Shop, receiver: Receiver) -> None:
    order = acme.checkout([(acme.product("Mug", "10.00"), 1)])
    acme.fulfil(order)
    acme.deliveries.run()
    assert receiver.topics()[:3] == ["orders/create", "orders/paid", "orders/updated"]
    events = [request.headers["x-shopify-event-id"] for request in receiver.got]
    assert events[0] == events[1] == events[2] != events[3]
    assert len({request.headers["x-shopify-webhook-id"] for request in receiver.got}) == len(receiver.got)


def test_a_failure_is_tried_eight_times_more_over_four_hours_with_the_same_body(
    acme: Shop, receiver: Receiver, clock: VirtualClock
) -> None:
    receiver.answer = lambda _: httpx.Response(301)
    order = acme.create_order([(acme.product("Mug", "10.00"), 1)])
    start = clock()
    acme.deliveries.run()
    acme.pay(order)
    while (waiting := acme.deliveries.pending()) and waiting[0][0] <= start + timedelta(hours=5):
        clock.move_to(waiting[0][0])
        acme.deliveries.run()
    tries = [r for r in receiver.got if r.headers["x-shopify-topic"] == "orders/create"]
    assert len(tries) == 9
    assert len({r.content for r in tries}) == 1
    assert len({r.headers["x-shopify-webhook-id"] for r in tries}) == 1
    assert clock() - start == timedelta(hours=4)


def test_a_subscription_made_by_api_is_deleted_when_all_tries_failed_and_the_files_is_not(
    acme: Shop, receiver: Receiver, clock: VirtualClock
) -> None:
    receiver.answer = lambda _: httpx.Response(500)
    made = acme.subscribe("customers/create", "https://laurel.example/api-made")
    acme.create_customer("alice@example.test")
    while waiting := acme.deliveries.pending():
        clock.move_to(waiting[0][0])
        acme.deliveries.run()
    assert made.id not in acme.subscriptions
    assert "customers/create" in {s.topic for s in acme.subscriptions.values()}


def test_uninstalling_is_told_and_ends_everything(acme: Shop, receiver: Receiver) -> None:
    token = acme.issue_token()
    acme.uninstall()
    acme.create_customer("alice@example.test")
    acme.deliveries.run()
    assert receiver.topics() == ["app/uninstalled"]
    assert acme.find_token(token.value) is None
    acme.install()
    assert acme.find_token(token.value) is None  # coming back needs a new token
    acme.create_customer("bob@example.test")
    acme.deliveries.run()
    assert receiver.topics() == ["app/uninstalled", "customers/create"]


def test_a_merge_moves_orders_and_codes_unless_it_failed(acme: Shop, receiver: Receiver) -> None:
    kept, gone = acme.create_customer("a@example.test"), acme.create_customer("b@example.test")
    order = acme.checkout([(acme.product("Mug", "10.00"), 1)], customer=gone)
    discount = acme.create_discount("B", amount="1.00", customers=[gone])
    acme.merge_customers(kept, gone, fails=True)
    assert order.customer is gone
    acme.merge_customers(kept, gone)
    assert order.customer is kept
    assert discount.customers == [kept.id]
    acme.deliveries.run()
    assert [body["status"] for body in receiver.bodies("customers/merge")] == ["failed", "completed"]


def test_somebody_with_store_credit_is_not_merged(acme: Shop) -> None:
    """CustomerMergeErrorFieldType.STORE_CREDIT, in the schema of 2026-10."""
    one, other = acme.create_customer("a@example.test"), acme.create_customer("b@example.test")
    acme.credit(other, "5.00")
    for pair in ((one, other), (other, one)):
        with pytest.raises(ValueError, match="store credit"):
            acme.merge_customers(*pair)
    assert set(acme.customers) >= {one.id, other.id}


def test_an_edit_tells_what_was_added_and_removed(acme: Shop, receiver: Receiver) -> None:
    mug = acme.product("Mug", "10.00")
    order = acme.checkout([(mug, 2)])
    acme.edit(order, add=[(acme.product("Tea", "3.00"), 1)], remove={order.lines[0].id: 1})
    acme.deliveries.run()
    edit = receiver.bodies("orders/edited")[0]["order_edit"]
    assert edit["line_items"]["removals"] == [{"id": order.lines[0].id, "delta": 1}]
    assert edit["line_items"]["additions"] == [{"id": order.lines[1].id, "delta": 1}]
    last = receiver.bodies("orders/updated")[-1]
    assert [line["current_quantity"] for line in last["line_items"]] == [1, 1]


def test_a_subscription_may_ask_for_some_fields_only(acme: Shop, receiver: Receiver) -> None:
    acme.subscribe("orders/create", "https://laurel.example/slim", include_fields=["id", "updated_at"])
    acme.create_order([(acme.product("Mug", "10.00"), 1)])
    acme.deliveries.run()
    slim = next(request for request in receiver.got if request.url.path == "/slim")
    assert json.loads(slim.content).keys() == {"id", "updated_at"}
