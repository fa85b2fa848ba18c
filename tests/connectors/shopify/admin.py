"""A small Admin API for tests: it executes our operations against Shopify's real schema (2026-10), strictly.

It knows no business rules beyond what a test gives it; orders are the webhook bodies of the fixtures, told anew in
GraphQL's words here, apart from the code under test. The stand-in shop in `sandbox` has the rules.
"""

import gzip
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_client_schema,
    execute_sync,
    parse,
    validate,
)

SCHEMA = Path(__file__).parents[3] / "sandbox" / "shopify" / "admin_2026-10.json.gz"
SHOP = "acme.myshopify.com"

_FULFILMENT = {None: "UNFULFILLED", "partial": "PARTIALLY_FULFILLED", "fulfilled": "FULFILLED"}

Resolver = Callable[..., Any]


@cache
def schema() -> GraphQLSchema:
    introspection = json.loads(gzip.decompress(SCHEMA.read_bytes()))["data"]
    return build_client_schema(introspection, assume_valid=True)


@cache  # validating costs 50 ms, and operations are few
def valid(query: str) -> DocumentNode:
    document = parse(query)
    if errors := validate(schema(), document):
        raise AssertionError(errors)
    return document


class Admin:
    """`resolve["orders"]` answers the root field of that name; `answers` come first, as they are, one a call."""

    def __init__(self) -> None:
        self.resolve: dict[str, Resolver] = {}
        self.answers: list[httpx.Response | Exception] = []
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.tokens: list[str | None] = []
        self.urls: list[str] = []

    def client(self, *, allow_private: bool) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self._handle))

    def names(self) -> list[str]:
        """The operations asked, in order."""
        return [query.split(None, 2)[1].split("(")[0] for query, _ in self.asked]

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(str(request.url))
        self.tokens.append(request.headers.get("x-shopify-access-token"))
        asked = json.loads(request.content)
        if "query" in asked:
            self.asked.append((asked["query"], asked["variables"]))
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return httpx.Response(200, json=self._execute(asked))

    def _execute(self, asked: Mapping[str, Any]) -> Any:
        document = valid(asked["query"])
        result = execute_sync(
            schema(),
            document,
            variable_values=asked["variables"],
            field_resolver=self._field,
            type_resolver=lambda value, *_: value["__typename"],
        )
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [error.formatted for error in result.errors]
        return answer

    def _field(self, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        if source is None:
            return self.resolve[info.field_name](**arguments)
        value = source[info.field_name]
        if isinstance(value, Exception):
            raise value
        return value(**arguments) if callable(value) else value


def denied(message: str = "Access denied") -> GraphQLError:
    return GraphQLError(message, extensions={"code": "ACCESS_DENIED"})


def internal() -> GraphQLError:
    return GraphQLError("Internal error", extensions={"code": "INTERNAL_SERVER_ERROR"})


def throttled(requested: float, available: float, rate: float = 100.0) -> httpx.Response:
    status = {"maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": rate}
    return httpx.Response(
        200,
        json={
            "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
            "extensions": {
                "cost": {"requestedQueryCost": requested, "actualQueryCost": None, "throttleStatus": status}
            },
        },
    )


def connection(nodes: list[Any], size: int | None = None) -> Callable[..., Any]:
    """A connection that pages as Shopify's do; the cursor is the place of the last node."""

    def page(first: int = 50, after: str | None = None, **_: Any) -> Any:
        start = int(after) + 1 if after else 0
        shown = nodes[start : start + min(first, size or first)]
        end = start + len(shown)
        return {
            "nodes": shown,
            "pageInfo": {"hasNextPage": end < len(nodes), "endCursor": str(end - 1) if shown else None},
        }

    return page


def order_node(body: Any, *, page_size: int | None = None) -> dict[str, Any]:
    """A webhook's order as the API has it."""
    return {
        "__typename": "Order",
        "id": body["admin_graphql_api_id"],
        "name": body["name"],
        "email": body["email"],
        "currencyCode": body["currency"],
        "presentmentCurrencyCode": body["presentment_currency"],
        "taxesIncluded": body["taxes_included"],
        "displayFinancialStatus": body["financial_status"].upper(),
        "displayFulfillmentStatus": _FULFILMENT[body["fulfillment_status"]],
        "createdAt": body["created_at"],
        "processedAt": body["processed_at"],
        "cancelledAt": body["cancelled_at"],
        "updatedAt": body["updated_at"],
        "test": body["test"],
        "totalTipReceivedSet": {"shopMoney": _money(body["total_tip_received"], body["currency"])},
        "customer": body["customer"] and {"id": body["customer"]["admin_graphql_api_id"]},
        "discountCodes": [code["code"] for code in body["discount_codes"]],
        "sourceName": body["source_name"],
        "tags": [tag for tag in body["tags"].split(", ") if tag],
        "lineItems": connection([_line(line) for line in body["line_items"]], page_size),
        "shippingLines": connection(
            [
                {
                    "discountedPriceSet": _bag(line["discounted_price_set"]),
                    "taxLines": [{"priceSet": _bag(tax["price_set"])} for tax in line["tax_lines"]],
                }
                for line in body["shipping_lines"]
                if not line["is_removed"]
            ]
        ),
        "refunds": [refund_node(refund, page_size=page_size) for refund in body["refunds"]],
        "fulfillments": [
            {"createdAt": parcel["created_at"], "status": parcel["status"].upper()}
            for parcel in body["fulfillments"]
        ],
    }


def refund_node(refund: Any, *, page_size: int | None = None) -> dict[str, Any]:
    currency = refund["total_duties_set"]["shop_money"]["currency_code"]
    for line in refund["refund_line_items"]:
        currency = line["subtotal_set"]["shop_money"]["currency_code"]
    return {
        "__typename": "Refund",
        "id": refund["admin_graphql_api_id"],
        "createdAt": refund["created_at"],
        "processedAt": refund["processed_at"],
        "totalRefundedSet": {"shopMoney": _money("0.00", currency)},
        "refundLineItems": connection(
            [
                {
                    "quantity": line["quantity"],
                    "subtotalSet": _bag(line["subtotal_set"]),
                    "totalTaxSet": _bag(line["total_tax_set"]),
                    "lineItem": {"id": line["line_item"]["admin_graphql_api_id"]},
                }
                for line in refund["refund_line_items"]
            ],
            page_size,
        ),
        "refundShippingLines": connection(
            [
                {
                    "subtotalAmountSet": _bag(line["subtotal_amount_set"]),
                    "taxAmountSet": _bag(line["tax_amount_set"]),
                }
                for line in refund["refund_shipping_lines"]
            ]
        ),
        "orderAdjustments": connection(
            [{"amountSet": _bag(adjustment["amount_set"])} for adjustment in refund["order_adjustments"]]
        ),
        "transactions": connection(
            [
                {
                    "kind": paid["kind"].upper(),
                    "status": paid["status"].upper(),
                    "amountSet": {"shopMoney": _money(paid["amount"], paid["currency"])},
                }
                for paid in refund["transactions"]
            ]
        ),
        "duties": [],
    }


def _line(line: Any) -> dict[str, Any]:
    return {
        "id": line["admin_graphql_api_id"],
        "quantity": line["quantity"],
        "currentQuantity": line["current_quantity"],
        "isGiftCard": line["gift_card"],
        "requiresShipping": line["requires_shipping"],
        "taxable": line["taxable"],
        "originalUnitPriceSet": _bag(line["price_set"]),
        "taxLines": [{"priceSet": _bag(tax["price_set"])} for tax in line["tax_lines"]],
        "discountAllocations": [
            {"allocatedAmountSet": _bag(share["amount_set"])} for share in line["discount_allocations"]
        ],
        "vendor": line["vendor"],
        "product": _named("Product", line["product_id"] if line["product_exists"] else None),
        "variant": _named("ProductVariant", line["variant_id"] if line["product_exists"] else None),
        # A webhook of 2026-07 does not tell it; a body that has it is a later one.
        "sellingPlan": line.get("selling_plan_id")
        and {"sellingPlanId": f"gid://shopify/SellingPlan/{line['selling_plan_id']}"},
    }


def _named(kind: str, number: int | None) -> Any:
    return {"id": f"gid://shopify/{kind}/{number}"} if number else None


def _bag(money_set: Any) -> Any:
    shop = money_set["shop_money"]
    return {"shopMoney": _money(shop["amount"], shop["currency_code"])}


def _money(amount: str, currency: str) -> Any:
    return {"amount": amount, "currencyCode": currency}
