"""POST /admin/api/2026-10/graphql.json: tokens, cost, faults, and the real schema executed on the shop's state."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, g, request
from graphql import GraphQLError, GraphQLResolveInfo, execute_sync

from sandbox.faults import AFTER_APPLYING, HANG_HEADER, FaultKind
from sandbox.shopify import bulk, paging
from sandbox.shopify import fields_customers as customers
from sandbox.shopify import fields_discounts as discounts
from sandbox.shopify import fields_flow as flow
from sandbox.shopify import fields_metafields as metafields
from sandbox.shopify import fields_money as given
from sandbox.shopify import fields_orders as orders
from sandbox.shopify import fields_parts as parts
from sandbox.shopify import fields_site as site
from sandbox.shopify.base import API_VERSION
from sandbox.shopify.bucket import Bucket
from sandbox.shopify.schema import admin_schema, answer_name, checked, cost_of, root_fields
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Credit, Customer, Discount, Order, Product, Subscription
from sandbox.shopify.typed import Fields, Of

_BAD_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"
_STATUS = {
    FaultKind.SERVER_ERROR: 500,
    FaultKind.SERVER_ERROR_AFTER: 500,
    FaultKind.BAD_GATEWAY: 502,
    FaultKind.UNAVAILABLE: 503,
}

FIELDS: Mapping[str, Fields] = {
    "Order": orders.ORDER,
    "LineItem": parts.LINE,
    "Product": parts.PRODUCT,
    "Refund": parts.REFUND,
    "RefundLineItem": parts.REFUND_LINE,
    "OrderTransaction": parts.TRANSACTION,
    "DiscountCodeApplication": parts.APPLICATION,
    "ManualDiscountApplication": parts.APPLICATION,
    "ShippingLine": parts.SHIPPING,
    "Customer": customers.CUSTOMER,
    "CustomerEmailAddress": customers.EMAIL,
    "DiscountCodeBasic": discounts.DISCOUNT,
    "DiscountCodeFreeShipping": discounts.DISCOUNT,
    "DiscountCodeBxgy": discounts.DISCOUNT,
    "DiscountRedeemCode": discounts.REDEEM_CODE,
    "GiftCard": given.GIFT_CARD,
    "StoreCreditAccount": {"transactions": given.transactions},
    "StoreCreditAccountCreditTransaction": given.CREDIT,
    "Shop": site.SHOP,
    "AppInstallation": site.INSTALLATION,
    "WebhookSubscription": site.SUBSCRIPTION,
    "QueryRoot": {
        "shop": lambda shop, _, __: shop,
        "currentAppInstallation": lambda _, __, ___: {},
        "order": lambda shop, _, args: _node(shop, args["id"], "Order"),
        "customer": lambda shop, _, args: _node(shop, args["id"], "Customer"),
        "node": lambda shop, _, args: _node(shop, args["id"]),
        "nodes": lambda shop, _, args: [_node(shop, identity) for identity in args["ids"]],
        "orders": lambda shop, _, args: orders.find_orders(shop, args),
        "ordersCount": lambda shop, _, args: {
            **_counted(shop, args),
        },
        "codeDiscountNodeByCode": lambda shop, _, args: discounts.code_node(
            shop.discount_named(args["code"])
        ),
        "codeDiscountNode": lambda shop, _, args: discounts.code_node(discounts.by_gid(shop, args["id"])),
        "discountNode": lambda shop, _, args: discounts.discount_node(discounts.by_gid(shop, args["id"])),
        "discountNodes": lambda shop, _, args: discounts.find_discounts(shop, args),
        "giftCard": lambda shop, _, args: given.gift_card_by_gid(shop, args["id"]),
        "giftCards": lambda shop, _, args: given.find_gift_cards(shop, args),
        "bulkOperation": lambda shop, _, args: bulk.find_one(shop, args["id"]),
        "bulkOperations": lambda shop, _, args: bulk.find(shop, args),
        "webhookSubscriptions": lambda shop, _, args: site.find_subscriptions(shop, args),
    },
    "Mutation": {
        "discountCodeBasicCreate": lambda shop, _, args: discounts.create(
            shop, "DiscountCodeBasic", "basicCodeDiscount", args["basicCodeDiscount"]
        ),
        "discountCodeFreeShippingCreate": lambda shop, _, args: discounts.create(
            shop, "DiscountCodeFreeShipping", "freeShippingCodeDiscount", args["freeShippingCodeDiscount"]
        ),
        "discountCodeBxgyCreate": lambda shop, _, args: discounts.create(
            shop, "DiscountCodeBxgy", "bxgyCodeDiscount", args["bxgyCodeDiscount"]
        ),
        "giftCardCreate": lambda shop, _, args: given.create_gift_card(shop, args["input"]),
        "giftCardDeactivate": lambda shop, _, args: given.deactivate_gift_card(shop, args["id"]),
        "storeCreditAccountCredit": lambda shop, _, args: given.credit(shop, args["id"], args["creditInput"]),
        "discountCodeDeactivate": lambda shop, _, args: discounts.deactivate(shop, args["id"]),
        "discountCodeActivate": lambda shop, _, args: discounts.activate(shop, args["id"]),
        "discountCodeDelete": lambda shop, _, args: discounts.delete(shop, args["id"]),
        "metafieldDefinitionCreate": lambda shop, _, args: metafields.define(shop, args["definition"]),
        "metafieldDefinitionDelete": lambda shop, _, args: metafields.undefine(
            shop, args["identifier"], args.get("deleteAllAssociatedMetafields", False)
        ),
        "metafieldsSet": lambda shop, _, args: metafields.set_metafields(shop, args["metafields"]),
        "metafieldsDelete": lambda shop, _, args: metafields.delete_metafields(shop, args["metafields"]),
        "tagsAdd": lambda shop, _, args: metafields.change_tags(shop, args["id"], args["tags"], add=True),
        "tagsRemove": lambda shop, _, args: metafields.change_tags(shop, args["id"], args["tags"], add=False),
        "bulkOperationRunQuery": lambda shop, _, args: bulk.run(
            shop, args["query"], grouped=args["groupObjects"], carry_out=_carried_out
        ),
        "flowTriggerReceive": lambda shop, _, args: flow.receive(shop, args),
        "webhookSubscriptionCreate": lambda shop, _, args: site.subscribe(
            shop, args["topic"], args["webhookSubscription"]
        ),
        "webhookSubscriptionUpdate": lambda shop, _, args: site.change(
            shop, args["id"], args["webhookSubscription"]
        ),
        "webhookSubscriptionDelete": lambda shop, _, args: site.unsubscribe(shop, args["id"]),
    },
}
# What a root field needs; the real server says so in `requiredAccess` of each field.
SCOPES = {
    "order": "read_orders",
    "orders": "read_orders",
    "ordersCount": "read_orders",
    "customer": "read_customers",
    "codeDiscountNodeByCode": "read_discounts",
    "codeDiscountNode": "read_discounts",
    "discountNode": "read_discounts",
    "discountNodes": "read_discounts",
    "discountCodeBasicCreate": "write_discounts",
    "discountCodeFreeShippingCreate": "write_discounts",
    "discountCodeBxgyCreate": "write_discounts",
    # Of customers, which is all that the stand-in keeps them of.
    **dict.fromkeys(("metafieldDefinitionCreate", "metafieldDefinitionDelete"), "write_customers"),
    **dict.fromkeys(("metafieldsSet", "metafieldsDelete", "tagsAdd", "tagsRemove"), "write_customers"),
    "giftCard": "read_gift_cards",
    "giftCards": "read_gift_cards",
    "giftCardCreate": "write_gift_cards",
    "giftCardDeactivate": "write_gift_cards",
    "storeCreditAccountCredit": "write_store_credit_account_transactions",
    "discountCodeDeactivate": "write_discounts",
    "discountCodeActivate": "write_discounts",
    "discountCodeDelete": "write_discounts",
}
# … and what a line is of. Without it the field is null, with an error beside it, and the order is told all the same.
LINE_SCOPES = {"product": "read_products", "variant": "read_products"}
PRODUCT_SCOPES = {"tags": "read_products", "collections": "read_products"}
CUSTOMER_SCOPES = {"storeCreditAccounts": "read_store_credit_accounts"}


def make(shop: Shop) -> Blueprint:
    api = Blueprint("admin", __name__)
    bucket = Bucket(shop.clock)
    shop.bucket = bucket

    @api.post("/admin/api/<version>/graphql.json")
    def graphql(version: str) -> Response:
        if version != API_VERSION:
            return _json({"errors": "Not Found"}, 404)
        token = shop.find_token(request.headers.get("X-Shopify-Access-Token", ""))
        if token is None:
            return _json({"errors": _BAD_TOKEN}, 401)
        g.scopes = token.scopes
        body = request.get_json()
        return answer(shop, bucket, body["query"], body.get("variables") or {}, body.get("operationName"))

    return api


def answer(shop: Shop, bucket: Bucket, query: str, variables: dict[str, Any], name: str | None) -> Response:
    try:
        document, wrong = checked(query)
    except GraphQLError as error:
        return _json({"errors": [error.formatted]})
    if wrong:
        return _json(
            {"errors": [{**error.formatted, "extensions": {"code": "undefinedField"}} for error in wrong]}
        )
    roots = root_fields(document, name) or ["?"]
    kind = shop.faults.pick(roots, ref=_ref(variables), at=shop.clock())
    cost = cost_of(document, name)
    if kind is FaultKind.THROTTLED or not bucket.take(cost):
        return _json(bucket.throttled(cost))
    if kind is FaultKind.REJECTED:
        if roots[0] in FIELDS["Mutation"]:
            refusal = {"field": None, "code": "INVALID", "message": "Something is not as it should be."}
            return _json({"data": {answer_name(document, name): {"userErrors": [refusal]}}})
        kind = None
    if kind is not None and kind not in AFTER_APPLYING:
        return faulty(shop, kind)
    with shop.act():
        result = execute_sync(
            admin_schema(),
            document,
            context_value=shop,
            variable_values=variables,
            operation_name=name,
            field_resolver=_resolve,
            type_resolver=_type,
        )
    if kind is not None:
        return faulty(shop, kind)
    told: dict[str, Any] = {"data": result.data} if result.data is not None else {}
    if result.errors:
        told["errors"] = [error.formatted for error in result.errors]
    return _json({**told, "extensions": bucket.extensions(cost)})


def _carried_out(shop: Shop, query: str) -> list[dict[str, Any]]:
    with paging.whole():
        result = execute_sync(
            admin_schema(),
            checked(query)[0],
            context_value=shop,
            field_resolver=_resolve,
            type_resolver=_type,
        )
    if result.errors:
        raise result.errors[0]
    (found,) = (result.data or {}).values()
    return [edge["node"] for edge in found["edges"]]


def _counted(shop: Shop, args: dict[str, Any]) -> dict[str, Any]:
    with paging.whole():
        count = len(orders.find_orders(shop, args)["nodes"])
    limit = args.get("limit") or count
    return {"count": min(count, limit), "precision": "EXACT" if count <= limit else "AT_LEAST"}


def _resolve(source: Any, info: GraphQLResolveInfo[Shop], **args: Any) -> Any:
    shop = info.context
    kind, field = info.parent_type.name, info.field_name
    known = FIELDS.get(kind, {})
    if field in known:
        if kind in ("QueryRoot", "Mutation"):
            _check_scope(field, SCOPES.get(field))
        if kind == "LineItem":
            _check_scope(field, LINE_SCOPES.get(field))
        if kind == "Product":
            _check_scope(field, PRODUCT_SCOPES.get(field))
        if kind == "Customer":
            _check_scope(field, CUSTOMER_SCOPES.get(field))
        return known[field](shop, source, args)
    if isinstance(source, Mapping) and field in source:
        return source[field]
    raise GraphQLError(f"The stand-in does not know {kind}.{field}: add it to sandbox/shopify/fields_*.py.")


def _check_scope(field: str, needed: str | None) -> None:
    if needed is not None and needed not in g.scopes and needed.replace("read_", "write_") not in g.scopes:
        text = f"Access denied for {field} field. Required access: `{needed}` access scope."
        raise GraphQLError(text, extensions={"code": "ACCESS_DENIED"})


def _type(value: Any, _info: GraphQLResolveInfo[Shop], _abstract: Any) -> str:
    if isinstance(value, Mapping):
        return str(value["__typename"])
    if isinstance(value, Of):
        return parts.typename(value)
    if isinstance(value, Discount):
        return value.kind
    if isinstance(value, Credit):
        return "StoreCreditAccountCreditTransaction"
    return {Order: "Order", Customer: "Customer", Product: "Product", Subscription: "WebhookSubscription"}[
        type(value)
    ]


def _node(shop: Shop, identity: str, only: str | None = None) -> Any:
    kind, _, number = identity.removeprefix("gid://shopify/").partition("/")
    if (only is not None and kind != only) or not number.isdigit():
        return None
    match kind:
        case "Order":
            return orders.find_order(shop, int(number))
        case "Customer":
            return shop.customers.get(int(number))
        case "Product":
            return shop.products.get(int(number))
        case "DiscountCodeNode":
            return discounts.code_node(shop.discounts.get(int(number)))
        case "DiscountNode":
            return discounts.discount_node(shop.discounts.get(int(number)))
        case "WebhookSubscription":
            return shop.subscriptions.get(int(number))
        case "Refund":
            return orders.find_refund(shop, int(number))
        case _:
            raise GraphQLError(f"The stand-in has no {kind}.")


def faulty(shop: Shop, kind: FaultKind) -> Response:
    if kind in (FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER):
        return Response(b"", status=504, headers={HANG_HEADER: "1"})
    if kind is FaultKind.MALFORMED:
        return Response(b"<!DOCTYPE html><title>Something went wrong</title>", status=200)
    if kind is FaultKind.TOO_MANY_REQUESTS:
        return _json({"errors": "Throttled"}, 429, {"Retry-After": "2.0"})
    if kind is FaultKind.FORBIDDEN:
        return _json({"errors": "[API] This action requires merchant approval for a scope."}, 403)
    if kind in (FaultKind.UNAUTHORIZED, FaultKind.REVOKED):
        if kind is FaultKind.REVOKED:
            shop.revoke_tokens()
        return _json({"errors": _BAD_TOKEN}, 401)
    return Response(b"<html><body>Something went wrong</body></html>", status=_STATUS[kind])


def _ref(variables: dict[str, Any]) -> str:
    """The order or code that a call is about, for the log of faults."""
    for value in variables.values():
        if isinstance(value, str):
            return value
        if isinstance(value, Mapping) and "code" in value:
            return str(value["code"])
        if isinstance(value, list) and value:
            return str(value[0])
    return ""


def _json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    response = Response(text, status=status, content_type="application/json; charset=utf-8")
    response.headers["X-Shopify-API-Version"] = API_VERSION
    response.headers["X-Request-Id"] = "5d1a2b3c-0000-4000-a000-000000000000"
    response.headers.update(headers or {})
    return response
