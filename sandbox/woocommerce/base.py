"""A store's state behind one lock, and its webhooks. What people do with it is in `acts_*`; `shop.Shop` joins them."""

import base64
import hashlib
import hmac
import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import httpx

from sandbox.clock import Clock
from sandbox.deliveries import Deliverer, Job, Message
from sandbox.faults import ApiFaults
from sandbox.woocommerce.state import ApiKey, Category, Coupon, Customer, Order, Product, Webhook
from sandbox.woocommerce.totals import rounded

# Laurel's words for what a client does -> calls of this API, as `wire.names_of` names them.
WORDS = {
    "issue_code": ("POST /coupons",),
    "find_code": ("GET /coupons",),
    "set_balance": ("PUT /coupons/*",),
    "withdraw_code": ("PUT /coupons/*", "DELETE /coupons/*"),
    "our_codes": ("GET /coupons",),
    "read_orders": ("GET /orders*",),
    "orders_changed": ("GET /orders",),
    "read_customer": ("GET /customers*",),
    "read_tags": ("GET /customers",),
    "read_products": ("GET /products*",),
    "shop_facts": ("GET /settings*", "GET /system_status", "GET /data*"),
    "ensure_webhooks": ("* /webhooks*",),
}
_SUCCESS = range(200, 303)  # 301 and 302 count as success and are not followed: the event is gone
_MANY = 5  # failures; the seventh in a row switches a webhook off


class ShopBase:
    """State, ids, clock, money and webhooks of one store."""

    def __init__(
        self,
        *,
        clock: Clock,
        client: httpx.Client | None = None,
        url: str = "https://shop.example",
        name: str = "Fern & Field",
        currency: str = "USD",
        decimals: int = 2,
        timezone: str = "America/Los_Angeles",
        tax_percent: Decimal | int = 10,
        prices_include_tax: bool = False,
        widget_secret: str = "sandbox-widget-secret-of-thirty-two-bytes",
    ) -> None:
        self.clock, self.url, self.name, self.currency, self.decimals = clock, url, name, currency, decimals
        self.zone = ZoneInfo(timezone)
        self.tax_percent = Decimal(tax_percent)
        self.prices_include_tax = prices_include_tax
        self.widget_secret = widget_secret
        self.widget: dict[
            str, str
        ] = {}  # script, api, program…: attributes of the element on the shop's pages
        self.plugin_server: str | None = None  # the Laurel that its plugin expects; None: no plugin
        self.introduced: dict[str, str] = {}  # what the plugin was told
        self.version = "10.9.1"
        self.lock = threading.RLock()
        self.deliveries = Deliverer(clock, client, "woo")
        self.faults = ApiFaults(WORDS, "woo")
        self.latency = timedelta(0)  # how long the background queue lets an event wait
        self.products: dict[int, Product] = {}
        self.categories: dict[int, Category] = {}
        self.customers: dict[int, Customer] = {}
        self.coupons: dict[int, Coupon] = {}
        self.orders: dict[int, Order] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.keys: dict[str, ApiKey] = {}
        self.nonces: set[tuple[str, str]] = set()
        self._terms = itertools.count(15)  # of categories and tags
        self._posts = itertools.count(10)  # products, coupons, orders and refunds share their numbers
        self._items = itertools.count(1)
        self._users = itertools.count(2)
        self._hooks = itertools.count(1)
        self._meta = itertools.count(100)
        self._waiting: set[tuple[int, int]] = set()  # (webhook, resource) already in the queue

    @property
    def api(self) -> str:
        return f"{self.url}/wp-json/wc/v3"

    def now(self) -> datetime:
        """The store's time: whole seconds, as WordPress keeps it."""
        return self.clock().replace(microsecond=0)

    def amount(self, value: Decimal | str | int) -> Decimal:
        return rounded(Decimal(value), self.decimals)

    def money(self, value: Decimal) -> str:
        """As every amount is written: the store's decimals, whatever the order's currency."""
        return f"{rounded(value, self.decimals) + 0:f}"

    def api_key(self, permissions: str = "read_write", description: str = "") -> ApiKey:
        """A new key, as staff or the consent page make one."""
        with self.lock:
            number = len(self.keys) + 1
            digest = hashlib.sha256(f"{self.url}:{number}".encode()).hexdigest()[:40]
            key = ApiKey(
                id=number,
                consumer_key=f"ck_{digest}",
                consumer_secret=f"cs_{digest[::-1]}",
                permissions=permissions,
                description=description,
            )
            self.keys[key.consumer_key] = key
            return key

    def add_webhook(
        self, topic: str, url: str, secret: str, *, name: str = "", status: str = "active"
    ) -> Webhook:
        """Register a webhook: the store pings the address before this returns, unsigned, and ignores the answer."""
        with self.lock:
            hook = Webhook(
                id=next(self._hooks),
                name=name or f"Webhook created on {self.now():%b %d, %Y @ %I:%M %p}",
                topic=topic,
                url=url,
                secret=secret,
                created=self.now(),
                status=status,
            )
            self.webhooks[hook.id] = hook
        if status == "active":
            self.ping(hook)
        return hook

    def ping(self, hook: Webhook) -> None:
        if self.deliveries.client is None:
            return
        agent = {"User-Agent": self._agent(), "Accept": "*/*"}
        try:
            self.deliveries.client.post(hook.url, data={"webhook_id": str(hook.id)}, headers=agent)
        except httpx.TransportError:
            return  # a closed port does not stop the webhook from being active

    def emit(self, resource: str, event: str, number: int) -> None:
        """Queue `resource.event` at every webhook for it, unless one for this resource waits there already."""
        topic = f"{resource}.{event}"
        for hook in list(self.webhooks.values()):
            slot = (hook.id, number)
            if hook.topic != topic or hook.status != "active" or slot in self._waiting:
                continue
            self._waiting.add(slot)
            job = Job(
                topic=topic,
                ref=str(number),
                build=lambda hook=hook, slot=slot: self._message(hook, slot),  # type: ignore[misc]
                settle=lambda status, hook=hook: self._heard(hook, status),  # type: ignore[misc]
                lost=lambda slot=slot: self._waiting.discard(slot),  # type: ignore[misc]
            )
            self.deliveries.queue(job, after=self.latency)

    def payload(self, resource: str, event: str, number: int) -> bytes:
        """The body, as things stand now."""
        raise NotImplementedError

    def _message(self, hook: Webhook, slot: tuple[int, int]) -> Message | None:
        with self.lock:
            self._waiting.discard(slot)
            if hook.status != "active" or hook.id not in self.webhooks:
                return None
            resource, _, event = hook.topic.partition(".")
            body = self.payload(resource, event, slot[1])
            return Message(url=hook.url, headers=self._headers(hook, resource, event, body), body=body)

    def _headers(self, hook: Webhook, resource: str, event: str, body: bytes) -> dict[str, str]:
        signature = hmac.new(hook.secret.encode(), body, hashlib.sha256).digest()
        # The delivery's id hashes the webhook and the second: all that one webhook sends in a second shares it.
        delivery = hashlib.md5(  # noqa: S324 - an id, no secret
            f"{hook.id}{int(self.clock().timestamp())}".encode()
        ).hexdigest()
        return {
            "User-Agent": self._agent(),
            "Accept": "*/*",
            "Content-Type": "application/json",
            "X-WC-Webhook-Source": f"{self.url}/",
            "X-WC-Webhook-Topic": hook.topic,
            "X-WC-Webhook-Resource": resource,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-WC-Webhook-ID": str(hook.id),
            "X-WC-Webhook-Delivery-ID": delivery,
            "Connection": "close",
        }

    def _heard(self, hook: Webhook, status: int | None) -> None:
        with self.lock:
            if status in _SUCCESS:
                hook.failures = 0
            elif hook.failures > _MANY:
                hook.status = "disabled"  # the counter stays: one more failure after a revival does it again
            else:
                hook.failures += 1

    def _agent(self) -> str:
        return f"WooCommerce/{self.version} Hookshot (WordPress/7.0.4)"

    def _count(self, which: str) -> int:
        counters: dict[str, Callable[[], int]] = {
            "post": self._posts.__next__,
            "item": self._items.__next__,
            "user": self._users.__next__,
            "meta": self._meta.__next__,
        }
        return counters[which]()


def utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
