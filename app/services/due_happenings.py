"""Which shops are still to be told of something: asked every minute, so that a lost job costs a minute."""

from datetime import timedelta

from app.db import directory, happenings, jobs
from app.services.drain_inbox import SLICE
from app.services.runtime import Runtime

FORGOTTEN_AFTER = timedelta(minutes=10)  # longer than any call: whoever took it is dead


def due_happenings(rt: Runtime) -> int:
    """Put in a job for each. What a killed process had taken counts as lost: it may have been told."""
    with rt.db.outside() as connection:
        programs = directory.program_ids(connection)
    found = 0
    for start in range(0, len(programs), SLICE):
        with rt.db.begin(*programs[start : start + SLICE]) as session:
            happenings.lose_taken(session, before=rt.now() - FORGOTTEN_AFTER)
            due = happenings.find_due_shops(session, now=rt.now())
            jobs.enqueue_all(
                session,
                "tell_happenings",
                [{"program_id": program, "shop_id": shop} for program, shop in due],
            )
            found += len(due)
    return found
