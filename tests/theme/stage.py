"""A theme's page in the stand-in Shopify: its blocks, its strict policy, and the app proxy that leads to the real Laurel.

The browser asks the shop's own address and Shopify's CDN only; this answers both, the proxy's part by the stand-in.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, Route

from sandbox.shopify.app import create_app
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Installation
from tests.conftest import SHOPIFY_SECRET
from tests.theme.liquid import EXTENSION, render
from tests.web.shoppers import Storefront

CDN = "https://cdn.shopify.com/extensions/1/laurel-1/assets/"
# Stricter than Shopify's own shops are: nothing inline, nothing from anywhere but the shop and its CDN.
POLICY = (
    "default-src 'none'; script-src 'self' https://cdn.shopify.com; style-src https://cdn.shopify.com; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'"
)


@dataclass
class Stage:
    page: Page
    storefront: Storefront
    shop: Shop
    proxied: FlaskClient  # the stand-in's pages, the app proxy under them
    down: bool = False
    asked: list[str] = field(default_factory=list)

    def open(
        self, *blocks: str, language: str = "en", body: str = "", path: str = "/", **objects: Any
    ) -> None:
        """A page with these blocks; `objects` are Liquid's."""
        direction = "rtl" if language == "ar" else "ltr"
        inside = "".join(f"<section>{block}</section>" for block in blocks)
        html = (
            f'<!doctype html><html lang="{language}" dir="{direction}"><meta charset="utf-8"><title>Shop</title>'
            f'<link rel="stylesheet" href="{CDN}laurel-loyalty.css">'
            f'<script src="{CDN}laurel-loyalty.js" defer></script><script src="{CDN}laurel-loyalty.js" defer></script>'
            f'<h1 id="before">Mug</h1>{inside}<p id="after">The end.</p>{body}'
        )
        self.page.route("**/*", lambda route: self._answer(route, html))
        self.page.goto(f"{self.shop.url}{path}")

    def block(self, name: str, **options: Any) -> str:
        if self.customer:
            options.setdefault("customer", {"id": self.customer})
        return render(name, **options)

    @property
    def customer(self) -> str:
        with self.proxied.session_transaction() as session:
            return str(session.get("customer", ""))

    def until(self, done: Callable[[], bool]) -> None:
        """Not by a script that waits in the page: its policy forbids that too."""
        for _ in range(400):
            if done():
                return
            self.page.wait_for_timeout(25)
        raise AssertionError(f"it never came so far; asked were {self.asked}")

    def sign_in(self, *, points: int) -> None:
        self.storefront.member("7", points=points)
        with self.proxied.session_transaction() as session:
            session["customer"] = "7"

    def _answer(self, route: Route, html: str) -> None:
        parts = urlsplit(route.request.url)
        if route.request.url.startswith(CDN):
            path = EXTENSION / "assets" / parts.path.rpartition("/")[2]
            kind = {".js": "text/javascript", ".css": "text/css"}[path.suffix]
            # As Shopify's: without that header no page may import a module from there.
            headers = {"Content-Type": kind, "Access-Control-Allow-Origin": "*"}
            return route.fulfill(body=path.read_bytes(), headers=headers)
        if parts.hostname != self.shop.domain:
            return route.abort()
        if not parts.path.startswith("/apps/"):
            return route.fulfill(
                body=html, content_type="text/html", headers={"Content-Security-Policy": POLICY}
            )
        self.asked.append(parts.path.removeprefix("/apps/laurel/"))
        if self.down:
            return route.fulfill(status=502, body="There was a problem with the app.")
        answer = self.proxied.open(
            f"{parts.path}?{parts.query}",
            method=route.request.method,
            data=route.request.post_data_buffer,
            content_type=route.request.headers.get("content-type"),
        )
        return route.fulfill(status=answer.status_code, body=answer.data, headers=dict(answer.headers))


def make_stage(page: Page, laurel: Flask, storefront: Storefront) -> Stage:
    known = storefront.known
    shop = Shop(
        clock=storefront.rt.now,
        app=Installation(client_id="laurel-app", secrets=[SHOPIFY_SECRET]),
        client=httpx.Client(transport=httpx.WSGITransport(app=laurel)),
        handle=known.shop_ref.removesuffix(".myshopify.com"),
    )
    shop.installed = True
    return Stage(page, storefront, shop, create_app(shop).test_client())
