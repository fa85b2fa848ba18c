"""How a WooCommerce store tells what happened, bad habits included."""

import base64
import hashlib
import hmac
import json

import httpx

from sandbox.clock import VirtualClock
from sandbox.woocommerce import Shop
from tests.sandbox.receiver import RECORDINGS, Receiver, recorded


def make_order(woo: Shop, status: str = "pending") -> int:
    return woo.create_order([(woo.product("Mug", "10.00"), 1)], status=status).id


def test_the_headers_are_those_of_a_recorded_delivery_and_the_signature_verifies(
    woo: Shop, receiver: Receiver
) -> None:
    make_order(woo)
    woo.deliveries.run()
    request = receiver.got[0]
    theirs = json.loads((RECORDINGS / "woocommerce/02-A-created-pending-1-order.created.json").read_text())
    names = {name.lower() for name, _ in theirs["headers"]}
    assert names <= {name.lower() for name in request.headers}
    digest = hmac.new(b"hush", request.content, hashlib.sha256).digest()
    assert request.headers["x-wc-webhook-signature"] == base64.b64encode(digest).decode()


def test_a_new_webhook_pings_unsigned_and_is_active_whatever_the_answer(
    woo: Shop, receiver: Receiver
) -> None:
    receiver.answer = lambda _: httpx.Response(500)
    hook = woo.add_webhook("order.created", "https://laurel.example/other", "hush")
    assert receiver.got[-1].content == f"webhook_id={hook.id}".encode()
    assert not [name for name in receiver.got[-1].headers if name.startswith("x-wc")]
    assert hook.status == "active"


def test_created_and_updated_tell_the_state_at_delivery_not_at_the_event(
    woo: Shop, receiver: Receiver
) -> None:
    order = woo.orders[make_order(woo)]
    woo.pay(order)
    woo.complete(order)
    woo.refund(order, amount="1.00")
    woo.deliveries.run()
    assert receiver.topics() == ["order.created", "order.updated"]
    assert {body["status"] for r in receiver.got for body in [json.loads(r.content)]} == {"completed"}
    assert len(receiver.bodies("order.created")[0]["refunds"]) == 1


def test_the_block_checkout_tells_updated_before_created(woo: Shop, receiver: Receiver) -> None:
    woo.checkout([(woo.product("Mug", "10.00"), 1)])
    woo.deliveries.run()
    assert receiver.topics() == ["order.updated", "order.created"]


def test_one_webhooks_deliveries_of_one_second_share_their_id(
    woo: Shop, receiver: Receiver, clock: VirtualClock
) -> None:
    make_order(woo)
    make_order(woo)
    woo.deliveries.run()
    clock.advance(1)
    make_order(woo)
    woo.deliveries.run()
    created = [r for r in receiver.got if r.headers["x-wc-webhook-topic"] == "order.created"]
    ids = [r.headers["x-wc-webhook-delivery-id"] for r in created]
    assert ids[0] == ids[1] != ids[2]


def test_completion_tells_of_the_customer_the_first_time_only(woo: Shop, receiver: Receiver) -> None:
    alice = woo.create_customer("alice@example.test")
    woo.deliveries.run()
    receiver.clear()
    mug = woo.product("Mug", "10.00")
    for _ in range(2):
        woo.complete(woo.create_order([(mug, 1)], customer=alice))
        woo.deliveries.run()
    assert receiver.topics().count("customer.updated") == 1


def test_trash_and_back_are_told_by_id_and_by_body(woo: Shop, receiver: Receiver) -> None:
    order = woo.orders[make_order(woo, "processing")]
    woo.deliveries.run()
    woo.trash(order)
    woo.deliveries.run()
    woo.restore(order)
    woo.deliveries.run()
    assert receiver.bodies("order.deleted") == [{"id": order.id}]
    assert receiver.bodies("order.restored")[0]["status"] == "processing"


def test_what_nobody_is_told_of(woo: Shop, receiver: Receiver) -> None:
    woo.create_coupon("FIVE", "5.00")
    order = woo.create_order([(woo.product("Mug", "10.00"), 1)], status="processing", codes=["five"])
    refund = woo.refund(order, amount="1.00")
    woo.deliveries.run()
    receiver.clear()
    before = order.modified
    woo.delete_refund(order, refund)
    woo.force_delete(order)
    woo.deliveries.run()
    assert receiver.got == []
    assert order.modified == before


def test_an_order_gone_before_delivery_arrives_as_a_signed_error(woo: Shop, receiver: Receiver) -> None:
    woo.force_delete(woo.orders[make_order(woo)])
    woo.deliveries.run()
    recording = recorded("woocommerce/45-force-deleted-before-delivery-1-order.created")
    assert [json.loads(r.content) for r in receiver.got] == [recording, recording]
    assert receiver.got[0].headers["x-wc-webhook-signature"]


def test_a_trashed_product_sends_coupon_deleted_with_its_own_id(woo: Shop, receiver: Receiver) -> None:
    mug = woo.product("Mug", "10.00")
    woo.trash_product(mug)
    woo.deliveries.run()
    assert receiver.bodies("coupon.deleted") == [{"id": mug.id}]


def test_a_redirect_is_a_success_not_followed_and_the_event_is_gone(woo: Shop, receiver: Receiver) -> None:
    receiver.answer = lambda _: httpx.Response(301, headers={"location": "https://laurel.example/elsewhere"})
    make_order(woo)
    assert woo.deliveries.flush() == 2
    assert {hook.failures for hook in woo.webhooks.values()} == {0}


def test_nothing_is_tried_again_and_the_seventh_failure_in_a_row_disables(
    woo: Shop, receiver: Receiver
) -> None:
    receiver.answer = lambda _: httpx.Response(500)
    hook = next(hook for hook in woo.webhooks.values() if hook.topic == "order.created")
    for count in range(1, 8):
        make_order(woo)
        woo.deliveries.flush()
        assert (hook.status, hook.failures) == ("active" if count < 7 else "disabled", min(count, 6))
    sent = len(receiver.got)
    make_order(woo)
    woo.deliveries.flush()
    assert len(receiver.got) == sent  # dropped without a word


def test_a_revived_webhook_falls_again_at_one_failure_and_heals_with_one_success(
    woo: Shop, receiver: Receiver
) -> None:
    hook = next(hook for hook in woo.webhooks.values() if hook.topic == "order.created")
    hook.failures = 6
    receiver.answer = lambda _: httpx.Response(404)
    make_order(woo)
    woo.deliveries.flush()
    assert hook.status == "disabled"
    hook.status = "active"
    receiver.answer = lambda _: httpx.Response(200)
    make_order(woo)
    woo.deliveries.flush()
    assert hook.failures == 0


def test_odd_secrets_sign_as_they_are(woo: Shop, receiver: Receiver) -> None:
    secret = "ä \"quote' & ₤" * 20
    woo.add_webhook("order.created", "https://laurel.example/odd", secret)
    make_order(woo)
    woo.deliveries.run()
    request = next(r for r in receiver.got if r.url.path == "/odd" and r.headers.get("x-wc-webhook-topic"))
    digest = hmac.new(secret.encode(), request.content, hashlib.sha256).digest()
    assert request.headers["x-wc-webhook-signature"] == base64.b64encode(digest).decode()
