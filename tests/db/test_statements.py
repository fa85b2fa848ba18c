"""Statements by the driver itself: the same rows, parameters and errors as SQLAlchemy's own way."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from app.db import statements
from app.services.runtime import Runtime

PARAMETERS: list[Any] = [
    1,
    -(2**40),
    "O'Neill % :x",
    None,
    True,
    [1, 2],
    ["a", None],
    datetime(2026, 2, 28, tzinfo=UTC),
    b"\0",
]


@pytest.mark.parametrize("value", PARAMETERS, ids=str)
def test_values_come_back_as_they_do_from_sqlalchemy(rt: Runtime, value: Any) -> None:
    sql = "SELECT :it AS it" if value is not None else "SELECT CAST(:it AS text) AS it"
    with rt.db.outside() as connection:
        theirs = connection.execute(text(sql), {"it": value}).one()
        ours = statements.run(connection, sql, {"it": value, "unused": 1}).one()
    assert (ours.it, ours[0], tuple(ours), ours._mapping) == (
        theirs.it,
        theirs[0],
        tuple(theirs),
        dict(theirs._mapping),
    )
    assert type(ours.it) is type(theirs.it)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'a:b' || to_char(CAST('2026-01-02T03:04' AS timestamp), 'HH24:MI') AS it, 7 % 4 AS rest, '5%' AS share",
        "SELECT 1 WHERE 'order:7' LIKE 'order:%' AND :n = 1",
        "SELECT (ARRAY[1,2,3])[1:2] AS part, CAST('{\"a\": [1, 2.5, null]}' AS jsonb) AS said",
        "SELECT 1, 2 AS two, 3",
    ],
)  # fmt: skip
def test_colons_and_percent_signs_are_read_as_sqlalchemy_reads_them(rt: Runtime, sql: str) -> None:
    with rt.db.outside() as connection:
        theirs = [tuple(row) for row in connection.execute(text(sql), {"n": 1} if ":n" in sql else {})]
        assert [tuple(row) for row in statements.run(connection, sql, {"n": 1}).all()] == theirs


def test_one_row_is_one_row(rt: Runtime) -> None:
    with rt.db.outside() as connection:
        for rows in (0, 2):
            with pytest.raises(LookupError, match=f"{rows} rows"):
                statements.run(connection, "SELECT generate_series(1, :n)", {"n": rows}).one()
        assert statements.run(connection, "SELECT generate_series(1, :n)", {"n": 3}).scalars() == [1, 2, 3]
        assert statements.run(connection, "SELECT 1 WHERE :no", {"no": False}).scalar() is None
        assert statements.run(connection, "SET LOCAL application_name = 'it'", {}).all() == []


def test_what_the_database_refuses_is_raised_as_sqlalchemy_raises_it(rt: Runtime) -> None:
    for sql, kind in (
        ("INSERT INTO directory (kind) VALUES (NULL)", IntegrityError),
        ("SELECT 1 / :zero", DBAPIError),
        ("SELECT * FROM nowhere", DBAPIError),
    ):
        raised = []
        for run in (
            lambda connection, sql=sql: connection.execute(text(sql), {"zero": 0} if ":zero" in sql else {}),
            lambda connection, sql=sql: statements.run(connection, sql, {"zero": 0}),
        ):
            with pytest.raises(kind) as found, rt.db.outside() as connection:
                run(connection)
            raised.append((type(found.value), type(found.value.orig), found.value.connection_invalidated))
        assert raised[0] == raised[1]


def test_no_parameter_stands_in_an_error(rt: Runtime) -> None:
    with pytest.raises(DBAPIError) as found, rt.db.outside() as connection:
        statements.run(connection, "SELECT CAST(:it AS integer) + nothing", {"it": "a secret"})
    assert "a secret" not in str(found.value)


def test_a_lost_connection_is_not_used_again(rt: Runtime) -> None:
    with pytest.raises(OperationalError) as found, rt.db.outside() as connection:
        connection.connection.driver_connection.close()  # type: ignore[union-attr]
        statements.run(connection, "SELECT 1", {})
    assert found.value.connection_invalidated
    assert isinstance(found.value.orig, psycopg.OperationalError)
    with rt.db.outside() as connection:
        assert statements.run(connection, "SELECT 1", {}).scalar() == 1


def test_a_stream_holds_a_part_at_a_time_and_two_go_side_by_side(rt: Runtime) -> None:
    sql = "SELECT n, :what AS what FROM generate_series(1, 5000) n"
    with rt.db.outside() as connection:
        one = statements.stream(connection, sql, {"what": "one"})
        other = statements.stream(connection, sql, {"what": "other"})
        assert [next(one)[0], next(other).what, next(one).n] == [1, "other", 2]
        one.close()  # type: ignore[attr-defined]
        assert sum(1 for _ in other) == 4999


# --- Sent ahead ------------------------------------------------------------------------------------------------


def test_what_is_sent_ahead_is_done_in_that_order(rt: Runtime) -> None:
    with rt.db.outside() as connection:
        statements.run(connection, "CREATE TEMP TABLE seen (n int PRIMARY KEY) ON COMMIT DROP", {})
        with statements.ahead(connection):
            for n in range(3):
                sql = "INSERT INTO seen SELECT :n WHERE (SELECT count(*) FROM seen) = :n"
                statements.run(connection, sql, {"n": n})
            asked = "SELECT n FROM seen ORDER BY n"
            assert [row.n for row in statements.run(connection, asked, {}).all()] == [0, 1, 2]
            assert statements.run(connection, asked, {}).scalars() == [
                row.n for row in statements.run(connection, asked, {})
            ]
            assert statements.run(connection, asked, {}).scalar() == 0
            statements.run(connection, "DELETE FROM seen WHERE n = :n", {"n": 1})
        assert statements.run(connection, "SELECT n FROM seen ORDER BY n", {}).scalars() == [0, 2]


_NOTED = "INSERT INTO directory (kind, key, program_id, target_id) VALUES (:kind, 'it', 1, 1)"


@pytest.mark.parametrize("reads", [False, True], ids=["at the end", "where an answer is read"])
def test_what_is_refused_of_it_raises_and_nothing_of_it_stays(rt: Runtime, reads: bool) -> None:
    with pytest.raises(IntegrityError) as raised, rt.db.outside() as connection, statements.ahead(connection):
        statements.run(connection, _NOTED, {"kind": "ahead"})
        statements.run(connection, _NOTED, {"kind": None})
        statements.run(connection, _NOTED, {"kind": "ahead, too"})
        if reads:
            statements.run(connection, "SELECT 1", {}).all()
    assert isinstance(raised.value.orig, psycopg.errors.NotNullViolation)
    with rt.db.outside() as connection:
        assert statements.run(connection, "SELECT 1 FROM directory WHERE kind LIKE 'ahead%'", {}).all() == []


def test_how_many_rows_were_changed_is_waited_for(rt: Runtime) -> None:
    with rt.db.outside() as connection, statements.ahead(connection):
        statements.run(
            connection, "CREATE TEMP TABLE changed ON COMMIT DROP AS SELECT generate_series(1, 7) AS n", {}
        )
        assert statements.run(connection, "DELETE FROM changed WHERE n > :n", {"n": 2}).rowcount == 5
        assert statements.run(connection, "DELETE FROM changed", {}).rowcount == 2
