"""Who is to be told that points end, and of how many. Planned here; a plan that is true no more is dropped."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.db import programs, reminders
from app.db.programs import Versions
from app.db.reminders import Reminder
from app.db.session import Session
from app.domain.expiring import days_to_remind
from app.domain.program import ExpiryKind
from app.services.expire_inactive import find_quiet, find_silent_ends
from app.services.runtime import Runtime

BATCH = 500


def plan_reminders(rt: Runtime, program_id: int) -> int:
    """Plan what is due now, once for each end and number of days. Returns how many wait to be sent."""
    now = rt.now()
    with rt.db.begin(program_id) as session:
        versions = programs.load_versions(session)[program_id]
        days = versions.live.reminders
        if days:
            reminders.plan_by_lots(session, days, now=now)
    if days and versions.live.expiry is ExpiryKind.AFTER_INACTIVITY_DAYS:
        _plan_by_silence(rt, program_id, versions, now)
    with rt.db.begin(program_id) as session:
        reminders.drop_untrue(session, planned_before=now)
        return reminders.count_unsent(session)


def _plan_by_silence(rt: Runtime, program_id: int, versions: Versions, now: datetime) -> None:
    days, after = versions.live.reminders, 0
    # A day less: local days may be shorter than 24 hours.
    least = timedelta(days=(versions.live.expiry_days or 1) - days[0] - 1)
    while True:
        with rt.db.begin(program_id) as session:
            quiet = find_quiet(session, before=now - least, after=after, limit=BATCH)
            if not quiet:
                return
            after = max(quiet)
            reminders.plan(session, _due(session, versions, quiet, days, now), now=now)


def _due(
    session: Session, versions: Versions, quiet: dict[int, datetime], days: Sequence[int], now: datetime
) -> list[Reminder]:
    ends = find_silent_ends(session, versions, quiet)
    sums: dict[tuple[int, datetime], int] = {}
    for (account_id, seq), left in reminders.points_of(session, list(ends)).items():
        key = (account_id, ends[account_id, seq])
        sums[key] = sums.get(key, 0) + left
    return [
        Reminder(account_id, end, due, points)
        for (account_id, end), points in sums.items()
        if (due := days_to_remind(end, days, now=now)) is not None
    ]
