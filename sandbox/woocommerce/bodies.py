"""What the store says: JSON bodies shaped as recorded from WooCommerce 10.9.1 (tests/sandbox/recordings)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.woocommerce.base import ShopBase
from sandbox.woocommerce.state import (
    ZERO,
    Coupon,
    Customer,
    Extra,
    Line,
    Meta,
    Order,
    Refund,
    RefundedExtra,
    UsedCoupon,
    Webhook,
)

Body = dict[str, Any]
_STAMP = "%Y-%m-%dT%H:%M:%S"
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "KWD": "د.ك", "CHF": "CHF"}
HOOKS = {
    "order.created": ["woocommerce_new_order"],
    "order.updated": ["woocommerce_update_order", "woocommerce_order_refunded"],
    "order.deleted": ["woocommerce_trash_order"],
    "order.restored": ["woocommerce_untrash_order"],
    "coupon.created": ["woocommerce_process_shop_coupon_meta", "woocommerce_new_coupon"],
    "coupon.updated": ["woocommerce_process_shop_coupon_meta", "woocommerce_update_coupon"],
    "coupon.deleted": ["wp_trash_post"],
    "coupon.restored": ["untrashed_post"],
    "customer.created": ["user_register", "woocommerce_created_customer", "woocommerce_new_customer"],
    "customer.updated": ["profile_update", "woocommerce_update_customer"],
    "customer.deleted": ["delete_user"],
    "product.created": ["woocommerce_process_product_meta", "woocommerce_new_product"],
    "product.updated": ["woocommerce_process_product_meta", "woocommerce_update_product"],
    "product.deleted": ["wp_trash_post"],
}


def encode(body: object) -> bytes:
    """JSON as PHP writes it: no blanks, slashes escaped, everything beyond ASCII as \\u."""
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()


def order_body(shop: ShopBase, order: Order) -> Body:
    money = shop.money
    status = order.status
    links = _links(shop, f"orders/{order.id}", "orders")
    links["email_templates"] = [
        {"embeddable": True, "href": f"{shop.api}/orders/{order.id}/actions/email_templates"}
    ]
    if order.customer_id:
        links["customer"] = [{"href": f"{shop.api}/customers/{order.customer_id}"}]
    return {
        "id": order.id,
        "parent_id": 0,
        "status": status,
        "currency": order.currency,
        "version": shop.version,
        "prices_include_tax": order.prices_include_tax,
        "date_created": _local(shop, order.created),
        "date_modified": _local(shop, order.modified),
        "discount_total": money(sum((used.discount for used in order.coupons), ZERO)),
        "discount_tax": money(sum((used.discount_tax for used in order.coupons), ZERO)),
        "shipping_total": money(order.shipping_total),
        "shipping_tax": money(order.shipping_tax),
        "cart_tax": money(order.cart_tax),
        "total": money(order.total),
        "total_tax": money(order.total_tax),
        "customer_id": order.customer_id,
        "order_key": order.key,
        "billing": dict(order.billing),
        "shipping": dict(order.shipping_address),
        "payment_method": order.payment_method,
        "payment_method_title": order.payment_title,
        "transaction_id": order.transaction_id,
        "customer_ip_address": "",
        "customer_user_agent": "",
        "created_via": order.via,
        "customer_note": order.note,
        "date_completed": _local(shop, order.completed),
        "date_paid": _local(shop, order.paid),
        "cart_hash": "",
        "number": str(order.id),
        "meta_data": [_meta(meta) for meta in order.meta],
        "line_items": [_line(shop, line) for line in order.lines],
        "tax_lines": _tax_lines(shop, order.tax_line_id, order.cart_tax, order.shipping_tax),
        "shipping_lines": [_shipping(shop, extra) for extra in order.shipping],
        "fee_lines": [_fee(shop, extra) for extra in order.fees],
        "coupon_lines": [_used(used) for used in order.coupons],
        "refunds": [
            {
                "id": refund.id,
                "reason": refund.reason,
                "total": money(-refund.amount),
                "total_tax": money(-refund.goods_tax - refund.shipping_tax),
            }
            for refund in reversed(order.refunds)
        ],
        "payment_url": f"{shop.url}/checkout/order-pay/{order.id}/?pay_for_order=true&key={order.key}",
        "is_editable": status in ("pending", "on-hold", "checkout-draft"),
        "needs_payment": status in ("pending", "failed", "checkout-draft") and order.total > 0,
        "needs_processing": True,
        "date_created_gmt": _gmt(order.created),
        "date_modified_gmt": _gmt(order.modified),
        "date_completed_gmt": _gmt(order.completed),
        "date_paid_gmt": _gmt(order.paid),
        "currency_symbol": SYMBOLS.get(order.currency, order.currency),
        "_links": links,
    }


def refund_body(shop: ShopBase, order: Order, refund: Refund) -> Body:
    """One of GET orders/N/refunds. Not in the order's own body: quantities, lines and who did it."""
    lines = [
        _line(shop, part.line)
        | {
            "id": part.id,
            "quantity": -part.quantity,
            "subtotal": shop.money(-part.total),
            "subtotal_tax": shop.money(-part.tax),
            "total": shop.money(-part.total),
            "total_tax": shop.money(-part.tax),
            "taxes": _taxes(shop, -part.tax, subtotal=-part.tax),
            "meta_data": [_refunded_item(part.meta_id, part.line.id)],
        }
        for part in refund.lines
    ]
    up = {"href": f"{shop.api}/orders/{order.id}"}
    links = _links(
        shop, f"orders/{order.id}/refunds/{refund.id}", f"orders/{order.id}/refunds", hints="GET DELETE"
    )
    taxed = refund.lines or refund.shipping or refund.fees
    return {
        "id": refund.id,
        "date_created": _local(shop, refund.created),
        "date_created_gmt": _gmt(refund.created),
        "amount": shop.money(refund.amount),
        "reason": refund.reason,
        "refunded_by": 1,
        "refunded_payment": False,
        "meta_data": [
            {"id": refund.meta_id, "key": "_refund_type", "value": "full" if refund.full else "partial"}
        ],
        "line_items": lines,
        "shipping_lines": [_back(_shipping(shop, part.extra), shop, part) for part in refund.shipping],
        "tax_lines": _tax_lines(shop, refund.tax_line_id, -refund.goods_tax, -refund.shipping_tax)
        if taxed
        else [],
        "fee_lines": [_back(_fee(shop, part.extra), shop, part) for part in refund.fees],
        "_links": {**links, "up": [up]},
    }


def coupon_body(shop: ShopBase, coupon: Coupon) -> Body:
    return {
        "id": coupon.id,
        "code": coupon.code,
        "amount": shop.money(coupon.amount),
        "status": coupon.status,
        **_dates(shop, coupon.created, coupon.modified),
        "discount_type": coupon.discount_type,
        "description": coupon.description,
        "date_expires": _local(shop, coupon.expires),
        "date_expires_gmt": _gmt(coupon.expires),
        "usage_count": coupon.usage_count,
        "individual_use": coupon.individual_use,
        "product_ids": list(coupon.product_ids),
        "excluded_product_ids": list(coupon.excluded_product_ids),
        "usage_limit": coupon.usage_limit,
        "usage_limit_per_user": coupon.usage_limit_per_user,
        "limit_usage_to_x_items": None,
        "free_shipping": coupon.free_shipping,
        "product_categories": [],
        "excluded_product_categories": [],
        "exclude_sale_items": coupon.exclude_sale_items,
        "minimum_amount": shop.money(coupon.minimum_amount),
        "maximum_amount": shop.money(coupon.maximum_amount),
        "email_restrictions": list(coupon.email_restrictions),
        "used_by": list(coupon.used_by),
        "meta_data": [_meta(meta) for meta in coupon.meta],
        "_links": _links(shop, f"coupons/{coupon.id}", "coupons"),
    }


def customer_body(shop: ShopBase, customer: Customer) -> Body:
    order = "first_name last_name company address_1 address_2 city postcode country state".split()
    digest = hashlib.sha256(customer.email.strip().lower().encode()).hexdigest()
    return {
        "id": customer.id,
        **_dates(shop, customer.created, customer.modified),
        "email": customer.email,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "role": customer.role,
        "username": customer.username,
        "billing": {key: customer.billing[key] for key in (*order, "email", "phone")},
        "shipping": {key: customer.shipping[key] for key in (*order, "phone")},
        "is_paying_customer": customer.paying,
        "avatar_url": f"https://secure.gravatar.com/avatar/{digest}?s=96&d=mm&r=g",
        "meta_data": [],
        "_links": _links(shop, f"customers/{customer.id}", "customers"),
    }


def webhook_body(shop: ShopBase, hook: Webhook) -> Body:
    """Never the secret."""
    resource, _, event = hook.topic.partition(".")
    return {
        "id": hook.id,
        "name": hook.name,
        "status": hook.status,
        "topic": hook.topic,
        "resource": resource,
        "event": event,
        "hooks": HOOKS.get(hook.topic, []),
        "delivery_url": hook.url,
        **_dates(shop, hook.created, hook.modified),
        "_links": _links(shop, f"webhooks/{hook.id}", "webhooks"),
    }


def _local(shop: ShopBase, moment: datetime | None) -> str | None:
    return moment.astimezone(shop.zone).strftime(_STAMP) if moment else None


def _gmt(moment: datetime | None) -> str | None:
    # Without "Z": that is how WooCommerce writes it.
    return moment.astimezone(UTC).strftime(_STAMP) if moment else None


def _dates(shop: ShopBase, created: datetime, modified: datetime | None) -> Body:
    return {
        "date_created": _local(shop, created),
        "date_created_gmt": _gmt(created),
        "date_modified": _local(shop, modified),
        "date_modified_gmt": _gmt(modified),
    }


def _links(shop: ShopBase, path: str, collection: str, hints: str = "GET POST PUT PATCH DELETE") -> Body:
    return {
        "self": [{"href": f"{shop.api}/{path}", "targetHints": {"allow": hints.split()}}],
        "collection": [{"href": f"{shop.api}/{collection}"}],
    }


def _meta(meta: Meta) -> Body:
    return {"id": meta.id, "key": meta.key, "value": meta.value}


def _refunded_item(meta_id: int, item_id: int) -> Body:
    return {
        "id": meta_id,
        "key": "_refunded_item_id",
        "value": str(item_id),
        "display_key": "_refunded_item_id",
        "display_value": str(item_id),
    }


def _line(shop: ShopBase, line: Line) -> Body:
    return {
        "id": line.id,
        "name": line.product.name,
        "product_id": line.product.id,
        "variation_id": 0,
        "quantity": line.quantity,
        "tax_class": "",
        "subtotal": shop.money(line.subtotal),
        "subtotal_tax": shop.money(line.subtotal_tax),
        "total": shop.money(line.total),
        "total_tax": shop.money(line.total_tax),
        "taxes": _taxes(shop, line.total_tax, subtotal=line.subtotal_tax) if line.product.taxable else [],
        "meta_data": [],
        "sku": line.product.sku,
        "global_unique_id": "",
        "price": _number(line.total / line.quantity if line.quantity else ZERO),
        "image": {"id": "", "src": ""},
        "parent_name": None,
    }


def _taxes(
    shop: ShopBase, total: Decimal, *, subtotal: Decimal | None = None
) -> Sequence[Mapping[str, object]]:
    if not shop.tax_percent:
        return []
    return [
        {"id": 1, "total": shop.money(total), "subtotal": "" if subtotal is None else shop.money(subtotal)}
    ]


def _tax_lines(
    shop: ShopBase, line_id: int, goods: Decimal, shipping: Decimal
) -> Sequence[Mapping[str, object]]:
    if not shop.tax_percent or not (goods or shipping):
        return []
    return [
        {
            "id": line_id,
            "rate_code": "US-SALES TAX-1",
            "rate_id": 1,
            "label": "Sales tax",
            "compound": False,
            "tax_total": shop.money(goods),
            "shipping_tax_total": shop.money(shipping),
            "rate_percent": _number(shop.tax_percent),
            "meta_data": [],
        }
    ]


def _shipping(shop: ShopBase, extra: Extra) -> Body:
    return {
        "id": extra.id,
        "method_title": extra.title,
        "method_id": "flat_rate",
        "instance_id": "",
        "total": shop.money(extra.total),
        "total_tax": shop.money(extra.tax),
        "taxes": _taxes(shop, extra.tax),
        "tax_status": "taxable" if extra.taxable else "none",
        "meta_data": [],
    }


def _fee(shop: ShopBase, extra: Extra) -> Body:
    return {
        "id": extra.id,
        "name": extra.title,
        "tax_class": "",
        "tax_status": "taxable" if extra.taxable else "none",
        "amount": "",
        "total": shop.money(extra.total),
        "total_tax": shop.money(extra.tax),
        "taxes": _taxes(shop, extra.tax),
        "meta_data": [],
    }


def _back(body: Body, shop: ShopBase, part: RefundedExtra) -> Body:
    return body | {
        "id": part.id,
        "total": shop.money(-part.total),
        "total_tax": shop.money(-part.tax),
        "taxes": _taxes(shop, -part.tax),
        "meta_data": [_refunded_item(part.meta_id, part.extra.id)],
    }


def _used(used: UsedCoupon) -> Body:
    coupon = used.coupon
    kind = None if coupon.discount_type == "fixed_cart" else coupon.discount_type
    info = json.dumps([coupon.id, coupon.code, kind, _number(coupon.amount)], separators=(",", ":"))
    meta = {"id": used.meta_id, "key": "coupon_info", "value": info, "display_key": "coupon_info"}
    return {
        "id": used.id,
        "code": coupon.code,
        "discount": _plain(used.discount),  # as stored, without the store's decimals: recorded so
        "discount_tax": _plain(used.discount_tax),
        "meta_data": [{**meta, "display_value": info}],
        "discount_type": coupon.discount_type,
        "nominal_amount": _number(coupon.amount),
        "free_shipping": coupon.free_shipping,
    }


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(round(amount, 6))
