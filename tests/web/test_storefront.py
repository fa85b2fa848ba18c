"""What shoppers get and do: their own, once, and explained."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg_pool import ConnectionPool

from app.db import freezes, programs
from app.domain.money import Money
from app.domain.orders import CodeUse
from app.services.block_member import block_member
from app.services.decide_review import decide_review
from app.services.erase_customer import erase_customer
from app.services.find_member import ById
from app.services.merge_members import merge_members
from app.services.open_panel import open_panel
from app.services.prove_shopper import Shopper
from app.services.record_activity import Told, record_activity
from app.services.runtime import Runtime
from app.services.undo_activity import undo_activity
from tests.conftest import NOW, Clock, make_program
from tests.factories import eur, make_order, make_refund
from tests.services.books import publish, suspect
from tests.web.shoppers import Storefront, make_storefront

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def placed(at: datetime, **changes: object) -> dict[str, object]:
    return {"placed_at": at, "paid_at": at, "updated_at": at, **changes}


YESTERDAY = NOW - timedelta(days=1)


# --- me and join -------------------------------------------------------------------------------------------


def test_me_tells_balance_tier_and_the_way_to_the_next(storefront: Storefront) -> None:
    storefront.see(make_order(goods=eur("620.00"), **placed(YESTERDAY)))
    me = storefront.get("me").get_json()
    member = me["member"]
    assert member["balance"]["available"] == 620
    assert member["balance"]["worth"] == {"minor": 3000, "currency": "EUR"}
    assert (member["tier"]["key"], member["tier"]["earn_percent"]) == ("silver", 125)
    assert member["next_tier"] == {
        "key": "gold",
        "name": "Gold",
        "threshold": {"minor": 200000, "currency": "EUR"},
        "spent": {"minor": 62000, "currency": "EUR"},
        "missing": {"minor": 138000, "currency": "EUR"},
        "sentence": None,
        "progress_percent": None,
    }
    assert me["program"]["earn_sentence"] == "1 point for every €1.00"
    assert [tier["key"] for tier in me["program"]["tiers"]] == ["member", "silver", "gold"]
    assert me["server_time"] == "2026-11-22T12:00:00Z"


def test_a_panel_read_while_the_database_is_away_may_be_read_later(
    storefront: Storefront, rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    storefront.member("7", points=500)
    assert storefront.get("me").status_code == 200
    with ConnectionPool(
        "postgresql://nobody:x@127.0.0.1:1/none", min_size=0, max_size=1, timeout=0.05
    ) as away:
        monkeypatch.setattr(rt.db, "_direct", away)
        told = storefront.get("me")
    assert (told.status_code, told.get_json()["code"], "Retry-After" in told.headers) == (
        503,
        "try_again",
        True,
    )


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [("en", "Your account is being checked."), ("de", "Dein Konto wird gerade geprüft.")],
)
def test_me_says_why_nothing_can_be_spent_before_anybody_tries(
    storefront: Storefront, rt: Runtime, lang: str, sentence: str
) -> None:
    member_id, program_id = storefront.member("7", points=500), storefront.program_id
    assert storefront.get("me").get_json()["member"]["stopped"] is None
    review_id = suspect(rt, program_id, member_id)
    stopped = storefront.get("me", lang=lang).get_json()["member"]["stopped"]
    assert stopped["reason"] == "being_checked"
    assert stopped["sentence"].startswith(sentence)
    decide_review(rt, program_id, review_id, allow=False, reason="A scheme", actor="Ada")
    assert storefront.get("me").get_json()["member"]["stopped"]["reason"] == "blocked"
    with rt.db.begin(program_id) as session:
        freezes.begin(session, [("account:7", "points", "905 are stored")], now=rt.now())
    told = storefront.get("me").get_json()["member"]
    assert (told["stopped"]["reason"], told["balance"]["available"]) == ("frozen", 500)


def test_a_frozen_program_says_so_to_everybody(storefront: Storefront, rt: Runtime) -> None:
    storefront.member("7", points=500)
    with rt.db.begin(storefront.program_id) as session:
        freezes.begin(session, [("account:7", "points", "905 are stored")], now=rt.now())
    assert storefront.get("me").get_json()["member"]["stopped"] == {
        "reason": "frozen",
        "title": "Not at the moment",
        "sentence": "Nothing can be redeemed at the moment. Nothing was taken; try again later.",
    }


def test_the_way_to_a_tier_by_orders_is_a_sentence_over_as_long_as_they_count(
    storefront: Storefront, rt: Runtime
) -> None:
    with rt.db.begin(storefront.program_id) as session:
        document = dict(programs.find_documents(session)[0].document)
        member, silver, _ = document["tiers"]["levels"]
        del silver["from_minor"]
        levels = [member, {**silver, "from_orders": 3}]
        document["tiers"] = {"window": "lifetime", "grace_days": 0, "levels": levels}
        programs.add_version(session, document, by="ada", note="", now=rt.now())
    years_ago = NOW - timedelta(days=300)
    storefront.see(make_order(order_ref="a", goods=eur("9.00"), **placed(years_ago)))
    storefront.see(make_order(order_ref="b", goods=eur("9.00"), **placed(YESTERDAY)))
    for later in (rt, replace(rt, clock=lambda: NOW + timedelta(days=900))):
        who = Shopper(shop=storefront.known, customer_ref="7")
        for _ in range(2):  # asked for the first time, and remembered
            panel = open_panel(later, who, asked=False)
            assert panel.member is not None
            assert panel.member.next_tier is not None
            assert panel.member.next_tier.sentence_in(panel.front.words) == "1 more order to Silver."
    told = storefront.get("me").get_json()
    next_tier = told["member"]["next_tier"]
    assert (next_tier["sentence"], next_tier["progress_percent"]) == ("1 more order to Silver.", 66)
    assert (next_tier["threshold"], next_tier["spent"], next_tier["missing"]) == (None, None, None)
    assert told["program"]["tier_period"] == "lifetime"
    assert [one["from"] for one in told["program"]["tiers"]] == [{"minor": 0, "currency": "EUR"}, None]


def test_a_shortfall_is_told_and_the_balance_is_never_below_zero(
    storefront: Storefront, no_wait: None
) -> None:
    storefront.see(make_order(goods=eur("100.00"), **placed(YESTERDAY)))
    assert storefront.post("redemptions", {"reward": "amount-5"}, key="k").status_code == 202
    refund = make_refund("40.00", refunded_at=NOW)
    storefront.see(make_order(goods=eur("100.00"), **placed(YESTERDAY, updated_at=NOW, refunds=(refund,))))
    balance = storefront.get("me").get_json()["member"]["balance"]
    assert (balance["available"], balance["deficit"]) == (0, 40)


def test_joining_makes_a_member_once(storefront: Storefront, rt: Runtime) -> None:
    on_join = make_program(rt)
    with rt.db.begin(on_join) as session:
        session.run(
            "INSERT INTO program_versions (program_id, version, document, published_at, published_by, note) "
            "SELECT program_id, 2, jsonb_set(document, '{enrolment}', '\"on_join\"'), published_at "
            "+ interval '1 second', 'x', '' FROM program_versions WHERE {fence}"
        )
    shop = make_storefront(rt, storefront.client, on_join)
    me = shop.get("me").get_json()
    assert (me["signed_in"], me["member"]) == (True, None)
    for path in ("rewards", "history", "redemptions"):
        refused = shop.get(path)
        assert (refused.status_code, refused.get_json()["code"]) == (403, "not_a_member")
    joined = shop.post("join")
    assert (joined.status_code, joined.get_json()["member"]["balance"]["available"]) == (201, 0)
    again = shop.post("join")
    assert (again.status_code, again.get_json()["member"]["id"]) == (200, joined.get_json()["member"]["id"])


def test_whoever_was_erased_comes_back_only_by_asking(storefront: Storefront) -> None:
    storefront.member("7", points=100)
    with storefront.rt.db.begin(storefront.program_id) as session:
        erase_customer(session, storefront.rt.vault, storefront.shop.shop_id, "7", email=None, now=NOW)
    assert storefront.get("me").get_json()["member"] is None
    joined = storefront.post("join")
    assert (joined.status_code, joined.get_json()["member"]["balance"]["available"]) == (201, 0)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "rewards"),
        ("GET", "history"),
        ("GET", "redemptions"),
        ("GET", "redemptions/r_1"),
        ("POST", "join"),
        ("POST", "redemptions"),
        ("POST", "redemptions/r_1/cancel"),
        ("POST", "email-proof"),
    ],
)
def test_what_is_somebodys_needs_somebody(storefront: Storefront, method: str, path: str) -> None:
    if method == "GET":
        answer = storefront.get(path, None)
    else:
        answer = storefront.post(path, {"reward": "amount-5"}, None, key="k")
    assert (answer.status_code, answer.get_json()["code"]) == (401, "unproven")


# --- Rewards -----------------------------------------------------------------------------------------------


def test_rewards_say_what_can_be_had_now_and_what_is_missing(storefront: Storefront) -> None:
    storefront.member("7", points=120)
    rewards = {one["key"]: one for one in storefront.get("rewards").get_json()["rewards"]}
    assert rewards["amount-5"] == {
        "key": "amount-5",
        "title": "€5.00 off",
        "cost": 100,
        "cost_text": "100 points",
        "state": "ready",
        "missing": 0,
        "reason": None,
        "barrier": None,
        "left": None,
        "steps": None,
        "kind": "amount",
        "has_code": True,
        "minimum_spend": None,
        "valid_days": 90,
        "returns_unused": True,
    }
    assert (rewards["free-shipping"]["state"], rewards["free-shipping"]["missing"]) == ("short", 30)
    assert rewards["percent-10"]["title"] == "10\u00a0% off"


def test_a_shop_that_makes_no_codes_says_so_before_the_click(storefront: Storefront, no_wait: None) -> None:
    storefront.member("7", points=500)
    storefront.set_shop(access_problem="the key was deleted")
    rewards = storefront.get("rewards").get_json()["rewards"]
    assert {one["state"] for one in rewards} == {"locked"}
    assert "deleted" not in storefront.get("rewards").text
    refused = storefront.post("redemptions", {"reward": "amount-5"}, key="k")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "shop_not_connected")
    assert storefront.get("me").get_json()["member"]["balance"]["available"] == 500


def test_a_shop_of_a_currency_without_a_rate_offers_amounts_as_locked(
    rt: Runtime, client: FlaskClient, program_id: int, no_wait: None
) -> None:
    shop = make_storefront(rt, client, program_id, currency="JPY")
    shop.member("7", points=500)
    states = {one["key"]: one["state"] for one in shop.get("rewards").get_json()["rewards"]}
    assert states == {"amount-5": "locked", "free-shipping": "ready", "percent-10": "ready"}
    assert shop.get("me").status_code == 200


# --- Codes -------------------------------------------------------------------------------------------------


def test_a_code_that_is_not_there_yet_is_202_and_followed(storefront: Storefront, no_wait: None) -> None:
    storefront.member("7", points=120)
    answer = storefront.post("redemptions", {"reward": "amount-5"}, key="k")
    told = answer.get_json()
    assert (answer.status_code, told["state"], told["code"], told["cost"]) == (202, "requested", None, 100)
    assert storefront.get("me").get_json()["member"]["balance"]["available"] == 20
    storefront.issue(int(told["id"].removeprefix("r_")))
    followed = storefront.get(f"redemptions/{told['id']}").get_json()
    assert followed["state"] == "issued"
    assert followed["code"].startswith("LRL-")
    assert followed["expires_at"] == "2027-02-20T23:59:59Z"
    again = storefront.post("redemptions", {"reward": "amount-5"}, key="k")
    assert (again.status_code, again.get_json()["id"], again.get_json()["code"]) == (
        201,
        told["id"],
        followed["code"],
    )


def test_points_in_steps_are_a_whole_number_in_the_body(storefront: Storefront, no_wait: None) -> None:
    reward = {"key": "any", "kind": "amount", "steps": {"points": 50, "amount_minor": 250}}
    publish(storefront.rt, storefront.program_id, rewards=[reward])
    storefront.member("7", points=320)
    (told,) = storefront.get("rewards").get_json()["rewards"]
    assert (told["title"], told["steps"]["amount"]) == (
        "€2.50 off for every 50 points",
        {"minor": 250, "currency": "EUR"},
    )
    for wrong in ("100", 100.0, True, 0, -50, 10**12 + 1):
        assert storefront.post("redemptions", {"reward": "any", "points": wrong}, key="k").status_code == 422
    answer = storefront.post("redemptions", {"reward": "any", "points": 100}, key="k")
    assert (answer.status_code, answer.get_json()["reward"]["title"]) == (202, "€5.00 off")


def test_a_perk_has_no_code_and_is_201(storefront: Storefront) -> None:
    tea = {"key": "tea", "title": "Tea", "kind": "perk", "cost": 50, "tier": "silver"}
    publish(storefront.rt, storefront.program_id, rewards=[tea | {"tier": "member"}])
    storefront.member("7", points=120)
    answer = storefront.post("redemptions", {"reward": "tea"}, key="k")
    assert (answer.status_code, answer.get_json()["state"], answer.get_json()["code"]) == (
        201,
        "issued",
        None,
    )
    publish(storefront.rt, storefront.program_id, rewards=[tea])
    refused = storefront.post("redemptions", {"reward": "tea"}, key="l")
    assert (refused.status_code, refused.get_json()["detail"]) == (409, "Opens when you reach Silver.")


def test_store_credit_that_is_a_code_shows_what_is_left_of_it(storefront: Storefront, no_wait: None) -> None:
    credit = {"key": "credit", "kind": "store_credit", "cost": 100, "amount_minor": 500}
    publish(storefront.rt, storefront.program_id, rewards=[credit])
    storefront.member("7", points=120)
    (reward,) = storefront.get("rewards").get_json()["rewards"]
    assert (reward["kind"], reward["has_code"]) == ("store_credit", True)
    told = storefront.post("redemptions", {"reward": "credit"}, key="k").get_json()
    assert (told["left"], told["left_text"], told["back"]) == ({"minor": 500, "currency": "EUR"}, None, 100)
    number = int(told["id"].removeprefix("r_"))
    storefront.issue(number)
    code = storefront.get(f"redemptions/{told['id']}").get_json()["code"]
    used = CodeUse(code=code, taken_minor=350)
    at = storefront.rt.now()
    storefront.see(make_order(codes_used=(code,), code_uses=(used,), **placed(at)))
    told = storefront.get(f"redemptions/{told['id']}").get_json()
    assert (told["state"], told["code"], told["left"]["minor"], told["back"]) == ("issued", code, 150, 30)
    assert told["left_text"] == "€1.50 of €5.00 left"
    german = storefront.client.get(
        f"/storefront/v1/redemptions/{told['id']}",
        query_string={"key": storefront.shop.key, "lang": "de"},
        headers={"Authorization": f"Bearer {storefront.token('7')}", "Accept-Language": "de"},
    ).get_json()
    assert german["left_text"] == "noch 1,50\u00a0€ von 5,00\u00a0€"
    (shown,) = storefront.get("redemptions").get_json()["redemptions"]
    assert shown["left_text"] == told["left_text"]


def test_a_code_that_comes_in_time_is_201(storefront: Storefront, monkeypatch: pytest.MonkeyPatch) -> None:
    storefront.member("7", points=120)
    pauses: list[float] = []

    def shop_is_quick(seconds: float) -> None:
        pauses.append(seconds)
        storefront.set_state(storefront.scalar("SELECT max(id) FROM redemptions WHERE {fence}"), "issued")

    monkeypatch.setattr("app.services.await_code.time.sleep", shop_is_quick)
    answer = storefront.post("redemptions", {"reward": "amount-5"}, key="k")
    assert (answer.status_code, answer.get_json()["state"]) == (201, "issued")
    assert len(pauses) == 1


def test_the_wait_ends_after_three_seconds_and_holds_no_connection(
    storefront: Storefront, monkeypatch: pytest.MonkeyPatch
) -> None:
    storefront.member("7", points=120)
    now, used = [100.0], []

    def wait(seconds: float) -> None:
        now[0] += seconds
        used.append(storefront.rt.db.engine.pool.checkedout())  # type: ignore[attr-defined]

    monkeypatch.setattr("app.services.await_code.time.sleep", wait)
    monkeypatch.setattr("app.services.await_code.time.monotonic", lambda: now[0])
    assert storefront.post("redemptions", {"reward": "amount-5"}, key="k").status_code == 202
    assert 103.0 <= now[0] < 103.3
    assert set(used) == {0}


def test_the_same_click_from_sixteen_threads_is_one_code(
    app: Flask, storefront: Storefront, no_wait: None
) -> None:
    storefront.member("7", points=1000)
    together = threading.Barrier(16)

    def click(_: int) -> str:
        mine = Storefront(storefront.rt, app.test_client(), storefront.program_id, storefront.shop)
        together.wait()
        answer = mine.post("redemptions", {"reward": "amount-5"}, key="one click")
        assert answer.status_code == 202
        return str(answer.get_json()["id"])

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(click, range(16)))) == 1
    assert storefront.scalar("SELECT count(*) FROM redemptions WHERE {fence}") == 1
    assert storefront.get("me").get_json()["member"]["balance"]["available"] == 900


def test_sixteen_clicks_buy_no_more_than_the_points_allow(
    app: Flask, storefront: Storefront, no_wait: None
) -> None:
    storefront.member("7", points=350)
    together = threading.Barrier(16)

    def click(number: int) -> int:
        mine = Storefront(storefront.rt, app.test_client(), storefront.program_id, storefront.shop)
        together.wait()
        return mine.post("redemptions", {"reward": "amount-5"}, key=f"click {number}").status_code

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(click, range(16)))
    assert sorted(answers) == [202] * 3 + [409] * 13


def test_the_same_key_for_another_reward_is_refused(storefront: Storefront, no_wait: None) -> None:
    storefront.member("7", points=500)
    storefront.post("redemptions", {"reward": "amount-5"}, key="k")
    answer = storefront.post("redemptions", {"reward": "free-shipping"}, key="k")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "key_reused")
    assert storefront.get("me").get_json()["member"]["balance"]["available"] == 400


def test_two_members_may_use_the_same_key(storefront: Storefront, no_wait: None) -> None:
    ids = set()
    for customer in ("7", "8"):
        storefront.member(customer, points=100)
        ids.add(storefront.post("redemptions", {"reward": "amount-5"}, customer, key="k").get_json()["id"])
    assert len(ids) == 2


def test_the_key_may_come_in_the_body_where_a_proxy_drops_headers(
    storefront: Storefront, no_wait: None
) -> None:
    storefront.member("7", points=500)
    first = storefront.post("redemptions", {"reward": "amount-5", "request_key": "k"})
    assert first.status_code == 202
    both = storefront.post("redemptions", {"reward": "amount-5", "request_key": "k"}, key="k")
    assert both.get_json()["id"] == first.get_json()["id"]
    apart = storefront.post("redemptions", {"reward": "amount-5", "request_key": "k"}, key="another")
    assert (apart.status_code, apart.get_json()["code"]) == (422, "key_mismatch")


@pytest.mark.parametrize("key", [None, "", "x" * 201, "tab\there"])
def test_a_click_needs_a_key(storefront: Storefront, key: str | None) -> None:
    storefront.member("7", points=500)
    answer = storefront.post("redemptions", {"reward": "amount-5"}, key=key)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "bad_key")
    longest = storefront.post("redemptions", {"reward": "amount-5", "request_key": 7})
    assert longest.status_code == 422


@pytest.mark.parametrize("reward", [None, "", 5, True, [], {}, "x" * 201])
def test_a_reward_that_is_no_key_is_refused(storefront: Storefront, reward: object) -> None:
    storefront.member("7", points=500)
    answer = storefront.post("redemptions", {"reward": reward}, key="k")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid")


def test_a_reward_that_is_gone_and_points_that_are_missing_are_definite(
    storefront: Storefront, no_wait: None
) -> None:
    storefront.member("7", points=50)
    gone = storefront.post("redemptions", {"reward": "no-such"}, key="k")
    assert (gone.status_code, gone.get_json()["code"]) == (409, "unknown_reward")
    short = storefront.post("redemptions", {"reward": "amount-5"}, key="k")
    assert (short.status_code, short.get_json()["code"]) == (409, "insufficient_points")
    assert short.get_json()["title"] == "That is more than you have"


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[1]",
        b'"text"',
        b"\xff\xfe",
        b'{"reward": "a\\u0000b"}',
        b'{"reward": "\\ud800"}',
        b'{"reward": NaN}',
        b'{"reward": Infinity}',
        b'{"reward": ' + b"9" * 5000 + b"}",
        b'{"a":' * 200 + b"1" + b"}" * 200,
        b"[" * 100_000,
    ],
)
def test_a_body_that_cannot_be_read_is_refused(storefront: Storefront, body: bytes) -> None:
    storefront.member("7", points=500)
    answer = storefront.client.post(
        "/storefront/v1/redemptions",
        query_string={"key": storefront.shop.key},
        data=body,
        headers={"Authorization": f"Bearer {storefront.token()}", "Idempotency-Key": "k"},
        content_type="application/json",
    )
    assert answer.status_code in (400, 422)
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["redemptions/r_1%00", "history?cursor=%00", "me?lang=%00", "redemptions/%ED%A0%80"]
)
def test_an_address_that_cannot_be_read_is_refused(storefront: Storefront, path: str) -> None:
    storefront.member("7")
    mark = "&" if "?" in path else "?"
    answer = storefront.client.get(
        f"/storefront/v1/{path}{mark}key={storefront.shop.key}",
        headers={"Authorization": f"Bearer {storefront.token()}"},
    )
    assert answer.status_code in (400, 404)


def test_address_and_body_must_name_one_shop(storefront: Storefront, no_wait: None) -> None:
    storefront.member("7", points=500)
    answer = storefront.post("redemptions", {"reward": "amount-5", "shop": "another"}, key="k")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid")


def test_cancelling_is_asked_for_as_often_as_one_likes(storefront: Storefront, no_wait: None) -> None:
    storefront.member("7", points=120)
    bought = storefront.post("redemptions", {"reward": "amount-5"}, key="k").get_json()
    for _ in range(2):
        answer = storefront.post(f"redemptions/{bought['id']}/cancel")
        assert (answer.status_code, answer.get_json()["state"]) == (200, "cancelling")
    for state in ("used", "expired", "failed"):
        storefront.set_state(int(bought["id"].removeprefix("r_")), state)
        answer = storefront.post(f"redemptions/{bought['id']}/cancel")
        assert (answer.status_code, answer.get_json()["state"]) == (200, state)


@pytest.mark.parametrize(
    "redemption", ["r_0", "r_-1", "r_1e3", "7", "r_9999999999999999999", "r_١", "r_", "x"]
)
def test_a_code_that_is_none_is_not_found(storefront: Storefront, redemption: str) -> None:
    storefront.member("7")
    for answer in (
        storefront.get(f"redemptions/{redemption}"),
        storefront.post(f"redemptions/{redemption}/cancel"),
    ):
        assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


def test_nobody_reaches_anothers_code(
    rt: Runtime, client: FlaskClient, storefront: Storefront, no_wait: None
) -> None:
    """Another customer, the same customer ref at another shop, another program."""
    storefront.member("7", points=120)
    bought = storefront.post("redemptions", {"reward": "amount-5"}, key="k").get_json()
    others = [
        (storefront, "8"),
        (make_storefront(rt, client, storefront.program_id), "7"),
        (make_storefront(rt, client, make_program(rt)), "7"),
    ]
    for shop, customer in others:
        shop.member(customer)
        assert shop.get(f"redemptions/{bought['id']}", customer).status_code == 404
        assert shop.post(f"redemptions/{bought['id']}/cancel", None, customer).status_code == 404
        assert shop.get("redemptions", customer).get_json() == {"redemptions": []}
    assert storefront.get(f"redemptions/{bought['id']}").get_json()["state"] == "requested"


def test_codes_of_a_merged_account_are_the_winners(storefront: Storefront, no_wait: None) -> None:
    winner = storefront.member("7", points=10)
    loser = storefront.member("8", points=120)
    bought = storefront.post("redemptions", {"reward": "amount-5"}, "8", key="k").get_json()
    with storefront.rt.db.begin(storefront.program_id) as session:
        merge_members(session, storefront.rt.vault, winner, loser, cause="staff", actor="Ada", now=NOW)
    for customer in ("7", "8"):
        assert storefront.get("me", customer).get_json()["member"]["id"] == f"m_{winner}"
        listed = storefront.get("redemptions", customer).get_json()["redemptions"]
        assert [one["id"] for one in listed] == [bought["id"]]
    assert storefront.post(f"redemptions/{bought['id']}/cancel").get_json()["state"] == "cancelling"


def test_all_open_codes_are_listed_newest_first(storefront: Storefront, no_wait: None) -> None:
    storefront.member("7", points=10_000)
    ids = [
        storefront.post("redemptions", {"reward": "amount-5"}, key=f"k{number}").get_json()["id"]
        for number in range(23)
    ]
    for one in ids[:22]:
        storefront.set_state(int(one.removeprefix("r_")), "cancelled")
    storefront.set_state(int(ids[0].removeprefix("r_")), "issued")
    listed = [one["id"] for one in storefront.get("redemptions").get_json()["redemptions"]]
    assert listed == [ids[22], *reversed(ids[2:22]), ids[0]]


# --- History -----------------------------------------------------------------------------------------------


def test_history_explains_every_number_and_every_nothing(storefront: Storefront, clock: Clock) -> None:
    storefront.see(make_order(goods=eur("29.98"), **placed(YESTERDAY)))
    open_order = placed(YESTERDAY - timedelta(hours=1), paid_at=None)
    storefront.see(make_order(order_ref="2", number="#2", state="open", **open_order))
    clock.forward(hours=1)
    storefront.give(storefront.member("7"), 50, HOSTILE)
    items = storefront.get("history").get_json()["items"]
    assert [(one["kind"], one["points"], one["title"]) for one in items] == [
        ("adjustment", 50, "From the shop"),
        ("earn", 29, "Order #1001"),
        ("order", 0, "Order #2"),
    ]
    assert items[0]["sentence"] == "Given by the shop."  # what staff noted is theirs
    assert items[1]["sentence"] == "29.98 of goods × 1 point per 1.00, rounded down."
    assert {"label": "Program version", "value": "1"} in items[1]["facts"]
    assert items[2]["sentence"] == "The order is not paid."
    assert [one["state"] for one in items] == ["done"] * 3


def does(storefront: Storefront, key: str, member_id: int | None = None) -> None:
    who = ById(storefront.member("7") if member_id is None else member_id)
    told = Told(who=who, activity_key="review", request_key=key, actor="the shop")
    record_activity(storefront.rt, storefront.program_id, told)


def test_what_a_member_did_for_nothing_is_told_with_its_reason(storefront: Storefront, clock: Clock) -> None:
    rule = {
        "key": "review",
        "name": "Review",
        "kind": "review",
        "points": 10,
        "limit": {"times": 1, "per": "day"},
    }
    publish(storefront.rt, storefront.program_id, activities=[rule])
    member = storefront.member("7")
    does(storefront, "1")
    clock.forward(hours=1)
    does(storefront, "2")
    clock.forward(hours=1)
    block_member(storefront.rt, storefront.program_id, member, reason="x", actor="ada")
    does(storefront, "3")
    items = storefront.get("history").get_json()["items"]
    assert [(one["kind"], one["points"], one["title"], one["sentence"]) for one in items] == [
        ("activity", 0, "Review", "Review: the account earned nothing then."),
        ("activity", 0, "Review", "Review: the limit was reached: once a day."),
        ("earn", 10, "Review", "Review: 10 points."),
    ]
    assert {"label": "Limit", "value": "once a day"} in items[1]["facts"]
    assert len({one["id"] for one in items}) == 3
    german = storefront.get("history", lang="de").get_json()["items"]
    assert german[1]["sentence"] != items[1]["sentence"]
    storefront.member("8")
    assert storefront.get("history", "8").get_json() == {"items": [], "next": None}


def test_what_was_done_before_a_merge_and_what_was_taken_back_is_told_once(
    storefront: Storefront, clock: Clock
) -> None:
    rule = {
        "key": "review",
        "name": "Review",
        "kind": "review",
        "points": 10,
        "limit": {"times": 1, "per": "member"},
    }
    publish(storefront.rt, storefront.program_id, activities=[rule])
    first, second = storefront.member("7"), storefront.member("8")
    does(storefront, "1", second)
    clock.forward(hours=1)
    does(storefront, "2", second)
    rt = storefront.rt
    with rt.db.begin(storefront.program_id) as session:
        merge_members(session, rt.vault, first, second, cause="staff", actor="ada", now=rt.now())
    clock.forward(hours=1)
    items = storefront.get("history").get_json()["items"]
    assert [one["kind"] for one in items].count("activity") == 1
    with storefront.rt.db.begin(storefront.program_id) as session:
        given = int(session.scalar("SELECT min(id) FROM activities WHERE {fence}"))
    undo_activity(storefront.rt, storefront.program_id, given, reason="An advertisement", actor="ada")
    titles = [one["title"] for one in storefront.get("history").get_json()["items"]]
    assert titles.count("Taken back: Review") == 1
    assert titles.count("Review") == 1  # what gave nothing; what was given came over as “Joined accounts”


def test_a_return_is_one_thing_however_many_entries_it_takes(storefront: Storefront, clock: Clock) -> None:
    storefront.see(make_order(goods=eur("138.47"), **placed(YESTERDAY)))
    clock.forward(hours=1)
    refund = make_refund("20.00", refunded_at=NOW)
    storefront.see(make_order(goods=eur("138.47"), **placed(YESTERDAY, updated_at=NOW, refunds=(refund,))))
    items = storefront.get("history").get_json()["items"]
    assert [(one["kind"], one["points"], one["title"]) for one in items] == [
        ("reversal", -20, "Return on order #1001"),
        ("earn", 138, "Order #1001"),
    ]
    assert items[0]["sentence"].endswith("= 118, and 138 were given.")


def test_history_comes_in_pages_that_neither_repeat_nor_lose(storefront: Storefront, clock: Clock) -> None:
    rule = {"key": "review", "name": "Review", "kind": "review", "points": 10}
    publish(storefront.rt, storefront.program_id, activities=[rule | {"during": {"ends": "2020-01-01"}}])
    member = storefront.member("7")
    wanted = []
    for number in range(25):
        clock.forward(hours=1)
        storefront.give(member, number + 1)
        wanted.append(number + 1)
        clock.forward(minutes=1)
        at = clock()
        storefront.see(
            make_order(order_ref=f"z{number}", number=f"#z{number}", state="open", **placed(at, paid_at=None))
        )
        wanted.append(0)
    for number in range(5):
        clock.forward(hours=1)
        does(storefront, f"a{number}")
        wanted.append(0)
    seen: list[int] = []
    ids: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = storefront.get("history", **({"cursor": cursor} if cursor else {})).get_json()
        assert len(page["items"]) <= 20
        seen += [one["points"] for one in page["items"]]
        ids += [one["id"] for one in page["items"]]
        cursor = page["next"]
    assert seen == wanted[::-1]
    assert len(set(ids)) == 55


@pytest.mark.parametrize("cursor", ["x", "e1", "e1-o1", "e-1-o1-a1", "e1-o1-a1'", "e1-o1-a", "e١-o1-a1"])
def test_a_cursor_that_is_none_is_refused(storefront: Storefront, cursor: str) -> None:
    storefront.member("7")
    assert storefront.get("history", cursor=cursor).status_code == 400


def test_history_is_ones_own(storefront: Storefront) -> None:
    storefront.see(make_order(**placed(YESTERDAY)))
    storefront.see(make_order(order_ref="2", state="open", **placed(YESTERDAY, paid_at=None)))
    storefront.member("8")
    assert storefront.get("history", "8").get_json() == {"items": [], "next": None}
    assert len(storefront.get("history", "7").get_json()["items"]) == 2


def test_text_from_outside_comes_back_as_json_text(storefront: Storefront) -> None:
    storefront.see(make_order(number=HOSTILE, **placed(YESTERDAY)))
    answer = storefront.get("history")
    assert answer.mimetype == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.get_json()["items"][0]["title"] == f"Order {HOSTILE}"


def test_an_order_that_waits_for_a_rate_says_so(storefront: Storefront) -> None:
    storefront.member("7")
    storefront.see(make_order(goods=Money(5000, "JPY"), **placed(YESTERDAY)))
    (item,) = storefront.get("history").get_json()["items"]
    assert item["sentence"] == (
        "The program has no rate for JPY yet: the order is counted once there is one."
    )


# --- How often ---------------------------------------------------------------------------------------------


def test_one_shopper_who_asks_too_often_waits_and_others_do_not(storefront: Storefront) -> None:
    storefront.member("7")
    answers = [storefront.post("redemptions", {"reward": "none"}, key="k").status_code for _ in range(31)]
    assert answers == [409] * 30 + [429]
    refused = storefront.post("redemptions", {"reward": "none"}, key="k")
    assert refused.mimetype == "application/problem+json"
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert storefront.get("me").status_code == 200
    storefront.member("8")
    assert storefront.post("redemptions", {"reward": "none"}, "8", key="k").status_code == 409


def test_a_too_busy_answer_can_be_read_by_the_shops_pages(storefront: Storefront) -> None:
    storefront.member("7")
    for _ in range(30):
        storefront.post("join")
    answer = storefront.client.post(
        "/storefront/v1/join",
        query_string={"key": storefront.shop.key},
        json={},
        headers={"Authorization": f"Bearer {storefront.token()}", "Origin": storefront.known.url},
    )
    assert answer.status_code == 429
    assert answer.headers["Access-Control-Allow-Origin"] == storefront.known.url


# --- The look ----------------------------------------------------------------------------------------------


def test_without_a_word_of_the_merchant_the_look_is_laurels(storefront: Storefront) -> None:
    assert storefront.get("me", None).get_json()["look"] == {
        "accent": {"light": "#1b6b4c", "dark": "#63c79a"},
        "on_accent": {"light": "#ffffff", "dark": "#06281a"},
        "accent_text": {"light": "#1b6b4c", "dark": "#7bd3aa"},
        "radius": 10,
        "position": "end",
        "font": "system",
    }


@pytest.mark.parametrize("sub", [None, "7"])
def test_a_published_look_is_there_with_the_next_question(
    storefront: Storefront, rt: Runtime, sub: str | None
) -> None:
    storefront.member("7")
    assert storefront.get("me", sub).get_json()["look"]["radius"] == 10  # remembered from now on
    look = {"accent": "#FFD400", "radius": 0, "position": "start", "font": "shop"}
    publish(rt, storefront.program_id, look=look)
    assert storefront.get("me", sub).get_json()["look"] == {
        "accent": {"light": "#ffd400", "dark": "#ffd400"},
        "on_accent": {"light": "#10130f", "dark": "#10130f"},
        "accent_text": {"light": "#7a6600", "dark": "#ffd400"},
        "radius": 0,
        "position": "start",
        "font": "shop",
    }


def test_a_members_link_leads_to_the_shops_front_page(storefront: Storefront) -> None:
    storefront.member("7")
    storefront.set_shop(url="https://fern.example/shop/")
    told = storefront.post("referral-code").get_json()
    assert told["link"] == f"https://fern.example/shop/?laurel_friend={told['code']}"
