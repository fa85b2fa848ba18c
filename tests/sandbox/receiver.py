"""Stands where Laurel's webhook endpoint will: keeps what arrives and answers as told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

RECORDINGS = Path(__file__).parent / "recordings"


class Receiver:
    def __init__(self) -> None:
        self.got: list[httpx.Request] = []
        self.answer: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(200)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.got.append(request)
        return self.answer(request)

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self))

    def bodies(self, topic: str) -> list[Any]:
        """The bodies of one topic, oldest first."""
        return [json.loads(r.content) for r in self.got if topic_of(r) == topic]

    def topics(self) -> list[str]:
        return [topic_of(request) for request in self.got]

    def clear(self) -> None:
        self.got.clear()


def topic_of(request: httpx.Request) -> str:
    return request.headers.get("x-wc-webhook-topic") or request.headers.get("x-shopify-topic") or "ping"


def recorded(name: str) -> Any:
    """A recording: `folder/file` without ".json"; of a WooCommerce delivery its body."""
    whole = json.loads((RECORDINGS / f"{name}.json").read_text())
    return json.loads(whole["body_text"]) if "body_text" in whole else whole
