"""Transactions, each fenced to the programs it is about.

A `Session` is one transaction. Row-level security lets it see the programs it was opened for and nothing else;
and every statement it runs says so itself as well: `{fence}` in the SQL becomes the filter, in one place.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import Connection, CursorResult, Engine, Row, create_engine, text

from app.db.migrating import psycopg_url

_FENCE = re.compile(r"\{fence(?::(\w+))?\}")


def fenced(sql: str) -> str:
    """`sql` with each `{fence}` or `{fence:alias}` made the filter on the session's programs.

    Raises ValueError for a statement that names no fence: reading across programs is never an accident.
    """
    filled, count = _FENCE.subn(
        lambda match: (f"{match[1]}." if match[1] else "") + "program_id = ANY(:programs)", sql
    )
    if not count and not sql.lstrip().upper().startswith("INSERT"):
        raise ValueError(f"no fence in: {sql[:60]}")
    return filled


def rows_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Many rows as one parameter, for `jsonb_to_recordset`; bytes travel as base64.

    An array for each column would be dumped and escaped value by value in Python: tried, three quarters of the
    time of a batch.
    """
    return msgspec.json.encode(rows).decode()


class Session:
    """One transaction over one or several programs."""

    def __init__(self, connection: Connection, programs: Sequence[int]) -> None:
        self.connection = connection
        self.programs = list(programs)

    @property
    def program_id(self) -> int:
        (program_id,) = self.programs
        return program_id

    def run(self, sql: str, params: Mapping[str, Any] | None = None, /, **named: Any) -> CursorResult[Any]:
        """Run one statement; `:programs` and, in a session of one program, `:program_id` are bound already."""
        bound = {"programs": self.programs, **(params or {}), **named}
        if len(self.programs) == 1:
            bound.setdefault("program_id", self.programs[0])
        return self.connection.execute(text(fenced(sql)), bound)

    def rows(self, sql: str, params: Mapping[str, Any] | None = None, /, **named: Any) -> Sequence[Row[Any]]:
        return self.run(sql, params, **named).all()

    def first(self, sql: str, params: Mapping[str, Any] | None = None, /, **named: Any) -> Row[Any] | None:
        return self.run(sql, params, **named).first()

    def scalar(self, sql: str, params: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        return self.run(sql, params, **named).scalar()


class Database:
    """The app's connection pool. Opens fenced sessions; `outside` is for the few tables without a program."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.engine: Engine = create_engine(
            psycopg_url(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            hide_parameters=True,  # they would stand in every error's text, and so in logs
            connect_args={"options": "-c timezone=UTC -c lock_timeout=15s -c statement_timeout=120s"},
        )
        # Autocommit: the acknowledging statement is its own transaction, without BEGIN and COMMIT around it.
        self.autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def begin(self, *programs: int) -> Iterator[Session]:
        """A transaction that sees `programs` and no others; commits at the end, rolls back on an exception."""
        with self.engine.begin() as connection:
            listed = ",".join(str(int(program)) for program in programs)
            connection.execute(
                text("SELECT set_config('laurel.programs', :listed, true)"), {"listed": listed}
            )
            yield Session(connection, programs)

    @contextmanager
    def trial(self, *programs: int) -> Iterator[Session]:
        """A transaction like `begin`'s, but always rolled back: to see what something would do."""
        with self.engine.connect() as connection:
            yield self.session(connection, *programs)

    def session(self, connection: Connection, *programs: int) -> Session:
        """A session on a transaction that is open already, fenced anew to `programs`."""
        listed = ",".join(str(int(program)) for program in programs)
        connection.execute(text("SELECT set_config('laurel.programs', :listed, true)"), {"listed": listed})
        return Session(connection, programs)

    @contextmanager
    def outside(self) -> Iterator[Connection]:
        """A transaction that sees no program at all: directory, installation, unknown shops' messages."""
        with self.engine.begin() as connection:
            yield connection

    def is_migrated(self, connection: Connection) -> bool:
        """Whether our tables are there at all."""
        return connection.execute(text("SELECT to_regclass('installation')")).scalar() is not None

    def close(self) -> None:
        self.engine.dispose()
