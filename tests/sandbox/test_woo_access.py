"""Who may call the WooCommerce stand-in: Basic over https, OAuth over http, and how an app gets a key."""

import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from woocommerce.oauth import OAuth

from sandbox.hosts import HostMap
from sandbox.woocommerce import Shop, create_app
from tests.sandbox.receiver import Receiver, recorded

ASK = {
    "app_name": "Laurel",
    "scope": "read_write",
    "user_id": "shop-42-state",
    "return_url": "https://laurel.example/return",
    "callback_url": "https://laurel.example/callback",
}


def sign(woo: Shop, path: str, *, secret: str | None = None) -> str:
    """The address as the `woocommerce` library signs it for plain http."""
    key = woo.api_key()
    signer = OAuth(
        url=f"http://shop.example/wp-json/wc/v3/{path}",
        consumer_key=key.consumer_key,
        consumer_secret=secret or key.consumer_secret,
        version="wc/v3",
        method="GET",
        oauth_timestamp=1,
    )
    return str(signer.get_oauth_url())


def plain(woo: Shop) -> httpx.Client:
    return HostMap({"shop.example": create_app(woo)}).client()


@pytest.mark.parametrize("path", ["orders", "orders?per_page=5&status=any", "coupons?code=LOY+1%26x"])
def test_the_librarys_signature_is_accepted_over_http(woo: Shop, path: str) -> None:
    with plain(woo) as client:
        assert client.get(sign(woo, path)).status_code == 200


def test_a_wrong_signature_a_replay_and_basic_are_refused_over_http(woo: Shop) -> None:
    with plain(woo) as client:
        wrong = client.get(sign(woo, "orders", secret="cs_other"))
        assert "Invalid signature" in wrong.json()["message"]
        url = sign(woo, "orders")
        assert [client.get(url).status_code for _ in range(2)] == [200, 401]
        key = woo.api_key()
        basic = client.get(
            "http://shop.example/wp-json/wc/v3/orders", auth=(key.consumer_key, key.consumer_secret)
        )
        theirs = recorded("woocommerce_rest/6-basic-over-http")["response"]
        assert (basic.status_code, basic.json()) == (theirs["status"], theirs["body"])


def test_a_list_and_an_empty_value_break_the_signature(woo: Shop) -> None:
    with plain(woo) as client:
        for more in ("&status=processing", "&search="):
            assert client.get(sign(woo, "orders?status=pending") + more).status_code == 401, more


def test_a_revoked_key_is_nobody(woo: Shop, woo_api: httpx.Client) -> None:
    next(iter(woo.keys.values())).revoked = True
    assert woo_api.get("orders").json()["code"] == "woocommerce_rest_cannot_view"


def test_approval_posts_the_keys_and_sends_the_browser_back(
    woo: Shop, woo_api: httpx.Client, receiver: Receiver
) -> None:
    page = woo_api.get("https://shop.example/wc-auth/v1/authorize", params=ASK, auth=None)
    approve = page.text.partition('href="/wc-auth')[2].partition('"')[0].replace("&amp;", "&")
    back = woo_api.get(f"https://shop.example/wc-auth{approve}", auth=None)
    theirs = recorded("woocommerce_rest/9-wcauth-approve")
    assert back.status_code == 302
    assert parse_qs(urlsplit(back.headers["location"]).query) == {
        "success": ["1"],
        "user_id": ["shop-42-state"],
    }
    posted = json.loads(receiver.got[-1].content)
    assert posted.keys() == json.loads(theirs["callback"][0]["body"]).keys()
    assert receiver.got[-1].headers["content-type"] == theirs["callback"][0]["headers"]["Content-Type"]
    key = httpx.BasicAuth(posted["consumer_key"], posted["consumer_secret"])
    assert woo_api.get("orders", auth=key).status_code == 200


@pytest.mark.parametrize("status", [201, 204, 302, 500])
def test_a_callback_that_is_not_200_loses_the_key(
    woo: Shop, woo_api: httpx.Client, receiver: Receiver, status: int
) -> None:
    receiver.answer = lambda _: httpx.Response(status)
    answer = woo_api.get("https://shop.example/wc-auth/v1/access_granted/", params=ASK, auth=None)
    assert (answer.status_code, "Access denied" in answer.text) == (401, True)
    posted = json.loads(receiver.got[-1].content)
    assert woo.keys[posted["consumer_key"]].revoked


def test_denial_goes_back_without_a_callback(woo_api: httpx.Client, receiver: Receiver) -> None:
    page = woo_api.get("https://shop.example/wc-auth/v1/authorize", params=ASK, auth=None)
    assert "https://laurel.example/return?success=0&amp;user_id=shop-42-state" in page.text
    assert receiver.got == []


@pytest.mark.parametrize(
    "change", [{"callback_url": "http://laurel.example/"}, {"scope": "all"}, {"user_id": ""}]
)
def test_a_wrong_question_gets_no_consent_page(woo_api: httpx.Client, change: dict[str, str]) -> None:
    answer = woo_api.get("https://shop.example/wc-auth/v1/authorize", params={**ASK, **change}, auth=None)
    assert answer.status_code == 401
