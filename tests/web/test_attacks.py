"""Attacks on who somebody is: tokens, links, sessions, forms of other sites, and addresses that lead away from us.

Signatures changed letter by letter are in test_signatures.py; what connectors refuse by themselves stands beside them.
"""

import base64
import hashlib
import hmac
import itertools
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from psycopg.sql import SQL, Identifier

from app.db import tables
from app.domain.staff import Role
from app.services.invite_staff import invite_staff
from app.services.list_staff import remove_staff
from app.services.record_shop import NewShop, record_shop
from app.services.runtime import Runtime
from app.web import create_app
from app.web.admin.guard import COOKIE
from app.web.policy import Policy, policy_of
from connectors.base import ShopFacts
from sandbox.hosts import HostMap
from tests.conftest import SHOPIFY_SECRET, Clock, DatabaseUrls, Mails, make_program, unique
from tests.services.houses import WOO_SECRET, make_shop
from tests.web.admin.desk import Desk, Visitor, fill
from tests.web.admin.test_policies import address
from tests.web.shoppers import Storefront

pytestmark = pytest.mark.usefixtures("no_limits")


@pytest.fixture
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many tries come in a minute that they would be turned away unread."""
    monkeypatch.setattr("app.web.limits.Minute.count", lambda self, name, second: 1)


@pytest.fixture
def desk(rt: Runtime, app: Flask) -> Desk:
    return Desk(rt, app)


# --- Tokens --------------------------------------------------------------------------------------------------


def raw_token(head: Any, claims: Any, secret: str | bytes) -> str:
    """A JWT signed with HS256 whatever its head says, and whatever it holds: no library would make it."""

    def part(value: Any) -> str:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(body).rstrip(b"=").decode()

    text = f"{part(head)}.{part(claims)}"
    key = secret.encode() if isinstance(secret, str) else secret
    return f"{text}.{base64.urlsafe_b64encode(hmac.digest(key, text.encode(), hashlib.sha256)).rstrip(b'=').decode()}"


GOOD_HEAD = {"alg": "HS256", "typ": "JWT"}
# None of them may be believed though the shop's own secret signs them.
HEADS: list[Any] = [
    *({"alg": alg} for alg in ("none", "None", "NONE", "nOnE", "", " ", "HS256 ", "hs256", "HS256\0", "HS-256")),
    *({"alg": alg} for alg in ("HS384", "HS512", "RS256", "RS512", "ES256", "ES256K", "PS256", "EdDSA", "A128KW", "dir")),
    *({"alg": alg} for alg in (None, True, 0, 256, ["HS256"], {"HS256": 1})),
    *({}, {"typ": "JWT"}, [], "HS256", None, 7, b"", b"{", b"\xff", b'{"alg":"HS256"'),
    *({"alg": "HS256", "crit": crit} for crit in (["exp"], ["x"], [], "exp", [7])),
    {"alg": "HS256", "b64": False, "crit": ["b64"]},
    *({"alg": "HS256", "kid": kid} for kid in (7, None, ["k"], {"k": 1})),
]  # fmt: skip
# A head that names a key of the sender's, who signs with it.
KEYS_OF_THEIR_OWN: list[tuple[dict[str, Any], bytes]] = [
    ({"kid": "/dev/null"}, b""),
    ({"kid": "../../../../../../dev/null"}, b"\0"),
    ({"kid": "' UNION SELECT 'k' --"}, b"k"),
    ({"kid": "https://evil.example/key"}, b"evil"),
    ({"jku": "https://evil.example/keys.json"}, b"evil"),
    ({"x5u": "https://evil.example/cert.pem"}, b"evil"),
    ({"x5c": ["MIIB"]}, b"MIIB"),
    ({"jwk": {"kty": "oct", "k": "ZXZpbA"}}, b"evil"),
    ({"secret": "evil", "key": "evil"}, b"evil"),
    ({"zip": "DEF"}, b"evil"),
]
NO_NUMBERS: list[Any] = [
    None, "", "soon", "1e9", "99999999999", True, False, [], [1], {}, {"a": 1}, -1, -1e300, float("nan"),
    float("inf"), float("-inf"), 10**400, 2**63, "2026-11-22T12:00:00Z",
]  # fmt: skip
NO_SUBJECTS: list[Any] = [
    None, 7, 7.5, True, [], ["7"], {}, {"id": "7"}, "", " ", "7 ", " 7", "7\n", "\n7", "7\r", "7\t", "7\0", "\x007",
    "../7", "7/8", "7'--", "7;8", "7,8", "7 8", "%37", "７", "٧", "7\u200b", "\ufeff7", "é",
    "-7", "_7", ".7", "+7", "7+1",
    "7" * 101, "erased:1", "shop:7", "7@mail.test", "<7>", "\ud800",
]  # fmt: skip
NO_OBJECTS: list[Any] = [
    [], ["sub"], "sub", 7, None, True, b"", b"{", b"\xff\xfe", b'{"sub":"7"', b"[" * 10_000, b'{"a":' * 10_000,
]  # fmt: skip


def tokens(shop: Storefront, other: Storefront) -> Iterator[tuple[str, str]]:
    """(what is wrong with it, the token)"""
    now, secret = int(shop.rt.now().timestamp()), shop.known.widget_secret
    claims = {"sub": "7", "iat": now, "exp": now + 600}
    for head in HEADS:
        if head != {"alg": "HS256", "crit": []}:
            yield f"head {head!r}", raw_token(head, claims, secret)
    for head, theirs in KEYS_OF_THEIR_OWN:
        yield f"its own key {head}", raw_token({**GOOD_HEAD, **head}, claims, theirs)
    keys = {
        "none": "", "the word": "secret", "laurel": "laurel", "the shop's name": shop.shop.key, "webhooks": WOO_SECRET,
        "the app's": SHOPIFY_SECRET, "another shop's": other.known.widget_secret, "in other letters": secret.swapcase(),
        "short of one": secret[:-1], "with a line's end": f"{secret}\n", "its hash": shop.rt.vault.token_hash(secret),
        "backwards": secret[::-1], "its key's": "cs_x", "the address": shop.known.url,
    }  # fmt: skip
    for name, key in keys.items():
        yield f"secret: {name}", raw_token(GOOD_HEAD, claims, key)
    for name, value in itertools.product(("exp", "iat", "nbf"), NO_NUMBERS):
        yield f"{name} {value!r}", raw_token(GOOD_HEAD, {**claims, name: value}, secret)
    for value in NO_SUBJECTS:
        yield f"sub {value!r}", raw_token(GOOD_HEAD, {**claims, "sub": value}, secret)
    for value in NO_OBJECTS:
        yield f"claims {value!r:.30}", raw_token(GOOD_HEAD, value, secret)
    for name in ("sub", "exp"):
        yield f"no {name}", raw_token(GOOD_HEAD, {one: claims[one] for one in claims if one != name}, secret)
    for late in (911, 3600, 86_400 * 365):
        yield f"for {late} s", raw_token(GOOD_HEAD, {**claims, "exp": now + late}, secret)
    for early in (11, 60, 86_400):
        yield f"ended {early} s ago", raw_token(GOOD_HEAD, {**claims, "exp": now - early}, secret)
        yield f"not for {early} s", raw_token(GOOD_HEAD, {**claims, "nbf": now + early}, secret)
        yield f"made in {early} s", raw_token(GOOD_HEAD, {**claims, "iat": now + early}, secret)
    yield "a session", other.rt.vault.sign("session", "7")
    yield "an invitation", "x" * 43


def test_no_token_but_the_shops_own_of_this_quarter_of_an_hour_is_believed(
    storefront: Storefront, rt: Runtime
) -> None:
    storefront.member("7", points=100)
    other = replace(storefront, shop=make_shop(rt, storefront.program_id, currency="EUR"))
    tried = list(tokens(storefront, other))
    assert len(tried) >= 190
    believed = []
    for wrong, token in tried:
        answer = storefront.client.get(
            "/storefront/v1/me",
            query_string={"key": storefront.shop.key},
            headers={"Authorization": f"Bearer {token}"},
        )
        if answer.status_code != 401 or answer.mimetype != "application/problem+json":
            believed.append((wrong, answer.status_code))
    assert believed == []
    assert storefront.get("me").status_code == 200


def id_tokens(now: int, name: str = "fern") -> Iterator[tuple[str, str]]:
    """What a stranger might bring in place of the platform's id token."""
    shop = f"https://{name}.myshopify.com"
    claims: dict[str, Any] = {
        "iss": f"{shop}/admin", "dest": shop, "aud": "laurel-app", "sub": "42", "exp": now + 60, "nbf": now, "iat": now,
        "jti": "x", "sid": "x",
    }  # fmt: skip
    for head in HEADS:
        if isinstance(head, dict) and head.get("alg") == "HS256":
            continue  # the library reads such heads as the standard says; who signs them is the platform
        yield f"head {head!r}", raw_token(head, claims, SHOPIFY_SECRET)
    for head, theirs in KEYS_OF_THEIR_OWN:
        yield f"its own key {head}", raw_token({**GOOD_HEAD, **head}, claims, theirs)
    for secret in ("", "secret", "laurel-app", WOO_SECRET, SHOPIFY_SECRET.upper(), SHOPIFY_SECRET[:-1]):
        yield f"secret {secret}", raw_token(GOOD_HEAD, claims, secret)
    elsewhere: tuple[Any, ...] = (
        "https://evil.myshopify.com", shop.replace("https", "http"), f"{shop}/", f"{name}.myshopify.com",
        f"{shop}.evil.example", "https://evil.example", "", None, 7, [shop], {},
    )  # fmt: skip
    for other in elsewhere:
        yield f"dest {other!r}", raw_token(GOOD_HEAD, {**claims, "dest": other}, SHOPIFY_SECRET)
        issuer = f"{other}/admin" if isinstance(other, str) else other
        yield f"iss {other!r}", raw_token(GOOD_HEAD, {**claims, "iss": issuer}, SHOPIFY_SECRET)
    audiences: tuple[Any, ...] = ("", "another-app", None, 7, [], ["another-app"], {})
    for audience in audiences:
        yield f"aud {audience!r}", raw_token(GOOD_HEAD, {**claims, "aud": audience}, SHOPIFY_SECRET)
    for end in (now - 11, now - 3600, *NO_NUMBERS):
        yield f"exp {end!r}", raw_token(GOOD_HEAD, {**claims, "exp": end}, SHOPIFY_SECRET)
    for begin in (now + 60, now + 3600):
        yield f"nbf {begin!r}", raw_token(GOOD_HEAD, {**claims, "nbf": begin}, SHOPIFY_SECRET)
    for value in NO_OBJECTS:
        yield f"claims {value!r:.30}", raw_token(GOOD_HEAD, value, SHOPIFY_SECRET)
    for left_out in ("iss", "dest", "aud", "exp"):
        rest = {one: value for one, value in claims.items() if one != left_out}
        yield f"no {left_out}", raw_token(GOOD_HEAD, rest, SHOPIFY_SECRET)


def test_no_id_token_but_the_platforms_own_installs_anything(rt: Runtime) -> None:
    hosts = HostMap()
    client = create_app(replace(rt, http=hosts)).test_client()
    tried = list(id_tokens(int(rt.now().timestamp())))
    assert len(tried) >= 100
    wrong = []
    for what, token in tried:
        query = {"shop": "fern.myshopify.com", "host": "YWRtaW4", "id_token": token}
        # The library reads the machine's clock: at another time than ours it would refuse them all for theirs.
        with time_machine.travel(rt.now(), tick=False):
            answer = client.get("/install/shopify", query_string=query, headers={"Accept": "text/html"})
        # Refused, or sent back for a token that is one; never our fault, never a call with it.
        if answer.status_code not in (302, 400, 401, 403, 422) or hosts.calls:
            wrong.append((what, answer.status_code, hosts.calls.copy()))
            hosts.calls.clear()
    assert wrong == []


def test_no_id_token_but_the_platforms_own_opens_a_page_in_the_shops_admin(rt: Runtime) -> None:
    program_id = a_shop(rt, "fern")
    client = create_app(rt).test_client()
    path, wrong = "/install/shopify/fern.myshopify.com/admin/", []
    with time_machine.travel(rt.now(), tick=False):
        for what, token in id_tokens(int(rt.now().timestamp())):
            bearer = {"Authorization": f"Bearer {token}", "Accept": "text/html"}
            read = client.get(path, headers=bearer).status_code
            sent = client.post(f"{path}connect", headers=bearer, data={"platform": "woocommerce"}).status_code
            document = client.get(path, query_string={"id_token": token}).status_code
            if (read, sent) != (401, 401) or document not in (302, 401):
                wrong.append((what, read, sent, document))
    assert wrong == []
    with rt.db.begin(program_id) as session:
        assert session.scalar("SELECT count(*) FROM staff WHERE {fence}") == 0


def extension_tokens(now: int, handle: str) -> Iterator[tuple[str, str]]:
    """What a stranger might bring in place of the token of a customer's account or the checkout."""
    shop = f"{handle}.myshopify.com"
    claims: dict[str, Any] = {
        "dest": shop, "aud": "laurel-app", "sub": "gid://shopify/Customer/7", "exp": now + 300, "nbf": now, "iat": now,
        "jti": "x",
    }  # fmt: skip
    for head in HEADS:
        if isinstance(head, dict) and head.get("alg") == "HS256":
            continue  # as with id tokens
        yield f"head {head!r}", raw_token(head, claims, SHOPIFY_SECRET)
    for head, theirs in KEYS_OF_THEIR_OWN:
        yield f"its own key {head}", raw_token({**GOOD_HEAD, **head}, claims, theirs)
    for secret in ("", "secret", "laurel-app", WOO_SECRET, SHOPIFY_SECRET.upper(), SHOPIFY_SECRET[:-1]):
        yield f"secret {secret}", raw_token(GOOD_HEAD, claims, secret)
    names: dict[str, tuple[Any, ...]] = {
        "dest": (
            f"http://{shop}", f"https://{shop}/", f"//{shop}", f"{shop} ", f"{shop}.evil.example", "evil.example",
            shop.capitalize(), "", None, 7, [shop], {}, True,
        ),
        "iss": (
            "https://evil.myshopify.com/admin", f"http://{shop}", f"https://{shop}.evil.example", f"evil.example/{shop}",
             "", 7, [shop], {}, True,
        ),
        "aud": ("", "another-app", None, 7, [], ["another-app"], {}, "laurel-app "),
        "sub": (
            *NO_SUBJECTS, "7", "42", "gid://shopify/Customer/", "gid://shopify/Customer/0", "gid://shopify/Customer/07",
            "gid://shopify/Customer/7/8", "gid://shopify/Customer/7?x", "gid://shopify/Customer/7\n", "gid://shopify/User/7",
            "gid://shopify/customer/7", "gid://other/Customer/7", "gid://shopify/Customer/٧", " gid://shopify/Customer/7",
        ),
        "exp": (now - 11, now - 3600, now + 611, now + 86_400, *NO_NUMBERS),
        "nbf": (now + 60, now + 3600),
        "iat": (now + 60, now + 3600),
    }  # fmt: skip
    for name, values in names.items():
        for value in values:
            yield f"{name} {value!r}", raw_token(GOOD_HEAD, {**claims, name: value}, SHOPIFY_SECRET)
    for value in NO_OBJECTS:
        yield f"claims {value!r:.30}", raw_token(GOOD_HEAD, value, SHOPIFY_SECRET)
    for name in ("dest", "aud", "exp"):
        rest = {one: value for one, value in claims.items() if one != name}
        yield f"no {name}", raw_token(GOOD_HEAD, rest, SHOPIFY_SECRET)


def a_shop(rt: Runtime, handle: str) -> int:
    """A program with the shop that the tokens name. Returns the program."""
    program_id = make_program(rt)
    facts = ShopFacts(
        shop_ref=f"{handle}.myshopify.com", name="Fern", url="https://fern.example", currency="EUR", timezone="UTC",
        reads_orders_days=None,
    )  # fmt: skip
    record_shop(
        rt, program_id, NewShop(platform="shopify", facts=facts, credentials={"x": "y"}, own_app=False)
    )
    return program_id


def believed(rt: Runtime, tried: list[tuple[str, str]], method: str, path: str) -> list[tuple[str, int]]:
    """Those that were not refused as a token that is wrong."""
    client, wrong = create_app(rt).test_client(), []
    with time_machine.travel(rt.now(), tick=False):
        for what, token in tried:
            answer = client.open(path, method=method, headers={"Authorization": f"Bearer {token}"})
            if answer.status_code != 401 or answer.mimetype != "application/problem+json":
                wrong.append((what, answer.status_code))
    return wrong


def test_no_token_but_the_platforms_own_is_a_customer_in_the_account_or_the_checkout(rt: Runtime) -> None:
    program_id, now = a_shop(rt, "moss"), int(rt.now().timestamp())
    tried = [*extension_tokens(now, "moss"), *id_tokens(now, "moss")]
    assert len(tried) >= 250
    assert believed(rt, tried, "GET", "/extensions/shopify/v1/me") == []
    with rt.db.begin(program_id) as session:
        assert session.scalar("SELECT count(*) FROM identities WHERE {fence}") == 0


def test_no_token_but_the_platforms_own_stands_at_the_till(rt: Runtime) -> None:
    program_id, now = a_shop(rt, "reed"), int(rt.now().timestamp())
    tried = [*id_tokens(now, "reed"), *extension_tokens(now, "reed")]
    assert believed(rt, tried, "POST", "/extensions/shopify/till/v1/find") == []
    with rt.db.begin(program_id) as session:
        assert session.scalar("SELECT count(*) FROM staff WHERE {fence}") == 0


# --- Addresses that lead away --------------------------------------------------------------------------------

AWAY = [
    "https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "/\\/evil.example",
    "https:evil.example", "https:/evil.example", "http:\\\\evil.example", "javascript:alert(1)", "data:text/html,x",
    "/%2f/evil.example", "/\tevil.example", "/\n/evil.example", "\t//evil.example", "/%09/evil.example",
    " //evil.example",
    "evil.example", "@evil.example", "/@evil.example", ".evil.example", "/admin//evil.example", "/admin/..//evil.example",
    "/admin@evil.example", "/admin\\@evil.example", "/admin/\\evil.example", "//laurel.example@evil.example",
    "https://laurel.example.evil.example", "/;@evil.example", "/?next=//evil.example", "〱evil.example",
    "/〱evil.example",
]  # fmt: skip


@pytest.mark.parametrize("name", ["next", "return_url"])
def test_signing_in_leads_to_a_page_of_ours_whatever_the_address_says(desk: Desk, name: str) -> None:
    for away in AWAY:
        invited = invite_staff(
            desk.rt, desk.program_id, email=f"{unique('a')}@shop.test", name="Ada", role=Role.VIEWER
        )
        path = invited.link.removeprefix(desk.rt.public_url)
        visitor = Visitor(desk.app.test_client())
        visitor.client.get("/admin/members", query_string={name: away})
        visitor.client.get("/admin/sign-in", query_string={name: away})
        token = visitor.token(path)
        answer = visitor.client.post(path, data={"csrf_token": token, name: away}, query_string={name: away})
        where = answer.headers["Location"]
        assert answer.status_code == 303
        assert where.startswith("/admin/"), (name, away, where)
        assert "//" not in where
        assert "\\" not in where


@pytest.mark.parametrize("away", AWAY)
def test_an_address_of_the_admin_is_where_one_returns_to_and_no_other_site(desk: Desk, away: str) -> None:
    """What somebody was sent to before they signed in is remembered: as a path of ours, or not at all."""
    invited = invite_staff(
        desk.rt, desk.program_id, email=f"{unique('a')}@shop.test", name="A", role=Role.VIEWER
    )
    path = invited.link.removeprefix(desk.rt.public_url)
    visitor = Visitor(desk.app.test_client())
    visitor.client.get(f"/admin/{away}")
    token = visitor.token(path)
    where = visitor.client.post(path, data={"csrf_token": token}).headers["Location"]
    assert where.startswith("/admin/"), where
    assert not where.startswith("/admin//"), where
    assert "\\" not in where


@pytest.mark.parametrize("back", AWAY)
def test_the_page_that_fetches_a_token_goes_back_to_us_alone(client: FlaskClient, back: str) -> None:
    query = {"shop": "fern.myshopify.com", "shopify-reload": back}
    answer = client.get("/install/shopify/callback", query_string=query, headers={"Accept": "text/html"})
    safe = answer.status_code == 200 and back.startswith("/") and not back.startswith(("//", "/\\"))
    assert answer.status_code == 400 or safe, (back, answer.status_code)


def test_no_answer_repeats_a_host_that_is_not_ours(desk: Desk, mails: Mails) -> None:
    tricks: list[dict[str, str]] = [
        {"Host": "evil.example"},
        {"Host": "laurel.example@evil.example"},
        {"Host": "laurel.example.evil.example"},
        {"Host": "evil.example:80"},
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Host": "laurel.example, evil.example"},
        {"X-Forwarded-Server": "evil.example"},
        {"X-Host": "evil.example"},
        {"X-Original-URL": "/evil.example"},
        {"X-Rewrite-URL": "/evil.example"},
        {"X-Forwarded-Proto": "evil.example"},
        {"X-Forwarded-Prefix": "//evil.example"},
        {"X-Script-Name": "//evil.example"},
        {"Forwarded": "host=evil.example;proto=http"},
        {"Referer": "https://evil.example/"},
        {"Origin": "https://evil.example"},
    ]
    paths = (
        "/admin/", "/admin/sign-in", "/install/woocommerce", "/install/woocommerce?url=shop.example",
        "/api/v1/openapi.json",
        "/widget/laurel.js", "/install/shopify?shop=fern.myshopify.com&host=YWRtaW4", "/nowhere", "/confirm/x",
    )  # fmt: skip
    for trick, path in itertools.product(tricks, paths):
        answer = desk.app.test_client().get(path, headers={"Accept": "text/html", **trick})
        assert answer.status_code < 500, (trick, path)
        told = answer.text + str(answer.headers)
        assert "evil.example" not in told, (trick, path)
    for trick in tricks:
        visitor = Visitor(desk.app.test_client())
        email = f"{unique('ada')}@shop.test"
        invite_staff(desk.rt, desk.program_id, email=email, name="Ada", role=Role.VIEWER)
        mails.sent.clear()
        fields = {"csrf_token": visitor.token("/admin/sign-in"), "email": email}
        visitor.client.post("/admin/sign-in", data=fields, headers={**trick, "Referer": "https://localhost/"})
        assert all("evil.example" not in text for _, _, text in mails.sent)


# --- Links and sessions --------------------------------------------------------------------------------------


def link_of(desk: Desk, role: Role = Role.STAFF) -> str:
    invited = invite_staff(desk.rt, desk.program_id, email=f"{unique('a')}@shop.test", name="Ada", role=role)
    return invited.link.removeprefix(desk.rt.public_url)


def test_a_sign_in_link_works_once_for_the_first_of_many(desk: Desk) -> None:
    path = link_of(desk)
    browsers = [Visitor(desk.app.test_client()) for _ in range(8)]
    tokens = [one.token(path) for one in browsers]

    def use(number: int) -> int:
        return browsers[number].client.post(path, data={"csrf_token": tokens[number]}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(use, range(8))) == [303] + [410] * 7
    assert Visitor(desk.app.test_client()).get(path, 410)


def test_looking_at_a_link_or_asking_in_another_way_does_not_use_it(desk: Desk) -> None:
    path = link_of(desk)
    for method in ("GET", "HEAD", "OPTIONS", "GET"):
        desk.app.test_client().open(path, method=method)
    desk.app.test_client().post(path)  # without the form's token
    visitor = Visitor(desk.app.test_client())
    visitor.post(path, of=path)
    visitor.get("/admin/")


def test_links_that_are_old_or_of_removed_people_open_nothing(desk: Desk, clock: Clock) -> None:
    old, removed = link_of(desk), link_of(desk)
    with desk.rt.db.begin(desk.program_id) as session:
        staff_id = session.scalar("SELECT max(id) FROM staff WHERE {fence}")
    remove_staff(desk.rt, desk.program_id, staff_id)
    visitor = Visitor(desk.app.test_client())
    token = visitor.token("/admin/sign-in")
    assert visitor.client.post(removed, data={"csrf_token": token}).status_code == 410
    clock.forward(days=8)
    late = Visitor(desk.app.test_client())
    assert late.client.post(old, data={"csrf_token": late.token("/admin/sign-in")}).status_code == 410


def test_a_session_that_somebody_planted_is_nobodys_after_signing_in(desk: Desk) -> None:
    attacker = Visitor(desk.app.test_client())
    attacker.get("/admin/sign-in")
    planted = attacker.client.get_cookie("session")
    assert planted is not None
    victim = Visitor(desk.app.test_client())
    victim.client.set_cookie("session", planted.value)
    victim.client.set_cookie(COOKIE, "x" * 43, path="/admin")
    path = link_of(desk)
    victim.post(path, of=path)
    mine = victim.client.get_cookie(COOKIE, path="/admin")
    assert mine is not None
    assert mine.value != "x" * 43
    for value in ("x" * 43, planted.value):
        thief = Visitor(desk.app.test_client())
        thief.client.set_cookie("session", planted.value)
        thief.client.set_cookie(COOKIE, value, path="/admin")
        thief.get("/admin/", 303)
    # The form's token that the attacker knew is not the victim's any more.
    stolen = attacker.token("/admin/sign-in")
    fields = {"csrf_token": stolen, "email": "x@shop.test", "name": "X", "role": "owner"}
    assert victim.client.post("/admin/staff/invite", data=fields).status_code in (400, 403)


def test_every_cookie_is_for_our_own_pages_and_for_no_script(desk: Desk) -> None:
    visitor = Visitor(desk.app.test_client())
    path, told = link_of(desk), []
    token = visitor.token(path)
    for answer in (
        desk.app.test_client().get("/admin/sign-in"),
        visitor.client.post(path, data={"csrf_token": token}),
        visitor.client.get("/admin/"),
        desk.app.test_client().get("/install/woocommerce?url=shop.example"),
        desk.app.test_client().get("/admin/members"),
    ):
        told += answer.headers.getlist("Set-Cookie")
    assert {cookie.partition("=")[0] for cookie in told} == {"session", COOKIE, "laurel_install"}
    for cookie in told:
        assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=Lax")), cookie
        assert "Domain=" not in cookie


# --- Forms of other sites ------------------------------------------------------------------------------------


def everything(urls: DatabaseUrls, program_id: int) -> dict[str, tuple[int, str]]:
    """How many rows each table holds of the program, and a digest of them."""
    found = {}
    with psycopg.connect(urls.superuser_url) as connection:
        for name in sorted(set(tables.metadata.tables) - tables.UNFENCED):
            row = connection.execute(
                SQL("SELECT count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {} t "
                    "WHERE program_id = %s").format(Identifier(name)),
                [program_id],
            ).fetchone()  # fmt: skip
            assert row is not None
            found[name] = (int(row[0]), str(row[1]))
    return found


def test_no_form_of_another_site_changes_anything(desk: Desk, database: DatabaseUrls) -> None:
    """Every route that changes something, read from the application, from a browser in which the owner is signed in."""
    world = fill(desk)
    browser = desk.owner.client
    desk.owner.get("/admin/")
    before = everything(database, desk.program_id)
    fields = {
        "points": "5", "reason": "x", "other": str(world.other), "sure": "yes", "email": "evil@mail.test", "name": "Eve",
        "role": "owner", "document": "{}", "from": "2026-01-01", "platform": "woocommerce", "url": "shop.example",
    }  # fmt: skip
    elsewhere = {
        "Origin": "https://evil.example",
        "Referer": "https://evil.example/",
        "Sec-Fetch-Site": "cross-site",
    }
    tried = set()
    for rule in desk.app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            path = address(_filled(rule.rule), desk, world)
            for kind, data in (
                ("application/x-www-form-urlencoded", fields),
                ("text/plain", json.dumps({**fields, "shop": desk.shop_key, "reward": "amount-5"})),
            ):
                answer = browser.open(
                    path,
                    method=method,
                    data=data,
                    content_type=kind,
                    headers={**elsewhere, "Accept": "text/html"},
                )
                assert answer.status_code in (400, 401, 403, 404, 410, 422), (
                    method,
                    path,
                    answer.status_code,
                )
            tried.add(policy_of(desk.app, rule.endpoint))
    assert tried == set(Policy)
    assert everything(database, desk.program_id) == before


BLANKS = {
    "platform": "woocommerce", "token": "x" * 43, "redemption_ref": "r_1", "activity_id": "1", "order": "shop:1",
    "digest": "x", "name": "laurel.js",
}  # fmt: skip


def _filled(rule: str, **blanks: str) -> str:
    """The blanks that `address` knows nothing of."""
    return re.sub(
        r"<(?:\w+:)?(\w+)>",
        lambda blank: {**BLANKS, **blanks}.get(blank[1], blank[0]),
        rule,
    )


# What the database cannot keep, what only looks like a number, what is far too long.
UNFIT = ["a\0b", "\x01", "٣", "9" * 40, "x" * 20_000]
FIELDS = (
    "q", "show", "after", "with", "at", "ids", "id", "from", "template", "based_on", "preview", "invitation", "url",
    "email", "name", "role", "reason", "points", "key", "other", "document", "note", "platform", "undo", "tests", "until",
    "tier", "sure", "user_id", "success",
    "code", "everywhere",
)  # fmt: skip
"""Every field that a page reads or a form brings."""


def test_no_text_in_an_address_or_a_form_is_a_fault_of_ours(desk: Desk) -> None:
    world = fill(desk)
    token = desk.owner.token("/admin/")
    faults = []
    for rule in desk.app.url_map.iter_rules():
        if policy_of(desk.app, rule.endpoint) in (Policy.API_KEY, Policy.SHOPPER):  # tests/fuzz_api
            continue
        if rule.endpoint == "admin_door.sign_out":
            continue
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        good = address(_filled(rule.rule), desk, world)
        for text in UNFIT:
            unfit = re.sub(r"<(\w+:)?\w+>", quote(text[:200], safe=""), rule.rule)
            # Without a blank the second would be a page as it is opened all the time.
            for path, fields in (
                (good, dict.fromkeys(FIELDS, text)),
                *([(unfit, {})] if "<" in rule.rule else []),
            ):
                told: dict[str, Any] = {"query_string": fields}
                if method == "POST":
                    told = {"data": {**fields, "csrf_token": token}}
                answer = desk.owner.client.open(path, method=method, headers={"Accept": "text/html"}, **told)
                if answer.status_code >= 500:
                    faults.append((method, path[:80], text[:20], answer.status_code))
    desk.owner.get("/admin/")  # signed in to the end
    assert faults == []


@pytest.mark.parametrize(
    "path",
    [
        "/admin/members?q=a%00b",
        "/admin/orders?q=a%00b",
        "/admin/redemptions?q=a%00b",
        "/admin/members/1/join?with=a%00b",
        "/admin/orders/a%00b/1",
        "/admin/shops/a%00b",
        "/install/woocommerce?url=a%00b",
    ],
)
def test_text_that_cannot_be_stored_is_refused_before_it_is_looked_for(desk: Desk, path: str) -> None:
    answer = desk.owner.client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 400
    assert "Text may not hold control characters" in answer.text


def test_a_form_with_text_that_cannot_be_stored_changes_nothing(desk: Desk, database: DatabaseUrls) -> None:
    world = fill(desk)
    token = desk.owner.token("/admin/")
    before = everything(database, desk.program_id)
    for path in (f"/admin/members/{world.member}/adjust", "/admin/staff/invite"):
        fields = {"csrf_token": token, "points": "5", "reason": "a\0b", "key": "k", "sure": "yes"}
        assert desk.owner.client.post(path, data=fields, headers={"Accept": "text/html"}).status_code in (
            400,
            404,
        )
    asked = {"csrf_token": token, "email": "ada@shop.test\0"}
    assert desk.app.test_client().post("/admin/sign-in", data=asked).status_code == 400
    assert everything(database, desk.program_id) == before


def test_no_question_of_another_site_is_answered_to_its_pages(desk: Desk) -> None:
    """CORS: a browser shows no page of another site what the owner may read."""
    fill(desk)
    for rule in desk.app.url_map.iter_rules():
        if (
            rule.rule.startswith(("/admin", "/api", "/install", "/confirm", "/metrics"))
            and "<" not in rule.rule
        ):
            answer = desk.owner.client.get(rule.rule, headers={"Origin": "https://evil.example"})
            assert "Access-Control-Allow-Origin" not in answer.headers, rule.rule
            assert "Access-Control-Allow-Credentials" not in answer.headers, rule.rule


def test_a_link_is_asked_for_without_telling_who_is_known(desk: Desk, mails: Mails, clock: Clock) -> None:
    known = f"{unique('ada')}@shop.test"
    invite_staff(desk.rt, desk.program_id, email=known, name="Ada", role=Role.VIEWER)
    clock.forward(minutes=2)
    pages = set()
    for email in (
        known,
        "nobody@shop.test",
        "",
        "x" * 5000,
        "a@b\r\nBcc: evil@evil.example",
        "' OR 1=1 --",
    ):
        visitor = Visitor(desk.app.test_client())
        fields = {"csrf_token": visitor.token("/admin/sign-in"), "email": email}
        answer = visitor.client.post("/admin/sign-in", data=fields, headers={"Accept": "text/html"})
        assert answer.status_code == 200
        pages.add(_without_tokens(answer.text))
    assert len(pages) == 1
    assert {to for to, _, _ in mails.sent} <= {known}


def _without_tokens(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if "csrf" not in line and "nonce" not in line)
