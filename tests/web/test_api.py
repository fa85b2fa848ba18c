"""The API for merchants' systems: shapes, once, explained, and fenced to the key's own program."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.money import Money
from app.services.check_api_key import revoke_api_key
from app.services.create_api_key import create_api_key
from app.services.erase_customer import erase_customer
from app.services.merge_members import merge_members
from app.services.runtime import Runtime
from app.web.limits import Minute
from tests.conftest import NOW, make_program
from tests.factories import eur, make_order, make_refund
from tests.services.books import publish, suspect
from tests.web.shoppers import Storefront, make_storefront
from tests.web.test_storefront import HOSTILE, YESTERDAY, placed


@dataclass(frozen=True, slots=True)
class Api:
    client: FlaskClient
    shop: Storefront
    token: str

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.client.get(f"/api/v1/{path}", query_string=query, headers=self._headers())

    def post(self, path: str, body: object = None, *, key: str | None = None) -> TestResponse:
        headers = self._headers()
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.client.post(f"/api/v1/{path}", json=body, headers=headers)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def make_api(rt: Runtime, client: FlaskClient, program_id: int) -> Api:
    shop = make_storefront(rt, client, program_id)
    return Api(client, shop, create_api_key(rt, program_id, "the till").token)


@pytest.fixture
def api(rt: Runtime, client: FlaskClient, program_id: int) -> Api:
    return make_api(rt, client, program_id)


@pytest.fixture
def stranger(rt: Runtime, client: FlaskClient) -> Api:
    return make_api(rt, client, make_program(rt))


# --- Keys --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer x", "Basic eDp5", "Bearer lrl_" + "A" * 43]
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "members"), ("GET", "rewards"), ("POST", "members/1/adjustments")]
)
def test_without_a_key_there_is_nothing(
    client: FlaskClient, authorization: str | None, method: str, path: str
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = client.open(
        f"/api/v1/{path}", method=method, headers=headers, json={} if method == "POST" else None
    )
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_revoked_key_opens_nothing(rt: Runtime, client: FlaskClient, program_id: int) -> None:
    made = create_api_key(rt, program_id, "old till")
    headers = {"Authorization": f"Bearer {made.token}"}
    assert client.get("/api/v1/rewards", headers=headers).status_code == 200
    revoke_api_key(rt, program_id, made.key_id)
    assert client.get("/api/v1/rewards", headers=headers).status_code == 401


def test_the_database_holds_no_key(rt: Runtime, api: Api) -> None:
    with rt.db.outside() as connection:
        rows = connection.exec_driver_sql("SELECT kind, key FROM directory WHERE kind = 'api_key'").all()
    assert api.token not in str(rows)
    assert rt.vault.token_hash(api.token) in str(rows)
    assert len(api.token) >= 43


def test_a_keys_last_use_is_noted(rt: Runtime, api: Api) -> None:
    api.get("rewards")
    assert api.shop.scalar("SELECT last_used_at FROM api_keys WHERE {fence}") == NOW


# --- Members -----------------------------------------------------------------------------------------------


def test_a_member_as_told(api: Api) -> None:
    api.shop.see(make_order(goods=eur("620.00"), **placed(YESTERDAY)))
    member_id = api.shop.member("7")
    told = api.get(f"members/{member_id}").get_json()
    assert told["id"] == member_id
    assert told["balance"] == {
        "available": 620,
        "pending": 0,
        "deficit": 0,
        "pending_next": None,
        "expiring": None,
    }
    assert told["lifetime_points"] == 620
    assert (told["tier"]["key"], told["tier"]["name"]) == ("silver", "Silver")
    assert told["next_tier"]["missing"] == {"minor": 138000, "currency": "EUR"}
    assert told["identities"] == [{"shop": api.shop.shop.key, "customer_ref": "7", "email_verified": False}]


def test_members_are_found_by_ref_and_by_address(api: Api) -> None:
    member_id = api.shop.member("7")
    api.shop.know("7", "Ada@Example.test")
    for query in (
        {"ref": f"{api.shop.shop.key}:7"},
        {"email": "ada@example.TEST"},
    ):
        found = api.get("members", **query).get_json()
        assert [one["id"] for one in found["members"]] == [member_id]
        assert found["next"] is None


@pytest.mark.parametrize(
    "query", [{"ref": "no-shop:7"}, {"ref": "{shop}:99"}, {"email": "nobody@example.test"}]
)
def test_nobody_is_an_empty_list(api: Api, query: dict[str, str]) -> None:
    filled = {name: value.replace("{shop}", api.shop.shop.key) for name, value in query.items()}
    answer = api.get("members", **filled)
    assert (answer.status_code, answer.get_json()) == (200, {"members": [], "next": None})


def test_all_members_come_in_pages(api: Api) -> None:
    ids = [api.shop.member(str(number)) for number in range(1, 8)]
    seen: list[int] = []
    cursor: int | None = 0
    while cursor is not None:
        page = api.get("members", cursor=cursor, limit=3).get_json()
        seen += [one["id"] for one in page["members"]]
        cursor = page["next"]
    assert seen == sorted(ids)


def test_two_members_become_one_once_and_are_parted_once(api: Api) -> None:
    older, younger = api.shop.member("7", points=10), api.shop.member("8", points=5)
    done = api.post(f"members/{younger}/merge", {"other": older})
    told = done.get_json()
    assert (done.status_code, told["member_id"], told["merged_id"]) == (201, older, younger)
    for one, other in ((younger, older), (older, younger)):
        again = api.post(f"members/{one}/merge", {"other": other})
        assert (again.status_code, again.get_json()) == (200, told)
    assert api.get(f"members/{younger}").get_json()["balance"]["available"] == 15
    with api.shop.rt.db.begin(api.shop.program_id) as session:
        assert "the till" in session.scalar("SELECT actor FROM merges WHERE {fence}")
    undone = api.post(f"merges/{told['id']}/undo")
    assert (undone.status_code, undone.get_json()) == (200, told)
    available = [api.get(f"members/{one}").get_json()["balance"]["available"] for one in (older, younger)]
    assert available == [10, 5]
    assert api.post(f"merges/{told['id']}/undo").status_code == 409
    assert api.post(f"members/{younger}/merge", {"other": older}).get_json()["id"] > told["id"]


def test_a_merge_that_cannot_be_is_refused(api: Api) -> None:
    member_id = api.shop.member("7", points=10)
    assert api.post(f"members/{member_id}/merge", {"other": member_id}).status_code == 409
    assert api.post(f"members/{member_id}/merge", {"other": 999_999_999}).status_code == 404
    assert api.post("members/999999999/merge", {"other": member_id}).status_code == 404
    wishes: list[object] = [
        {},
        {"other": "7"},
        {"other": 0},
        {"other": 2**63},
        {"other": member_id, "more": 1},
        [],
    ]
    for wish in wishes:
        assert api.post(f"members/{member_id}/merge", wish).status_code in (400, 422)
    assert api.post("merges/999999999/undo").status_code == 404


def test_who_was_merged_away_answers_as_the_winner(api: Api) -> None:
    winner, loser = api.shop.member("7", points=10), api.shop.member("8", points=5)
    with api.shop.rt.db.begin(api.shop.program_id) as session:
        merge_members(session, api.shop.rt.vault, winner, loser, cause="staff", actor="Ada", now=NOW)
    told = api.get(f"members/{loser}").get_json()
    assert (told["id"], told["balance"]["available"]) == (winner, 15)
    by_ref = api.get("members", ref=f"{api.shop.shop.key}:8").get_json()
    assert [one["id"] for one in by_ref["members"]] == [winner]
    assert [one["id"] for one in api.get("members").get_json()["members"]] == [winner]
    adjusted = api.post(f"members/{loser}/adjustments", {"points": 1, "reason": "x"}, key="k")
    assert adjusted.get_json()["member_id"] == winner


def test_who_was_erased_is_a_number_without_a_name(api: Api) -> None:
    member_id = api.shop.member("7", points=10)
    api.shop.know("7", "ada@example.test")
    with api.shop.rt.db.begin(api.shop.program_id) as session:
        erase_customer(session, api.shop.rt.vault, api.shop.shop.shop_id, "7", email=None, now=NOW)
    answer = api.get(f"members/{member_id}")
    assert answer.get_json()["erased_at"] is not None
    assert answer.get_json()["identities"][0]["customer_ref"] is None
    identity = api.shop.scalar("SELECT id FROM identities WHERE {fence}")
    for query in (
        {"ref": f"{api.shop.shop.key}:7"},
        {"email": "ada@example.test"},
    ):
        assert api.get("members", **query).get_json()["members"] == []
    assert api.get("members", ref=f"{api.shop.shop.key}:erased:{identity}").status_code == 422


# --- Entries and adjustments -------------------------------------------------------------------------------


def test_every_entry_explains_itself(api: Api) -> None:
    order = placed(YESTERDAY)
    api.shop.see(make_order(goods=eur("138.47"), **order))
    refund = make_refund("20.00", refunded_at=NOW)
    api.shop.see(make_order(goods=eur("138.47"), **{**order, "updated_at": NOW}, refunds=(refund,)))
    member_id = api.shop.member("7")
    api.shop.give(member_id, 5, HOSTILE)
    entries = api.get(f"members/{member_id}/entries").get_json()["entries"]
    assert [(one["kind"], one["points"]) for one in entries] == [
        ("adjustment", 5),
        ("earn_reversal", -20),
        ("earn", 138),
    ]
    assert (entries[0]["reason"], entries[0]["actor"]) == (HOSTILE, "Ada")
    assert entries[1]["explanation"]["sentence"] == (
        "20.00 of goods went back. 118.47 of goods × 1 point per 1.00, rounded down = 118, and 138 were given."
    )
    assert entries[1]["explanation"]["facts"]["given"] == 138
    assert {"label": "Program version", "value": "1"} in entries[2]["explanation"]["counted"]


def test_entries_come_in_pages(api: Api) -> None:
    member_id = api.shop.member("7")
    for points in range(1, 8):
        api.shop.give(member_id, points)
    seen: list[int] = []
    query: dict[str, int] = {"limit": 3}
    while True:
        page = api.get(f"members/{member_id}/entries", **query).get_json()
        seen += [one["points"] for one in page["entries"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == list(range(7, 0, -1))


def test_an_adjustment_is_done_once(api: Api) -> None:
    member_id = api.shop.member("7")
    wish = {"points": 50, "reason": "a broken mug"}
    first = api.post(f"members/{member_id}/adjustments", wish, key="k")
    again = api.post(f"members/{member_id}/adjustments", wish, key="k")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()
    other = api.post(f"members/{member_id}/adjustments", {**wish, "points": 51}, key="k")
    assert (other.status_code, other.get_json()["code"]) == (422, "key_reused")
    assert api.get(f"members/{member_id}").get_json()["balance"]["available"] == 50
    assert api.get(f"members/{member_id}/entries").get_json()["entries"][0]["actor"].startswith("API key ")


def test_a_tier_is_given_once_and_taken_back(api: Api) -> None:
    member_id = api.shop.member("7")
    wish = {"tier": "gold", "until": "2026-12-24", "reason": "Press"}
    first = api.post(f"members/{member_id}/tier", wish, key="k")
    again = api.post(f"members/{member_id}/tier", wish, key="k")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()
    given = first.get_json()
    assert (given["tier"], given["until_at"], given["ended_at"]) == (
        "gold",
        "2026-12-25T00:00:00+00:00",
        None,
    )
    assert api.get(f"members/{member_id}").get_json()["tier"]["key"] == "gold"
    ended = api.post(f"given-tiers/{given['id']}/undo")
    assert (ended.status_code, ended.get_json()["ended_at"]) == (200, NOW.isoformat())
    refused = api.post(f"members/{member_id}/tier", {**wish, "tier": "nickel"}, key="other")
    assert "There are: silver, gold" in refused.get_json()["detail"]
    assert api.post("given-tiers/999999/undo").status_code == 404


def test_an_adjustment_never_goes_below_zero(api: Api) -> None:
    member_id = api.shop.member("7", points=10)
    answer = api.post(f"members/{member_id}/adjustments", {"points": -11, "reason": "x"}, key="k")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "insufficient_points")


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"points": 5},
        {"reason": "x"},
        {"points": 0, "reason": "x"},
        {"points": "5", "reason": "x"},
        {"points": 5.0, "reason": "x"},
        {"points": 5.5, "reason": "x"},
        {"points": True, "reason": "x"},
        {"points": 10**13, "reason": "x"},
        {"points": 5, "reason": ""},
        {"points": 5, "reason": "  "},
        {"points": 5, "reason": "x" * 501},
        {"points": 5, "reason": 7},
        {"points": 5, "reason": None},
        {"points": 5, "reason": "x", "note": "y"},
    ],
)
def test_an_adjustment_that_is_not_right_changes_nothing(api: Api, wish: object) -> None:
    member_id = api.shop.member("7")
    answer = api.post(f"members/{member_id}/adjustments", wish, key="k")
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert api.get(f"members/{member_id}/entries").get_json()["entries"] == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"points": 5, "reason": "a\\u0000b"}',
        b'{"points": 5, "reason": "\\ud800"}',
        b'{"points": 5, "a\\u0000b": 1}',
        b'{"points": NaN, "reason": "x"}',
        b'{"points": ' + b"9" * 5000 + b', "reason": "x"}',
        b'{"points": 1e400, "reason": "x"}',
        b'{"a":' * 100_000,
        b"\xff",
    ],
)
def test_a_body_that_cannot_be_read_is_refused(api: Api, body: bytes) -> None:
    member_id = api.shop.member("7")
    answer = api.client.post(
        f"/api/v1/members/{member_id}/adjustments",
        data=body,
        headers={"Authorization": f"Bearer {api.token}", "Idempotency-Key": "k"},
        content_type="application/json",
    )
    assert answer.status_code in (400, 422)
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("key", [None, "", "x" * 201, " x", "\xff"])
def test_what_is_done_once_needs_a_key(api: Api, key: str | None) -> None:
    member_id = api.shop.member("7", points=200)
    for path, wish in (
        ("adjustments", {"points": 5, "reason": "x"}),
        ("redemptions", {"reward": "amount-5"}),
    ):
        assert api.post(f"members/{member_id}/{path}", wish, key=key).status_code == 422


# --- Redemptions -------------------------------------------------------------------------------------------


def test_a_redemption_is_202_until_the_code_is_there(api: Api, no_wait: None) -> None:
    member_id = api.shop.member("7", points=120)
    answer = api.post(f"members/{member_id}/redemptions", {"reward": "amount-5"}, key="k")
    told = answer.get_json()
    assert (answer.status_code, told["state"], told["code"]) == (202, "requested", None)
    api.shop.issue(told["id"])
    found = api.get(f"redemptions/{told['id']}").get_json()
    assert (found["state"], found["code"][:4], found["title"]) == ("issued", "LRL-", "€5.00 off")
    again = api.post(f"members/{member_id}/redemptions", {"reward": "amount-5"}, key="k")
    assert (again.status_code, again.get_json()) == (201, found)
    other = api.post(f"members/{member_id}/redemptions", {"reward": "free-shipping"}, key="k")
    assert (other.status_code, other.get_json()["code"]) == (422, "key_reused")
    cancelled = api.post(f"redemptions/{told['id']}/cancel")
    assert (cancelled.status_code, cancelled.get_json()["state"]) == (200, "cancelling")


def test_any_number_of_points_in_steps_is_spent_and_the_list_says_how(api: Api, no_wait: None) -> None:
    reward = {"key": "any", "kind": "amount", "steps": {"points": 50, "amount_minor": 250}, "stock": 5}
    publish(api.shop.rt, api.shop.program_id, rewards=[reward])
    member_id = api.shop.member("7", points=320)
    (told,) = api.get("rewards", member=member_id).get_json()["rewards"]
    assert (told["cost"], told["left"], told["barrier"]) == (50, 5, None)
    assert told["steps"] == {
        "points": 50,
        "minimum": 50,
        "maximum": None,
        "amount": {"minor": 250, "currency": "EUR"},
    }
    path = f"members/{member_id}/redemptions"
    for points, code in ((75, "bad_points"), (350, "insufficient_points"), (None, "bad_points")):
        wish = {"reward": "any"} | ({} if points is None else {"points": points})
        assert api.post(path, wish, key=f"no-{points}").get_json()["code"] == code
    answer = api.post(path, {"reward": "any", "points": 300}, key="k")
    assert (answer.status_code, answer.get_json()["cost"], answer.get_json()["title"]) == (
        202,
        300,
        "€15.00 off",
    )
    again = api.post(path, {"reward": "any", "points": 250}, key="k")
    assert (again.status_code, again.get_json()["code"]) == (422, "key_reused")


def test_of_money_under_a_code_the_amount_and_what_is_left_are_told(api: Api, no_wait: None) -> None:
    credit = {"key": "credit", "kind": "store_credit", "cost": 100, "amount_minor": 500}
    five = {"key": "five", "kind": "amount", "cost": 10, "amount_minor": 500}
    publish(api.shop.rt, api.shop.program_id, rewards=[credit, five])
    member_id = api.shop.member("7", points=120)
    path, euros = f"members/{member_id}/redemptions", {"minor": 500, "currency": "EUR"}
    told = api.post(path, {"reward": "credit"}, key="k").get_json()
    assert (told["amount"], told["left"]) == (euros, euros)
    told = api.post(path, {"reward": "five"}, key="l").get_json()
    assert (told["amount"], told["left"]) == (euros, None)


def test_a_perk_is_ready_at_once_and_is_said_to_be_handed_over(api: Api) -> None:
    tea = {"key": "tea", "title": "Tea", "kind": "perk", "cost": 50, "limits": [{"times": 1, "per": "day"}]}
    publish(api.shop.rt, api.shop.program_id, rewards=[tea])
    member_id = api.shop.member("7", points=120)
    answer = api.post(f"members/{member_id}/redemptions", {"reward": "tea"}, key="k")
    told = answer.get_json()
    assert (answer.status_code, told["state"], told["code"]) == (201, "issued", None)
    more = api.post(f"members/{member_id}/redemptions", {"reward": "tea"}, key="l")
    assert (more.status_code, more.get_json()["code"]) == (409, "limit_reached")
    (view,) = api.get("rewards", member=member_id).get_json()["rewards"]
    assert (view["state"], view["barrier"], view["reason"]) == (
        "locked",
        "limit_reached",
        "Had once today: again tomorrow",
    )
    path = f"redemptions/{told['id']}"
    assert api.post(f"{path}/hand-over").get_json()["state"] == "used"
    assert api.post(f"{path}/cancel").status_code == 409
    assert api.post(f"{path}/hand-over", {"undo": True}).get_json()["state"] == "issued"
    assert api.post(f"{path}/hand-over", {"undone": True}).status_code == 422
    assert api.post("redemptions/999999/hand-over").status_code == 404


def test_one_key_from_sixteen_threads_is_one_redemption(app: Flask, api: Api, no_wait: None) -> None:
    member_id = api.shop.member("7", points=1000)
    together = threading.Barrier(16)

    def ask(_: int) -> int:
        mine = Api(app.test_client(), api.shop, api.token)
        together.wait()
        answer = mine.post(f"members/{member_id}/redemptions", {"reward": "amount-5"}, key="k")
        return int(answer.get_json()["id"])

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(ask, range(16)))) == 1
    assert api.get(f"members/{member_id}").get_json()["balance"]["available"] == 900


def test_a_member_of_several_shops_is_asked_for_which(rt: Runtime, api: Api, no_wait: None) -> None:
    sister = make_storefront(rt, api.client, api.shop.program_id)
    winner, loser = api.shop.member("7", points=300), sister.member("7")
    with rt.db.begin(api.shop.program_id) as session:
        merge_members(session, rt.vault, winner, loser, cause="staff", actor="Ada", now=NOW)
    path = f"members/{winner}/redemptions"
    unclear = api.post(path, {"reward": "amount-5"}, key="k")
    assert (unclear.status_code, unclear.get_json()["code"]) == (422, "shop_needed")
    bought = api.post(path, {"reward": "amount-5", "shop": sister.shop.key}, key="k")
    assert (bought.status_code, bought.get_json()["shop"]) == (202, sister.shop.key)
    assert api.post(path, {"reward": "amount-5", "shop": "no-such"}, key="k2").status_code == 404


def test_codes_that_are_used_or_closed_cannot_be_given_back(api: Api, no_wait: None) -> None:
    member_id = api.shop.member("7", points=120)
    told = api.post(f"members/{member_id}/redemptions", {"reward": "amount-5"}, key="k").get_json()
    for state, code in (
        ("used", "already_used"),
        ("failed", "already_closed"),
        ("expired", "already_closed"),
    ):
        api.shop.set_state(told["id"], state)
        answer = api.post(f"redemptions/{told['id']}/cancel")
        assert (answer.status_code, answer.get_json()["code"]) == (409, code)


def test_rewards_for_a_member(api: Api) -> None:
    member_id = api.shop.member("7", points=120)
    rewards = api.get("rewards", member=member_id, shop=api.shop.shop.key).get_json()["rewards"]
    assert [(one["key"], one["state"], one["missing"]) for one in rewards] == [
        ("amount-5", "ready", 0),
        ("free-shipping", "short", 30),
        ("percent-10", "short", 80),
    ]
    assert rewards[0]["amount"] == {"minor": 500, "currency": "EUR"}
    assert len(api.get("rewards").get_json()["rewards"]) == 3
    assert api.get("rewards", member=10**9).status_code == 404
    assert api.get("rewards", shop="no-such").status_code == 404


# --- Orders ------------------------------------------------------------------------------------------------


def order(api: Api, ref: str = "1001") -> Any:
    answer = api.get(f"orders/{api.shop.shop.key}:{ref}")
    assert answer.status_code == 200
    return answer.get_json()


def test_an_order_shows_snapshot_target_entries_and_why(api: Api) -> None:
    api.shop.see(make_order(goods=eur("29.98"), **placed(YESTERDAY)))
    told = order(api)
    assert told["snapshot"]["goods"] == {"minor": 2998, "currency": "EUR"}
    assert told["target"] == {
        "points": 29,
        "program_version": 1,
        "tier": "member",
        "held_reason": None,
        "excluded": None,
    }
    assert (told["held_points"], told["member_id"]) == (29, api.shop.member("7"))
    assert [one["points"] for one in told["entries"]] == [29]
    assert told["explanation"]["sentence"] == "29.98 of goods × 1 point per 1.00, rounded down."


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"customer_ref": None, "email": "g@example.test"}, "Ordered as a guest"),
        ({"goods": Money(5000, "JPY")}, "no rate for JPY"),
        ({"state": "open", "paid_at": None}, "is not paid"),
        ({"state": "cancelled"}, "was cancelled"),
        ({"state": "gone"}, "no such order any more"),
        ({"test": True}, "a test order"),
        ({"placed_at": NOW - timedelta(days=900)}, "before the program counted this shop"),
    ],
)
def test_an_order_without_points_says_why(api: Api, changes: dict[str, Any], said: str) -> None:
    api.shop.see(make_order(**placed(YESTERDAY, **changes)))
    told = order(api)
    assert told["entries"] == []
    assert said in told["explanation"]["sentence"]


@pytest.mark.parametrize(
    "ref", ["{shop}:9", "no-shop:1001", "{shop}", ":", "1001", "{shop}:", "%00:1", "x%ED%A0%80:1"]
)
def test_an_order_that_nobody_knows(api: Api, ref: str) -> None:
    api.shop.see(make_order(**placed(YESTERDAY)))
    assert api.get(f"orders/{ref.replace('{shop}', api.shop.shop.key)}").status_code in (400, 404)


# --- The fence ---------------------------------------------------------------------------------------------


def test_another_programs_key_reaches_nothing(api: Api, stranger: Api, no_wait: None) -> None:
    member_id = api.shop.member("7", points=200)
    api.shop.see(make_order(**placed(YESTERDAY)))
    bought = api.post(f"members/{member_id}/redemptions", {"reward": "amount-5"}, key="k").get_json()
    own = stranger.shop.member("1", points=500)
    other = api.shop.member("8", points=5)
    merge_id = api.post(f"members/{member_id}/merge", {"other": other}).get_json()["id"]
    refused = [
        stranger.get(f"members/{member_id}"),
        stranger.get(f"members/{member_id}/entries"),
        stranger.post(f"members/{member_id}/adjustments", {"points": 5, "reason": "x"}, key="k"),
        stranger.post(f"members/{member_id}/redemptions", {"reward": "amount-5"}, key="k"),
        stranger.post(
            f"members/{member_id}/redemptions",
            {"reward": "amount-5", "shop": stranger.shop.shop.key},
            key="k",
        ),
        stranger.get(f"redemptions/{bought['id']}"),
        stranger.post(f"redemptions/{bought['id']}/cancel"),
        stranger.get(f"orders/{api.shop.shop.key}:1001"),
        stranger.post(f"members/{member_id}/merge", {"other": own}),
        stranger.post(f"members/{own}/merge", {"other": member_id}),
        stranger.post(f"merges/{merge_id}/undo"),
        stranger.get("rewards", member=member_id),
        stranger.get("rewards", shop=api.shop.shop.key),
    ]
    assert [answer.status_code for answer in refused] == [404] * len(refused)
    assert stranger.get("members", ref=f"{api.shop.shop.key}:7").get_json()["members"] == []
    assert [one["id"] for one in stranger.get("members").get_json()["members"]] == [own]
    assert api.get(f"redemptions/{bought['id']}").get_json()["state"] == "requested"
    elsewhere = {"reward": "amount-5", "shop": api.shop.shop.key}
    assert stranger.post(f"members/{own}/redemptions", elsewhere, key="k").status_code == 404


@pytest.mark.parametrize(
    "member_id", ["0", "-1", "1.5", "1e3", "9223372036854775808", "9" * 400, "x", "%00", "١"]
)
def test_a_number_that_is_no_members_is_not_found(api: Api, member_id: str) -> None:
    assert api.get(f"members/{member_id}").status_code in (400, 404)
    assert api.get(f"members/{member_id}/entries").status_code in (400, 404)


@pytest.mark.parametrize(
    "query",
    [
        {"ref": "x"},
        {"ref": "a:b:c"},
        {"ref": "a:" + "b" * 300},
        {"email": "x"},
        {"email": "a b@c"},
        {"cursor": "-1"},
        {"cursor": "9223372036854775808"},
        {"cursor": "x"},
        {"limit": "0"},
        {"limit": "201"},
        {"ref": "a:b", "email": "a@b.c"},
        {"email": "a\0@b.c"},
    ],
)
def test_a_search_that_is_none_is_refused(api: Api, query: dict[str, str]) -> None:
    answer = api.get("members", **query)
    assert answer.status_code in (400, 422)
    assert answer.mimetype == "application/problem+json"


# --- How often ---------------------------------------------------------------------------------------------


def test_a_key_that_asks_too_often_waits_and_another_does_not(
    api: Api, stranger: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By its name: the package has the blueprint itself under the name of its module.
    monkeypatch.setattr(import_module("app.web.api.blueprint"), "CALLS", 3)
    assert [api.get("rewards").status_code for _ in range(4)] == [200, 200, 200, 429]
    told = api.get("rewards")
    assert 0 < int(told.headers["Retry-After"]) <= 60
    assert told.mimetype == "application/problem+json"
    assert stranger.get("rewards").status_code == 200


def test_a_new_minute_counts_anew_and_forgets_the_last() -> None:
    minute = Minute()
    assert [minute.count("a", 59.0), minute.count("a", 59.9), minute.count("b", 59.9)] == [1, 2, 1]
    assert minute.count("a", 60.0) == 1


def test_a_member_to_look_at_is_listed_decided_on_and_the_decision_taken_back(api: Api) -> None:
    member_id = api.shop.member("7", points=500)
    review_id = suspect(api.shop.rt, api.shop.program_id, member_id)
    refused = api.post(f"members/{member_id}/redemptions", {"reward": "amount-5"}, key="k1")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "being_checked")
    (told,) = api.get("reviews").get_json()["reviews"]
    assert (told["id"], told["member_id"], told["decision"]) == (review_id, member_id, None)
    assert told["sentences"] == ["41 activities that earned within 24 hours. More than 40 are looked at."]
    assert api.get(f"members/{member_id}").get_json()["held_at"] == told["held_at"]
    answers = [
        api.post(f"reviews/{review_id}/{act}", {"reason": f"to {act}"}).get_json()
        for act in ("refuse", "undo", "allow")
    ]
    assert [one["decision"] for one in answers] == ["refused", None, "allowed"]
    assert [one["act"] for one in answers[-1]["acts"]] == ["refused", "undone", "allowed"]
    assert api.get(f"members/{member_id}").get_json()["held_at"] is None
    assert api.post(f"reviews/{review_id}/refuse", {"reason": "late"}).status_code == 409
