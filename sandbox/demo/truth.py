"""What each order is worth, worked out from the stand-ins' own records. Decimal, and nothing of Laurel's code.

An independent second opinion: goods after discounts, without tax and shipping, less what was given back.
"""

from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal

from sandbox.shopify.shop import Shop as ShopifyShop
from sandbox.shopify.state import Order as ShopifyOrder
from sandbox.woocommerce.shop import Shop as WooShop
from sandbox.woocommerce.state import Order as WooOrder

ZERO = Decimal(0)
_CENT = Decimal("0.01")


def worth(shop: ShopifyShop | WooShop, order: ShopifyOrder | WooOrder) -> Decimal:
    """The money of `order` that points are given for; 0 if it is not paid, void or gone."""
    if order.id not in shop.orders:
        return ZERO
    if isinstance(order, WooOrder):
        return _woo(order)
    assert isinstance(shop, ShopifyShop)
    return _shopify(shop, order)


def points(money: Decimal, earn_percent: int) -> int:
    """One point for 1.00, times the tier, rounded down once."""
    return int((money * earn_percent / 100).to_integral_value(ROUND_FLOOR))


def _woo(order: WooOrder) -> Decimal:
    if order.status in ("cancelled", "failed", "trash") or order.paid is None:
        return ZERO
    goods = _sum(line.total for line in order.lines) + _sum(min(fee.total, ZERO) for fee in order.fees)
    back = ZERO
    for refund in order.refunds:
        lines = _sum(line.total for line in refund.lines)
        named = _sum(line.total + line.tax for line in refund.lines)
        named += _sum(part.total + part.tax for part in refund.shipping)
        back += lines + max(ZERO, refund.amount - named)
    return max(ZERO, goods) - min(back, max(ZERO, goods))


def _shopify(shop: ShopifyShop, order: ShopifyOrder) -> Decimal:
    status = shop.sums(order).financial_status
    if order.cancelled is not None or order.test or status not in ("paid", "partially_refunded", "refunded"):
        return ZERO
    returned = [refund for refund in order.refunds if not (refund.transactions or refund.beyond)]
    goods = ZERO
    for line in order.lines:
        gone = line.removed + sum(
            part.quantity for refund in returned for part in refund.lines if part.line is line
        )
        net = line.price * line.quantity - _sum(amount for _, amount in line.allocations)
        goods += (net * max(line.quantity - gone, 0) / line.quantity).quantize(_CENT, ROUND_FLOOR)
    back = ZERO
    for refund in order.refunds:
        if refund not in returned:
            money = _sum(paid.amount for paid in refund.transactions)
            lines = _sum(part.subtotal for part in refund.lines)
            named = lines + _sum(part.tax for part in refund.lines) + refund.shipping + refund.shipping_tax
            back += lines + max(ZERO, money - named)
    return goods - min(back, goods)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)
