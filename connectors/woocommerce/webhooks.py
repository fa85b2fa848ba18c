"""Is this delivery WooCommerce's? What it means is `mapping`'s business."""

import re

from connectors.base import Delivery, NotADelivery, WebhookRequest
from connectors.signatures import require_hmac_sha256

# Every topic that changes what we hold. No webhook tells of a deleted refund or of a coupon's use: the order's
# next change, or reconciliation, does.
TOPICS = (
    "order.created",
    "order.updated",
    "order.deleted",
    "order.restored",
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "coupon.updated",
    "coupon.deleted",
)

_PING = re.compile(rb"webhook_id=\d{1,20}")
_LONGEST_HEADER = 200


def verify(request: WebhookRequest, secrets: tuple[str, ...]) -> Delivery:
    """The delivery, if WooCommerce signed it with one of `secrets`.

    Raises: BadSignature; NotADelivery for the ping of a new webhook, which is an unsigned form body.
    Source: woocommerce plugins/woocommerce/includes/class-wc-webhook.php, generate_signature(), deliver_ping().
    """
    signature = request.headers.get("x-wc-webhook-signature", "")
    if not signature and _PING.fullmatch(request.body):
        raise NotADelivery("WooCommerce's ping: a webhook was made")
    require_hmac_sha256(request.body, signature, secrets)
    return Delivery(
        topic=request.headers.get("x-wc-webhook-topic", "")[:_LONGEST_HEADER],
        # Hashes the webhook's id and the current second: orders sent within one second share it.
        delivery_ref=request.headers.get("x-wc-webhook-delivery-id", "")[:_LONGEST_HEADER],
        # X-WC-Webhook-Source is not signed and may spell the site otherwise than the merchant did (www, http):
        # the address that was called names the shop, and its own secret proves it.
        shop_ref=None,
        body=request.body,
    )
