"""Procrastinate's application: every name in `app.db.jobs.JOBS` is a task that calls the service of that name."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import procrastinate
import structlog

from app.db.jobs import JOBS, JobSpec
from app.domain.errors import PutOff, Refused, Retryable
from app.jobs import periodic
from app.jobs.trying import Jobs, NotYetLocked, Patience
from app.services.note_failed_job import note_failed_job
from app.services.put_off import put_off
from app.services.runtime import Runtime

log = structlog.get_logger()

Service = Callable[..., Any]


def make_app(rt: Runtime, connector: procrastinate.BaseConnector) -> procrastinate.App:
    """The queue's application, its tasks bound to `rt`."""
    app = procrastinate.App(connector=connector)
    app.job_manager = Jobs(connector)
    for name, spec in JOBS.items():
        patience = Patience(rt, shares_a_lock=spec.lock is not None)
        app.task(name=name, queue=spec.queue, retry=patience, pass_context=True)(
            _bound(rt, name, spec, patience)
        )
    periodic.register(app, rt)
    return app


@cache
def service_of(name: str) -> Service:
    """`app.services.<name>.<name>`, imported when it is first needed."""
    found: Service = getattr(import_module(f"app.services.{name}"), name)
    return found


def _bound(rt: Runtime, name: str, spec: JobSpec, patience: Patience) -> Callable[..., None]:
    def run(context: procrastinate.JobContext, /, **args: Any) -> None:
        job = context.job
        lock = spec.lock.format(**args) if spec.lock else None
        if lock is not None and job.lock != lock:
            raise NotYetLocked(lock)
        told = log.bind(job=name, job_id=job.id, attempt=patience.attempt(job), **args)
        try:
            service_of(name)(rt, **args)
        except PutOff as later:
            put_off(rt, name, args, later.wait_s)
            told.info("job_put_off", wait_s=later.wait_s)
            return
        except Refused as refused:
            told.warning("job_refused", code=refused.code, detail=refused.detail)
            note_failed_job(rt, name, args, refused.code, refused.detail)
            raise
        except Retryable as error:
            told.warning("job_to_retry", detail=error.detail)
            _note_the_last(rt, name, args, patience, job, "gave_up", error.detail)
            raise
        except Exception as error:
            told.error("job_failed", exc_info=error)
            _note_the_last(rt, name, args, patience, job, "bug", type(error).__name__)
            raise
        told.info("job_done")

    return run


def _note_the_last(
    rt: Runtime, name: str, args: dict[str, Any], patience: Patience, job: Any, code: str, detail: str
) -> None:
    """Of tries that are repeated only the last is worth a person's time."""
    if patience.get_retry_decision(exception=Retryable(detail), job=job) is None:
        note_failed_job(rt, name, args, code, detail)
