"""What is peculiar to how Shopify signs and names: two families of headers, and a shop that nobody signed."""

from dataclasses import replace

import pytest

from connectors.base import BadSignature, WebhookRequest
from connectors.shopify.mapping import TOPICS
from connectors.shopify.webhooks import COMPLIANCE_TOPICS, SUBSCRIBED, verify
from tests.connectors.signing import SECRET, sign


def signed(**headers: str) -> WebhookRequest:
    request = sign("shopify", "orders/create", b"{}")
    return replace(
        request, headers={**request.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
    )


def test_topic_shop_and_delivery_come_from_the_headers() -> None:
    delivery = verify(signed(x_shopify_shop_domain="ACME.myshopify.com"), (SECRET,))
    assert (delivery.topic, delivery.shop_ref) == ("orders/create", "acme.myshopify.com")
    assert delivery.delivery_ref == "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"


@pytest.mark.parametrize(
    "shop",
    [
        "",
        "evil.example/x",
        "acme.myshopify.com.evil.example",
        "acme.myshopify.com/",
        "acme.myshopify.com\n",
        "-acme.myshopify.com",
        "a" * 61 + ".myshopify.com",
        "acme.myshopify.com:443",
        "user@acme.myshopify.com",
        "acmé.myshopify.com",
        "ACME.MYSHOPIFY.COM\u212a",
        "myshopify.com",
    ],
)
def test_a_shop_that_is_none_of_shopifys_is_refused(shop: str) -> None:
    with pytest.raises(BadSignature):
        verify(signed(x_shopify_shop_domain=shop), (SECRET,))


@pytest.mark.parametrize("topic", ["", "orders create", "../x", "a" * 200, "orders/create/x"])
def test_a_message_without_a_proper_topic_is_refused(topic: str) -> None:
    with pytest.raises(BadSignature):
        verify(signed(x_shopify_topic=topic), (SECRET,))


def test_an_event_has_the_same_headers_without_the_x() -> None:
    told = {name.removeprefix("x-"): value for name, value in signed().headers.items()}
    told |= {"shopify-topic": "Order", "shopify-action": "update"}
    delivery = verify(WebhookRequest(b"{}", told), (SECRET,))
    assert (delivery.topic, delivery.shop_ref) == ("order/update", "acme.myshopify.com")


def test_a_signature_in_one_family_does_not_vouch_for_the_other() -> None:
    told = {name.removeprefix("x-"): value for name, value in signed().headers.items()}
    with pytest.raises(BadSignature):
        verify(WebhookRequest(b"{}", told | {"x-shopify-hmac-sha256": "AAAA"}), (SECRET,))


def test_an_odd_delivery_id_is_left_out() -> None:
    assert verify(signed(x_shopify_webhook_id="a b\n"), (SECRET,)).delivery_ref == ""


def test_all_that_we_subscribe_to_is_understood() -> None:
    assert {*SUBSCRIBED, *COMPLIANCE_TOPICS} <= set(TOPICS)
