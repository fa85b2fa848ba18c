"""Where a database is and which ways lead into it; and what backup and restore do to it as a whole.

The app's role sees one program at a time and the owner is fenced as well, so a whole database is dumped by a role
that no fence holds back: the superuser of the embedded server, or a role with BYPASSRLS elsewhere.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url

from app.db import embedded
from app.db.migrating import psycopg_url
from app.domain.errors import Refused


@dataclass(frozen=True, slots=True)
class Place:
    """`everything_url`: a role that sees all rows. `server_url`: one that may make databases; None: not ours to do."""

    app_url: str
    owner_url: str
    everything_url: str
    server_url: str | None

    @property
    def name(self) -> str:
        return make_url(self.everything_url).database or ""

    @property
    def owner(self) -> str:
        return make_url(self.owner_url).username or ""

    def beside(self, name: str) -> "Place":
        """Another database of the same server, with the same roles."""
        urls = (self.app_url, self.owner_url, self.everything_url)
        app, owner, everything = (
            make_url(url).set(database=name).render_as_string(hide_password=False) for url in urls
        )
        return replace(self, app_url=app, owner_url=owner, everything_url=everything)


@contextmanager
def looking_at(url: str, *, frozen: bool = False) -> Iterator[Connection]:
    """A transaction of its own connection, committed at the end. `frozen`: reads one moment throughout."""
    engine: Engine = create_engine(psycopg_url(url))
    if frozen:
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def require_sees_everything(connection: Connection) -> None:
    """Raises: Refused("cannot_see_everything"), saying what to do, unless this role passes every fence."""
    row = connection.execute(
        text(
            "SELECT rolname, rolsuper OR rolbypassrls AS sees, current_database() AS database "
            "FROM pg_roles WHERE rolname = current_user"
        )
    ).one()
    if not row.sees:
        raise Refused(
            "cannot_see_everything",
            f"The role “{row.rolname}” sees one program at a time, so its dump would lack rows. Let the database's "
            "superuser make one that sees all of them: CREATE ROLE laurel_backup LOGIN BYPASSRLS PASSWORD '…'; "
            "GRANT pg_read_all_data TO laurel_backup; and run `laurel backup` with DATABASE_OWNER_URL set to it, "
            f"or PostgreSQL's own: pg_dump --format=custom --file=laurel.dump --dbname={row.database} "
            "--username=laurel_backup.",
        )


def count_rows(connection: Connection) -> dict[str, int]:
    """Table -> rows, of every table in the database. Only true for a role that sees everything."""
    names = connection.execute(
        text(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname"
        )
    ).scalars()
    quote = connection.dialect.identifier_preparer.quote
    return {
        name: int(connection.execute(text(f"SELECT count(*) FROM {quote(name)}")).scalar_one())
        for name in names.all()
    }


def dump(url: str, snapshot: str, into: IO[bytes]) -> None:
    """Write the database as `snapshot` sees it, in PostgreSQL's custom format. Raises: Refused("dump_failed")."""
    _run("pg_dump", url, ["--format=custom", f"--snapshot={snapshot}"], output=into)


def load(url: str, owner: str, out_of: IO[bytes]) -> None:
    """Fill an empty database, all or nothing; everything in it will be `owner`'s. Raises: Refused("load_failed")."""
    who = [] if make_url(url).username == owner else [f"--role={owner}"]
    how = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", *who]
    _run("pg_restore", url, how, source=out_of)


def _run(
    name: str,
    url: str,
    options: list[str],
    *,
    output: IO[bytes] | None = None,
    source: IO[bytes] | None = None,
) -> None:
    """Run one of PostgreSQL's programs, streaming. The password goes by the environment: others see arguments."""
    parts = {key: value for key, value in conninfo_to_dict(url).items() if value is not None}
    password = str(parts.pop("password", ""))
    command = [str(_tool(name)), f"--dbname={make_conninfo('', **parts)}", "--no-password", *options]
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "PGPASSWORD": password}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603  PostgreSQL's own program
            command,
            stdin=subprocess.PIPE if source else subprocess.DEVNULL,
            stdout=subprocess.PIPE if output else subprocess.DEVNULL,
            stderr=said,
            env=environment,
        )
        with process:
            try:
                if output is not None and process.stdout is not None:
                    shutil.copyfileobj(process.stdout, output, 1 << 20)
                if source is not None and process.stdin is not None:
                    shutil.copyfileobj(source, process.stdin, 1 << 20)
                    process.stdin.close()
            except BrokenPipeError:
                pass  # it gave up, and says why
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            said.seek(0)
            why = said.read().decode(errors="replace").strip().splitlines()
            code = "dump_failed" if output else "load_failed"
            raise Refused(code, f"{name} failed: {why[0] if why else process.returncode}")


def _tool(name: str) -> Path:
    try:
        return embedded.tool(name)
    except embedded.EmbeddedError:
        found = shutil.which(name)
        if found is None:
            raise Refused("no_tool", f"{name} is missing: install PostgreSQL's client programs.") from None
        return Path(found)


# --- Databases of a server that is ours --------------------------------------------------------------------


@contextmanager
def empty_beside(place: Place, name: str) -> Iterator[Place]:
    """A fresh database of that name for the same roles; dropped again if anything goes wrong."""
    fresh = place.beside(name)
    _on_server(place, f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")
    _on_server(place, f"CREATE DATABASE {_quoted(name)} OWNER {_quoted(place.owner)}")
    try:
        _on_server(place, f"REVOKE ALL ON DATABASE {_quoted(name)} FROM PUBLIC")
        app = make_url(place.app_url).username or ""
        _on_server(place, f"GRANT CONNECT ON DATABASE {_quoted(name)} TO {_quoted(app)}")
        yield fresh
    except BaseException:
        _on_server(place, f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")
        raise


def take_the_place_of(place: Place, fresh: Place) -> None:
    """`fresh` becomes the database of `place`; what was there is dropped."""
    old = f"{place.name}_replaced"
    _on_server(place, f"DROP DATABASE IF EXISTS {_quoted(old)} WITH (FORCE)")
    _on_server(place, f"ALTER DATABASE {_quoted(place.name)} RENAME TO {_quoted(old)}")
    _on_server(place, f"ALTER DATABASE {_quoted(fresh.name)} RENAME TO {_quoted(place.name)}")
    _on_server(place, f"DROP DATABASE {_quoted(old)} WITH (FORCE)")


def wait_for_others(connection: Connection, *, seconds: float = 5.0) -> int:
    """How many connections besides this one still use the database after at most `seconds`.

    A connection that was closed is listed until its process has ended, so PostgreSQL itself waits as long before it
    copies or drops a database (CountOtherDBBackends).
    """
    until = time.monotonic() + seconds
    while (others := _others_at(connection)) and time.monotonic() < until:
        time.sleep(0.05)
    return others


def _others_at(connection: Connection) -> int:
    # The list is read once a transaction otherwise.
    connection.execute(text("SELECT pg_stat_clear_snapshot()"))
    return int(
        connection.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        ).scalar_one()
    )


def _on_server(place: Place, statement: str) -> None:
    if place.server_url is None:
        raise ValueError("this server is not ours")
    engine = create_engine(psycopg_url(place.server_url), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
