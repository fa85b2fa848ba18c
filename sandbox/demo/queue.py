"""The job queue on the virtual clock: Laurel's own jobs out of Laurel's own table, tried again when Laurel says.

`app.jobs` does this with Procrastinate's workers and the real clock; here a day passes in a second.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from app.domain.errors import Refused, Retryable
from app.domain.retry import retry_at
from app.jobs.tasks import service_of
from app.services.runtime import Runtime

Job = tuple[str, dict[str, Any]]

_TAKE = (
    "DELETE FROM procrastinate_jobs WHERE status = 'todo' AND coalesce(scheduled_at, %(now)s) <= %(now)s "
    "RETURNING id, task_name, args"
)
_NEXT = "SELECT min(coalesce(scheduled_at, %(now)s)) AS at FROM procrastinate_jobs WHERE status = 'todo'"


class Queue:
    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._again: list[tuple[datetime, int, int, Job]] = []
        self._numbers = itertools.count()
        self.done: Counter[str] = Counter()
        self.retried = 0
        self.failed: list[str] = []

    def work(self) -> None:
        """Run all that is due, and what that puts in, until nothing is."""
        while due := [*self._due_again(), *((1, job) for job in self._take())]:
            for attempt, job in due:
                self._run(attempt, job)

    def next_at(self) -> datetime | None:
        """When the next job is due; None: nothing waits."""
        with self._rt.db.outside() as connection:
            row = connection.exec_driver_sql(_NEXT, {"now": self._rt.now()}).one()
        moments = [self._again[0][0]] if self._again else []
        return min([*moments, *([row.at] if row.at is not None else [])], default=None)

    def insist(self, name: str, call: Callable[[], Any], wait: Callable[[datetime], None]) -> Any:
        """The result of `call`, tried again as a job would be; `wait` moves the clock on."""
        for attempt in itertools.count(1):
            try:
                return call()
            except Retryable as error:
                self.retried += 1
                again = retry_at(min(attempt, 6), now=self._rt.now(), asked_s=error.retry_after_s)
                if again is None or attempt > 200:
                    self.failed.append(f"{name}: {error.detail}")
                    raise
                wait(again)
        return None

    def _due_again(self) -> list[tuple[int, Job]]:
        due = []
        while self._again and self._again[0][0] <= self._rt.now():
            _, _, attempt, job = heapq.heappop(self._again)
            due.append((attempt, job))
        return due

    def _take(self) -> list[Job]:
        with self._rt.db.outside() as connection:
            rows = connection.exec_driver_sql(_TAKE, {"now": self._rt.now()}).all()
        return [(row.task_name, row.args) for row in sorted(rows)]

    def _run(self, attempt: int, job: Job) -> None:
        name, args = job
        try:
            service_of(name)(self._rt, **args)
        except Retryable as error:
            self.retried += 1
            again = retry_at(attempt, now=self._rt.now(), asked_s=error.retry_after_s)
            if again is None:
                self.failed.append(f"{name} {args}: {error.detail}")
            else:
                heapq.heappush(self._again, (again, next(self._numbers), attempt + 1, job))
        except Refused as refused:
            self.failed.append(f"{name} {args}: {refused.code}")
        else:
            self.done[name] += 1
