"""Birthdays: told with consent, sealed, paid on the local day, once a year and never sooner than after eleven months."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.errors import Refused
from app.services.block_member import block_member
from app.services.do_due import do_due
from app.services.erase_member import erase_member
from app.services.export_member import export_member
from app.services.find_merges import join_members, part_members
from app.services.pay_birthdays import pay_birthdays
from app.services.runtime import Runtime
from app.services.set_birthday import forget_birthday, set_birthday
from tests.conftest import Clock
from tests.services.books import entries, publish
from tests.services.crowd import BIRTHDAY, Crowd, make_crowd


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.fixture
def crowd(rt: Runtime, clock: Clock) -> Crowd:
    crowd = make_crowd(rt, activities=[BIRTHDAY], timezone="America/New_York")
    clock.at = at("2027-03-01T12:00:00-05:00")
    pay_birthdays(rt, crowd.program_id)
    return crowd


def born(crowd: Crowd, member_id: int, day: str) -> None:
    set_birthday(crowd.rt, crowd.program_id, member_id, day, consent=True, actor="api:the till")


def due(crowd: Crowd, clock: Clock, text: str) -> int:
    clock.at = at(text)
    return pay_birthdays(crowd.rt, crowd.program_id)


def test_it_is_paid_on_the_programs_own_day_once(crowd: Crowd, clock: Clock) -> None:
    ann = crowd.member("ann")
    born(crowd, ann, "03-10")
    assert due(crowd, clock, "2027-03-09T23:59:00-05:00") == 0  # in UTC it is the 10th already
    assert due(crowd, clock, "2027-03-10T00:01:00-05:00") == 1
    assert due(crowd, clock, "2027-03-10T09:00:00-05:00") == 0
    assert due(crowd, clock, "2027-03-11T09:00:00-05:00") == 0
    (entry,) = entries(crowd.rt, crowd.program_id, ann)
    assert (entry.points, entry.occurred_at) == (40, at("2027-03-10T00:00:00-05:00"))
    crowd.require_proof()


def test_it_comes_again_every_year(crowd: Crowd, clock: Clock) -> None:
    ann = crowd.member("ann")
    born(crowd, ann, "03-10")
    for year in (2027, 2028, 2029):
        assert due(crowd, clock, f"{year}-03-10T12:00:00-05:00") == 1
    assert crowd.has(ann) == 120
    crowd.require_proof()


def test_a_late_run_makes_up_for_every_day_that_was_missed(crowd: Crowd, clock: Clock) -> None:
    people = {day: crowd.member(day) for day in ("03-02", "03-15", "03-31", "04-01")}
    for day, member_id in people.items():
        born(crowd, member_id, day)
    assert due(crowd, clock, "2027-03-01T13:00:00-05:00") == 0
    assert due(crowd, clock, "2027-03-31T13:00:00-04:00") == 3
    assert due(crowd, clock, "2027-03-31T14:00:00-04:00") == 0
    assert [crowd.has(one) for one in people.values()] == [40, 40, 40, 0]
    crowd.require_proof()


def test_a_run_that_breaks_off_is_gone_on_with(
    crowd: Crowd, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        born(crowd, crowd.member(f"m{number}"), "03-10")
    assert due(crowd, clock, "2027-03-09T12:00:00-05:00") == 0
    clock.at = at("2027-03-10T12:00:00-05:00")
    monkeypatch.setattr("app.services.pay_birthdays.BATCH", 2)
    rt = crowd.rt
    ends = iter([False, False, False, True])  # the second page of the second day

    def breaks() -> datetime:
        if next(ends, False):
            raise ConnectionError
        return clock.at

    object.__setattr__(rt, "clock", breaks)
    with pytest.raises(ConnectionError):
        pay_birthdays(rt, crowd.program_id)
    object.__setattr__(rt, "clock", clock)
    assert pay_birthdays(rt, crowd.program_id) == 3
    assert crowd.scalar("SELECT sum(points) FROM accounts WHERE {fence}") == 200
    crowd.require_proof()


@pytest.mark.parametrize(("year", "day"), [(2028, "02-29"), (2029, "02-28")])
def test_the_29th_of_february_is_kept_on_the_28th_in_other_years(
    crowd: Crowd, clock: Clock, year: int, day: str
) -> None:
    ann = crowd.member("ann")
    due(crowd, clock, f"{year}-02-01T12:00:00-05:00")
    born(crowd, ann, "02-29")
    days = ("02-27", "02-28", "03-01") if year == 2029 else ("02-28", "02-29", "03-01")
    paid = [one for one in days if due(crowd, clock, f"{year}-{one}T12:00:00-05:00")]
    assert paid == [day]


# And: members move their birthday to be given it again.
def test_another_date_brings_no_second_one(crowd: Crowd, clock: Clock) -> None:
    ann = crowd.member("ann")
    born(crowd, ann, "03-10")
    due(crowd, clock, "2027-03-10T12:00:00-05:00")
    born(crowd, ann, "06-01")
    assert due(crowd, clock, "2027-06-01T12:00:00-04:00") == 0  # once a calendar year
    born(crowd, ann, "01-02")
    assert due(crowd, clock, "2028-01-02T12:00:00-05:00") == 1  # another year, but ten months later
    assert (crowd.has(ann), crowd.why(ann, "birthday")) == (40, "too_soon")
    born(crowd, ann, "03-10")
    assert due(crowd, clock, "2028-03-10T12:00:00-05:00") == 0  # that year had its one
    assert crowd.has(ann) == 40
    crowd.require_proof()


def test_a_birthday_that_is_past_when_it_is_told_waits_for_the_next(crowd: Crowd, clock: Clock) -> None:
    ann, ben = crowd.member("ann"), crowd.member("ben")
    due(crowd, clock, "2027-03-01T13:00:00-05:00")
    clock.at = at("2027-03-05T12:00:00-05:00")
    born(crowd, ann, "03-04")
    born(crowd, ben, "03-05")
    assert due(crowd, clock, "2027-03-05T13:00:00-05:00") == 1
    assert (crowd.has(ann), crowd.has(ben)) == (0, 40)


def test_two_accounts_made_one_have_one_birthday(crowd: Crowd, clock: Clock) -> None:
    ann, anna = crowd.member("ann"), crowd.member("anna")
    for one, day in ((ann, "03-10"), (anna, "03-20")):
        born(crowd, one, day)
    due(crowd, clock, "2027-03-20T12:00:00-04:00")
    assert (crowd.has(ann), crowd.has(anna)) == (40, 40)
    merged = join_members(crowd.rt, crowd.program_id, ann, anna, actor="Ada")
    assert crowd.has(ann) == 40
    due(crowd, clock, "2028-03-20T12:00:00-04:00")
    assert crowd.has(ann) == 80
    crowd.require_proof()
    part_members(crowd.rt, crowd.program_id, merged.merge_id)
    crowd.require_proof()


def test_who_is_blocked_on_the_day_gets_none_and_says_so(crowd: Crowd, clock: Clock) -> None:
    ann = crowd.member("ann")
    born(crowd, ann, "03-10")
    block_member(crowd.rt, crowd.program_id, ann, reason="fraud", actor="Ada")
    due(crowd, clock, "2027-03-10T12:00:00-05:00")
    assert (crowd.has(ann), crowd.why(ann, "birthday")) == (0, "blocked")


def test_the_rule_of_the_day_counts(crowd: Crowd, clock: Clock) -> None:
    people = [crowd.member(day) for day in ("03-09", "03-11")]
    born(crowd, people[0], "03-09")
    born(crowd, people[1], "03-11")
    due(crowd, clock, "2027-03-01T13:00:00-05:00")
    clock.at = at("2027-03-10T12:00:00-05:00")
    publish(crowd.rt, crowd.program_id, activities=[{**BIRTHDAY, "points": 99}])
    assert due(crowd, clock, "2027-03-12T12:00:00-05:00") == 2
    assert [crowd.has(one) for one in people] == [40, 99]
    crowd.require_proof()


def test_it_is_part_of_the_hourly_round(crowd: Crowd, clock: Clock) -> None:
    ann = crowd.member("ann")
    born(crowd, ann, "03-01")
    do_due(crowd.rt, crowd.program_id)
    assert crowd.has(ann) == 40


def test_the_day_is_sealed_handed_over_withdrawn_and_erased(crowd: Crowd) -> None:
    ann, ben = crowd.member("ann"), crowd.member("ben")
    born(crowd, ann, "03-10")
    born(crowd, ben, "03-10")
    stored = crowd.scalar("SELECT string_agg(b::text, '') FROM birthdays b WHERE {fence:b}")
    assert "03-10" not in stored
    assert b"03-10".hex() not in stored
    assert export_member(crowd.rt, crowd.program_id, ann)["birthday"] == "03-10"
    forget_birthday(crowd.rt, crowd.program_id, ben)
    erase_member(crowd.rt, crowd.program_id, ann)
    assert crowd.scalar("SELECT count(*) FROM birthdays WHERE {fence}") == 0
    with pytest.raises(Refused, match="asked to be forgotten"):
        born(crowd, ann, "03-10")


@pytest.mark.parametrize("day", ["02-30", "13-01", "3-1", "1990-03-10", "", "٠١-٠٢"])
def test_what_is_no_day_of_the_year_is_refused(crowd: Crowd, day: str) -> None:
    with pytest.raises(Refused, match="no day of the year"):
        born(crowd, crowd.member("ann"), day)


def test_without_consent_nothing_is_kept(crowd: Crowd) -> None:
    ann = crowd.member("ann")
    with pytest.raises(Refused, match="agreed"):
        set_birthday(crowd.rt, crowd.program_id, ann, "03-10", consent=False, actor="x")
    assert crowd.scalar("SELECT count(*) FROM birthdays WHERE {fence}") == 0


def test_a_day_without_a_midnight_is_a_day_like_any_other(rt: Runtime, clock: Clock) -> None:
    crowd = make_crowd(rt, activities=[BIRTHDAY], timezone="Africa/Cairo")
    clock.at = at("2027-04-29T12:00:00+02:00")
    ann = crowd.member("ann")
    born(crowd, ann, "04-30")  # clocks go forward at its midnight
    assert due(crowd, clock, "2027-04-29T21:59:00+00:00") == 0
    assert due(crowd, clock, "2027-04-29T22:01:00+00:00") == 1
    assert due(crowd, clock, "2027-04-30T12:00:00+00:00") == 0
    assert clock.at - timedelta(days=1) < entries(rt, crowd.program_id, ann)[0].occurred_at
