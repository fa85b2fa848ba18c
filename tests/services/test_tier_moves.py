"""A version that changes the levels: what the preview says is what happens, a batch at a time, and promises hold."""

import copy
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.db import members, tiers
from app.services import align_tiers as aligning
from app.services.align_tiers import align_tiers
from app.services.audit import audit
from app.services.preview_program import preview_program
from app.services.publish_program import list_versions, publish_program
from app.services.replay import replay
from app.services.review_tiers import review_tiers
from app.services.runtime import Runtime
from tests.conftest import Clock
from tests.services.histories import History, a_bit_of_everything, make_history
from tests.services.jobs import run_jobs, take_due


@pytest.fixture
def past(rt: Runtime, clock: Clock) -> History:
    past = make_history(rt, clock)
    for customer, amount in (("7", "600.00"), ("8", "450.00"), ("9", "2100.00"), ("10", "20.00")):
        past.buy(customer, customer, amount)
    return past


def changed(past: History, **tier_changes: Any) -> dict[str, Any]:
    document = copy.deepcopy(dict(list_versions(past.rt, past.program_id)[0].document))
    document["tiers"].update(tier_changes)
    for name in [name for name, value in tier_changes.items() if value is None]:
        del document["tiers"][name]
    return document


def levels(past: History, **from_minor: int) -> list[dict[str, Any]]:
    found = changed(past)["tiers"]["levels"]
    return [{**one, "from_minor": from_minor.get(one["key"], one["from_minor"])} for one in found]


def without(past: History, key: str) -> list[dict[str, Any]]:
    return [one for one in levels(past) if one["key"] != key]


def by(measure: str, **thresholds: int) -> list[dict[str, Any]]:
    """Member, Silver and Gold by another measure."""
    percents = {"member": 100, "silver": 125, "gold": 150}
    return [
        {"key": key, "name": key.title(), measure: thresholds.get(key, 0), "earn_percent": percent}
        for key, percent in percents.items()
    ]


def moves(past: History, **tier_changes: Any) -> set[tuple[str, int, int, int]]:
    preview = preview_program(past.rt, past.program_id, changed(past, **tier_changes))
    return {(one.name, one.up, one.moved, one.down) for one in preview.tiers}


def publish(past: History, **tier_changes: Any) -> None:
    """Publish, and let the jobs of it run."""
    publish_program(past.rt, past.program_id, changed(past, **tier_changes), by="ada")
    run_jobs(past.rt, past.program_id)


def tier(past: History, customer: str) -> str:
    with past.rt.db.begin(past.program_id) as session:
        return members.get_member(session, past.member(customer)).tier_key


def tier_of_all(past: History) -> list[str]:
    return [tier(past, customer) for customer in ("7", "8", "9", "10")]


def review(past: History) -> int:
    past.reconciled()
    return review_tiers(past.rt, past.program_id)


def assert_true(past: History) -> None:
    assert [str(one) for one in audit(past.rt, past.program_id).problems] == []
    assert [str(one) for one in replay(past.rt, past.program_id).differences] == []


# --- The preview -------------------------------------------------------------------------------------------


def test_a_threshold_moves_those_whom_it_passes(past: History) -> None:
    assert moves(past, levels=levels(past, silver=40_000)) == {("Silver", 1, 0, 0)}
    assert moves(past, levels=levels(past, silver=70_000)) == {("Member", 0, 0, 1)}
    assert moves(past, levels=levels(past, silver=40_000, gold=300_000)) == {("Silver", 1, 0, 1)}
    assert moves(past, levels=without(past, "gold")) == {("Silver", 0, 1, 0)}
    assert moves(past, levels=without(past, "silver")) == {("Member", 0, 1, 0)}
    assert moves(past) == set()


def test_who_is_promised_a_level_has_it_though_the_order_was_settled_after_publishing(past: History) -> None:
    """Found by the campaign: an order settled between publishing and the members' turn brought a promise and no level."""
    publish_program(past.rt, past.program_id, changed(past, levels=levels(past, silver=70_000)), by="ada")
    past.buy("10", "late", "500.00")
    assert tier(past, "10") == "member"
    run_jobs(past.rt, past.program_id)
    assert tier(past, "10") == "silver"
    assert_true(past)


def test_another_measure_moves_those_who_have_little_or_much_of_it(past: History) -> None:
    past.buy("10", "b", "1.00")
    past.buy("10", "c", "1.00")
    orders = by("from_orders", silver=3, gold=9)
    assert moves(past, levels=orders) == {("Silver", 1, 0, 0), ("Member", 0, 0, 2)}


def test_who_falls_anyway_does_not_fall_by_it(past: History, clock: Clock) -> None:
    clock.forward(days=400)  # nothing was bought within the window: everybody falls at the review
    assert moves(past, levels=levels(past, silver=40_000)) == set()
    assert moves(past, months=24) == set()  # and who would now keep it, has it


def test_the_preview_tells_how_far_it_is(past: History) -> None:
    seen: list[tuple[int, int]] = []
    document = changed(past, levels=levels(past, silver=40_000))
    preview_program(past.rt, past.program_id, document, watch=lambda done, of: seen.append((done, of)))
    assert seen == [(4, 4)]


# Each try costs a program in a real database, so none is shrunk.
@settings(
    max_examples=6,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(
    silver=st.integers(1, 100_000),
    gold=st.integers(100_001, 300_000),
    measure=st.sampled_from(["from_minor", "from_points", "from_orders"]),
    window=st.sampled_from(["rolling", "calendar_year", "lifetime"]),
)
def test_what_the_preview_says_happens(
    rt: Runtime, clock: Clock, silver: int, gold: int, measure: str, window: str
) -> None:
    past = a_bit_of_everything(rt, clock)
    scale = {"from_minor": 1, "from_points": 100, "from_orders": 40_000}[measure]
    changes = {
        "window": window,
        "months": 6 if window == "rolling" else None,
        "levels": by(measure, silver=silver // scale + 1, gold=gold // scale + 2),
    }
    expected = {
        (one.name, how): count
        for one in preview_program(rt, past.program_id, changed(past, **changes)).tiers
        for how, count in (("up", one.up), ("down", one.down))
        if count
    }
    publish_program(rt, past.program_id, changed(past, **changes), by="ada")
    seen = past.scalar("SELECT coalesce(max(id), 0) FROM tier_changes WHERE {fence}")
    align_tiers(rt, past.program_id)
    with rt.db.begin(past.program_id) as session:
        up = Counter(
            row.to_key
            for row in session.rows("SELECT to_key FROM tier_changes WHERE {fence} AND id > :id", id=seen)
        )
        kept = session.scalar("SELECT count(*) FROM tier_floors WHERE {fence} AND cause = 'promise'")
    assert {(key.title(), "up"): count for key, count in up.items()} == {
        name: count for name, count in expected.items() if name[1] == "up"
    }
    assert kept >= sum(count for (_, how), count in expected.items() if how == "down")
    assert_true(past)


# --- Publishing --------------------------------------------------------------------------------------------


def test_a_lower_threshold_lifts_at_once_and_names_its_cause(past: History) -> None:
    publish(past, levels=levels(past, silver=40_000))
    assert tier_of_all(past) == ["silver", "silver", "gold", "member"]
    cause = past.scalar("SELECT cause FROM tier_changes WHERE {fence} ORDER BY id DESC LIMIT 1")
    assert cause == "program"
    assert_true(past)


def test_between_publishing_and_its_job_the_audit_finds_nothing_wrong(past: History) -> None:
    publish_program(past.rt, past.program_id, changed(past, levels=levels(past, silver=40_000)), by="ada")
    assert audit(past.rt, past.program_id).counts["tiers_to_align"] == 4
    assert_true(past)


def test_a_change_of_names_and_percents_brings_nobody_anywhere(past: History) -> None:
    renamed = [{**one, "name": one["name"] + "!", "earn_percent": 200} for one in levels(past)]
    publish_program(past.rt, past.program_id, changed(past, levels=renamed), by="ada")
    assert "align_tiers" not in [name for name, _ in take_due(past.rt, past.program_id)]


def test_a_higher_threshold_keeps_what_was_reached_until_that_lapses(past: History, clock: Clock) -> None:
    clock.forward(days=100)
    publish(past, levels=levels(past, silver=70_000, gold=300_000))
    assert (review(past), tier(past, "7"), tier(past, "9")) == (0, "silver", "gold")
    clock.forward(days=264)  # the last day on which the order of a year ago counts
    assert (review(past), tier(past, "7")) == (0, "silver")
    clock.forward(days=2)
    assert (review(past), tier(past, "7"), tier(past, "9")) == (2, "member", "member")
    assert_true(past)


def test_what_was_reached_for_life_is_kept_for_a_year(past: History, clock: Clock) -> None:
    publish(past, window="lifetime", months=None)
    clock.forward(days=500)
    assert (review(past), tier(past, "9")) == (0, "gold")
    publish(past, window="rolling", months=12)
    assert (review(past), tier(past, "9")) == (0, "gold")
    clock.forward(days=365)
    assert (review(past), tier(past, "9")) == (0, "gold")
    clock.forward(days=2)
    assert (review(past), tier(past, "9")) == (2, "member")


def test_the_next_order_earns_by_the_tier_that_was_promised(past: History, clock: Clock) -> None:
    publish(past, levels=levels(past, silver=70_000))
    clock.forward(days=1)
    before = past.scalar("SELECT points FROM accounts WHERE {fence} AND id = :id", id=past.member("7"))
    past.buy("7", "next", "10.00")
    after = past.scalar("SELECT points FROM accounts WHERE {fence} AND id = :id", id=past.member("7"))
    assert after - before == 12


def test_a_removed_level_becomes_the_next_lower_one(past: History, clock: Clock) -> None:
    publish(past, levels=without(past, "silver"))
    assert tier_of_all(past) == ["member", "member", "gold", "member"]
    assert_true(past)
    publish(past, levels=[one for one in levels(past) if one["key"] == "member"])
    assert tier_of_all(past) == ["member"] * 4
    assert_true(past)
    clock.forward(days=1)
    past.buy("9", "later", "10.00")
    assert_true(past)


def test_a_level_that_comes_back_is_reached_again(past: History) -> None:
    all_of_them = levels(past)
    publish(past, levels=without(past, "gold"))
    assert tier(past, "9") == "silver"
    publish(past, levels=all_of_them)
    assert tier(past, "9") == "gold"
    assert_true(past)


def test_a_level_that_runs_out_is_kept_by_invitation(past: History, clock: Clock) -> None:
    old = [
        {**one, "invitation_only": True} if one["key"] == "gold" else {**one, "from_minor": one["from_minor"]}
        for one in levels(past)
    ]
    del old[2]["from_minor"]
    assert moves(past, levels=old) == {("Silver", 0, 0, 1)}
    publish(past, levels=old)
    past.buy("8", "much", "5000.00")
    assert tier_of_all(past) == ["silver", "silver", "gold", "member"]
    clock.forward(days=367)
    assert review(past) == 3
    assert tier(past, "9") == "member"


# --- Broken off, overtaken ---------------------------------------------------------------------------------


@contextmanager
def batches_of(count: int) -> Iterator[None]:
    before, aligning.BATCH = aligning.BATCH, count
    try:
        yield
    finally:
        aligning.BATCH = before


class Killed(BaseException):
    """As a worker is ended by the machine: nothing that catches errors catches it."""


def test_killed_in_the_middle_it_goes_on_and_ends_the_same(rt: Runtime, clock: Clock) -> None:
    ended = []
    for kill_after in (None, 1, 2, 3):
        past = make_history(rt, clock)
        for customer in range(7, 15):
            past.buy(str(customer), str(customer), f"{customer * 100}.00")
        publish_program(
            rt, past.program_id, changed(past, levels=levels(past, silver=90_000, gold=120_000)), by="ada"
        )

        def watch(done: int, of: int, stop: int | None = kill_after) -> None:
            if stop is not None and done >= 2 * stop:
                raise Killed

        with batches_of(2):
            if kill_after is not None:
                with pytest.raises(Killed):
                    align_tiers(rt, past.program_id, watch)
                assert past.scalar("SELECT done FROM tier_runs WHERE {fence}") == 2 * kill_after
            align_tiers(rt, past.program_id)
        with rt.db.begin(past.program_id) as session:
            run = tiers.find_last_run(session)
            floors = session.rows(
                "SELECT tier_key, until_at FROM tier_floors WHERE {fence} ORDER BY member_id"
            )
        assert run is not None
        assert run.finished_at is not None
        told = (run.done, run.total, run.moved, run.promised)
        ended.append((told, [tier(past, str(one)) for one in range(7, 15)], [tuple(one) for one in floors]))
        assert_true(past)
    assert ended[0][0] == (8, 8, 3, 2)
    assert ended == [ended[0]] * 4


def test_an_overtaken_version_ends_and_its_promises_are_kept(past: History) -> None:
    publish_program(past.rt, past.program_id, changed(past, levels=levels(past, gold=300_000)), by="ada")
    publish_program(past.rt, past.program_id, changed(past, levels=levels(past, gold=400_000)), by="ada")
    run_jobs(past.rt, past.program_id)
    assert (review(past), tier(past, "9")) == (0, "gold")
    assert past.scalar("SELECT count(*) FROM tier_runs WHERE {fence} AND finished_at IS NULL") == 0
    assert past.scalar("SELECT count(*) FROM tier_floors WHERE {fence}") == 1


def test_the_review_waits_for_what_is_promised(past: History, clock: Clock) -> None:
    publish_program(past.rt, past.program_id, changed(past, levels=levels(past, gold=300_000)), by="ada")
    assert (review(past), tier(past, "9")) == (0, "gold")
    align_tiers(past.rt, past.program_id)
    assert (review(past), tier(past, "9")) == (0, "gold")


def test_who_joins_meanwhile_begins_by_the_new_version(past: History, clock: Clock) -> None:
    publish_program(past.rt, past.program_id, changed(past, levels=levels(past, silver=10_000)), by="ada")
    past.buy("11", "eleven", "150.00", placed_at=clock.at - timedelta(hours=1))
    assert tier(past, "11") == "silver"
    run_jobs(past.rt, past.program_id)
    assert tier_of_all(past) == ["silver", "silver", "gold", "member"]
    assert_true(past)
