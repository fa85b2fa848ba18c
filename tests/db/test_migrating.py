"""From one version to the next and back, while the code of both runs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, create_engine, inspect, text

from app.db import embedded, migrating, tables
from app.db.migrating import (
    CannotMigrate,
    migrate,
    newest_revision,
    psycopg_url,
    require_guards,
    revision_problem,
)
from app.db.session import Database
from tests.conftest import DatabaseUrls, new_database

FIRST = "0001"


@pytest.fixture
def empty(server: embedded.Embedded) -> Iterator[DatabaseUrls]:
    with new_database(server, f"laurel_migrating_{os.getpid()}") as urls:
        yield urls


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """From here on this is the code of the first version, which has never heard of a second."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for one in migrating._MIGRATIONS.glob("*.*"):
        (folder / one.name).write_bytes(one.read_bytes())
    for one in (migrating._MIGRATIONS / "versions").glob(f"{FIRST}_*"):
        (folder / "versions" / one.name).write_bytes(one.read_bytes())
    newest_revision.cache_clear()
    monkeypatch.setattr(migrating, "_MIGRATIONS", folder)
    monkeypatch.setattr(migrating, "metadata", first_tables())
    yield
    newest_revision.cache_clear()


def first_tables() -> MetaData:
    """The tables that the first version knows of."""
    made = (migrating._MIGRATIONS / "versions" / f"{FIRST}_tables.sql").read_text("utf-8")
    known = MetaData()
    for name, table in tables.metadata.tables.items():
        if f"CREATE TABLE {name} (" in made:
            table.to_metadata(known)
    return known


def schema(urls: DatabaseUrls) -> dict[str, object]:
    """What the tables, their columns, keys and indexes are called."""
    engine = create_engine(psycopg_url(urls.owner_url))
    told = inspect(engine)
    found: dict[str, object] = {
        table: (
            sorted((one["name"], str(one["type"]), one["nullable"]) for one in told.get_columns(table)),
            sorted(str(one["name"]) for one in told.get_indexes(table)),
            sorted(str(one["name"]) for one in told.get_check_constraints(table)),
            sorted(str(one["name"]) for one in told.get_foreign_keys(table)),
        )
        for table in told.get_table_names()
    }
    engine.dispose()
    return found


def problem(urls: DatabaseUrls) -> str | None:
    db = Database(urls.app_url, pool_size=1)
    try:
        with db.outside() as connection:
            told = revision_problem(connection)
            if told is None:
                require_guards(connection)
            return told
    finally:
        db.close()


def as_owner(urls: DatabaseUrls, sql: str) -> None:
    engine = create_engine(psycopg_url(urls.owner_url))
    with engine.begin() as connection:
        connection.execute(text(sql))
    engine.dispose()


def test_back_to_each_version_and_forward_again_is_the_same(empty: DatabaseUrls) -> None:
    assert migrate(empty.owner_url, empty.app_url) == newest_revision()
    newest = schema(empty)
    assert migrate(empty.owner_url, empty.app_url, to=FIRST) == FIRST
    assert schema(empty) != newest
    assert "run `laurel migrate`" in (problem(empty) or "")
    assert migrate(empty.owner_url, empty.app_url) == newest_revision()
    assert schema(empty) == newest
    assert problem(empty) is None


def test_every_index_of_the_tables_is_there(empty: DatabaseUrls) -> None:
    migrate(empty.owner_url, empty.app_url)
    engine = create_engine(psycopg_url(empty.owner_url))
    told = inspect(engine)
    for name, table in tables.metadata.tables.items():
        there = {one["name"] for one in told.get_indexes(name)}
        assert {one.name for one in table.indexes} <= there, name
    engine.dispose()


def test_an_index_that_was_broken_off_is_made_anew(empty: DatabaseUrls) -> None:
    migrate(empty.owner_url, empty.app_url, to=FIRST)
    as_owner(empty, "CREATE INDEX ix_referrals_at ON referrals (program_id)")  # another one of that name
    migrate(empty.owner_url, empty.app_url)
    engine = create_engine(psycopg_url(empty.owner_url))
    (made,) = [one for one in inspect(engine).get_indexes("referrals") if one["name"] == "ix_referrals_at"]
    engine.dispose()
    assert made["column_names"] == ["program_id", "at"]


def test_the_old_version_goes_on_while_the_new_one_comes(empty: DatabaseUrls, older: None) -> None:
    assert migrate(empty.owner_url, empty.app_url) == FIRST
    ahead(empty, works_with=FIRST)
    assert problem(empty) is None
    # An embedded database is migrated at each start: the old version leaves it as it is.
    assert migrate(empty.owner_url, empty.app_url) == "0002"


def test_the_old_version_stops_where_it_cannot_go_on(empty: DatabaseUrls, older: None) -> None:
    migrate(empty.owner_url, empty.app_url)
    ahead(empty, works_with="0002")
    assert "start the newer one" in (problem(empty) or "")
    with pytest.raises(CannotMigrate, match="start the newer one"):
        migrate(empty.owner_url, empty.app_url)


def test_a_database_that_says_nothing_of_itself_is_not_trusted(empty: DatabaseUrls, older: None) -> None:
    migrate(empty.owner_url, empty.app_url)
    ahead(empty, works_with=FIRST)
    as_owner(empty, "COMMENT ON TABLE alembic_version IS NULL")
    assert "start the newer one" in (problem(empty) or "")


def test_only_the_newer_version_knows_the_way_back(empty: DatabaseUrls, older: None) -> None:
    migrate(empty.owner_url, empty.app_url)
    ahead(empty, works_with=FIRST)
    with pytest.raises(CannotMigrate, match="knows the way back"):
        migrate(empty.owner_url, empty.app_url, to=FIRST)


def test_there_must_be_such_a_revision(empty: DatabaseUrls) -> None:
    with pytest.raises(CannotMigrate, match="no revision 9999"):
        migrate(empty.owner_url, empty.app_url, to="9999")


def test_the_app_may_not_say_that_it_works(database: DatabaseUrls) -> None:
    def claim(connection: Connection) -> None:
        connection.execute(text("COMMENT ON TABLE alembic_version IS 'works with 0001'"))

    db = Database(database.app_url, pool_size=1)
    with pytest.raises(Exception, match="must be owner"), db.outside() as connection:
        claim(connection)
    db.close()


def ahead(urls: DatabaseUrls, *, works_with: str) -> None:
    """What a newer version's `laurel migrate` leaves."""
    as_owner(urls, "UPDATE alembic_version SET version_num = '0002'")
    as_owner(urls, f"COMMENT ON TABLE alembic_version IS 'works with {works_with}'")
