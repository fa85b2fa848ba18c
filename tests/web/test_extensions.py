"""Our pieces inside Shopify's pages ask the real application: whom it believes, what it answers, who may read it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from app.services.runtime import Runtime
from app.web import create_app
from connectors.base import AppCredentials
from tests.conftest import SHOPIFY_SECRET, Clock, make_program
from tests.web.extension import SANDBOX, Extension
from tests.web.shoppers import make_storefront


@pytest.fixture
def block(rt: Runtime, client: FlaskClient, program_id: int) -> Extension:
    return Extension(make_storefront(rt, client, program_id, platform="shopify"))


def test_a_signed_in_customer_sees_their_points(block: Extension) -> None:
    block.front.member("7", points=120)
    answer = block.get("me")
    assert answer.status_code == 200, answer.text
    me = answer.get_json()
    assert (me["signed_in"], me["member"]["balance"]["available"]) == (True, 120)
    assert block.get("me", "8").get_json()["member"]["balance"]["available"] == 0


def test_nobody_signed_in_sees_the_program_alone(block: Extension) -> None:
    me = block.get("me", None).get_json()
    assert (me["signed_in"], me["member"], me["program"]["name"]) == (False, None, "Sprig")
    answer = block.get("rewards", None)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "unproven")


def test_points_become_a_code_once_and_are_given_back(block: Extension, no_wait: None) -> None:
    block.front.member("7", points=250)
    rewards = {one["key"]: one for one in block.get("rewards").get_json()["rewards"]}
    key = next(key for key, one in rewards.items() if one["state"] == "ready")
    first = block.post("redemptions", {"reward": key}, key="click-1")
    again = block.post("redemptions", {"reward": key}, key="click-1")
    assert (first.status_code, again.status_code) == (202, 202)
    mine = first.get_json()
    assert again.get_json()["id"] == mine["id"]
    assert [one["id"] for one in block.get("redemptions").get_json()["redemptions"]] == [mine["id"]]
    block.front.issue(int(mine["id"].removeprefix("r_")))
    assert block.get(f"redemptions/{mine['id']}").get_json()["code"].startswith("LRL-")
    block.front.member("8")
    assert block.get(f"redemptions/{mine['id']}", "8").status_code == 404
    assert block.post(f"redemptions/{mine['id']}/cancel", {}).get_json()["state"] == "cancelling"
    assert block.get("history").get_json()["items"]


def test_the_language_of_the_page_is_spoken(block: Extension) -> None:
    block.front.member("7", points=120)
    assert block.get("me", lang="de-DE").get_json()["member"]["balance"]["available_text"] == "120 Punkte"


# --- Whom it believes ------------------------------------------------------------------------------------------


def test_an_issuer_may_be_told_and_is_then_the_same_shop(block: Extension) -> None:
    shop = block.front.known.shop_ref
    for issuer in (shop, f"https://{shop}", f"https://{shop}/admin", f"https://{shop}/checkouts/1"):
        assert block.send("GET", "me", block.token(iss=issuer)).status_code == 200, issuer
    assert block.send("GET", "me", block.token(dest=f"https://{shop}")).status_code == 200


def test_the_old_secret_holds_while_it_is_rotated_out(block: Extension, rt: Runtime) -> None:
    app = AppCredentials(client_id="laurel-app", secrets=("the-new-one-of-the-app-" * 2, SHOPIFY_SECRET))
    rotating = create_app(replace(rt, apps={"shopify": app}))
    block.client = rotating.test_client()
    for secret in app.secrets:
        assert block.send("GET", "me", block.token(secret=secret)).status_code == 200
    rotated = create_app(replace(rt, apps={"shopify": replace(app, secrets=app.secrets[:1])}))
    block.client = rotated.test_client()
    assert block.send("GET", "me", block.token()).status_code == 401


def test_a_token_that_ended_says_so(block: Extension, clock: Clock) -> None:
    token = block.token()
    clock.forward(seconds=305)
    assert block.send("GET", "me", token).status_code == 200  # clocks differ by some seconds
    clock.forward(seconds=6)
    answer = block.send("GET", "me", token)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "token_expired")


WRONG: dict[str, Callable[[Extension], str | None]] = {
    "none at all": lambda block: None,
    "empty": lambda block: "",
    "another app's": lambda block: block.token(aud="another-app"),
    "another secret's": lambda block: block.token(secret="another-secret-of-somebody-else"),
    "unsigned": lambda block: block.token(head={"alg": "none", "typ": "JWT"}).rpartition(".")[0] + ".",
    "for later": lambda block: block.token(nbf=int(block.front.rt.now().timestamp()) + 60),
    "without an end": lambda block: block.token(exp=None),
    "for ever": lambda block: block.token(exp=10**11),
    "without a shop": lambda block: block.token(dest=None),
    "of a shop that is none": lambda block: block.token(dest="evil.example"),
    "of another shop's admin": lambda block: block.token(iss="https://other.myshopify.com/admin"),
    "of staff": lambda block: block.token(
        None, sub="42", sid="x", iss=f"https://{block.front.known.shop_ref}/admin"
    ),
    "of an order": lambda block: block.token(None, sub="gid://shopify/Order/7"),
    "of nobody with a number": lambda block: block.token(None, sub=7),
    "of an empty name": lambda block: block.token(None, sub=""),
    "the widget's own": lambda block: block.front.token("7"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_another_token_is_refused_and_never_nobodys(block: Extension, wrong: str) -> None:
    block.front.member("7", points=100)
    answer = block.send("GET", "me", WRONG[wrong](block))
    assert (answer.status_code, answer.get_json()["code"]) == (401, "unproven")
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_token_opens_no_other_door(block: Extension) -> None:
    bearer = {"Authorization": f"Bearer {block.token()}"}
    for query in ({}, {"key": block.front.shop.key}):
        answer = block.client.get("/storefront/v1/me", query_string=query, headers=bearer)
        assert answer.status_code in (401, 404)
    assert block.client.get("/api/v1/members", headers=bearer).status_code == 401


def test_a_shop_that_is_not_here_or_left_is_not_found(block: Extension) -> None:
    assert block.send("GET", "me", block.token(dest="stranger.myshopify.com")).status_code == 404
    block.front.set_shop(state="uninstalled")
    assert block.get("me").get_json()["code"] == "unknown_shop"


def test_a_merchants_own_app_has_no_pieces_of_ours(block: Extension) -> None:
    block.front.set_shop(own_app=True)
    assert block.get("me").get_json()["code"] == "unknown_shop"


@pytest.mark.parametrize("platform", ["woocommerce", "nowhere", "Shopify"])
def test_a_platform_that_takes_no_pieces_in_has_no_such_door(block: Extension, platform: str) -> None:
    block.path = f"/extensions/{platform}/v1"
    assert block.get("me").status_code == 404
    block.path = f"/extensions/{platform}/till/v1"
    assert block.post("find", {"card": "x"}).status_code == 404


def test_without_an_app_of_its_own_the_installation_has_no_such_door(block: Extension, rt: Runtime) -> None:
    block.client = create_app(replace(rt, apps={})).test_client()
    assert block.get("me").status_code == 404


def test_another_shop_of_the_body_is_refused(block: Extension) -> None:
    block.front.member("7", points=250)
    answer = block.post("redemptions", {"shop": "another", "reward": "x"}, key="k")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid")


def test_shops_see_their_own_customers_only(block: Extension, rt: Runtime, client: FlaskClient) -> None:
    block.front.member("7", points=100)
    other = Extension(make_storefront(rt, client, make_program(rt), platform="shopify"))
    assert other.get("me").get_json()["member"]["balance"]["available"] == 0


# --- Who may read the answer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/extensions/shopify/v1/redemptions", "/extensions/shopify/till/v1/find"])
def test_the_sandbox_may_ask_from_any_origin_and_never_with_cookies(client: FlaskClient, path: str) -> None:
    for origin in (SANDBOX, "null"):
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
        }
        answer = client.options(path, headers=asked)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
        assert {"authorization", "content-type", "idempotency-key"} <= set(allowed)
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Set-Cookie" not in answer.headers


def test_answers_and_errors_may_be_read_and_are_kept_by_nobody(block: Extension) -> None:
    for answer in (block.get("me"), block.get("rewards", None), block.post("redemptions", {})):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "no-store" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers


def test_who_asks_too_often_waits(block: Extension, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.storefront.limits.READS", 2)
    answers = [block.get("me") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[-1].headers["Retry-After"]
    assert answers[-1].headers["Access-Control-Allow-Origin"] == "*"
