"""Failed deliveries are put back into the queue, and how far that has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import inbox
from app.services.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """`count` deliveries up to number `last`, put back at `at`."""

    count: int
    last: int
    at: datetime


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
    return Replay(count=count, last=int(last), at=now)


def replay_progress(rt: Runtime, program_id: int, replay: Replay) -> ReplayProgress:
    with rt.db.begin(program_id) as session:
        to_go = session.scalar(
            "SELECT count(*) FROM inbox WHERE {fence} AND state = 'new' AND id <= :last", last=replay.last
        )
        failed = session.scalar(
            "SELECT count(*) FROM inbox WHERE {fence} AND state = 'failed' AND id <= :last AND processed_at >= :at",
            last=replay.last,
            at=replay.at,
        )
    return ReplayProgress(
        count=replay.count, to_go=min(int(to_go), replay.count), failed_again=min(int(failed), replay.count)
    )
