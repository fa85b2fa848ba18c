"""What runs by the clock: due work is put in once, old things go, and a failure stops nothing else."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.db import directory
from app.db.directory import Kind
from app.services import do_due
from app.services.check_health import disk_problem
from app.services.diff_documents import diff_documents
from app.services.keep_house import keep_house
from app.services.note_failed_job import forget_failed_jobs, note_failed_job
from app.services.runtime import Runtime
from tests.conftest import Clock, make_program, unique


def partitions(rt: Runtime) -> set[str]:
    with rt.db.outside() as connection:
        rows = connection.execute(
            text("SELECT relname FROM pg_class WHERE relname ~ '^inbox_[0-9]{8}$' AND relkind = 'r'")
        )
        return {row.relname for row in rows}


def due_jobs(rt: Runtime, program_id: int) -> int:
    with rt.db.outside() as connection:
        return int(
            connection.execute(
                text(
                    "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'do_due' AND status = 'todo' "
                    "AND args->>'program_id' = :program"
                ),
                {"program": str(program_id)},
            ).scalar_one()
        )


def test_each_program_is_looked_after_once_however_often_it_is_asked(rt: Runtime, program_id: int) -> None:
    keep_house(rt)
    keep_house(rt)
    assert due_jobs(rt, program_id) == 1


def test_the_inbox_has_its_days_ahead_and_loses_those_of_a_month_ago(rt: Runtime, clock: Clock) -> None:
    with rt.db.begin() as session:
        for days in (29, 31):
            day = (clock.at - timedelta(days=days)).date()
            session.connection.execute(text("SELECT laurel_make_inbox_day(:day)"), {"day": day})
    keep_house(rt)
    held = partitions(rt)
    for days, there in ((31, False), (29, True), (0, True), (-13, True)):
        assert (f"inbox_{clock.at - timedelta(days=days):%Y%m%d}" in held) is there


def test_what_has_ended_leaves_the_directory(rt: Runtime, clock: Clock) -> None:
    key = unique("nonce")
    with rt.db.outside() as connection:
        directory.put(connection, Kind.NONCE, key, 0, expires_at=clock.at + timedelta(minutes=10))
    clock.forward(minutes=11)
    keep_house(rt)
    with rt.db.outside() as connection:
        found = connection.execute(text("SELECT count(*) FROM directory WHERE key = :key"), {"key": key})
        assert found.scalar() == 0


def test_failed_jobs_are_kept_a_month(rt: Runtime, program_id: int, clock: Clock) -> None:
    note_failed_job(rt, "recount", {"program_id": program_id}, "bug", "ZeroDivisionError")
    for days, kept in ((29, 1), (2, 0)):
        clock.forward(days=days)
        with rt.db.begin(program_id) as session:
            forget_failed_jobs(session, now=clock.at)
            assert session.scalar("SELECT count(*) FROM failed_jobs WHERE {fence}") == kept


def test_one_failure_does_not_stop_the_other_work(
    rt: Runtime, program_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def fail(rt: Runtime, program_id: int) -> int:
        done.append("failed")
        raise ZeroDivisionError

    def work(rt: Runtime, program_id: int) -> int:
        done.append("worked")
        return 1

    monkeypatch.setattr(do_due, "_WORK", (fail, work))
    with pytest.raises(ZeroDivisionError):
        do_due.do_due(rt, program_id)
    assert done == ["failed", "worked"]


def test_the_real_work_runs_on_a_program_where_nothing_is_due(rt: Runtime) -> None:
    do_due.do_due(rt, make_program(rt))


@pytest.mark.parametrize(
    ("free", "total", "is_low"),
    [
        (900_000_000, 100_000_000_000, True),
        (1_100_000_000, 100_000_000_000, False),
        (9_000_000, 110_000_000, True),
        (12_000_000, 110_000_000, False),
    ],
)
def test_a_disk_is_low_below_a_gigabyte_or_a_tenth_of_a_small_one(
    rt: Runtime,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    free: int,
    total: int,
    is_low: bool,
) -> None:
    class Usage:
        def __init__(self) -> None:
            self.free, self.total = free, total

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage())
    assert (disk_problem(tmp_path_factory.getbasetemp()) is not None) is is_low


def test_documents_are_compared_by_the_keys_of_their_parts() -> None:
    old = {"a": 1, "list": [{"key": "x", "n": 1}, {"key": "y", "n": 2}], "plain": [1, 2]}
    new = {"b": 2, "list": [{"key": "y", "n": 3}, {"key": "z", "n": 4}], "plain": [2]}
    assert [str(one) for one in diff_documents(old, new)] == [
        "- a: 1",
        '- list.x: {"key": "x", "n": 1}',
        "list.y.n: 2 → 3",
        '+ list.z: {"key": "z", "n": 4}',
        "plain: [1, 2] → [2]",
        "+ b: 2",
    ]
    swapped = {"list": [{"key": "y"}, {"key": "x"}]}
    (moved,) = diff_documents({"list": [{"key": "x"}, {"key": "y"}]}, swapped)
    assert str(moved) == "list in order: x, y → y, x"
    assert diff_documents(new, new) == []
