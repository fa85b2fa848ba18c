"""Connecting a WooCommerce shop by its own consent page."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.domain.errors import Refused
from connectors.base import AppCredentials, Consent, Denied, Granted, InstallRequest, InstallStep
from connectors.http import Http
from connectors.woocommerce.install import begin_install, check_keys, finish_install, site_address
from tests.connectors.platforms import Seam
from tests.connectors.woocommerce import recorded
from tests.connectors.woocommerce.platform import PLATFORM, WooShop

NOW = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "site"),
    [
        ("shop.example", "https://shop.example"),
        (" https://Shop.Example/ ", "https://shop.example"),
        ("http://shop.example", "https://shop.example"),
        ("HTTPS://shop.example:443/", "https://shop.example"),
        ("www.shop.example/wp-admin/admin.php?page=wc-settings", "https://www.shop.example"),
        ("shop.example/wp-login.php", "https://shop.example"),
        ("shop.example/blog/shop/wp-admin", "https://shop.example/blog/shop"),
        ("shop.example/index.php/x", "https://shop.example"),
        ("https://shop.example/shop/?utm=1#top", "https://shop.example/shop"),
        ("bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_what_merchants_type_becomes_the_shops_address(typed: str, site: str) -> None:
    assert site_address(typed) == site


@pytest.mark.parametrize(
    "typed",
    [
        *("", " ", "https://", "shop", "localhost", "127.0.0.1", "[::1]", "0x7f.1", "shop.example:8080"),
        *(
            "user:password@shop.example",
            "ftp://shop.example",
            "javascript:alert(1)",
            "xn--a.example",
            "xn--.example",
        ),
        *(
            "shop.example/a b",
            "shop.example/%2e%2e/x",
            "sho\x00p.example",
            "http://http://shop.example",
            "x" * 300,
        ),
    ],
)
def test_what_is_no_shop_on_the_internet_is_refused(typed: str) -> None:
    with pytest.raises(Refused) as caught:
        site_address(typed)
    assert caught.value.code == "bad_shop_address"
    assert "password" not in str(caught.value)


def test_the_merchant_is_sent_to_the_shops_own_consent_page() -> None:
    step = begin_install(
        _get(url="shop.example/de/"), "st", "https://laurel.example/", AppCredentials(), Http(), NOW
    )
    assert isinstance(step, Consent)
    page = urlsplit(step.url)
    assert (page.netloc, page.path) == ("shop.example", "/de/wc-auth/v1/authorize")
    back = "https://laurel.example/install/woocommerce/callback"
    assert parse_qs(page.query) == {
        "app_name": ["Laurel"],
        "scope": ["read_write"],
        "user_id": ["st"],
        "return_url": [back],
        "callback_url": [back],
    }
    assert step.shop_ref == "https://shop.example/de"


def test_the_keys_come_by_the_shops_own_post() -> None:
    step = _finish(PLATFORM.agreed("st"))
    assert isinstance(step, Granted)
    assert step.credentials == PLATFORM.access.credentials
    assert (step.state, step.shop_ref) == ("st", None)
    assert "cs_" not in repr(step)


def test_the_browser_comes_back_without_keys() -> None:
    assert _finish(_get(success="1", user_id="st")) == Granted(shop_ref=None, credentials={}, state="st")
    assert _finish(_get(success="0", user_id="st")) == Denied(state="st")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"key_permissions": "read"}, "keys_too_weak"),
        ({"consumer_key": "ck_short"}, "not_understood"),
        ({"consumer_secret": "ck_" + "1" * 40}, "not_understood"),
        ({"user_id": 5}, "not_understood"),
        ({"consumer_key": None}, "not_understood"),
    ],
)
def test_keys_that_are_none_are_refused_and_not_shown(change: dict[str, object], code: str) -> None:
    agreed = PLATFORM.agreed("st")
    body = json.dumps(json.loads(agreed.body) | change).encode()
    with pytest.raises(Refused) as caught:
        _finish(InstallRequest(method="POST", url=agreed.url, query={}, headers={}, body=body))
    assert caught.value.code == code
    assert "cs_" not in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"consumer_key=ck_1", b"[]", b"\xff"])
def test_a_post_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        _finish(InstallRequest(method="POST", url="", query={}, headers={}, body=body))


def test_a_return_that_says_things_twice_is_refused() -> None:
    request = InstallRequest(
        method="GET", url="", query={"success": ["1", "0"], "user_id": ["st"]}, headers={}, body=b""
    )
    with pytest.raises(Refused):
        _finish(request)


def test_keys_made_by_hand_are_tried_before_they_are_kept() -> None:
    check_keys(PLATFORM.access, Seam(WooShop()))


def test_keys_that_may_only_read_are_too_weak() -> None:
    """The shop's own choice for a new key; its webhooks and coupons could not be made."""
    shop = WooShop()
    shop.may_write = False
    with pytest.raises(Refused, match="give them Read/Write") as caught:
        check_keys(PLATFORM.access, Seam(shop))
    assert caught.value.code == "keys_too_weak"


def test_keys_that_the_shop_does_not_know_are_named_as_such() -> None:
    shop = WooShop()
    shop.fault = lambda request: httpx.Response(401, content=recorded.answer("keys-unknown"))
    with pytest.raises(Refused, match="does not let these keys in") as caught:
        check_keys(PLATFORM.access, Seam(shop))
    assert caught.value.code == "keys_refused"
    assert not any(secret in str(caught.value) for secret in PLATFORM.secrets_of_access)


def _finish(request: InstallRequest) -> InstallStep:
    return finish_install(request, AppCredentials(), Http(), NOW)


def _get(**query: str) -> InstallRequest:
    values = {name: [value] for name, value in query.items()}
    return InstallRequest(method="GET", url="https://laurel.example/", query=values, headers={}, body=b"")
