"""Laurel's jobs out of Laurel's own queue, one at a time, on the virtual clock.

`app.jobs` does this with Procrastinate's workers and the real clock. A job whose worker is killed stays "doing"
and is put back when the process starts again, so a job may run twice and from any point of its work.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

from app.db.jobs import JOBS
from app.domain.errors import Refused, Retryable
from app.domain.retry import retry_at
from app.jobs.tasks import service_of
from app.services.note_failed_job import note_failed_job
from app.services.runtime import Runtime
from tests.campaign.ground import Eye

_DUE = (
    "SELECT id, task_name, args FROM procrastinate_jobs WHERE status = 'todo' "
    "AND coalesce(scheduled_at, %(now)s) <= %(now)s ORDER BY id"
)
_MANY = 2000


class Worker:
    def __init__(self, eye: Eye, random: Random) -> None:
        self._eye = eye
        self._random = random
        self.begun = 0
        self.done: Counter[str] = Counter()
        self.retried = 0
        self.given_up: Counter[str] = Counter()
        self._held: list[str | None] = []  # locks of the jobs that are being done, one within the other

    def work(self, rt: Callable[[], Runtime], *, at_most: int = _MANY) -> int:
        """Run what is due, in any order, and what that puts in, until nothing is. Returns how many ran."""
        for count in range(at_most):
            due = [row for row in self._eye.rows(_DUE, now=rt().now()) if _lock(row) not in self._held]
            if not due:
                return count
            chosen = self._random.choice(due)
            self._held.append(_lock(chosen))
            try:
                self._run(rt(), chosen[0])
            finally:
                self._held.pop()
        if at_most == _MANY:
            raise AssertionError("jobs without end")
        return at_most

    def next_at(self) -> datetime | None:
        """When the next waiting job is due, where it waits for a time."""
        at = self._eye.value("SELECT min(scheduled_at) FROM procrastinate_jobs WHERE status = 'todo'")
        return at if isinstance(at, datetime) else None

    def put_back(self) -> None:
        """Jobs of the process that was killed wait again; one of which another waits already is that other."""
        self._eye.run(
            "DELETE FROM procrastinate_jobs j WHERE status = 'doing' AND EXISTS (SELECT 1 FROM procrastinate_jobs o "
            "WHERE o.status = 'todo' AND o.queueing_lock = j.queueing_lock)"
        )
        self._eye.run("UPDATE procrastinate_jobs SET status = 'todo' WHERE status = 'doing'")

    def _run(self, rt: Runtime, job_id: int) -> None:
        ((name, args, attempts),) = self._eye.rows(
            "UPDATE procrastinate_jobs SET status = 'doing', attempts = attempts + 1 WHERE id = %(id)s "
            "RETURNING task_name, args, attempts",
            id=job_id,
        )
        self.begun += 1
        try:
            service_of(name)(rt, **args)
        except Retryable as error:
            self._later(rt, job_id, name, args, attempts, error)
            return
        except Refused as refused:
            self.given_up[f"{name}: {refused.code}"] += 1
            note_failed_job(rt, name, args, refused.code, refused.detail)
        else:
            self.done[name] += 1
        self._eye.run("DELETE FROM procrastinate_jobs WHERE id = %(id)s", id=job_id)

    def _later(
        self, rt: Runtime, job_id: int, name: str, args: dict[str, Any], attempts: int, error: Retryable
    ) -> None:
        self.retried += 1
        again = retry_at(attempts, now=rt.now(), asked_s=error.retry_after_s)
        if again is None:
            self.given_up[f"{name}: gave up"] += 1
            note_failed_job(rt, name, args, "gave_up", error.detail)
        waits = self._eye.rows(
            "SELECT 1 FROM procrastinate_jobs j JOIN procrastinate_jobs o ON o.status = 'todo' "
            "AND o.queueing_lock = j.queueing_lock WHERE j.id = %(id)s",
            id=job_id,
        )
        if again is None or waits:
            self._eye.run("DELETE FROM procrastinate_jobs WHERE id = %(id)s", id=job_id)
        else:
            self._eye.run(
                "UPDATE procrastinate_jobs SET status = 'todo', scheduled_at = %(at)s WHERE id = %(id)s",
                id=job_id,
                at=again,
            )


def _lock(row: Any) -> str | None:
    """The lock under which the job runs; one without runs beside any other."""
    _, name, args = row
    lock = JOBS[name].lock
    return lock.format(**args) if lock is not None else f"job:{row[0]}"
