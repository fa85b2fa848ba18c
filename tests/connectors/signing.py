"""How each platform signs what it sends, written from its documents and apart from the code under test."""

import hashlib
import hmac
from base64 import b64encode

from connectors.base import WebhookRequest

SECRET = "a secret of the stories"


def sign(platform: str, topic: str, body: bytes, secret: str = SECRET) -> WebhookRequest:
    """The request as `platform` would send it."""
    return _SIGNS[platform](topic, body, secret)


def _woocommerce(topic: str, body: bytes, secret: str) -> WebhookRequest:
    resource, _, event = topic.partition(".")
    return WebhookRequest(
        body,
        {
            "content-type": "application/json",
            "user-agent": "WooCommerce/10.9.1 Hookshot (WordPress/7.0.4)",
            "x-wc-webhook-source": "https://shop.example/",
            "x-wc-webhook-topic": topic,
            "x-wc-webhook-resource": resource,
            "x-wc-webhook-event": event,
            "x-wc-webhook-signature": _hmac_sha256(secret, body),
            "x-wc-webhook-id": "3",
            "x-wc-webhook-delivery-id": "4a697cf644e3e9a3fc31916de630c460",
        },
    )


def _shopify(topic: str, body: bytes, secret: str) -> WebhookRequest:
    return WebhookRequest(
        body,
        {
            "content-type": "application/json",
            "user-agent": "Shopify-Captain-Hook",
            "x-shopify-api-version": "2026-10",
            "x-shopify-event-id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
            "x-shopify-hmac-sha256": _hmac_sha256(secret, body),
            "x-shopify-shop-domain": "acme.myshopify.com",
            "x-shopify-topic": topic,
            "x-shopify-triggered-at": "2026-11-21T18:18:40.250000000Z",
            "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        },
    )


def _hmac_sha256(secret: str, body: bytes) -> str:
    return b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


_SIGNS = {"shopify": _shopify, "woocommerce": _woocommerce}
