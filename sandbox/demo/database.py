"""A database of the demo's own, in the embedded PostgreSQL, apart from any installation's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from app.bootstrap import DatabaseUrls
from app.db import embedded
from app.db.migrating import migrate


@contextmanager
def fresh_database(var: Path) -> Iterator[DatabaseUrls]:
    """Migrated and empty; gone at the end. `var`: the demo's own folder."""
    with embedded.start(var, durable=False) as server:
        name = f"demo_{os.getpid()}"
        _make(server, name)
        try:
            yield _urls(server, name)
        finally:
            _drop(server, name)


@contextmanager
def kept_database(var: Path, name: str, *, keep: bool) -> Iterator[DatabaseUrls]:
    """The demo's database `name`, made anew unless `keep`; it stays at the end."""
    with embedded.start(var, durable=False) as server:
        if not (keep and _exists(server, name)):
            _drop(server, name)
            _make(server, name)
        yield _urls(server, name)


def _urls(server: embedded.Embedded, name: str) -> DatabaseUrls:
    urls = DatabaseUrls(server.url(embedded.APP, name), server.url(embedded.OWNER, name), server)
    migrate(urls.owner, urls.app)
    return urls


def _make(server: embedded.Embedded, name: str) -> None:
    with _admin(server) as connection:
        connection.execute(
            SQL("CREATE DATABASE {} OWNER {}").format(Identifier(name), Identifier(embedded.OWNER))
        )


def _drop(server: embedded.Embedded, name: str) -> None:
    with _admin(server) as connection:
        connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))


def _exists(server: embedded.Embedded, name: str) -> bool:
    with _admin(server) as connection:
        return (
            connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None
        )


def _admin(server: embedded.Embedded) -> psycopg.Connection:
    return psycopg.connect(server.url(embedded.SUPERUSER, "postgres"), autocommit=True)
