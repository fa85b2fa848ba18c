"""An activity is taken back: it was none, or what it was for is gone. What it gave is taken, and that is recorded."""

from app.db import activities, programs
from app.domain.errors import Refused
from app.services.adjust import MAX_REASON
from app.services.runtime import Runtime
from app.services.settle_activities import settle_activities


def undo_activity(rt: Runtime, program_id: int, activity_id: int, *, reason: str, actor: str) -> None:
    """Asked twice, it is one undoing. Points that were spent leave a deficit. Both sides of a referral go together.

    Raises: Refused("unknown_activity"), Refused("no_reason").
    """
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON:
        raise Refused("no_reason", f"Say why, in at most {MAX_REASON} characters: the member may ask.")
    now = rt.now()
    with rt.db.begin(program_id) as session:
        programs.lock_settling(session)
        rows = activities.find_activities_where(session, "a.id = :id", id=activity_id)
        if not rows:
            raise Refused("unknown_activity", "There is no such activity.")
        if (referral_id := rows[0].referral_id) is not None:
            rows = activities.find_activities_where(
                session, "a.referral_id = :referral", referral=referral_id
            )
        standing = [row for row in rows if row.taken_back_at is None]
        for row in standing:
            activities.take_back(session, row, by=actor, reason=reason, now=now)
        settle_activities(session, standing, programs.load_versions(session), now=now)
