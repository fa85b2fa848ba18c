"""What the database itself refuses, whatever the code does."""

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import CheckConstraint, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.sql.schema import ColumnCollectionConstraint

from app.db import ledger, members, tables
from app.db.migrating import GuardsMissing, psycopg_url, require_guards
from app.db.session import Session, fenced
from app.domain.ledger import Draft, EntryKind
from app.services.runtime import Runtime
from tests.conftest import NOW, DatabaseUrls, make_program
from tests.services.houses import make_shop

OUTSIDE = {"directory", "unknown_shop_messages", "installation", "alembic_version"}


def member_with(rt: Runtime, program_id: int, points: int) -> int:
    shop = make_shop(rt, program_id)
    with rt.db.begin(program_id) as session:
        key = (shop.shop_id, "7")
        identity = members.add_identities(session, [(program_id, *key)], now=NOW)[key]
        members.enrol(session, [identity], {program_id: "member"}, now=NOW)
        assert identity.member_id is not None
        give(session, identity.member_id, points)
        return identity.member_id


def give(session: Session, account_id: int, points: int, **changes: object) -> None:
    book = ledger.lock_books(session, [account_id])[account_id]
    draft = Draft(EntryKind.EARN, points, f"order:{account_id}{book.seq}", 0, NOW, **changes)  # type: ignore[arg-type]
    book.credit(draft, now=NOW)
    ledger.write_books(session, [book])


@pytest.mark.parametrize(
    "statement", ["UPDATE entries SET points = points + 1", "DELETE FROM entries", "TRUNCATE entries"]
)
def test_entries_cannot_be_changed_by_the_app(rt: Runtime, program_id: int, statement: str) -> None:
    member_with(rt, program_id, 50)
    with pytest.raises(DBAPIError, match="permission denied"), rt.db.begin(program_id) as session:
        session.connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET points = points + 1 WHERE program_id = %s",
        "DELETE FROM entries WHERE program_id = %s",
        "UPDATE program_versions SET note = 'x' WHERE program_id = %s",
    ],
)
def test_nor_by_the_owner(rt: Runtime, database: DatabaseUrls, program_id: int, statement: str) -> None:
    member_with(rt, program_id, 50)
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("SELECT set_config('laurel.programs', %s, true)", [str(program_id)])
        with pytest.raises(psycopg.errors.RestrictViolation, match="only grows"):
            connection.execute(statement, [program_id])


def test_points_that_are_not_there_cannot_be_spent_even_past_the_code(rt: Runtime, program_id: int) -> None:
    account_id = member_with(rt, program_id, 50)
    with (
        pytest.raises(IntegrityError, match="50 points available, 60 are needed"),
        rt.db.begin(program_id) as session,
    ):
        book = ledger.lock_books(session, [account_id])[account_id]
        book.points = 1000  # a fault in the code: it believes there are more
        for lot in book.lots.values():
            lot.remaining = 1000
        book.redeem(Draft(EntryKind.REDEEM, -60, "redemption:1", 0, NOW), now=NOW)
        ledger.write_books(session, [book])


def test_pending_points_cannot_be_spent_either(rt: Runtime, program_id: int) -> None:
    account_id = member_with(rt, program_id, 50)
    with rt.db.begin(program_id) as session:
        give(session, account_id, 100, available_at=NOW + timedelta(days=3))
    with pytest.raises(IntegrityError, match="50 points available"), rt.db.begin(program_id) as session:
        book = ledger.lock_books(session, [account_id])[account_id]
        for lot in book.lots.values():
            lot.available_at = NOW
        book.redeem(Draft(EntryKind.REDEEM, -60, "redemption:1", 0, NOW), now=NOW)
        ledger.write_books(session, [book])


def test_the_same_entry_is_never_stored_twice(rt: Runtime, program_id: int) -> None:
    account_id = member_with(rt, program_id, 50)
    with pytest.raises(IntegrityError), rt.db.begin(program_id) as session:
        book = ledger.lock_books(session, [account_id])[account_id]
        book.credit(Draft(EntryKind.EARN, 5, f"order:{account_id}0", 0, NOW), now=NOW)
        ledger.write_books(session, [book])


def test_another_programs_rows_are_not_there(rt: Runtime) -> None:
    mine, theirs = make_program(rt), make_program(rt)
    account_id = member_with(rt, theirs, 50)
    for table in sorted(set(tables.metadata.tables) - tables.UNFENCED):
        with rt.db.begin(mine) as session:
            found = session.connection.execute(
                text(f"SELECT count(*) FROM {table} WHERE program_id = :other"), {"other": theirs}
            ).scalar_one()
            assert (table, found) == (table, 0)
    with rt.db.begin(mine) as session:
        assert ledger.lock_books(session, [account_id]) == {}


def test_without_a_program_there_is_nothing(rt: Runtime, program_id: int) -> None:
    member_with(rt, program_id, 50)
    with rt.db.outside() as connection:
        assert connection.execute(text("SELECT count(*) FROM entries")).scalar_one() == 0


def test_a_row_of_another_program_cannot_be_written(rt: Runtime) -> None:
    mine, theirs = make_program(rt), make_program(rt)
    with pytest.raises(DBAPIError, match="row-level security"), rt.db.begin(mine) as session:
        session.run(
            "INSERT INTO tombstones (program_id, hash, erased_at) VALUES (:other, :hash, :now)",
            other=theirs,
            hash=b"x",
            now=NOW,
        )


def test_the_fence_does_not_outlive_its_transaction(rt: Runtime, program_id: int) -> None:
    with rt.db.begin(program_id):
        pass
    with rt.db.outside() as connection:
        setting = connection.execute(text("SELECT current_setting('laurel.programs', true)")).scalar_one()
        assert setting in (None, "")


@pytest.mark.needs_filter
def test_a_look_sees_its_own_program_alone_and_leaves_no_fence_behind(rt: Runtime, program_id: int) -> None:
    other = make_program(rt)
    # Both fences on their own: the filter that a look adds, and the policy where the filter says anything else.
    for sql in (
        "SELECT program_id FROM programs WHERE {fence}",
        "SELECT program_id FROM programs WHERE {fence} OR true",
    ):
        for wanted in (program_id, other, program_id):
            assert rt.db.look(wanted, sql, {"number": "int"}, [(1,), (2,)], int) == [wanted, wanted]
    after = "SELECT current_setting('laurel.programs', true) FROM (SELECT 1) one WHERE {fence} OR true"
    with pytest.raises(psycopg.Error):  # no such column: and the connection goes back as it was
        rt.db.look(program_id, after, {"number": "int"}, [(1,)], str)
    assert rt.db.run_alone("SELECT 1 FROM programs", []) == []


def test_what_has_grown_is_counted_for_the_planner(
    rt: Runtime, database: DatabaseUrls, program_id: int
) -> None:
    """Never counted, any index looks as good as another: all begin with the program."""
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE just_made AS SELECT n FROM generate_series(1, 3000) n")
        try:
            assert rt.db.count_grown_tables() >= 1
            counted = "SELECT reltuples FROM pg_class WHERE oid = 'just_made'::regclass"
            assert owner.execute(counted).fetchone() == (3000,)
            owner.execute("INSERT INTO just_made SELECT 1 FROM generate_series(1, 3000)")
            rt.db.count_grown_tables()
            assert owner.execute(counted).fetchone() == (3000,)  # twice as many: the planner is not far off
            owner.execute("INSERT INTO just_made SELECT 1 FROM generate_series(1, 30000)")
            rt.db.count_grown_tables()
            assert owner.execute(counted).fetchone() == (36000,)
        finally:
            owner.execute("DROP TABLE just_made")


def test_a_statement_without_a_fence_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="no fence"):
        fenced("SELECT * FROM entries")
    assert fenced("SELECT 1 FROM entries e WHERE {fence:e}").endswith("e.program_id = ANY(:programs)")


@pytest.mark.needs_filter
@pytest.mark.parametrize("table", ["accounts", "members", "orders"])
def test_a_page_by_id_comes_off_the_index_in_order(rt: Runtime, program_id: int, table: str) -> None:
    """Sorted, each page would cost all that is left of the table."""
    with rt.db.trial(program_id) as session:
        session.connection.exec_driver_sql(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"
        )
        plan = session.rows(f"EXPLAIN SELECT id FROM {table} WHERE {{fence}} AND id > 0 ORDER BY id LIMIT 5")
    assert "Sort" not in "\n".join(row[0] for row in plan)


def test_only_the_named_tables_stand_outside_the_fence(database: DatabaseUrls) -> None:
    with psycopg.connect(database.owner_url) as connection:
        rows = connection.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') "
            "AND NOT (c.relrowsecurity AND c.relforcerowsecurity) AND c.relname NOT LIKE 'procrastinate%'"
        )
        assert {row[0] for row in rows} == OUTSIDE


def test_every_key_begins_with_the_program() -> None:
    for name, table in tables.metadata.tables.items():
        if name in tables.UNFENCED:
            continue
        for key in table.constraints:
            if isinstance(key, ColumnCollectionConstraint) and not isinstance(key, CheckConstraint):
                columns = [column.name for column in key.columns]
                assert columns[0] == "program_id", f"{name}: {columns}"


def test_the_tables_are_what_the_migrations_leave(database: DatabaseUrls) -> None:
    engine = create_engine(psycopg_url(database.owner_url))
    found = inspect(engine)
    for name, table in tables.metadata.tables.items():
        columns = {column["name"]: column for column in found.get_columns(name)}
        assert {column.name: bool(column.nullable) for column in table.columns} == {
            column: bool(columns[column]["nullable"]) for column in columns
        }, name
        for column in table.columns:
            ours = column.type.compile(engine.dialect)
            assert (name, column.name, ours) == (
                name,
                column.name,
                columns[column.name]["type"].compile(engine.dialect),
            )
        assert {index.name for index in table.indexes} <= {
            index["name"] for index in found.get_indexes(name)
        }, name
    engine.dispose()


def test_a_database_without_its_guards_is_not_worked_with(rt: Runtime, database: DatabaseUrls) -> None:
    with rt.db.outside() as connection:
        require_guards(connection)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE entries DISABLE TRIGGER entries_only_grow")
        owner.execute("ALTER TABLE lots NO FORCE ROW LEVEL SECURITY")
        try:
            with rt.db.outside() as connection, pytest.raises(GuardsMissing) as missing:
                require_guards(connection)
        finally:
            owner.execute("ALTER TABLE entries ENABLE TRIGGER entries_only_grow")
            owner.execute("ALTER TABLE lots FORCE ROW LEVEL SECURITY")
    assert len(missing.value.missing) == 2
