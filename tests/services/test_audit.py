"""Audit and replay find every fault that is planted, by name, and nothing where nothing is wrong.

Faults are planted by the superuser, past triggers, keys and fences, in a transaction that is looked at and undone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import create_engine, text

from app.db import ledger
from app.db.migrating import psycopg_url
from app.db.session import Database, Session
from app.domain.ledger import EntryKind, entry_hash
from app.services.audit import audit, audit_session
from app.services.findings import Problem
from app.services.replay import replay, replay_session
from app.services.review_tiers import review_tiers
from app.services.runtime import Runtime
from tests.conftest import Clock, DatabaseUrls, Mails, make_runtime
from tests.services.histories import History, a_bit_of_everything, make_history


@dataclass(slots=True)
class Scene:
    """A history, and the superuser's transaction in which it is spoilt."""

    past: History
    session: Session

    def do(self, sql: str, **params: object) -> None:
        """SQL with the history's names in it: {order:a} is the id of order a, {member:7} of customer 7's member."""
        for kind, one in (("order", ref) for ref in "abcdefgh"):
            if f"{{{kind}:{one}}}" in sql:
                sql = sql.replace(f"{{{kind}:{one}}}", str(self.past.order_id(one)))
        for customer in ("7", "8", "9", "10"):
            if f"{{member:{customer}}}" in sql:
                sql = sql.replace(f"{{member:{customer}}}", str(self.past.member(customer)))
        self.session.connection.execute(text(sql), {"program": self.past.program_id, **params})

    def audited(self) -> set[tuple[str, str]]:
        found = audit_session(self.session, now=self.past.rt.now())
        return _named(self.past, found.problems)

    def replayed(self) -> set[tuple[str, str]]:
        found = replay_session(self.session, now=self.past.rt.now())
        return _named(self.past, found.differences)


def _named(past: History, problems: list[Problem]) -> set[tuple[str, str]]:
    """(kind of subject, what) of each; that the superuser is no fit role for the app goes without saying."""
    return {(one.subject.partition(":")[0], one.what) for one in problems if one.subject != "database"}


@pytest.fixture(scope="module")
def past(pool: Database) -> History:
    clock = Clock()
    return a_bit_of_everything(make_runtime(pool, clock, Mails()), clock)


@pytest.fixture
def scene(past: History, database: DatabaseUrls) -> Iterator[Scene]:
    engine = create_engine(psycopg_url(database.superuser_url))
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield Scene(past, Session(connection, [past.program_id]))
        connection.rollback()
    engine.dispose()


def test_the_history_has_everything_that_there_is(past: History) -> None:
    with past.rt.db.begin(past.program_id) as session:
        kinds = {row.kind for row in session.rows("SELECT DISTINCT kind FROM entries WHERE {fence}")}
    assert kinds == {kind.value for kind in EntryKind}


def test_a_history_of_every_kind_has_no_problem(past: History) -> None:
    told: list[tuple[int, int]] = []
    found = audit(past.rt, past.program_id, lambda done, total: told.append((done, total)))
    assert [str(one) for one in found.problems] == []
    assert told[-1][0] == told[-1][1]
    again = replay(past.rt, past.program_id)
    assert ([str(one) for one in again.differences], again.accounts) == ([], 4)


def test_an_empty_program_has_no_problem(rt: Runtime, program_id: int) -> None:
    assert audit(rt, program_id).problems == []
    assert replay(rt, program_id).differences == []


def test_the_digest_is_of_everything_and_of_any_moment_since(rt: Runtime, clock: Clock) -> None:
    past = make_history(rt, clock)
    past.buy("7", "a", "10.00")
    then, kept = rt.now(), audit(rt, past.program_id).digest
    clock.forward(days=1)
    past.buy("7", "b", "10.00")
    past.buy("8", "c", "10.00")
    assert audit(rt, past.program_id).digest != kept
    assert audit(rt, past.program_id, until=then).digest == kept


IN = "program_id = :program AND"
OF_7 = f"{IN} account_id = {{member:7}}"
BREAKS = ("entry", "chain_broken")

# What is done -> what the audit must name, at least.
FAULTS = {
    "an entry's points changed": (
        f"UPDATE entries SET points = points + 5 WHERE {OF_7} AND seq = 2",
        {BREAKS, ("account", "points"), ("program", "sum"), ("order", "held")},
    ),
    "an entry's time changed": (
        f"UPDATE entries SET occurred_at = occurred_at - interval '1 day' WHERE {OF_7} AND seq = 2",
        {BREAKS},
    ),
    "an entry's explanation changed": (
        f'UPDATE entries SET facts = facts || \'{{"net": "1.00"}}\' WHERE {OF_7} AND seq = 1',
        {BREAKS},
    ),
    "an entry's hash changed": (
        f"UPDATE entries SET hash = sha256('x') WHERE {OF_7} AND seq = 3",
        {BREAKS},
    ),
    "an entry deleted": (f"DELETE FROM entries WHERE {OF_7} AND seq = 2", {BREAKS, ("account", "points")}),
    "the last entry deleted": (
        f"DELETE FROM entries WHERE {OF_7} AND seq = (SELECT seq FROM accounts WHERE {IN} id = {{member:7}})",
        {("account", "head"), ("account", "points"), ("order", "held")},
    ),
    "two entries swapped": (
        f"UPDATE entries SET seq = CASE seq WHEN 1 THEN 10001 ELSE 10002 END WHERE {OF_7} AND seq IN (1, 2);"
        f"UPDATE entries SET seq = CASE seq WHEN 10001 THEN 2 ELSE 1 END WHERE {OF_7} AND seq > 10000",
        {BREAKS},
    ),
    "an entry of a kind that there is not": (
        f"UPDATE entries SET kind = 'gift' WHERE {OF_7} AND seq = 2",
        {("entry", "entry_unreadable")},
    ),
    "a source that there is not": (
        f"UPDATE entries SET source = 'order:999999999' WHERE {OF_7} AND source = 'order:{{order:a}}'",
        {("entry", "no_cause"), ("order", "held"), BREAKS},
    ),
    "a source of another kind": (
        f"UPDATE entries SET source = 'gift:1' WHERE {OF_7} AND source = 'order:{{order:b}}'",
        {("entry", "no_cause"), ("entry", "wrong_source")},
    ),
    "an order that is gone": (f"DELETE FROM orders WHERE {IN} id = {{order:b}}", {("entry", "no_cause")}),
    "a gap in the ordinals": (
        f"UPDATE entries SET ordinal = ordinal + 100 WHERE {OF_7} AND source = 'order:{{order:a}}' AND ordinal > 0",
        {("entry", "ordinal_gap")},
    ),
    "the stored points changed": (
        f"UPDATE accounts SET points = points + 1 WHERE {IN} id = {{member:7}}",
        {("account", "points"), ("program", "sum")},
    ),
    "the stored deficit changed": (
        f"UPDATE accounts SET deficit = deficit + 1 WHERE {IN} id = {{member:8}}",
        {("account", "deficit")},
    ),
    "the stored head changed": (
        f"UPDATE accounts SET head = sha256('x') WHERE {IN} id = {{member:7}}",
        {("account", "head")},
    ),
    "the stored length changed": (
        f"UPDATE accounts SET seq = seq - 1 WHERE {IN} id = {{member:7}}",
        {("account", "head")},
    ),
    "a lot grown": (
        f"UPDATE lots SET remaining = remaining + 1 WHERE {OF_7} AND seq = 1",
        {("account", "lots")},
    ),
    "a lot's date changed": (
        f"UPDATE lots SET expires_at = expires_at + interval '1 day' WHERE {OF_7} AND seq = 1",
        {("account", "lots")},
    ),
    "a lot deleted": (f"DELETE FROM lots WHERE {OF_7} AND seq = 1", {("account", "lots")}),
    "a lot made up": (
        "INSERT INTO lots (program_id, account_id, seq, remaining, available_at, origin) "
        "VALUES (:program, {member:7}, 9999, 5, '2026-01-01Z', 'x')",
        {("account", "lots")},
    ),
    "a target changed": (
        f"UPDATE orders SET target_points = target_points + 1 WHERE {IN} id = {{order:g}}",
        {("order", "held")},
    ),
    "an order given to a stranger": (
        f"UPDATE orders SET member_id = {{member:9}} WHERE {IN} id = {{order:g}}",
        {("order", "held"), ("order", "held_by_other"), ("order", "owner")},
    ),
    "an order taken from everybody": (
        f"UPDATE orders SET member_id = NULL WHERE {IN} id = {{order:g}}",
        {("order", "held_by_other"), ("order", "owner")},
    ),
    "a redemption without its debit": (
        f"DELETE FROM entries WHERE {IN} kind = 'redeem'",
        {("redemption", "no_debit"), BREAKS},
    ),
    "a redemption that cost less": (
        f"UPDATE redemptions SET cost = cost + 1 WHERE {IN} state = 'used'",
        {("redemption", "no_debit")},
    ),
    "a code open again though its points are back": (
        f"UPDATE redemptions SET state = 'issued' WHERE {IN} state = 'cancelled'",
        {("redemption", "debit_reversed")},
    ),
    "a code used though its points are back": (
        f"UPDATE redemptions SET state = 'used', order_id = {{order:a}}, "
        f"reward = reward || '{{\"return_on_refund\": false}}' WHERE {IN} state = 'cancelled'",
        {("redemption", "debit_reversed")},
    ),
    "a code used by no order": (
        f"UPDATE redemptions SET state = 'used' WHERE {IN} state = 'requested'",
        {("redemption", "used_by_none")},
    ),
    "a code closed without its points": (
        f"UPDATE redemptions SET state = 'cancelled' WHERE {IN} state = 'requested'",
        {("redemption", "not_returned")},
    ),
    "points noted as given back": (
        f"UPDATE redemptions SET returned = returned + 1 WHERE {IN} state = 'used'",
        {("redemption", "returned")},
    ),
    "a redemption gone": (
        f"DELETE FROM redemptions WHERE {IN} state = 'used'",
        {("entry", "no_cause")},
    ),
    "an adjustment of another amount": (
        f"UPDATE adjustments SET points = points + 1 WHERE {IN} points = 50",
        {("entry", "no_cause")},
    ),
    "an adjustment without its entry": (
        "INSERT INTO adjustments (program_id, account_id, points, reason, actor, request_key, at) "
        "VALUES (:program, {member:7}, 5, 'x', 'x', 'x', '2026-01-01Z')",
        {("adjustment", "not_booked")},
    ),
    "a merge gone": (f"DELETE FROM merges WHERE {IN} undone_at IS NOT NULL", {("entry", "no_cause")}),
    "an undo of what was not undone": (
        f"UPDATE merges SET undone_at = NULL WHERE {IN} undone_at IS NOT NULL",
        {("entry", "no_cause"), ("merge", "merge_open")},
    ),
    "one side of a transfer gone": (
        f"DELETE FROM entries WHERE {IN} kind = 'transfer_in' AND account_id = {{member:8}}",
        {("merge", "merge_sum"), ("program", "transfers")},
    ),
    "a merged account with points": (
        f"UPDATE accounts SET points = 5 WHERE {IN} merged_into IS NOT NULL",
        {("account", "closed_account"), ("account", "points")},
    ),
    "another last activity": (
        f"UPDATE accounts SET last_active_at = last_active_at - interval '1 day' WHERE {IN} id = {{member:7}}",
        {("account", "last_active")},
    ),
    "wrong points in all": (
        f"UPDATE members SET lifetime_points = lifetime_points + 1 WHERE {IN} id = {{member:7}}",
        {("member", "lifetime_points")},
    ),
    "an account without a member": (
        f"DELETE FROM members WHERE {IN} id = {{member:7}}",
        {("account", "no_member")},
    ),
    "a tier below what the orders give": (
        f"UPDATE orders SET spend = jsonb_set(spend, '{{goods_minor}}', '60000') WHERE {IN} id = {{order:g}}",
        {("member", "tier_too_low")},
    ),
    "a tier that the program does not have": (
        f"UPDATE members SET tier_key = 'diamond' WHERE {IN} id = {{member:7}}",
        {("member", "unknown_tier")},
    ),
    "a tier that nothing gave": (
        f"UPDATE members SET tier_key = 'gold' WHERE {IN} id = {{member:8}}",
        {("member", "tier_unrecorded")},
    ),
    "a delivery that is never done with": (
        "INSERT INTO inbox (program_id, received_on, shop_id, received_at, topic, delivery_ref, body_hash, attempts) "
        "SELECT :program, current_date, 1, now(), 'order.updated', 'd', 'x', 8",
        {("delivery", "stuck")},
    ),
}


@pytest.mark.needs_filter
@pytest.mark.parametrize("fault", FAULTS)
def test_the_audit_names(scene: Scene, fault: str) -> None:
    sql, expected = FAULTS[fault]
    for statement in sql.split(";"):
        scene.do(statement)
    named = scene.audited()
    assert expected <= named, named


@pytest.mark.needs_filter
def test_the_audit_names_points_spent_that_were_not_there(
    rt: Runtime, clock: Clock, database: DatabaseUrls
) -> None:
    past = make_history(rt, clock)
    past.buy("7", "a", "150.00")
    past.redeem(past.member("7"))
    engine = create_engine(psycopg_url(database.superuser_url))
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        scene = Scene(past, Session(connection, [past.program_id]))
        # The points were pending when they were spent; everything derived from it is made to fit.
        scene.do(
            f"UPDATE entries SET available_at = available_at + interval '1 day' WHERE {OF_7} AND seq = 1"
        )
        scene.do(f"UPDATE lots SET available_at = available_at + interval '1 day' WHERE {OF_7} AND seq = 1")
        rehash(scene.session, past, past.member("7"))
        assert scene.audited() == {("entry", "overspent")}
        connection.rollback()
    engine.dispose()


def test_the_audit_names_a_missing_guard(past: History, database: DatabaseUrls) -> None:
    engine = create_engine(psycopg_url(database.superuser_url))
    with engine.connect() as connection:
        connection.execute(text("ALTER TABLE entries DISABLE TRIGGER entries_only_grow"))
        found = audit_session(Session(connection, [past.program_id]), now=past.rt.now())
        connection.rollback()
    engine.dispose()
    assert "database: trigger entries_only_grow is missing (guard_missing)" in map(str, found.problems)


def rehash(session: Session, past: History, account_id: int) -> None:
    """What somebody with every right would do: make the chain fit again."""
    head = bytes(32)
    account = (past.program_id, account_id)
    for entry in ledger.find_entries(session, account_id):
        head = entry_hash(head, account, entry)
        session.run(
            "UPDATE entries SET hash = :hash WHERE {fence} AND account_id = :id AND seq = :seq",
            hash=head,
            id=account_id,
            seq=entry.seq,
        )
    session.run("UPDATE accounts SET head = :head WHERE {fence} AND id = :id", head=head, id=account_id)


@pytest.mark.needs_filter
def test_what_fits_together_and_is_wrong_all_the_same_is_found_by_counting_anew(scene: Scene) -> None:
    seven = scene.past.member("7")
    scene.do(
        f"UPDATE entries SET points = points + 500 WHERE {OF_7} AND source = 'order:{{order:g}}'",
    )
    scene.do(f"UPDATE lots SET remaining = remaining + 500 WHERE {OF_7} AND origin = 'order:{{order:g}}'")
    scene.do(f"UPDATE accounts SET points = points + 500 WHERE {IN} id = {{member:7}}")
    scene.do(f"UPDATE members SET lifetime_points = lifetime_points + 500 WHERE {IN} id = {{member:7}}")
    scene.do(f"UPDATE orders SET target_points = target_points + 500 WHERE {IN} id = {{order:g}}")
    kept = audit(scene.past.rt, scene.past.program_id).digest
    rehash(scene.session, scene.past, seven)
    found = audit_session(scene.session, now=scene.past.rt.now())
    assert _named(scene.past, found.problems) == set()  # only a digest kept elsewhere shows it …
    assert found.digest != kept
    assert scene.replayed() == {  # … and what the shop said
        ("order", "target"),
        ("order", "points"),
        ("account", "balance"),
        ("account", "lots"),
    }


DIFFERENCES = {
    "a snapshot changed": (
        f"UPDATE orders SET snapshot = jsonb_set(snapshot, '{{goods,minor}}', '99900') WHERE {IN} id = {{order:g}}",
        {
            ("order", "target"),
            ("order", "points"),
            ("order", "spend"),
            ("account", "balance"),
            ("member", "tier"),
        },
    ),
    "the terms' tier changed": (
        f"UPDATE orders SET terms_tier = 'gold' WHERE {IN} id = {{order:g}}",
        {("order", "target"), ("order", "points"), ("account", "balance"), ("account", "lots")},
    ),
    "terms of a version that there is not": (
        f"UPDATE orders SET terms_version = 9 WHERE {IN} id = {{order:g}}",
        {("order", "terms")},
    ),
    "a stored target changed": (
        f"UPDATE orders SET target_points = 1 WHERE {IN} id = {{order:g}}",
        {("order", "target")},
    ),
    "the target of a guest's order changed": (
        f"UPDATE orders SET target_points = 1 WHERE {IN} order_ref = 'guest'",
        {("order", "target")},
    ),
    "an order given to a stranger": (
        f"UPDATE orders SET member_id = {{member:9}} WHERE {IN} id = {{order:g}}",
        {("order", "points"), ("account", "balance")},
    ),
    "the stored points changed": (
        f"UPDATE accounts SET points = points + 1 WHERE {IN} id = {{member:7}}",
        {("account", "balance")},
    ),
    "a lot grown": (
        f"UPDATE lots SET remaining = remaining + 1 WHERE {OF_7} AND seq = 1",
        {("account", "lots")},
    ),
    "what tiers look at changed": (
        f"UPDATE orders SET spend = jsonb_set(spend, '{{goods_minor}}', '60000') WHERE {IN} id = {{order:g}}",
        {("order", "spend")},
    ),
    "a broken chain": (
        f"UPDATE entries SET points = points + 5 WHERE {OF_7} AND seq = 2",
        {("account", "chain_broken")},
    ),
}


@pytest.mark.needs_filter
@pytest.mark.parametrize("fault", DIFFERENCES)
def test_counting_anew_names(scene: Scene, fault: str) -> None:
    sql, expected = DIFFERENCES[fault]
    scene.do(sql)
    named = scene.replayed()
    assert expected <= named, named


def test_a_tier_that_waits_for_its_review_is_no_difference(rt: Runtime, clock: Clock) -> None:
    past = make_history(rt, clock)
    order = past.buy("7", "a", "600.00")
    clock.forward(days=1)
    past.refund(order, "500.00")
    clock.forward(days=1)
    past.reconciled()
    found = replay(rt, past.program_id)
    assert (found.differences, found.reviews_due) == ([], 1)
    assert audit(rt, past.program_id).problems == []
    past.night()
    assert replay(rt, past.program_id).reviews_due == 0


def test_a_tier_reached_since_the_shops_were_last_read_survives_the_review(rt: Runtime, clock: Clock) -> None:
    past = make_history(rt, clock)
    past.buy("8", "other", "1.00")
    clock.forward(minutes=10)
    past.reconciled()
    clock.forward(minutes=5)
    past.buy("7", "a", "600.00")
    clock.forward(minutes=1)
    assert review_tiers(rt, past.program_id) == 0
    assert audit(rt, past.program_id).problems == []
    assert replay(rt, past.program_id).reviews_due == 0


@pytest.mark.needs_filter
@pytest.mark.parametrize("fault", [*FAULTS, *DIFFERENCES])
def test_where_the_program_counts_money_no_finding_speaks_of_points(scene: Scene, fault: str) -> None:
    scene.do(
        f'UPDATE program_versions SET document = document || \'{{"counts_in": "money"}}\' WHERE {IN} true'
    )
    for statement in (FAULTS | DIFFERENCES)[fault][0].split(";"):
        scene.do(statement)
    now = scene.past.rt.now()
    problems = [
        *audit_session(scene.session, now=now).problems,
        *replay_session(scene.session, now=now).differences,
    ]
    assert problems
    assert [one for one in problems if one.subject != "database" and "point" in one.detail] == []


@pytest.mark.needs_filter
def test_what_is_found_where_money_is_counted_is_told_as_money(scene: Scene) -> None:
    scene.do(
        f'UPDATE program_versions SET document = document || \'{{"counts_in": "money"}}\' WHERE {IN} true'
    )
    scene.do(f"UPDATE accounts SET points = points + 1234567 WHERE {IN} id = {{member:9}}")
    told = {one.detail for one in audit_session(scene.session, now=scene.past.rt.now()).problems}
    assert any(one.startswith("€12,3") and " are stored, the entries give €" in one for one in told), told


@pytest.mark.needs_filter
def test_what_tiers_look_at_is_told_in_words(scene: Scene) -> None:
    scene.do(DIFFERENCES["what tiers look at changed"][0])
    found = replay_session(scene.session, now=scene.past.rt.now()).differences
    (told,) = [one.detail for one in found if one.what == "spend"]
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"
    stored, given = rf"€600\.00, 120 points of {moment}", rf"€120\.00, 120 points of {moment}"
    assert re.fullmatch(f"{stored} is stored for tiers, it gives {given}", told), told
