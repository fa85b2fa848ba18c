"""Whom the storefront believes: the shop's own token and the platform's signature, and nothing beside them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.services.runtime import Runtime
from tests.conftest import SHOPIFY_SECRET, Clock, make_program, unique
from tests.web.shoppers import Storefront, make_storefront


def ask(storefront: Storefront, authorization: str, path: str = "me") -> TestResponse:
    return storefront.client.get(
        f"/storefront/v1/{path}",
        query_string={"key": storefront.shop.key},
        headers={"Authorization": authorization},
    )


def test_a_good_token_makes_the_customer_a_member(storefront: Storefront) -> None:
    answer = storefront.get("me")
    assert answer.status_code == 200
    me = answer.get_json()
    assert me["signed_in"] is True
    assert me["member"]["balance"] == {
        "available": 0,
        "available_text": "0 points",
        "pending": 0,
        "pending_text": "0 points",
        "pending_next": None,
        "deficit": 0,
        "deficit_text": "0 points",
        "worth": None,
        "expiring": None,
    }
    assert storefront.get("me").get_json()["member"]["id"] == me["member"]["id"]


def test_without_proof_nobody_is_signed_in(storefront: Storefront) -> None:
    storefront.member("7", points=100)
    answer = storefront.get("me", None)
    assert (answer.status_code, answer.get_json()["signed_in"], answer.get_json()["member"]) == (
        200,
        False,
        None,
    )
    assert answer.get_json()["program"]["name"] == "Sprig"


@pytest.mark.parametrize(
    "word", ["customer", "customer_ref", "email", "member", "logged_in_customer_id", "sub"]
)
def test_what_the_client_says_of_itself_is_not_believed(storefront: Storefront, word: str) -> None:
    storefront.member("7", points=100)
    assert storefront.get("me", None, **{word: "7"}).get_json()["member"] is None
    assert storefront.get("me", "8", **{word: "7"}).get_json()["member"]["balance"]["available"] == 0


def _forged(token: str, header: dict[str, str], claims: dict[str, Any] | None = None) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    _, body, signature = token.split(".")
    return f"{part(header)}.{part(claims) if claims else body}.{signature}"


ATTACKS: dict[str, Callable[[Storefront], str]] = {
    "empty": lambda shop: "",
    "garbage": lambda shop: "garbage",
    "three parts of nothing": lambda shop: "..",
    "alg none, no signature": lambda shop: _forged(shop.token(), {"alg": "none"}).rpartition(".")[0] + ".",
    "alg none, old signature": lambda shop: _forged(shop.token(), {"alg": "none"}),
    "alg NoNe": lambda shop: _forged(shop.token(), {"alg": "NoNe"}).rpartition(".")[0] + ".",
    "alg HS512": lambda shop: jwt.encode(
        {"sub": "7", "exp": int(shop.rt.now().timestamp()) + 60},
        shop.known.widget_secret * 2,
        algorithm="HS512",
    ),
    "wrong secret": lambda shop: shop.token(secret="x" * 43),
    "the secret of webhooks": lambda shop: shop.token(secret=shop.known.webhook_secrets[0] + "." * 32),
    "another customer in the body": lambda shop: _forged(
        shop.token(), {"alg": "HS256", "typ": "JWT"}, {"sub": "8", "exp": int(shop.rt.now().timestamp()) + 60}
    ),
    "too long": lambda shop: shop.token(exp=int(shop.rt.now().timestamp()) + 16 * 60),
    "for ever": lambda shop: shop.token(exp=10**11),
    "no end": lambda shop: shop.token(exp=None),
    "end as text": lambda shop: shop.token(exp="2099-01-01"),
    "end as truth": lambda shop: shop.token(exp=True),
    "end beyond numbers": lambda shop: shop.token(exp=10**400),
    "end is infinite": lambda shop: shop.token(exp=float("inf")),
    "issued tomorrow": lambda shop: shop.token(iat=int(shop.rt.now().timestamp()) + 86400),
    "not yet": lambda shop: shop.token(nbf=int(shop.rt.now().timestamp()) + 60),
    "no subject": lambda shop: shop.token(None),
    "empty subject": lambda shop: shop.token(""),
    "an erased person": lambda shop: shop.token("erased:1"),
    "a subject with a NUL": lambda shop: shop.token("7\0"),
    "a subject like a list": lambda shop: shop.token("7,8"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_token_that_is_not_right_is_refused_and_never_nobody(storefront: Storefront, attack: str) -> None:
    storefront.member("7", points=100)
    answer = ask(storefront, f"Bearer {ATTACKS[attack](storefront)}")
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["code"] == "unproven"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_subject_that_is_a_number_is_refused(storefront: Storefront) -> None:
    now = int(storefront.rt.now().timestamp())
    header, secret = {"alg": "HS256", "typ": "JWT"}, storefront.known.widget_secret

    def part(value: object) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    text = part(header) + b"." + part({"sub": 7, "exp": now + 60})
    signature = base64.urlsafe_b64encode(hmac.digest(secret.encode(), text, hashlib.sha256)).rstrip(b"=")
    assert ask(storefront, f"Bearer {(text + b'.' + signature).decode()}").status_code == 401


@pytest.mark.parametrize("authorization", ["Basic Nzo3", "bearer", "Bearer", "Token x", "Bearer \xff"])
def test_another_kind_of_authorization_is_refused(storefront: Storefront, authorization: str) -> None:
    assert ask(storefront, authorization).status_code == 401


def test_an_expired_token_says_so(storefront: Storefront, clock: Clock) -> None:
    token = storefront.token()
    clock.forward(seconds=605)
    assert ask(storefront, f"Bearer {token}").status_code == 200  # clocks differ by some seconds
    clock.forward(seconds=6)
    answer = ask(storefront, f"Bearer {token}")
    assert (answer.status_code, answer.get_json()["code"]) == (401, "token_expired")


def test_another_shops_token_is_refused_even_of_the_same_program(
    rt: Runtime, client: FlaskClient, storefront: Storefront
) -> None:
    sister = make_storefront(rt, client, storefront.program_id)
    stranger = make_storefront(rt, client, make_program(rt))
    for other in (sister, stranger):
        assert ask(storefront, f"Bearer {other.token()}").status_code == 401
        assert ask(other, f"Bearer {storefront.token()}").status_code == 401


def test_the_same_customer_ref_at_two_shops_is_two_people(
    rt: Runtime, client: FlaskClient, storefront: Storefront
) -> None:
    sister = make_storefront(rt, client, storefront.program_id)
    storefront.member("7", points=100)
    assert sister.get("me").get_json()["member"]["balance"]["available"] == 0


@pytest.mark.parametrize("key", ["", "no-such-shop", "../x", "A", "x" * 300, "ключ"])
def test_an_unknown_shop_is_not_found(storefront: Storefront, key: str) -> None:
    answer = storefront.client.get(
        "/storefront/v1/me",
        query_string={"key": key},
        headers={"Authorization": f"Bearer {storefront.token()}"},
    )
    assert (answer.status_code, answer.get_json()["code"]) == (404, "unknown_shop")


def test_a_doubled_key_names_no_shop(storefront: Storefront) -> None:
    key = storefront.shop.key
    assert storefront.client.get(f"/storefront/v1/me?key={key}&key={key}").status_code == 404


def test_an_uninstalled_shop_is_not_found(storefront: Storefront) -> None:
    storefront.member("7", points=100)
    storefront.set_shop(state="uninstalled")
    assert storefront.get("me").get_json()["code"] == "unknown_shop"


# --- The platform's signature ------------------------------------------------------------------------------


def proxied(
    storefront: Storefront, secret: str = SHOPIFY_SECRET, customer: str = "7", **changes: str
) -> dict[str, str]:
    told = {
        "key": storefront.shop.key,
        "shop": storefront.known.shop_ref,
        "logged_in_customer_id": customer,
        "path_prefix": "/apps/laurel",
        "timestamp": str(int(storefront.rt.now().timestamp())),
        **changes,
    }
    told = {name: value for name, value in told.items() if value != "-"}
    text = "".join(sorted(f"{name}={value}" for name, value in told.items()))
    told["signature"] = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return told


@pytest.fixture
def signed_shop(rt: Runtime, client: FlaskClient, program_id: int) -> Storefront:
    return make_storefront(rt, client, program_id, platform="shopify")


def test_the_platforms_signature_proves_the_customer(signed_shop: Storefront) -> None:
    signed_shop.member("7", points=120)
    for query in (proxied(signed_shop), proxied(signed_shop, lang="de-AT"), proxied(signed_shop, key="-")):
        answer = signed_shop.client.get("/storefront/v1/me", query_string=query)
        assert answer.get_json()["member"]["balance"]["available"] == 120


def test_signed_and_nobody_logged_in_is_nobody(signed_shop: Storefront) -> None:
    answer = signed_shop.client.get("/storefront/v1/me", query_string=proxied(signed_shop, customer=""))
    assert answer.get_json()["signed_in"] is False


def test_a_cursor_may_be_signed_too(signed_shop: Storefront) -> None:
    signed_shop.member("7")
    query = proxied(signed_shop, cursor="e1000-o12-a1")
    assert signed_shop.client.get("/storefront/v1/history", query_string=query).status_code == 200


def test_a_basket_may_be_signed_too(signed_shop: Storefront) -> None:
    query = proxied(
        signed_shop, key="-", currency="EUR", lines="11.0.1.2000.0.0.0", fees="500", channel="web"
    )
    answer = signed_shop.client.get("/storefront/v1/estimate", query_string=query)
    assert (answer.status_code, answer.get_json()["points"]) == (200, 15)


def test_a_guest_asks_about_a_basket_without_any_signature(signed_shop: Storefront) -> None:
    """With the shop's key alone: nobody is claimed, so nothing has to be proven."""
    query = {"key": signed_shop.shop.key, "currency": "EUR", "lines": "11.0.1.2000.0.0.0"}
    answer = signed_shop.client.get("/storefront/v1/estimate", query_string=query)
    assert (answer.status_code, answer.get_json()["about"]) == (200, True)


@pytest.mark.parametrize(
    "changed",
    [
        {"logged_in_customer_id": "8"},
        {"shop": "other.myshopify.com"},
        {"signature": "0" * 64},
        {"signature": ""},
        {"timestamp": "1000000000"},
        {"extra": "1"},
    ],
)
def test_a_changed_signed_query_is_refused(signed_shop: Storefront, changed: dict[str, str]) -> None:
    signed_shop.member("8", points=100)
    query = {**proxied(signed_shop), **changed}
    answer = signed_shop.client.get("/storefront/v1/me", query_string=query)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "unproven")


def test_a_signed_query_is_good_for_its_own_shop_only(
    rt: Runtime, client: FlaskClient, signed_shop: Storefront
) -> None:
    """All shops of the installation's app share its secret: the shop that was signed is the one that counts."""
    other = make_storefront(rt, client, signed_shop.program_id, platform="shopify")
    query = proxied(signed_shop, key=other.shop.key)
    assert client.get("/storefront/v1/me", query_string=query).status_code == 401


def test_a_merchants_own_app_signs_with_its_own_secret(signed_shop: Storefront) -> None:
    signed_shop.set_shop(own_app=True)
    own = signed_shop.known.webhook_secrets[0]
    good = signed_shop.client.get("/storefront/v1/me", query_string=proxied(signed_shop, own))
    assert good.get_json()["signed_in"] is True
    wrong = signed_shop.client.get("/storefront/v1/me", query_string=proxied(signed_shop))
    assert wrong.status_code == 401
    keyless = signed_shop.client.get("/storefront/v1/me", query_string=proxied(signed_shop, key="-"))
    assert keyless.status_code == 404


def test_an_old_signed_query_is_refused(signed_shop: Storefront, clock: Clock) -> None:
    query = proxied(signed_shop)
    clock.forward(seconds=91)
    assert signed_shop.client.get("/storefront/v1/me", query_string=query).status_code == 401


# --- Who may read the answer -------------------------------------------------------------------------------


def origin(storefront: Storefront) -> str:
    return storefront.known.url


def test_only_the_shops_own_pages_may_read(rt: Runtime, client: FlaskClient, storefront: Storefront) -> None:
    sister = make_storefront(rt, client, storefront.program_id)

    def allowed(asking: str) -> str | None:
        answer = client.get(
            "/storefront/v1/me", query_string={"key": storefront.shop.key}, headers={"Origin": asking}
        )
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Set-Cookie" not in answer.headers
        return answer.headers.get("Access-Control-Allow-Origin")

    own = origin(storefront)
    assert allowed(own) == own
    for foreign in (
        origin(sister),
        "null",
        "*",
        f"{own}.evil.example",
        own.replace("https", "http"),
        f"{own}:8443",
        f"{own}/",
        own.upper(),
        "https://evil.example",
    ):
        assert allowed(foreign) is None


def test_a_path_or_a_usual_port_in_the_shops_address_changes_nothing(storefront: Storefront) -> None:
    name = unique("host")
    for url, asking in (
        (f"https://{name}.example/store", f"https://{name}.example"),
        (f"https://{name}.example:443", f"https://{name}.example"),
        ("http://localhost:8080", "http://localhost:8080"),
    ):
        storefront.set_shop(url=url)
        answer = storefront.client.get(
            "/storefront/v1/me", query_string={"key": storefront.shop.key}, headers={"Origin": asking}
        )
        assert answer.headers["Access-Control-Allow-Origin"] == asking


def test_a_preflight_needs_no_proof_and_names_what_may_be_sent(storefront: Storefront) -> None:
    def preflight(asking: str) -> TestResponse:
        return storefront.client.options(
            "/storefront/v1/redemptions",
            query_string={"key": storefront.shop.key},
            headers={
                "Origin": asking,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
            },
        )

    answer = preflight(origin(storefront))
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == origin(storefront)
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST"
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type, Idempotency-Key"
    assert "Access-Control-Allow-Origin" not in preflight("https://evil.example").headers


def test_errors_can_be_read_by_the_shops_pages_too(storefront: Storefront) -> None:
    answer = storefront.client.get(
        "/storefront/v1/me",
        query_string={"key": storefront.shop.key},
        headers={"Origin": origin(storefront), "Authorization": "Bearer x"},
    )
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == origin(storefront)
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"


def test_nobody_keeps_one_persons_answers(storefront: Storefront) -> None:
    for answer in (storefront.get("me"), storefront.get("rewards"), storefront.get("history", None)):
        assert answer.headers["Cache-Control"] == "private, no-store"
