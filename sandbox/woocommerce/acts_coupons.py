"""Coupons as staff make, change, disable and trash them, and what the checkout asks of them."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase

from sandbox.refusals import CodeRefused, Impossible
from sandbox.woocommerce.acts_customers import CustomerActs
from sandbox.woocommerce.base import utc
from sandbox.woocommerce.state import ZERO, Coupon, Line, Meta, Order
from sandbox.woocommerce.totals import listed_subtotal

_TAGS = re.compile(r"<[^>]*>")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def clean_code(code: str) -> str:
    """The code as the store keeps it: without tags, trimmed, lower case."""
    return _TAGS.sub("", code).strip().lower()


class CouponActs(CustomerActs):
    def create_coupon(
        self,
        code: str,
        amount: Decimal | str | int = 0,
        *,
        kind: str = "fixed_cart",
        expires: datetime | None = None,
        emails: Sequence[str] = (),
        minimum: Decimal | str | int = 0,
        usage_limit: int | None = None,
        free_shipping: bool = False,
        individual_use: bool = False,
        status: str = "publish",
        description: str = "",
        check: bool = True,
    ) -> Coupon:
        """A coupon. `check` False leaves out the look for another of that name: two requests at once both
        pass that look, and the store has no unique key.

        Raises: Impossible for a name that is taken.
        """
        with self.lock:
            name = clean_code(code)
            if check and self.coupon_named(name) is not None:
                raise Impossible("The coupon code already exists")
            now = self.now()
            coupon = Coupon(
                id=self._count("post"),
                code=name,
                created=now,
                modified=now,
                amount=self.amount(amount),
                discount_type=kind,
                status=status,
                description=description,
                expires=expires and utc(expires),
                usage_limit=usage_limit,
                free_shipping=free_shipping,
                individual_use=individual_use,
                minimum_amount=self.amount(minimum),
                # An address that is none is dropped without a word: the coupon may then be open to all.
                email_restrictions=[email.lower() for email in emails if _EMAIL.fullmatch(email)],
            )
            self.coupons[coupon.id] = coupon
            self.emit("coupon", "created", coupon.id)
            return coupon

    def coupon_named(self, code: str) -> Coupon | None:
        """The newest coupon of that name that is not in the trash, whatever its state."""
        name = clean_code(code)
        found = [c for c in self.coupons.values() if c.code == name and c.status != "trash"]
        return found[-1] if found else None

    def change_coupon(self, coupon: Coupon) -> None:
        """Say that staff saved `coupon` after changing its fields."""
        with self.lock:
            coupon.modified = self.now()
            self.emit("coupon", "updated", coupon.id)

    def disable_coupon(self, coupon: Coupon) -> None:
        with self.lock:
            coupon.status = "draft"
            self.change_coupon(coupon)

    def trash_coupon(self, coupon: Coupon) -> None:
        with self.lock:
            coupon.status = "trash"
            coupon.modified = self.now()
            self.emit("coupon", "deleted", coupon.id)

    def delete_coupon(self, coupon: Coupon) -> None:
        """For good, past the trash."""
        with self.lock:
            del self.coupons[coupon.id]
            self.emit("coupon", "deleted", coupon.id)

    def usable(self, code: str, lines: Sequence[Line], *, email: str, customer_id: int) -> Coupon:
        """The coupon, if this cart may use it now.

        Raises: CodeRefused with the words of the checkout.
        """
        coupon = self.coupon_named(code)
        if coupon is None or coupon.status != "publish":
            raise CodeRefused(f"Coupon &quot;{code}&quot; cannot be applied because it does not exist.")
        if coupon.expires is not None and coupon.expires <= self.now():
            raise CodeRefused(f"Coupon &quot;{code}&quot; has expired.")
        if coupon.usage_limit and coupon.usage_count >= coupon.usage_limit:
            raise CodeRefused(f"Usage limit for coupon &quot;{code}&quot; has been reached.")
        mine = [used for used in coupon.used_by if used in (str(customer_id or ""), email.lower())]
        if coupon.usage_limit_per_user and len(mine) >= coupon.usage_limit_per_user:
            raise CodeRefused(f"Usage limit for coupon &quot;{code}&quot; has been reached.")
        subtotal = listed_subtotal(lines)
        if subtotal < coupon.minimum_amount:
            raise CodeRefused(f"The minimum spend for this coupon is {self.money(coupon.minimum_amount)}.")
        if coupon.maximum_amount > ZERO and subtotal > coupon.maximum_amount:
            raise CodeRefused(f"The maximum spend for this coupon is {self.money(coupon.maximum_amount)}.")
        account = self.customers.get(customer_id)
        addresses = {email.lower()} | ({account.email.lower()} if account else set())
        allowed = coupon.email_restrictions
        if allowed and not any(fnmatchcase(a, rule) for a in addresses for rule in allowed):
            raise CodeRefused(
                f"Please enter a valid email at checkout to use coupon code &quot;{coupon.code}&quot;."
            )
        return coupon

    def count_uses(self, order: Order) -> None:
        """Usage follows the order's status: counted from creation, pending too; back when cancelled, failed or
        trashed, counted again when revived. A full refund gives nothing back."""
        wanted = order.status not in ("cancelled", "failed", "trash")
        if order.uses_counted == wanted:
            return
        by = str(order.customer_id) if order.customer_id else order.billing["email"].lower()
        for used in order.coupons:
            used.coupon.usage_count += 1 if wanted else -1
            if wanted:
                used.coupon.used_by.append(by)
            elif by in used.coupon.used_by:
                used.coupon.used_by.remove(by)
        order.uses_counted = wanted  # silent: no webhook tells of a coupon's use

    def new_meta(self, key: str, value: object) -> Meta:
        return Meta(id=self._count("meta"), key=key, value=value)
