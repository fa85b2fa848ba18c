"""Installing by an id token, keeping tokens fresh, and the app proxy's word on who the shopper is."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
import pytest
import time_machine
from shopify_app import ShopifyApp

from app.domain.errors import AccessLost, Refused, Retryable
from app.services.prove_shopper import OUR_PARAMETERS
from connectors.base import AppCredentials, BadSignature, Granted, InstallRequest, Page, ShopAccess
from connectors.shopify import install
from connectors.shopify.install import proxy_signature
from tests.connectors.shopify.admin import SHOP, Admin

NOW = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)
SECRET = "shpss_" + "s" * 32
APP = AppCredentials(client_id="client-id", secrets=(SECRET, "shpss_" + "o" * 32))
HOME = "https://laurel.example/install/shopify"
TOKEN = {
    "access_token": "shpat_new",
    "expires_in": 3600,
    "refresh_token": "shprt_new",
    "refresh_token_expires_in": 7_776_000,
    "scope": "read_orders",
}


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    """The library reads the clock by itself."""
    with time_machine.travel(NOW, tick=False):
        yield


def get(path: str, query: Mapping[str, str], base: str = "https://laurel.example") -> InstallRequest:
    url = f"{base}{path}?{urlencode(query)}"
    return InstallRequest(
        method="GET",
        url=url,
        query=parse_qs(urlsplit(url).query, keep_blank_values=True),
        headers={},
        body=b"",
    )


def id_token(secret: str = SECRET, **changes: Any) -> str:
    claims = {
        "iss": f"https://{SHOP}/admin",
        "dest": f"https://{SHOP}",
        "aud": "client-id",
        "sub": "42",
        "exp": int(NOW.timestamp()) + 60,
        "nbf": int(NOW.timestamp()),
        "iat": int(NOW.timestamp()),
        **changes,
    }
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, secret, "HS256")


def begin(token: str | None, http: Admin, shop: str = SHOP) -> Any:
    query = {"shop": shop, "host": "YWRtaW4"} | ({"id_token": token} if token else {})
    return install.begin_install(
        get("/install/shopify", query), "state", "https://laurel.example", APP, http, NOW
    )


def answering(*answers: httpx.Response | Exception) -> Admin:
    http = Admin()
    http.answers = list(answers)
    return http


# --- Installing --------------------------------------------------------------------------------------------


def test_a_valid_id_token_becomes_an_expiring_offline_token() -> None:
    http = answering(httpx.Response(200, json=TOKEN))
    assert begin(id_token(), http) == Granted(
        shop_ref=SHOP,
        credentials={
            "mode": "app",
            "access_token": "shpat_new",
            "expires_at": "2026-11-21T19:30:00+00:00",
            "refresh_token": "shprt_new",
            "refresh_expires_at": "2027-02-19T18:30:00+00:00",
        },
        state=None,
    )
    assert http.urls == [f"https://{SHOP}/admin/oauth/access_token"]


def test_without_a_token_the_merchant_goes_to_the_page_that_fetches_one() -> None:
    step = begin(None, answering())
    assert isinstance(step, Page)
    location = urlsplit(step.headers["Location"])
    assert (step.status, f"{location.scheme}://{location.netloc}{location.path}") == (
        302,
        "https://laurel.example/install/shopify/callback",
    )
    back = install.finish_install(
        get(location.path, {k: v[0] for k, v in parse_qs(location.query).items()}), APP, answering(), NOW
    )
    assert isinstance(back, Page)
    assert back.status == 200
    assert "app-bridge.js" in back.html
    assert (
        back.headers["Content-Security-Policy"]
        == f"frame-ancestors https://{SHOP} https://admin.shopify.com;"
    )
    assert "Link" not in back.headers


def test_the_redirect_is_on_our_own_address_whatever_the_proxy_in_front_says() -> None:
    request = get("/install/shopify", {"shop": SHOP}, base="http://10.0.0.7:8000")
    step = install.begin_install(request, "s", "https://laurel.example", APP, answering(), NOW)
    assert isinstance(step, Page)
    assert step.headers["Location"].startswith("https://laurel.example/install/shopify/callback?")


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": int(NOW.timestamp()) + 3600},
        {"exp": 2**63},
        {"iss": "https://other.myshopify.com/admin"},
        {"iss": None},
        {"dest": "https://other.myshopify.com", "iss": "https://other.myshopify.com/admin"},
        {"dest": "https://evil.example", "iss": "https://evil.example/admin"},
        {"dest": SHOP},
        {"aud": "another app"},
    ],
)
def test_a_signed_token_that_is_not_for_this_shop_and_app_and_hour_is_refused(
    changes: dict[str, Any],
) -> None:
    http = answering()
    with pytest.raises(Refused, match=r"^bad_id_token"):
        begin(id_token(**changes), http)
    assert http.urls == []


@pytest.mark.parametrize("token", ["x", id_token("another secret that nobody of us has"), "a.b.c"])
def test_a_token_that_is_not_signed_goes_back_for_a_new_one(token: str) -> None:
    http = answering()
    step = begin(token, http)
    assert isinstance(step, Page)
    assert step.status == 302
    assert "id_token" not in step.headers["Location"]
    assert http.urls == []


def test_an_old_token_goes_back_for_a_new_one() -> None:
    assert isinstance(begin(id_token(exp=int(NOW.timestamp()) - 60), answering()), Page)


def test_the_old_secret_signs_while_it_is_rotated() -> None:
    step = begin(id_token(APP.secrets[1]), answering(httpx.Response(200, json=TOKEN)))
    assert isinstance(step, Granted)


@pytest.mark.parametrize(
    "shop",
    ["evil.com; script-src x", "evil.example", "acme.myshopify.com\r\nSet-Cookie: a=b", "", f"{SHOP} "],
)
def test_a_shop_that_is_none_reaches_no_header(shop: str) -> None:
    with pytest.raises(Refused, match=r"^bad_request"):
        begin(None, answering(), shop)
    query = {"shop": shop, "shopify-reload": "/install/shopify"}
    with pytest.raises(Refused, match=r"^bad_request"):
        install.finish_install(get("/install/shopify/callback", query), APP, answering(), NOW)


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "", "/a b"]
)
def test_the_way_back_is_a_path_of_ours(back: str) -> None:
    query = {"shop": SHOP, "shopify-reload": back}
    with pytest.raises(Refused, match=r"^bad_request"):
        install.finish_install(get("/install/shopify/callback", query), APP, answering(), NOW)


def test_two_shops_in_one_address_are_refused() -> None:
    request = get("/install/shopify", {"shop": SHOP})
    with pytest.raises(Refused, match=r"^bad_request"):
        install.begin_install(
            replace(request, query={"shop": [SHOP, "b.myshopify.com"]}),
            "",
            "https://l.example",
            APP,
            answering(),
            NOW,
        )


def test_an_installation_without_an_app_says_what_to_set() -> None:
    with pytest.raises(Refused, match=r"SHOPIFY_API_KEY"):
        install.begin_install(
            get("/install/shopify", {"shop": SHOP}),
            "",
            "https://l.example",
            AppCredentials(),
            answering(),
            NOW,
        )


@pytest.mark.parametrize("status", [429, 500, 503])
def test_shopify_in_trouble_is_asked_once_and_nobody_sleeps(status: int) -> None:
    http = answering(httpx.Response(status, headers={"retry-after": "7"}))
    with pytest.raises(Retryable) as caught:
        begin(id_token(), http)
    assert caught.value.retry_after_s == 7
    assert len(http.urls) == 1


# --- Fresh tokens ------------------------------------------------------------------------------------------


def access(expires_in: timedelta, **changes: str) -> ShopAccess:
    credentials = {
        "mode": "app",
        "access_token": "shpat_old",
        "refresh_token": "shprt_old",
        "expires_at": (NOW + expires_in).isoformat(),
        "refresh_expires_at": (NOW + timedelta(days=30)).isoformat(),
        **changes,
    }
    return ShopAccess(shop_key="acme", shop_ref=SHOP, credentials=credentials)


def test_a_token_that_holds_is_left_alone() -> None:
    http = answering()
    assert install.refresh(access(timedelta(minutes=6)), APP, http, NOW) is None
    assert http.urls == []


@pytest.mark.parametrize("left", [timedelta(minutes=4), timedelta(seconds=30), timedelta(hours=-3)])
def test_a_token_about_to_end_is_renewed_and_its_refresh_token_with_it(left: timedelta) -> None:
    http = answering(httpx.Response(200, json=TOKEN))
    assert install.refresh(access(left), APP, http, NOW) == {
        "mode": "app",
        "access_token": "shpat_new",
        "refresh_token": "shprt_new",
        "expires_at": "2026-11-21T19:30:00+00:00",
        "refresh_expires_at": "2027-02-19T18:30:00+00:00",
    }


@pytest.mark.parametrize("status", [429, 500, 502])
def test_a_renewal_that_fails_for_now_is_retryable(status: int) -> None:
    http = answering(httpx.Response(status))
    with pytest.raises(Retryable):
        install.refresh(access(timedelta(0)), APP, http, NOW)
    assert len(http.urls) == 1


@pytest.mark.parametrize("fault", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])
def test_no_answer_to_a_renewal_is_retryable(fault: Exception) -> None:
    with pytest.raises(Retryable):
        install.refresh(access(timedelta(0)), APP, answering(fault), NOW)


def test_a_page_in_place_of_a_token_is_retryable() -> None:
    with pytest.raises(Retryable):
        install.refresh(access(timedelta(0)), APP, answering(httpx.Response(200, content=b"<html>")), NOW)


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client"])
def test_a_token_that_shopify_takes_no_more_needs_a_person(error: str) -> None:
    with pytest.raises(AccessLost) as caught:
        install.refresh(access(timedelta(0)), APP, answering(httpx.Response(400, json={"error": error})), NOW)
    assert "shprt" not in str(caught.value)


def test_any_other_refusal_of_a_renewal_is_definite() -> None:
    with pytest.raises(Refused, match="token_refused"):
        install.refresh(
            access(timedelta(0)), APP, answering(httpx.Response(400, json={"error": "invalid_request"})), NOW
        )


def test_a_refresh_token_that_has_ended_needs_a_person_and_no_call() -> None:
    http = answering()
    with pytest.raises(AccessLost):
        install.refresh(access(timedelta(0), refresh_expires_at=NOW.isoformat()), APP, http, NOW)
    assert http.urls == []


def test_a_token_made_by_hand_has_no_end() -> None:
    made = ShopAccess(
        shop_key="acme", shop_ref=SHOP, credentials={"mode": "own_app", "access_token": "shpat_1"}
    )
    assert install.refresh(made, APP, answering(), NOW) is None


def test_a_merchants_own_app_asks_again() -> None:
    http = answering(
        *[httpx.Response(200, json={"access_token": f"shpat_{n}", "expires_in": 86399}) for n in (1, 2)]
    )
    first = install.client_credentials(SHOP, "their-id", "their-secret", http, NOW)
    assert first == {
        "mode": "own_app",
        "client_id": "their-id",
        "client_secret": "their-secret",
        "access_token": "shpat_1",
        "expires_at": "2026-11-22T18:29:59+00:00",
    }
    later = NOW + timedelta(days=1)
    renewed = install.refresh(
        ShopAccess(shop_key="acme", shop_ref=SHOP, credentials=first), AppCredentials(), http, later
    )
    assert renewed == {**first, "access_token": "shpat_2", "expires_at": "2026-11-23T18:29:59+00:00"}


def test_an_app_that_shopify_does_not_know_there_is_access_lost() -> None:
    http = answering(httpx.Response(400, json={"error": "invalid_client"}))
    with pytest.raises(AccessLost):
        install.client_credentials(SHOP, "id", "secret", http, NOW)


@pytest.mark.parametrize("shop_ref", ["evil.example/x?", "acme", "acme.myshopify.com.evil.example"])
def test_a_secret_goes_to_nobody_but_shopify(shop_ref: str) -> None:
    http = answering()
    with pytest.raises(Refused):
        install.client_credentials(shop_ref, "id", "secret", http, NOW)
    assert http.urls == []


# --- The app proxy -----------------------------------------------------------------------------------------


def proxied(secret: str = SECRET, **changes: str) -> dict[str, list[str]]:
    told = {
        "shop": SHOP,
        "logged_in_customer_id": "77",
        "path_prefix": "/apps/laurel",
        "timestamp": str(int(NOW.timestamp())),
        **changes,
    }
    return {name: [value] for name, value in {**told, "signature": proxy_signature(told, secret)}.items()}


def prove(query: Mapping[str, list[str]], now: datetime = NOW) -> Any:
    request = InstallRequest(method="GET", url="https://laurel.example/x", query=query, headers={}, body=b"")
    return install.prove_shopper(request, APP, now)


@pytest.mark.parametrize(
    ("more", "signature"),
    [
        ({}, "a9718877bea71c2484f91608a7eaea15"),
        ({"logged_in_customer_id": "1"}, "4c68c8624d737112c91818c11017d24d334b524c"),
    ],
)
def test_the_signature_is_the_one_in_shopifys_documents(more: dict[str, str], signature: str) -> None:
    """Source: shopify.dev, "Authenticate app proxies": the secret is "hush"."""
    told = {
        "shop": "shop-name.myshopify.com",
        "path_prefix": "/apps/awesome_reviews",
        "timestamp": "1317327555",
        "extra": "1,2",
        **more,
    }
    assert proxy_signature(told, "hush").startswith(signature)


def test_a_signed_shopper_is_believed() -> None:
    assert (prove(proxied()).shop_ref, prove(proxied()).customer_ref) == (SHOP, "77")
    assert prove(proxied(logged_in_customer_id="")).customer_ref is None
    assert prove(proxied(APP.secrets[1], locale="pt-BR")).customer_ref == "77"
    assert (
        prove(proxied(lang="de-AT", currency="USD", lines="11.0.1.1000.0.0.0,12.3.1.5.0.0.1")).customer_ref
        == "77"
    )


@pytest.mark.parametrize("age", [-91, 91, 3600])
def test_an_old_or_future_signature_is_refused(age: int) -> None:
    with pytest.raises(BadSignature):
        prove(proxied(), NOW + timedelta(seconds=age))


@pytest.mark.parametrize(
    "changes",
    [
        {"shop": "evil.example"},
        {"shop": "ACME.myshopify.com"},
        {"logged_in_customer_id": "077"},
        {"logged_in_customer_id": "77x"},
        {"logged_in_customer_id": "٧٧"},
        {"path_prefix": "/apps/laurel/../x"},
        {"path_prefix": "/apps/x=y"},
        {"timestamp": "1.8e9"},
        {"customer": "77"},
        {"locale": "de=1"},
        {"lines": "11.0.1.1000.0.0.0&x=1"},
        {"currency": "usd"},
        {"fees": "-1"},
    ],
)
def test_a_signed_query_that_is_not_strictly_ours_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        prove(proxied(**changes))


def test_a_second_customer_id_is_refused_though_the_library_takes_the_first() -> None:
    """The shopper's own parameters stand before Shopify's in the query that is forwarded."""
    query = proxied()
    query["logged_in_customer_id"] = ["1", "77"]
    with pytest.raises(BadSignature):
        prove(query)


@pytest.mark.parametrize("name", ["shop", "logged_in_customer_id", "path_prefix", "timestamp", "signature"])
def test_each_parameter_comes_exactly_once(name: str) -> None:
    for values in ([], [proxied()[name][0]] * 2):
        with pytest.raises(BadSignature):
            prove({**proxied(), name: values})
    with pytest.raises(BadSignature):
        prove({key: values for key, values in proxied().items() if key != name})


def test_two_readings_of_one_signed_text_are_impossible() -> None:
    """RELIABILITY C6: customer 1's signature with a parameter that swallows the border, read as customer 999's."""
    told = {
        key: values[0] for key, values in proxied(logged_in_customer_id="1").items() if key != "signature"
    }
    swallowed = {**told, "logged_in_customer_id": "999", "locale": "de"}
    forged = {**told, "locale": "delogged_in_customer_id=999"}
    del forged["logged_in_customer_id"]
    assert proxy_signature(swallowed, SECRET) == proxy_signature(forged, SECRET)
    with pytest.raises(BadSignature):
        prove(
            {
                **{key: [value] for key, value in forged.items()},
                "signature": [proxy_signature(forged, SECRET)],
            }
        )
    names = [*install._FROM_SHOPIFY, *install._OUR_OWN]
    assert not any(a != b and a.endswith(b) for a in names for b in names)
    assert not any("=" in pattern for pattern in install._OUR_OWN.values())
    assert set(install._OUR_OWN) == OUR_PARAMETERS | {"locale"}  # Shopify's own, of a shop with languages


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_without_a_secret_nobody_is_believed(secrets: tuple[str, ...]) -> None:
    request = InstallRequest(method="GET", url="", query=proxied(""), headers={}, body=b"")
    with pytest.raises(BadSignature):
        install.prove_shopper(request, replace(APP, secrets=secrets), NOW)


@pytest.mark.parametrize("signature", ["0" * 64, "é" * 64, "0" * 63])
def test_a_wrong_signature_is_refused(signature: str) -> None:
    with pytest.raises(BadSignature):
        prove({**proxied(), "signature": [signature]})


def test_the_library_agrees_on_what_is_signed() -> None:
    query = {name: values[0] for name, values in proxied().items()}
    request: Any = {"method": "GET", "headers": {}, "url": f"{HOME}?{urlencode(query)}", "body": ""}
    library = ShopifyApp("client-id", SECRET)
    assert library.verify_app_proxy_req(request).logged_in_customer_id == prove(proxied()).customer_ref
