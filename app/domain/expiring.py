"""When points end: what a lot was promised when it was given stands, whatever the program says later."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.calendar import days_later
from app.domain.program import ExpiryKind, Program


def silent_until(promised: Program, live: Program, last: datetime) -> datetime | None:
    """When points end whose owner did nothing after `last`; None: silence does not end them.

    `promised`: the version by which they were given. Points given for good, or for a number of days, keep that;
    where silence was promised to end them, the longer silence of the two versions does.
    """
    days = [_silence(promised), _silence(live)]
    if None in days:
        return None
    return days_later(last, max(one for one in days if one is not None), live.zone)


def _silence(program: Program) -> int | None:
    return program.expiry_days if program.expiry is ExpiryKind.AFTER_INACTIVITY_DAYS else None


@dataclass(frozen=True, slots=True, order=True)
class Ending:
    """So many points end then, if nothing happens."""

    at: datetime
    points: int


def endings(lots: Iterable[tuple[datetime | None, int]]) -> list[Ending]:
    """Soonest first, from (end, points left); those of one moment together, those without an end left out."""
    sums: dict[datetime, int] = {}
    for at, points in lots:
        if at is not None and points > 0:
            sums[at] = sums.get(at, 0) + points
    return [Ending(at, points) for at, points in sorted(sums.items())]


def days_to_remind(ends_at: datetime, days_before: Sequence[int], *, now: datetime) -> int | None:
    """Which of the reminders is due now: the one nearest to the end; None: none is yet, or it is over."""
    left = ends_at - now
    due = [days for days in days_before if timedelta(0) < left <= timedelta(days=days)]
    return min(due, default=None)
