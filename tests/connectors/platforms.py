"""What a platform brings to the contract tests: its telling of the stories, and a shop that answers its client.

`tests/connectors/<name>/platform.py` holds one `PLATFORM`; a connector in the registry without it fails.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Protocol

import httpx

from connectors.base import Connector, InstallRequest, ShopAccess, ShopClient

Fault = Callable[[httpx.Request], httpx.Response | None]


class Shop(Protocol):
    """A small stand-in. Where `fault` answers or raises, that is what the client sees."""

    fault: Fault | None

    def handle(self, request: httpx.Request) -> httpx.Response: ...

    def codes_named(self, code: str) -> int:
        """How many usable codes of that name there are."""

    def add_foreign_code(self, code: str) -> None: ...


class Platform(Protocol):
    access: ShopAccess
    secrets_of_access: tuple[str, ...]

    def tell(self, story: str) -> tuple[str, bytes]:
        """The topic and the body of the webhook that tells the story."""

    def shop(self, story: str | None = None) -> Shop:
        """A shop with one customer (77, alice@example.test), no codes, and the story's order if one is named."""

    def agreed(self, state: str) -> InstallRequest:
        """The call back after the merchant agreed, as far as it needs no answer of the shop."""


class Seam:
    """An `HttpSeam` whose every client talks to one shop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def client(self, *, allow_private: bool) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        faulty = self._shop.fault(request) if self._shop.fault else None
        return faulty or self._shop.handle(request)


def platform_of(connector: Connector) -> Platform:
    platform: Platform = import_module(f"tests.connectors.{connector.name}.platform").PLATFORM
    return platform


def client_of(connector: Connector, shop: Shop) -> ShopClient:
    return connector.open_client(platform_of(connector).access, Seam(shop))
