"""Members are to be told in time that points end: once for each reminder, and not of what is true no more."""

from datetime import timedelta

import pytest

from app.domain.program import default_document
from app.services.check_document import WrongDocument, check_document
from app.services.plan_reminders import plan_reminders
from app.services.runtime import Runtime
from tests.conftest import Clock, make_program
from tests.services.books import publish
from tests.services.test_counting import LATER, paid, spend
from tests.services.test_counting_time import at
from tests.services.test_settle_orders import Shop


def open_shop(rt: Runtime, kind: str, days: int, *reminders: int) -> Shop:
    program_id = make_program(rt)
    publish(rt, program_id, expiry={"kind": kind, "days": days, "reminders": list(reminders)})
    return Shop(rt, program_id)


def planned(shop: Shop) -> list[tuple[int, int]]:
    plan_reminders(shop.rt, shop.program_id)
    with shop.rt.db.begin(shop.program_id) as session:
        rows = session.rows(
            "SELECT days_before, points FROM reminders WHERE {fence} ORDER BY ends_at, days_before DESC"
        )
    return [(row.days_before, row.points) for row in rows]


def send_all(shop: Shop) -> None:
    with shop.rt.db.begin(shop.program_id) as session:
        session.run("UPDATE reminders SET sent_at = :now WHERE {fence}", now=shop.rt.now())


@pytest.mark.parametrize("kind", ["after_days", "after_inactivity_days"])
def test_each_reminder_is_planned_once_when_its_day_has_come(rt: Runtime, clock: Clock, kind: str) -> None:
    shop = open_shop(rt, kind, 60, 7, 30)
    shop.see(paid("1", "40.00", LATER), paid("2", "10.00", LATER))
    assert planned(shop) == []
    at(shop, clock, LATER + timedelta(days=31))
    assert planned(shop) == planned(shop) == [(30, 50)]
    send_all(shop)
    assert planned(shop) == [(30, 50)]
    at(shop, clock, LATER + timedelta(days=54))
    assert planned(shop) == [(30, 50), (7, 50)]


def test_what_was_missed_is_not_made_up_for_by_two_at_once(rt: Runtime, clock: Clock) -> None:
    shop = open_shop(rt, "after_days", 60, 30, 7)
    shop.see(paid("1", "40.00", LATER))
    at(shop, clock, LATER + timedelta(days=55))
    assert planned(shop) == [(7, 40)]


def test_points_that_were_used_need_no_reminder(rt: Runtime, clock: Clock) -> None:
    shop = open_shop(rt, "after_days", 60, 30)
    shop.see(paid("1", "100.00", LATER))
    at(shop, clock, LATER + timedelta(days=40))
    assert planned(shop) == [(30, 100)]
    spend(shop, "amount-5")
    clock.forward(hours=1)
    assert planned(shop) == []


def test_who_came_back_needs_no_reminder(rt: Runtime, clock: Clock) -> None:
    shop = open_shop(rt, "after_inactivity_days", 60, 30)
    shop.see(paid("1", "100.00", LATER))
    at(shop, clock, LATER + timedelta(days=40))
    assert planned(shop) == [(30, 100)]
    shop.see(paid("2", "5.00", LATER + timedelta(days=40)))
    clock.forward(hours=1)
    assert planned(shop) == []


def test_a_reminder_before_points_are_given_is_refused() -> None:
    document = default_document("Sprig", "EUR", "UTC")
    document["expiry"] = {"kind": "after_days", "days": 30, "reminders": [30]}
    with pytest.raises(WrongDocument, match=r"expiry\.reminders"):
        check_document(document)
