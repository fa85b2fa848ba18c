"""Coupons of the WooCommerce stand-in: what REST makes of a wish, and what the checkout makes of a code."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.clock import VirtualClock
from sandbox.faults import FaultKind
from sandbox.woocommerce import CodeRefused, Shop
from tests.sandbox.receiver import recorded


def make(woo_api: httpx.Client, code: str = "LOY-1", **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = woo_api.post("coupons", json={"code": code, "amount": "5.00", **changes}).json()
    return body


def test_a_full_wish_is_answered_as_recorded(woo_api: httpx.Client) -> None:
    theirs = recorded("woocommerce_rest/4-create-full")
    mine = woo_api.post("coupons", json=theirs["request"]["body"]).json()
    own = (
        "id",
        "_links",
        "meta_data",
        "date_created",
        "date_created_gmt",
        "date_modified",
        "date_modified_gmt",
    )
    assert {k: v for k, v in mine.items() if k not in own} == {
        k: v for k, v in theirs["response"]["body"].items() if k not in own
    }


@pytest.mark.parametrize(
    ("wish", "answer"),
    [
        ({"date_expires_gmt": "2027-01-01T00:00:00"}, {"date_expires": None, "date_expires_gmt": None}),
        ({"date_expires": "2027-01-01T00:00:00Z"}, {"date_expires_gmt": "2027-01-01T00:00:00"}),
        ({"date_expires": "2027-01-01T00:00:00"}, {"date_expires_gmt": "2027-01-01T08:00:00"}),
        ({"date_expires": "2027-01-01"}, {"date_expires": "2027-01-01T00:00:00"}),
        ({"date_expires": "soon"}, {"date_expires_gmt": "1970-01-01T00:00:00"}),
        (
            {"email_restrictions": ["Alice@Example.test", "nobody"]},
            {"email_restrictions": ["alice@example.test"]},
        ),
        ({"email_restrictions": ["nobody"]}, {"email_restrictions": []}),
        ({"usage_limit": 0}, {"usage_limit": None}),
        ({"usage_limit": -1}, {"usage_limit": 1}),
        ({"amount": "5,50"}, {"amount": "550.00"}),
        ({"amount": "5.005"}, {"amount": "5.01"}),
        ({"code": "  <b>LOY</b>-Ä "}, {"code": "loy-ä"}),
    ],
)
def test_what_the_store_makes_of_a_wish(
    woo_api: httpx.Client, wish: dict[str, Any], answer: dict[str, Any]
) -> None:
    made = make(woo_api, **wish)
    assert {key: made[key] for key in answer} == answer


def test_a_name_is_taken_whatever_its_case(woo_api: httpx.Client) -> None:
    make(woo_api, "PCT-1")
    answer = woo_api.post("coupons", json={"code": "pct-1", "amount": "1"})
    theirs = recorded("woocommerce_rest/4-dup-code")["response"]
    assert (answer.status_code, answer.json()) == (theirs["status"], theirs["body"])


def test_a_definite_no_applies_nothing_and_never_meets_a_question(woo: Shop, woo_api: httpx.Client) -> None:
    woo.faults.add("*", FaultKind.REJECTED, 2)
    answer = woo_api.post("coupons", json={"code": "LOY-1", "amount": "1"})
    assert (answer.status_code, answer.json()["code"]) == (400, "rest_invalid_param")
    assert woo.coupons == {}
    assert woo_api.get("coupons").json() == []


def test_two_requests_at_once_make_two_coupons(woo: Shop, woo_api: httpx.Client) -> None:
    first = make(woo_api)
    woo.faults.add("issue_code", FaultKind.RACE)
    second = make(woo_api)
    assert first["id"] != second["id"]
    assert len(woo.coupons) == 2


def test_a_draft_is_not_found_by_its_code_and_does_not_hold_it(woo: Shop, woo_api: httpx.Client) -> None:
    draft = make(woo_api)
    woo_api.put(f"coupons/{draft['id']}", json={"status": "draft"})

    def found(**params: str) -> list[int]:
        return [row["id"] for row in woo_api.get("coupons", params=params).json()]

    assert found(code="LOY-1") == found(code="loy-1", status="any") == found() == []
    assert found(search="loy-1", status="any") == found(status="draft") == [draft["id"]]
    second = make(woo_api)
    assert found(code="LOY-1") == [second["id"]]


def test_trash_answers_as_if_published_and_is_read_by_id(woo_api: httpx.Client) -> None:
    coupon = make(woo_api)
    assert woo_api.delete(f"coupons/{coupon['id']}").json()["status"] == "publish"
    assert woo_api.get(f"coupons/{coupon['id']}").json()["status"] == "trash"
    assert woo_api.get("coupons", params={"code": "loy-1"}).json() == []
    assert woo_api.delete(f"coupons/{coupon['id']}").status_code == 410
    assert woo_api.delete(f"coupons/{coupon['id']}", params={"force": "true"}).status_code == 200
    assert woo_api.get(f"coupons/{coupon['id']}").status_code == 404


def test_use_is_counted_at_creation_and_given_back_on_cancelled_only(woo: Shop) -> None:
    coupon = woo.create_coupon("ONCE", "5.00", usage_limit=1)
    order = woo.create_order([(woo.product("Mug", "10.00"), 1)], codes=["once"])
    assert (order.status, coupon.usage_count) == ("pending", 1)
    woo.cancel(order)
    assert coupon.usage_count == 0
    woo.complete(order)
    assert coupon.usage_count == 1
    woo.refund_all(order)
    assert (order.status, coupon.usage_count) == ("refunded", 1)


def test_a_code_works_once_for_its_owner_and_then_is_used_up(woo: Shop, clock: VirtualClock) -> None:
    alice = woo.create_customer("alice@example.test")
    bob = woo.create_customer("bob@example.test")
    mug = woo.product("Mug", "10.00")
    until = datetime(2026, 12, 1, tzinfo=UTC)
    woo.create_coupon(
        "MINE",
        "5.00",
        emails=["alice@example.test"],
        minimum="20",
        usage_limit=1,
        expires=until,
        individual_use=True,
    )

    def try_it(customer: Any, quantity: int = 2) -> str:
        try:
            return woo.checkout([(mug, quantity)], customer=customer, codes=["MINE"]).status
        except CodeRefused as refused:
            return str(refused)

    assert "valid email" in try_it(bob)
    assert "minimum spend" in try_it(alice, 1)
    assert try_it(alice) == "pending"
    assert "Usage limit" in try_it(alice)
    woo.cancel(next(reversed(woo.orders.values())))
    clock.move_to(until + timedelta(seconds=1))
    assert "has expired" in try_it(alice)


@pytest.mark.parametrize(
    ("recording", "email"), [("8-wrong-email", "b@example.test"), ("8-second-use", "a@example.test")]
)
def test_the_checkouts_words_are_recorded_ones(woo: Shop, recording: str, email: str) -> None:
    mug = woo.product("Mug", "10.00")
    woo.create_coupon("bound-93422", "5.00", emails=["a@example.test"], usage_limit=1)
    if recording == "8-second-use":
        woo.checkout([(mug, 1)], email="a@example.test", codes=["bound-93422"])
    with pytest.raises(CodeRefused) as refused:
        woo.checkout([(mug, 1)], email=email, codes=["bound-93422"])
    assert str(refused.value) == recorded(f"woocommerce_rest/{recording}")["response"]["body"]["message"]


def test_percent_and_free_shipping_apply(woo: Shop) -> None:
    woo.create_coupon("TEN", "10", kind="percent")
    woo.create_coupon("SHIP", 0, free_shipping=True)
    mug = woo.product("Mug", "10.00")
    order = woo.create_order([(mug, 3)], codes=["ten", "ship"], shipping="7.50")
    assert (str(order.lines[0].total), str(order.shipping_total)) == ("27.00", "0")
