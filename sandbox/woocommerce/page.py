"""The store's own pages, and the widget on them: WordPress signs a token for whoever is logged in."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import jwt
from flask import Blueprint, Response, abort
from markupsafe import Markup

from sandbox import storefront
from sandbox.storefront import CodeRow, OrderRow, ProductRow, customer_ref
from sandbox.woocommerce.parts import SYMBOLS
from sandbox.woocommerce.shop import Shop
from sandbox.woocommerce.state import Coupon, Order

TOKEN_LIFE = timedelta(minutes=15)


def widget_token(shop: Shop, customer_id: int) -> str:
    """What the shop's server signs with the widget's secret: who is logged in, for a quarter of an hour."""
    now = int(shop.clock().timestamp())
    told = {"sub": str(customer_id), "iat": now, "exp": now + int(TOKEN_LIFE.total_seconds())}
    return jwt.encode(told, shop.widget_secret, algorithm="HS256")


def make(shop: Shop) -> Blueprint:
    pages = storefront.make(WooFront(shop))

    @pages.get("/laurel-token")
    def token() -> Response:
        if not customer_ref():
            abort(403)
        return storefront.token_answer(widget_token(shop, int(customer_ref())))

    return pages


class WooFront:
    """`storefront.Front` over a WooCommerce store."""

    platform = "WooCommerce"
    admin = ""

    def __init__(self, shop: Shop) -> None:
        self.title = shop.name
        self._shop = shop

    def widget(self, customer_ref: str) -> Markup:
        shop = self._shop
        settings = dict(shop.widget)
        script = settings.pop("script", "")
        token = widget_token(shop, int(customer_ref)) if customer_ref else ""
        return storefront.element(
            script, {**settings, "token": token, "refresh-url": token and "/laurel-token"}
        )

    def products(self) -> Sequence[ProductRow]:
        shop = self._shop
        rows = [product for product in shop.products.values() if not product.trashed]
        return [ProductRow(ref=str(p.id), name=p.name, price=self._price(shop.money(p.price))) for p in rows]

    def customers(self) -> Mapping[str, str]:
        people = self._shop.customers.values()
        return {str(c.id): f"{c.first_name} {c.last_name}".strip() or c.email for c in people}

    def orders(self) -> Sequence[OrderRow]:
        return [self._row(order) for order in reversed(self._shop.orders.values())]

    def codes(self) -> Sequence[CodeRow]:
        return [
            self._code(coupon) for coupon in reversed(self._shop.coupons.values()) if coupon.status != "trash"
        ]

    def buy(self, cart: Mapping[str, int], customer_ref: str, email: str, code: str) -> str:
        shop = self._shop
        lines = [(shop.products[int(ref)], quantity) for ref, quantity in cart.items()]
        customer = shop.customers[int(customer_ref)] if customer_ref else None
        codes = [code] if code else []
        order = shop.checkout(lines, customer=customer, email=email or "guest@example.test", codes=codes)
        return f"#{order.id}"

    def do(self, order_ref: str, verb: str) -> None:
        shop = self._shop
        order = shop.orders[int(order_ref)]
        match verb:
            case "pay":
                shop.pay(order)
            case "complete":
                shop.complete(order)
            case "refund-one":
                shop.refund(order, {order.lines[0].id: 1}, reason="One piece back")
            case "refund":
                shop.refund_all(order)
            case "cancel":
                shop.cancel(order)
            case "trash":
                shop.trash(order)
            case "restore":
                shop.restore(order)

    def do_code(self, code_ref: str, verb: str) -> None:
        coupon = self._shop.coupons[int(code_ref)]
        if verb == "trash":
            self._shop.trash_coupon(coupon)
        else:
            self._shop.disable_coupon(coupon)

    def make_code(self, code: str, amount: str) -> None:
        self._shop.create_coupon(code, amount)

    def _row(self, order: Order) -> OrderRow:
        shop = self._shop
        verbs = {"pay": "Pay", "complete": "Complete", "cancel": "Cancel", "trash": "Move to trash"}
        if order.status in ("processing", "completed"):
            verbs = {
                "complete": "Complete",
                "refund-one": "Refund one piece",
                "refund": "Refund the rest",
                **verbs,
            }
            del verbs["pay"]
        if order.status == "trash":
            verbs = {"restore": "Restore"}
        if order.refunded >= order.total:
            verbs = {"trash": "Move to trash"}
        back = f", {self._price(shop.money(order.refunded))} refunded" if order.refunded else ""
        return OrderRow(
            ref=str(order.id),
            name=f"#{order.id}",
            who=order.billing["email"],
            lines=", ".join(f"{line.quantity} × {line.product.name}" for line in order.lines),
            total=self._price(shop.money(order.total)),
            state=order.status + back,
            good=order.paid is not None and order.status in ("processing", "completed"),
            codes=[used.coupon.code for used in order.coupons],
            verbs=verbs,
        )

    def _code(self, coupon: Coupon) -> CodeRow:
        amount = self._shop.money(coupon.amount)
        what = (
            f"{coupon.amount:f} % off" if coupon.discount_type == "percent" else f"{self._price(amount)} off"
        )
        limit = f" of {coupon.usage_limit}" if coupon.usage_limit else ""
        bound = f", for {', '.join(coupon.email_restrictions)}" if coupon.email_restrictions else ""
        expires = f", until {coupon.expires:%d %B %Y}" if coupon.expires else ""
        return CodeRow(
            ref=str(coupon.id),
            code=coupon.code,
            what="free shipping" if coupon.free_shipping else what,
            state="live" if coupon.status == "publish" else coupon.status,
            uses=f"{coupon.usage_count}{limit} used{bound}{expires}",
            verbs={"disable": "Disable", "trash": "Move to trash"},
        )

    def _price(self, amount: str) -> str:
        return f"{SYMBOLS.get(self._shop.currency, self._shop.currency)}{amount}"
