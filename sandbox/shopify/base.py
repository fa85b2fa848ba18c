"""A shop's state behind one lock, the app installed in it, and its webhooks. What people do is in `acts_*`."""

import base64
import hashlib
import hmac
import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from sandbox.clock import Clock
from sandbox.deliveries import Deliverer, Job, Message
from sandbox.faults import ApiFaults
from sandbox.shopify.bucket import Bucket
from sandbox.shopify.bulk import Bulk
from sandbox.shopify.state import (
    Credit,
    Customer,
    Definition,
    Discount,
    GiftCard,
    Installation,
    Order,
    Product,
    Subscription,
    Token,
)
from sandbox.shopify.totals import Sums, rounded

API_VERSION = "2026-10"
_RETRY_AFTER_S = (60, 120, 300, 600, 1200, 2400, 3600, 6120)  # eight, over four hours
# Laurel's words for what a client does -> operations of this API, as `admin` names them.
WORDS = {
    "issue_code": ("discountCode*Create", "giftCardCreate", "storeCreditAccountCredit"),
    "find_code": ("codeDiscountNodeByCode", "giftCard", "giftCards", "customer"),
    "withdraw_code": ("discountCodeDeactivate", "discountCodeDelete", "giftCardDeactivate"),
    "our_codes": ("discountNodes",),
    "read_orders": ("nodes", "order", "node"),
    "orders_changed": ("orders", "ordersCount", "bulkOperation*"),
    "read_customer": ("customer",),
    "read_products": ("nodes", "node"),
    "read_tags": ("nodes",),
    "write_profiles": ("metafieldsSet", "metafieldsDelete", "tagsAdd", "tagsRemove"),
    "prepare_profiles": ("metafieldDefinitionCreate", "metafieldDefinitionDelete"),
    "read_profiles": ("nodes",),
    "tell": ("flowTriggerReceive",),
    "shop_facts": ("shop", "currentAppInstallation"),
    "ensure_webhooks": ("webhookSubscription*",),
    "refresh": ("oauth refresh_token",),
}


class ShopBase:
    """State, ids, clock, money and webhooks of one shop."""

    def __init__(
        self,
        *,
        clock: Clock,
        app: Installation,
        client: httpx.Client | None = None,
        handle: str = "acme",
        name: str = "Fern & Field",
        currency: str = "USD",
        timezone: str = "America/New_York",
        tax_percent: Decimal | int = 0,
        taxes_included: bool = False,
    ) -> None:
        self.clock, self.handle, self.name, self.currency = clock, handle, name, currency
        self.domain = f"{handle}.myshopify.com"
        self.url = f"https://{self.domain}"
        self.zone = ZoneInfo(timezone)
        self.tax_percent = Decimal(tax_percent)
        self.taxes_included = taxes_included
        self.app = app
        self.installed = False
        self.widget: dict[str, str] = {}  # script…: attributes of the element on the shop's pages
        self.hides_personal_data = (
            False  # the app was not given names and addresses (protected data, level 2)
        )
        self.usage_lag = timedelta(seconds=30)  # how late asyncUsageCount is
        self.search_lag = timedelta(seconds=2)  # how late a search finds what was just made
        self.rates = {
            "EUR": Decimal("0.9"),
            "JPY": Decimal(150),
            "CAD": Decimal("1.4"),
            "KWD": Decimal("0.3"),
        }
        self.lock = threading.RLock()
        self.client = client
        self.deliveries = Deliverer(clock, client, "shopify")
        self.faults = ApiFaults(WORDS, "shopify")
        self.created = self.now()
        self.id = 548380009
        self.products: dict[int, Product] = {}
        self.customers: dict[int, Customer] = {}
        self.orders: dict[int, Order] = {}
        self.discounts: dict[int, Discount] = {}
        self.gift_cards: dict[int, GiftCard] = {}
        self.credits: list[Credit] = []
        self.definitions: dict[tuple[str, str], Definition] = {}  # (namespace in full, key)
        self.filters_left = True  # another definition may be used as a filter
        self.metafields_written: list[int] = []  # how many at a time
        self.bulk = Bulk()
        self.flow_triggers: dict[str, frozenset[str]] = {}  # handle -> what its payload has
        self.flow_enabled: set[str] = set()  # those that a workflow begins with
        self.flow_runs: list[tuple[str, dict[str, Any]]] = []
        self.subscriptions: dict[int, Subscription] = {}
        self.tokens: dict[str, Token] = {}
        self.bucket: Bucket | None = None  # of its Admin API, once that is made
        # Above 2**53, and odd: a client that reads ids as floating-point numbers gets them wrong.
        self._ids = itertools.count(820_982_911_946_154_509, 2_002)
        self._numbers = itertools.count(1001)
        self._deliveries = itertools.count(1)
        self._event = ""

    def now(self) -> datetime:
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def stamp(self, moment: datetime | None) -> str | None:
        """As bodies write a time: the shop's own offset."""
        return moment.astimezone(self.zone).isoformat() if moment else None

    def amount(self, value: Decimal | str | int) -> Decimal:
        return rounded(Decimal(value), self.currency)

    def sums(self, order: Order) -> Sums:
        return Sums(order, self.currency, self.tax_percent)

    def new_id(self) -> int:
        return next(self._ids)

    @contextmanager
    def act(self) -> Iterator[None]:
        """One merchant's or shopper's action: all webhooks it causes share an X-Shopify-Event-Id."""
        with self.lock:
            outer, self._event = self._event, self._event or self._uuid("event")
            try:
                yield
            finally:
                self._event = outer

    def emit(self, topic: str, build: Callable[[], Mapping[str, Any]], ref: str) -> None:
        """Queue `topic` at every subscription for it, with the body as it is now: retries send the same."""
        wanted = [s for s in list(self.subscriptions.values()) if s.topic == topic]
        if not self.installed or not wanted:
            return
        body, event, at = build(), self._event or self._uuid("event"), self.clock()
        for subscription in wanted:
            self._queue(subscription, body, ref, event, at)

    def _queue(
        self, subscription: Subscription, body: Mapping[str, Any], ref: str, event: str, at: datetime
    ) -> None:
        fields = subscription.include_fields
        shown = {key: value for key, value in body.items() if key in fields} if fields else body
        raw = json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode()
        delivery = self._uuid("delivery")
        waits = iter(_RETRY_AFTER_S)
        job = Job(
            topic=subscription.topic,
            ref=ref,
            build=lambda: self._message(subscription, raw, delivery, event, at),
            settle=lambda status: self._heard(subscription, status, waits),
        )
        self.deliveries.queue(job)

    def _message(
        self, subscription: Subscription, raw: bytes, delivery: str, event: str, at: datetime
    ) -> Message:
        signature = hmac.new(self.app.secrets[0].encode(), raw, hashlib.sha256).digest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": subscription.topic,
            "X-Shopify-Hmac-Sha256": base64.b64encode(signature).decode(),
            "X-Shopify-Shop-Domain": self.domain,
            "X-Shopify-API-Version": API_VERSION,
            "X-Shopify-Webhook-Id": delivery,
            "X-Shopify-Event-Id": event,
            "X-Shopify-Triggered-At": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z",
        }
        if subscription.name:
            headers["X-Shopify-Name"] = subscription.name
        return Message(url=subscription.uri, headers=headers, body=raw)

    def _heard(
        self, subscription: Subscription, status: int | None, waits: Iterator[int]
    ) -> timedelta | None:
        """2xx is success; anything else is tried eight times more. Then a subscription made by API is deleted."""
        with self.lock:
            if status is not None and 200 <= status < 300:
                subscription.failures = 0
                return None
            subscription.failures += 1
            wait = next(waits, None)
            if wait is None:
                if subscription.by_api:
                    self.subscriptions.pop(subscription.id, None)
                return None
            return timedelta(seconds=wait)

    def _uuid(self, kind: str) -> str:
        digest = hashlib.sha256(f"{self.domain}:{kind}:{next(self._deliveries)}".encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"
