"""Somebody at a shop's page: what a browser would send, without one."""

import re
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.web.hosted.guard import COOKIE
from tests.conftest import Mails
from tests.web.shoppers import Storefront

OURS = "https://laurel.example"


@dataclass(frozen=True, slots=True)
class Visitor:
    """One browser at one shop's page."""

    client: FlaskClient
    shop_key: str

    @property
    def home(self) -> str:
        return f"/my/{self.shop_key}/"

    def get(self, path: str = "", **options: Any) -> TestResponse:
        return self.client.get(self.home + path, base_url=OURS, **options)

    def post(self, path: str, *, origin: str | None = OURS, **options: Any) -> TestResponse:
        headers = {**({"Origin": origin} if origin else {}), **options.pop("headers", {})}
        # Buffered: what is done after the answer is done when this returns.
        return self.client.post(self.home + path, base_url=OURS, headers=headers, buffered=True, **options)

    def ask(self, email: str) -> TestResponse:
        return self.post("sign-in", data={"email": email})

    def enter(self, link: str) -> TestResponse:
        return self.client.post(link, base_url=OURS, headers={"Origin": OURS})

    def me(self) -> TestResponse:
        return self.get("api/me")

    @property
    def points(self) -> int:
        return int(self.me().get_json()["member"]["balance"]["available"])

    def cookie(self, name: str) -> str | None:
        found = self.client.get_cookie(name, domain="laurel.example", path=self.home)
        return found.value if found else None


def with_cookie(app: Flask, storefront: Storefront, path: str, cookie: str, **options: Any) -> TestResponse:
    """As whoever brings this cookie, and no other."""
    headers = {"Cookie": f"{COOKIE}={cookie}", "Origin": OURS}
    client = app.test_client(use_cookies=False)
    return client.open(f"/my/{storefront.shop.key}/{path}", base_url=OURS, headers=headers, **options)


def visit(app: Flask, storefront: Storefront) -> Visitor:
    return Visitor(app.test_client(), storefront.shop.key)


def links(mails: Mails) -> list[str]:
    return [
        found[1]
        for _, _, text in mails.sent
        if (found := re.search(r"https://laurel\.example(/my/\S+/sign-in/[\w-]+)", text))
    ]


def signed_in(app: Flask, storefront: Storefront, mails: Mails, email: str) -> Visitor:
    visitor = visit(app, storefront)
    visitor.ask(email)
    assert visitor.enter(links(mails)[-1]).status_code == 303
    return visitor
