"""When a job is tried again, and with which lock it waits.

A job that waits with the lock that it shares blocks every later job of that lock until its time has come: one
code that a shop cannot make now would stop all codes of that shop for hours (tried: procrastinate 3.10,
`procrastinate_fetch_job_v2`). So whatever waits for a time waits under a lock of its own, and takes the shared one
only when it is due: the first thing that happens then is `NotYetLocked`, which costs a trip through the queue.
"""

import json
from datetime import datetime

import procrastinate
from procrastinate import exceptions, jobs, manager, retry

from app.domain.errors import Refused, Retryable
from app.domain.retry import retry_at
from app.services.runtime import Runtime


class NotYetLocked(Exception):
    """The job is due, and has to take the lock that it shares first."""

    def __init__(self, lock: str) -> None:
        super().__init__(lock)
        self.lock = lock


class Patience(retry.BaseRetryStrategy):
    """Tries again as `app.domain.retry` says, or later if the other side asked for it. A refusal is not tried again.

    A bug is tried again like an outage: the next version may have mended it, and every service can run twice.
    """

    def __init__(self, rt: Runtime, *, shares_a_lock: bool) -> None:
        self._rt = rt
        self._shares_a_lock = shares_a_lock

    def get_retry_decision(
        self, *, exception: BaseException, job: jobs.Job
    ) -> procrastinate.RetryDecision | None:
        if isinstance(exception, NotYetLocked):
            return procrastinate.RetryDecision(lock=exception.lock)  # at once
        if isinstance(exception, Refused) or not isinstance(exception, Exception):
            return None
        asked_s = exception.retry_after_s if isinstance(exception, Retryable) else None
        again = retry_at(self.attempt(job), now=self._rt.now(), asked_s=asked_s)
        if again is None:
            return None
        return procrastinate.RetryDecision(
            retry_at=again, lock=waiting_lock(job) if self._shares_a_lock else None
        )

    def attempt(self, job: jobs.Job) -> int:
        """Which try this was, from 1: of a job that shares a lock, every second trip only took the lock."""
        return job.attempts // 2 + 1 if self._shares_a_lock else job.attempts + 1


def waiting_lock(job: jobs.Job) -> str:
    return f"waiting:{job.id}"


class Jobs(manager.JobManager):
    """Procrastinate's own, but for two things.

    A job to be tried again while another waits for the same: two may not wait under one `queueing_lock`, so the
    database refuses, and the job would stay “doing” for ever, with its lock. The other one does the same work, so
    this one is over.

    A job that gives its lock back: workers look for the next one when a job is put in and every few seconds, not
    when a lock becomes free (tried: procrastinate 3.10), so they are told.
    """

    async def retry_job(
        self,
        job: jobs.Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        try:
            await super().retry_job(job, retry_at, priority, queue, lock)
        except exceptions.UniqueViolation:
            await self.finish_job(job, jobs.Status.SUCCEEDED, delete_job=True)
        else:
            await self._look_again(job)

    async def finish_job(self, job: jobs.Job, status: jobs.Status, delete_job: bool) -> None:
        await super().finish_job(job, status, delete_job)
        await self._look_again(job)

    async def _look_again(self, job: jobs.Job) -> None:
        if job.lock is None:
            return
        message = json.dumps({"type": "job_inserted", "job_id": job.id})
        await self.connector.execute_query_async(
            "SELECT pg_notify(%(channel)s, %(message)s)",
            channel=f"procrastinate_queue_v1#{job.queue}",
            message=message,
        )
