"""One program over both stand-ins, connected as merchants connect them: real connectors, real services, real keys."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from typing import Any

import httpx

from app.bootstrap import DatabaseUrls, build, clock
from app.db import shops
from app.db.directory import Kind
from app.domain.program import default_document
from app.services.create_program import create_program
from app.services.record_shop import NewShop, RecordedShop, record_shop
from app.services.runtime import Runtime, SendMail
from app.services.set_up_shop import SetUp, set_up_shop
from app.services.shop_memory import KnownShop, ShopMemory
from app.settings import Settings, ShopifyApp
from connectors.base import ShopFacts
from connectors.shopify.webhooks import SUBSCRIBED
from sandbox.hosts import HostMap
from sandbox.shopify.shop import Shop as ShopifyShop
from sandbox.shopify.state import Installation
from sandbox.woocommerce.shop import Shop as WooShop

CLIENT_ID = "laurel-demo"
PROGRAM = "demo"
CODE_DAYS = 30
_SCOPES = (
    "read_orders read_all_orders read_products read_customers write_customers read_customer_merge read_discounts "
    "write_discounts write_app_proxy"
).split()


@dataclass(frozen=True, slots=True)
class Stand:
    """A stand-in shop, and what it is to Laurel."""

    platform: str
    store: Any  # ShopifyShop or WooShop
    shop: RecordedShop


@dataclass(frozen=True, slots=True)
class World:
    rt: Runtime
    hosts: HostMap
    program_id: int
    stands: tuple[Stand, ...]

    def stand(self, platform: str) -> Stand:
        return next(stand for stand in self.stands if stand.platform == platform)


class _Memory(ShopMemory):
    """Forgets by the real clock: a virtual one leaps, and every delivery would look its shop up."""

    def get(
        self, kind: Kind, key: str, now: datetime, load: Callable[[], KnownShop | None]
    ) -> KnownShop | None:
        del now
        return super().get(kind, key, clock(), load)


def document() -> dict[str, Any]:
    """The default program, with tiers that people who buy a few discs can reach, and codes for a month."""
    told = default_document("Fern & Field rewards", "USD", "UTC")
    levels = told["tiers"]["levels"]
    levels[1]["from_minor"], levels[2]["from_minor"] = 150_00, 400_00
    told["codes"]["days"] = CODE_DAYS
    return told


def make_settings(var: Path, public_url: str, *, keys: tuple[bytes, ...] = ()) -> Settings:
    """Settings of an installation of its own: fresh keys, an app at Shopify of its own."""
    return Settings(
        var=var,
        port=0,
        public_url=public_url,
        database_url=None,
        owner_url=None,
        keys=keys or (token_bytes(32),),
        shopify=ShopifyApp(api_key=CLIENT_ID, secret=f"shpss_{token_urlsafe(24)}", old_secret=None),
        smtp_url=None,
    )


def make_runtime(
    settings: Settings, urls: DatabaseUrls, hosts: HostMap, *, now: Callable[[], datetime], mail: SendMail
) -> Runtime:
    rt = build(settings, urls=urls, http=hosts, now=now, pool_size=12)
    return replace(rt, send_mail=mail, sends_mail=True, shop_memory=_Memory())


def make_woo(clock: Callable[[], datetime], client: httpx.Client, *, url: str) -> WooShop:
    return WooShop(clock=clock, client=client, url=url, name="Field Records", tax_percent=10)


def make_shopify(
    clock: Callable[[], datetime], client: httpx.Client, settings: Settings, *, handle: str = "fern"
) -> ShopifyShop:
    assert settings.shopify is not None
    base = settings.public_url
    app = Installation(
        client_id=settings.shopify.api_key,
        secrets=[settings.shopify.secret],
        app_url=f"{base}/install/shopify",
        proxy_url=f"{base}/storefront/v1",
        webhook_uri=f"{base}/webhooks/shopify",
        topics=list(SUBSCRIBED),
        scopes=list(_SCOPES),
    )
    return ShopifyShop(clock=clock, app=app, client=client, handle=handle, name="Fern Music", tax_percent=8)


def make_program(rt: Runtime) -> int:
    return create_program(
        rt, PROGRAM, name="Fern & Field rewards", currency="USD", timezone="UTC", document=document()
    )


def connect_woo(rt: Runtime, program_id: int, store: WooShop, *, counts_from: datetime) -> Stand:
    key = store.api_key(description="Laurel")
    credentials = {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}
    shop = _record(rt, program_id, "woocommerce", store.url, store, credentials, counts_from)
    with rt.db.begin(program_id) as session:
        store.widget_secret = shops.get_secrets(session, rt.vault, shop.shop_id).widget_secret
    return Stand("woocommerce", store, shop)


def connect_shopify(rt: Runtime, program_id: int, store: ShopifyShop, *, counts_from: datetime) -> Stand:
    store.install()
    token = store.issue_token()
    assert token.expires is not None
    assert token.refresh is not None
    assert token.refresh_expires is not None
    credentials = {
        "access_token": token.value,
        "expires_at": token.expires.isoformat(),
        "refresh_token": token.refresh,
        "refresh_expires_at": token.refresh_expires.isoformat(),
    }
    shop = _record(rt, program_id, "shopify", store.domain, store, credentials, counts_from)
    return Stand("shopify", store, shop)


def set_up(rt: Runtime, program_id: int, stand: Stand) -> SetUp:
    """Webhooks made at the shop, its past orders read: what happens after a merchant agreed."""
    return set_up_shop(rt, program_id, stand.shop.shop_id)


def _record(
    rt: Runtime,
    program_id: int,
    platform: str,
    ref: str,
    store: Any,
    credentials: dict[str, str],
    counts_from: datetime,
) -> RecordedShop:
    facts = ShopFacts(
        shop_ref=ref,
        name=store.name,
        url=store.url,
        currency=store.currency,
        timezone=store.zone.key,
        reads_orders_days=None,
    )
    new = NewShop(
        platform=platform,
        facts=facts,
        credentials=credentials,
        own_app=platform == "woocommerce",
        allow_private=True,
        counts_from=counts_from - timedelta(days=1),
    )
    return record_shop(rt, program_id, new)
