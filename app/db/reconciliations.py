"""Runs of reconciliation, the repairs they made, and which shops are due for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db.session import Session
from app.db.shops import ShopRow

KINDS = ("changed", "digests", "webhooks", "codes", "profiles")


def kinds_of(shop: ShopRow) -> tuple[str, ...]:
    """By what this shop can be compared: nothing stands at its customers where it shows nothing there."""
    return tuple(kind for kind in KINDS if kind != "profiles" or shop.profile_parts or shop.profile_ready)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """One thing put right, or found and only reported. `points`: appended because of it."""

    subject: str  # order:7, redemption:3, webhook:<topic>, code:<code>
    cause: str
    detail: str
    points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    run_id: int
    shop_id: int
    kind: str
    started_at: datetime
    finished_at: datetime | None
    since_at: datetime | None
    until_at: datetime | None
    looked_at: int
    problem: str | None
    repairs: int
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairRow:
    run_id: int
    shop_id: int
    subject: str
    cause: str
    detail: str
    points: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    program_id: int
    shop_id: int
    kind: str


def start_run(
    session: Session,
    shop_id: int,
    kind: str,
    *,
    since: datetime | None,
    until: datetime | None,
    now: datetime,
) -> int:
    return int(
        session.scalar(
            "INSERT INTO reconciliations (program_id, shop_id, kind, started_at, since_at, until_at) "
            "VALUES (:program_id, :shop, :kind, :now, :since, :until) RETURNING id",
            shop=shop_id,
            kind=kind,
            now=now,
            since=since,
            until=until,
        )
    )


def end_dead_runs(session: Session, shop_id: int, kind: str, *, now: datetime) -> int:
    """A run without an end, where another begins, is one whose process died: it broke off. Returns how many.

    Should one of them live after all, by hand beside the job, its own end says so.
    """
    return session.run(
        "UPDATE reconciliations SET finished_at = :now, problem = :problem "
        "WHERE {fence} AND shop_id = :shop AND kind = :kind AND finished_at IS NULL",
        shop=shop_id,
        kind=kind,
        problem="Its process ended in the middle; the next run goes on.",
        now=now,
    ).rowcount


def pause_run(session: Session, run_id: int, *, cursor: str | None, now: datetime) -> None:
    session.run(
        "UPDATE reconciliations SET paused_at = :now, cursor = :cursor WHERE {fence} AND id = :id",
        id=run_id,
        cursor=cursor,
        now=now,
    )


def note_place(session: Session, run_id: int, cursor: str | None) -> None:
    session.run(
        "UPDATE reconciliations SET cursor = :cursor WHERE {fence} AND id = :id", id=run_id, cursor=cursor
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PausedRun:
    run_id: int
    started_at: datetime
    since_at: datetime | None
    until_at: datetime | None
    looked_at: int
    cursor: str | None


def take_paused(session: Session, shop_id: int, kind: str, *, after: datetime) -> PausedRun | None:
    """The run of that kind that was put off since `after`, or whose process died since with pages done: it is under
    way again, and nobody else's."""
    row = session.first(
        "UPDATE reconciliations SET paused_at = NULL WHERE {fence} AND id = (SELECT max(id) FROM reconciliations "
        "WHERE {fence} AND shop_id = :shop AND kind = :kind AND finished_at IS NULL) AND (paused_at > :after "
        "OR paused_at IS NULL AND cursor IS NOT NULL AND started_at > :after) "
        "RETURNING id AS run_id, started_at, since_at, until_at, looked_at, cursor",
        shop=shop_id,
        kind=kind,
        after=after,
    )
    return PausedRun(**row._mapping) if row else None


def note_looked(session: Session, run_id: int, count: int) -> None:
    session.run(
        "UPDATE reconciliations SET looked_at = looked_at + :count WHERE {fence} AND id = :id",
        id=run_id,
        count=count,
    )


def end_run(session: Session, run_id: int, *, problem: str | None, now: datetime) -> None:
    """`problem` None: the run is complete."""
    session.run(
        "UPDATE reconciliations SET finished_at = :now, problem = :problem WHERE {fence} AND id = :id",
        id=run_id,
        now=now,
        problem=problem[:500] if problem else None,
    )


def add_repairs(session: Session, run_id: int, repairs: Sequence[Repair], *, now: datetime) -> None:
    if not repairs:
        return
    session.run(
        "INSERT INTO repairs (program_id, reconciliation_id, subject, cause, detail, points, at) "
        "SELECT :program_id, :run, u.subject, u.cause, u.detail, u.points, :now FROM unnest("
        "CAST(:subjects AS text[]), CAST(:causes AS text[]), CAST(:details AS text[]), CAST(:points AS bigint[])) "
        "AS u(subject, cause, detail, points)",
        run=run_id,
        subjects=[one.subject for one in repairs],
        causes=[one.cause for one in repairs],
        details=[one.detail for one in repairs],
        points=[one.points for one in repairs],
        now=now,
    )


def advance(session: Session, shop_id: int, *, until: datetime) -> None:
    """Orders changed up to `until` have been read; never goes back, however runs overlap."""
    session.run(
        "UPDATE shops SET reconciled_until = greatest(reconciled_until, :until) WHERE {fence} AND id = :shop",
        shop=shop_id,
        until=until,
    )


def find_runs(session: Session, *, since: datetime, shop_ids: Sequence[int] | None = None) -> list[RunRow]:
    """Runs that began at or after `since`, newest first, with what they repaired."""
    rows = session.rows(
        "SELECT r.id AS run_id, r.shop_id, r.kind, r.started_at, r.finished_at, r.since_at, r.until_at, r.looked_at, "
        "r.problem, count(p.id) AS repairs, coalesce(sum(p.points), 0)::bigint AS points FROM reconciliations r "
        "LEFT JOIN repairs p ON {fence:p} AND p.program_id = r.program_id AND p.reconciliation_id = r.id "
        "WHERE {fence:r} AND r.started_at >= :since "
        "AND (CAST(:shops AS bigint[]) IS NULL OR r.shop_id = ANY(CAST(:shops AS bigint[]))) "
        "GROUP BY r.program_id, r.id ORDER BY r.id DESC",
        since=since,
        shops=None if shop_ids is None else list(shop_ids),
    )
    return [RunRow(**row._mapping) for row in rows]


def find_repairs(session: Session, *, since: datetime, run_id: int | None = None) -> list[RepairRow]:
    """Repairs of runs that began at or after `since` (or of one run), oldest first."""
    rows = session.rows(
        "SELECT p.reconciliation_id AS run_id, r.shop_id, p.subject, p.cause, p.detail, p.points, p.at FROM repairs p "
        "JOIN reconciliations r ON {fence:r} AND r.program_id = p.program_id AND r.id = p.reconciliation_id "
        "WHERE {fence:p} "
        "AND r.started_at >= :since AND (CAST(:run AS bigint) IS NULL OR r.id = :run) ORDER BY p.id",
        since=since,
        run=run_id,
    )
    return [RepairRow(**row._mapping) for row in rows]


def find_late(
    session: Session, shop_id: int, *, late: str, missed: str, since: datetime, until: datetime
) -> dict[int, datetime]:
    """Our id of each order with a repair of cause `late` in the window, and when the last of those was made.

    Without those that a repair of cause `missed` has answered since.
    """
    rows = session.rows(
        "SELECT substr(p.subject, 7)::bigint AS order_id, max(p.at) AS at FROM repairs p JOIN reconciliations r "
        "ON {fence:r} AND r.program_id = p.program_id AND r.id = p.reconciliation_id WHERE {fence:p} "
        "AND r.shop_id = :shop AND p.cause = :late AND p.subject LIKE 'order:%' AND p.at >= :since AND p.at <= :until "
        "AND NOT EXISTS (SELECT 1 FROM repairs m WHERE {fence:m} AND m.program_id = p.program_id "
        "AND m.subject = p.subject AND m.cause = :missed AND m.at >= p.at) GROUP BY p.subject",
        shop=shop_id,
        late=late,
        missed=missed,
        since=since,
        until=until,
    )
    return {row.order_id: row.at for row in rows}


def began_pass(session: Session, shop_id: int, kind: str, *, now: datetime, within: timedelta) -> datetime:
    """When the pass under way began: the oldest run since the last complete one that broke off, if it is recent."""
    began = session.scalar(
        "SELECT min(started_at) FROM reconciliations WHERE {fence} AND shop_id = :shop AND kind = :kind "
        "AND problem IS NOT NULL AND started_at > :least AND started_at > coalesce((SELECT max(started_at) "
        "FROM reconciliations WHERE {fence} AND shop_id = :shop AND kind = :kind AND finished_at IS NOT NULL "
        "AND problem IS NULL), '-infinity')",
        shop=shop_id,
        kind=kind,
        least=now - within,
    )
    return began if isinstance(began, datetime) else now


def prune_runs(session: Session, shop_id: int, *, before: datetime) -> int:
    """Drop the shop's runs that began before, repaired nothing and wait for nothing. Returns how many."""
    return session.run(
        "DELETE FROM reconciliations r WHERE {fence:r} AND r.shop_id = :shop AND r.started_at < :before "
        "AND NOT EXISTS (SELECT 1 FROM repairs p WHERE {fence:p} AND p.program_id = r.program_id "
        "AND p.reconciliation_id = r.id) AND NOT EXISTS (SELECT 1 FROM orders o WHERE {fence:o} "
        "AND o.program_id = r.program_id AND o.found_by = r.id)",
        shop=shop_id,
        before=before,
    ).rowcount


def had_wide_run(session: Session, shop_id: int, *, days: int, since: datetime) -> bool:
    """Whether a complete run over orders changed in the last `days` days began at or after `since`."""
    row = session.first(
        "SELECT 1 FROM reconciliations WHERE {fence} AND shop_id = :shop AND kind = 'changed' "
        "AND started_at >= :since AND finished_at IS NOT NULL AND problem IS NULL "
        "AND since_at <= started_at - make_interval(days => :days) LIMIT 1",
        shop=shop_id,
        days=days,
        since=since,
    )
    return row is not None


def find_due(
    session: Session, *, now: datetime, often: timedelta, daily: timedelta, again: timedelta
) -> list[Due]:
    """Shops that may be called and have had no complete run of a kind for so long.

    After a run that broke off, the kinds of every day wait `again`, the frequent one `often`: a job that may be
    tried again is its own reminder, and a shop that refuses us is not asked every minute.
    """
    rows = session.rows(
        "SELECT s.program_id, s.id AS shop_id, k.kind FROM shops s CROSS JOIN (VALUES ('changed'), ('digests'), "
        "('webhooks'), ('codes'), ('profiles')) AS k(kind) LEFT JOIN LATERAL (SELECT max(r.started_at) AS began, "
        "max(r.finished_at) FILTER (WHERE r.problem IS NULL) AS done FROM reconciliations r WHERE {fence:r} "
        "AND r.program_id = s.program_id AND r.shop_id = s.id AND r.kind = k.kind AND r.started_at > :daily) l ON true "
        "WHERE {fence:s} AND s.state = 'connected' AND s.access_problem IS NULL AND CASE k.kind "
        "WHEN 'changed' THEN coalesce(s.reconciled_until, '-infinity') <= :often AND coalesce(l.began <= :often, true) "
        "WHEN 'digests' THEN coalesce(s.digested_at, '-infinity') <= :daily AND coalesce(l.began <= :again, true) "
        "WHEN 'codes' THEN coalesce(s.codes_checked_at, '-infinity') <= :daily AND coalesce(l.began <= :again, true) "
        "WHEN 'profiles' THEN (s.shows_fields OR s.shows_tags OR s.profile_ready) AND l.done IS NULL "
        "AND coalesce(l.began <= :again, true) "
        "ELSE l.done IS NULL AND coalesce(l.began <= :again, true) END ORDER BY s.program_id, s.id, k.kind",
        often=now - often,
        daily=now - daily,
        again=now - again,
    )
    return [Due(row.program_id, row.shop_id, row.kind) for row in rows]


def find_marked_shops(session: Session, *, now: datetime) -> list[tuple[int, int]]:
    """(program, shop) of shops that may be called and have orders to be read now."""
    rows = session.rows(
        "SELECT s.program_id, s.id FROM shops s WHERE {fence:s} AND s.state = 'connected' "
        "AND s.access_problem IS NULL AND (EXISTS (SELECT 1 FROM orders o WHERE {fence:o} AND o.shop_id = s.id "
        "AND o.program_id = s.program_id AND o.reread_wanted > o.reread_done "
        "AND (o.reread_at IS NULL OR o.reread_at <= :now)) OR EXISTS (SELECT 1 FROM unseen_orders u "
        "WHERE {fence:u} AND u.program_id = s.program_id AND u.shop_id = s.id "
        "AND (u.not_before IS NULL OR u.not_before <= :now))) ORDER BY s.program_id, s.id",
        now=now,
    )
    return [(row.program_id, row.id) for row in rows]
