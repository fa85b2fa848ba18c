"""Stand-ins over real sockets: https under their own names, dropped connections, the demo's delivery thread."""

import threading

import httpx
import pytest

from sandbox import shopify, woocommerce
from sandbox.authority import Authority
from sandbox.faults import FaultKind
from sandbox.hosts import HostMap
from sandbox.serve import Served
from tests.sandbox.receiver import Receiver


def test_two_shops_over_https_under_their_own_names(acme: shopify.Shop, woo: woocommerce.Shop) -> None:
    authority = Authority()
    token, key = acme.issue_token(), woo.api_key()
    with (
        Served(shopify.create_app(acme), tls=authority.server_context(acme.domain)) as one,
        Served(woocommerce.create_app(woo), tls=authority.server_context("shop.example")) as two,
    ):
        hosts = HostMap(
            {acme.domain: one.address, "shop.example": two.address}, tls=authority.client_context()
        )
        with hosts.client() as client:
            query = {"query": "{ shop { myshopifyDomain } }"}
            headers = {"X-Shopify-Access-Token": token.value}
            answer = client.post(f"{acme.url}/admin/api/2026-10/graphql.json", json=query, headers=headers)
            assert answer.json()["data"]["shop"]["myshopifyDomain"] == acme.domain
            assert client.get(f"{woo.api}/orders", auth=(key.consumer_key, key.consumer_secret)).json() == []


def test_a_certificate_for_another_name_is_refused(woo: woocommerce.Shop) -> None:
    authority = Authority()
    with Served(woocommerce.create_app(woo), tls=authority.server_context("other.example")) as served:
        hosts = HostMap({"shop.example": served.address}, tls=authority.client_context())
        with hosts.client() as client, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            client.get("https://shop.example/wp-json/")


def test_the_stand_ins_refuse_a_host_that_they_are_not(woo: woocommerce.Shop) -> None:
    with HostMap({}).client() as client, pytest.raises(httpx.ConnectError):
        client.get("https://shopify.com/")


def test_an_answer_that_must_not_arrive_drops_the_connection(woo: woocommerce.Shop) -> None:
    woo.faults.add("*", FaultKind.TIMEOUT_BEFORE)
    with (
        Served(woocommerce.create_app(woo)) as served,
        httpx.Client() as client,
        pytest.raises(httpx.TransportError),
    ):
        client.get(f"{served.url}/wp-json/wc/v3/orders")


def test_the_demos_thread_delivers_by_itself(woo: woocommerce.Shop, receiver: Receiver) -> None:
    arrived = threading.Event()

    def answer(_: httpx.Request) -> httpx.Response:
        arrived.set()
        return httpx.Response(200)

    receiver.answer = answer
    woo.deliveries.start(every_s=0.005)
    try:
        woo.create_order([(woo.product("Mug", "10.00"), 1)])
        assert arrived.wait(10)
    finally:
        woo.deliveries.stop()
