"""Staff at a shop's till: who comes in there, whom they find, and what they do for a member who stands before them."""

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.db import shops
from app.domain.staff import Role
from app.services.adjust import adjust
from app.services.enrol_customer import enrol_customer
from app.services.list_staff import StaffView, list_staff, remove_staff
from app.services.member_card import member_card, replace_card
from app.services.runtime import Runtime
from app.services.set_staff_role import set_staff_role
from app.services.uninstall_shop import uninstall_shop
from tests.conftest import unique
from tests.services.houses import make_shop
from tests.web.admin.desk import Desk, World, fill
from tests.web.admin.frames import Insider, at_the_same_time

TILL = "/extensions/shopify/till/v1"


@pytest.fixture
def desk(rt: Runtime, app: Flask) -> Desk:
    return Desk(rt, app, platform="shopify")


@pytest.fixture
def world(desk: Desk) -> World:
    return fill(desk)


@pytest.fixture
def cashier(desk: Desk) -> Insider:
    """Somebody of the shop, after whoever installed us opened the admin."""
    Insider(desk).get()
    set_role(desk, Role.STAFF)
    return Insider(desk)


def set_role(desk: Desk, role: Role | None) -> None:
    set_staff_role(desk.rt, desk.program_id, desk.shop_id, role)


def person(desk: Desk) -> StaffView:
    """The cashier as the program knows them."""
    return next(one for one in list_staff(desk.rt, desk.program_id) if one.role is Role.STAFF)


def ask(
    who: Insider, path: str, body: Any = None, *, key: str = "", token: str | None = None
) -> TestResponse:
    headers = {"Authorization": f"Bearer {token or who.token()}"} | ({"Idempotency-Key": key} if key else {})
    with at_the_same_time(who.desk):
        if body is None:
            return who.client.get(f"{TILL}/{path}", headers=headers)
        return who.client.post(f"{TILL}/{path}", json=body, headers=headers)


def customer_of(desk: Desk, member_id: int) -> str:
    with desk.rt.db.begin(desk.program_id) as session:
        return str(
            session.scalar(
                "SELECT customer_ref FROM identities WHERE {fence} AND member_id = :member AND shop_id = :shop",
                member=member_id,
                shop=desk.shop_id,
            )
        )


def buy(who: Insider, member_id: int, reward: str, key: str = "click", **more: Any) -> TestResponse:
    return ask(who, f"members/{member_id}/redemptions", {"reward": reward, **more}, key=key)


# --- Finding ---------------------------------------------------------------------------------------------------


def test_a_member_is_found_by_their_card(desk: Desk, cashier: Insider, world: World) -> None:
    code = member_card(desk.rt, desk.program_id, world.member).code
    for typed in (code, code.replace(" ", ""), code.lower()):
        answer = ask(cashier, "find", {"card": typed})
        assert answer.status_code == 200, answer.text
        shown = answer.get_json()
        assert shown["member"]["number"] == world.member
        assert shown["member"]["balance"]["available"] == 905
        assert shown["member"]["customers"] == [customer_of(desk, world.member)]
        assert {one["state"] for one in shown["rewards"]} >= {"ready"}
    replace_card(desk.rt, desk.program_id, world.member)
    old = ask(cashier, "find", {"card": code})
    assert (old.status_code, old.get_json()["code"]) == (404, "unknown_card")


def test_a_member_is_found_as_the_shops_customer(desk: Desk, cashier: Insider, world: World) -> None:
    shown = ask(cashier, "find", {"customer": customer_of(desk, world.member)}).get_json()
    assert shown["member"]["number"] == world.member
    assert ask(cashier, f"members/{world.member}").get_json()["member"] == shown["member"]


def test_a_customer_who_is_none_may_join(desk: Desk, cashier: Insider) -> None:
    answer = ask(cashier, "find", {"customer": "900900"})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "not_a_member")
    joined = ask(cashier, "join", {"customer": "900900"})
    assert (joined.status_code, joined.get_json()["member"]["balance"]["available"]) == (201, 0)
    assert ask(cashier, "find", {"customer": "900900"}).status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"card": ""}, {"customer": 7}, {"customer": "7 8"}, {"customer": "erased:1"}]
)
def test_who_is_meant_must_be_said(cashier: Insider, body: dict[str, Any]) -> None:
    answer = ask(cashier, "find", body)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid")


def test_another_programs_members_are_nobodys(desk: Desk, cashier: Insider, rt: Runtime, app: Flask) -> None:
    other = Desk(rt, app, platform="shopify")
    stranger = fill(other)
    card = member_card(rt, other.program_id, stranger.member).code
    assert ask(cashier, "find", {"card": card}).status_code == 404
    assert ask(cashier, f"members/{stranger.member}").status_code == 404
    assert buy(cashier, stranger.member, "amount-5").status_code in (404, 409)


# --- Doing -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_wait")
def test_a_code_is_bought_for_the_member_under_the_name_of_who_stands_there(
    desk: Desk, cashier: Insider, world: World
) -> None:
    shown = ask(cashier, f"members/{world.member}").get_json()
    reward = next(one for one in shown["rewards"] if one["state"] == "ready")
    first = buy(cashier, world.member, reward["key"], customer=customer_of(desk, world.member))
    again = buy(cashier, world.member, reward["key"], customer=customer_of(desk, world.member))
    assert (first.status_code, again.get_json()["id"]) == (202, first.get_json()["id"]), first.text
    number = int(first.get_json()["id"].removeprefix("r_"))
    name = person(desk).name
    with desk.rt.db.begin(desk.program_id) as session:
        assert session.scalar("SELECT actor FROM redemptions WHERE {fence} AND id = :id", id=number) == name
    now = ask(cashier, f"members/{world.member}").get_json()
    assert now["member"]["balance"]["available"] == 905 - reward["cost"]
    assert first.get_json()["id"] in [one["id"] for one in now["redemptions"]]
    assert ask(cashier, f"members/{world.member}/redemptions/{number}").get_json()["state"] == "requested"
    assert ask(cashier, f"members/{world.other}/redemptions/{number}").status_code == 404
    gone = ask(cashier, f"members/{world.member}/redemptions/{number}/cancel", {})
    assert gone.get_json()["state"] == "cancelling"


@pytest.mark.usefixtures("no_wait")
def test_a_wish_without_its_own_key_takes_no_points(desk: Desk, cashier: Insider, world: World) -> None:
    answer = buy(cashier, world.member, "x", key="")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "bad_key")
    assert desk.points(world.member) == 905


# --- Who comes in ----------------------------------------------------------------------------------------------


def test_who_may_only_look_looks(desk: Desk, cashier: Insider, world: World) -> None:
    set_role(desk, Role.VIEWER)
    viewer = Insider(desk)
    assert ask(viewer, "find", {"customer": customer_of(desk, world.member)}).status_code == 200
    for path in (f"members/{world.member}/redemptions", "join"):
        answer = ask(viewer, path, {"reward": "x", "customer": "7"}, key="k")
        assert (answer.status_code, answer.get_json()["code"]) == (403, "not_allowed")


def test_where_nobody_new_is_let_in_the_till_lets_nobody_in(desk: Desk, cashier: Insider) -> None:
    set_role(desk, None)
    answer = ask(Insider(desk), "find", {"customer": "7"})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "not_allowed")


def test_nobody_comes_to_own_a_program_at_a_till(desk: Desk) -> None:
    set_role(desk, None)
    assert ask(Insider(desk), "find", {"customer": "7"}).status_code == 403
    set_role(desk, Role.STAFF)
    ask(Insider(desk), "find", {"customer": "7"})
    assert [one.role for one in list_staff(desk.rt, desk.program_id)] == [Role.STAFF]


def test_who_was_removed_is_out_at_once(desk: Desk, cashier: Insider, world: World) -> None:
    assert ask(cashier, f"members/{world.member}").status_code == 200
    remove_staff(desk.rt, desk.program_id, person(desk).staff_id)
    assert ask(cashier, f"members/{world.member}").status_code == 403


def test_a_customers_token_is_no_staff(desk: Desk, cashier: Insider, world: World) -> None:
    token = cashier.token(sub="gid://shopify/Customer/7", iss=None, dest=cashier.shop_ref)
    assert ask(cashier, f"members/{world.member}", token=token).status_code == 401


def test_a_token_that_ended_says_so(desk: Desk, cashier: Insider) -> None:
    token = cashier.token(exp=int(desk.rt.now().timestamp()) - 11)
    assert ask(cashier, "members/1", token=token).get_json()["code"] == "token_expired"


def test_an_uninstalled_shops_till_is_shut(desk: Desk, cashier: Insider) -> None:
    with desk.rt.db.begin(desk.program_id) as session:
        shops.update_shop(session, desk.shop_id, access_problem="It was removed.")
        uninstall_shop(session, shops.get_shop(session, desk.shop_id), now=desk.rt.now())
    answer = ask(cashier, "find", {"customer": "7"})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "shop_not_connected")


def test_who_asks_too_often_waits(cashier: Insider, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.extensions.till.ASKS", 1)
    answers = [ask(cashier, f"members/{world.member}") for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 429]
    assert answers[1].headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.usefixtures("no_wait")
def test_a_member_of_a_sister_shop_is_found_and_told_that_no_code_fits_here(
    desk: Desk, cashier: Insider, rt: Runtime
) -> None:
    sister = make_shop(rt, desk.program_id, platform="woocommerce", currency="EUR")
    identity = enrol_customer(rt, desk.program_id, sister.shop_id, "31", asked=True)
    assert identity is not None
    assert identity.member_id is not None
    card = member_card(rt, desk.program_id, identity.member_id).code
    shown = ask(cashier, "find", {"card": card}).get_json()
    assert shown["member"]["customers"] == []
    adjust(
        rt, desk.program_id, identity.member_id, 500, reason="a gift", actor="Ada", request_key=unique("give")
    )
    reward = next(one for one in shown["rewards"] if one["has_code"])
    answer = buy(cashier, identity.member_id, reward["key"])
    assert (answer.status_code, answer.get_json()["code"]) == (409, "no_identity")
    assert desk.points(identity.member_id) == 500
