"""Statements run by the driver itself, on a connection of SQLAlchemy's.

Its pool, its transactions and its errors stay; what is left out is what it does around each statement, which took three
times as long as the driver. `tests/db/test_statements.py` holds the two ways together.
"""

import re
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from typing import Any

import psycopg
from psycopg import Cursor
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

Row = Any
"""A row by name, by place, or as a whole: `row.points`, `row[0]`, `row._mapping`."""

_STREAMED = 2000  # rows of a stream that are held at once
# As SQLAlchemy's `text` has them.
_NAMED = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
_streams = count(1)


class Result:
    """What a statement gave back: to be read once."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: "Cursor[Row]") -> None:
        self._cursor = cursor

    @property
    def rowcount(self) -> int:
        """How many rows were changed, or found. Of what was sent ahead nobody knows before it is waited for."""
        self._wait()
        return self._cursor.rowcount

    def all(self) -> list[Row]:
        """Every row; none of a statement that returns no rows."""
        self._wait()
        found = self._cursor.pgresult
        return self._cursor.fetchall() if found is not None and found.nfields else []

    def __iter__(self) -> Iterator[Row]:
        return iter(self._cursor.fetchall())

    def scalars(self) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self._cursor.fetchall()]

    def first(self) -> Row | None:
        return self._cursor.fetchone()

    def one(self) -> Row:
        """The only row. Raises: LookupError unless there is exactly one."""
        rows = self._cursor.fetchall()
        if len(rows) != 1:
            raise LookupError(f"{len(rows)} rows where there is one")
        return rows[0]

    def scalar(self) -> Any:
        """The first column of the first row; None without one."""
        row = self._cursor.fetchone()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        return self.one()[0]

    def _wait(self) -> None:
        """Until all that was sent ahead was answered. What fetches rows does so by itself."""
        if self._cursor.connection.pgconn.pipeline_status:
            with self._cursor.connection.pipeline():  # its end waits, though it is not the outermost
                pass


def run(connection: Connection, sql: str, params: Mapping[str, Any]) -> Result:
    """Run one statement with `:name` parameters. Raises: sqlalchemy.exc.DBAPIError, as SQLAlchemy itself would."""
    cursor = _driver(connection).cursor(row_factory=_by_name)
    try:
        cursor.execute(for_driver(sql), params)
    except psycopg.Error as error:
        raise _as_sqlalchemy_has_it(connection, sql, error) from error
    return Result(cursor)


def stream(connection: Connection, sql: str, params: Mapping[str, Any]) -> Iterator[Row]:
    """Rows as they come, by a cursor of the server's. Raises: as `run`."""
    cursor = _driver(connection).cursor(f"laurel_{next(_streams)}", row_factory=_by_name)
    cursor.itersize = _STREAMED
    try:
        with cursor:
            cursor.execute(for_driver(sql), params)
            yield from cursor
    except psycopg.Error as error:
        raise _as_sqlalchemy_has_it(connection, sql, error) from error


@contextmanager
def ahead(connection: Connection) -> Iterator[None]:
    """Statements within it are sent without waiting for what came of those before.

    Reading an answer waits for all that were sent. What fails raises there, or at the end, as `run` does.
    """
    try:
        with _driver(connection).pipeline():
            yield
    except psycopg.Error as error:
        raise _as_sqlalchemy_has_it(connection, "one of several statements", error) from error


@lru_cache(maxsize=2048)
def for_driver(sql: str) -> bytes:
    """`:name` as psycopg wants it."""
    return _NAMED.sub(r"%(\1)s", sql.replace("%", "%%")).encode()


def _driver(connection: Connection) -> "psycopg.Connection[Any]":
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    return driver


def _as_sqlalchemy_has_it(connection: Connection, sql: str, error: psycopg.Error) -> BaseException:
    lost = connection.dialect.is_disconnect(error, _driver(connection), None)  # type: ignore[arg-type]
    if lost:
        connection.invalidate(error)
    return DBAPIError.instance(
        sql,
        None,
        error,
        psycopg.Error,
        hide_parameters=True,  # they would stand in every error's text, and so in logs
        connection_invalidated=lost,
        dialect=connection.dialect,
    )


def _by_name(cursor: "Cursor[Any]") -> Callable[[Sequence[Any]], Row]:
    result = cursor.pgresult
    if result is None:
        return tuple
    make: Callable[[Sequence[Any]], Row] = _row(*map(result.fname, range(result.nfields)))._make  # noqa: SLF001 - a named tuple's own
    return make


@lru_cache(maxsize=2048)
def _row(*columns: bytes) -> Any:
    """A named tuple for rows of these columns; what is no name in Python is called by its place: `_0`."""
    names = [column.decode() for column in columns]
    fields: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
    as_mapping = property(lambda row: dict(zip(fields._fields, row, strict=True)))  # noqa: SLF001 - as above
    return type("Row", (fields,), {"__slots__": (), "_mapping": as_mapping})
