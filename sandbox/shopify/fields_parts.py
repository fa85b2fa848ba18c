"""GraphQL fields of what orders consist of: lines, refunds, transactions, discounts, shipping."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sandbox.shopify.money import bag, money
from sandbox.shopify.paging import connection
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import (
    ZERO,
    Application,
    Line,
    Order,
    Product,
    Refund,
    RefundLine,
    ShippingLine,
    Transaction,
    gid,
)
from sandbox.shopify.totals import total
from sandbox.shopify.typed import Fields, Of, iso


def _line_money(amount: Any) -> Any:
    return lambda shop, of, _: bag(shop, of.order, amount(shop.sums(of.order), of.what))


def _tax_lines(shop: Shop, order: Order, amount: Decimal) -> list[dict[str, Any]]:
    if not shop.tax_percent:
        return []
    return [
        {
            "title": "VAT" if order.taxes_included else "State tax",
            "rate": float(shop.tax_percent / 100),
            "ratePercentage": float(shop.tax_percent),
            "priceSet": bag(shop, order, amount),
        }
    ]


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
    "sellingPlan": lambda _, of, __: (
        {"name": "Subscribe and save", "sellingPlanId": gid("SellingPlan", of.what.product.selling_plan_id)}
        if of.what.product.selling_plan_id
        else None
    ),
    "originalUnitPriceSet": _line_money(lambda _, line: line.price),
    "originalTotalSet": _line_money(lambda _, line: line.price * line.quantity),
    # A code's share is not in the line's own discount: only the "after all discounts" fields and allocations have it.
    "discountedTotalSet": _line_money(lambda _, line: line.price * line.quantity),
    "totalDiscountSet": _line_money(lambda _, __: ZERO),
    "discountedUnitPriceSet": _line_money(lambda _, line: line.price),
    "discountedUnitPriceAfterAllDiscountsSet": _line_money(lambda sums, line: sums.part(line, 1)),
    "taxLines": lambda shop, of, __: (
        _tax_lines(shop, of.order, shop.sums(of.order).line_tax(of.what)) if of.what.product.taxable else []
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
        (t for t in transactions_of(of.order) if t.what.id == of.what.parent_id), None
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
    "taxLines": lambda shop, of, __: _tax_lines(shop, of.order, shop.sums(of.order).shipping_tax),
    "isRemoved": lambda _, __, ___: False,
}


def transactions_of(order: Order) -> list[Of]:
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
