"""A lost way to the database is noticed by every connection that the processes open."""

from typing import Any

import psycopg

from app.db.session import Database, noticing
from tests.conftest import DatabaseUrls


def settings(connection: psycopg.Connection[Any]) -> dict[str, str]:
    return connection.info.get_parameters()


def test_every_connection_gives_up_on_a_database_that_does_not_answer(database: DatabaseUrls) -> None:
    pool = Database(database.app_url, pool_size=1)
    try:
        with pool.outside() as connection:
            of_sessions = settings(connection.connection.driver_connection)  # type: ignore[arg-type]
        with pool._opened().connection() as direct:
            of_pages = settings(direct)
    finally:
        pool.close()
    for told in (of_sessions, of_pages):
        assert (told["connect_timeout"], told["tcp_user_timeout"]) == ("10", "20000")
        assert (told["keepalives_idle"], told["keepalives_count"]) == ("20", "3")


def test_what_the_address_says_itself_stays() -> None:
    assert noticing("postgresql://u@h/d?connect_timeout=3&keepalives_idle=60") == {
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
    }
