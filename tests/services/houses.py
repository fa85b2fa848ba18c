"""A shop in a program, and its deliveries, the short way."""

import hashlib
import hmac
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db import shops
from app.services.drain_inbox import Drained, drain_inbox
from app.services.receive_delivery import Receipt, receive_delivery
from app.services.record_shop import NewShop, RecordedShop, record_shop
from app.services.runtime import Runtime
from connectors.base import ShopFacts, WebhookRequest
from tests.conftest import NOW, SHOPIFY_SECRET, unique

WOO_SECRET = "laurel-recording"


@dataclass(frozen=True, slots=True)
class House:
    rt: Runtime
    program_id: int
    shop: RecordedShop

    def deliver(self, request: WebhookRequest) -> Receipt:
        return receive_delivery(self.rt, "woocommerce", self.shop.key, request)

    def drain(self, batch: int = 500) -> Drained:
        return drain_inbox(self.rt, batch=batch)

    def points(self, order_ref: str) -> int:
        """What the ledger holds for an order."""
        with self.rt.db.begin(self.program_id) as session:
            return int(
                session.scalar(
                    "SELECT coalesce(sum(e.points), 0) FROM entries e JOIN orders o ON e.source = 'order:' || o.id "
                    "AND o.program_id = e.program_id WHERE {fence:e} AND o.shop_id = :shop AND o.order_ref = :ref",
                    shop=self.shop.shop_id,
                    ref=order_ref,
                )
            )

    def balance(self, customer_ref: str) -> int:
        with self.rt.db.begin(self.program_id) as session:
            points = session.scalar(
                "SELECT a.points FROM accounts a JOIN identities i ON i.member_id = a.id "
                "AND i.program_id = a.program_id WHERE {fence:a} AND i.shop_id = :shop AND i.customer_ref = :ref",
                shop=self.shop.shop_id,
                ref=customer_ref,
            )
        return int(points or 0)


def make_shop(
    rt: Runtime,
    program_id: int,
    *,
    platform: str = "woocommerce",
    currency: str = "USD",
    counts_from: datetime = NOW - timedelta(days=365),
    secret: str = WOO_SECRET,
) -> RecordedShop:
    name = unique("shop")
    facts = ShopFacts(
        shop_ref=f"https://{name}.example" if platform == "woocommerce" else f"{name}.myshopify.com",
        name=name,
        url=f"https://{name}.example",
        currency=currency,
        timezone="UTC",
        reads_orders_days=None,
    )
    new = NewShop(
        platform=platform,
        facts=facts,
        credentials={"consumer_key": "ck_x", "consumer_secret": "cs_x"},
        own_app=platform == "woocommerce",
        webhook_secret=secret,
        counts_from=counts_from,
    )
    shop = record_shop(rt, program_id, new)
    # Nobody answers there, so that nothing is to be written there by itself.
    with rt.db.begin(program_id) as session:
        shops.update_shop(session, shop.shop_id, shows_fields=False, shows_tags=False)
    return shop


def woo_request(
    topic: str, body: bytes, *, delivery_ref: str = "d", secret: str = WOO_SECRET
) -> WebhookRequest:
    signature = b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
    return WebhookRequest(
        body,
        {
            "content-type": "application/json",
            "x-wc-webhook-source": "https://shop.example/",
            "x-wc-webhook-topic": topic,
            "x-wc-webhook-signature": signature,
            "x-wc-webhook-delivery-id": delivery_ref,
        },
    )


def shopify_request(
    topic: str, body: bytes, shop: RecordedShop, *, delivery_ref: str = "w", secret: str = SHOPIFY_SECRET
) -> WebhookRequest:
    """As Shopify sends it to the installation's own app; `shop` is one of `make_shop`."""
    return WebhookRequest(
        body,
        {
            "content-type": "application/json",
            "x-shopify-hmac-sha256": b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode(),
            "x-shopify-topic": topic,
            "x-shopify-shop-domain": f"{shop.key}.myshopify.com",
            "x-shopify-webhook-id": delivery_ref,
        },
    )
