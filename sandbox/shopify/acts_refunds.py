"""Refunds: of lines, of shipping, of a bare amount, with or without money moving."""

from collections.abc import Mapping
from decimal import Decimal

from sandbox.refusals import Impossible
from sandbox.shopify.acts_orders import Amount, OrderActs
from sandbox.shopify.bodies_refunds import refund_body
from sandbox.shopify.state import ZERO, Order, Refund, RefundLine, Transaction
from sandbox.shopify.totals import total


class RefundActs(OrderActs):
    def refund(
        self,
        order: Order,
        lines: Mapping[int, int] | None = None,
        *,
        shipping: Amount | None = None,
        beyond: Amount = 0,
        moves_money: bool = True,
        note: str | None = None,
        restock: str = "no_restock",
    ) -> Refund:
        """Give back `lines` (line id -> pieces), `shipping` (without its tax, which goes with it) and a bare amount
        `beyond` them. `moves_money` False: goods come back and nobody is paid.

        Raises: Impossible for more than was bought or paid.
        """
        with self.act():
            parts = [self._part(order, number, n, restock) for number, n in (lines or {}).items()]
            freight = self.amount(shipping) if shipping is not None else ZERO
            refund = self._record(order, parts, freight, self.amount(beyond), note, moves_money=moves_money)
            self._tell_refund(order, refund)
            return refund

    def refund_all(self, order: Order, note: str | None = None) -> Refund:
        """Everything that is left, line by line, shipping too."""
        with self.act():
            refund = self._rest(order, note)
            self._tell_refund(order, refund)
            return refund

    def refund_the_rest(self, order: Order) -> None:
        with self.act():
            refund = self._rest(order, None)
            self._tell_refund(order, refund)

    def _rest(self, order: Order, note: str | None) -> Refund:
        sums = self.sums(order)
        left = {line.id: sums.current_quantity(line) for line in order.lines}
        parts = [self._part(order, number, n, "cancel") for number, n in left.items() if n]
        freight = max(ZERO, sums.current_shipping)
        paid = sums.received - sums.refunded
        named = self._worth(order, parts, freight)
        return self._record(order, parts, freight, max(ZERO, paid - named), note, most=paid)

    def _record(
        self,
        order: Order,
        parts: list[RefundLine],
        freight: Decimal,
        beyond: Decimal,
        note: str | None,
        *,
        moves_money: bool = True,
        most: Decimal | None = None,
    ) -> Refund:
        sums = self.sums(order)
        amount = self._worth(order, parts, freight) + beyond
        if most is not None:
            amount = min(amount, most)
        if moves_money and amount > sums.received - sums.refunded:
            raise Impossible("Refund amount cannot be greater than the amount received.")
        money = Transaction(
            id=self.new_id(),
            kind="refund",
            amount=amount,
            at=self.now(),
            parent_id=order.transactions[0].id if order.transactions else None,
        )
        refund = Refund(
            id=self.new_id(),
            created=self.now(),
            note=note,
            lines=tuple(parts),
            shipping_id=self.new_id(),
            shipping=freight,
            shipping_tax=sums.tax(freight),
            adjustment_id=self.new_id(),
            beyond=beyond,
            transactions=(money,) if moves_money and amount else (),
        )
        order.refunds.append(refund)
        return refund

    def _worth(self, order: Order, parts: list[RefundLine], freight: Decimal) -> Decimal:
        goods = total([part.subtotal for part in parts])
        taxes = total([part.tax for part in parts]) + self.sums(order).tax(freight)
        return goods + freight + (ZERO if order.taxes_included else taxes)

    def _part(self, order: Order, number: int, quantity: int, restock: str) -> RefundLine:
        sums = self.sums(order)
        line = next((line for line in order.lines if line.id == number), None)
        if line is None or quantity > sums.current_quantity(line):
            raise Impossible("Cannot refund more items than were purchased.")
        subtotal = sums.part(line, quantity)
        tax = sums.tax(subtotal, taxable=line.product.taxable)
        if quantity == sums.current_quantity(line) and not line.removed:
            # The last pieces of a line take what rounding left.
            back = [part for refund in order.refunds for part in refund.lines if part.line is line]
            subtotal = sums.discounted(line) - total([part.subtotal for part in back])
            tax = sums.line_tax(line) - total([part.tax for part in back])
        return RefundLine(
            id=self.new_id(), line=line, quantity=quantity, subtotal=subtotal, tax=tax, restock=restock
        )

    def _tell_refund(self, order: Order, refund: Refund) -> None:
        position = order.refunds.index(refund)
        self.emit("refunds/create", lambda: refund_body(self, order, position), str(order.id))
        self._changed(order)
