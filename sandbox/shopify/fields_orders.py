"""GraphQL fields of orders, and the search for them. A field that is not here fails loudly, never with a guess."""

from collections.abc import Callable
from typing import Any

from graphql import GraphQLError

from sandbox.shopify.fields_parts import transactions_of
from sandbox.shopify.money import bag
from sandbox.shopify.paging import connection, holds, terms_of
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import (
    Order,
    gid,
)
from sandbox.shopify.totals import total
from sandbox.shopify.typed import Fields, Of, denied, iso


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
    "transactions": lambda _, order, args: transactions_of(order)[: args.get("first")],
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
        "discount_code": lambda o: o.codes[:1],  # of the first one alone
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
