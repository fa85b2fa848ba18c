"""WooCommerce for the contract tests: its fixtures, and a small shop made of recorded answers."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx

from connectors.base import InstallRequest, ShopAccess
from tests.connectors.platforms import Fault
from tests.connectors.woocommerce import recorded

_KEY, _SECRET = "ck_" + "1" * 40, "cs_" + "2" * 40
_NOW = "Sat, 21 Nov 2026 18:30:00 GMT"


class WooShop:
    def __init__(self, orders: dict[str, tuple[dict[str, Any], bytes]] | None = None) -> None:
        self.fault: Fault | None = None
        self.orders = orders or {}
        self.coupons: dict[int, dict[str, Any]] = {}
        self.webhooks: dict[int, dict[str, Any]] = {}
        self.change_coupon: Callable[[dict[str, Any]], None] = lambda coupon: None
        self.emails = {"77": "alice@example.test"}
        self.checks_codes = True
        self.may_write = True
        self.calls: list[str] = []
        self._ids = iter(range(501, 999))

    def codes_named(self, code: str) -> int:
        return len(self._coupons_of(code))

    def add_foreign_code(self, code: str) -> None:
        self._make_coupon({"code": code, "amount": "50.00", "meta_data": []})

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/wp-json/").removeprefix("wc/v3/").split("/")
        query = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        body = json.loads(request.content or b"{}")
        self.calls.append(f"{request.method} {'/'.join(path)}")
        if request.method not in ("GET", "HEAD") and not self.may_write:
            return _error("keys-may-only-read")
        match request.method, *path:
            case "GET", "":
                return _ok(recorded.answer("site"))
            case "GET", "settings", "general", "woocommerce_currency":
                return _ok(recorded.answer("currency"))
            case "GET", "orders":
                return _ok(self._listed_orders(query))
            case "GET", "orders", ref:
                return _ok(self.orders[ref][0]) if ref in self.orders else _error("order-absent")
            case "GET", "orders", ref, "refunds":
                return _ok(self.orders[ref][1])
            case "GET", "customers", ref if ref in self.emails:
                return _ok(recorded.answer("customer", {"id": int(ref), "email": self.emails[ref]}))
            case "GET", "customers", _:
                return _error("customer-absent")
            case "GET", "coupons" if "code" in query:
                return _ok(self._coupons_of(query["code"]))
            case "GET", "coupons":
                return _ok([coupon for coupon in self.coupons.values() if coupon["status"] == "publish"])
            case "POST", "coupons" if self.checks_codes and self._coupons_of(body["code"]):
                return _error("coupon-exists")
            case "POST", "coupons":
                return _ok(self._make_coupon(body), 201)
            case method, "coupons", ref:
                return self._one(self.coupons, method, int(ref), body, "coupon-absent")
            case "GET", "webhooks":
                return _ok(list(self.webhooks.values()))
            case "POST", "webhooks":
                made = json.loads(recorded.answer("webhook-made")) | body | {"id": next(self._ids)}
                self.webhooks[made["id"]] = made
                return _ok(made, 201)
            case "POST", "webhooks", "batch" if not body:
                return _ok(recorded.answer("batch-empty"))
            case method, "webhooks", ref:
                return self._one(self.webhooks, method, int(ref), body, "coupon-absent")
            case _:
                return _error("no-route")

    def _listed_orders(self, query: dict[str, str]) -> list[dict[str, Any]]:
        wanted = query.get("include", "").split(",")
        trash = query.get("status") == "trash"
        orders = [order for order, _ in self.orders.values() if (order["status"] == "trash") == trash]
        if "search" in query:
            return [order for order in orders if query["search"].lower() in json.dumps(order["coupon_lines"])]
        return [order for order in orders if str(order["id"]) in wanted or wanted == [""]]

    def _coupons_of(self, code: str) -> list[dict[str, Any]]:
        """As seen on 10.9.1: a draft is not found by its code."""
        of_code = [coupon for coupon in self.coupons.values() if coupon["code"] == code.lower()]
        return [coupon for coupon in of_code if coupon["status"] == "publish"]

    def _make_coupon(self, body: dict[str, Any]) -> dict[str, Any]:
        coupon: dict[str, Any] = json.loads(recorded.answer("coupon-made")) | body | {"id": next(self._ids)}
        coupon["code"] = coupon["code"].lower()
        coupon["date_expires_gmt"] = coupon["date_expires"].removesuffix("Z")
        self.change_coupon(coupon)
        self.coupons[coupon["id"]] = coupon
        return coupon

    def _one(
        self, things: dict[int, dict[str, Any]], method: str, ref: int, body: dict[str, Any], absent: str
    ) -> httpx.Response:
        if ref not in things:
            return _error(absent)
        if method == "DELETE":
            return _ok(things.pop(ref))
        things[ref] |= body
        return _ok(things[ref])


class WooPlatform:
    secrets_of_access = (_KEY, _SECRET)
    access = ShopAccess(
        shop_key="woo",
        shop_ref="https://shop.example",
        credentials={"consumer_key": _KEY, "consumer_secret": _SECRET},
    )

    def tell(self, story: str) -> tuple[str, bytes]:
        stem = _stem(story)
        return stem.partition("__")[0], recorded.fixture(stem)[0]

    def shop(self, story: str | None = None) -> WooShop:
        if story is None:
            return WooShop()
        body, refunds = recorded.fixture(_stem(story))
        order = json.loads(body)
        return WooShop({str(order["id"]): (order, refunds)})

    def agreed(self, state: str) -> InstallRequest:
        keys = {
            "key_id": 3,
            "user_id": state,
            "consumer_key": _KEY,
            "consumer_secret": _SECRET,
            "key_permissions": "read_write",
        }
        return InstallRequest(
            method="POST",
            url="https://laurel.example/install/woocommerce/callback",
            query={},
            headers={"content-type": "application/json"},
            body=json.dumps(keys).encode(),
        )


PLATFORM = WooPlatform()


def _stem(story: str) -> str:
    (stem,) = (stem for stem in recorded.FIXTURES if stem.endswith(f"__{story}"))
    return stem


def _ok(body: bytes | Any, status: int = 200) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, content=content, headers={"date": _NOW})


def _error(name: str) -> httpx.Response:
    body = recorded.answer(name)
    return _ok(body, json.loads(body)["data"]["status"])
