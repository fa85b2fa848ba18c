"""Transactions, each fenced to the programs it is about.

A `Session` is one transaction. Row-level security lets it see the programs it was opened for and nothing else;
and every statement it runs says so itself as well: `{fence}` in the SQL becomes the filter, in one place.
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec
import psycopg
from psycopg_pool import ConnectionPool
from sqlalchemy import Connection, Engine, create_engine, text

from app.db import statements
from app.db.migrating import psycopg_url
from app.db.statements import Result, Row, for_driver

T = TypeVar("T")

_FENCE = "SELECT set_config('laurel.programs', :listed, true)"
FENCE = re.compile(r"\{fence(?::(\w+))?\}")


@lru_cache(maxsize=2048)
def fenced(sql: str, of: str = "ANY(:programs)") -> str:
    """`sql` with each `{fence}` or `{fence:alias}` made the filter on the session's programs.

    Raises ValueError for a statement that names no fence: reading across programs is never an accident.
    """
    filled, count = FENCE.subn(lambda match: (f"{match[1]}." if match[1] else "") + f"program_id = {of}", sql)
    if not count and not sql.lstrip().upper().startswith("INSERT"):
        raise ValueError(f"no fence in: {sql[:60]}")
    return filled


# The fence is set for the transaction before the SELECT begins: that stands in a subquery which needs the fence's row
# and, for its OFFSET, is not taken apart. Were it ever otherwise, it would see no program at all.
_LOOK = (
    "WITH fence AS MATERIALIZED (SELECT set_config('laurel.programs', :fence, true) AS programs) "
    "SELECT asked.place, found.* FROM fence CROSS JOIN (VALUES %s) asked (place, %s) CROSS JOIN LATERAL ("
    "SELECT * FROM (%s) inside WHERE fence.programs IS NOT NULL OFFSET 0) found"
)


@lru_cache(maxsize=256)
def _look(sql: str, kinds: tuple[tuple[str, str], ...], count: int) -> bytes:
    """A SELECT of one program for so many who ask, fenced and as psycopg wants it."""
    asked = (
        f"({place}, {', '.join(f'CAST(:{name}_{place} AS {kind})' for name, kind in kinds)})"
        for place in range(count)
    )
    names = ", ".join(name for name, _ in kinds)
    return for_driver(_LOOK % (", ".join(asked), names, fenced(sql, ":program_id")))


def _libpq(url: str) -> str:
    return psycopg_url(url).replace("postgresql+psycopg://", "postgresql://", 1)


def rows_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Many rows as one parameter, for `jsonb_to_recordset`; bytes travel as base64.

    An array for each column would be dumped and escaped value by value in Python: tried, three quarters of the
    time of a batch.
    """
    return msgspec.json.encode(rows).decode()


_OPTIONS = "-c timezone=UTC -c lock_timeout=15s -c statement_timeout=120s"

_PATIENCE_S = 4.0  # for a connection: whoever sent a delivery waits five seconds for the answer

# A database whose packets are lost answers nothing at all, and TCP alone would wait a quarter of an hour for it.
_NOTICED_IN = {
    "connect_timeout": 10,
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


def noticing(url: str) -> dict[str, Any]:
    """How soon a lost way to the database is noticed, some 20 seconds; what `url` says of it itself stays."""
    said = parse_qs(urlsplit(url).query)
    return {name: value for name, value in _NOTICED_IN.items() if name not in said}


class Session:
    """One transaction over one or several programs."""

    def __init__(self, connection: Connection, programs: Sequence[int]) -> None:
        self.connection = connection
        self.programs = list(programs)

    @property
    def program_id(self) -> int:
        (program_id,) = self.programs
        return program_id

    def run(self, sql: str, params: Mapping[str, Any] | None = None, /, **named: Any) -> Result:
        """Run one statement; `:programs` and, in a session of one program, `:program_id` are bound already."""
        return statements.run(self.connection, *self._bound(sql, {**(params or {}), **named}))

    def _bound(self, sql: str, told: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Fenced by a plain comparison where there is one program: pages by id then come off the index in order.

        By a list PostgreSQL sorts all that is left for every page, and pages of a large table take quadratic time.
        """
        bound = {"programs": self.programs, **told}
        if len(self.programs) != 1:
            return fenced(sql), bound
        bound.setdefault("program_id", self.programs[0])
        bound["only_program"] = self.programs[0]
        return fenced(sql, ":only_program"), bound

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """For several writes in a row: while the database does one, the next is made ready. See `statements.ahead`."""
        with statements.ahead(self.connection):
            yield

    def rows(self, sql: str, params: Mapping[str, Any] | None = None, /, **named: Any) -> list[Row]:
        return self.run(sql, params, **named).all()

    def stream(self, sql: str, params: Mapping[str, Any] | None = None, /, **named: Any) -> Iterator[Row]:
        """Rows as they come, by a cursor of the server's: for what must not be held all at once."""
        return statements.stream(self.connection, *self._bound(sql, {**(params or {}), **named}))

    def first(self, sql: str, params: Mapping[str, Any] | None = None, /, **named: Any) -> Row | None:
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
            json_deserializer=msgspec.json.decode,  # the standard library's takes four times as long
            hide_parameters=True,  # they would stand in every error's text, and so in logs
            connect_args={"options": _OPTIONS, **noticing(url)},
        )
        self._pool_size = pool_size
        self._direct: ConnectionPool | None = None
        self._opening = threading.Lock()

    @contextmanager
    def begin(self, *programs: int) -> Iterator[Session]:
        """A transaction that sees `programs` and no others; commits at the end, rolls back on an exception."""
        with self.engine.begin() as connection:
            listed = ",".join(str(int(program)) for program in programs)
            statements.run(connection, _FENCE, {"listed": listed})
            yield Session(connection, programs)

    @contextmanager
    def trial(self, *programs: int) -> Iterator[Session]:
        """A transaction like `begin`'s, but always rolled back: to see what something would do."""
        with self.engine.connect() as connection:
            yield self.session(connection, *programs)

    @contextmanager
    def snapshot(self, *programs: int) -> Iterator[Session]:
        """A transaction that only reads, and sees one and the same moment however long it takes."""
        with self.engine.connect() as plain:
            connection = plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield self.session(connection, *programs)

    def session(self, connection: Connection, *programs: int) -> Session:
        """A session on a transaction that is open already, fenced anew to `programs`."""
        listed = ",".join(str(int(program)) for program in programs)
        connection.execute(text(_FENCE), {"listed": listed})
        return Session(connection, programs)

    def run_alone(self, sql: str, params: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
        """Run one statement that is its own transaction, without BEGIN and COMMIT around it. Returns its rows.

        For the acknowledging statement: prepared on the server, one way there and back.
        """
        return self._alone(lambda connection: connection.execute(sql.encode(), params).fetchall())

    def look(
        self,
        program_id: int,
        sql: str,
        kinds: Mapping[str, str],
        asked: Sequence[Sequence[Any]],
        shape: Callable[..., T],
    ) -> list[T | None]:
        """For each of `asked` the `shape` of the one row that a SELECT has for it, fenced to one program; None: no row.

        For pages that are read all the time: its own transaction, prepared on the server, one way there and back.
        `{fence}` is filled as in a session. What each asks with has the names and types of `kinds`, and is called
        `asked.name` in the SELECT.
        """
        statement = _look(sql, tuple(kinds.items()), len(asked))
        params: dict[str, Any] = {"fence": str(program_id), "program_id": program_id}
        for place, values in enumerate(asked):
            for name, value in zip(kinds, values, strict=True):
                params[f"{name}_{place}"] = value
        found: list[T | None] = [None] * len(asked)
        rows = self._alone(lambda connection: connection.execute(statement, params).fetchall())
        for place, *columns in rows:
            found[place] = shape(*columns)
        return found

    def _alone(self, run: Callable[["psycopg.Connection[Any]"], T]) -> T:
        """What `run` returns of a connection without a transaction around it.

        Once more where the connection had died, since nothing was done then; the pool's others mostly died with it.
        """
        # Not `pool.connection()`: it commits what is in no transaction, which takes as long as asking for a row.
        pool = self._opened()
        connection = pool.getconn()
        try:
            return run(connection)
        except psycopg.OperationalError:
            if not connection.closed:
                raise
        finally:
            pool.putconn(connection)
        pool.check()
        connection = pool.getconn()
        try:
            return run(connection)
        finally:
            pool.putconn(connection)

    def _opened(self) -> ConnectionPool:
        """The pool of those who need no session; made when first asked for, and anew after `close`."""
        if (opened := self._direct) is not None:
            return opened
        with self._opening:
            if self._direct is None:
                self._direct = ConnectionPool(
                    _libpq(self.url),
                    min_size=0,
                    max_size=2 * self._pool_size,
                    timeout=_PATIENCE_S,
                    reconnect_timeout=_PATIENCE_S,  # or it would wait ever longer before it looks again
                    open=True,
                    # What runs here is prepared once and looks rows up by their keys: planning it anew finds nothing.
                    kwargs={
                        "autocommit": True,
                        "options": f"{_OPTIONS} -c plan_cache_mode=force_generic_plan",
                        **noticing(self.url),
                    },
                )
            return self._direct

    @contextmanager
    def outside(self) -> Iterator[Connection]:
        """A transaction that sees no program at all: directory, installation, unknown shops' messages."""
        with self.engine.begin() as connection:
            yield connection

    def count_grown_tables(self) -> int:
        """Let the planner know what has come in since it looked last. Returns how many tables were counted anew."""
        with self.outside() as connection:
            return int(connection.execute(text("SELECT laurel_count_grown_tables()")).scalar_one())

    def is_migrated(self, connection: Connection) -> bool:
        """Whether our tables are there at all."""
        return connection.execute(text("SELECT to_regclass('installation')")).scalar() is not None

    def close(self) -> None:
        self.engine.dispose()
        with self._opening:
            if self._direct is not None:
                self._direct.close()
                self._direct = None
