"""The shop pages: a shopper buys with a code, staff refund, and the widget stands there with what it needs."""

import re

import httpx
import jwt

from sandbox.shopify import Shop as ShopifyShop
from sandbox.woocommerce import Shop as WooShop

WIDGET = {
    "script": "https://laurel.example/widget/laurel.js",
    "api": "https://laurel.example/storefront/v1",
    "shop": "fern",
}


def widget(page: str) -> dict[str, str]:
    found = re.search(r"<laurel-widget ([^>]*)>", page)
    return dict(re.findall(r'([\w-]+)="([^"]*)"', found[1])) if found else {}


def test_a_woocommerce_shopper_buys_with_a_code_and_staff_refund(woo: WooShop, woo_api: httpx.Client) -> None:
    api = woo_api
    api.base_url = httpx.URL(woo.url)
    alice = woo.create_customer("alice@example.test", "Alice")
    mug = woo.product("Mug", "10.00")
    woo.create_coupon("FIVE", "5.00")
    api.post("/login", data={"customer": str(alice.id)})
    api.post("/cart", data={"product": str(mug.id), "quantity": "2"})
    api.post("/checkout", data={"code": "nope"})
    assert "does not exist" in api.get("/").text
    api.post("/checkout", data={"code": "five"})
    order = next(iter(woo.orders.values()))
    assert (order.customer_id, str(order.total)) == (alice.id, "16.50")
    for verb, status in (
        ("pay", "processing"),
        ("refund-one", "processing"),
        ("refund", "refunded"),
        ("trash", "trash"),
    ):
        api.post(f"/orders/{order.id}/{verb}")
        assert order.status == status
    assert "Alice" in api.get("/").text


def test_the_woocommerce_page_signs_a_token_for_a_quarter_of_an_hour(
    woo: WooShop, woo_api: httpx.Client
) -> None:
    woo.widget = dict(WIDGET)
    woo_api.base_url = httpx.URL(woo.url)
    assert "token" not in widget(woo_api.get("/").text)
    assert woo_api.get("/laurel-token").status_code == 403
    alice = woo.create_customer("alice@example.test")
    woo_api.post("/login", data={"customer": str(alice.id)})
    shown = widget(woo_api.get("/").text)
    assert (shown["api"], shown["shop"], shown["refresh-url"]) == (WIDGET["api"], "fern", "/laurel-token")
    fresh = woo_api.get("/laurel-token").json()["token"]
    for token in (shown["token"], fresh):
        told = jwt.decode(token, woo.widget_secret, algorithms=["HS256"], options={"verify_exp": False})
        assert (told["sub"], told["exp"] - told["iat"]) == (str(alice.id), 900)


def test_a_shopify_shopper_buys_and_staff_fulfil_refund_and_cancel(
    acme: ShopifyShop, acme_api: httpx.Client
) -> None:
    mug = acme.product("Mug", "10.00")
    acme_api.post("/codes", data={"code": "FIVE", "amount": "5.00"})
    acme_api.post("/cart", data={"product": str(mug.id), "quantity": "2"})
    acme_api.post("/checkout", data={"email": "guest@example.test", "code": "five"})
    order = next(iter(acme.orders.values()))
    seen = [acme.sums(order).financial_status]
    for verb in ("fulfil", "refund-one", "refund", "cancel"):
        acme_api.post(f"/orders/{order.id}/{verb}")
        seen.append(acme.sums(order).financial_status)
    assert seen == ["paid", "paid", "partially_refunded", "refunded", "refunded"]
    assert "FIVE" in acme_api.get("/").text
    acme_api.post(f"/orders/{order.id}/delete")
    assert acme.orders == {}


def test_the_shopify_page_talks_through_its_proxy(acme: ShopifyShop, acme_api: httpx.Client) -> None:
    acme.widget = {"script": WIDGET["script"], "shop": "acme"}
    shown = widget(acme_api.get("/").text)
    assert (shown["api"], shown["shop"], "token" in shown) == ("/apps/laurel", "acme", False)
