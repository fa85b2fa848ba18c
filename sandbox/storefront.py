"""A shop's pages: products, cart, orders, codes, and the place where the loyalty widget stands. Both stand-ins use them.

Shopper and staff share one page, so that a demo shows both sides. Nothing here is protected: it never leaves
127.0.0.1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Protocol

from flask import Blueprint, Response, redirect, render_template, request, session
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from sandbox.refusals import CodeRefused, Impossible

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRow:
    ref: str
    name: str
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    ref: str
    name: str
    who: str
    lines: str
    total: str
    state: str
    good: bool  # paid and kept
    codes: Sequence[str]
    verbs: Mapping[str, str]  # what may be done to it: verb -> label


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRow:
    ref: str
    code: str
    what: str
    state: str
    uses: str
    verbs: Mapping[str, str]


class Front(Protocol):
    """What the pages ask of a shop. Refs are texts of its own ids."""

    title: str
    platform: str
    admin: str  # where staff open the app; "" where the platform frames none

    def widget(self, customer_ref: str) -> Markup:
        """The widget's element and script for this shopper ("" if nobody is logged in)."""

    def products(self) -> Sequence[ProductRow]: ...

    def customers(self) -> Mapping[str, str]: ...

    def orders(self) -> Sequence[OrderRow]: ...

    def codes(self) -> Sequence[CodeRow]: ...

    def buy(self, cart: Mapping[str, int], customer_ref: str, email: str, code: str) -> str:
        """Check out; the order's name. Raises: CodeRefused."""

    def do(self, order_ref: str, verb: str) -> None:
        """Raises: Impossible."""

    def do_code(self, code_ref: str, verb: str) -> None: ...

    def make_code(self, code: str, amount: str) -> None:
        """A code as staff make one. Raises: Impossible."""


def customer_ref() -> str:
    return str(session.get("customer", ""))


def make(front: Front) -> Blueprint:
    pages = Blueprint(
        "pages",
        __name__,
        template_folder=_HERE / "templates",
        static_folder=_HERE / "static",
        static_url_path="/static",
    )

    @pages.get("/")
    def home() -> str:
        cart = _cart()
        products = front.products()
        return render_template(
            "shop.html",
            front=front,
            products=products,
            cart=[(row, cart[row.ref]) for row in products if row.ref in cart],
            orders=front.orders(),
            codes=front.codes(),
            customers=front.customers(),
            customer=customer_ref(),
            code=request.args.get("code", ""),
            widget=front.widget(customer_ref()),
            said=session.pop("said", ""),
        )

    @pages.post("/cart")
    def put_in_cart() -> AnyResponse:
        cart = _cart()
        ref = request.form["product"]
        cart[ref] = cart.get(ref, 0) + int(request.form.get("quantity", "1"))
        session["cart"] = {kept: n for kept, n in cart.items() if n > 0}
        return _home("#cart")

    @pages.post("/login")
    def login() -> AnyResponse:
        session["customer"] = request.form.get("customer", "")
        return _home("")

    @pages.post("/checkout")
    def checkout() -> AnyResponse:
        form = request.form
        if not _cart():
            return _say("The cart is empty.")
        try:
            name = front.buy(_cart(), customer_ref(), form.get("email", ""), form.get("code", "").strip())
        except CodeRefused as refused:
            return _say(unescape(str(refused)))  # the store words it as HTML
        session["cart"] = {}
        return _say(f"Thank you. This is order {name}.")

    @pages.post("/orders/<ref>/<verb>")
    def act(ref: str, verb: str) -> AnyResponse:
        try:
            front.do(ref, verb)
        except Impossible as refused:
            return _say(str(refused))
        return _home("#orders")

    @pages.post("/codes")
    def make_code() -> AnyResponse:
        try:
            front.make_code(request.form["code"], request.form["amount"])
        except Impossible as refused:
            return _say(str(refused))
        return _home("#codes")

    @pages.post("/codes/<ref>/<verb>")
    def act_on_code(ref: str, verb: str) -> AnyResponse:
        front.do_code(ref, verb)
        return _home("#codes")

    return pages


def token_answer(token: str) -> Response:
    """What the widget's `refresh-url` gives."""
    response = Response(f'{{"token": "{token}"}}', content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def element(script: str, attributes: Mapping[str, str]) -> Markup:
    """The widget as a shop's page carries it."""
    if not script:
        return Markup('<p class="hint">The loyalty widget stands here once its script is configured.</p>')
    shown = Markup(" ").join(
        Markup('{}="{}"').format(name, value) for name, value in attributes.items() if value
    )
    loader = Markup('<script type="module" async fetchpriority="low" src="{}"></script>').format(script)
    return Markup("<laurel-widget {}></laurel-widget>\n{}").format(shown, loader)


def _cart() -> dict[str, int]:
    return dict(session.get("cart", {}))


def _say(text: str) -> AnyResponse:
    session["said"] = text
    return _home("")


def _home(anchor: str) -> AnyResponse:
    return redirect(f"/{anchor}", 303)
