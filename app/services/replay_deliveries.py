"""Failed deliveries are put back into the queue, and how far that has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import inbox
from app.services.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """`count` deliveries up to number `last`, put back at `at`. `ids`: which; None: all that had failed."""

    count: int
    last: int
    at: datetime
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayProgress:
    count: int
    to_go: int
    failed_again: int

    @property
    def understood(self) -> int:
        return max(self.count - self.to_go - self.failed_again, 0)


def replay_deliveries(rt: Runtime, program_id: int, delivery_ids: Sequence[int] | None = None) -> Replay:
    """Those that failed (None: all) are processed afresh, by the worker, within seconds. Safe any number of times."""
    now = rt.now()
    with rt.db.begin(program_id) as session:
        last = session.scalar("SELECT coalesce(max(id), 0) FROM inbox WHERE {fence} AND state = 'failed'")
        count = inbox.replay(session, delivery_ids)
    rt.received()  # wakes the drain, as a new delivery does
    ids = None if delivery_ids is None else tuple(delivery_ids)
    return Replay(count=count, last=int(last), at=now, ids=ids)


def replay_progress(rt: Runtime, program_id: int, replay: Replay) -> ReplayProgress:
    with rt.db.begin(program_id) as session:
        rows = session.rows(
            "SELECT state, count(*) AS n FROM inbox WHERE {fence} AND id <= :last "
            "AND (state = 'new' OR (state = 'failed' AND processed_at >= :at)) "
            "AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(CAST(:ids AS bigint[]))) GROUP BY state",
            last=replay.last,
            at=replay.at,
            ids=None if replay.ids is None else list(replay.ids),
        )
    found = {row.state: min(row.n, replay.count) for row in rows}
    return ReplayProgress(count=replay.count, to_go=found.get("new", 0), failed_again=found.get("failed", 0))
