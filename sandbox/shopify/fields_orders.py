"""GraphQL fields of orders, lines, refunds and customers. A field that is not here fails loudly, never with a guess."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from graphql import GraphQLError

from sandbox.shopify.paging import connection, holds, terms_of
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import (
    ZERO,
    Application,
    Customer,
    Line,
    Order,
    Product,
    Refund,
    RefundLine,
    ShippingLine,
    Transaction,
    gid,
)
from sandbox.shopify.totals import decimals_of, rounded, total
from sandbox.shopify.typed import Fields, Of, denied, iso


def money(amount: Decimal, currency: str) -> dict[str, str]:
    """MoneyV2: at least one decimal ("10.0"), no more than needed; yen too."""
    whole = f"{rounded(amount, currency) + 0:.{max(1, decimals_of(currency))}f}"
    head, _, tail = whole.partition(".")
    return {"amount": f"{head}.{tail.rstrip('0') or '0'}", "currencyCode": currency}


def bag(shop: Shop, order: Order, amount: Decimal) -> dict[str, dict[str, str]]:
    other = amount * order.rate if order.currency != shop.currency else amount
    return {"shopMoney": money(amount, shop.currency), "presentmentMoney": money(other, order.currency)}


def _sum(name: str) -> Any:
    return lambda shop, order, _: bag(shop, order, getattr(shop.sums(order), name))


ORDER: Fields = {
    "id": lambda _, order, __: gid("Order", order.id),
    "legacyResourceId": lambda _, order, __: str(order.id),
    "name": lambda _, order, __: order.name,
    "number": lambda _, order, __: order.number,
    "test": lambda _, order, __: order.test,
    "email": lambda shop, order, __: denied("email") if shop.hides_personal_data else order.email,
    "createdAt": lambda _, order, __: iso(order.created),
    "processedAt": lambda _, order, __: iso(order.processed),
    "updatedAt": lambda _, order, __: iso(order.updated),
    "cancelledAt": lambda _, order, __: iso(order.cancelled),
    "cancelReason": lambda _, order, __: order.cancel_reason and order.cancel_reason.upper(),
    "closedAt": lambda _, order, __: iso(order.closed),
    "closed": lambda _, order, __: order.closed is not None,
    "displayFinancialStatus": lambda shop, order, __: shop.sums(order).financial_status.upper(),
    "displayFulfillmentStatus": lambda _, order, __: "FULFILLED" if order.fulfilled else "UNFULFILLED",
    "fulfillments": lambda _, order, __: [],
    "fullyPaid": lambda shop, order, __: shop.sums(order).received > 0 and shop.sums(order).outstanding <= 0,
    "unpaid": lambda shop, order, __: not shop.sums(order).received,
    "edited": lambda _, order, __: order.edited,
    "currencyCode": lambda shop, _, __: shop.currency,
    "presentmentCurrencyCode": lambda _, order, __: order.currency,
    "taxesIncluded": lambda _, order, __: order.taxes_included,
    "sourceName": lambda _, order, __: order.source,
    "tags": lambda _, order, __: order.tags,
    "note": lambda _, __, ___: None,
    "app": lambda _, order, __: {"id": gid("App", 580111), "name": "Online Store"},
    "customer": lambda _, order, __: order.customer,
    "discountCode": lambda _, order, __: order.codes[0] if order.codes else None,
    "discountCodes": lambda _, order, __: order.codes,
    "discountApplications": lambda _, order, args: connection(
        [Of(order, a) for a in order.applications], args
    ),
    "lineItems": lambda _, order, args: connection([Of(order, line) for line in order.lines], args),
    "shippingLines": lambda _, order, args: connection([Of(order, line) for line in order.shipping], args),
    "shippingLine": lambda _, order, __: Of(order, order.shipping[0]) if order.shipping else None,
    "refunds": lambda _, order, args: [Of(order, refund) for refund in order.refunds][: args.get("first")],
    "transactions": lambda _, order, args: _transactions(order)[: args.get("first")],
    "currentSubtotalPriceSet": _sum("current_subtotal"),
    "currentTotalPriceSet": _sum("current_price"),
    "currentTotalTaxSet": _sum("current_taxes"),
    "currentTotalDiscountsSet": _sum("current_discounts"),
    "currentShippingPriceSet": _sum("current_shipping"),
    "subtotalPriceSet": _sum("subtotal"),
    "totalPriceSet": _sum("price"),
    "originalTotalPriceSet": _sum("price"),
    "totalTaxSet": _sum("taxes"),
    "totalDiscountsSet": _sum("discounts"),
    "totalShippingPriceSet": _sum("shipping"),
    "totalRefundedSet": _sum("refunded"),
    "totalReceivedSet": _sum("received"),
    "totalOutstandingSet": _sum("outstanding"),
    "netPaymentSet": lambda shop, order, _: bag(
        shop, order, shop.sums(order).received - shop.sums(order).refunded
    ),
    "totalRefundedShippingSet": lambda shop, order, _: bag(
        shop, order, total([refund.shipping for refund in order.refunds])
    ),
    "totalTipReceivedSet": lambda shop, order, _: bag(shop, order, order.tip),
    "refundDiscrepancySet": lambda shop, order, _: bag(
        shop, order, total([refund.beyond for refund in order.refunds])
    ),
}


def _line_money(amount: Any) -> Any:
    return lambda shop, of, _: bag(shop, of.order, amount(shop.sums(of.order), of.what))


LINE: Fields = {
    "id": lambda _, of, __: gid("LineItem", of.what.id),
    "name": lambda _, of, __: of.what.product.title,
    "title": lambda _, of, __: of.what.product.title,
    "quantity": lambda _, of, __: of.what.quantity,
    "currentQuantity": lambda shop, of, __: shop.sums(of.order).current_quantity(of.what),
    "refundableQuantity": lambda shop, of, __: shop.sums(of.order).current_quantity(of.what),
    "isGiftCard": lambda _, of, __: of.what.product.gift_card,
    "taxable": lambda _, of, __: of.what.product.taxable,
    "requiresShipping": lambda _, of, __: not of.what.product.gift_card,
    "vendor": lambda _, of, __: of.what.product.vendor,
    "sku": lambda _, of, __: of.what.product.sku,
    "product": lambda _, of, __: of.what.product,
    "variant": lambda _, of, __: {"id": gid("ProductVariant", of.what.product.variant_id)},
    "originalUnitPriceSet": _line_money(lambda _, line: line.price),
    "originalTotalSet": _line_money(lambda _, line: line.price * line.quantity),
    # A code's share is not in the line's own discount: only the "after all discounts" fields and allocations have it.
    "discountedTotalSet": _line_money(lambda _, line: line.price * line.quantity),
    "totalDiscountSet": _line_money(lambda _, __: ZERO),
    "discountedUnitPriceSet": _line_money(lambda _, line: line.price),
    "discountedUnitPriceAfterAllDiscountsSet": _line_money(lambda sums, line: sums.part(line, 1)),
    "taxLines": lambda shop, of, __: (
        [
            {
                "title": "VAT" if of.order.taxes_included else "State tax",
                "rate": float(shop.tax_percent / 100),
                "ratePercentage": float(shop.tax_percent),
                "priceSet": bag(shop, of.order, shop.sums(of.order).line_tax(of.what)),
            }
        ]
        if shop.tax_percent and of.what.product.taxable
        else []
    ),
    "discountAllocations": lambda shop, of, __: [
        {
            "allocatedAmountSet": bag(shop, of.order, amount),
            "discountApplication": Of(of.order, application),
        }
        for application, amount in of.what.allocations
    ],
}

PRODUCT: Fields = {
    "id": lambda _, product, __: gid("Product", product.id),
    "title": lambda _, product, __: product.title,
    "tags": lambda _, product, __: list(product.tags),
    "vendor": lambda _, product, __: product.vendor,
    "productType": lambda _, __, ___: "",
    "collections": lambda _, product, args: connection(
        [{"id": gid("Collection", number)} for number in product.collections], args
    ),
}

REFUND: Fields = {
    "id": lambda _, of, __: gid("Refund", of.what.id),
    "legacyResourceId": lambda _, of, __: str(of.what.id),
    "note": lambda _, of, __: of.what.note,
    "createdAt": lambda _, of, __: iso(of.what.created),
    "updatedAt": lambda _, of, __: iso(of.what.created),
    "processedAt": lambda _, of, __: iso(of.what.created),
    "totalRefundedSet": lambda shop, of, __: bag(
        shop, of.order, total([t.amount for t in of.what.transactions])
    ),
    "refundLineItems": lambda _, of, args: connection([Of(of.order, part) for part in of.what.lines], args),
    "refundShippingLines": lambda shop, of, args: connection(
        _refunded_shipping(shop, of.order, of.what), args
    ),
    "orderAdjustments": lambda shop, of, args: connection(_adjustments(shop, of.order, of.what), args),
    "transactions": lambda _, of, args: connection([Of(of.order, t) for t in of.what.transactions], args),
    "duties": lambda _, __, ___: [],
    "order": lambda _, of, __: of.order,
}

REFUND_LINE: Fields = {
    "id": lambda _, of, __: gid("RefundLineItem", of.what.id),
    "quantity": lambda _, of, __: of.what.quantity,
    "restockType": lambda _, of, __: of.what.restock.upper(),
    "restocked": lambda _, of, __: of.what.restock != "no_restock",
    "subtotalSet": lambda shop, of, __: bag(shop, of.order, of.what.subtotal),
    "totalTaxSet": lambda shop, of, __: bag(shop, of.order, of.what.tax),
    "lineItem": lambda _, of, __: Of(of.order, of.what.line),
}

TRANSACTION: Fields = {
    "id": lambda _, of, __: gid("OrderTransaction", of.what.id),
    "kind": lambda _, of, __: of.what.kind.upper(),
    "status": lambda _, of, __: of.what.status.upper(),
    "gateway": lambda _, of, __: of.what.gateway,
    "test": lambda _, of, __: of.order.test,
    "createdAt": lambda _, of, __: iso(of.what.at),
    "processedAt": lambda _, of, __: iso(of.what.at),
    "amountSet": lambda shop, of, __: bag(shop, of.order, of.what.amount),
    "parentTransaction": lambda _, of, __: next(
        (t for t in _transactions(of.order) if t.what.id == of.what.parent_id), None
    ),
}

APPLICATION: Fields = {
    "index": lambda _, of, __: of.order.applications.index(of.what),
    "code": lambda _, of, __: of.what.code,
    "title": lambda _, of, __: of.what.title,
    "description": lambda _, of, __: of.what.title,
    "allocationMethod": lambda _, of, __: "EACH" if of.what.shipping else "ACROSS",
    "targetSelection": lambda _, __, ___: "ALL",
    "targetType": lambda _, of, __: "SHIPPING_LINE" if of.what.shipping else "LINE_ITEM",
    "value": lambda shop, of, __: (
        {
            "__typename": "PricingPercentageValue",
            "percentage": float(of.what.percentage),
        }
        if of.what.percentage is not None
        else {"__typename": "MoneyV2", **money(of.what.amount, shop.currency)}
    ),
}

SHIPPING: Fields = {
    "id": lambda _, of, __: gid("ShippingLine", of.what.id),
    "title": lambda _, of, __: of.what.title,
    "originalPriceSet": lambda shop, of, __: bag(shop, of.order, of.what.price),
    "discountedPriceSet": lambda shop, of, __: bag(shop, of.order, of.what.price - of.what.discount),
    "currentDiscountedPriceSet": lambda shop, of, __: bag(
        shop, of.order, shop.sums(of.order).current_shipping
    ),
}

CUSTOMER: Fields = {
    "id": lambda _, customer, __: gid("Customer", customer.id),
    "legacyResourceId": lambda _, customer, __: str(customer.id),
    "state": lambda _, customer, __: customer.state.upper(),
    "locale": lambda _, __, ___: "en",
    "tags": lambda _, customer, __: customer.tags,
    "note": lambda _, customer, __: customer.note,
    "verifiedEmail": lambda _, customer, __: customer.verified,
    "createdAt": lambda _, customer, __: iso(customer.created),
    "updatedAt": lambda _, customer, __: iso(customer.updated),
    "numberOfOrders": lambda shop, customer, __: str(len(_orders_of(shop, customer))),
    "amountSpent": lambda shop, customer, __: money(
        total([shop.sums(o).received - shop.sums(o).refunded for o in _orders_of(shop, customer)]),
        shop.currency,
    ),
    "firstName": lambda shop, customer, __: _personal(shop, "firstName", customer.first_name),
    "lastName": lambda shop, customer, __: _personal(shop, "lastName", customer.last_name),
    "displayName": lambda shop, customer, __: _personal(
        shop, "displayName", f"{customer.first_name} {customer.last_name}".strip() or customer.email
    ),
    "email": lambda shop, customer, __: _personal(shop, "email", customer.email),
    "phone": lambda shop, customer, __: _personal(shop, "phone", customer.phone),
    "defaultEmailAddress": lambda shop, customer, __: {"customer": customer} if customer.email else None,
    "defaultPhoneNumber": lambda _, __, ___: None,
    "metafield": lambda _, __, ___: None,
}

EMAIL: Fields = {
    "emailAddress": lambda shop, source, _: _personal(shop, "emailAddress", source["customer"].email),
    "marketingState": lambda _, __, ___: "NOT_SUBSCRIBED",
    "validFormat": lambda _, __, ___: True,
}


def find_order(shop: Shop, number: int) -> Order | None:
    """The order, if the app's scopes reach it: 60 days back without `read_all_orders`."""
    order = shop.orders.get(number)
    return order if order is not None and readable(shop, order) else None


def find_refund(shop: Shop, number: int) -> Of | None:
    """The refund, if its order can be read."""
    for order in shop.orders.values():
        for refund in order.refunds:
            if refund.id == number and readable(shop, order):
                return Of(order, refund)
    return None


def readable(shop: Shop, order: Order) -> bool:
    return "read_all_orders" in shop.app.scopes or (shop.now() - order.created).days < 60


def find_orders(shop: Shop, args: dict[str, Any]) -> dict[str, Any]:
    terms = terms_of(args.get("query"))
    known: dict[str, Callable[[Order], Any]] = {
        "updated_at": lambda o: o.updated,
        "created_at": lambda o: o.created,
        "processed_at": lambda o: o.processed,
        "discount_code": lambda o: o.codes,
        "customer_id": lambda o: str(o.customer.id) if o.customer else "",
        "id": lambda o: str(o.id),
        "name": lambda o: [o.name, str(o.number)],
        "test": lambda o: "true" if o.test else "false",
        "financial_status": lambda o: shop.sums(o).financial_status,
        "tag": lambda o: o.tags,
        "status": lambda o: ["any", "cancelled" if o.cancelled else "closed" if o.closed else "open"],
    }
    for term in terms:
        if term.name not in known:
            raise GraphQLError(f"The stand-in cannot search orders by “{term.name}”.")
    rows = [
        o
        for o in shop.orders.values()
        if readable(shop, o) and all(holds(t, known[t.name](o)) for t in terms)
    ]
    sort = args.get("sortKey", "PROCESSED_AT")
    by = {"UPDATED_AT": "updated", "CREATED_AT": "created", "PROCESSED_AT": "processed", "ID": "id"}.get(sort)
    if by is None:
        raise GraphQLError(f"The stand-in cannot sort orders by {sort}.")

    def key(order: Order) -> tuple[Any, int]:
        return getattr(order, by), order.id

    return connection(sorted(rows, key=key), args, key)


def _transactions(order: Order) -> list[Of]:
    refunds = [part for refund in order.refunds for part in refund.transactions]
    return [Of(order, part) for part in (*order.transactions, *refunds)]


def _refunded_shipping(shop: Shop, order: Order, refund: Refund) -> Sequence[dict[str, Any]]:
    if not refund.shipping:
        return []
    return [
        {
            "id": gid("RefundShippingLine", refund.shipping_id),
            "shippingLine": Of(order, order.shipping[0]),
            "subtotalAmountSet": bag(shop, order, refund.shipping),
            "taxAmountSet": bag(shop, order, refund.shipping_tax),
        }
    ]


def _adjustments(shop: Shop, order: Order, refund: Refund) -> Sequence[dict[str, Any]]:
    if not refund.beyond:
        return []
    return [
        {
            "id": gid("OrderAdjustment", refund.adjustment_id),
            "reason": "REFUND_DISCREPANCY",
            "amountSet": bag(shop, order, -refund.beyond),  # negative: more went back than the lines say
            "taxAmountSet": bag(shop, order, ZERO),
        }
    ]


def _orders_of(shop: Shop, customer: Customer) -> list[Order]:
    return [order for order in shop.orders.values() if order.customer is customer]


def _personal(shop: Shop, name: str, value: str | None) -> str | None:
    return denied(name) if shop.hides_personal_data else value


def typename(of: Of) -> str:
    """What an `Of` is called in the schema."""
    what = of.what
    if isinstance(what, Application):
        return "DiscountCodeApplication" if what.code is not None else "ManualDiscountApplication"
    return {
        Line: "LineItem",
        Refund: "Refund",
        RefundLine: "RefundLineItem",
        Transaction: "OrderTransaction",
        ShippingLine: "ShippingLine",
        Product: "Product",
    }[type(what)]
