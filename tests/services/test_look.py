"""A look is a version like every other, and moves no points."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.domain.look import Font, Look, Position
from app.domain.money import Money
from app.domain.orders import OrderSnapshot
from app.domain.program import default_document
from app.services.audit import audit
from app.services.change_look import change_look
from app.services.check_document import WrongDocument, check_document
from app.services.describe_look import mended
from app.services.diff_documents import diff_documents
from app.services.preview_program import preview_program
from app.services.publish_program import list_versions, live_program
from app.services.replay import replay
from app.services.runtime import Runtime
from app.services.settle_orders import Seen, settle_orders
from app.services.start_from_template import TEMPLATES, start_from_template
from tests.conftest import NOW, Clock
from tests.factories import make_order, make_refund
from tests.services.houses import House, make_shop

YELLOW = Look(accent="#ffd400", radius=4, position=Position.START, font=Font.SHOP)


def document(**look: Any) -> dict[str, Any]:
    return {**default_document("Fern & Field", "EUR", "UTC"), "look": look}


@pytest.mark.parametrize(
    ("look", "faults"),
    [
        ({"accent": "yellow"}, [("look.accent", "'yellow' is not written as in #1b6b4c")]),
        ({"radius": 25}, [("look.radius", "25 is greater than the maximum of 24")]),
        ({"radius": 4.5}, [("look.radius", "4.5 is not of type 'integer'")]),
        ({"position": "left"}, [("look.position", "'left' is not one of ['start', 'end']")]),
        (
            {"accent": "#ffd40", "font": "Comic Sans", "radius": -1},
            [
                ("look.accent", "'#ffd40' is not written as in #1b6b4c"),
                ("look.font", "'Comic Sans' is not one of ['shop', 'system']"),
                ("look.radius", "-1 is less than the minimum of 0"),
            ],
        ),
        (
            {"color": "#ffd400"},
            [("look", "Additional properties are not allowed ('color' was unexpected)")],
        ),
    ],
)
def test_all_that_is_wrong_is_told_with_field_found_and_allowed(
    look: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    with pytest.raises(WrongDocument) as wrong:
        check_document(document(**look))
    assert wrong.value.faults == faults


@pytest.mark.parametrize(
    "look", [{}, {"accent": "#FFD400", "radius": 24, "position": "start", "font": "shop"}]
)
def test_every_part_of_a_look_may_be_left_out(look: dict[str, Any]) -> None:
    check_document(document(**look))


def test_what_was_mended_is_said_and_what_serves_is_not() -> None:
    assert mended(Look()) == []
    assert mended(Look(accent="#ffffff")) == [
        "On white, a button of #ffffff would not be seen: it is #000000 there.",
        "As text and icon on white, #ffffff is too light to be read: #000000 is used.",
    ]
    assert "White could not be read on the button, so what is written on it is dark." in mended(
        Look(accent="#ffd400")
    )
    assert mended(Look(accent="#000000")) == [
        "On dark pages, a button of #000000 would hardly be seen: it is #ffffff there.",
        "As text and icon on dark pages, #000000 is too dark to be read: #ffffff is used.",
    ]


def order(ref: str, spent: str, days: int, **changes: Any) -> OrderSnapshot:
    at = NOW - timedelta(days=days)
    return make_order(
        order_ref=ref,
        goods=Money.parse(spent, "EUR"),
        customer_ref="7",
        placed_at=at,
        paid_at=at,
        updated_at=at,
        **changes,
    )


def see(house: House, *orders: OrderSnapshot) -> None:
    with house.rt.db.begin(house.program_id) as session:
        seen = [Seen(shop_id=house.shop.shop_id, order=one) for one in orders]
        settle_orders(session, house.rt.vault, seen, now=house.rt.now())


def test_no_point_moves_with_the_look_and_the_books_stay_true(
    rt: Runtime, program_id: int, clock: Clock
) -> None:
    house = House(rt, program_id, make_shop(rt, program_id, currency="EUR"))
    see(house, order("1", "620.00", 3), order("2", "40.00", 2))
    before = (house.points("1"), house.points("2"), house.balance("7"))
    draft = {**list_versions(rt, program_id)[0].document, "look": {"accent": "#ffd400"}}
    found = preview_program(rt, program_id, draft)
    assert (found.orders, found.points, found.tiers) == (0, 0, ())
    assert [str(one) for one in found.changes] == ['+ look: {"accent": "#ffd400"}']
    assert change_look(rt, program_id, YELLOW, by="Ada", based_on=1) == 2
    assert (house.points("1"), house.points("2"), house.balance("7")) == before
    clock.forward(hours=1)
    again = order("1", "620.00", 3, refunds=(make_refund("20.00", refunded_at=NOW),))
    see(house, replace(again, updated_at=NOW), order("3", "40.00", 0))
    assert (house.points("1"), house.points("3")) == (600, house.points("2"))
    assert [str(one) for one in audit(rt, program_id).problems] == []
    assert [str(one) for one in replay(rt, program_id).differences] == []


def test_a_changed_look_says_who_what_and_leaves_the_rest(rt: Runtime, program_id: int) -> None:
    change_look(rt, program_id, YELLOW, by="Ada", based_on=1)
    made, first = list_versions(rt, program_id)
    assert (made.published_by, live_program(rt, program_id).look) == ("Ada", YELLOW)
    assert made.note.startswith("Look: colour #ffd400; corners 4 px; button on the shops’ pages left")
    assert [one.field for one in diff_documents(first.document, made.document)] == ["look"]
    assert {**made.document, "look": None} == {**first.document, "look": None}


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_template_keeps_the_look(key: str) -> None:
    assert start_from_template(key, like=document(accent="#ffd400"))["look"] == {"accent": "#ffd400"}
    assert "look" not in start_from_template(key, like=default_document("Fern", "EUR", "UTC"))
