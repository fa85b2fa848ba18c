"""A stand-in shop connected to a program: the real connectors in between, webhooks that arrive when told to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from app.db import inbox
from app.db.orders import OrderRow, find_orders
from app.db.reconciliations import RepairRow, find_repairs
from app.db.shops import ShopRow, get_shop
from app.domain.orders import OrderSnapshot
from app.services.drain_inbox import drain_inbox
from app.services.receive_delivery import Receipt, receive_delivery
from app.services.record_shop import NewShop, record_shop
from app.services.reread_orders import Reread, reread_orders
from app.services.runtime import Runtime
from connectors.base import ShopFacts, WebhookRequest
from sandbox.hosts import HostMap
from sandbox.shopify.app import create_app as shopify_app
from sandbox.shopify.shop import Shop as ShopifyShop
from sandbox.shopify.state import Installation
from sandbox.woocommerce.app import create_app as woo_app
from sandbox.woocommerce.shop import Shop as WooShop
from tests.conftest import NOW, SHOPIFY_SECRET, Clock, unique
from tests.services.houses import House

SHOPIFY_SCOPES = (
    *("read_orders", "read_customers", "write_customers", "write_discounts", "read_all_orders"),
    *("write_gift_cards", "read_store_credit_accounts", "write_store_credit_account_transactions"),
)
LONG_AGO = NOW - timedelta(days=365)
_STATUS = {Receipt.UNKNOWN_SHOP: 404, Receipt.BAD_SIGNATURE: 401}


class ToLaurel(httpx.BaseTransport):
    """Where a stand-in's webhooks go: into the inbox, as the web process would keep them."""

    def __init__(self) -> None:
        self.rt: Runtime | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert self.rt is not None
        _, _, platform, *key = request.url.path.split("/")
        kept = receive_delivery(
            self.rt,
            platform,
            key[0] if key else None,
            WebhookRequest(request.read(), {name.lower(): value for name, value in request.headers.items()}),
        )
        return httpx.Response(_STATUS.get(kept, 200))


@dataclass(frozen=True, slots=True)
class Stand(House):
    """A house whose shop answers. `store` is a WooCommerce or a Shopify stand-in."""

    store: Any
    hosts: HostMap

    @property
    def platform(self) -> str:
        return "woocommerce" if hasattr(self.store, "coupons") else "shopify"

    def deliver_all(self) -> None:
        """What waits at the shop arrives and is settled, and so is what it asks to be read."""
        with self.rt.db.begin(self.program_id) as session:
            inbox.make_days(session, today=self.rt.now().date(), ahead=1)
        self.store.deliveries.run()
        drain_inbox(self.rt)
        self.reread()

    def lose_all(self) -> int:
        """What waits at the shop never arrives."""
        getattr(self.store, "_waiting", set()).clear()  # or it would go on waiting for what was dropped
        return int(self.store.deliveries.drop())

    def reread(self) -> Reread:
        return reread_orders(self.rt, self.program_id, self.shop.shop_id)

    def row(self, order_ref: object) -> OrderRow:
        key = (self.shop.shop_id, str(order_ref))
        with self.rt.db.begin(self.program_id) as session:
            return find_orders(session, [key])[key]

    def held(self, order_ref: object) -> OrderSnapshot:
        order = self.row(order_ref).order
        assert order is not None
        return order

    def knows(self, order_ref: object) -> bool:
        key = (self.shop.shop_id, str(order_ref))
        with self.rt.db.begin(self.program_id) as session:
            return key in find_orders(session, [key])

    def shop_row(self) -> ShopRow:
        with self.rt.db.begin(self.program_id) as session:
            return get_shop(session, self.shop.shop_id)

    def worth(self, *order_refs: object) -> list[int]:
        return [self.points(str(ref)) for ref in order_refs]

    def repairs(self) -> list[RepairRow]:
        with self.rt.db.begin(self.program_id) as session:
            return find_repairs(session, since=LONG_AGO)

    def sql(self, statement: str, **params: object) -> Sequence[Any]:
        with self.rt.db.begin(self.program_id) as session:
            return session.rows(statement, params)

    def jobs(self, name: str) -> list[dict[str, Any]]:
        """Arguments of the jobs of that name that wait for this program."""
        with self.rt.db.outside() as connection:
            rows = connection.exec_driver_sql(
                "SELECT args FROM procrastinate_jobs WHERE task_name = %(name)s AND status = 'todo' "
                "AND (args->>'program_id')::bigint = %(program)s ORDER BY id",
                {"name": name, "program": self.program_id},
            )
            return [row.args for row in rows]


def woo_stand(
    rt: Runtime, clock: Clock, program_id: int, *, counts_from: datetime = LONG_AGO, subscribed: bool = True
) -> Stand:
    name, door = unique("woo"), ToLaurel()
    store = WooShop(
        clock=clock,
        client=httpx.Client(transport=door),
        url=f"https://{name}.example",
        name=name,
        tax_percent=0,
    )
    key = store.api_key()
    stand = _stand(
        rt,
        program_id,
        "woocommerce",
        ref=store.url,
        host=f"{name}.example",
        app=woo_app(store),
        store=store,
        credentials={"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret},
        own_app=True,
        counts_from=counts_from,
    )
    door.rt = stand.rt
    if subscribed:
        for topic in stand.rt.connectors["woocommerce"].topics:
            store.add_webhook(
                topic, f"https://laurel.example/webhooks/woocommerce/{stand.shop.key}", "laurel-recording"
            )
    return stand


def shopify_stand(
    rt: Runtime,
    clock: Clock,
    program_id: int,
    *,
    counts_from: datetime = LONG_AGO,
    scopes: Sequence[str] = SHOPIFY_SCOPES,
    expiring: bool = True,
) -> Stand:
    name, door = unique("acme").replace("_", "-"), ToLaurel()
    topics = ["orders/create", "orders/updated", "orders/edited", "orders/delete", "refunds/create"]
    topics.append("customer.tags_added")
    app = Installation(client_id="laurel-app", secrets=[SHOPIFY_SECRET], scopes=list(scopes), topics=topics)
    store = ShopifyShop(clock=clock, app=app, client=httpx.Client(transport=door), handle=name, name=name)
    store.install()
    token = store.issue_token(expiring=expiring)
    credentials = {"access_token": token.value}
    if token.expires is not None and token.refresh is not None and token.refresh_expires is not None:
        credentials |= {
            "expires_at": token.expires.isoformat(),
            "refresh_token": token.refresh,
            "refresh_expires_at": token.refresh_expires.isoformat(),
        }
    stand = _stand(
        rt,
        program_id,
        "shopify",
        ref=store.domain,
        host=store.domain,
        app=shopify_app(store),
        store=store,
        credentials=credentials,
        own_app=False,
        counts_from=counts_from,
        reads_orders_days=None if "read_all_orders" in scopes else 60,
    )
    door.rt = stand.rt
    return stand


def _stand(
    rt: Runtime,
    program_id: int,
    platform: str,
    *,
    ref: str,
    host: str,
    app: Any,
    store: Any,
    credentials: dict[str, str],
    own_app: bool,
    counts_from: datetime,
    reads_orders_days: int | None = None,
) -> Stand:
    hosts = HostMap({host: app})
    ours = replace(rt, http=hosts)
    facts = ShopFacts(
        shop_ref=ref,
        name=store.name,
        url=f"https://{host}",
        currency="USD",
        timezone="UTC",
        reads_orders_days=reads_orders_days,
    )
    new = NewShop(
        platform=platform,
        facts=facts,
        credentials=credentials,
        own_app=own_app,
        webhook_secret="laurel-recording",
        counts_from=counts_from,
    )
    return Stand(ours, program_id, record_shop(ours, program_id, new), store, hosts)
