"""Reminders that points end: planned once for each end and number of days, sent once."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from app.db.session import Session

_KEEP = (
    "ON CONFLICT (program_id, account_id, ends_at, days_before) DO UPDATE "
    "SET points = excluded.points, planned_at = excluded.planned_at WHERE reminders.sent_at IS NULL"
)


class Reminder(NamedTuple):
    """`points` of the account end at `ends_at`; `days_before`: which of the program's reminders it is."""

    account_id: int
    ends_at: datetime
    days_before: int
    points: int


def plan_by_lots(session: Session, days: Sequence[int], *, now: datetime) -> None:
    """For every lot with an end of its own that lies within the reminders' days."""
    session.run(
        "INSERT INTO reminders (program_id, account_id, ends_at, days_before, points, planned_at) "
        "SELECT l.program_id, l.account_id, l.expires_at, (SELECT min(d) FROM unnest(CAST(:days AS int[])) d "
        "WHERE l.expires_at <= CAST(:now AS timestamptz) + make_interval(days => d)), sum(l.remaining), :now "
        "FROM lots l WHERE {fence:l} AND l.remaining > 0 AND l.expires_at > :now "
        "AND l.expires_at <= CAST(:now AS timestamptz) + make_interval(days => :most) "
        f"GROUP BY l.program_id, l.account_id, l.expires_at {_KEEP}",
        days=list(days),
        most=max(days),
        now=now,
    )


def plan(session: Session, found: Sequence[Reminder], *, now: datetime) -> None:
    if not found:
        return
    session.run(
        "INSERT INTO reminders (program_id, account_id, ends_at, days_before, points, planned_at) "
        "SELECT :program_id, a, e, d, p, :now FROM unnest(CAST(:accounts AS bigint[]), "
        f"CAST(:ends AS timestamptz[]), CAST(:days AS int[]), CAST(:points AS bigint[])) AS u(a, e, d, p) {_KEEP}",
        accounts=[one.account_id for one in found],
        ends=[one.ends_at for one in found],
        days=[one.days_before for one in found],
        points=[one.points for one in found],
        now=now,
    )


def drop_untrue(session: Session, *, planned_before: datetime) -> None:
    """Those not sent that were not planned again: the points were used, or somebody came back."""
    session.run(
        "DELETE FROM reminders WHERE {fence} AND sent_at IS NULL AND planned_at < :before",
        before=planned_before,
    )


def count_unsent(session: Session) -> int:
    return int(session.scalar("SELECT count(*) FROM reminders WHERE {fence} AND sent_at IS NULL"))


def points_of(session: Session, lots: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """(account, seq) -> what is left of the lot."""
    rows = session.rows(
        "SELECT l.account_id, l.seq, l.remaining FROM lots l JOIN unnest(CAST(:accounts AS bigint[]), "
        "CAST(:seqs AS int[])) AS k(a, s) ON l.account_id = k.a AND l.seq = k.s WHERE {fence:l}",
        accounts=[account for account, _ in lots],
        seqs=[seq for _, seq in lots],
    )
    return {(row.account_id, row.seq): row.remaining for row in rows}
