"""The body of orders/*: 93 keys."""

from decimal import Decimal

from sandbox.shopify.base import ShopBase
from sandbox.shopify.bodies import Body, customer_in_order, money_set, text
from sandbox.shopify.bodies_lines import line_body, shipping_body, tax_lines
from sandbox.shopify.bodies_refunds import refund_body
from sandbox.shopify.state import (
    ZERO,
    Application,
    Order,
    gid,
)
from sandbox.shopify.totals import Sums, total


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
        "tax_lines": tax_lines(shop, order, sums.taxes),
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
        "customer": customer_in_order(shop, order.customer) if order.customer else None,
        "discount_applications": [_application(part) for part in order.applications],
        "fulfillments": [],
        "line_items": [line_body(shop, order, line) for line in order.lines],
        "payment_terms": None,
        "refunds": [refund_body(shop, order, number) for number in range(len(order.refunds))],
        "shipping_address": address,
        "shipping_lines": [shipping_body(shop, order, line) for line in order.shipping],
        "returns": [],
        "line_item_groups": [],
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
