"""The shop's own pages, the app proxy under them, and the frame that staff open the app in."""

from collections.abc import Mapping, Sequence

import httpx
from flask import Blueprint, Response, request
from markupsafe import Markup

from sandbox import storefront
from sandbox.shopify.bulk import part_of
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Discount, Order
from sandbox.storefront import CodeRow, OrderRow, ProductRow, customer_ref

_DROPPED = frozenset({"cookie", "host", "content-length", "connection", "authorization"})
_KEPT = ("content-type", "cache-control", "retry-after", "location")


def make(shop: Shop) -> Blueprint:
    pages = storefront.make(ShopifyFront(shop))

    @pages.route(f"/apps/{shop.app.subpath}/<path:rest>", methods=["GET", "POST", "PUT", "DELETE"])
    def proxy(rest: str) -> Response:
        """The app proxy: forwarded to the app with Shopify's signed parameters, cookies stripped both ways."""
        if shop.client is None or not shop.installed:
            return Response("Not found", status=404)
        customer = customer_ref()
        query = shop.proxied_query(list(request.args.items(multi=True)), int(customer) if customer else None)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _DROPPED}
        shop.client.cookies.clear()
        try:
            answer = shop.client.request(
                request.method,
                f"{shop.app.proxy_url}/{rest}?{query}",
                content=request.get_data(),
                headers={**headers, "X-Forwarded-Host": shop.domain},
            )
        except httpx.TransportError:
            return Response("There was a problem with the app.", status=502)
        kept = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        return Response(answer.content, status=answer.status_code, headers=kept)

    @pages.get(f"/admin/apps/{shop.app.handle}")
    @pages.get(f"/admin/apps/{shop.app.handle}/<path:path>")
    def open_app(path: str = "") -> Response:
        """The admin with the app in its frame; the id token is a minute old at most."""
        source = shop.open_app_url(f"/{path}" if path else "")
        return Response(
            Markup(
                '<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
                '<link rel="stylesheet" href="/static/shop.css"><header><h1>{title} admin</h1>'
                '<nav aria-label="App"></nav></header>'
                '<iframe title="App" src="{source}" style="width:100%;height:85vh;border:0"></iframe>'
                '<script type="module" src="/static/shopify-admin.js"></script>'
            ).format(title=shop.name, source=source)
        )

    @pages.get("/bulk/<int:number>.jsonl")
    def bulk_file(number: int) -> Response:
        """Behind a signed address, at Shopify a storage's; whoever sends our token there shows it to a stranger."""
        if "X-Shopify-Access-Token" in request.headers:
            return Response("a token was sent to a stranger", status=400)
        status, body, headers = part_of(shop, number, request.headers.get("Range", ""))
        return Response(body, status=status, headers=headers, mimetype="application/jsonl")

    @pages.get("/admin/id-token")
    def id_token() -> Response:
        """What App Bridge is given, whenever it asks."""
        return Response(shop.id_token(), mimetype="text/plain")

    return pages


class ShopifyFront:
    """`storefront.Front` over a Shopify shop."""

    platform = "Shopify"

    def __init__(self, shop: Shop) -> None:
        self.title = shop.name
        self.admin = f"/admin/apps/{shop.app.handle}"
        self._shop = shop

    def widget(self, customer_ref: str) -> Markup:
        """No token: behind the proxy Shopify's own signature says who is logged in."""
        settings = dict(self._shop.widget)
        script = settings.pop("script", "")
        known = {"api": f"/apps/{self._shop.app.subpath}", **settings, "customer": customer_ref}
        return storefront.element(script, known)

    def products(self) -> Sequence[ProductRow]:
        rows = self._shop.products.values()
        return [ProductRow(ref=str(p.id), name=p.title, price=self._price(p.price)) for p in rows]

    def customers(self) -> Mapping[str, str]:
        people = self._shop.customers.values()
        return {str(c.id): f"{c.first_name} {c.last_name}".strip() or c.email for c in people}

    def orders(self) -> Sequence[OrderRow]:
        return [self._row(order) for order in reversed(self._shop.orders.values())]

    def codes(self) -> Sequence[CodeRow]:
        return [self._code(discount) for discount in reversed(self._shop.discounts.values())]

    def buy(self, cart: Mapping[str, int], customer_ref: str, email: str, code: str) -> str:
        shop = self._shop
        lines = [(shop.products[int(ref)], quantity) for ref, quantity in cart.items()]
        customer = shop.customers[int(customer_ref)] if customer_ref else None
        codes = [code] if code else []
        return shop.checkout(lines, customer=customer, email=email or "guest@example.test", codes=codes).name

    def do(self, order_ref: str, verb: str) -> None:
        shop = self._shop
        order = shop.orders[int(order_ref)]
        match verb:
            case "pay":
                shop.pay(order)
            case "fulfil":
                shop.fulfil(order)
            case "refund-one":
                line = next(line for line in order.lines if shop.sums(order).current_quantity(line))
                shop.refund(order, {line.id: 1})
            case "refund":
                shop.refund_all(order)
            case "cancel":
                shop.cancel(order)
            case "delete":
                shop.delete(order)

    def do_code(self, code_ref: str, verb: str) -> None:
        discount = self._shop.discounts[int(code_ref)]
        if verb == "delete":
            self._shop.delete_discount(discount)
        else:
            self._shop.deactivate_discount(discount)

    def make_code(self, code: str, amount: str) -> None:
        self._shop.create_discount(code, amount=amount)

    def _row(self, order: Order) -> OrderRow:
        sums = self._shop.sums(order)
        status = sums.financial_status
        verbs = {"pay": "Pay"} if status in ("pending", "partially_paid") else {}
        if not order.fulfilled and order.cancelled is None:
            verbs |= {"fulfil": "Fulfil"}
        if status in ("paid", "partially_refunded") and order.cancelled is None:
            verbs |= {"refund-one": "Refund one piece", "refund": "Refund the rest"}
        verbs |= {"cancel": "Cancel"} if order.cancelled is None else {"delete": "Delete"}
        words = [
            status.replace("_", " "),
            "fulfilled" if order.fulfilled else "",
            "cancelled" if order.cancelled else "",
        ]
        return OrderRow(
            ref=str(order.id),
            name=order.name,
            who=order.email,
            lines=", ".join(f"{line.quantity} × {line.product.title}" for line in order.lines),
            total=self._price(sums.price),
            state=", ".join(word for word in words if word),
            good=status == "paid" and order.cancelled is None,
            codes=order.codes,
            verbs=verbs,
        )

    def _code(self, discount: Discount) -> CodeRow:
        shop = self._shop
        what = "free shipping"
        if discount.percentage is not None:
            what = f"{discount.percentage * 100:g} % off"
        elif discount.amount is not None:
            what = f"{self._price(discount.amount)} off"
        names = [shop.customers[n].email for n in discount.customers or [] if n in shop.customers]
        limit = f" of {discount.usage_limit}" if discount.usage_limit else ""
        ends = f", until {discount.ends:%d %B %Y}" if discount.ends else ""
        return CodeRow(
            ref=str(discount.id),
            code=discount.code,
            what=what,
            state=discount.status(shop.now()).lower(),
            uses=f"{len(discount.uses)}{limit} used{', for ' if names else ''}{', '.join(names)}{ends}",
            verbs={"end": "End now", "delete": "Delete"},
        )

    def _price(self, amount: object) -> str:
        sign = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}.get(
            self._shop.currency, f"{self._shop.currency} "
        )
        return f"{sign}{amount}"
