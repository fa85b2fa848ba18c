"""What a basket would earn is what its order then earns, or is said to be about so much."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.db import shop_facts
from app.domain.orders import OrderLine
from app.domain.program import default_document
from app.services.block_member import block_member
from app.services.runtime import Runtime
from tests.conftest import NOW, make_program
from tests.factories import eur, make_order
from tests.web.shoppers import Storefront, make_storefront

ONE = "11.0.2.2000.0.200.0"  # two of product 11 for 20.00, with 2.00 of tax
YESTERDAY = NOW - timedelta(days=1)


def asked(storefront: Storefront, sub: str | None = "7", /, **query: str) -> Any:
    answer = storefront.get("estimate", sub, **{"currency": "EUR", "lines": ONE, **query})
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def open_front(rt: Runtime, client: FlaskClient, **earn: Any) -> Storefront:
    document = default_document("Sprig", "EUR", "UTC")
    document["earn"] |= earn
    return make_storefront(rt, client, make_program(rt, document=document))


def order(ref: str, cents: int, **changes: Any) -> Mapping[str, Any]:
    at = changes.pop("at", NOW)
    line = OrderLine(line_ref="0", product_ref="11", quantity=2, goods_minor=cents, tax_minor=cents // 10)
    return {
        "order_ref": ref,
        "goods": eur(f"{cents // 100}.{cents % 100:02d}"),
        "lines": (line,),
        "placed_at": at,
        "paid_at": at,
        "updated_at": at,
        **changes,
    }


def test_a_member_is_told_what_the_order_then_earns(storefront: Storefront) -> None:
    storefront.see(make_order(**order("a", 62000, at=YESTERDAY)))  # silver: 125 %
    assert asked(storefront) == {"points": 25, "text": "25 points", "about": False}
    storefront.see(make_order(**order("b", 2000)))
    assert storefront.scalar("SELECT target_points FROM orders WHERE {fence} AND order_ref = 'b'") == 25


@pytest.mark.parametrize("lang", ["de", "fr", "ru"])
def test_it_is_said_in_the_shoppers_language(storefront: Storefront, lang: str) -> None:
    storefront.member()
    text = asked(storefront, lang=lang)["text"]
    assert text == {"de": "20 Punkte", "fr": "20 points", "ru": "20 баллов"}[lang]


def test_a_guest_hears_about_what_somebody_new_has(storefront: Storefront) -> None:
    assert asked(storefront, None) == {"points": 20, "text": "20 points", "about": True}  # tiers differ


def test_a_guest_hears_exactly_where_everybody_earns_the_same(rt: Runtime, client: FlaskClient) -> None:
    document = default_document("Sprig", "EUR", "UTC")
    document["tiers"]["levels"] = document["tiers"]["levels"][:1]
    front = make_storefront(rt, client, make_program(rt, document=document))
    assert asked(front, None) == {"points": 20, "text": "20 points", "about": False}


def test_nothing_is_said_in_a_currency_without_a_rate(storefront: Storefront) -> None:
    assert asked(storefront, currency="JPY") == {"points": None, "text": None, "about": False}


def test_gift_cards_and_fees_are_left_out_and_delivery_counts_where_it_counts(
    rt: Runtime, client: FlaskClient
) -> None:
    front = open_front(rt, client, base={"shipping": True})
    front.member()
    assert asked(front, lines=f"{ONE},12.0.1.5000.0.0.1", fees="300", delivery="750")["points"] == 24


def test_what_products_belong_to_is_asked_for_a_member_and_then_known(
    rt: Runtime, client: FlaskClient
) -> None:
    front = open_front(
        rt,
        client,
        rates=[{"key": "tea", "name": "Tea", "of": {"collections": ["3"]}, "points": 5, "spend_minor": 100}],
    )
    member_id = front.member()
    assert asked(front, None)["about"] is True
    assert front.scalar("SELECT count(*) FROM product_facts WHERE {fence}") == 0  # of a guest nothing is kept
    assert asked(front) == {"points": 20, "text": "20 points", "about": True}
    assert front.scalar("SELECT count(*) FROM product_facts WHERE {fence} AND wanted") == 1
    with rt.db.begin(front.program_id) as session:
        shop_facts.put_groups(session, front.shop.shop_id, {"11": ["collection:3"]}, now=rt.now())
    assert asked(front) == {"points": 100, "text": "100 points", "about": False}
    assert member_id


def test_a_limit_that_is_used_up_is_known_and_asking_uses_nothing_up(
    rt: Runtime, client: FlaskClient
) -> None:
    front = open_front(rt, client, caps=[{"key": "day", "name": "25 a day", "points": 25, "per": "day"}])
    front.member()
    assert [asked(front)["points"], asked(front)["points"]] == [20, 20]
    front.see(make_order(**order("a", 2000)))
    assert asked(front)["points"] == 5


def test_a_rule_for_one_channel_is_about_until_the_channel_is_known(rt: Runtime, client: FlaskClient) -> None:
    front = open_front(rt, client, channels=["checkout"])
    front.member()
    assert asked(front) == {"points": 0, "text": "0 points", "about": True}
    assert asked(front, channel="checkout") == {"points": 20, "text": "20 points", "about": False}


def test_a_blocked_member_earns_nothing(storefront: Storefront) -> None:
    member_id = storefront.member()
    block_member(storefront.rt, storefront.program_id, member_id, reason="resells", actor="Ada")
    assert asked(storefront)["points"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "euro"},
        {"currency": "XXY"},
        {"lines": ""},
        {"lines": "11"},
        {"lines": "11.0.2.-2000.0.0.0"},
        {"lines": "11.0.2.20.00.0.0.0"},
        {"lines": "١١.0.2.2000.0.0.0"},
        {"lines": ",".join([ONE] * 201)},
        {"fees": "1e3"},
        {"delivery": "7.50"},
    ],
)
def test_what_is_no_basket_is_refused(storefront: Storefront, wrong: dict[str, str]) -> None:
    answer = storefront.get("estimate", "7", **{"currency": "EUR", "lines": ONE, **wrong})
    assert answer.status_code == 422
    assert answer.get_json()["code"] == "invalid"
