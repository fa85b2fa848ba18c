"""Webhooks as Shopify sends them: who signed, which topic, which shop. What they mean is `mapping`'s.

Subscriptions of the installation's own app stand in `shopify.app.toml` beside this file; those of a merchant's
own app are made by `client`.
"""

import re
from collections.abc import Mapping

from connectors.base import BadSignature, Delivery, WebhookRequest
from connectors.shopify.mapping import TOPICS
from connectors.signatures import require_hmac_sha256

COMPLIANCE_TOPICS = frozenset({"customers/data_request", "customers/redact", "shop/redact"})
# What we subscribe to. Left out: orders/paid, orders/cancelled, orders/fulfilled and order_transactions/create, since
# orders/updated brings the same order for each of them, and what comes is understood all the same.
SUBSCRIBED = (
    "orders/create",
    "orders/updated",
    "orders/edited",
    "orders/delete",
    "refunds/create",
    "customers/create",
    "customers/update",
    "customers/merge",
    "customer.tags_added",
    "customer.tags_removed",
    "discounts/delete",
    "discounts/redeemcode_removed",
    "app/uninstalled",
    "app/scopes_update",
)
MAY_COME = TOPICS

SHOP = re.compile(r"[a-z0-9][a-z0-9-]{0,59}\.myshopify\.com", re.ASCII)
_TOPIC = re.compile(r"[a-z][a-z0-9_.]{0,59}(?:/[a-z0-9_]{1,60})?", re.ASCII)
_PRINTABLE = re.compile(r"[\x21-\x7e]{1,100}")


def verify(request: WebhookRequest, secrets: tuple[str, ...]) -> Delivery:
    """The delivery, if one of the app's `secrets` signs its bytes.

    The shop is only what the message names: the header is not signed and one secret serves all shops (C7), so
    nothing is believed of it but its shape; what counts is that shop's own answer later.

    Raises: BadSignature.
    Source: shopify.dev, webhooks over HTTPS, "Validate the HMAC"; Events send the same headers without the "x-".
    """
    prefix = "x-shopify-" if "x-shopify-hmac-sha256" in request.headers else "shopify-"
    headers = request.headers
    require_hmac_sha256(request.body, headers.get(f"{prefix}hmac-sha256", ""), secrets)
    topic = _topic(headers, prefix)
    if _TOPIC.fullmatch(topic) is None:
        raise BadSignature("the message names no topic")
    delivery_ref = headers.get(f"{prefix}webhook-id", "")
    return Delivery(
        topic=topic,
        delivery_ref=delivery_ref if _PRINTABLE.fullmatch(delivery_ref) else "",
        shop_ref=shop_domain(headers.get(f"{prefix}shop-domain", "")),
        body=request.body,
    )


def shop_domain(text: str) -> str:
    """The shop's name at Shopify, lower-cased: "acme.myshopify.com". Raises: BadSignature for anything else (D12)."""
    shop = text.lower()
    if SHOP.fullmatch(shop) is None:
        raise BadSignature("the message names no shop of Shopify's")
    return shop


def _topic(headers: Mapping[str, str], prefix: str) -> str:
    """ "orders/create"; of an Event, whose topic ("Order") and action come apart, "order/create"."""
    topic, action = headers.get(f"{prefix}topic", ""), headers.get(f"{prefix}action", "")
    return (f"{topic}/{action}" if action and "/" not in topic else topic).lower()
