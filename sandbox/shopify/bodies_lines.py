"""Lines of an order as webhooks write them: goods, shipping, tax."""

from decimal import Decimal

from sandbox.shopify.base import ShopBase
from sandbox.shopify.bodies import Body, money_set, text
from sandbox.shopify.state import (
    ZERO,
    Line,
    Order,
    ShippingLine,
    gid,
)


def line_body(shop: ShopBase, order: Order, line: Line, *, in_refund: bool = False) -> Body:
    """A line item; inside a refund it lacks the two keys that only orders have."""
    sums = shop.sums(order)
    current = sums.current_quantity(line)
    discount = sums.discount(line)
    body = {
        "id": line.id,
        "admin_graphql_api_id": gid("LineItem", line.id),
        "attributed_staffs": [],
        "current_quantity": current,
        "fulfillable_quantity": 0 if order.fulfilled else current,
        "fulfillment_service": "manual",
        "fulfillment_status": "fulfilled" if order.fulfilled else None,
        "gift_card": line.product.gift_card,
        "grams": 0,
        "name": line.product.title,
        "price": text(line.price, shop.currency),
        "price_set": money_set(shop, order, line.price),
        "product_exists": True,
        "product_id": line.product.id,
        "properties": [],
        "quantity": line.quantity,
        "requires_shipping": not line.product.gift_card,
        "sales_line_item_group_id": None,
        "sku": line.product.sku,
        "taxable": line.product.taxable,
        "title": line.product.title,
        # The line's own discount; a code's share stands in the allocations.
        "total_discount": text(ZERO, shop.currency),
        "total_discount_set": money_set(shop, order, ZERO),
        "variant_id": line.product.variant_id,
        "variant_inventory_management": None,
        "variant_title": None,
        "vendor": line.product.vendor,
        "tax_lines": tax_lines(shop, order, sums.line_tax(line)) if line.product.taxable else [],
        "duties": [],
        "discount_allocations": [
            {
                "amount": text(amount, shop.currency),
                "amount_set": money_set(shop, order, amount),
                "discount_application_index": order.applications.index(application),
            }
            for application, amount in line.allocations
        ]
        if discount
        else [],
    }
    if in_refund:
        for key in ("attributed_staffs", "current_quantity", "sales_line_item_group_id"):
            del body[key]
    return body


def tax_lines(shop: ShopBase, order: Order, amount: Decimal) -> list[Body]:
    if not shop.tax_percent:
        return []
    return [
        {
            "channel_liable": False,
            "price": text(amount, shop.currency),
            "price_set": money_set(shop, order, amount),
            "rate": float(shop.tax_percent / 100),
            "title": "VAT" if order.taxes_included else "State tax",
        }
    ]


def shipping_body(shop: ShopBase, order: Order, line: ShippingLine) -> Body:
    sums = shop.sums(order)
    price = line.price - line.discount
    applications = [part for part in order.applications if part.shipping]
    return {
        "id": line.id,
        "carrier_identifier": None,
        "code": line.title,
        "current_discounted_price_set": money_set(shop, order, sums.current_shipping),
        "discounted_price": text(price, shop.currency),
        "discounted_price_set": money_set(shop, order, price),
        "is_removed": False,
        "phone": None,
        "price": text(line.price, shop.currency),
        "price_set": money_set(shop, order, line.price),
        "requested_fulfillment_service_id": None,
        "source": "shopify",
        "title": line.title,
        "tax_lines": tax_lines(shop, order, sums.shipping_tax),
        "discount_allocations": [
            {
                "amount": text(line.discount, shop.currency),
                "amount_set": money_set(shop, order, line.discount),
                "discount_application_index": order.applications.index(part),
            }
            for part in applications[:1]
            if line.discount
        ],
    }
