"""The drain's loop, the whole worker, and what it refuses to start with."""

import base64
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from app import bootstrap, worker
from app.db import embedded, inbox, jobs
from app.db.bell import Bell
from app.db.migrating import migrate
from app.db.sealing import CannotOpen
from app.services.check_health import read_queues
from app.services.drain_inbox import drain_inbox
from app.services.runtime import Runtime
from app.settings import Settings
from tests.conftest import DatabaseUrls, make_program, new_database
from tests.services.houses import House, make_shop, woo_request

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture
def house(rt: Runtime) -> House:
    program_id = make_program(rt, currency="USD")
    return House(rt, program_id, make_shop(rt, program_id))


def waiting(house: House) -> int:
    with house.rt.db.begin(house.program_id) as session:
        return inbox.counts(session).get("new", 0)


def until(done: Callable[[], bool], *, seconds: float = 20) -> bool:
    """Whether `done` came true in time."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if done():
            return True
        pause.wait(0.05)
    return False


def test_the_loop_drains_what_came_before_and_what_comes_after(house: House) -> None:
    house.deliver(woo_request("order.updated", b"{}"))
    stopped, bell = threading.Event(), Bell(house.rt.db.url)
    thread = threading.Thread(target=worker.drain_until, args=(house.rt, stopped))
    thread.start()
    try:
        assert until(lambda: waiting(house) == 0)
        house.deliver(woo_request("order.updated", b"[]"))
        bell()
        assert until(lambda: waiting(house) == 0)
    finally:
        stopped.set()
        thread.join(10)
        bell.close()
    assert not thread.is_alive()


def test_the_loop_outlives_a_failure(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    failures: list[int] = []

    def sometimes(rt: Runtime, *, go_on: Callable[[], bool]) -> object:
        if not failures:
            failures.append(1)
            raise ConnectionError
        return drain_inbox(rt, go_on=go_on)

    monkeypatch.setattr(worker, "drain_inbox", sometimes)
    monkeypatch.setattr(worker, "_AFTER_A_FAILURE_S", 0.01)
    house.deliver(woo_request("order.updated", b"{}"))
    stopped = threading.Event()
    thread = threading.Thread(target=worker.drain_until, args=(house.rt, stopped))
    thread.start()
    try:
        assert until(lambda: waiting(house) == 0)
    finally:
        stopped.set()
        thread.join(10)


@pytest.fixture
def empty(server: embedded.Embedded) -> Iterator[DatabaseUrls]:
    """A database of its own, migrated by nobody."""
    with new_database(server, f"laurel_worker_{os.getpid()}") as urls:
        yield urls


def environ(urls: DatabaseUrls) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "DATABASE_URL": urls.app_url,
        "DATABASE_OWNER_URL": urls.owner_url,
        "PUBLIC_URL": "https://laurel.example",
        "LAUREL_KEYS": base64.b64encode(bytes(range(100, 132))).decode(),
        "PORT": "1",
    }


def laurel(urls: DatabaseUrls, command: str, **changes: str) -> subprocess.Popen[str]:
    call = [sys.executable, "-c", "from app.cli import main; main()", command]
    return subprocess.Popen(
        call,
        cwd=PROJECT,
        env={**environ(urls), **changes},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_worker_process_works_and_stops_cleanly(empty: DatabaseUrls) -> None:
    migrate(empty.owner_url, empty.app_url)
    rt = bootstrap.build(Settings.from_env("worker", environ(empty)))
    program_id = make_program(rt, currency="USD")
    house = House(rt, program_id, make_shop(rt, program_id))
    house.deliver(woo_request("order.updated", b"{}"))
    with rt.db.begin(program_id) as session:
        jobs.enqueue(session, "recount", shop_id=None)
    process = laurel(empty, "worker")
    try:
        assert until(lambda: waiting(house) == 0)
        assert until(lambda: read_queues(rt).jobs.get(("main", "todo"), 0) == 0)
    finally:
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=40)
        rt.db.close()
    assert process.returncode == 0, told
    assert "worker_stopped" in told
    assert "job=recount" in told


@pytest.mark.parametrize("command", ["worker", "serve"])
def test_a_role_that_passes_the_fence_by_is_refused(
    server: embedded.Embedded, empty: DatabaseUrls, command: str
) -> None:
    migrate(empty.owner_url, empty.app_url)
    name = empty.app_url.rpartition("/")[2].partition("?")[0]
    process = laurel(empty, command, DATABASE_URL=server.url(embedded.SUPERUSER, name))
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "CREATE ROLE laurel_app LOGIN NOSUPERUSER NOBYPASSRLS" in told


@pytest.mark.parametrize("command", ["worker", "serve"])
def test_a_database_without_its_guards_is_refused(empty: DatabaseUrls, command: str) -> None:
    migrate(empty.owner_url, empty.app_url)
    with psycopg.connect(empty.owner_url, autocommit=True) as connection:
        connection.execute("DROP TRIGGER entries_only_grow ON entries")
    process = laurel(empty, command)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "trigger entries_only_grow is missing" in told


def test_a_database_that_nobody_migrated_is_refused(empty: DatabaseUrls) -> None:
    process = laurel(empty, "worker")
    _, told = process.communicate(timeout=60)
    assert (process.returncode, "run `laurel migrate`" in told) == (1, True)


def test_what_needs_no_keys_can_neither_read_nor_write_what_is_sealed(empty: DatabaseUrls) -> None:
    migrate(empty.owner_url, empty.app_url)
    without = {name: value for name, value in environ(empty).items() if name != "LAUREL_KEYS"}
    rt = bootstrap.build(Settings.from_env("audit", without))
    try:
        with pytest.raises(CannotOpen, match="LAUREL_KEYS is missing"):
            rt.vault.ring.seal(b"x", "p")
        with pytest.raises(CannotOpen, match="LAUREL_KEYS is missing"):
            rt.vault.data.open(b"x", "p")
        with pytest.raises(CannotOpen, match="LAUREL_KEYS is missing"):
            rt.vault.email_hash("a@b.example")
    finally:
        rt.db.close()
