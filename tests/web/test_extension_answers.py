"""What the extensions ask, asked of the real application: their own tests play these answers back to them."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.staff import Role
from app.services.member_card import member_card
from app.services.runtime import Runtime
from app.services.set_staff_role import set_staff_role
from tests.web.admin.desk import Desk, fill
from tests.web.admin.frames import Insider
from tests.web.extension import Extension
from tests.web.shoppers import make_storefront
from tests.web.test_till import ask, customer_of

ANSWERS = Path(__file__).parents[2] / "connectors/shopify/tests/answers.json"


def shape(value: Any) -> Any:
    """Names and kinds, without what they hold."""
    match value:
        case dict():
            return {name: shape(one) for name, one in value.items()}
        case list():
            return [shape(value[0])] if value else []
        case _:
            return type(value).__name__


def differences(played: Any, real: Any, path: str = "") -> list[str]:
    """Where the kept answer has other names or kinds than the real one. Null and empty stand for anything."""
    if isinstance(played, dict) and isinstance(real, dict):
        found = [f"{path}.{name}" for name in sorted(set(played) ^ set(real))]
        for name in sorted(set(played) & set(real)):
            found += differences(played[name], real[name], f"{path}.{name}")
        return found
    if isinstance(played, list) and isinstance(real, list):
        return differences(played[0], real[0], f"{path}[]") if played and real else []
    if "NoneType" in (played, real) or played == real:
        return []
    return [f"{path}: {played}, really {real}"]


@pytest.fixture
def real(rt: Runtime, client: FlaskClient, program_id: int, app: Flask, no_wait: None) -> dict[str, Any]:
    """Each request of answers.json, as an extension sends it."""
    block = Extension(make_storefront(rt, client, program_id, platform="shopify"))
    member_id = block.front.member("7", points=120)
    asked: dict[str, Any] = {
        "GET v1/me": block.get("me"),
        "GET v1/rewards": block.get("rewards"),
        "GET v1/history": block.get("history"),
        "nobody GET v1/me": block.get("me", None),
        "POST v1/join": block.post("join", {}, "8"),
        "POST v1/redemptions": block.post("redemptions", {"reward": "amount-5"}, key="k"),
        "refused POST v1/redemptions": block.post("redemptions", {"reward": "amount-5"}, key="k2"),
        "GET v1/redemptions": block.get("redemptions"),
    }
    number = asked["POST v1/redemptions"].get_json()["id"]
    block.front.issue(int(number.removeprefix("r_")))
    asked["GET v1/redemptions/<id>"] = block.get(f"redemptions/{number}")
    asked["POST v1/redemptions/<id>/cancel"] = block.post(f"redemptions/{number}/cancel", {})
    assert member_id

    desk = Desk(rt, app, platform="shopify")
    world = fill(desk)
    Insider(desk).get()
    set_staff_role(rt, desk.program_id, desk.shop_id, Role.STAFF)
    cashier = Insider(desk)
    card = member_card(rt, desk.program_id, world.member).code
    mine = f"members/{world.member}"
    asked |= {
        "card POST till/v1/find": ask(cashier, "find", {"card": card}),
        "customer POST till/v1/find": ask(cashier, "find", {"customer": customer_of(desk, world.member)}),
        "nobody POST till/v1/find": ask(cashier, "find", {"customer": "404"}),
        "POST till/v1/join": ask(cashier, "join", {"customer": "404"}),
        "GET till/v1/members/<id>": ask(cashier, mine),
    }
    wish = {"reward": "amount-5", "customer": customer_of(desk, world.member)}
    made = ask(cashier, f"{mine}/redemptions", wish, key="click")
    place = f"{mine}/redemptions/{made.get_json()['id'].removeprefix('r_')}"
    asked["POST till/v1/members/<id>/redemptions"] = made
    asked["GET till/v1/members/<id>/redemptions/<id>"] = ask(cashier, place)
    asked["POST till/v1/members/<id>/redemptions/<id>/cancel"] = ask(cashier, f"{place}/cancel", {})
    return {name: [answer.status_code, answer.get_json()] for name, answer in asked.items()}


def test_what_the_extensions_are_shown_in_their_tests_is_what_the_server_answers(
    real: dict[str, Any],
) -> None:
    kept = json.loads(ANSWERS.read_text())
    assert sorted(kept) == sorted(real)
    for name, (status, body) in kept.items():
        assert status == real[name][0], (name, real[name])
        assert differences(shape(body), shape(real[name][1])) == [], name
