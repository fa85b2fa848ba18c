"""Which shops have customers whose profile is due: asked every minute, so that a lost job costs a minute."""

from app.db import directory, jobs, profiles
from app.services.drain_inbox import SLICE
from app.services.runtime import Runtime


def due_profiles(rt: Runtime) -> int:
    """Put in a job for each. Points that become available move no account: this is what notices them."""
    with rt.db.outside() as connection:
        programs = directory.program_ids(connection)
    found = 0
    for start in range(0, len(programs), SLICE):
        with rt.db.begin(*programs[start : start + SLICE]) as session:
            due = profiles.find_due_shops(session, now=rt.now())
            jobs.enqueue_all(
                session, "write_profiles", [{"program_id": program, "shop_id": shop} for program, shop in due]
            )
            found += len(due)
    return found
