"""A webhook comes in: whose is it, is it signed, keep it. Nothing is parsed here."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import psycopg
from psycopg_pool import PoolTimeout
from sqlalchemy.exc import SQLAlchemyError

from app.db import statements
from app.db.directory import Kind
from app.db.inbox import Arrival
from app.domain.errors import Retryable
from app.services.runtime import Runtime
from app.services.shop_access import shop_access
from app.services.shop_memory import KnownShop
from connectors.base import BadSignature, Connector, Delivery, NotADelivery, WebhookRequest


class Receipt(StrEnum):
    KEPT = "kept"
    SEEN_BEFORE = "seen_before"
    NOTHING = "nothing"  # a ping: nothing to keep
    UNKNOWN_SHOP = "unknown_shop"
    BAD_SIGNATURE = "bad_signature"


@dataclass(frozen=True, slots=True)
class _Addressed:
    """Where a message was sent: to a shop's own address, or to the installation's app."""

    shop: KnownShop | None
    secrets: tuple[str, ...]


def receive_delivery(rt: Runtime, platform: str, shop_key: str | None, request: WebhookRequest) -> Receipt:
    """Keep a webhook if it is signed by whom it should be.

    `shop_key`: the shop whose own address it came to; None: the address of the installation's app, whose messages
    name their shop in a header. Raises: Retryable if it cannot be kept now.
    """
    connector = rt.connectors.get(platform)
    if connector is None:
        return Receipt.UNKNOWN_SHOP
    addressed = _addressed(rt, connector, shop_key)
    if addressed is None:
        return Receipt.UNKNOWN_SHOP
    try:
        delivery = connector.verify(request, addressed.secrets)
    except BadSignature:
        return Receipt.BAD_SIGNATURE
    except NotADelivery:
        return Receipt.NOTHING
    shop = addressed.shop or _named(rt, connector, delivery)
    try:
        return _keep(rt, connector, shop, delivery)
    except (SQLAlchemyError, psycopg.Error, PoolTimeout) as error:
        raise Retryable("The delivery could not be stored; send it again.", retry_after_s=30) from error


def _addressed(rt: Runtime, connector: Connector, shop_key: str | None) -> _Addressed | None:
    if shop_key is None:
        return _Addressed(None, rt.own_secrets(connector.name)) if connector.app_signed else None
    shop = shop_access(rt, Kind.SHOP, shop_key)
    if shop is None or shop.platform != connector.name:
        return None
    return _Addressed(shop, shop.webhook_secrets)


def _named(rt: Runtime, connector: Connector, delivery: Delivery) -> KnownShop | None:
    if delivery.shop_ref is None:
        return None
    shop = shop_access(rt, Kind.SHOP_REF, f"{connector.name} {delivery.shop_ref}")
    # A merchant's own app has an address and a secret of its own; the installation's may not speak for it.
    return None if shop is None or shop.own_app else shop


def _keep(rt: Runtime, connector: Connector, shop: KnownShop | None, delivery: Delivery) -> Receipt:
    if shop is None:
        if delivery.topic not in connector.compliance_topics:
            return Receipt.UNKNOWN_SHOP
        _keep_of_unknown_shop(rt, connector, delivery)
        return Receipt.KEPT
    arrival = Arrival(
        program_id=shop.program_id,
        shop_id=shop.shop_id,
        topic=delivery.topic,
        delivery_ref=delivery.delivery_ref,
        body=delivery.body,
        at=rt.now(),
    )
    new = rt.inbox.keep(arrival)
    if new:
        rt.received()
    return Receipt.KEPT if new else Receipt.SEEN_BEFORE


def _keep_of_unknown_shop(rt: Runtime, connector: Connector, delivery: Delivery) -> None:
    with rt.db.outside() as connection:
        statements.run(
            connection,
            "INSERT INTO unknown_shop_messages (received_at, platform, topic, shop_ref, body_hash, body) "
            "VALUES (:now, :platform, :topic, :shop_ref, :hash, :body) ON CONFLICT DO NOTHING",
            {
                "now": rt.now(),
                "platform": connector.name,
                "topic": delivery.topic,
                "shop_ref": delivery.shop_ref or "",
                "hash": hashlib.sha256(delivery.body).digest(),
                "body": rt.vault.data.seal(delivery.body, "unknown_shop_messages"),
            },
        )
