"""The app in the shop: tokens, the proxy and the frame, checked by Shopify's own library."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from sandbox.clock import VirtualClock
from sandbox.faults import FaultKind
from sandbox.shopify import Shop
from sandbox.shopify.oauth import EXCHANGE
from tests.sandbox.conftest import APP_SECRET
from tests.sandbox.receiver import Receiver

TOKENS = "/admin/oauth/access_token"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


def exchange(api: httpx.Client, subject: str, **changes: Any) -> httpx.Response:
    body = {
        "client_id": "laurel-client",
        "client_secret": APP_SECRET,
        "grant_type": EXCHANGE,
        "subject_token": subject,
        "subject_token_type": ID_TOKEN,
        "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
        "expiring": 1,
    }
    return api.post(TOKENS, json=body | changes)


def refresh(api: httpx.Client, token: str) -> httpx.Response:
    body = {"client_id": "laurel-client", "client_secret": APP_SECRET, "grant_type": "refresh_token"}
    return api.post(TOKENS, json=body | {"refresh_token": token})


def works(api: httpx.Client, token: str) -> bool:
    headers = {"X-Shopify-Access-Token": token}
    url = "/admin/api/2026-10/graphql.json"
    return api.post(url, json={"query": "{ shop { id } }"}, headers=headers).status_code == 200


def test_an_id_token_is_exchanged_for_a_token_that_expires(acme: Shop, acme_api: httpx.Client) -> None:
    told = exchange(acme_api, acme.id_token()).json()
    assert (told["expires_in"], told["refresh_token_expires_in"]) == (3600, 7_776_000)
    assert told["scope"] == ",".join(acme.app.scopes)
    assert works(acme_api, told["access_token"])
    assert "expires_in" not in exchange(acme_api, acme.id_token(), expiring=0).json()


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"aud": "other"}, "invalid_subject_token"),
        ({"dest": "https://evil.example"}, "invalid_subject_token"),
    ],
)
def test_a_wrong_id_token_is_refused(
    acme: Shop, acme_api: httpx.Client, claims: dict[str, str], error: str
) -> None:
    answer = exchange(acme_api, acme.id_token(**claims))
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_an_old_id_token_and_a_wrong_secret_are_refused(
    acme: Shop, acme_api: httpx.Client, clock: VirtualClock
) -> None:
    token = acme.id_token()
    assert exchange(acme_api, token, client_secret="other").json()["error"] == "invalid_client"
    clock.advance(timedelta(minutes=2))
    assert exchange(acme_api, token).json()["error"] == "invalid_subject_token"


def test_refreshing_rotates_and_the_old_one_works_until_the_new_is_used(
    acme: Shop, acme_api: httpx.Client
) -> None:
    first = exchange(acme_api, acme.id_token()).json()
    second = refresh(acme_api, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert refresh(acme_api, first["refresh_token"]).status_code == 200  # the answer may have been lost
    assert works(acme_api, second["access_token"])
    answer = refresh(acme_api, first["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_refresh_token_dies_after_ninety_days(
    acme: Shop, acme_api: httpx.Client, clock: VirtualClock
) -> None:
    told = exchange(acme_api, acme.id_token()).json()
    clock.advance(timedelta(days=90))
    assert refresh(acme_api, told["refresh_token"]).json()["error"] == "invalid_grant"


def test_client_credentials_and_the_code_way(acme: Shop, acme_api: httpx.Client) -> None:
    body = {"client_id": "laurel-client", "client_secret": APP_SECRET, "grant_type": "client_credentials"}
    assert works(acme_api, acme_api.post(TOKENS, json=body).json()["access_token"])
    back = "https://laurel.example/install/shopify/callback"
    acme.app.redirect_urls.append(back)
    asked = {"client_id": "laurel-client", "redirect_uri": back, "state": "s-1"}
    consent = acme_api.get("/admin/oauth/authorize", params=asked)
    query = parse_qs(urlsplit(consent.headers["location"]).query)
    assert (query["state"], query["shop"]) == (["s-1"], ["acme.myshopify.com"])
    code = {"client_id": "laurel-client", "client_secret": APP_SECRET, "code": query["code"][0]}
    assert acme_api.post(TOKENS, data=code).status_code == 200
    assert acme_api.post(TOKENS, data=code).status_code == 400  # once only


def test_the_proxy_signs_as_documented(acme: Shop) -> None:
    """Shopify's own example: shopify.dev, "Authenticate app proxies", secret `hush`."""
    acme.app.secrets = ["hush"]
    acme.app.subpath = "awesome_reviews"
    acme.domain = "shop-name.myshopify.com"
    acme.clock = lambda: VirtualClock().at.fromtimestamp(1317327555, VirtualClock().at.tzinfo)
    query = parse_qs(acme.proxied_query([("extra", "1"), ("extra", "2")], 1), keep_blank_values=True)
    assert query["signature"][0].startswith("4c68c8624d737112c91818c11017d24d334b524c")


def test_the_proxy_forwards_who_is_logged_in_and_strips_cookies(
    acme: Shop, acme_api: httpx.Client, receiver: Receiver
) -> None:
    alice = acme.create_customer("alice@example.test")
    receiver.answer = lambda _: httpx.Response(200, json={"ok": 1}, headers={"Set-Cookie": "a=b"})
    acme_api.get("/apps/laurel/me", params={"key": "fern"})
    acme_api.post("/login", data={"customer": str(alice.id)})
    answer = acme_api.post("/apps/laurel/redemptions?key=fern", json={"reward": "r"})
    assert (answer.json(), "set-cookie" in answer.headers) == ({"ok": 1}, False)
    anonymous, known = (parse_qs(r.url.query.decode(), keep_blank_values=True) for r in receiver.got)
    assert (anonymous["logged_in_customer_id"], known["logged_in_customer_id"]) == ([""], [str(alice.id)])
    assert known["path_prefix"] == ["/apps/laurel"]
    assert "cookie" not in receiver.got[1].headers
    assert receiver.got[1].url.path == "/storefront/v1/redemptions"
    assert json.loads(receiver.got[1].content) == {"reward": "r"}


def test_the_frame_opens_the_app_with_an_id_token(acme: Shop, acme_api: httpx.Client) -> None:
    page = acme_api.get("/admin/apps/laurel")
    assert "https://laurel.example/admin?embedded=1" in page.text
    query = parse_qs(urlsplit(acme.open_app_url()).query)
    told = jwt.decode(
        query["id_token"][0],
        APP_SECRET,
        algorithms=["HS256"],
        audience="laurel-client",
        options={"verify_exp": False},
    )
    assert (told["iss"], told["dest"]) == (f"{acme.url}/admin", acme.url)
    assert query["shop"] == [acme.domain]


def test_a_throttled_api_does_not_stop_a_token_s_renewal(acme: Shop, acme_api: httpx.Client) -> None:
    """Only GraphQL's calls are throttled by points; a fault drawn for every call may still name it here."""
    token = acme.issue_token()
    assert token.refresh is not None
    acme.faults.add("refresh", FaultKind.THROTTLED)
    answer = refresh(acme_api, token.refresh)
    assert answer.status_code == 200
    assert answer.json()["access_token"].startswith("shpat_")
