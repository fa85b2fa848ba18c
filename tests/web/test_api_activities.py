"""Activities, referrals, birthdays and blocks as a merchant's system tells them."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.services.runtime import Runtime
from tests.conftest import Clock
from tests.factories import eur, make_order
from tests.services.books import publish
from tests.services.crowd import NEWSLETTER, REVIEW, SIGN_UP
from tests.web.test_api import Api, make_api
from tests.web.test_storefront import placed


@pytest.fixture
def api(rt: Runtime, client: FlaskClient, program_id: int, clock: Clock) -> Api:
    made = make_api(rt, client, program_id)
    clock.forward(minutes=1)
    referral = {"referrer_points": 200, "friend_points": 100}
    publish(rt, program_id, activities=[SIGN_UP, NEWSLETTER, REVIEW], referral=referral)
    return made


def told(member: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"member": member, "activity": "review", "key": "r1", **changes}


def test_an_activity_is_answered_with_its_entry_and_its_explanation(api: Api) -> None:
    member_id = api.shop.member("7")
    answer = api.post("activities", told({"id": member_id}))
    body = answer.get_json()
    assert answer.status_code == 201
    assert (body["activity"], body["kind"], body["points"], body["zero"]) == ("review", "review", 10, None)
    assert [(one["kind"], one["points"], one["source"]) for one in body["entries"]] == [
        ("earn", 10, f"activity:{body['id']}")
    ]
    assert body["explanation"]["sentence"] == "Review: 10 points."
    again = api.post("activities", told({"id": member_id}))
    assert (again.status_code, again.get_json()) == (200, body)


def test_a_member_is_named_in_three_ways(api: Api) -> None:
    member_id = api.shop.member("7")
    ref = {"ref": f"{api.shop.shop.key}:7"}
    assert api.post("activities", told(ref)).get_json()["member_id"] == member_id
    two = {**ref, "id": member_id}
    for wrong in ({}, two):
        assert api.post("activities", told(wrong, key="r2")).status_code == 422
    assert api.post("activities", told({"email": "nobody@example.test"})).status_code == 404


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"activity": "dance"}, 404, "unknown_activity"),
        ({"member": {"id": 999_999_999}}, 404, "unknown_member"),
        ({"activity": "welcome"}, 422, "not_by_hand"),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, 422, "in_the_future"),
        ({"occurred_at": "2026-01-01T00:00:00"}, 422, "invalid"),
        ({"key": " "}, 422, "invalid"),
        ({"points": 5}, 422, "invalid"),
    ],
)
def test_what_is_wrong_is_a_problem(api: Api, changes: dict[str, Any], status: int, code: str) -> None:
    answer = api.post("activities", {**told({"id": api.shop.member("7")}), **changes})
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_another_act_under_a_used_key_is_a_problem(api: Api) -> None:
    who = {"id": api.shop.member("7")}
    api.post("activities", told(who))
    answer = api.post("activities", told(who, activity="newsletter"))
    assert (answer.status_code, answer.get_json()["code"]) == (422, "key_reused")


def test_what_earns_nothing_is_answered_with_its_reason(api: Api) -> None:
    member_id = api.shop.member("7")
    answer, *_ = [api.post("activities", told({"id": member_id}, key=f"k{number}")) for number in range(3)][
        ::-1
    ]
    body = answer.get_json()
    assert (answer.status_code, body["points"], body["zero"], body["entries"]) == (201, 0, "limit", [])
    assert body["explanation"]["sentence"] == "Review: the limit was reached: 2 times a day."
    assert api.post(f"members/{member_id}/block", {"reason": "fraud"}).get_json()["blocked_at"] is not None
    blocked = api.post("activities", told({"id": member_id}, activity="newsletter", key="n")).get_json()
    assert (blocked["points"], blocked["zero"]) == (0, "blocked")


def test_an_activity_is_taken_back_and_listed(api: Api) -> None:
    member_id = api.shop.member("7")
    done = api.post("activities", told({"id": member_id})).get_json()
    undone = api.post(f"activities/{done['id']}/undo", {"reason": "deleted"}).get_json()
    assert (undone["points"], undone["taken_back_reason"]) == (0, "deleted")
    assert [one["points"] for one in undone["entries"]] == [10, -10]
    assert undone["explanation"]["sentence"] == "Review: it was taken back."
    page = api.get(f"members/{member_id}/activities", limit=1).get_json()
    assert ([one["id"] for one in page["activities"]], page["next"]) == ([done["id"]], done["id"])
    history = api.get(f"members/{member_id}/entries").get_json()["entries"]
    assert history[0]["explanation"]["sentence"] == "Review: it was taken back, and 10 were given."


def test_a_list_goes_on_where_it_was(api: Api) -> None:
    member_id = api.shop.member("7")
    ids = [api.post("activities", told({"id": member_id}, key=f"k{n}")).get_json()["id"] for n in range(3)]
    first = api.get(f"members/{member_id}/activities", limit=2).get_json()
    second = api.get(f"members/{member_id}/activities", limit=2, cursor=first["next"]).get_json()
    listed = [*first["activities"], *second["activities"]]
    assert [one["id"] for one in listed[:3]] == ids[::-1]
    assert (len(listed), listed[3]["kind"], second["next"]) == (4, "sign_up", None)


def test_a_friend_is_brought_by_a_code(api: Api, clock: Clock) -> None:
    ann, ben = api.shop.member("7"), api.shop.member("8")
    code = api.post(f"members/{ann}/referral-code").get_json()["code"]
    answer = api.post("referrals", {"code": code, "friend": {"id": ben}})
    assert (answer.status_code, answer.get_json()["friend_id"]) == (201, ben)
    assert api.post("referrals", {"code": code, "friend": {"id": ben}}).status_code == 200
    own = api.post("referrals", {"code": code, "friend": {"id": ann}})
    assert (own.status_code, own.get_json()["code"]) == (409, "self_referral")
    assert api.post("referrals", {"code": "nothing", "friend": {"id": ben}}).status_code == 404
    clock.forward(minutes=1)
    api.shop.see(make_order(customer_ref="8", goods=eur("30.00"), **placed(clock.at)))
    assert api.get(f"members/{ann}").get_json()["balance"]["available"] == 50 + 200


def test_a_shopper_hands_on_a_code_and_comes_by_one(api: Api) -> None:
    api.shop.member("7")
    api.shop.member("8")
    code = api.shop.post("referral-code", {}, "7").get_json()["code"]
    assert len(code) == 16
    assert api.shop.post("referrals", {"code": code}, "8").status_code == 201
    assert api.shop.post("referrals", {"code": code}, "8").status_code == 200
    assert api.shop.post("referrals", {"code": code}, "7").status_code == 409
    assert api.shop.post("referrals", {"code": 7}, "8").status_code == 422


def test_a_blocked_shopper_reads_why_they_cannot_spend(api: Api) -> None:
    member_id = api.shop.member("7", points=500)
    api.post(f"members/{member_id}/block", {"reason": "fraud"})
    answer = api.shop.post("redemptions", {"reward": "amount-5"}, key="k")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "blocked")
    assert "fraud" not in answer.get_data(as_text=True)
    assert api.post(f"members/{member_id}/unblock", {"reason": "no"}).get_json()["blocked_at"] is None
    assert api.shop.post("redemptions", {"reward": "amount-5"}, key="k").status_code in (201, 202)


def test_a_birthday_is_kept_with_consent_and_forgotten(api: Api) -> None:
    member_id = api.shop.member("7")
    headers = {"Authorization": f"Bearer {api.token}"}
    put = {"birthday": "02-29", "consent": True}
    path = f"/api/v1/members/{member_id}/birthday"
    assert api.client.put(path, json=put, headers=headers).status_code == 204
    for wrong in ({**put, "consent": False}, {**put, "birthday": "02-30"}, {**put, "birthday": "1990-02-28"}):
        assert api.client.put(path, json=wrong, headers=headers).status_code == 422
    assert api.shop.scalar("SELECT count(*) FROM birthdays WHERE {fence}") == 1
    assert api.client.delete(path, headers=headers).status_code == 204
    assert api.shop.scalar("SELECT count(*) FROM birthdays WHERE {fence}") == 0


@pytest.mark.parametrize(
    "body",
    [
        b'{"birthday": "02-28", "consent": NaN}',
        b'{"birthday": "02-28\\u0000", "consent": true}',
        b'{"birthday": "\\ud800", "consent": true}',
        b"[]",
        b"{",
    ],
)
def test_a_body_that_is_put_is_read_as_strictly_as_one_that_is_posted(api: Api, body: bytes) -> None:
    answer = api.client.put(
        f"/api/v1/members/{api.shop.member('7')}/birthday",
        data=body,
        headers={"Authorization": f"Bearer {api.token}"},
        content_type="application/json",
    )
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_request")
