from collections.abc import Iterator

import httpx
import pytest

from sandbox import shopify, woocommerce
from sandbox.clock import VirtualClock
from sandbox.hosts import HostMap
from tests.sandbox.receiver import Receiver

LAUREL = "https://laurel.example"
APP_SECRET = "shpss_" + "0" * 32
WOO_TOPICS = (
    "order.created order.updated order.deleted order.restored coupon.created coupon.updated coupon.deleted "
    "customer.created customer.updated customer.deleted"
).split()
SHOPIFY_TOPICS = (
    "orders/create orders/paid orders/updated orders/cancelled orders/edited orders/fulfilled orders/delete "
    "refunds/create customers/create customers/update customers/delete customers/merge discounts/create "
    "discounts/update discounts/delete app/scopes_update"
).split()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def woo(clock: VirtualClock, receiver: Receiver) -> woocommerce.Shop:
    """A store with one webhook for each topic; its pings are forgotten."""
    shop = woocommerce.Shop(clock=clock, client=receiver.client())
    for topic in WOO_TOPICS:
        shop.add_webhook(topic, f"{LAUREL}/webhooks/woocommerce/fern", "hush")
    receiver.clear()
    return shop


@pytest.fixture
def woo_api(woo: woocommerce.Shop) -> Iterator[httpx.Client]:
    """A client of the store's REST API with a read-write key."""
    hosts = HostMap({"shop.example": woocommerce.create_app(woo)})
    key = woo.api_key()
    with hosts.client() as client:
        client.auth = httpx.BasicAuth(key.consumer_key, key.consumer_secret)
        client.base_url = httpx.URL(f"{woo.api}/")
        yield client


@pytest.fixture
def acme(clock: VirtualClock, receiver: Receiver) -> shopify.Shop:
    """A shop with the app installed, all topics subscribed by its file."""
    app = shopify.Installation(
        client_id="laurel-client",
        secrets=[APP_SECRET],
        topics=SHOPIFY_TOPICS,
        scopes=[
            *("read_orders", "read_products", "read_customers", "read_discounts", "write_discounts"),
            *("write_gift_cards", "read_store_credit_accounts", "write_store_credit_account_transactions"),
        ],
    )
    shop = shopify.Shop(clock=clock, app=app, client=receiver.client(), tax_percent=10)
    shop.install()
    return shop


@pytest.fixture
def acme_api(acme: shopify.Shop) -> Iterator[httpx.Client]:
    """A client of the shop's Admin API with an offline token."""
    hosts = HostMap({acme.domain: shopify.create_app(acme)})
    with hosts.client() as client:
        client.headers["X-Shopify-Access-Token"] = acme.issue_token().value
        client.base_url = httpx.URL(acme.url)
        yield client
