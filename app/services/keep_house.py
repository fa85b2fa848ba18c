"""The hourly round: every program's own due work is put in, and what belongs to the installation is tidied."""

from datetime import timedelta

from app.db import directory, inbox, jobs, statements
from app.services.check_health import slices
from app.services.note_failed_job import forget_failed_jobs
from app.services.runtime import Runtime

BODIES_KEPT = timedelta(days=30)


def keep_house(rt: Runtime) -> None:
    """Runs any number of times with the same result. The inbox's days are made first: without one nothing is kept."""
    now = rt.now()
    with rt.db.begin() as session:
        inbox.make_days(session, today=now.date())
    with rt.db.outside() as connection:
        statements.run(connection, "SELECT laurel_drop_inbox_days(:day)", {"day": (now - BODIES_KEPT).date()})
        directory.sweep(connection, now=now)
    for part in slices(rt):
        with rt.db.begin(*part) as session:
            forget_failed_jobs(session, now=now)
            programs = [{"program_id": one} for one in part]
            jobs.enqueue_all(session, "do_due", programs)
            jobs.enqueue_all(session, "audit_changed", programs)
