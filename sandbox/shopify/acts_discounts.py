"""Codes as staff and apps make and end them, and what the checkout asks of them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sandbox.refusals import CodeRefused, Impossible
from sandbox.shopify.acts_customers import CustomerActs
from sandbox.shopify.bodies import discount_body
from sandbox.shopify.state import Application, Customer, Discount, Gift, Order, gid
from sandbox.shopify.totals import free_shipping, rounded, spread


class DiscountActs(CustomerActs):
    def create_discount(
        self,
        code: str,
        *,
        title: str = "",
        kind: str = "DiscountCodeBasic",
        amount: Decimal | str | None = None,
        percentage: Decimal | str | None = None,
        minimum: Decimal | str | None = None,
        customers: Sequence[Customer] | None = None,
        starts: datetime | None = None,
        ends: datetime | None = None,
        usage_limit: int | None = None,
        once_per_customer: bool = False,
        tags: Sequence[str] = (),
        gift: Gift | None = None,
        by_app: bool = False,
    ) -> Discount:
        """A code discount. `percentage` is a fraction, as the API has it (0.1 is 10 %).

        Raises: Impossible for a name that is taken, whatever its case.
        """
        with self.act():
            if self.discount_named(code) is not None:
                raise Impossible("Code must be unique. Please try a different code.")
            discount = Discount(
                id=self.new_id(),
                kind=kind,
                code_id=self.new_id(),
                code=code,
                title=title or code,
                starts=starts or self.now(),
                ends=ends,
                created=self.now(),
                updated=self.now(),
                amount=self.amount(amount) if amount is not None else None,
                percentage=Decimal(percentage) if percentage is not None else None,
                minimum=self.amount(minimum) if minimum is not None else None,
                customers=None if customers is None else [customer.id for customer in customers],
                usage_limit=usage_limit,
                once_per_customer=once_per_customer,
                gift=gift,
                tags=sorted(tags),
                by_app=by_app,
            )
            self.discounts[discount.id] = discount
            self._tell_discount("discounts/create", discount)
            return discount

    def discount_named(self, code: str) -> Discount | None:
        for discount in self.discounts.values():
            if discount.code.casefold() == code.strip().casefold():
                return discount
        return None

    def deactivate_discount(self, discount: Discount) -> None:
        """Ends now: Shopify has no switch, only an end."""
        with self.act():
            discount.ends = discount.updated = self.now()
            self._tell_discount("discounts/update", discount)

    def activate_discount(self, discount: Discount) -> None:
        with self.act():
            discount.ends, discount.updated = None, self.now()
            self._tell_discount("discounts/update", discount)

    def delete_discount(self, discount: Discount) -> None:
        with self.act():
            del self.discounts[discount.id]
            identity, at = gid("DiscountCodeNode", discount.id), self.stamp(self.now())
            body = {"admin_graphql_api_id": identity, "deleted_at": at}
            self.emit("discounts/delete", lambda: body, str(discount.id))

    def usage_count(self, discount: Discount) -> int:
        """What the API shows: uses older than the lag. A cancelled or refunded order gives none back."""
        return len([at for at, _ in discount.uses if at + self.usage_lag <= self.clock()])

    def usable(self, code: str, subtotal: Decimal, customer: Customer | None) -> Discount:
        """The discount, if this cart may use it now. The checkout itself counts without a lag.

        Raises: CodeRefused with the words of the checkout.
        """
        discount = self.discount_named(code)
        now = self.now()
        if discount is None or discount.status(now) == "SCHEDULED":
            raise CodeRefused("Enter a valid discount code or gift card")
        if discount.status(now) == "EXPIRED":
            raise CodeRefused(f"{discount.code} discount code isn’t available anymore")
        if discount.usage_limit is not None and len(discount.uses) >= discount.usage_limit:
            raise CodeRefused(f"{discount.code} discount code was already used")
        if discount.customers is not None and (customer is None or customer.id not in discount.customers):
            raise CodeRefused(f"{discount.code} discount code isn’t available to you right now")
        used = [who for _, who in discount.uses if customer is not None and who == customer.id]
        if discount.once_per_customer and used:
            raise CodeRefused(f"{discount.code} discount code was already used")
        if discount.minimum is not None and subtotal < discount.minimum:
            raise CodeRefused(f"{discount.code} needs a purchase of at least {discount.minimum}")
        return discount

    def _use_codes(self, order: Order, codes: Sequence[str]) -> None:
        if len({code.casefold() for code in codes}) < len(codes):
            raise CodeRefused("This discount has already been applied")
        found = [self.usable(code, self.sums(order).subtotal, order.customer) for code in codes]
        for one in found:
            if not all(_combine(one, other) for other in found if other is not one):
                raise CodeRefused(f"{one.code} couldn’t be used with your existing discounts")
        for discount in found:
            shipping = discount.kind == "DiscountCodeFreeShipping"
            application = Application(
                code=discount.code,
                title=discount.title,
                percentage=Decimal(100) if shipping else discount.percentage and discount.percentage * 100,
                amount=discount.amount or Decimal(0),
                shipping=shipping,
            )
            order.applications.append(application)
            if discount.gift is not None:
                self._give(order, application, discount.code, discount.gift)
            elif shipping:
                free_shipping(order.shipping, discount.maximum_shipping)
            else:
                self._take_off(order, application)
            discount.uses.append((self.clock(), order.customer.id if order.customer else None))

    def _give(self, order: Order, application: Application, code: str, gift: Gift) -> None:
        """The gift must be in the cart, beside goods that are bought; one piece of it is taken off, never more."""
        given = [
            line
            for line in order.lines
            if line.product.id in gift.products or line.product.variant_id in gift.variants
        ]
        bought = [
            (line, line.quantity - (gift.given if line in given else 0))
            for line in order.lines
            if set(gift.collections) & set(line.product.collections)
        ]
        spent = sum((line.price * pieces for line, pieces in bought), Decimal(0))
        pieces = sum(pieces for _, pieces in bought)
        if not given or pieces < (gift.pieces or 1) or spent < (gift.amount or 0):
            raise CodeRefused(f"{code} isn’t valid for the items in your cart")
        line = given[0]
        off = rounded(line.price * min(gift.given, line.quantity) * gift.percentage, self.currency)
        application.amount = off
        spread(application, [line], off, self.currency)

    def _take_off(self, order: Order, application: Application) -> None:
        lines = [line for line in order.lines if not line.product.gift_card]
        amount = application.amount
        if application.percentage is not None:
            base = sum(
                (line.price * line.quantity - self.sums(order).discount(line) for line in lines), Decimal(0)
            )
            amount = rounded(base * application.percentage / 100, self.currency)
        if lines:
            spread(application, lines, amount, self.currency)

    def _tell_discount(self, topic: str, discount: Discount) -> None:
        self.emit(topic, lambda: discount_body(self, discount), str(discount.id))


_CLASS = {"DiscountCodeFreeShipping": "shippingDiscounts", "DiscountCodeBxgy": "productDiscounts"}


def _combine(one: Discount, other: Discount) -> bool:
    """Whether `one` may stand beside a discount of the other's class; both must allow it."""
    return one.combines.get(_CLASS.get(other.kind, "orderDiscounts"), False)
