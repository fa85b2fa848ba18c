"""The store's sums: discounts over lines, tax, refunded amounts. Decimal, rounded half up to the store's decimals."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from sandbox.woocommerce.state import ZERO, Coupon, Extra, Line, Order


def rounded(amount: Decimal, decimals: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def calculate(order: Order, *, tax_percent: Decimal, decimals: int) -> None:
    """Work out every amount of `order` from prices, quantities, coupons and tax."""
    for line in order.lines:
        rate = tax_percent if line.product.taxable else ZERO
        gross = line.price * line.quantity
        net = gross / (1 + rate / 100) if order.prices_include_tax else gross
        line.subtotal = line.total = rounded(net, decimals)
        line.subtotal_tax = line.total_tax = _tax(line.subtotal, rate, decimals)
        if order.prices_include_tax:
            line.subtotal_tax = line.total_tax = rounded(gross - line.subtotal, decimals)
    for used in order.coupons:
        _discount(order, used.coupon, tax_percent, decimals)
        used.discount = rounded(sum(_before_now(order), ZERO), decimals) - sum(
            (other.discount for other in order.coupons if other is not used), ZERO
        )
        used.discount_tax = sum((line.subtotal_tax - line.total_tax for line in order.lines), ZERO) - sum(
            (other.discount_tax for other in order.coupons if other is not used), ZERO
        )
    free = any(used.coupon.free_shipping for used in order.coupons)
    for extra in order.shipping:
        extra.total = ZERO if free else extra.total
    for extra in (*order.shipping, *order.fees):
        extra.tax = _tax(extra.total, tax_percent if extra.taxable else ZERO, decimals)


def share(line: Line, quantity: int, decimals: int) -> tuple[Decimal, Decimal]:
    """What `quantity` pieces of `line` cost after discounts, and their tax."""
    part = Decimal(quantity) / line.quantity
    return rounded(line.total * part, decimals), rounded(line.total_tax * part, decimals)


def shipping_share(extra: Extra, amount: Decimal, decimals: int) -> Decimal:
    """The tax that goes back with `amount` of a shipping line or fee."""
    return rounded(extra.tax * amount / extra.total, decimals) if extra.total else ZERO


def listed_subtotal(lines: Sequence[Line]) -> Decimal:
    """The goods as the cart shows them; what a coupon's minimum is held against."""
    return sum((line.price * line.quantity for line in lines), ZERO)


def _before_now(order: Order) -> list[Decimal]:
    return [line.subtotal - line.total for line in order.lines]


def _discount(order: Order, coupon: Coupon, tax_percent: Decimal, decimals: int) -> None:
    """Taken off prices as the store lists them: where those are with tax, part of what is taken is tax."""
    lines = [line for line in order.lines if _eligible(line, coupon)]
    with_tax = order.prices_include_tax
    listed = [line.total + (line.total_tax if with_tax else ZERO) for line in lines]
    if coupon.discount_type == "percent":
        off = _percent_off(lines, listed, coupon, decimals)
    else:
        off = _spread(coupon.amount, listed, [line.quantity for line in lines], decimals)
    for line, price, amount in zip(lines, listed, off, strict=True):
        rate = tax_percent if line.product.taxable else ZERO
        after = price - amount
        line.total = rounded(after / (1 + rate / 100), decimals) if with_tax else after
        line.total_tax = after - line.total if with_tax else _tax(after, rate, decimals)


def _percent_off(
    lines: Sequence[Line], listed: Sequence[Decimal], coupon: Coupon, decimals: int
) -> list[Decimal]:
    """Of so many pieces at most, counted over the lines as they stand, where the coupon limits them."""
    left = coupon.limit_usage_to_x_items
    off = []
    for line, price in zip(lines, listed, strict=True):
        pieces = line.quantity if left is None else min(left, line.quantity)
        left = None if left is None else left - pieces
        off.append(rounded(price / line.quantity * pieces * coupon.amount / 100, decimals))
    return off


def _eligible(line: Line, coupon: Coupon) -> bool:
    if line.product.id in coupon.excluded_product_ids:
        return False
    return not coupon.product_ids or line.product.id in coupon.product_ids


def _spread(
    amount: Decimal, totals: Sequence[Decimal], pieces: Sequence[int], decimals: int
) -> list[Decimal]:
    """`amount` over pieces, each the same and none more than its line has left; the last units one piece at a time.

    Seen on 10.9.1 and 11.0.1: of 5.00 a mug at 10.00 and coffee at 19.99 have 2.50 each. Source:
    class-wc-discounts.php, apply_coupon_fixed_cart().
    """
    unit = Decimal(1).scaleb(-decimals)
    off = [ZERO for _ in totals]
    left = min(amount, sum(totals, ZERO))
    while left >= unit and (some := [at for at, total in enumerate(totals) if total - off[at] >= unit]):
        each = left / sum(pieces[at] for at in some) // unit * unit
        for at in some:
            taken = min(totals[at] - off[at], max(each, unit) * pieces[at], left)
            off[at] += taken
            left -= taken
    return off


def _tax(amount: Decimal, percent: Decimal, decimals: int) -> Decimal:
    return rounded(amount * percent / 100, decimals)
