"""The hourly audit: what it reads, what it stops, and how a person lets it go on."""

import pytest
from sqlalchemy import create_engine, text

from app.db import freezes
from app.db.migrating import psycopg_url
from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.audit import audit
from app.services.audit_changed import audit_changed
from app.services.check_health import check_health
from app.services.invite_staff import invite_staff
from app.services.keep_house import keep_house
from app.services.lift_freeze import find_freeze, lift_freeze
from app.services.redeem import RedeemRequest, redeem
from app.services.runtime import Runtime
from app.services.tell_freeze import tell_freeze
from tests.conftest import Clock, DatabaseUrls, Mails
from tests.services.histories import History, a_bit_of_everything, make_history
from tests.services.jobs import run_jobs, take_due


@pytest.fixture
def past(rt: Runtime, clock: Clock) -> History:
    past = make_history(rt, clock)
    for customer, ref in (("7", "a"), ("8", "b"), ("9", "c")):
        past.buy(customer, ref, "300.00")
    return past


def spoil(database: DatabaseUrls, sql: str, **params: object) -> None:
    """As nobody may: past triggers and fences."""
    engine = create_engine(psycopg_url(database.superuser_url))
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(sql), params)
    engine.dispose()


def give(database: DatabaseUrls, past: History, customer: str, points: int = 5) -> None:
    sql = "UPDATE accounts SET points = points + :points WHERE program_id = :program AND id = :id"
    spoil(database, sql, points=points, program=past.program_id, id=past.member(customer))


def look(past: History) -> int:
    return audit_changed(past.rt, past.program_id)


def buy_reward(past: History, customer: str, key: str) -> int:
    request = RedeemRequest(
        program_id=past.program_id,
        member_id=past.member(customer),
        shop_id=past.shop.shop.shop_id,
        reward_key="amount-5",
        request_key=key,
        actor="shopper",
    )
    return redeem(past.rt, request).redemption_id


def test_a_history_of_every_kind_stops_nothing(rt: Runtime, clock: Clock) -> None:
    past = a_bit_of_everything(rt, clock)
    assert look(past) >= 4
    assert find_freeze(past.rt, past.program_id) is None


def test_only_what_changed_is_read_and_of_the_rest_a_little_in_turn(past: History, clock: Clock) -> None:
    assert look(past) == 3
    seen = []
    for _ in range(3):
        clock.forward(hours=1)
        assert look(past) == 1
        with past.rt.db.begin(past.program_id) as session:
            row = session.first("SELECT account_id FROM audited WHERE {fence} ORDER BY at DESC LIMIT 1")
            assert row is not None
            seen.append(row.account_id)
    assert set(seen) == {past.member(customer) for customer in ("7", "8", "9")}  # each in its turn
    past.buy("8", "d", "10.00")
    clock.forward(hours=1)
    assert look(past) == 1 + 1


def test_a_contradiction_stops_spending_in_that_program_and_nothing_else(
    past: History, clock: Clock, database: DatabaseUrls
) -> None:
    other = make_history(past.rt, clock)
    other.buy("7", "a", "300.00")
    done = buy_reward(past, "7", "before")
    give(database, past, "8")
    look(past)
    look(other)
    with pytest.raises(Refused, match="frozen"):
        buy_reward(past, "7", "after")
    assert buy_reward(past, "7", "before") == done  # the click of before is answered as it was
    assert buy_reward(other, "7", "elsewhere")
    past.buy("9", "e", "20.00")  # earning goes on
    assert past.scalar("SELECT points FROM accounts WHERE {fence} AND id = :id", id=past.member("9")) == 320
    (told,) = [check.problem for check in check_health(past.rt).checks if check.name == "ledger"]
    assert told is not None
    assert check_health(past.rt).ready
    assert audit(past.rt, past.program_id).frozen_at == clock.at
    assert audit(past.rt, other.program_id).frozen_at is None
    lift_freeze(past.rt, past.program_id, by="Ada", reason="x", as_found=True)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entries SET points = points + 5 WHERE program_id = :program AND account_id = :id",
        "UPDATE lots SET remaining = remaining + 1 WHERE program_id = :program AND account_id = :id",
        "UPDATE redemptions SET state = 'cancelled' WHERE program_id = :program AND account_id = :id",
        "DELETE FROM entries WHERE program_id = :program AND account_id = :id AND kind = 'redeem'",
        "INSERT INTO adjustments (program_id, account_id, points, reason, actor, request_key, at) "
        "VALUES (:program, :id, 5, 'x', 'x', 'x', '2026-01-01Z')",
    ],
)
def test_each_of_the_books_is_looked_at(past: History, database: DatabaseUrls, sql: str) -> None:
    buy_reward(past, "7", "click")
    spoil(database, sql, program=past.program_id, id=past.member("7"))
    look(past)
    assert find_freeze(past.rt, past.program_id) is not None
    lift_freeze(past.rt, past.program_id, by="Ada", reason="x", as_found=True)


def test_what_was_accepted_stops_nothing_again_and_anything_new_does(
    past: History, clock: Clock, database: DatabaseUrls
) -> None:
    give(database, past, "8")
    look(past)
    for reason in ("", "  ", "x" * 301):
        with pytest.raises(Refused, match="bad_reason"):
            lift_freeze(past.rt, past.program_id, by="Ada", reason=reason)
    lift_freeze(past.rt, past.program_id, by="Ada", reason="Counted by hand", as_found=True)
    assert buy_reward(past, "7", "click")
    clock.forward(hours=1)
    look(past)
    assert find_freeze(past.rt, past.program_id) is None
    give(database, past, "8", 1)
    clock.forward(hours=1)
    look(past)  # it was never noted as right, so it is looked at each time
    found = find_freeze(past.rt, past.program_id)
    assert found is not None
    assert {what for _, what, _ in found.problems} == {"points"}
    lift_freeze(past.rt, past.program_id, by="Ada", reason="Counted again", as_found=True)
    with pytest.raises(Refused, match="not_frozen"):
        lift_freeze(past.rt, past.program_id, by="Ada", reason="And again")
    with past.rt.db.begin(past.program_id) as session:
        rows = session.rows("SELECT lifted_by, reason FROM freezes WHERE {fence} ORDER BY id")
        assert not freezes.is_frozen(session)
    assert [(row.lifted_by, row.reason) for row in rows] == [
        ("Ada", "Counted by hand"),
        ("Ada", "Counted again"),
    ]


def test_a_change_by_hand_that_moves_no_chain_is_found_in_turn(
    past: History, clock: Clock, database: DatabaseUrls
) -> None:
    look(past)
    give(database, past, "8")
    for _ in range(3):
        clock.forward(hours=1)
        look(past)
    assert find_freeze(past.rt, past.program_id) is not None
    lift_freeze(past.rt, past.program_id, by="Ada", reason="x", as_found=True)


def test_every_hour_has_its_audit(past: History) -> None:
    keep_house(past.rt)
    assert "audit_changed" in [name for name, _ in take_due(past.rt, past.program_id)]


def test_a_freeze_is_lifted_only_when_it_is_right_again(past: History, database: DatabaseUrls) -> None:
    give(database, past, "8")
    look(past)
    with pytest.raises(Refused, match="still_wrong") as refused:
        lift_freeze(past.rt, past.program_id, by="Ada", reason="I hoped")
    assert "305 points are stored, the entries give 300" in refused.value.detail
    assert find_freeze(past.rt, past.program_id) is not None
    give(database, past, "8", -5)
    lift_freeze(past.rt, past.program_id, by="Ada", reason="Restored the row")
    assert buy_reward(past, "7", "click")


def test_owners_are_told_once_by_mail_and_nobody_when_it_is_over(
    past: History, database: DatabaseUrls, mails: Mails, clock: Clock
) -> None:
    for role in (Role.OWNER, Role.STAFF):
        email = f"{role.value}@shop.test"
        invite_staff(past.rt, past.program_id, email=email, name=role.value, role=role)
    mails.sent.clear()
    give(database, past, "8")
    look(past)
    run_jobs(past.rt, past.program_id)
    ((to, subject, text),) = mails.sent
    assert (to, subject) == ("owner@shop.test", "Points cannot be spent: Sprig")
    assert "305 points are stored, the entries give 300" in text
    clock.forward(hours=1)
    look(past)  # found again, and no news
    run_jobs(past.rt, past.program_id)
    assert len(mails.sent) == 1
    give(database, past, "8", -5)
    lift_freeze(past.rt, past.program_id, by="Ada", reason="Restored the row")
    assert tell_freeze(past.rt, past.program_id) == 0
