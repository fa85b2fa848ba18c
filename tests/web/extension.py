"""What a piece of ours inside Shopify's pages sends: a token of Shopify's, made apart from the code that checks it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import time_machine
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import SHOPIFY_SECRET
from tests.web.admin.frames import HEAD, signed
from tests.web.shoppers import Storefront

SANDBOX = "https://extensions.shopifycdn.com"


@dataclass(slots=True)
class Extension:
    """In the account or the checkout of one shop. `customer` None: nobody is signed in there."""

    front: Storefront
    path: str = "/extensions/shopify/v1"
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.front.client.application.test_client(use_cookies=False)

    def claims(self, customer: str | None = "7", **changes: Any) -> dict[str, Any]:
        """Of a good token, as shopify.dev shows it; a change to None leaves the claim out."""
        now = int(self.front.rt.now().timestamp())
        told = {
            "dest": self.front.known.shop_ref,
            "aud": "laurel-app",
            "exp": now + 300,
            "nbf": now,
            "iat": now,
            "jti": "6c992878",
            "sub": None if customer is None else f"gid://shopify/Customer/{customer}",
            **changes,
        }
        return {name: value for name, value in told.items() if value is not None}

    def token(
        self, customer: str | None = "7", *, secret: str = SHOPIFY_SECRET, head: Any = HEAD, **changes: Any
    ) -> str:
        return signed(self.claims(customer, **changes), secret, head)

    def get(self, path: str, customer: str | None = "7", /, **query: str) -> TestResponse:
        return self.send("GET", path, self.token(customer), query_string=query)

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        customer: str | None = "7",
        *,
        key: str | None = None,
    ) -> TestResponse:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.send("POST", path, self.token(customer), json=body or {}, headers=headers)

    def send(
        self,
        method: str,
        path: str,
        token: str | None,
        *,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> TestResponse:
        told = {"Origin": SANDBOX, **(headers or {})}
        if token is not None:
            told["Authorization"] = f"Bearer {token}"
        # Shopify's library reads the machine's clock.
        with time_machine.travel(self.front.rt.now(), tick=False):
            return self.client.open(f"{self.path}/{path}", method=method, headers=told, **options)
