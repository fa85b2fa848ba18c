"""Where seeds are played: a migrated database to copy, a copy for each seed, and a way in past every rule."""

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import create_engine

from app.db import embedded
from app.db.migrating import migrate, psycopg_url
from app.db.sealing import KeyRing, Vault, open_vault

_copies = itertools.count(1)

# One part for all days: three years of days are not what is tried here.
_INBOX = (
    "CREATE TABLE inbox_all_days PARTITION OF inbox DEFAULT",
    "ALTER TABLE inbox_all_days ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE inbox_all_days FORCE ROW LEVEL SECURITY",
)


class Eye:
    """A connection of its own, as the superuser: what it reads owes nothing to the code under test."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def rows(self, sql: str, **params: object) -> Sequence[Any]:
        return self._connection.execute(sql, params).fetchall()

    def run(self, sql: str, **params: object) -> int:
        return self._connection.execute(sql, params).rowcount

    def value(self, sql: str, **params: object) -> Any:
        row = self._connection.execute(sql, params).fetchone()
        return None if row is None else row[0]

    def close(self) -> None:
        self._connection.close()


@dataclass(frozen=True, slots=True)
class Plot:
    """One seed's own database."""

    app_url: str
    vault: Vault
    eye: Eye


class Ground:
    """`plot` is the same database every time: ids begin at 1."""

    def __init__(self, server: embedded.Embedded) -> None:
        self._server = server
        self._template = f"campaign_{os.getpid()}_{next(_copies)}"
        self._admin = psycopg.connect(server.url(embedded.SUPERUSER, "postgres"), autocommit=True)
        self._create(self._template, None)
        owner, app = (server.url(role, self._template) for role in (embedded.OWNER, embedded.APP))
        migrate(owner, app)
        with psycopg.connect(owner, autocommit=True) as connection:
            for statement in _INBOX:
                connection.execute(statement)
        engine = create_engine(psycopg_url(app))
        with engine.begin() as opened:
            self._vault = open_vault(opened, KeyRing([b"k" * 32]))
        engine.dispose()

    @contextmanager
    def plot(self) -> Iterator[Plot]:
        name = f"{self._template}_{next(_copies)}"
        self._create(name, self._template)
        eye = Eye(self._server.url(embedded.SUPERUSER, name))
        try:
            yield Plot(self._server.url(embedded.APP, name), self._vault, eye)
        finally:
            eye.close()
            self._drop(name)

    def close(self) -> None:
        self._drop(self._template)
        self._admin.close()

    def _create(self, name: str, template: str | None) -> None:
        like = SQL(" TEMPLATE {}").format(Identifier(template)) if template else SQL("")
        self._admin.execute(
            SQL("CREATE DATABASE {} OWNER {}").format(Identifier(name), Identifier(embedded.OWNER)) + like
        )
        # There is one thread: who waits for a lock here waits for itself.
        self._admin.execute(SQL("ALTER DATABASE {} SET lock_timeout = '20s'").format(Identifier(name)))

    def _drop(self, name: str) -> None:
        self._admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
