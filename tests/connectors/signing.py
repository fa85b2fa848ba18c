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


def _hmac_sha256(secret: str, body: bytes) -> str:
    return b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


_SIGNS = {"woocommerce": _woocommerce}
