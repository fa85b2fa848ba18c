"""A database that went and came back: nobody is told of it who need not be, and who must be is told to try again."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from app.db.session import Database
from app.services.is_outage import is_outage
from tests.conftest import DatabaseUrls

_HELD = 4


@pytest.fixture
def pool(database: DatabaseUrls) -> Iterator[Database]:
    pool = Database(database.app_url)
    yield pool
    pool.close()


def restart(pool: Database, database: DatabaseUrls) -> None:
    """Every connection that lies in the pools dies, as when the server is begun anew."""
    with ExitStack() as all_at_once:
        numbers = [
            all_at_once.enter_context(pool._opened().connection()).info.backend_pid for _ in range(_HELD)
        ]
        for _ in range(_HELD):
            connection = all_at_once.enter_context(pool.outside())
            numbers.append(connection.connection.driver_connection.info.backend_pid)  # type: ignore[union-attr]
    with psycopg.connect(database.app_url, autocommit=True) as app:
        app.execute("SELECT pg_terminate_backend(one, 5000) FROM unnest(%s::int[]) one", [numbers])


def test_connections_that_died_in_the_pools_are_noticed_by_nobody(
    pool: Database, database: DatabaseUrls, program_id: int
) -> None:
    about = "SELECT program_id FROM programs WHERE {fence}"
    for _ in range(2):
        restart(pool, database)
        assert pool.look(program_id, about, {"number": "int"}, [(1,)], int) == [program_id]
        restart(pool, database)
        assert pool.run_alone("SELECT 1", []) == [(1,)]
        restart(pool, database)
        with pool.begin(program_id) as session:
            assert session.scalar(about) == program_id


def test_what_only_took_too_long_is_not_done_twice(pool: Database) -> None:
    times: list[int] = []

    def run(connection: "psycopg.Connection[tuple[int]]") -> None:
        times.append(1)
        connection.execute("SELECT set_config('lock_timeout', '1ms', false)")
        with psycopg.connect(pool.url) as holder:
            holder.execute("SELECT pg_advisory_lock(77)")
            connection.execute("SELECT pg_advisory_lock(77)")

    with pytest.raises(psycopg.errors.LockNotAvailable) as caught:
        pool._alone(run)
    assert (len(times), is_outage(caught.value)) == (1, True)
