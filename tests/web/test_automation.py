"""Shopify Flow's action “Add points”: who may ask, what comes of it, and that one run is one gift."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.services.audit import audit
from app.services.runtime import Runtime
from tests.conftest import SHOPIFY_SECRET
from tests.web.shoppers import Storefront, make_storefront

PATH = "/extensions/shopify/automation/v1/give-points"


@pytest.fixture
def front(rt: Runtime, client: FlaskClient, program_id: int) -> Storefront:
    return make_storefront(rt, client, program_id, platform="shopify")


def act(front: Storefront, run: str = "run-1", **changes: Any) -> dict[str, Any]:
    """As shopify.dev shows it, "Create Flow action endpoints"."""
    told = {"customer_id": "7", "points": "50.00", "reason": "A review with a picture", **changes}
    return {
        "shop_id": "1",
        "shopify_domain": front.known.shop_ref,
        "action_run_id": run,
        "action_definition_id": "Add points",
        "handle": "laurel-flow-add-points",
        "properties": told,
        "step_reference": "320d4f8a",
    }


def send(front: Storefront, body: Any, *, secret: str = SHOPIFY_SECRET, path: str = PATH) -> TestResponse:
    raw = json.dumps(body).encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256)).decode()
    headers = {"X-Shopify-Hmac-SHA256": signature, "X-Shopify-Shop-Domain": front.known.shop_ref}
    return front.client.post(path, data=raw, headers=headers, content_type="application/json")


def available(front: Storefront) -> int:
    return int(front.scalar("SELECT coalesce(sum(points), 0) FROM entries WHERE {fence}"))


def test_points_are_given_once_for_a_run_however_often_it_is_sent(front: Storefront) -> None:
    answers = [send(front, act(front)) for _ in range(3)]
    assert [one.get_json() for one in answers] == [
        {"points": 50, "done_before": False},
        {"points": 50, "done_before": True},
        {"points": 50, "done_before": True},
    ]
    assert available(front) == 50
    assert front.scalar("SELECT actor FROM adjustments WHERE {fence}") == "Shopify Flow"
    assert front.scalar("SELECT reason FROM adjustments WHERE {fence}") == "A review with a picture"
    send(front, act(front, "run-2", customer_id="gid://shopify/Customer/7", points="25"))
    assert available(front) == 75
    assert audit(front.rt, front.program_id).problems == []


def test_the_same_run_with_another_gift_gives_nothing(front: Storefront) -> None:
    send(front, act(front))
    answer = send(front, act(front, points="51"))
    assert (answer.status_code, answer.get_json()["code"]) == (422, "key_reused")
    assert available(front) == 50


@pytest.mark.parametrize(
    "changes",
    [
        *(
            {"points": points}
            for points in ("", "0", "-5", "1.5", "1e3", "1,000", "٥", "9" * 10, None, 5, " 5")
        ),
        *({"customer_id": one} for one in ("", "0", "gid://shopify/Order/7", "7 ", "erased:1", None, 7)),
    ],
)
def test_a_gift_that_cannot_be_understood_is_none(front: Storefront, changes: dict[str, Any]) -> None:
    answer = send(front, act(front, **changes))
    assert (answer.status_code, answer.get_json()["code"]) == (400, "not_understood")
    assert available(front) == 0


@pytest.mark.parametrize("reason", ["", " ", "x" * 501])
def test_a_gift_without_a_reason_is_none(front: Storefront, reason: str) -> None:
    assert send(front, act(front, reason=reason)).status_code == 422
    assert available(front) == 0


def test_only_the_platform_gives(front: Storefront) -> None:
    for secret in ("", "another", front.known.widget_secret):
        assert send(front, act(front), secret=secret or "x").status_code == 401
    assert front.client.post(PATH, json=act(front)).status_code == 401
    assert send(front, act(front), path=PATH.replace("shopify", "woocommerce")).status_code == 404
    assert available(front) == 0


def test_a_shop_that_is_not_here_or_left_gives_nothing(front: Storefront) -> None:
    stranger = {**act(front), "shopify_domain": "stranger.myshopify.com"}
    assert send(front, stranger).status_code == 404
    assert send(front, {**act(front), "shopify_domain": "evil.example"}).status_code == 401
    front.set_shop(state="uninstalled")
    assert send(front, act(front)).status_code == 404
    assert available(front) == 0


def test_a_body_that_is_none_is_refused(front: Storefront) -> None:
    bodies: tuple[Any, ...] = (
        [],
        "x",
        {},
        {**act(front), "action_run_id": ""},
        {**act(front), "properties": None},
    )
    for body in bodies:
        assert send(front, body).status_code == 400, body


# --- Which triggers are in use -------------------------------------------------------------------------------

TRIGGERS = PATH.replace("give-points", "triggers")


def word(front: Storefront, **changes: Any) -> dict[str, Any]:
    """As shopify.dev shows it, "Flow trigger lifecycle events"."""
    return {
        "flow_trigger_definition_id": "laurel-flow-points-earned",
        "has_enabled_flow": True,
        "shop_id": "1",
        "shopify_domain": front.known.shop_ref,
        "timestamp": "2026-11-22T11:00:00.123Z",
        **changes,
    }


def test_a_word_that_is_none_changes_nothing(front: Storefront) -> None:
    moments: tuple[Any, ...] = ("", "soon", None, 1768000000, "2026-11-22T11:00:00", [])
    handles: tuple[Any, ...] = ("", "another", None, 7, [])
    switches: tuple[Any, ...] = (None, "true", 1, [])
    wrong: list[dict[str, Any]] = [
        *({"flow_trigger_definition_id": one} for one in handles),
        *({"has_enabled_flow": one} for one in switches),
        *({"timestamp": one} for one in moments),
    ]
    for changes in wrong:
        answer = send(front, word(front, **changes), path=TRIGGERS)
        assert answer.status_code == 400, changes
    assert send(front, word(front, timestamp="0001-01-01T00:00:00Z"), path=TRIGGERS).status_code == 422
    assert send(front, word(front, shopify_domain="evil.example"), path=TRIGGERS).status_code == 401
    assert send(front, word(front, shopify_domain="no.myshopify.com"), path=TRIGGERS).status_code == 404
    front.set_shop(state="uninstalled")
    assert send(front, word(front), path=TRIGGERS).status_code == 404
    assert front.scalar("SELECT count(*) FROM triggers WHERE {fence}") == 0


def test_the_same_word_again_is_no_news(front: Storefront) -> None:
    said = [word(front), word(front), word(front, timestamp="2026-11-22T10:00:00Z", has_enabled_flow=False)]
    assert [send(front, one, path=TRIGGERS).get_json() for one in said] == [
        {"news": True},
        {"news": False},
        {"news": False},
    ]
    assert front.scalar("SELECT in_use FROM triggers WHERE {fence}") is True


def test_a_platform_without_automations_has_no_such_door(front: Storefront) -> None:
    path = TRIGGERS.replace("shopify", "woocommerce")
    assert send(front, word(front), path=path).status_code == 404
