"""Refunds: by line, of shipping, of a bare amount; taken back; and the one that a hand-set status makes."""

from collections.abc import Mapping
from decimal import Decimal

from sandbox.refusals import Impossible
from sandbox.woocommerce.acts_orders import Amount, OrderActs
from sandbox.woocommerce.state import ZERO, Extra, Line, Order, Refund, RefundedExtra, RefundedLine
from sandbox.woocommerce.totals import share, shipping_share


class RefundActs(OrderActs):
    def refund(
        self,
        order: Order,
        lines: Mapping[int, int] | None = None,
        *,
        shipping: Amount | None = None,
        amount: Amount | None = None,
        reason: str = "",
    ) -> Refund:
        """Give money back: `lines` (line id -> pieces) with their tax, `shipping` without its tax (the tax goes
        with it), and `amount` as the whole sum if it is more, or all there is. The order's total stays as it is.

        Raises: Impossible for nothing or more than is left.
        """
        with self.lock:
            goods = [self._line_back(self._line_of(order, number), n) for number, n in (lines or {}).items()]
            extras = (
                [self._extra_back(order.shipping[0], self.amount(shipping))] if shipping is not None else []
            )
            named = sum((part.total + part.tax for part in goods), ZERO)
            named += sum((part.total + part.tax for part in extras), ZERO)
            whole = self.amount(amount) if amount is not None else named
            left = order.total - order.refunded
            if whole <= 0 or whole > left:
                raise Impossible("Invalid refund amount.")
            refund = self._record(order, whole, reason, goods, extras)
            if whole == left and order.status != "refunded":
                order.status = "refunded"
            self.touch(order)
            return refund

    def refund_all(self, order: Order, reason: str = "") -> Refund:
        """What is left of the order, as a bare amount: the store names no lines for it."""
        return self.refund(order, amount=order.total - order.refunded, reason=reason)

    def delete_refund(self, order: Order, refund: Refund) -> None:
        """Staff takes a refund back. Silent: no webhook tells, the order's time does not move."""
        with self.lock:
            order.refunds.remove(refund)

    def refund_the_rest(self, order: Order) -> None:
        left = order.total - order.refunded
        if left > 0:
            self._record(order, left, "Order fully refunded.", [], [])

    def _record(
        self,
        order: Order,
        amount: Decimal,
        reason: str,
        lines: list[RefundedLine],
        shipping: list[RefundedExtra],
    ) -> Refund:
        refund = Refund(
            id=self._count("post"),
            created=self.now(),
            amount=amount,
            reason=reason,
            full=amount == order.total - order.refunded,
            meta_id=self._count("meta"),
            tax_line_id=self._count("item"),
            lines=tuple(lines),
            shipping=tuple(shipping),
        )
        order.refunds.append(refund)
        return refund

    def _line_of(self, order: Order, number: int) -> Line:
        for line in order.lines:
            if line.id == number:
                return line
        raise Impossible(f"Order {order.id} has no line {number}.")

    def _line_back(self, line: Line, quantity: int) -> RefundedLine:
        total, tax = share(line, quantity, self.decimals)
        return RefundedLine(
            id=self._count("item"),
            line=line,
            quantity=quantity,
            total=total,
            tax=tax,
            meta_id=self._count("meta"),
        )

    def _extra_back(self, extra: Extra, amount: Decimal) -> RefundedExtra:
        tax = shipping_share(extra, amount, self.decimals)
        return RefundedExtra(
            id=self._count("item"), extra=extra, total=amount, tax=tax, meta_id=self._count("meta")
        )
