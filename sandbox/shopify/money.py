"""MoneyV2 and MoneyBag, as GraphQL writes amounts."""

from decimal import Decimal

from sandbox.shopify.shop import Shop
from sandbox.shopify.state import (
    Order,
)
from sandbox.shopify.totals import decimals_of, rounded


def money(amount: Decimal, currency: str) -> dict[str, str]:
    """MoneyV2: at least one decimal ("10.0"), no more than needed; yen too."""
    whole = f"{rounded(amount, currency) + 0:.{max(1, decimals_of(currency))}f}"
    head, _, tail = whole.partition(".")
    return {"amount": f"{head}.{tail.rstrip('0') or '0'}", "currencyCode": currency}


def bag(shop: Shop, order: Order, amount: Decimal) -> dict[str, dict[str, str]]:
    other = amount * order.rate if order.currency != shop.currency else amount
    return {"shopMoney": money(amount, shop.currency), "presentmentMoney": money(other, order.currency)}
