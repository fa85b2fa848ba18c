"""Before publishing: who would change tier, counted in the database as the domain counts it."""

import copy
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.db import members, orders, programs, tiers
from app.domain.program import Program, decode
from app.domain.tiers import tier_at
from app.services.publish_program import list_versions, preview_program
from app.services.runtime import Runtime
from tests.conftest import NOW, Clock
from tests.services.histories import History, a_bit_of_everything, make_history


@pytest.fixture
def past(rt: Runtime, clock: Clock) -> History:
    past = make_history(rt, clock)
    for customer, amount in (("7", "600.00"), ("8", "450.00"), ("9", "2100.00"), ("10", "20.00")):
        past.buy(customer, customer, amount)
    return past


def changed(past: History, **tier_changes: Any) -> dict[str, Any]:
    document = copy.deepcopy(dict(list_versions(past.rt, past.program_id)[0].document))
    document["tiers"].update(tier_changes)
    return document


def levels(past: History, **from_minor: int) -> list[dict[str, Any]]:
    found = changed(past)["tiers"]["levels"]
    return [{**one, "from_minor": from_minor.get(one["key"], one["from_minor"])} for one in found]


def moves(past: History, **tier_changes: Any) -> set[tuple[str, int, int]]:
    preview = preview_program(past.rt, past.program_id, changed(past, **tier_changes))
    return {(one.name, one.up, one.down) for one in preview.tiers}


def test_a_threshold_moves_those_whom_it_passes(past: History) -> None:
    assert moves(past, levels=levels(past, silver=40_000)) == {("Silver", 1, 0)}
    assert moves(past, levels=levels(past, silver=70_000)) == {("Member", 0, 1)}
    assert moves(past, levels=levels(past, silver=40_000, gold=300_000)) == {("Silver", 1, 1)}
    assert moves(past, levels=[one for one in levels(past) if one["key"] != "gold"]) == {("Silver", 0, 1)}
    assert moves(past) == set()


def test_who_falls_anyway_does_not_fall_by_it(past: History, clock: Clock) -> None:
    clock.forward(days=400)  # nothing was bought within the window: everybody falls at the review
    assert moves(past, levels=levels(past, silver=40_000)) == set()
    assert moves(past, months=24) == set()  # and who would now keep it, has it


def test_the_database_counts_as_the_domain_does(rt: Runtime, clock: Clock) -> None:
    past = a_bit_of_everything(rt, clock)
    past.buy(
        "7", "z1", "700.00", placed_at=clock.at - timedelta(days=200), paid_at=clock.at - timedelta(days=200)
    )
    past.refund(past.buy("8", "z2", "900.00"), "500.00")
    with rt.db.begin(past.program_id) as session:
        session.run(
            "INSERT INTO tier_floors (program_id, member_id, tier_key, cause, from_at, until_at) "
            "SELECT :program_id, min(id), 'gold', 'manual', :now, NULL FROM members WHERE {fence}",
            now=NOW - timedelta(days=3),
        )
        live = programs.load_versions(session)[past.program_id].live
        everybody = [row.id for row in session.rows("SELECT id FROM members WHERE {fence}")]
        known = members.find_members(session, everybody)
        open_ = [
            row.id for row in session.rows("SELECT id FROM accounts WHERE {fence} AND closed_at IS NULL")
        ]
        floors = members.find_floors(session, open_)
        facts: dict[int, list[Any]] = {}
        for member_id, _, _, fact, _, _ in orders.find_spend(
            session, open_, since=NOW - timedelta(days=3000)
        ):
            facts.setdefault(member_id, []).append(fact)

    document = changed(past)

    @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        silver=st.integers(1, 100_000),
        gold=st.integers(100_001, 300_000),
        months=st.integers(1, 36),
        later=st.integers(0, 500),
    )
    def alike(silver: int, gold: int, months: int, later: int) -> None:
        at = clock.at + timedelta(days=later)
        other = copy.deepcopy(document)
        other["tiers"]["levels"] = levels(past, silver=silver, gold=gold)
        other["tiers"]["months"] = months
        new = decode(other, 2)
        with rt.db.begin(past.program_id) as session:
            found = {
                (one.has, one.before, one.after): one.members
                for one in tiers.find_groups(session, live, new, now=at)
            }

        def given_by(program: Program, member_id: int) -> str:
            ours = facts.get(member_id, ())
            return tier_at(ours, floors.get(member_id, ()), program=program, at=at).key

        expected = Counter(
            (known[one].tier_key, given_by(live, one), given_by(new, one)) for one in open_ if one in known
        )
        assert found == dict(expected)

    alike()
