"""What is peculiar to WooCommerce's API, most of it seen on a real shop first."""

import random
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from msgspec import structs

from app.domain.errors import Refused, Retryable
from app.domain.money import Money
from app.domain.orders import OrderSnapshot, OrderState
from connectors.base import Absent, CodeKind, CodeSpec, OrderDigest, ShopFacts
from connectors.decoding import decode
from connectors.woocommerce import codes
from connectors.woocommerce.client import WooClient
from connectors.woocommerce.payloads import Coupon
from tests.connectors.contract.test_shop_api import SPEC
from tests.connectors.platforms import Seam
from tests.connectors.stories import STORIES, plain
from tests.connectors.woocommerce import recorded
from tests.connectors.woocommerce.platform import PLATFORM, WooShop

ADDRESS = "https://laurel.example/webhooks/woocommerce/woo"
SINCE = datetime(2026, 11, 21, 18, tzinfo=UTC)


def test_the_shop_says_who_it_is() -> None:
    assert _client(WooShop()).shop_facts() == ShopFacts(
        shop_ref="https://shop.example",
        name="Real Woo Shop",
        url="https://shop.example",
        currency="USD",
        timezone="America/Los_Angeles",
        reads_orders_days=None,
    )


@pytest.mark.parametrize("home", ["javascript:alert(1)", "data:text/html,x", "//shop.example", ""])
def test_a_shop_that_calls_no_address_of_the_web_its_own_is_where_we_found_it(home: str) -> None:
    class Shop(WooShop):
        def handle(self, request: httpx.Request) -> httpx.Response:
            response = super().handle(request)
            if request.url.path == "/wp-json/":
                return httpx.Response(200, json={**response.json(), "home": home})
            return response

    assert _client(Shop()).shop_facts().url == "https://shop.example"


def test_no_shop_leads_shoppers_to_a_script() -> None:
    facts = _client(WooShop()).shop_facts()
    with pytest.raises(Refused, match="none of the web's"):
        replace(facts, url="javascript:alert(1)")


def test_over_https_the_keys_go_into_a_header_and_never_into_the_address() -> None:
    seen: list[httpx.Request] = []
    _client(_watched(WooShop(), seen.append)).read_customer("77")
    (request,) = seen
    assert request.headers["authorization"].startswith("Basic ")
    assert b64decode(request.headers["authorization"][6:]).startswith(b"ck_1")
    assert b"consumer" not in request.url.query


def test_over_http_the_address_is_signed_and_the_secret_stays_here() -> None:
    seen: list[httpx.Request] = []
    access = replace(PLATFORM.access, shop_ref="http://shop.local:8088/shop", allow_private=True)
    client = WooClient(access, Seam(_watched(WooShop(), seen.append)))
    with pytest.raises(Refused):  # the small shop lives at the root
        client.read_customer("77")
    (request,) = seen
    assert request.url.path == "/shop/wp-json/wc/v3/customers/77"
    query = parse_qs(request.url.query.decode())
    assert query["oauth_signature_method"] == ["HMAC-SHA256"]
    assert "authorization" not in request.headers
    assert not any("cs_" in value for values in query.values() for value in values)


def test_no_two_signed_addresses_have_the_same_nonce() -> None:
    """Found by 500 strikes: the package's nonces are of 10^8, two of some thousands were alike, and the second was
    refused as if the key had been revoked."""
    seen: list[httpx.Request] = []
    access = replace(PLATFORM.access, shop_ref="http://shop.local:8088/shop", allow_private=True)
    client = WooClient(access, Seam(_watched(WooShop(), seen.append)))
    for _ in range(2):
        random.seed(1)
        with pytest.raises(Refused):
            client.read_customer("77")
    first, second = (parse_qs(one.url.query.decode())["oauth_nonce"] for one in seen)
    assert first != second


def test_an_order_in_the_trash_is_read_as_gone() -> None:
    shop = PLATFORM.shop("paid")
    shop.orders["4501"][0]["status"] = "trash"
    client = _client(shop)
    (order,) = client.read_orders(["4501"]).values()
    assert isinstance(order, OrderSnapshot)
    assert plain(order) == replace(STORIES["paid"], state=OrderState.GONE)
    (digest,) = client.order_digests(["4501"]).values()
    assert digest not in (Absent.GONE, Absent.UNREADABLE)
    assert digest.gone


def test_an_order_that_cannot_be_understood_spoils_no_other() -> None:
    shop = PLATFORM.shop("paid")
    shop.orders |= PLATFORM.shop("edited").orders | PLATFORM.shop("unpaid").orders
    shop.orders["4506"][0]["currency"] = "???"
    shop.orders["4502"][0]["line_items"] = "broken by a plugin"
    read = _client(shop).read_orders(["4501", "4506", "4502", "4599", "x"])
    paid = read["4501"]
    assert isinstance(paid, OrderSnapshot)
    assert plain(paid) == STORIES["paid"]
    assert read == {
        "4501": paid,
        "4506": Absent.UNREADABLE,
        "4502": Absent.UNREADABLE,
        "4599": Absent.GONE,
        "x": Absent.UNREADABLE,
    }
    page = _client(shop).orders_changed(SINCE, SINCE + timedelta(days=1))
    assert [plain(order) for order in page.orders] == [STORIES["paid"]]
    assert sorted(ref for ref, _ in page.held) == ["4502", "4506"]


def test_no_order_is_gone_while_the_plugin_is_switched_off() -> None:
    """Then every address answers 404, with another code."""
    shop = WooShop()
    shop.fault = lambda request: (
        httpx.Response(404, content=recorded.answer("no-route")) if "/orders/" in request.url.path else None
    )
    assert _client(shop).read_orders(["4599"]) == {"4599": Absent.UNREADABLE}


def test_a_digest_shows_the_refunds_as_told() -> None:
    (digest,) = _client(PLATFORM.shop("part_refunded")).order_digests(["4503"]).values()
    assert digest.refunds == {"9024": "-5.00", "9025": "-11.00"}  # type: ignore[union-attr]


@pytest.mark.parametrize("same_second", [False, True], ids=["spread", "all in one second"])
def test_pages_of_changes_leave_nothing_out(same_second: bool) -> None:
    """Two full pages and a half; an order that changes meanwhile leaves the window and moves all others up."""
    shop = WooShop()
    for number in range(250):
        second = SINCE if same_second else SINCE + timedelta(seconds=number // 3)
        order = dict(PLATFORM.shop("paid").orders["4501"][0])
        order |= {"id": 1000 + number, "date_modified_gmt": second.strftime("%Y-%m-%dT%H:%M:%S")}
        shop.orders[str(order["id"])] = (order, b"[]")
    shop.fault = _pages(shop)
    seen: set[str] = set()
    cursor, pages = None, 0
    while pages == 0 or cursor:
        page = _client(shop).orders_changed(SINCE, SINCE + timedelta(hours=1), cursor)
        seen |= {order.order_ref for order in page.orders}
        cursor, pages = page.cursor, pages + 1
        assert pages < 8
        if not same_second and pages == 1:
            shop.orders["1005"][0]["date_modified_gmt"] = "2026-11-21T23:00:00"
    assert len(seen) == 250


def test_orders_with_a_code_are_found_in_the_trash_too() -> None:
    shop = PLATFORM.shop("with_our_code")
    shop.orders |= PLATFORM.shop("with_a_foreign_coupon").orders
    shop.orders["4508"][0]["status"] = "trash"
    orders = _client(shop).orders_with_code(SPEC.code.upper())
    assert [order.order_ref for order in orders] == ["4508"]


def test_a_code_does_not_pass_for_unused_because_its_order_is_not_understood() -> None:
    shop = PLATFORM.shop("with_our_code")
    shop.orders["4508"][0]["currency"] = "???"
    with pytest.raises(Refused, match="unknown_currency"):
        _client(shop).orders_with_code(SPEC.code)


def test_a_coupon_says_all_that_was_asked() -> None:
    shop = WooShop()
    _client(shop).issue_code(SPEC)
    (coupon,) = shop.coupons.values()
    asked = {
        "code": SPEC.code,
        "discount_type": "fixed_cart",
        "amount": "5.00",
        "free_shipping": False,
        "date_expires": "2027-02-19T18:30:00Z",
        "individual_use": True,
        "usage_limit": 1,
        "usage_limit_per_user": 1,
        "minimum_amount": "20.00",
        "email_restrictions": ["alice@example.test"],
    }
    assert {name: coupon[name] for name in asked} == asked


def _set(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda coupon: coupon.update(fields)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_set(email_restrictions=[]), "customer_unreachable"),  # an address that the shop finds invalid
        (_set(email_restrictions=["bob@example.test"]), "differs"),
        (_set(email_restrictions=["alice@example.test", "*@example.test"]), "differs"),
        (_set(amount="500.00"), "differs"),
        (_set(amount="5.01"), "differs"),
        (_set(amount=""), "differs"),
        (_set(discount_type="percent"), "differs"),
        (_set(date_expires_gmt=None), "differs"),
        (_set(date_expires_gmt="1970-01-01T00:00:00"), "differs"),
        (_set(date_expires_gmt="2027-02-20T02:30:00"), "differs"),  # taken for shop time
        (_set(usage_limit=0), "differs"),
        (_set(usage_limit=None), "differs"),
        (_set(usage_limit_per_user=None), "differs"),
        (_set(individual_use=False), "differs"),  # used beside any other coupon
        (_set(product_ids=[11]), "differs"),
        (_set(limit_usage_to_x_items=1), "differs"),
        (_set(minimum_amount="0.00"), "differs"),
        (_set(free_shipping=True), "differs"),
    ],
)
def test_a_coupon_that_became_something_else_is_withdrawn(
    change: Callable[[dict[str, Any]], None], code: str
) -> None:
    shop = WooShop()
    shop.change_coupon = change
    with pytest.raises(Refused) as caught:
        _client(shop).issue_code(SPEC)
    assert caught.value.code == code
    assert shop.coupons == {}


def test_a_used_coupon_is_never_taken_back_for_a_difference() -> None:
    """A merchant edited it after it was made and used: the points are spent."""
    shop = WooShop()
    issued = _client(shop).issue_code(SPEC)
    shop.coupons[int(issued.code_ref)] |= {"usage_count": 1, "amount": "6.00"}
    assert _client(shop).issue_code(SPEC) == issued


def test_a_race_that_made_two_coupons_leaves_the_older() -> None:
    shop = WooShop()
    _client(shop).issue_code(SPEC)
    (first,) = shop.coupons
    second = dict(shop.coupons[first]) | {"id": first + 1}
    shop.coupons = {first + 1: second, first: shop.coupons[first]}
    assert _client(shop).issue_code(SPEC).code_ref == str(first)
    assert list(shop.coupons) == [first]


def test_a_foreign_coupon_that_came_in_between_keeps_the_name() -> None:
    shop = WooShop()

    def somebody_else(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and not shop.coupons:
            shop.add_foreign_code(SPEC.code)
        return None

    shop.fault = somebody_else
    with pytest.raises(Refused, match="code_taken"):
        _client(shop).issue_code(SPEC)
    assert [coupon["amount"] for coupon in shop.coupons.values()] == ["50.00"]


def test_a_customer_without_an_address_gets_no_coupon() -> None:
    shop = WooShop()
    shop.emails["77"] = ""
    with pytest.raises(Refused, match="customer_unreachable"):
        _client(shop).issue_code(SPEC)
    assert not [call for call in shop.calls if call.startswith("POST")]


@pytest.mark.parametrize(
    "spec",
    [
        replace(SPEC, starts_at=SPEC.starts_at + timedelta(days=1)),
        replace(SPEC, kind=CodeKind.PERCENT, amount=None, percent=None),
        replace(SPEC, kind=CodeKind.PERCENT, amount=None, percent=0),
        replace(SPEC, kind=CodeKind.PERCENT, amount=None, percent=101),
        replace(SPEC, amount=None),
        replace(SPEC, amount=Money(0, "USD")),
        replace(SPEC, amount=Money(-500, "USD")),
    ],
)
def test_what_a_coupon_cannot_say_is_unsupported(spec: CodeSpec) -> None:
    shop = WooShop()
    with pytest.raises(Refused, match="unsupported"):
        _client(shop).issue_code(spec)
    assert shop.coupons == {}


def test_an_expired_coupon_is_dead_by_the_shops_own_clock() -> None:
    shop = WooShop()
    client = _client(shop)
    client.issue_code(replace(SPEC, expires_at=datetime(2026, 11, 21, 18, 31, tzinfo=UTC)))
    found = client.find_code(SPEC.code)
    assert found
    assert found.live
    client.withdraw_code(SPEC.code, SPEC.tag)
    client.issue_code(replace(SPEC, expires_at=datetime(2026, 11, 21, 18, 30, tzinfo=UTC)))
    found = client.find_code(SPEC.code)
    assert found
    assert not found.live


def test_a_shop_that_ignores_drafts_loses_the_coupon_instead() -> None:
    shop = WooShop()
    client = _client(shop)
    client.issue_code(SPEC)

    def ignore(request: httpx.Request) -> httpx.Response | None:
        if request.method != "PUT":
            return None
        return httpx.Response(200, content=b'{"id":501}')

    shop.fault = ignore
    assert client.withdraw_code(SPEC.code, SPEC.tag) is None
    assert shop.coupons == {}


def test_a_code_that_outlives_its_withdrawal_is_tried_again() -> None:
    shop = WooShop()
    client = _client(shop)
    client.issue_code(SPEC)
    shop.fault = lambda request: (
        httpx.Response(200, content=b'{"id":501}') if request.method != "GET" else None
    )
    with pytest.raises(Retryable):
        client.withdraw_code(SPEC.code, SPEC.tag)


def test_every_topic_reaches_us_exactly_once() -> None:
    shop = WooShop()
    client = _client(shop)
    made = client.ensure_webhooks(ADDRESS, "secret-1")
    assert all(state.healthy and state.repaired for state in made)
    again = client.ensure_webhooks(ADDRESS, "secret-1")
    assert all(state.healthy and not state.repaired for state in again)
    assert len(shop.webhooks) == len(made) == 9
    assert {hook["secret"] for hook in shop.webhooks.values()} == {"secret-1"}
    assert {hook["delivery_url"] for hook in shop.webhooks.values()} == {ADDRESS}


@pytest.mark.parametrize("status", ["disabled", "paused"])
def test_a_webhook_that_was_switched_off_is_made_anew(status: str) -> None:
    """Revived, it would keep its six failures and be switched off at the next."""
    shop = WooShop()
    client = _client(shop)
    client.ensure_webhooks(ADDRESS, "secret-1")
    off = next(iter(shop.webhooks.values()))
    off["status"] = status
    states = client.ensure_webhooks(ADDRESS, "secret-1")
    assert [state.topic for state in states if state.repaired] == [off["topic"]]
    assert off["id"] not in shop.webhooks
    assert len(shop.webhooks) == 9


def test_duplicates_go_a_new_secret_is_set_and_a_new_address_takes_over() -> None:
    shop = WooShop()
    client = _client(shop)
    client.ensure_webhooks(ADDRESS, "secret-1")
    first = min(shop.webhooks)
    shop.webhooks[900] = shop.webhooks[first] | {"id": 900}
    foreign = shop.webhooks[901] = shop.webhooks[first] | {
        "id": 901,
        "name": "An accountant's",
        "delivery_url": "https://accountant.example/hook",
    }
    client.ensure_webhooks(ADDRESS, "secret-1")
    assert 900 not in shop.webhooks
    client.ensure_webhooks(ADDRESS, "secret-2")
    ours = [hook for hook in shop.webhooks.values() if hook is not foreign]
    assert {hook["secret"] for hook in ours} == {"secret-2"}
    client.ensure_webhooks(f"{ADDRESS}-moved", "secret-2")
    ours = [hook for hook in shop.webhooks.values() if hook is not foreign]
    assert [hook["delivery_url"] for hook in ours] == [f"{ADDRESS}-moved"] * 9
    client.remove_webhooks(f"{ADDRESS}-moved")
    assert list(shop.webhooks.values()) == [foreign]


def test_webhooks_without_a_secret_are_refused() -> None:
    with pytest.raises(Refused, match="unsupported"):
        _client(WooShop()).ensure_webhooks(ADDRESS, None)


def _client(shop: WooShop) -> WooClient:
    return WooClient(PLATFORM.access, Seam(shop))


def _answering(name: str) -> WooClient:
    """Of a shop that has this one recorded answer, at the time of the recordings."""
    shop = WooShop()
    shop.fault = lambda request: httpx.Response(
        200, content=recorded.answer(name), headers={"date": "Sun, 22 Nov 2026 00:15:00 GMT"}
    )
    return _client(shop)


def _watched(shop: WooShop, watch: Callable[[httpx.Request], None]) -> WooShop:
    shop.fault = lambda request: watch(request)
    return shop


def _pages(shop: WooShop) -> Callable[[httpx.Request], httpx.Response | None]:
    """Lists orders as a shop does: both ends of the window left out, by time of change, a hundred a page."""

    def answer(request: httpx.Request) -> httpx.Response:
        query = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        assert query["dates_are_gmt"] == "true"
        orders = [
            order
            for order, _ in shop.orders.values()
            if query["status"] == "any"
            and query["modified_after"] < order["date_modified_gmt"] < query["modified_before"]
        ]
        orders.sort(key=lambda order: (order["date_modified_gmt"], order["id"]))
        start = (int(query["page"]) - 1) * 100
        return httpx.Response(200, json=orders[start : start + 100])

    return answer


def test_a_coupon_that_was_used_is_dead_and_says_so() -> None:
    seen = _answering("coupon-used").find_code("LRL-EM2D3EAP60W6GPQ3")
    assert seen is not None
    assert (seen.code, seen.live, seen.uses, seen.uses_left) == ("lrl-em2d3eap60w6gpq3", False, 1, 0)
    assert (seen.kind, seen.value, seen.customer_ref) == (CodeKind.AMOUNT, "5.00", "2")


def test_a_coupon_of_9_9_keeps_its_case_and_is_the_same_code() -> None:
    seen = _answering("coupon-used-9.9").find_code("lrl-527j4qaqz9816njp")
    assert seen is not None
    assert (seen.code, seen.live, seen.uses_left) == ("LRL-527J4QAQZ9816NJP", False, 0)


def test_a_coupon_that_a_guest_used_is_dead_before_and_after_staff_trash_it() -> None:
    for name, status in (("coupon-used-by-a-guest", "publish"), ("coupon-trashed", "trash")):
        coupon = decode(recorded.answer(name), Coupon)
        seen = codes.found(coupon, SINCE)
        assert (coupon.status, seen.live, seen.uses, seen.customer_ref) == (status, False, 1, None)


def test_the_orders_of_a_code_are_found_by_the_shops_search() -> None:
    (order,) = set(_answering("orders-by-code").orders_with_code("LRL-EM2D3EAP60W6GPQ3"))
    assert (order.order_ref, order.codes_used) == ("120", ("lrl-em2d3eap60w6gpq3",))
    assert _answering("orders-by-code").orders_with_code("LRL-EM2D3EAP60W6GPQ") == []


def test_a_withdrawn_coupon_is_a_draft_that_nobody_can_use() -> None:
    coupon = decode(recorded.answer("coupon-withdrawn"), Coupon)
    assert codes.found(coupon, SINCE).live is False
    assert codes.found(structs.replace(coupon, status="publish"), SINCE).live is True


def test_a_deleted_refund_leaves_the_date_of_change_and_the_status_alone() -> None:
    """Read after 11.00 and 5.50 of four refunds had been deleted: only the list of refunds tells."""
    (digest,) = _answering("digests-refunds-deleted").order_digests(["110"]).values()
    assert isinstance(digest, OrderDigest)
    assert digest.refunds == {"113": "-8.25", "130": "-21.99"}
    assert digest.updated_at == datetime(2026, 11, 21, 23, 56, 17, tzinfo=UTC)  # the last refund's making
