"""The bell: many deliveries, few rings; and none of them needed."""

import threading

import psycopg

from app.db.bell import CHANNEL, Bell, Listener
from tests.conftest import DatabaseUrls


def test_a_listener_hears_a_ring(database: DatabaseUrls) -> None:
    listener, bell, heard = Listener(database.app_url), Bell(database.app_url), threading.Event()
    listener.wait(0.01, threading.Event())  # listens from now on

    def wait() -> None:
        listener.wait(30, threading.Event())
        heard.set()

    thread = threading.Thread(target=wait)
    thread.start()
    bell()
    assert heard.wait(10)
    thread.join()
    bell.close()
    listener.close()


def test_a_thousand_deliveries_ring_a_few_times(database: DatabaseUrls) -> None:
    with psycopg.connect(database.app_url, autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        bell = Bell(database.app_url)
        for _ in range(1000):
            bell()
        rings = len(list(connection.notifies(timeout=0.5)))
        bell.close()
    assert 1 <= rings <= 5


def test_a_bell_without_a_database_costs_the_caller_nothing() -> None:
    bell = Bell("postgresql://nobody:x@127.0.0.1:1/none")
    for _ in range(10):
        bell()
    bell.close()


def test_a_listener_without_a_database_waits_its_time() -> None:
    stopped = threading.Event()
    stopped.set()
    Listener("postgresql://nobody:x@127.0.0.1:1/none").wait(30, stopped)
