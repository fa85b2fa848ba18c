"""GraphQL fields and mutations of code discounts, with the rules that the real server keeps."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from graphql import GraphQLError

from sandbox.shopify.money import money
from sandbox.shopify.paging import connection, holds, terms_of
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Customer, Discount, Gift, gid
from sandbox.shopify.typed import Fields, iso

_BASIC, _SHIPPING, _GIFT = "DiscountCodeBasic", "DiscountCodeFreeShipping", "DiscountCodeBxgy"

DISCOUNT: Fields = {
    "title": lambda _, d, __: d.title,
    "status": lambda shop, d, __: d.status(shop.now()),
    "startsAt": lambda _, d, __: iso(d.starts),
    "endsAt": lambda _, d, __: iso(d.ends),
    "createdAt": lambda _, d, __: iso(d.created),
    "updatedAt": lambda _, d, __: iso(d.updated),
    "usageLimit": lambda _, d, __: d.usage_limit,
    "appliesOncePerCustomer": lambda _, d, __: d.once_per_customer,
    "asyncUsageCount": lambda shop, d, __: shop.usage_count(d),
    "tags": lambda _, d, __: d.tags,
    "summary": lambda _, d, __: d.title,
    "shortSummary": lambda _, d, __: d.title,
    "discountClasses": lambda _, d, __: [{_SHIPPING: "SHIPPING", _GIFT: "PRODUCT"}.get(d.kind, "ORDER")],
    "usesPerOrderLimit": lambda _, d, __: d.gift.per_order,
    "customerBuys": lambda _, d, __: {
        "items": {
            "__typename": "DiscountCollections",
            "collections": {"nodes": [{"id": gid("Collection", one)} for one in d.gift.collections]},
        },
        "value": {"__typename": "DiscountQuantity", "quantity": str(d.gift.pieces)}
        if d.gift.amount is None
        else {"__typename": "DiscountPurchaseAmount", "amount": str(d.gift.amount)},
    },
    "codesCount": lambda _, __, ___: {"count": 1, "precision": "EXACT"},
    "codes": lambda _, d, args: connection([{"discount": d}], args),
    "combinesWith": lambda _, d, __: {
        "orderDiscounts": d.combines.get("orderDiscounts", False),
        "productDiscounts": d.combines.get("productDiscounts", False),
        "shippingDiscounts": d.combines.get("shippingDiscounts", False),
    },
    "context": lambda shop, d, __: (
        {"__typename": "DiscountBuyerSelectionAll", "all": "ALL"}
        if d.customers is None
        else {"__typename": "DiscountCustomers", "customers": _customers(shop, d)}
    ),
    "customerSelection": lambda shop, d, __: (
        {"__typename": "DiscountCustomerAll", "allCustomers": True}
        if d.customers is None
        else {"__typename": "DiscountCustomers", "customers": _customers(shop, d)}
    ),
    "minimumRequirement": lambda shop, d, __: (
        {
            "__typename": "DiscountMinimumSubtotal",
            "greaterThanOrEqualToSubtotal": money(d.minimum, shop.currency),
        }
        if d.minimum is not None
        else None
    ),
    "customerGets": lambda shop, d, __: (
        _given(shop, d.gift)
        if d.gift is not None
        else {
            "appliesOnOneTimePurchase": True,
            "appliesOnSubscription": False,
            "items": {"__typename": "AllDiscountItems", "allItems": True},
            "value": {"__typename": "DiscountPercentage", "percentage": float(d.percentage)}
            if d.percentage is not None
            else {
                "__typename": "DiscountAmount",
                "amount": money(d.amount or Decimal(0), shop.currency),
                "appliesOnEachItem": d.on_each_item,
            },
        }
    ),
    "maximumShippingPrice": lambda shop, d, __: (
        None if d.maximum_shipping is None else money(d.maximum_shipping, shop.currency)
    ),
    "destinationSelection": lambda _, __, ___: {"__typename": "DiscountCountryAll", "allCountries": True},
    "appliesOnOneTimePurchase": lambda _, __, ___: True,
    "appliesOnSubscription": lambda _, __, ___: False,
    "recurringCycleLimit": lambda _, __, ___: None,
}

REDEEM_CODE: Fields = {
    "id": lambda _, source, __: gid("DiscountRedeemCode", source["discount"].code_id),
    "code": lambda _, source, __: source["discount"].code,
    "asyncUsageCount": lambda shop, source, __: shop.usage_count(source["discount"]),
    "createdBy": lambda shop, source, __: (
        {"id": gid("App", 1), "title": shop.app.handle} if source["discount"].by_app else None
    ),
}


def code_node(discount: Discount | None) -> dict[str, Any] | None:
    if discount is None:
        return None
    return {
        "__typename": "DiscountCodeNode",
        "id": gid("DiscountCodeNode", discount.id),
        "codeDiscount": discount,
    }


def discount_node(discount: Discount | None) -> dict[str, Any] | None:
    if discount is None:
        return None
    return {"__typename": "DiscountNode", "id": gid("DiscountNode", discount.id), "discount": discount}


def find_discounts(shop: Shop, args: dict[str, Any]) -> dict[str, Any]:
    terms = terms_of(args.get("query"))
    known: dict[str, Callable[[Discount], Any]] = {
        "tag": lambda d: d.tags,
        "status": lambda d: d.status(shop.now()),
        "code": lambda d: d.code,
        "title": lambda d: d.title,
        "updated_at": lambda d: d.updated,
        "created_at": lambda d: d.created,
        "starts_at": lambda d: d.starts,
        "ends_at": lambda d: d.ends or datetime.max.replace(tzinfo=UTC),
        "customer_ids": lambda d: [str(number) for number in d.customers or []],
        "times_used": lambda d: str(shop.usage_count(d)),
        "type": lambda _: ["all"],
        "method": lambda _: "code",
        "id": lambda d: str(d.id),
    }
    for term in terms:
        if term.name not in known:
            raise GraphQLError(f"The stand-in cannot search discounts by “{term.name}”.")
    rows = [d for d in shop.discounts.values() if all(holds(t, known[t.name](d)) for t in terms)]
    names = {"UPDATED_AT": "updated", "ID": "id", "STARTS_AT": "starts", "TITLE": "title"}
    by = names.get(args.get("sortKey", "CREATED_AT"), "created")

    def key(discount: Discount) -> tuple[Any, int]:
        return getattr(discount, by), discount.id

    page = connection(sorted(rows, key=key), args, key)
    page["nodes"] = [discount_node(discount) for discount in page["nodes"]]
    page["edges"] = [edge | {"node": discount_node(edge["node"])} for edge in page["edges"]]
    return page


def create(shop: Shop, kind: str, argument: str, asked: dict[str, Any]) -> dict[str, Any]:
    """discountCodeBasicCreate, …FreeShippingCreate and …BxgyCreate; every wrong wish is a userError."""
    error = _wrong(shop, kind, argument, asked)
    if error is not None:
        return {"codeDiscountNode": None, "userErrors": [error]}
    value = asked.get("customerGets", {}).get("value", {})
    amount = value.get("discountAmount") or {}
    gift = _asked_gift(asked) if kind == _GIFT else None
    minimum = ((asked.get("minimumRequirement") or {}).get("subtotal") or {}).get(
        "greaterThanOrEqualToSubtotal"
    )
    percentage = value.get("percentage")
    ends = asked.get("endsAt")
    discount = shop.create_discount(
        asked["code"],
        title=asked["title"],
        kind=kind,
        amount=amount.get("amount"),
        percentage=None if percentage is None else str(percentage),
        minimum=minimum,
        customers=_asked_customers(shop, asked),
        starts=_utc(asked["startsAt"]),
        ends=None if ends is None else _utc(ends),
        usage_limit=asked.get("usageLimit"),
        once_per_customer=bool(asked.get("appliesOncePerCustomer")),
        tags=asked.get("tags") or (),
        gift=gift,
        by_app=True,
    )
    discount.on_each_item = bool(amount.get("appliesOnEachItem"))
    discount.combines = dict(asked.get("combinesWith") or {})
    most = asked.get("maximumShippingPrice")
    discount.maximum_shipping = None if most is None else Decimal(most)
    return {"codeDiscountNode": code_node(discount), "userErrors": []}


def by_gid(shop: Shop, identity: str) -> Discount | None:
    kind, _, number = identity.removeprefix("gid://shopify/").partition("/")
    known = kind in ("DiscountCodeNode", "DiscountNode") and number.isdigit()
    return shop.discounts.get(int(number)) if known else None


def deactivate(shop: Shop, identity: str) -> dict[str, Any]:
    discount = by_gid(shop, identity)
    if discount is None:
        return {
            "codeDiscountNode": None,
            "userErrors": [_error(["id"], "Code discount does not exist.", "INVALID")],
        }
    if discount.status(shop.now()) != "EXPIRED":
        shop.deactivate_discount(discount)
    return {"codeDiscountNode": code_node(discount), "userErrors": []}


def activate(shop: Shop, identity: str) -> dict[str, Any]:
    discount = by_gid(shop, identity)
    if discount is None:
        return {
            "codeDiscountNode": None,
            "userErrors": [_error(["id"], "Code discount does not exist.", "INVALID")],
        }
    shop.activate_discount(discount)
    return {"codeDiscountNode": code_node(discount), "userErrors": []}


def delete(shop: Shop, identity: str) -> dict[str, Any]:
    discount = by_gid(shop, identity)
    if discount is None:
        error = _error(["id"], "Code discount does not exist.", "INVALID")
        return {"deletedCodeDiscountId": None, "userErrors": [error]}
    shop.delete_discount(discount)
    return {"deletedCodeDiscountId": gid("DiscountCodeNode", discount.id), "userErrors": []}


def _wrong(shop: Shop, kind: str, argument: str, asked: dict[str, Any]) -> dict[str, Any] | None:
    def say(field: str, message: str, code: str) -> dict[str, Any]:
        return _error([argument, *field.split(".")], message, code)

    for name in ("title", "code", "startsAt"):
        if not asked.get(name):
            return say(name, f"{name} can't be blank", "BLANK")
    if shop.discount_named(asked["code"]) is not None:
        return say("code", "Code must be unique. Please try a different code.", "TAKEN")
    if len(asked["code"]) > 255:
        return say("code", "Code is too long (maximum is 255 characters)", "TOO_LONG")
    if asked.get("endsAt") and _utc(asked["endsAt"]) <= _utc(asked["startsAt"]):
        return say("endsAt", "Ends at needs to be after starts_at", "END_DATE_BEFORE_START_DATE")
    if asked.get("usageLimit") is not None and asked["usageLimit"] < 1:
        return say("usageLimit", "Usage limit must be greater than 0", "GREATER_THAN")
    if _asked_customers(shop, asked) == []:
        return say("context.customers.add", "Customers to add is invalid", "INVALID")
    combines = asked.get("combinesWith") or {}
    if kind == _SHIPPING and combines.get("shippingDiscounts"):
        text = "The combines with setting is not valid for the discount class."
        return say("combinesWith", text, "INVALID_COMBINES_WITH_FOR_DISCOUNT_CLASS")
    if kind == _GIFT:
        return _wrong_gift(shop, asked, say)
    if kind == _BASIC:
        value = asked.get("customerGets", {}).get("value", {})
        percentage, amount = value.get("percentage"), (value.get("discountAmount") or {}).get("amount")
        if percentage is not None and not 0 < percentage <= 1:
            return say(
                "customerGets.value.percentage", "Value must be between 0.0 and 1.0", "VALUE_OUTSIDE_RANGE"
            )
        if amount is not None and Decimal(amount) <= 0:
            return say(
                "customerGets.value.discountAmount.amount", "Value must be greater than 0", "GREATER_THAN"
            )
    return None


def _wrong_gift(
    shop: Shop, asked: dict[str, Any], say: Callable[[str, str, str], dict[str, Any]]
) -> dict[str, Any] | None:
    buys, gets = asked.get("customerBuys") or {}, asked.get("customerGets") or {}
    for name, side in (("customerBuys", buys), ("customerGets", gets)):
        items = side.get("items") or {}
        if items.get("all"):
            return say(f"{name}.items", "All items are not supported for Buy X get Y discounts.", "INVALID")
        if not items:
            return say(f"{name}.items", "Items can't be blank", "BLANK")
    value = gets.get("value") or {}
    if not value.get("discountOnQuantity"):
        return say("customerGets.value", "Only discountOnQuantity is supported.", "INVALID")
    if not buys.get("value"):
        return say("customerBuys.value", "Value can't be blank", "BLANK")
    gift = _asked_gift(asked)
    variants = [product.variant_id for product in shop.products.values()]
    if not all(one in shop.products for one in gift.products) or not all(
        one in variants for one in gift.variants
    ):
        return say("customerGets.items.products", "Products to add is invalid", "INVALID")
    return None


def _asked_gift(asked: dict[str, Any]) -> Gift:
    def numbers(identities: list[str] | None) -> list[int]:
        return [int(identity.rpartition("/")[2]) for identity in identities or ()]

    buys, gets = asked["customerBuys"], asked["customerGets"]
    products = gets["items"].get("products") or {}
    on = gets["value"]["discountOnQuantity"]
    amount, pieces = buys["value"].get("amount"), buys["value"].get("quantity")
    return Gift(
        collections=numbers((buys["items"].get("collections") or {}).get("add")),
        amount=Decimal(amount) if amount is not None else None,
        pieces=int(pieces) if pieces is not None else None,
        products=numbers(products.get("productsToAdd")),
        variants=numbers(products.get("productVariantsToAdd")),
        given=int(on["quantity"]),
        percentage=Decimal(str(on["effect"]["percentage"])),
        per_order=asked.get("usesPerOrderLimit"),
    )


def _given(shop: Shop, gift: Gift) -> dict[str, Any]:
    return {
        "items": {
            "__typename": "DiscountProducts",
            "products": {"nodes": [shop.products[one] for one in gift.products]},
            "productVariants": {"nodes": [{"id": gid("ProductVariant", one)} for one in gift.variants]},
        },
        "value": {
            "__typename": "DiscountOnQuantity",
            "quantity": {"quantity": str(gift.given)},
            "effect": {"__typename": "DiscountPercentage", "percentage": float(gift.percentage)},
        },
    }


def _asked_customers(shop: Shop, asked: dict[str, Any]) -> list[Customer] | None:
    """The customers named; [] if one of them does not exist; None: everybody."""
    context = asked.get("context") or {}
    wanted = (context.get("customers") or {}).get("add")
    if wanted is None:
        return None
    numbers = [int(identity.rpartition("/")[2]) for identity in wanted]
    found = [shop.customers[number] for number in numbers if number in shop.customers]
    return found if len(found) == len(numbers) else []


def _customers(shop: Shop, discount: Discount) -> list[Customer]:
    return [shop.customers[number] for number in discount.customers or [] if number in shop.customers]


def _utc(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _error(field: list[str], message: str, code: str) -> dict[str, Any]:
    return {"field": field, "message": message, "code": code, "extraInfo": None}
