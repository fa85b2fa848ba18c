"""Somebody who opens Laurel in the admin of a Shopify shop: what the browser sends from there, and no cookie."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import time_machine
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.db import shops
from tests.conftest import SHOPIFY_SECRET, unique
from tests.web.admin.desk import Desk

HEAD = {"alg": "HS256", "typ": "JWT"}


def encoded(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(claims: Any, secret: str = SHOPIFY_SECRET, head: Any = HEAD) -> str:
    """A token as Shopify makes it, written apart from the code that checks it."""
    text = f"{encoded(head)}.{encoded(claims)}"
    return f"{text}.{encoded(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())}"


@dataclass(slots=True)
class Insider:
    """One of the shop's staff, in its admin. `get` and `post` fail the test on any status but the one asked for."""

    desk: Desk
    user: str = field(default_factory=lambda: str(548_380_000_000 + int(unique("u").rpartition("-")[2])))
    client: FlaskClient = field(init=False)
    _seen: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client = self.desk.app.test_client(use_cookies=False)

    @property
    def shop_ref(self) -> str:
        shop_id = self.desk.shop_id
        if shop_id not in self._seen:
            with self.desk.rt.db.begin(self.desk.program_id) as session:
                self._seen[shop_id] = shops.get_shop(session, shop_id).shop_ref
        return self._seen[shop_id]

    @property
    def home(self) -> str:
        return f"/install/shopify/{self.shop_ref}/admin/"

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Of a good token; a change to None leaves the claim out."""
        now = int(self.desk.rt.now().timestamp())
        url = f"https://{self.shop_ref}"
        told = {
            "iss": f"{url}/admin",
            "dest": url,
            "aud": "laurel-app",
            "sub": self.user,
            "exp": now + 60,
            "nbf": now,
            "iat": now,
            "jti": "f8912129",
            "sid": "aaea182f",
        }
        return {name: value for name, value in {**told, **changes}.items() if value is not None}

    def token(self, **changes: Any) -> str:
        return signed(self.claims(**changes))

    def open(
        self,
        path: str,
        *,
        method: str = "GET",
        bearer: str | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> TestResponse:
        """`path` as it stands in a window of its own ("/admin/members"); `bearer` "": none."""
        told = {"Accept": "text/html", **(headers or {})}
        if bearer != "":
            told["Authorization"] = f"Bearer {bearer or self.token()}"
        with at_the_same_time(self.desk):
            return self.client.open(
                self.home.removesuffix("/admin/") + path, method=method, headers=told, **options
            )

    def get(self, path: str = "/admin/", status: int = 200, **options: Any) -> str:
        response = self.open(path, **options)
        assert response.status_code == status, (path, response.status_code, response.text[-1500:])
        return response.text

    def post(self, path: str, status: int = 204, *, headers: Any = None, **fields: Any) -> TestResponse:
        response = self.open(path, method="POST", data=fields, headers=headers)
        assert response.status_code == status, (path, response.status_code, response.text[-1500:])
        return response


@contextmanager
def at_the_same_time(desk: Desk) -> Iterator[None]:
    """Shopify's library reads the machine's clock: let it be the one of the test."""
    with time_machine.travel(desk.rt.now(), tick=False):
        yield
