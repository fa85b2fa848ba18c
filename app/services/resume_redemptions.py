"""Nothing waits for a lost job."""

from app.db import jobs, redemptions
from app.services.runtime import Runtime


def resume_redemptions(rt: Runtime, program_id: int) -> int:
    """Put in the jobs of redemptions that wait and whose time has come, should a job have been lost."""
    now = rt.now()
    with rt.db.begin(program_id) as session:
        waiting = redemptions.find_redemptions_where(
            session,
            "r.state IN ('requested', 'cancelling') AND coalesce(r.next_try_at, r.requested_at) < :now",
            now=now,
        )
        for row in waiting:
            name = "issue_code" if row.state.value == "requested" else "close_redemption"
            jobs.enqueue(session, name, shop_id=row.shop_id, redemption_id=row.redemption_id)
    return len(waiting)
