"""The WooCommerce stand-in's REST API answers as a real store was recorded to."""

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from sandbox.clock import VirtualClock
from sandbox.woocommerce import Shop
from sandbox.woocommerce.state import Order
from tests.sandbox.receiver import RECORDINGS, recorded
from tests.sandbox.shapes import differences

# Recordings whose answer does not depend on the store's state: the very same bytes are expected.
EXACT = [
    "4-delete-deleted",
    "4-put-deleted",
    "6-readonly-put",
    "4-bad-type",
    "4-no-code",
    "4-percent-over-100",
    "6-bad-method",
    "6-bad-param",
    "6-bad-status",
    "6-basic-over-http",
    "6-coupon-404",
    "6-customer-404",
    "6-no-auth",
    "6-no-auth-post",
    "6-no-route",
    "6-order-404",
    "6-order-404-delete",
    "6-order-404-put",
    "6-order-refunds-404",
    "6-readonly-delete",
    "6-readonly-get",
    "6-readonly-post-coupon",
    "6-readonly-post-order",
    "6-webhook-404",
    "6-writeonly-get",
    "6-wrong-key",
    "6-wrong-secret",
    "7-create-bad-topic",
    "7-create-bad-url",
    "7-create-no-topic",
    "7-create-readonly",
]


def ask(client: httpx.Client, woo: Shop, recording: dict[str, Any]) -> httpx.Response:
    """Send a recorded request to the stand-in, with a key of the same kind."""
    asked = recording["request"]
    url = urlsplit(asked["url"])
    target = f"{url.scheme}://shop.example{url.path}" + (f"?{url.query}" if url.query else "")
    known = {"read_write": "read_write", "read": "read", "write": "write"}
    headers = {}
    if asked["key"] in known:
        key = woo.api_key(known[asked["key"]])
        headers["Authorization"] = basic(key.consumer_key, key.consumer_secret)
    return client.request(asked["method"], target, json=asked["body"], headers=headers, auth=None)


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def paid_order(woo: Shop, clock: VirtualClock) -> Order:
    alice = woo.create_customer("alice@example.test", "Alice", "Jones")
    lines = [(woo.product("Mug", "10.00"), 2), (woo.product("Coffee beans 1kg", "19.99"), 1)]
    order = woo.create_order(lines, customer=alice, shipping="7.50")
    clock.advance(5)
    woo.pay(order)
    return order


@pytest.mark.parametrize("name", EXACT)
def test_answers_as_recorded(woo: Shop, woo_api: httpx.Client, name: str) -> None:
    recording = recorded(f"woocommerce_rest/{name}")
    if name.startswith("6-wrong"):
        key = woo.api_key()
        given = (key.consumer_key, "cs_other") if name == "6-wrong-secret" else ("ck_other", "cs_other")
        answer = woo_api.get("orders", headers={"Authorization": basic(*given)}, auth=None)
    else:
        answer = ask(woo_api, woo, recording)
    theirs = recording["response"]
    assert (answer.status_code, answer.json()) == (theirs["status"], theirs["body"])
    for header in ("X-WP-Total", "X-WP-TotalPages", "Content-Type"):
        assert answer.headers.get(header) == theirs["headers"].get(header)


@pytest.mark.parametrize(
    ("recording", "method", "path", "body"),
    [
        ("1-order-after-refunds", "GET", "orders/{order}", None),
        ("1-refund-line", "POST", "orders/{order}/refunds", {"line": 1}),
        ("1-refund-shipping", "POST", "orders/{order}/refunds", {"shipping": 7.5}),
        ("1-refund-amount-only", "POST", "orders/{order}/refunds", {"amount": "5.00", "api_refund": False}),
        ("4-create-full", "POST", "coupons", "recorded"),
        ("5-data-currencies-current", "GET", "data/currencies/current", None),
        ("7-create-order.created", "POST", "webhooks", "recorded"),
        ("7-create-paused-ignored", "POST", "webhooks", "recorded"),
    ],
)
def test_bodies_have_the_recorded_shape(
    woo: Shop, woo_api: httpx.Client, clock: VirtualClock, recording: str, method: str, path: str, body: Any
) -> None:
    order = paid_order(woo, clock)
    theirs = recorded(f"woocommerce_rest/{recording}")
    if body == "recorded":
        body = theirs["request"]["body"]
    elif body == {"line": 1}:
        body = {"api_refund": False, "line_items": [{"id": order.lines[0].id, "quantity": 1}]}
    elif body == {"shipping": 7.5}:
        body = {"api_refund": False, "line_items": [{"id": order.shipping[0].id, "refund_total": 7.5}]}
    else:
        woo.refund(order, {order.lines[0].id: 1})
    answer = woo_api.request(method, path.format(order=order.id), json=body)
    assert answer.status_code == theirs["response"]["status"], answer.text
    assert differences(answer.json(), theirs["response"]["body"]) == []


def test_refund_bodies_have_the_recorded_amounts(
    woo: Shop, woo_api: httpx.Client, clock: VirtualClock
) -> None:
    order = paid_order(woo, clock)
    woo.refund(order, {order.lines[0].id: 1}, reason="broken mug")
    mine = woo_api.get(f"orders/{order.id}/refunds").json()[0]
    theirs = recorded("woocommerce_rest/1-refund-line")["response"]["body"]
    assert (mine["amount"], mine["reason"]) == (theirs["amount"], theirs["reason"])
    for key in ("quantity", "subtotal", "subtotal_tax", "total", "total_tax", "taxes", "price"):
        assert mine["line_items"][0][key] == theirs["line_items"][0][key], key
    assert mine["tax_lines"][0]["tax_total"] == theirs["tax_lines"][0]["tax_total"]


@pytest.mark.parametrize(
    ("recording", "body"),
    [
        ("1-refund-too-much", {"amount": "500.00", "api_refund": False}),
        ("1-refund-no-api-refund", {"amount": "1.00"}),
    ],
)
def test_refused_refunds_are_http_500(
    woo: Shop, woo_api: httpx.Client, clock: VirtualClock, recording: str, body: dict[str, Any]
) -> None:
    answer = woo_api.post(f"orders/{paid_order(woo, clock).id}/refunds", json=body)
    theirs = recorded(f"woocommerce_rest/{recording}")["response"]
    assert (answer.status_code, answer.json()) == (theirs["status"], theirs["body"])


@pytest.mark.parametrize("recording", ["1-refund-404", "1-refund-number-amount"])
def test_refund_questions_that_make_no_sense(
    woo: Shop, woo_api: httpx.Client, clock: VirtualClock, recording: str
) -> None:
    order, theirs = paid_order(woo, clock), recorded(f"woocommerce_rest/{recording}")
    path = urlsplit(theirs["request"]["url"]).path.partition("/orders/19")[2]
    answer = woo_api.request(
        theirs["request"]["method"], f"orders/{order.id}{path}", json=theirs["request"]["body"]
    )
    assert answer.status_code == theirs["response"]["status"]
    assert (answer.json()["code"], answer.json()["message"]) == (
        theirs["response"]["body"]["code"],
        theirs["response"]["body"]["message"],
    )


def test_a_bad_date_is_refused(woo_api: httpx.Client) -> None:
    answer = woo_api.get("orders", params={"modified_after": "yesterday"})
    theirs = recorded("woocommerce_rest/3-bad-date")["response"]
    assert (answer.status_code, answer.json()["message"]) == (theirs["status"], theirs["body"]["message"])


def test_status_refunded_by_hand_makes_a_refund_record(
    woo: Shop, woo_api: httpx.Client, clock: VirtualClock
) -> None:
    order = paid_order(woo, clock)
    woo_api.put(f"orders/{order.id}", json={"status": "refunded"})
    mine = woo_api.get(f"orders/{order.id}/refunds").json()
    theirs = recorded("woocommerce_rest/1-refunds-status-by-hand")["response"]["body"]
    assert [(r["amount"], r["reason"], r["line_items"]) for r in mine] == [
        (r["amount"], r["reason"], r["line_items"]) for r in theirs
    ]


def test_the_whole_amount_refunded_makes_the_status_refunded(woo: Shop, clock: VirtualClock) -> None:
    order = paid_order(woo, clock)
    woo.refund(order, {order.lines[0].id: 1})
    woo.refund_all(order)
    assert order.status == "refunded"


def test_a_deleted_refund_is_gone_from_the_order(
    woo: Shop, woo_api: httpx.Client, clock: VirtualClock
) -> None:
    order = paid_order(woo, clock)
    refund = woo.refund(order, amount="5.00")
    assert woo_api.delete(f"orders/{order.id}/refunds/{refund.id}").status_code == 200
    assert woo_api.get(f"orders/{order.id}").json()["refunds"] == []
    assert woo_api.get(f"orders/{order.id}/refunds/{refund.id}").status_code == 404


def test_the_trash_is_read_by_id_and_listed_only_when_named(woo: Shop, woo_api: httpx.Client) -> None:
    mug = woo.product("Mug", "10.00")
    kept, trashed = (woo.create_order([(mug, 1)]) for _ in range(2))
    # As it was before: recorded in 2-trash.
    assert woo_api.delete(f"orders/{trashed.id}").json()["status"] == "pending"
    assert woo_api.get(f"orders/{trashed.id}").json()["status"] == "trash"
    both = f"{kept.id},{trashed.id},999999"

    def listed(**params: str) -> list[int]:
        return [row["id"] for row in woo_api.get("orders", params={"include": both, **params}).json()]

    assert listed() == listed(status="any") == listed(status="any,trash") == [kept.id]
    assert listed(status="pending,trash") == [trashed.id, kept.id]


def test_orders_are_listed_by_the_time_they_changed(
    woo: Shop, woo_api: httpx.Client, clock: VirtualClock
) -> None:
    start = clock()
    mug = woo.product("Mug", "10.00")
    first, second, third = (woo.create_order([(mug, 1)]) for _ in range(3))
    for order in (third, first):
        clock.advance(10)
        woo.pay(order)

    def changed(after: str, **params: str) -> list[int]:
        asked = {
            "modified_after": after,
            "dates_are_gmt": "true",
            "orderby": "modified",
            "order": "asc",
            **params,
        }
        return [row["id"] for row in woo_api.get("orders", params=asked).json()]

    stamp = "%Y-%m-%dT%H:%M:%S"
    before = (start - timedelta(seconds=1)).strftime(stamp)
    assert changed(before) == [second.id, third.id, first.id]
    assert changed(start.strftime(stamp)) == [third.id, first.id]  # the bound itself is outside
    assert changed(before, per_page="2", page="2") == [first.id]
    assert changed(before, per_page="2", page="3") == []
    # Recorded: with the flag, a time with "Z" is read eight hours early here; without the flag it is exact.
    assert changed((start + timedelta(hours=1)).strftime(stamp) + "Z") == [second.id, third.id, first.id]
    assert changed((start + timedelta(seconds=5)).strftime(stamp) + "Z", dates_are_gmt="false") == [
        third.id,
        first.id,
    ]


def test_orders_are_searched_by_number_address_and_the_names_of_items_and_codes(
    woo: Shop, woo_api: httpx.Client
) -> None:
    woo.create_coupon("LOY-77", "1.00")
    mug = woo.product("Mug", "10.00")
    with_code = woo.create_order([(mug, 1)], codes=["loy-77"], email="x@example.test").id
    other = woo.create_order([(mug, 1)], email="y@example.test").id

    def found(word: str) -> list[int]:
        return [row["id"] for row in woo_api.get("orders", params={"search": word}).json()]

    assert found("LOY-77") == found("loy-7") == found("x@example") == found(str(with_code)) == [with_code]
    assert found("mug") == [other, with_code]


def test_writing_meta_data_back_sends_the_order_again(
    woo: Shop, woo_api: httpx.Client, clock: VirtualClock
) -> None:
    order = paid_order(woo, clock)
    woo.deliveries.run()
    woo_api.put(f"orders/{order.id}", json={"meta_data": [{"key": "_laurel", "value": "1"}]})
    assert [topic for _, topic, _ in woo.deliveries.pending()] == ["order.updated"]


def test_a_status_put_on_a_trashed_order_restores_it_silently(woo: Shop, woo_api: httpx.Client) -> None:
    order = woo.create_order([(woo.product("Mug", "10.00"), 1)])
    woo.trash(order)
    woo.deliveries.run()
    assert woo_api.put(f"orders/{order.id}", json={"status": "processing"}).json()["status"] == "processing"
    assert woo.deliveries.pending() == []


def test_the_index_and_the_settings_say_currency_decimals_and_zone(woo: Shop, woo_api: httpx.Client) -> None:
    names = "name,url,home,gmt_offset,timezone_string,namespaces"
    index = woo_api.get("https://shop.example/wp-json/", params={"_fields": names}, auth=None).json()
    theirs = recorded("woocommerce_rest/5-index-fields")["response"]["body"]
    assert differences(index, theirs) == []
    assert (index["timezone_string"], index["gmt_offset"]) == (
        theirs["timezone_string"],
        theirs["gmt_offset"],
    )
    settings = {row["id"]: row["value"] for row in woo_api.get("settings/general").json()}
    assert settings["woocommerce_currency"] == "USD"
    assert woo_api.get("settings/general/woocommerce_price_num_decimals").json()["value"] == "2"
    assert woo_api.get("system_status").json()["settings"]["number_of_decimals"] == 2


def test_customers_are_found_by_id_and_by_email_among_customers_only(
    woo: Shop, woo_api: httpx.Client
) -> None:
    alice = woo.create_customer("alice@example.test", "Alice")
    woo.create_customer("admin@example.test", role="administrator")
    assert woo_api.get(f"customers/{alice.id}").json()["email"] == "alice@example.test"
    assert woo_api.get("customers", params={"email": "admin@example.test"}).json() == []
    assert len(woo_api.get("customers", params={"email": "admin@example.test", "role": "all"}).json()) == 1


def test_webhooks_are_made_changed_and_deleted(woo: Shop, woo_api: httpx.Client) -> None:
    made = woo_api.post(
        "webhooks", json={"topic": "order.created", "delivery_url": "https://l.example/a"}
    ).json()
    assert made["status"] == "active"
    assert "secret" not in made
    paused = woo_api.put(
        f"webhooks/{made['id']}", json={"status": "paused", "delivery_url": "https://l.example/b"}
    )
    assert (paused.json()["status"], paused.json()["delivery_url"]) == ("paused", "https://l.example/b")
    no_force = woo_api.delete(f"webhooks/{made['id']}")
    theirs = recorded("woocommerce_rest/7-delete-noforce")["response"]
    assert (no_force.status_code, no_force.json()) == (theirs["status"], theirs["body"])
    assert woo_api.delete(f"webhooks/{made['id']}", params={"force": "true"}).status_code == 200
    again = woo_api.delete(f"webhooks/{made['id']}", params={"force": "true"})
    assert again.json() == recorded("woocommerce_rest/7-delete-again")["response"]["body"]


def test_a_refused_coupon_leaves_a_draft_that_is_told(woo: Shop, woo_api: httpx.Client) -> None:
    woo.create_coupon("DRAFT-1", "1.00", status="draft")
    mug = woo.product("Mug", "10.00")
    body = {"line_items": [{"product_id": mug.id, "quantity": 1}], "coupon_lines": [{"code": "draft-1"}]}
    answer = woo_api.post("orders", json=body)
    theirs = recorded("woocommerce_rest/4-order-with-draft-coupon")["response"]
    assert (answer.status_code, answer.json()["code"]) == (theirs["status"], theirs["body"]["code"])
    assert answer.json()["message"] == theirs["body"]["message"].replace("draft-93422", "draft-1")
    assert [order.status for order in woo.orders.values()] == ["checkout-draft"]
    assert {topic for _, topic, _ in woo.deliveries.pending()} >= {"order.created"}


def test_every_recording_that_is_kept_is_used() -> None:
    here = {path.stem for path in (RECORDINGS / "woocommerce_rest").glob("*.json")}
    used = {name for path in RECORDINGS.parent.glob("test_*.py") for name in here if name in path.read_text()}
    assert here - used == set()
