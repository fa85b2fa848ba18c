"""Coupon, customer and webhook bodies, shaped as recorded from WooCommerce 10.9.1 (tests/sandbox/recordings)."""

import hashlib
from decimal import Decimal

from sandbox.woocommerce.base import ShopBase
from sandbox.woocommerce.parts import (
    Body,
    dates,
    gmt,
    links_of,
    local,
    meta_of,
)
from sandbox.woocommerce.state import (
    Coupon,
    Customer,
    Webhook,
)
from sandbox.woocommerce.totals import rounded

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


def coupon_body(shop: ShopBase, coupon: Coupon) -> Body:
    return {
        "id": coupon.id,
        "code": coupon.code,
        "amount": _hundredths(coupon.amount),
        "status": coupon.status,
        **dates(shop, coupon.created, coupon.modified),
        "discount_type": coupon.discount_type,
        "description": coupon.description,
        "date_expires": local(shop, coupon.expires),
        "date_expires_gmt": gmt(coupon.expires),
        "usage_count": coupon.usage_count,
        "individual_use": coupon.individual_use,
        "product_ids": list(coupon.product_ids),
        "excluded_product_ids": list(coupon.excluded_product_ids),
        "usage_limit": coupon.usage_limit,
        "usage_limit_per_user": coupon.usage_limit_per_user,
        "limit_usage_to_x_items": coupon.limit_usage_to_x_items,
        "free_shipping": coupon.free_shipping,
        "product_categories": [],
        "excluded_product_categories": [],
        "exclude_sale_items": coupon.exclude_sale_items,
        "minimum_amount": _hundredths(coupon.minimum_amount),
        "maximum_amount": _hundredths(coupon.maximum_amount),
        "email_restrictions": list(coupon.email_restrictions),
        "used_by": list(coupon.used_by),
        "meta_data": [meta_of(meta) for meta in coupon.meta],
        "_links": links_of(shop, f"coupons/{coupon.id}", "coupons"),
    }


def _hundredths(amount: Decimal) -> str:
    """A coupon's amounts are told with two decimals, whatever the store has."""
    return str(rounded(amount, 2))


def customer_body(shop: ShopBase, customer: Customer) -> Body:
    order = "first_name last_name company address_1 address_2 city postcode country state".split()
    digest = hashlib.sha256(customer.email.strip().lower().encode()).hexdigest()
    return {
        "id": customer.id,
        **dates(shop, customer.created, customer.modified),
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
        "_links": links_of(shop, f"customers/{customer.id}", "customers"),
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
        **dates(shop, hook.created, hook.modified),
        "_links": links_of(shop, f"webhooks/{hook.id}", "webhooks"),
    }
