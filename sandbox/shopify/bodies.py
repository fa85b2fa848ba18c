"""Webhook bodies, shaped as Shopify's own sample payloads (tests/sandbox/recordings): same keys, same JSON types."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.shopify.base import ShopBase
from sandbox.shopify.state import (
    ZERO,
    Application,
    Customer,
    Discount,
    Line,
    Order,
    ShippingLine,
    Transaction,
    gid,
)
from sandbox.shopify.totals import Sums, decimals_of, rounded, total

Body = dict[str, Any]


def text(amount: Decimal, currency: str) -> str:
    return f"{rounded(amount, currency) + 0:.{decimals_of(currency)}f}"


def money_set(shop: ShopBase, order: Order, amount: Decimal) -> Body:
    """The amount in both currencies: the shop's and the shopper's."""
    other = amount if order.currency == shop.currency else amount * order.rate
    return {
        "shop_money": {"amount": text(amount, shop.currency), "currency_code": shop.currency},
        "presentment_money": {"amount": text(other, order.currency), "currency_code": order.currency},
    }


def order_body(shop: ShopBase, order: Order) -> Body:
    """The 93 keys of orders/*."""
    sums = shop.sums(order)

    def plain(amount: Decimal) -> str:
        return text(amount, shop.currency)

    def both(amount: Decimal) -> Body:
        return money_set(shop, order, amount)

    address = _address(order)
    return {
        "id": order.id,
        "admin_graphql_api_id": gid("Order", order.id),
        "app_id": 580111,
        "browser_ip": None,
        "buyer_accepts_marketing": False,
        "cancel_reason": order.cancel_reason,
        "cancelled_at": shop.stamp(order.cancelled),
        "cart_token": None,
        "checkout_token": None,
        "client_details": None,
        "closed_at": shop.stamp(order.closed),
        "confirmation_number": None,
        "confirmed": True,
        "contact_email": order.email,
        "created_at": shop.stamp(order.created),
        "currency": shop.currency,
        "current_shipping_price_set": both(sums.current_shipping),
        "current_subtotal_price": plain(sums.current_subtotal),
        "current_subtotal_price_set": both(sums.current_subtotal),
        "current_total_additional_fees_set": None,
        "current_total_discounts": plain(sums.current_discounts),
        "current_total_discounts_set": both(sums.current_discounts),
        "current_total_duties_set": None,
        "current_total_price": plain(sums.current_price),
        "current_total_price_set": both(sums.current_price),
        "current_total_tax": plain(sums.current_taxes),
        "current_total_tax_set": both(sums.current_taxes),
        "customer_locale": "en",
        "device_id": None,
        "discount_codes": [_code(shop, sums, part) for part in order.applications if part.code is not None],
        "duties_included": False,
        "email": order.email,
        "estimated_taxes": False,
        "financial_status": sums.financial_status,
        "fulfillment_status": "fulfilled" if order.fulfilled else None,
        "landing_site": None,
        "landing_site_ref": None,
        "location_id": None,
        "merchant_business_entity_id": "MTU0ODM4MDAwOQ",
        "merchant_of_record_app_id": None,
        "name": order.name,
        "note": None,
        "note_attributes": [],
        "number": order.number - 1000,
        "order_number": order.number,
        "order_status_url": f"{shop.url}/{shop.id}/orders/{order.id:x}/authenticate?key={order.id % 10**9:x}",
        "original_total_additional_fees_set": None,
        "original_total_duties_set": None,
        "payment_gateway_names": sorted({transaction.gateway for transaction in order.transactions}),
        "phone": None,
        "po_number": None,
        "presentment_currency": order.currency,
        "processed_at": shop.stamp(order.processed),
        "reference": None,
        "referring_site": None,
        "source_identifier": None,
        "source_name": order.source,
        "source_url": None,
        "subtotal_price": plain(sums.subtotal),
        "subtotal_price_set": both(sums.subtotal),
        "tags": ", ".join(order.tags),
        "tax_exempt": False,
        "tax_lines": _tax_lines(shop, order, sums.taxes),
        "taxes_included": order.taxes_included,
        "test": order.test,
        "token": f"{order.id:x}",
        "total_cash_rounding_payment_adjustment_set": both(ZERO),
        "total_cash_rounding_refund_adjustment_set": both(ZERO),
        "total_discounts": plain(sums.discounts),
        "total_discounts_set": both(sums.discounts),
        "total_line_items_price": plain(sums.line_items_price),
        "total_line_items_price_set": both(sums.line_items_price),
        "total_outstanding": plain(sums.outstanding),
        "total_price": plain(sums.price),
        "total_price_set": both(sums.price),
        "total_shipping_price_set": both(sums.shipping),
        "total_tax": plain(sums.taxes),
        "total_tax_set": both(sums.taxes),
        "total_tip_received": plain(order.tip),
        "total_weight": 0,
        "updated_at": shop.stamp(order.updated),
        "user_id": None,
        "billing_address": address,
        "customer": _order_customer(shop, order.customer) if order.customer else None,
        "discount_applications": [_application(part) for part in order.applications],
        "fulfillments": [],
        "line_items": [line_body(shop, order, line) for line in order.lines],
        "payment_terms": None,
        "refunds": [refund_body(shop, order, number) for number in range(len(order.refunds))],
        "shipping_address": address,
        "shipping_lines": [_shipping(shop, order, line) for line in order.shipping],
        "returns": [],
        "line_item_groups": [],
    }


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
        "tax_lines": _tax_lines(shop, order, sums.line_tax(line)) if line.product.taxable else [],
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


def refund_body(shop: ShopBase, order: Order, position: int) -> Body:
    """The 15 keys of refunds/create; the same stands in the order's `refunds`. Line amounts are numbers here."""
    refund = order.refunds[position]
    adjustments = []
    if refund.beyond:
        adjustments.append(
            {
                "id": refund.adjustment_id,
                "amount": text(-refund.beyond, shop.currency),
                "amount_set": money_set(shop, order, -refund.beyond),
                "kind": "refund_discrepancy",
                "order_id": order.id,
                "reason": "Refund discrepancy",
                "refund_id": refund.id,
                "tax_amount": text(ZERO, shop.currency),
                "tax_amount_set": money_set(shop, order, ZERO),
            }
        )
    shipping = []
    if refund.shipping:
        shipping.append(
            {
                "id": refund.shipping_id,
                "shipping_line": _shipping(shop, order, order.shipping[0]),
                "subtotal_amount_set": money_set(shop, order, refund.shipping),
                "tax_amount_set": money_set(shop, order, refund.shipping_tax),
            }
        )
    return {
        "id": refund.id,
        "order_id": order.id,
        "created_at": shop.stamp(refund.created),
        "note": refund.note,
        "user_id": 548380009,
        "processed_at": shop.stamp(refund.created),
        "duties": [],
        "total_duties_set": money_set(shop, order, ZERO),
        "return": None,
        "refund_shipping_lines": shipping,
        "restock": False,
        "admin_graphql_api_id": gid("Refund", refund.id),
        "order_adjustments": adjustments,
        "refund_line_items": [
            {
                "id": part.id,
                "quantity": part.quantity,
                "line_item_id": part.line.id,
                "location_id": None,
                "restock_type": part.restock,
                "subtotal": _number(part.subtotal),
                "total_tax": _number(part.tax),
                "subtotal_set": money_set(shop, order, part.subtotal),
                "total_tax_set": money_set(shop, order, part.tax),
                "line_item": line_body(shop, order, part.line, in_refund=True),
            }
            for part in refund.lines
        ],
        "transactions": [transaction_body(shop, order, part) for part in refund.transactions],
    }


def transaction_body(shop: ShopBase, order: Order, part: Transaction) -> Body:
    unsettled = {"amount": "0.0", "currency": "XXX"}
    return {
        "id": part.id,
        "order_id": order.id,
        "kind": part.kind,
        "gateway": part.gateway,
        "status": part.status,
        "message": None,
        "created_at": shop.stamp(part.at),
        "test": order.test,
        "authorization": None,
        "location_id": None,
        "user_id": None,
        "parent_id": part.parent_id,
        "processed_at": shop.stamp(part.at),
        "device_id": None,
        "error_code": None,
        "source_name": "web",
        "receipt": {},
        "amount": text(part.amount * (order.rate if order.currency != shop.currency else 1), order.currency),
        "currency": order.currency,
        "payment_id": f"{order.name}.1",
        "total_unsettled_set": {"presentment_money": unsettled, "shop_money": unsettled},
        "manual_payment_gateway": False,
        "amount_rounding": None,
        "admin_graphql_api_id": gid("OrderTransaction", part.id),
    }


def customer_body(shop: ShopBase, customer: Customer) -> Body:
    """17 keys since 2025-01: no tags, no counts, no marketing consent."""
    return {
        **_order_customer(shop, customer),
        "addresses": [],
    }


def discount_body(shop: ShopBase, discount: Discount) -> Body:
    return {
        "admin_graphql_api_id": gid("DiscountCodeNode", discount.id),
        "title": discount.title,
        "status": discount.status(shop.now()),
        "created_at": shop.stamp(discount.created),
        "updated_at": shop.stamp(discount.updated),
    }


def edit_body(
    shop: ShopBase, order: Order, added: dict[int, int], removed: dict[int, int], at: datetime
) -> Body:
    """orders/edited: not an order."""
    return {
        "order_edit": {
            "id": shop.new_id(),
            "app_id": None,
            "created_at": shop.stamp(at),
            "committed_at": shop.stamp(at),
            "notify_customer": False,
            "order_id": order.id,
            "staff_note": "",
            "user_id": None,
            "line_items": {
                "additions": [{"id": number, "delta": delta} for number, delta in added.items()],
                "removals": [{"id": number, "delta": delta} for number, delta in removed.items()],
            },
            "discounts": {"line_item": {"additions": [], "removals": []}},
            "shipping_lines": {"additions": [], "removals": []},
        }
    }


def _order_customer(shop: ShopBase, customer: Customer) -> Body:
    return {
        "id": customer.id,
        "created_at": shop.stamp(customer.created),
        "updated_at": shop.stamp(customer.updated),
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "state": customer.state,
        "note": customer.note,
        "verified_email": customer.verified,
        "multipass_identifier": None,
        "tax_exempt": False,
        "email": customer.email,
        "phone": customer.phone,
        "currency": shop.currency,
        "tax_exemptions": [],
        "admin_graphql_api_id": gid("Customer", customer.id),
        "default_address": {
            "id": customer.id + 1,
            "customer_id": customer.id,
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "company": None,
            "address1": "123 Elm St.",
            "address2": None,
            "city": "Ottawa",
            "province": "Ontario",
            "country": "Canada",
            "zip": "K2H7A8",
            "phone": "123-123-1234",
            "name": f"{customer.first_name} {customer.last_name}".strip(),
            "province_code": "ON",
            "country_code": "CA",
            "country_name": "Canada",
            "default": True,
        },
    }


def _address(order: Order) -> Body:
    first = order.customer.first_name if order.customer else "Guest"
    last = order.customer.last_name if order.customer else "Shopper"
    return {
        "first_name": first,
        "address1": "123 Shipping Street",
        "phone": "555-555-0100",
        "city": "Shippington",
        "zip": "40003",
        "province": "Kentucky",
        "country": "United States",
        "last_name": last,
        "address2": None,
        "company": None,
        "latitude": None,
        "longitude": None,
        "name": f"{first} {last}".strip(),
        "country_code": "US",
        "province_code": "KY",
    }


def _code(shop: ShopBase, sums: Sums, application: Application) -> Body:
    given = total(
        [amount for line in sums.order.lines for part, amount in line.allocations if part is application]
    )
    kind = "percentage" if application.percentage is not None else "fixed_amount"
    if application.shipping:
        kind, given = "shipping", sums.shipping_discount
    return {"code": application.code, "amount": text(given, shop.currency), "type": kind}


def _application(part: Application) -> Body:
    body = {
        "target_type": "shipping_line" if part.shipping else "line_item",
        "type": "discount_code" if part.code is not None else "manual",
        "value": str(part.percentage if part.percentage is not None else part.amount),
        "value_type": "percentage" if part.percentage is not None else "fixed_amount",
        "allocation_method": "each" if part.shipping else "across",
        "target_selection": "all",
    }
    return body | (
        {"code": part.code} if part.code is not None else {"title": part.title, "description": part.title}
    )


def _tax_lines(shop: ShopBase, order: Order, amount: Decimal) -> list[Body]:
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


def _shipping(shop: ShopBase, order: Order, line: ShippingLine) -> Body:
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
        "tax_lines": _tax_lines(shop, order, sums.shipping_tax),
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


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)
