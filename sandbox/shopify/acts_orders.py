"""Orders: placed, paid, edited, fulfilled, cancelled, deleted; and what the shop tells about it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from sandbox.refusals import Impossible
from sandbox.shopify.acts_money import MoneyActs
from sandbox.shopify.bodies_orders import order_body
from sandbox.shopify.bodies_refunds import edit_body
from sandbox.shopify.state import Application, Customer, Line, Order, Product, ShippingLine, Transaction
from sandbox.shopify.totals import spread

Amount = Decimal | str | int


class OrderActs(MoneyActs):
    def create_order(
        self,
        lines: Sequence[tuple[Product, int]],
        *,
        customer: Customer | None = None,
        email: str = "guest@example.test",
        codes: Sequence[str] = (),
        currency: str | None = None,
        taxes_included: bool | None = None,
        shipping: Amount | None = None,
        off: Amount | None = None,
        tip: Amount = 0,
        test: bool = False,
        paid: bool = False,
        placed_at: datetime | None = None,
        source: str = "web",
    ) -> Order:
        """An order. Without `customer` a guest's. `currency` is what the shopper pays in; `off` a discount by
        staff; `source` "web", "pos", "shopify_draft_order", … A refused code raises CodeRefused and leaves
        no order."""
        with self.act():
            moment = placed_at.astimezone(UTC).replace(microsecond=0) if placed_at else self.now()
            paying_in = currency or self.currency
            order = Order(
                id=self.new_id(),
                number=0,
                created=moment,
                updated=moment,
                processed=moment,
                customer=customer,
                email=customer.email if customer else email,
                currency=paying_in,
                rate=Decimal(1) if paying_in == self.currency else self.rates[paying_in],
                taxes_included=self.taxes_included if taxes_included is None else taxes_included,
                test=test,
                source=source,
                tip=self.amount(tip),
            )
            order.lines = [self._line(product, quantity) for product, quantity in lines]
            if shipping is not None:
                order.shipping = [
                    ShippingLine(id=self.new_id(), title="Standard", price=self.amount(shipping))
                ]
            self._use_codes(order, codes)
            order.number = next(self._numbers)  # only now: a refused checkout has none
            if off is not None:
                given = Application(code=None, title="Staff", percentage=None, amount=self.amount(off))
                order.applications.append(given)
                spread(given, order.lines, given.amount, self.currency)
            self.orders[order.id] = order
            if paid:
                self._take(order, self.sums(order).price, "sale", moment)
            self._tell("orders/create", order)
            if paid:
                self._tell("orders/paid", order)
            self._tell("orders/updated", order)
            return order

    def checkout(
        self,
        lines: Sequence[tuple[Product, int]],
        *,
        customer: Customer | None = None,
        email: str = "guest@example.test",
        codes: Sequence[str] = (),
        shipping: Amount | None = None,
    ) -> Order:
        """What a shopper does on the shop's pages; paid by card at once. Raises: CodeRefused."""
        return self.create_order(
            lines, customer=customer, email=email, codes=codes, shipping=shipping, paid=True
        )

    def authorize(self, order: Order) -> None:
        with self.act():
            self._take(order, self.sums(order).price, "authorization", self.now())
            self._changed(order)

    def pay(self, order: Order, amount: Amount | None = None) -> None:
        """All that is outstanding, or `amount` of it: then the order is partly paid."""
        with self.act():
            due = self.sums(order).outstanding
            self._take(order, due if amount is None else self.amount(amount), "sale", self.now())
            if self.sums(order).financial_status == "paid":
                order.updated = self.now()
                self._tell("orders/paid", order)
            self._changed(order)

    def fulfil(self, order: Order) -> None:
        with self.act():
            order.fulfilled = True
            order.closed = self.now() if self.sums(order).outstanding <= 0 else None
            order.updated = self.now()
            self._tell("orders/fulfilled", order)
            self._changed(order)

    def edit(
        self,
        order: Order,
        *,
        add: Sequence[tuple[Product, int]] = (),
        remove: Mapping[int, int] | None = None,
    ) -> None:
        """Staff adds products or takes pieces away (`remove`: line id -> pieces). Money does not move."""
        with self.act():
            new = [self._line(product, quantity) for product, quantity in add]
            order.lines.extend(new)
            gone = remove or {}
            for line in order.lines:
                line.removed += gone.get(line.id, 0)
            order.edited, order.updated = True, self.now()
            added = {line.id: line.quantity for line in new}
            self.emit(
                "orders/edited", lambda: edit_body(self, order, added, dict(gone), self.now()), str(order.id)
            )
            self._changed(order)

    def cancel(self, order: Order, reason: str = "customer", *, refund: bool = True) -> None:
        """Cancelled: what was paid goes back unless `refund` is False; an authorisation is voided."""
        with self.act():
            if order.cancelled is not None:
                raise Impossible("The order is cancelled already.")
            sums = self.sums(order)
            if refund and sums.received > sums.refunded:
                self.refund_the_rest(order)
            elif not sums.received:
                self._take(order, Decimal(0), "void", self.now())
            order.cancelled = order.closed = order.updated = self.now()
            order.cancel_reason = reason
            self._tell("orders/cancelled", order)
            self._changed(order)

    def delete(self, order: Order) -> None:
        """Only a cancelled, archived or test order can be deleted; the shop's rule, not checked here."""
        with self.act():
            del self.orders[order.id]
            self.emit("orders/delete", lambda: {"id": order.id}, str(order.id))

    def touch(self, order: Order) -> None:
        """Something that concerns no one here (a tag, a note) changed the order."""
        with self.act():
            self._changed(order)

    def refund_the_rest(self, order: Order) -> None:
        raise NotImplementedError

    def _line(self, product: Product, quantity: int) -> Line:
        return Line(id=self.new_id(), product=product, price=product.price, quantity=quantity)

    def _take(self, order: Order, amount: Decimal, kind: str, at: datetime) -> Transaction:
        transaction = Transaction(id=self.new_id(), kind=kind, amount=amount, at=at)
        order.transactions.append(transaction)
        return transaction

    def _changed(self, order: Order) -> None:
        order.updated = self.now()
        self._tell("orders/updated", order)

    def _tell(self, topic: str, order: Order) -> None:
        self.emit(topic, lambda: order_body(self, order), str(order.id))
