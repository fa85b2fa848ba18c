"""Amounts, customers and discounts as webhooks write them: Shopify's sample payloads' keys and types."""

from decimal import Decimal
from typing import Any

from sandbox.shopify.base import ShopBase
from sandbox.shopify.state import (
    Customer,
    Discount,
    Order,
    gid,
)
from sandbox.shopify.totals import decimals_of, rounded

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


def customer_body(shop: ShopBase, customer: Customer) -> Body:
    """17 keys since 2025-01: no tags, no counts, no marketing consent."""
    return {
        **customer_in_order(shop, customer),
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


def customer_in_order(shop: ShopBase, customer: Customer) -> Body:
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


def number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)
