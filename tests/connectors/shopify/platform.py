"""Shopify in the contract tests: the fixtures, and a shop that keeps discount codes and executes the real schema."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from connectors.base import InstallRequest, ShopAccess
from tests.connectors.shopify.admin import SHOP, Admin, connection, order_node, refund_node

HERE = Path(__file__).parent
TOKEN = "shpat_a_token_of_the_stories"
CLIENT_SECRET = "shpss_a_secret_of_the_stories"
MUTATIONS = (
    "discountCodeBasicCreate",
    "discountCodeFreeShippingCreate",
    "discountCodeDeactivate",
    "webhookSubscriptionCreate",
    "webhookSubscriptionUpdate",
    "webhookSubscriptionDelete",
)
CUSTOMER = {
    "id": "gid://shopify/Customer/77",
    "firstName": "Alice",
    "lastName": "Archer",
    "verifiedEmail": True,
    "defaultEmailAddress": {"emailAddress": "alice@example.test"},
}


class Shop(Admin):
    """One shop with one customer, its orders, codes and subscriptions."""

    def __init__(self, *bodies: Any) -> None:
        super().__init__()
        self.fault: Callable[[httpx.Request], httpx.Response | None] | None = None
        self.handle = self._handle
        self.nodes: dict[str, Any] = {}
        self.discounts: list[dict[str, Any]] = []
        self.subscriptions: list[dict[str, Any]] = []
        self.scopes = ["read_orders", "write_discounts"]
        self.customer: dict[str, Any] | None = CUSTOMER
        self.searched: list[str] = []
        for body in bodies:
            self.add_order(body)
        self.resolve = {
            "shop": self._shop,
            "currentAppInstallation": lambda: {"accessScopes": [{"handle": scope} for scope in self.scopes]},
            "nodes": lambda ids: [self.nodes.get(each) for each in ids],
            "node": lambda id: self._node(id),  # noqa: A006 - the schema's word
            "orders": self._orders,
            "customer": lambda id: self.customer if id == CUSTOMER["id"] else None,  # noqa: A006
            "codeDiscountNodeByCode": self._by_code,
            "discountNodes": self._discounts,
            **dict.fromkeys(MUTATIONS, self._made),
            "webhookSubscriptions": lambda **arguments: connection(self.subscriptions)(**arguments),
        }

    def add_order(self, body: Any, *, page_size: int | None = None) -> None:
        self.nodes[body["admin_graphql_api_id"]] = order_node(body, page_size=page_size)
        for refund in body["refunds"]:
            self.nodes[refund["admin_graphql_api_id"]] = refund_node(refund, page_size=page_size)

    def codes_named(self, code: str) -> int:
        return sum(each["status"] == "ACTIVE" and _named(each, code) for each in self.discounts)

    def add_foreign_code(self, code: str) -> None:
        self._add({"title": "Theirs", "code": code, "startsAt": "2026-01-01T00:00:00Z", "tags": ["summer"]})

    # --- What is behind each root field ------------------------------------------------------------------------

    def _shop(self) -> Any:
        return {
            "name": "Acme",
            "myshopifyDomain": SHOP,
            "currencyCode": "USD",
            "ianaTimezone": "America/New_York",
            "primaryDomain": {"url": "https://acme.example"},
        }

    def _node(self, gid: str) -> Any:
        node = self.nodes.get(gid)
        if isinstance(node, Exception):
            raise node
        return node

    def _orders(self, query: str, **arguments: Any) -> Any:
        self.searched.append(query)
        orders = [node for gid, node in self.nodes.items() if "/Order/" in gid]
        return connection(orders)(**arguments)

    def _by_code(self, code: str) -> Any:
        return next((self._discount_node(each) for each in self.discounts if _named(each, code)), None)

    def _discounts(self, query: str, **arguments: Any) -> Any:
        self.searched.append(query)
        nodes = [self._discount_node(each, "discount") for each in self.discounts]
        return connection(nodes)(**arguments)

    def _discount_node(self, discount: dict[str, Any], field: str = "codeDiscount") -> Any:
        kind = "DiscountCodeNode" if field == "codeDiscount" else "DiscountNode"
        return {
            "__typename": kind,
            "id": f"gid://shopify/DiscountCodeNode/{discount['number']}",
            field: discount,
        }

    def _made(self, **arguments: Any) -> Any:
        """Which mutation it is shows in its arguments."""
        match arguments:
            case {"basicCodeDiscount": wanted} | {"freeShippingCodeDiscount": wanted}:
                return self._create(wanted)
            case {"topic": topic, "webhookSubscription": wanted}:
                self._subscribe(topic, wanted["uri"])
            case {"id": gid, "webhookSubscription": wanted}:
                next(each for each in self.subscriptions if each["id"] == gid)["uri"] = wanted["uri"]
            case {"id": gid} if "/WebhookSubscription/" in gid:
                self.subscriptions = [each for each in self.subscriptions if each["id"] != gid]
            case {"id": gid}:
                discount = next(each for each in self.discounts if gid.endswith(f"/{each['number']}"))
                discount["status"] = "EXPIRED"
                return {"codeDiscountNode": self._discount_node(discount), "userErrors": []}
        return {"userErrors": []}

    def subscribe(self, topic: str, uri: str) -> None:
        self._subscribe(topic, uri)

    def _subscribe(self, topic: str, uri: str) -> None:
        number = len(self.subscriptions) + 1
        self.subscriptions.append(
            {"id": f"gid://shopify/WebhookSubscription/{number}", "topic": topic, "uri": uri}
        )

    def _create(self, wanted: Mapping[str, Any]) -> Any:
        if self._by_code(wanted["code"]):
            return _refused("TAKEN", "code")
        if wanted["context"]["customers"]["add"] != [CUSTOMER["id"]]:
            return _refused("INVALID", "context", "customers", "add")
        return {"codeDiscountNode": self._discount_node(self._add(wanted)), "userErrors": []}

    def _add(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        minimum = (wanted.get("minimumRequirement") or {}).get("subtotal")
        customers = (wanted.get("context") or {}).get("customers", {}).get("add", [])
        gets = wanted.get("customerGets")
        discount: dict[str, Any] = {
            "__typename": "DiscountCodeBasic"
            if gets or "destination" not in wanted
            else "DiscountCodeFreeShipping",
            "number": 900 + len(self.discounts),
            "title": wanted["title"],
            "status": "ACTIVE",
            "startsAt": wanted["startsAt"],
            "endsAt": wanted.get("endsAt"),
            "usageLimit": wanted.get("usageLimit"),
            "appliesOncePerCustomer": wanted.get("appliesOncePerCustomer", False),
            "asyncUsageCount": 0,
            "tags": wanted["tags"],
            "codes": connection([{"code": wanted["code"]}]),
            "combinesWith": wanted.get(
                "combinesWith",
                {"orderDiscounts": False, "productDiscounts": False, "shippingDiscounts": False},
            ),
            "context": {"__typename": "DiscountCustomers", "customers": [{"id": each} for each in customers]},
            "minimumRequirement": minimum
            and {
                "__typename": "DiscountMinimumSubtotal",
                "greaterThanOrEqualToSubtotal": _usd(minimum["greaterThanOrEqualToSubtotal"]),
            },
            "customerGets": {
                "items": {"__typename": "AllDiscountItems"},
                "value": _value(gets["value"] if gets else {"percentage": 0.2}),
            },
            "destinationSelection": {"__typename": "DiscountCountryAll"},
            "maximumShippingPrice": None,
        }
        self.discounts.append(discount)
        return discount


def _named(discount: Mapping[str, Any], code: str) -> bool:
    named: bool = discount["codes"]()["nodes"][0]["code"].casefold() == code.casefold()
    return named


def _value(wanted: Mapping[str, Any]) -> Any:
    if "percentage" in wanted:
        return {"__typename": "DiscountPercentage", "percentage": wanted["percentage"]}
    amount = wanted["discountAmount"]
    return {
        "__typename": "DiscountAmount",
        "amount": _usd(amount["amount"]),
        "appliesOnEachItem": amount["appliesOnEachItem"],
    }


def _usd(amount: object) -> Any:
    return {"amount": str(amount), "currencyCode": "USD"}


def _refused(code: str, *field: str) -> Any:
    error = {"field": ["input", *field], "code": code, "message": "no"}
    return {"codeDiscountNode": None, "userErrors": [error]}


class Shopify:
    access = ShopAccess(
        shop_key="acme",
        shop_ref=SHOP,
        credentials={"mode": "own_app", "access_token": TOKEN, "client_secret": CLIENT_SECRET},
    )
    secrets_of_access = (TOKEN, CLIENT_SECRET)

    def tell(self, story: str) -> tuple[str, bytes]:
        (path,) = (HERE / "fixtures").glob(f"*__{story}.json")
        return path.name.split("__")[0].replace("-", "/"), path.read_bytes()

    def shop(self, story: str | None = None) -> Shop:
        return Shop(json.loads(self.tell(story)[1])) if story else Shop()

    def agreed(self, state: str) -> InstallRequest:
        """Shopify asks for consent itself and gives no state back: what comes is the page that fetches an id token."""
        query = {"shop": [SHOP], "shopify-reload": ["/install/shopify"]}
        url = (
            f"https://laurel.example/install/shopify/callback?shop={SHOP}&shopify-reload=%2Finstall%2Fshopify"
        )
        return InstallRequest(method="GET", url=url, query=query, headers={}, body=b"")


PLATFORM = Shopify()
