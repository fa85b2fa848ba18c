"""The post between the stand-ins and Laurel: every delivery counted, and how new what it told of its order was.

Read from the bytes on the wire and from nothing of Laurel's, so that it can be held against Laurel.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

_SHOPIFY_PATH = "/webhooks/shopify"
_ORDER_OF_PARTS = frozenset({"refunds/create", "orders/edited"})  # they name an order and show a part of it


class Post(httpx.BaseTransport):
    """`inner` carries. `told`: (platform, order ref) -> the newest moment that an answered delivery told of.

    `unheard`: the same -> the moments of bodies that were sent, and never answered with 200, by their digest.
    """

    def __init__(self, inner: httpx.BaseTransport, clock: Callable[[], datetime]) -> None:
        self._inner = inner
        self._clock = clock
        self.sent: Counter[str] = Counter()  # platform
        self.answers: Counter[int] = Counter()
        self.told: dict[tuple[str, str], datetime] = {}
        self.unheard: dict[tuple[str, str], dict[bytes, datetime]] = {}
        self.gone: set[tuple[str, str]] = set()  # told as deleted, for good or into the trash

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        topic = request.headers.get("x-shopify-topic") or request.headers.get("x-wc-webhook-topic")
        platform = "shopify" if request.url.path == _SHOPIFY_PATH else "woocommerce"
        answered = False
        try:
            response = self._inner.handle_request(request)
            answered = response.status_code == httpx.codes.OK
        finally:
            if topic is not None:
                self._note(platform, topic, request, answered=answered)
        if topic is not None:
            self.sent[platform] += 1
            self.answers[response.status_code] += 1
        return response

    def close(self) -> None:
        self._inner.close()

    def _note(self, platform: str, topic: str, request: httpx.Request, *, answered: bool) -> None:
        body: dict[str, Any] = json.loads(request.read())
        moment = self._moment(platform, topic, request, body)
        ref = _order_ref(topic, body)
        if moment is None or ref is None:
            return
        key = (platform, ref)
        digest = hashlib.sha256(request.content).digest()
        if not answered:
            self.unheard.setdefault(key, {})[digest] = moment
            return
        self.unheard.get(key, {}).pop(digest, None)
        self.told[key] = max(moment, self.told.get(key, moment))
        if topic in ("orders/delete", "order.deleted"):
            self.gone.add(key)

    def _moment(
        self, platform: str, topic: str, request: httpx.Request, body: dict[str, Any]
    ) -> datetime | None:
        if platform == "shopify":
            if topic in _ORDER_OF_PARTS or topic == "orders/delete":
                # To the second: the header has nine digits behind it, and orders have none.
                triggered = request.headers["x-shopify-triggered-at"][:19]
                return datetime.fromisoformat(triggered).replace(tzinfo=UTC)
            changed = body.get("updated_at") if topic.startswith("orders/") else None
            return datetime.fromisoformat(changed).astimezone(UTC) if changed else None
        if topic == "order.deleted":
            return self._clock()  # only an id, and the body is made when it is sent
        changed = body.get("date_modified_gmt") if topic.startswith("order.") else None
        return datetime.fromisoformat(changed).replace(tzinfo=UTC) if changed else None


def _order_ref(topic: str, body: dict[str, Any]) -> str | None:
    number = (body.get("order_edit") or body).get("order_id") if topic in _ORDER_OF_PARTS else body.get("id")
    return None if number is None else str(number)
