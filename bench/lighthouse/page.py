"""A product's page as shops have them: pictures, a theme's style and script, forty products. With the element, or not."""

from html import escape

from flask import Blueprint, Response, request

page = Blueprint("page", __name__, url_prefix="/shop")
_PRODUCTS = 40
_CSS = "".join(
    f".c{n} .t{n % 7} > a:hover, .c{n}:nth-child({n % 9 + 1}) {{ color: #{n % 4096:03x}; padding: {n % 13}px }}\n"
    for n in range(900)
)
_STYLE = """
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #222; background: #faf8f4; }
header, main { max-width: 70rem; margin: auto; padding: 16px; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 16px; padding: 0; }
li { list-style: none; } img { inline-size: 100%; block-size: auto; display: block; }
.buy { padding: 14px 24px; background: #222; color: #fff; border: 0; }
"""
# A theme's script: some work at once, some after the page is there.
_SCRIPT = """
const prices = [...document.querySelectorAll("[data-price]")];
const format = new Intl.NumberFormat("en", { style: "currency", currency: "USD" });
prices.forEach((one) => { one.textContent = format.format(one.dataset.price); });
let sum = 0;
const work = (count) => { for (let i = 0; i < count; i += 1) sum += Math.sqrt(i); document.body.dataset.sum = sum; };
work(6e5);
addEventListener("load", () => work(3e5));
"""


@page.get("/")
def shop() -> Response:
    wished = request.args.get("laurel")
    cards = "".join(
        f'<li class="c{n}"><a href="#"><img src="/shop/{n}.svg" width="300" height="300" loading="lazy" alt="Mug {n}">'
        f'<p>Mug number {n}, thrown by hand</p><b data-price="{n + 9}">{n + 9}</b></a></li>'
        for n in range(1, _PRODUCTS + 1)
    )
    return Response(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mug - Fern &amp; Field</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="description" content="A mug.">'
        '<link rel="stylesheet" href="/shop/theme.css"><script src="/shop/theme.js" defer></script></head><body>'
        '<header><a href="#">Fern &amp; Field</a></header><main><h1>Oak mug</h1>'
        '<img src="/shop/0.svg" width="900" height="600" fetchpriority="high" alt="The mug">'
        "<p>Glazed in small batches.</p>"
        f'<p data-price="24">24</p><button class="buy">Add to basket</button><ul class="grid">{cards}</ul></main>'
        f"{_element(wished, request.args['shop'], request.args['token']) if wished else ''}</body></html>"
    )


def _element(laurel: str, shop_key: str, token: str) -> str:
    return (
        f'<laurel-widget api="{escape(laurel)}/storefront/v1" shop="{escape(shop_key)}" token="{escape(token)}" '
        'lang="en"></laurel-widget>'
        f'<script type="module" async fetchpriority="low" src="{escape(laurel)}/widget/laurel.js"></script>'
    )


@page.get("/theme.<kind>")
def theme(kind: str) -> Response:
    return (
        Response(_STYLE + _CSS, mimetype="text/css")
        if kind == "css"
        else Response(_SCRIPT, mimetype="text/javascript")
    )


@page.get("/<int:number>.svg")
def picture(number: int) -> Response:
    dots = "".join(
        f'<circle cx="{(at * 37 + number) % 900}" cy="{(at * 53) % 600}" r="{at % 29 + 3}" '
        f'fill="#{(at * 97 + number) % 4096:03x}"/>'
        for at in range(300 if number == 0 else 60)
    )
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 600"><rect width="900" height="600" fill="#d8cfc0"/>'
    body = f"{svg}{dots}</svg>"
    return Response(body, mimetype="image/svg+xml")
