"""The queue over a real database: what runs, what is tried again and when, what a dead worker leaves behind."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import Any, TypeVar

import procrastinate
import pytest
from sqlalchemy import text

from app.db import jobs
from app.db.jobs import JOBS, MAIN, SHOP_CALLS
from app.domain.errors import PutOff, Refused, Retryable
from app.jobs import periodic, tasks
from app.jobs.tasks import make_app, service_of
from app.services.runtime import Runtime
from tests.conftest import Clock, make_program
from tests.services.houses import House, make_shop

T = TypeVar("T")
Work = Callable[..., Any]


@pytest.fixture(autouse=True)
def empty_queue(rt: Runtime) -> Iterator[None]:
    """The queue has no program: what other tests put in is none of ours."""
    _empty(rt)
    yield
    _empty(rt)


def _empty(rt: Runtime) -> None:
    with rt.db.outside() as connection:
        connection.execute(text("DELETE FROM procrastinate_jobs"))


@pytest.fixture
def clock() -> Clock:
    """The database decides by its own clock when a job is due: an hour behind, so that what waits does wait."""
    return Clock(datetime.now(UTC) + timedelta(hours=1))  # noqa: TID251


@pytest.fixture
def house(rt: Runtime) -> House:
    program_id = make_program(rt, currency="USD")
    return House(rt, program_id, make_shop(rt, program_id))


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> dict[str, Work]:
    """Services by name, in place of the real ones."""
    given: dict[str, Work] = {}
    monkeypatch.setattr(tasks, "service_of", lambda name: given[name])
    return given


async def _with_app(rt: Runtime, do: Callable[[procrastinate.App], Awaitable[Any]]) -> Any:
    app = make_app(rt, procrastinate.PsycopgConnector(conninfo=rt.db.url, min_size=1, max_size=4))
    async with app.open_async():
        return await do(app)


def work_off(rt: Runtime, queues: tuple[str, ...] = (MAIN, SHOP_CALLS), at_once: int = 4) -> None:
    """Run what is due, until nothing is."""

    async def run(app: procrastinate.App) -> None:
        for _ in range(50):
            if not _due(rt):
                return
            await once(app)

    async def once(app: procrastinate.App) -> None:
        await app.run_worker_async(
            queues=list(queues),
            wait=False,
            concurrency=at_once,
            install_signal_handlers=False,
            delete_jobs="successful",
            listen_notify=False,
        )

    apart(_with_app(rt, run))


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end in a thread of its own: the tests' browser keeps a loop running in the main one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _due(rt: Runtime) -> bool:
    with rt.db.outside() as connection:
        found = connection.execute(
            text(
                "SELECT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status = 'todo' "
                "AND (scheduled_at IS NULL OR scheduled_at <= now()))"
            )
        )
        return bool(found.scalar())


def put(house: House, name: str, **args: Any) -> None:
    with house.rt.db.begin(house.program_id) as session:
        jobs.enqueue(session, name, **args)


def waiting(rt: Runtime) -> list[Any]:
    with rt.db.outside() as connection:
        return list(
            connection.execute(
                text(
                    "SELECT task_name, status::text, attempts, lock, scheduled_at FROM procrastinate_jobs "
                    "WHERE task_name = ANY(:ours) ORDER BY id"
                ),
                {"ours": list(JOBS)},
            )
        )


def failures(house: House) -> list[Any]:
    with house.rt.db.begin(house.program_id) as session:
        return list(session.rows("SELECT name, args, code, detail FROM failed_jobs WHERE {fence}"))


@pytest.mark.parametrize("value", ["7000123", "alice@example.test", "gid://x/1", "", 1.5, ["1"], "x" * 31])
def test_a_job_carries_our_ids_and_plain_words_alone(rt: Runtime, program_id: int, value: object) -> None:
    with rt.db.begin(program_id) as session, pytest.raises(ValueError, match="shop_id is neither"):
        jobs.enqueue(session, "recount", program_id=program_id, shop_id=value)


def test_every_job_that_is_there_takes_what_its_row_says() -> None:
    for name, spec in JOBS.items():
        if find_spec(f"app.services.{name}") is None:
            continue  # somebody is writing it
        try:
            parameters = list(inspect.signature(service_of(name)).parameters)
        except ModuleNotFoundError:
            continue  # and this one imports it
        assert parameters[:2] == ["rt", "program_id"], name
        needed = {
            word.split("}")[0] for part in (spec.lock, spec.once) if part for word in part.split("{")[1:]
        }
        assert needed <= set(parameters), name


def test_a_job_exists_only_if_its_transaction_commits(house: House) -> None:
    def fail() -> None:
        with house.rt.db.begin(house.program_id) as session:
            jobs.enqueue(session, "recount", shop_id=1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert waiting(house.rt) == []


def test_many_are_put_in_together_and_none_twice(house: House) -> None:
    def locks() -> list[str]:
        return sorted(row.lock for row in waiting(house.rt))

    with house.rt.db.begin(house.program_id) as session:
        jobs.enqueue(session, "reread_orders", shop_id=2)
    with house.rt.db.begin(house.program_id) as session:
        jobs.enqueue_all(session, "reread_orders", [{"shop_id": number} for number in (1, 2, 3, 3)])
        jobs.enqueue_all(session, "reread_orders", [])
    assert locks() == [f"shop:{number}:orders" for number in (1, 2, 3)]


def test_a_job_put_in_by_two_at_once_is_put_in_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    look = jobs._without_waiting
    others = [lambda: put(house, "reread_orders", shop_id=2)]

    def look_and_be_overtaken(session: Any, wanted: list[Any]) -> list[Any]:
        found = look(session, wanted)
        if others:
            others.pop()()
        return found

    with house.rt.db.begin(house.program_id) as session:
        monkeypatch.setattr(jobs, "_without_waiting", look_and_be_overtaken)
        jobs.enqueue_all(session, "reread_orders", [{"shop_id": 1}, {"shop_id": 2}])
    assert sorted(row.lock for row in waiting(house.rt)) == ["shop:1:orders", "shop:2:orders"]


def test_a_job_runs_its_service_and_is_gone(house: House, services: dict[str, Work]) -> None:
    ran: list[dict[str, Any]] = []
    services["recount"] = lambda rt, **args: ran.append(args)
    put(house, "recount", shop_id=7)
    work_off(house.rt)
    assert ran == [{"program_id": house.program_id, "shop_id": 7}]
    assert waiting(house.rt) == []


def test_the_same_wish_waits_once(house: House) -> None:
    for _ in range(3):
        put(house, "recount", shop_id=7)
    assert len(waiting(house.rt)) == 1


def test_a_refusal_is_recorded_and_not_tried_again(house: House, services: dict[str, Work]) -> None:
    def refuse(rt: Runtime, **_: Any) -> None:
        raise Refused("differs", "The shop made something else.")

    services["issue_code"] = refuse
    put(house, "issue_code", shop_id=house.shop.shop_id, redemption_id=3)
    work_off(house.rt)
    assert [row.status for row in waiting(house.rt)] == ["failed"]
    (failure,) = failures(house)
    assert (failure.name, failure.code) == ("issue_code", "differs")
    assert failure.args["redemption_id"] == 3


@pytest.mark.parametrize(("asked_s", "wait_s"), [(None, 2), (600, 600)])
def test_what_may_work_later_is_tried_then(
    house: House, services: dict[str, Work], clock: Clock, asked_s: int | None, wait_s: int
) -> None:
    def later(rt: Runtime, **_: Any) -> None:
        raise Retryable("shop.example: 429", retry_after_s=asked_s)

    services["send_email_proof"] = later
    put(house, "send_email_proof", identity_id=1)
    work_off(house.rt)
    (job,) = waiting(house.rt)
    assert (job.status, job.attempts) == ("todo", 1)
    assert job.scheduled_at == clock.at + timedelta(seconds=wait_s)


def test_what_is_put_off_is_no_try_and_no_failure(
    house: House, services: dict[str, Work], clock: Clock
) -> None:
    def later(rt: Runtime, **_: Any) -> None:
        raise PutOff("its allowance is left to others", retry_after_s=12)

    services["reread_orders"] = later
    put(house, "reread_orders", shop_id=house.shop.shop_id)
    for _ in range(3):
        work_off(house.rt)
        (job,) = waiting(house.rt)
        assert (job.status, job.attempts) == ("todo", 0)
        assert job.scheduled_at == clock.at + timedelta(seconds=12)
        clock.forward(seconds=12)
        with house.rt.db.outside() as connection:  # the queue's own clock is the database's
            connection.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now()"))
    assert failures(house) == []


def test_a_bug_is_tried_again_too(house: House, services: dict[str, Work]) -> None:
    services["recount"] = lambda rt, **_: 1 // 0
    put(house, "recount", shop_id=7)
    work_off(house.rt)
    assert [row.status for row in waiting(house.rt)] == ["todo"]
    assert failures(house) == []


def test_the_last_try_is_recorded(house: House, services: dict[str, Work]) -> None:
    services["send_email_proof"] = lambda rt, **_: 1 // 0
    put(house, "send_email_proof", identity_id=1)
    with house.rt.db.outside() as connection:
        connection.execute(text("UPDATE procrastinate_jobs SET attempts = 12"))
    work_off(house.rt)
    assert [row.status for row in waiting(house.rt)] == ["failed"]
    assert [(row.code, row.detail) for row in failures(house)] == [("bug", "ZeroDivisionError")]


def test_a_code_that_waits_does_not_stop_the_next_one_of_its_shop(
    house: House, services: dict[str, Work]
) -> None:
    done: list[int] = []

    def issue(rt: Runtime, *, redemption_id: int, **_: Any) -> None:
        if redemption_id == 1:
            raise Retryable("shop.example: 503", retry_after_s=3600)
        done.append(redemption_id)

    services["issue_code"] = issue
    for redemption_id in (1, 2, 3):
        put(house, "issue_code", shop_id=house.shop.shop_id, redemption_id=redemption_id)
    work_off(house.rt)
    assert done == [2, 3]
    assert [row.status for row in waiting(house.rt)] == ["todo"]


def test_nor_does_one_that_was_put_in_for_later(
    house: House, services: dict[str, Work], clock: Clock
) -> None:
    done: list[int] = []
    services["close_redemption"] = lambda rt, redemption_id, **_: done.append(redemption_id)
    shop_id = house.shop.shop_id
    put(house, "close_redemption", at=clock.at + timedelta(hours=1), shop_id=shop_id, redemption_id=1)
    put(house, "close_redemption", shop_id=shop_id, redemption_id=2)
    work_off(house.rt)
    assert done == [2]


def test_a_job_whose_time_has_come_takes_the_lock_it_shares(
    house: House, services: dict[str, Work], clock: Clock
) -> None:
    attempts: list[int] = []

    def issue(rt: Runtime, **_: Any) -> None:
        attempts.append(1)
        raise Retryable("shop.example: 503")

    services["issue_code"] = issue
    shop_id = house.shop.shop_id
    put(house, "issue_code", shop_id=shop_id, redemption_id=1)
    for tries in (1, 2, 3):
        work_off(house.rt)
        (job,) = waiting(house.rt)
        assert len(attempts) == tries
        assert job.lock.startswith("waiting:")
        # The delay grows by tries, not by trips through the queue.
        assert job.scheduled_at - clock.at == timedelta(seconds=(2, 5, 15)[tries - 1])
        with house.rt.db.outside() as connection:
            connection.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now() - interval '1 s'"))


@pytest.mark.race
def test_codes_of_one_shop_are_made_one_at_a_time_and_calls_two_at_most(
    house: House, services: dict[str, Work]
) -> None:
    lock = threading.Lock()
    now: dict[str, int] = {"codes": 0, "all": 0}
    most: dict[str, int] = {"codes": 0, "all": 0}

    def call(kind: str) -> Work:
        def run(rt: Runtime, **_: Any) -> None:
            for name in {kind, "all"} & set(now):
                with lock:
                    now[name] += 1
                    most[name] = max(most[name], now[name])
            threading.Event().wait(0.03)
            for name in {kind, "all"} & set(now):
                with lock:
                    now[name] -= 1

        return run

    services.update(
        issue_code=call("codes"), reread_orders=call("x"), reconcile_shop=call("x"), set_up_shop=call("x")
    )
    shop_id = house.shop.shop_id
    for number in range(6):
        put(house, "issue_code", shop_id=shop_id, redemption_id=number)
    put(house, "reread_orders", shop_id=shop_id)
    put(house, "set_up_shop", shop_id=shop_id)
    for kind in ("changed", "codes"):
        put(house, "reconcile_shop", shop_id=shop_id, kind=kind)
    work_off(house.rt, at_once=8)
    assert waiting(house.rt) == []
    assert most == {"codes": 1, "all": 2}


def test_a_retry_beside_a_waiting_twin_ends_instead_of_blocking(
    house: House, services: dict[str, Work]
) -> None:
    shop_id = house.shop.shop_id
    tries: list[int] = []

    def reread(rt: Runtime, **_: Any) -> None:
        tries.append(1)
        if len(tries) == 1:
            put(house, "reread_orders", shop_id=shop_id)  # the same wish, while this one runs
            raise Retryable("shop.example: 503")

    services["reread_orders"] = reread
    put(house, "reread_orders", shop_id=shop_id)
    work_off(house.rt)
    assert len(tries) == 2
    assert waiting(house.rt) == []


def test_the_job_of_a_dead_worker_is_revived(house: House, services: dict[str, Work]) -> None:
    ran: list[int] = []
    services["recount"] = lambda rt, **_: ran.append(1)
    put(house, "recount", shop_id=7)
    with house.rt.db.outside() as connection:
        connection.execute(
            text(
                "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '2 min') "
                "RETURNING id) UPDATE procrastinate_jobs SET status = 'doing', worker_id = dead.id FROM dead"
            )
        )
    work_off(house.rt)
    assert ran == []
    assert apart(_with_app(house.rt, periodic.revive)) == 1
    work_off(house.rt)
    assert ran == [1]


def test_the_job_of_a_live_worker_is_left_alone(house: House) -> None:
    put(house, "recount", shop_id=7)
    with house.rt.db.outside() as connection:
        connection.execute(
            text(
                "WITH live AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()) RETURNING id) "
                "UPDATE procrastinate_jobs SET status = 'doing', worker_id = live.id FROM live"
            )
        )
    assert apart(_with_app(house.rt, periodic.revive)) == 0


def test_the_periodic_ones_are_registered(rt: Runtime) -> None:
    app = make_app(rt, procrastinate.PsycopgConnector(conninfo=rt.db.url))
    found = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}
    assert found == {
        "every_minute": "* * * * *",
        "look_what_is_due": "* * * * *",
        "every_hour": "7 * * * *",
    }
