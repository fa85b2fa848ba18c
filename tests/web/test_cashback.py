"""A program that counts in money: the same ledger, shown as money everywhere, and so for good."""

import copy
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.program import CountsIn, decode, default_document
from app.services.audit import audit
from app.services.check_document import WrongDocument, check_document
from app.services.create_api_key import create_api_key
from app.services.describe_rules import describe_rules
from app.services.preview_program import preview_program
from app.services.publish_program import get_version, publish_program
from app.services.replay import replay
from app.services.runtime import Runtime
from tests.conftest import NOW, make_program
from tests.factories import eur, make_order, make_refund
from tests.web.admin.desk import Desk, fill
from tests.web.admin.test_policies import address, routes
from tests.web.shoppers import Storefront, make_storefront

YESTERDAY = NOW - timedelta(days=1)
CASHBACK = default_document("Sprig", "EUR", "UTC", counts_in=CountsIn.MONEY)


@pytest.fixture
def back(rt: Runtime, client: FlaskClient) -> Storefront:
    return make_storefront(rt, client, make_program(rt, document=CASHBACK))


def buys(back: Storefront, refunded: str | None = None) -> None:
    back.see(
        make_order(
            goods=eur("29.98"),
            placed_at=YESTERDAY,
            paid_at=YESTERDAY,
            updated_at=YESTERDAY if refunded is None else NOW,
            refunds=() if refunded is None else (make_refund(refunded),),
        )
    )


def test_a_shopper_sees_money(back: Storefront, no_wait: None) -> None:
    buys(back)
    me = back.get("me").get_json()
    assert (me["program"]["unit"], me["program"]["earn_sentence"]) == ("EUR", "5\u00a0% back")
    balance = me["member"]["balance"]
    assert (balance["available"], balance["available_text"]) == (149, "€1.49")
    (item,) = back.get("history").get_json()["items"]
    assert (item["points"], item["points_text"]) == (149, "€1.49")
    assert item["sentence"] == "29.98 of goods × 5\u00a0%, rounded down."
    assert {"label": "Money", "value": "€1.49"} in item["facts"]
    (reward,) = back.get("rewards").get_json()["rewards"]
    assert (reward["cost_text"], reward["title"]) == ("€1.00", "€1.00 off for every €1.00")
    bought = back.post("redemptions", {"reward": "money-off", "points": 100}, key="k-1").get_json()
    assert (bought["cost_text"], bought["reward"]["title"]) == ("€1.00", "€1.00 off")
    short = back.post("redemptions", {"reward": "money-off", "points": 100}, key="k-2").get_json()
    assert short["detail"] == "€1.00 is needed, €0.49 is available."


def test_a_return_takes_its_share_and_everything_stays_true(back: Storefront, rt: Runtime) -> None:
    buys(back)
    buys(back, refunded="10.00")
    (first,) = back.get("history").get_json()["items"]
    assert first["sentence"] == (
        "10.00 of goods went back. 19.98 of goods × 5\u00a0%, rounded down = €0.99, and €1.49 was given."
    )
    assert replay(rt, back.program_id).differences == []
    assert audit(rt, back.program_id).problems == []


def test_the_api_says_what_is_counted(back: Storefront, rt: Runtime, storefront: Storefront) -> None:
    for shop, unit in ((back, "EUR"), (storefront, "points")):
        member_id = shop.member(points=5)
        headers = {"Authorization": f"Bearer {create_api_key(rt, shop.program_id, 'the till').token}"}
        for path in (f"members/{member_id}", f"members/{member_id}/entries"):
            assert shop.client.get(f"/api/v1/{path}", headers=headers).get_json()["unit"] == unit
        (reward, *_) = shop.client.get("/api/v1/rewards", headers=headers).get_json()["rewards"]
        assert reward["unit"] == unit


def test_the_unit_of_a_ledger_never_changes(back: Storefront, storefront: Storefront, rt: Runtime) -> None:
    for shop, now, other in ((back, "money", "points"), (storefront, "points", "money")):
        document = dict(get_version(rt, shop.program_id, None).document) | {"counts_in": other}
        for attempt in (
            lambda shop=shop, document=document: publish_program(rt, shop.program_id, document, by="Ada"),
            lambda shop=shop, document=document: preview_program(rt, shop.program_id, document),
        ):
            with pytest.raises(WrongDocument) as wrong:
                attempt()
            ((field, why),) = wrong.value.faults
            assert (field, f"entries are in {now}" in why) == ("counts_in", True)
    said = dict(get_version(rt, storefront.program_id, None).document) | {
        "counts_in": "points",
        "name": "New",
    }
    assert (
        publish_program(rt, storefront.program_id, said, by="Ada") == 2
    )  # to say what is so anyway is no change


def test_what_is_no_unit_and_no_language_of_ours_is_told(rt: Runtime) -> None:
    with pytest.raises(WrongDocument) as wrong:
        check_document(CASHBACK | {"counts_in": "miles", "language": "pt"})
    assert [field for field, _ in wrong.value.faults] == ["counts_in", "language"]


def test_the_program_page_says_so() -> None:
    told = describe_rules(decode(CASHBACK | {"language": "et"}, 1))
    assert [(one.name, one.text) for one in told] == [
        ("Cashback", "counts money, in EUR, for good"),
        ("Language", "“et” for shoppers whose own is not known"),
    ]


# --- The word that is nowhere ------------------------------------------------------------------------------

_POINTS = re.compile(r"\bpoints?\b", re.IGNORECASE)


@pytest.fixture
def money_desk(rt: Runtime, app: Flask) -> Desk:
    """A cashback program with a bit of everything: levels, caps, steps, a budget, activities, open and closed codes."""
    document = copy.deepcopy(CASHBACK)
    document["earn"] |= {
        "hold_days": 1,
        "exclude": {"products": ["8"]},
        "campaigns": [{"key": "june", "name": "June", "percent": 200}],
        "bonuses": [{"key": "first", "name": "First", "points": 50, "order_number": 1}],
        "goals": [{"key": "month", "name": "A month", "points": 75, "spend_minor": 10_000, "per": "month"}],
        "caps": [{"key": "day", "name": "A day", "points": 5_000, "per": "day"}],
        "exclude_members": {"orders_from": 90},
    }
    document["activities"] = [{"key": "review", "name": "Review", "kind": "review", "points": 10}]
    document["referral"] = {"referrer_points": 200, "friend_points": 100}
    document["budget"] = {"minor": 1, "points": 100, "worth_minor": 100, "at_limit": "warn"}
    document["rewards"] += [
        {"key": "amount-5", "kind": "amount", "cost": 500, "amount_minor": 500},
        {"key": "free-shipping", "kind": "free_shipping", "cost": 100},
    ]
    document["expiry"] = {"kind": "after_days", "days": 365}
    document["tiers"]["levels"] = [
        {"key": "member", "name": "Member", "from_minor": 0, "earn_percent": 100},
        {"key": "gold", "name": "Gold", "from_points": 9_000, "earn_percent": 150, "entry_points": 500},
    ]
    return Desk(rt, app, document=document)


def test_no_page_of_the_admin_says_points(money_desk: Desk) -> None:
    desk, owner, world = money_desk, money_desk.owner, fill(money_desk)
    adjust = f"/admin/members/{world.member}/adjust"
    owner.post(adjust, points="9.50", reason="A mug was broken", direction="add")
    wrong = owner.post(adjust, 422, points="90000", reason="x", direction="take").text
    assert "That is more than is available: €" in wrong
    assert said(wrong) == []
    walked = 0
    for endpoint, method, rule in routes(desk.app):
        if method == "GET" and endpoint not in ("admin.member_data", "admin.body", "admin.edit_program"):
            page = desk.owner.client.get(address(rule, desk, world), headers={"Accept": "text/html"})
            assert said(page.text) == [], rule
            walked += page.status_code == 200
    assert walked > 25


def test_whose_page_is_opened_first_does_not_decide_what_the_next_says(
    rt: Runtime, app: Flask, money_desk: Desk
) -> None:
    points_desk = Desk(rt, app)
    for desk, word in (
        (points_desk, "Adjust points"),
        (money_desk, "Adjust cashback"),
        (points_desk, "Adjust points"),
    ):
        world = fill(desk)
        assert f"{word} of " in desk.owner.get(f"/admin/members/{world.member}/adjust")


def said(page: str) -> list[str]:
    """What a reader sees of a page that speaks of points; names of fields and addresses are nobody's words."""
    words = re.sub(r"<(script|style|textarea|svg|pre).*?</\1>", " ", page, flags=re.DOTALL)
    shown = " ".join(re.findall(r'(?:aria-label|data-label|placeholder|title)="([^"]*)"', words))
    text = f"{re.sub('<[^>]+>', ' ', words)} {shown}"
    return [text[max(found.start() - 40, 0) : found.end() + 20] for found in _POINTS.finditer(text)]


def test_no_answer_to_a_shopper_says_points(back: Storefront, no_wait: None) -> None:
    buys(back)
    bought = back.post("redemptions", {"reward": "money-off", "points": 100}, key="k-1").get_json()
    answers = [
        *(back.get(path).get_json() for path in ("me", "rewards", "history", "redemptions")),
        back.post("redemptions", {"reward": "money-off", "points": 7}, key="k-2").get_json(),
        back.post("redemptions", {"reward": "money-off", "points": 100}, key="k-3").get_json(),
        back.post("redemptions", {"reward": "none"}, key="k-4").get_json(),
        back.post(f"redemptions/{bought['id']}/cancel").get_json(),
    ]
    for answer in answers:
        assert [
            text for text in texts(answer) if _POINTS.search(text) and text != "insufficient_points"
        ] == []


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from texts(one)
        case list():
            for one in value:
                yield from texts(one)
