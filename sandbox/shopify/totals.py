"""The shop's sums over one order. All in the shop's currency, rounded half up to its decimals."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sandbox.shopify.state import ZERO, Application, Line, Order, ShippingLine

DECIMALS = dict.fromkeys("BIF CLP ISK JPY KRW PYG UGX VND XAF XOF".split(), 0) | dict.fromkeys(
    "BHD IQD JOD KWD LYD OMR TND".split(), 3
)


def decimals_of(currency: str) -> int:
    return DECIMALS.get(currency, 2)


def rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-decimals_of(currency)), ROUND_HALF_UP)


def total(amounts: Sequence[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


@dataclass(frozen=True, slots=True)
class Sums:
    """Every figure of an order that bodies and GraphQL show."""

    order: Order
    currency: str
    tax_percent: Decimal

    def tax(self, amount: Decimal, *, taxable: bool = True) -> Decimal:
        """The tax on `amount`, or within it where prices include tax."""
        rate = self.tax_percent if taxable else ZERO
        share = rate / (100 + rate) if self.order.taxes_included else rate / 100
        return rounded(amount * share, self.currency)

    def discount(self, line: Line) -> Decimal:
        return total([amount for _, amount in line.allocations])

    def discounted(self, line: Line) -> Decimal:
        return line.price * line.quantity - self.discount(line)

    def part(self, line: Line, quantity: int) -> Decimal:
        """What `quantity` pieces cost after discounts."""
        return rounded(self.discounted(line) * quantity / line.quantity, self.currency) if quantity else ZERO

    def refunded_quantity(self, line: Line) -> int:
        parts = [part for refund in self.order.refunds for part in refund.lines]
        return sum(part.quantity for part in parts if part.line is line)

    def current_quantity(self, line: Line) -> int:
        return max(0, line.quantity - line.removed - self.refunded_quantity(line))

    def line_tax(self, line: Line) -> Decimal:
        return self.tax(self.discounted(line), taxable=line.product.taxable)

    @property
    def line_items_price(self) -> Decimal:
        return total([line.price * line.quantity for line in self.order.lines])

    @property
    def subtotal(self) -> Decimal:
        return total([self.discounted(line) for line in self.order.lines])

    @property
    def shipping(self) -> Decimal:
        """Before its discounts."""
        return total([line.price for line in self.order.shipping])

    @property
    def shipping_discount(self) -> Decimal:
        return total([line.discount for line in self.order.shipping])

    @property
    def shipping_tax(self) -> Decimal:
        return self.tax(self.shipping - self.shipping_discount)

    @property
    def discounts(self) -> Decimal:
        return total([self.discount(line) for line in self.order.lines]) + self.shipping_discount

    @property
    def taxes(self) -> Decimal:
        return total([self.line_tax(line) for line in self.order.lines]) + self.shipping_tax

    @property
    def price(self) -> Decimal:
        """The order as placed and added to; before refunds and removals."""
        added = ZERO if self.order.taxes_included else self.taxes
        return self.subtotal + self.shipping - self.shipping_discount + added + self.order.tip

    @property
    def current_subtotal(self) -> Decimal:
        return total([self.part(line, self.current_quantity(line)) for line in self.order.lines])

    @property
    def current_shipping(self) -> Decimal:
        return (
            self.shipping - self.shipping_discount - total([refund.shipping for refund in self.order.refunds])
        )

    @property
    def current_taxes(self) -> Decimal:
        goods = [
            self.tax(self.part(line, self.current_quantity(line)), taxable=line.product.taxable)
            for line in self.order.lines
        ]
        return total(goods) + self.tax(self.current_shipping)

    @property
    def current_discounts(self) -> Decimal:
        kept = [
            self.discount(line) * self.current_quantity(line) / line.quantity
            for line in self.order.lines
            if line.quantity
        ]
        return rounded(total(kept), self.currency) + self.shipping_discount

    @property
    def current_price(self) -> Decimal:
        added = ZERO if self.order.taxes_included else self.current_taxes
        return self.current_subtotal + self.current_shipping + added + self.order.tip

    @property
    def received(self) -> Decimal:
        taken = [t.amount for t in self.order.transactions if t.kind in ("sale", "capture")]
        return total(taken)

    @property
    def refunded(self) -> Decimal:
        return total([t.amount for refund in self.order.refunds for t in refund.transactions])

    @property
    def outstanding(self) -> Decimal:
        beyond = total([refund.beyond for refund in self.order.refunds])
        return self.current_price - beyond - (self.received - self.refunded)

    @property
    def financial_status(self) -> str:
        """As webhooks write it; GraphQL shows the same in capitals."""
        kinds = {transaction.kind for transaction in self.order.transactions}
        if "void" in kinds and not self.received:
            return "voided"
        if self.refunded:
            return "refunded" if self.refunded >= self.received else "partially_refunded"
        if self.received:
            return "paid" if self.outstanding <= 0 else "partially_paid"
        if "authorization" in kinds:
            return "authorized"
        return "paid" if not self.price else "pending"


def spread(application: Application, lines: Sequence[Line], amount: Decimal, currency: str) -> None:
    """Give `amount` off to lines in proportion to what they cost; what rounding leaves goes to the last."""
    left = [line.price * line.quantity - total([off for _, off in line.allocations]) for line in lines]
    base = total(left)
    amount = min(amount, base)
    if not base:
        return
    shares = [rounded(amount * part / base, currency) for part in left]
    shares[-1] += amount - total(shares)
    for line, off in zip(lines, shares, strict=True):
        if off:
            line.allocations.append((application, off))


def free_shipping(shipping: Sequence[ShippingLine], maximum: Decimal | None) -> None:
    for line in shipping:
        if maximum is None or line.price <= maximum:
            line.discount = line.price
