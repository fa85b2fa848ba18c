"""What runs by the clock. Each asks what is due, never “it is three o'clock”: a run that is missed costs nothing.

One run of each at a time over all workers: Procrastinate puts a periodic job in once, and its lock keeps a long
one from running beside the next.
"""

from datetime import timedelta

import procrastinate
import structlog
from procrastinate import exceptions

from app.db.jobs import PERIODIC
from app.services.due_happenings import due_happenings
from app.services.due_profiles import due_profiles
from app.services.due_reconciliations import due_reconciliations
from app.services.keep_house import keep_house
from app.services.runtime import Runtime

STALLED = timedelta(seconds=45)  # a live worker says so every 10 s
_KEPT_HOURS = 24 * 7

log = structlog.get_logger()


def register(app: procrastinate.App, rt: Runtime) -> None:
    @app.periodic(cron="* * * * *")
    @app.task(name="every_minute", queue=PERIODIC, lock="every_minute", queueing_lock="every_minute")
    async def every_minute(timestamp: int) -> None:
        await revive(app)
        await app.job_manager.delete_old_jobs(
            nb_hours=_KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )

    @app.periodic(cron="* * * * *")
    @app.task(name="look_what_is_due", queue=PERIODIC, lock="look", queueing_lock="look")
    def look_what_is_due(timestamp: int) -> None:
        due_reconciliations(rt)
        due_profiles(rt)
        due_happenings(rt)

    @app.periodic(cron="7 * * * *")
    @app.task(name="every_hour", queue=PERIODIC, lock="hour", queueing_lock="every_hour")
    def every_hour(timestamp: int) -> None:
        keep_house(rt)


async def revive(app: procrastinate.App) -> int:
    """Put back the jobs of workers that died: their locks would block others for ever. Returns how many."""
    seconds = STALLED.total_seconds()
    await app.job_manager.prune_stalled_workers(seconds)
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=seconds))
    revived = 0
    for job in stalled:
        try:
            await app.job_manager.retry_job(job)
        except exceptions.ConnectorException as error:
            # Somebody else was faster, or it has just ended after all.
            log.info("job_not_revived", job_id=job.id, error=type(error).__name__)
            continue
        revived += 1
        log.warning("job_revived", job=job.task_name, job_id=job.id)
    return revived
