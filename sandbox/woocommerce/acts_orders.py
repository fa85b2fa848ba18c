"""Orders from checkout to trash: what shoppers and staff do, and what the store tells about it."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sandbox.refusals import CodeRefused
from sandbox.woocommerce.acts_coupons import CouponActs
from sandbox.woocommerce.base import utc
from sandbox.woocommerce.state import Customer, Extra, Line, Order, Product, UsedCoupon, address, billing
from sandbox.woocommerce.totals import calculate

Amount = Decimal | str | int


class OrderActs(CouponActs):
    def create_order(
        self,
        lines: Sequence[tuple[Product, int]],
        *,
        customer: Customer | None = None,
        email: str = "guest@example.test",
        codes: Sequence[str] = (),
        currency: str | None = None,
        prices_include_tax: bool | None = None,
        shipping: Amount | None = None,
        fees: Mapping[str, Amount] | None = None,
        status: str = "pending",
        payment_method: str = "bacs",
        via: str = "rest-api",
        placed_at: datetime | None = None,
        note: str = "",
    ) -> Order:
        """An order. Without `customer` a guest's, under `email`. `via` "store-api" is the block checkout, which
        tells order.updated before order.created. A refused code raises CodeRefused and leaves no order."""
        with self.lock:
            moment = utc(placed_at) if placed_at else self.now()
            number = self._count("post")
            buyer = customer.email if customer else email
            name = {"first_name": customer.first_name, "last_name": customer.last_name} if customer else {}
            order = Order(
                id=number,
                status=status,
                currency=currency or self.currency,
                prices_include_tax=self.prices_include_tax
                if prices_include_tax is None
                else prices_include_tax,
                created=moment,
                modified=moment,
                customer_id=customer.id if customer else 0,
                billing=billing(**name, address_1="1 Market St", city="Bath", country="US", email=buyer),
                shipping_address=address(**name),
                key=f"wc_order_{hashlib.sha256(f'{self.url}{number}'.encode()).hexdigest()[:13]}",
                via=via,
                tax_line_id=0,
                payment_method=payment_method,
                payment_title={"bacs": "Direct bank transfer", "cod": "Cash on delivery"}.get(
                    payment_method, ""
                ),
                note=note,
            )
            order.lines = [self._new_line(product, quantity) for product, quantity in lines]
            self._use_codes(order, codes)
            if shipping is not None:
                order.shipping.append(self._new_extra("Flat rate", shipping))
            order.fees = [self._new_extra(title, amount) for title, amount in (fees or {}).items()]
            order.tax_line_id = self._count("item")
            self.recalculate(order)
            self.orders[order.id] = order
            self.count_uses(order)
            self._entered(order, moment)
            for event in ("updated", "created") if via == "store-api" else ("created", "updated"):
                self.emit("order", event, order.id)
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
        """What a shopper does on the shop's pages; the order waits for payment. Raises: CodeRefused."""
        return self.create_order(
            lines, customer=customer, email=email, codes=codes, shipping=shipping, via="store-api"
        )

    def pay(self, order: Order) -> None:
        """The money came: processing, or completed at once when paid on delivery."""
        self.set_status(order, "completed" if order.payment_method == "cod" else "processing")

    def complete(self, order: Order) -> None:
        self.set_status(order, "completed")

    def cancel(self, order: Order) -> None:
        self.set_status(order, "cancelled")

    def set_status(self, order: Order, status: str) -> None:
        """Any status to any other, as staff may; the same one again is told as well."""
        with self.lock:
            changed = order.status != status
            order.status = status
            if changed:
                self._entered(order, self.now())
                self.count_uses(order)
            self.touch(order)

    def touch(self, order: Order) -> None:
        """Saved: told as order.updated, whether anything changed or not."""
        with self.lock:
            order.modified = self.now()
            self.emit("order", "updated", order.id)

    def add_line(self, order: Order, product: Product, quantity: int = 1) -> Line:
        with self.lock:
            line = self._new_line(product, quantity)
            order.lines.append(line)
            self._edited(order)
            return line

    def set_quantity(self, order: Order, line: Line, quantity: int) -> None:
        """Nought takes the line away. A completed order may be edited like any other."""
        with self.lock:
            line.quantity = quantity
            order.lines = [kept for kept in order.lines if kept.quantity]
            self._edited(order)

    def remove_line(self, order: Order, line: Line) -> None:
        self.set_quantity(order, line, 0)

    def change_owner(self, order: Order, customer: Customer | None) -> None:
        with self.lock:
            order.customer_id = customer.id if customer else 0
            if customer is not None:
                order.billing["email"] = customer.email
            self.touch(order)

    def trash(self, order: Order) -> None:
        with self.lock:
            order.status_before_trash, order.status = order.status, "trash"
            order.modified = self.now()
            self.count_uses(order)
            self.emit("order", "deleted", order.id)

    def restore(self, order: Order) -> None:
        with self.lock:
            order.status, order.status_before_trash = order.status_before_trash, ""
            order.modified = self.now()
            self.count_uses(order)
            self.emit("order", "restored", order.id)

    def force_delete(self, order: Order) -> None:
        """Gone for good, and silently: what still waits in the queue will say that there is no such order."""
        with self.lock:
            del self.orders[order.id]

    def recalculate(self, order: Order) -> None:
        calculate(order, tax_percent=self.tax_percent, decimals=self.decimals)

    def _edited(self, order: Order) -> None:
        self.recalculate(order)
        self.touch(order)

    def _entered(self, order: Order, moment: datetime) -> None:
        """What a new status brings with it: dates, a paying customer, the refund of a hand-set `refunded`."""
        # Cash on delivery is `processing` long before it is paid.
        paid = ("completed",) if order.payment_method == "cod" else ("processing", "completed")
        if order.status in paid and order.paid is None:
            order.paid = moment
        if order.status == "completed":
            order.completed = moment
            customer = self.customers.get(order.customer_id)
            if customer is not None and not customer.paying:
                customer.paying = True
                customer.modified = moment
                self.emit("customer", "updated", customer.id)
        if order.status == "refunded":
            self.refund_the_rest(order)

    def refund_the_rest(self, order: Order) -> None:
        raise NotImplementedError

    def _use_codes(self, order: Order, codes: Sequence[str]) -> None:
        for code in codes:
            coupon = self.usable(
                code, order.lines, email=order.billing["email"], customer_id=order.customer_id
            )
            if any(used.coupon is coupon for used in order.coupons):
                raise CodeRefused("Coupon code already applied!")
            if len(codes) > 1 and coupon.individual_use:
                raise CodeRefused("This coupon cannot be used with other coupons.")
            used = UsedCoupon(id=self._count("item"), coupon=coupon, meta_id=self._count("meta"))
            order.coupons.append(used)

    def _new_line(self, product: Product, quantity: int) -> Line:
        return Line(id=self._count("item"), product=product, quantity=quantity, price=product.price)

    def _new_extra(self, title: str, amount: Amount) -> Extra:
        return Extra(id=self._count("item"), title=title, total=self.amount(amount))
