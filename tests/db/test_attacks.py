"""Whoever could run SQL as the app: what they still cannot do. The fence must hold without the code's help."""

from collections.abc import Iterator

import psycopg
import pytest

from app.db import tables
from app.services.runtime import Runtime
from tests.conftest import DatabaseUrls, make_program
from tests.db.test_guards import member_with
from tests.services.houses import make_shop


@pytest.fixture
def app(database: DatabaseUrls) -> Iterator[psycopg.Connection]:
    """The app's own role, with no program set."""
    with psycopg.connect(database.app_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def theirs(rt: Runtime) -> int:
    """A program of somebody else's, with points and a delivery."""
    program_id = make_program(rt)
    member_with(rt, program_id, 50)
    return program_id


def fenced_tables() -> list[str]:
    return sorted(set(tables.metadata.tables) - tables.UNFENCED)


@pytest.mark.parametrize(
    "setting",
    ["", "0", "-1", "NULL", "{}", "1,", ",", "abc", "9223372036854775807", "1;2", "ANY", "*", "1 OR 1=1"],
)
def test_no_setting_of_the_fence_opens_more_than_it_names(
    app: psycopg.Connection, theirs: int, setting: str
) -> None:
    """Nonsense is an error or sees nothing; PostgreSQL reads the list as numbers, never as SQL."""
    app.execute("SELECT set_config('laurel.programs', %s, false)", [setting])
    for table in fenced_tables():
        try:
            (found,) = app.execute(
                psycopg.sql.SQL("SELECT count(*) FROM {} WHERE program_id = %s").format(
                    psycopg.sql.Identifier(table)
                ),
                [theirs],
            ).fetchone() or (None,)
        except psycopg.errors.DataError:
            continue
        assert (table, found) == (table, 0)


def test_a_day_of_the_inbox_has_no_side_door(app: psycopg.Connection, rt: Runtime, theirs: int) -> None:
    shop = make_shop(rt, theirs)
    with rt.db.begin(theirs) as session:
        session.run(
            "INSERT INTO inbox (program_id, received_on, shop_id, received_at, topic, delivery_ref, body_hash, body) "
            "VALUES (:program_id, :day, :shop, :now, 't', 'd', 'h', 'b')",
            day=rt.now().date(),
            shop=shop.shop_id,
            now=rt.now(),
        )
    day = f"inbox_{rt.now():%Y%m%d}"
    app.execute("SELECT set_config('laurel.programs', %s, false)", [str(theirs)])
    assert app.execute("SELECT count(*) FROM inbox").fetchone() == (1,)
    for statement in (f"SELECT count(*) FROM {day}", f"DELETE FROM {day}", f"UPDATE {day} SET topic = 'x'"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE laurel_owner",
        "SET SESSION AUTHORIZATION postgres",
        "ALTER ROLE CURRENT_USER BYPASSRLS",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "ALTER TABLE entries DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE entries DISABLE TRIGGER entries_only_grow",
        "ALTER TABLE entries OWNER TO CURRENT_USER",
        "DROP POLICY programs ON entries",
        "CREATE POLICY mine ON entries USING (true)",
        "DROP TRIGGER entries_enough_points ON entries",
        "DROP TABLE entries",
        "TRUNCATE entries",
        "TRUNCATE accounts",
        "SET session_replication_role = 'replica'",
        "CREATE TABLE public.inbox_20991231 (id int)",
        "CREATE FUNCTION public.hashtext(text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION laurel_only_grows() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE SCHEMA other",
        "CREATE RULE all_of_them AS ON SELECT TO entries DO INSTEAD SELECT 1",
        "UPDATE alembic_version SET version_num = 'x'",
        "COPY entries TO PROGRAM 'cat'",
        "COPY entries FROM '/etc/passwd'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT * FROM pg_authid",
    ],
)
def test_the_apps_role_may_work_and_nothing_else(app: psycopg.Connection, statement: str) -> None:
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue)):
        app.execute(statement)


def test_what_it_may_not_do_itself_it_can_give_to_nobody(app: psycopg.Connection) -> None:
    app.execute("GRANT ALL ON entries TO PUBLIC")  # PostgreSQL warns, and grants nothing
    for what in ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER"):
        assert app.execute("SELECT has_table_privilege('entries', %s)", [what]).fetchone() == (False,)


@pytest.mark.parametrize("day", ["infinity", "-infinity", "1970-01-01", "5874897-12-31"])
def test_no_day_is_made_that_nothing_is_received_on(app: psycopg.Connection, day: str) -> None:
    with pytest.raises(psycopg.Error):
        app.execute("SELECT laurel_make_inbox_day(%s)", [day])


def test_a_day_that_is_none_makes_nothing(app: psycopg.Connection) -> None:
    with pytest.raises(psycopg.Error):
        app.execute("SELECT laurel_make_inbox_day(NULL)")
    assert app.execute("SELECT laurel_drop_inbox_days(NULL)").fetchone() == (0,)


@pytest.mark.parametrize("day", ["infinity", "5874897-12-31"])
def test_the_last_days_cannot_be_dropped(app: psycopg.Connection, day: str) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="last seven days"):
        app.execute("SELECT laurel_drop_inbox_days(%s)", [day])
    with pytest.raises(psycopg.errors.RaiseException, match="last seven days"):
        app.execute("SELECT laurel_drop_inbox_days(current_date - 6)")


def test_what_runs_with_the_owners_rights_reads_no_table_of_mine(app: psycopg.Connection) -> None:
    """A temporary table or function of the same name is not the one that is called."""
    app.execute("CREATE TEMP TABLE inbox (trap int)")
    app.execute(
        "CREATE FUNCTION pg_temp.hashtext(text) RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE ''caught''; END'"
    )
    app.execute("SET search_path = pg_temp, public")
    app.execute("SELECT laurel_make_inbox_day(current_date + 3999)")
    children = (
        "SELECT count(*) FROM pg_inherits WHERE inhrelid = to_regclass(%s) AND inhparent = %s::regclass"
    )
    part = f"public.inbox_{app.execute('SELECT to_char(current_date + 3999, $$YYYYMMDD$$)').fetchone()[0]}"  # type: ignore[index]
    assert app.execute(children, [part, "public.inbox"]).fetchone() == (1,)
    assert app.execute(children, [part, "pg_temp.inbox"]).fetchone() == (0,)


def test_only_these_run_with_the_owners_rights(database: DatabaseUrls) -> None:
    with psycopg.connect(database.superuser_url) as connection:
        rows = connection.execute(
            "SELECT p.proname, p.proconfig FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace"
        ).fetchall()
    assert dict(rows) == {
        "laurel_make_inbox_day": ["search_path=public, pg_temp"],
        "laurel_drop_inbox_days": ["search_path=public, pg_temp"],
        "laurel_count_grown_tables": ["search_path=public, pg_temp"],
    }


def test_the_directory_tells_no_person_and_no_secret(
    app: psycopg.Connection, rt: Runtime, theirs: int
) -> None:
    """It stands outside the fence: kinds and numbers, and keys that are world-known, unguessable or hashed."""
    make_shop(rt, theirs)
    columns = app.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'directory' ORDER BY ordinal_position"
    ).fetchall()
    assert [column for (column,) in columns] == [
        "kind",
        "key",
        "program_id",
        "target_id",
        "details",
        "expires_at",
    ]
    rows = app.execute("SELECT kind, key, details::text FROM directory").fetchall()
    assert rows
    for kind, key, details in rows:
        assert "@" not in f"{key}{details}", kind
