"""Is this installation well? What `/readyz`, `/metrics` and `laurel doctor` tell, always looked up, never assumed."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from app.db import directory, freezes, reviews
from app.db.directory import Kind
from app.db.migrating import GuardsMissing, require_guards, revision_problem
from app.services.runtime import Runtime

LATE = timedelta(minutes=5)
_SLICE = 2000
_GIGABYTE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """`problem` None: it is well. `stops`: this process cannot do its work because of it."""

    name: str
    problem: str | None
    stops: bool = True


@dataclass(frozen=True, slots=True)
class Health:
    checks: tuple[Check, ...]

    @property
    def ready(self) -> bool:
        return not any(check.problem and check.stops for check in self.checks)

    @property
    def well(self) -> bool:
        return not any(check.problem for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """What waits, and for how long. States -> how many; ages in seconds, 0 where nothing waits."""

    deliveries: Mapping[str, int] = field(default_factory=dict)
    delivery_age_s: float = 0.0
    jobs: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (queue, state)
    job_age_s: float = 0.0
    redemptions: Mapping[str, int] = field(default_factory=dict)
    shops: Mapping[str, int] = field(default_factory=dict)
    frozen: int = 0  # programs in which nobody can spend points
    open_reviews: int = 0  # members to look at


def check_health(rt: Runtime) -> Health:
    """Everything that must be so for this process to work, and whether the drain keeps up."""
    try:
        with rt.db.outside() as connection:
            checks = [
                Check("database", None),
                Check("migrated", revision_problem(connection)),
                Check("guards", _guards(connection)),
            ]
        age_s = read_queues(rt).delivery_age_s
        late = age_s > LATE.total_seconds()
        checks.append(
            # Not a reason to take a web server out of use: it still keeps what shops send only once.
            Check(
                "drain",
                f"a delivery has waited for {age_s:.0f} s: is `laurel worker` running?" if late else None,
                stops=False,
            )
        )
        checks.append(Check("ledger", _frozen(rt), stops=False))
    except SQLAlchemyError as error:
        checks = [Check("database", f"it cannot be used: {type(error).__name__}")]
    checks.append(Check("disk", disk_problem(rt.database_folder)))
    return Health(tuple(checks))


def _frozen(rt: Runtime) -> str | None:
    """Programs in which the audit found something that cannot be, so that nobody spends points there."""
    found: list[int] = []
    for part in slices(rt):
        with rt.db.begin(*part) as session:
            found += [one.program_id for one in freezes.find_all_open(session)]
    if not found:
        return None
    with rt.db.outside() as connection:
        keys = directory.keys_of(connection, Kind.PROGRAM)
    named = sorted(key for key, program_id in keys.items() if program_id in set(found))
    return (
        f"points cannot be spent in {', '.join(named[:20])}: `laurel audit` says what is wrong, "
        "and once it is put right, `laurel unfreeze` lifts it"
    )


def disk_problem(folder: Path | None) -> str | None:
    """What is wrong with the room on the embedded database's disk.

    Below a tenth of the disk, or 1 GB where a tenth is more, deliveries are refused while PostgreSQL still runs.
    """
    if folder is None or not folder.exists():
        return None
    usage = shutil.disk_usage(folder)
    if usage.free >= min(usage.total // 10, _GIGABYTE):
        return None
    return f"only {usage.free // 1_000_000} MB are free where the database lies: make room"


def read_queues(rt: Runtime) -> Queues:
    """Counts over all programs, in slices, each fenced to its own."""
    now = rt.now()
    deliveries: dict[str, int] = {}
    redemptions: dict[str, int] = {}
    shops: dict[str, int] = {}
    oldest: datetime | None = None
    frozen = to_review = 0
    for part in slices(rt):
        with rt.db.begin(*part) as session:
            # Of what is done, nothing: that would count weeks of the inbox.
            for row in session.rows(
                "SELECT state, count(*) AS n, min(received_at) AS oldest FROM inbox "
                "WHERE {fence} AND state IN ('new', 'failed') GROUP BY state"
            ):
                deliveries[row.state] = deliveries.get(row.state, 0) + row.n
                if row.state == "new":
                    oldest = min(oldest or row.oldest, row.oldest)
            for row in session.rows(
                "SELECT state, count(*) AS n FROM redemptions WHERE {fence} "
                "AND state IN ('requested', 'issued', 'cancelling') GROUP BY state"
            ):
                redemptions[row.state] = redemptions.get(row.state, 0) + row.n
            for row in session.rows("SELECT state, count(*) AS n FROM shops WHERE {fence} GROUP BY state"):
                shops[row.state] = shops.get(row.state, 0) + row.n
            frozen += len(freezes.find_all_open(session))
            to_review += reviews.count_open(session)
    with rt.db.outside() as connection:
        jobs = {
            (row.queue, row.status): row.n
            for row in connection.execute(
                text(
                    "SELECT queue_name AS queue, status::text AS status, count(*) AS n FROM procrastinate_jobs "
                    "GROUP BY 1, 2"
                )
            )
        }
        job_age = connection.execute(
            text(
                "SELECT coalesce(extract(epoch FROM now() - min(coalesce(j.scheduled_at, e.at))), 0) "
                "FROM procrastinate_jobs j LEFT JOIN LATERAL (SELECT min(at) AS at FROM procrastinate_events "
                "WHERE job_id = j.id) e ON true "
                "WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())"
            )
        ).scalar_one()
    return Queues(
        deliveries=deliveries,
        delivery_age_s=max((now - oldest).total_seconds(), 0.0) if oldest else 0.0,
        jobs=jobs,
        job_age_s=max(float(job_age), 0.0),
        redemptions=redemptions,
        shops=shops,
        frozen=frozen,
        open_reviews=to_review,
    )


def slices(rt: Runtime) -> Iterator[Sequence[int]]:
    """All programs, at most 2,000 at a time: what one transaction may look at."""
    with rt.db.outside() as connection:
        programs = directory.program_ids(connection)
    for start in range(0, len(programs), _SLICE):
        yield programs[start : start + _SLICE]


def _guards(connection: Connection) -> str | None:
    try:
        require_guards(connection)
    except GuardsMissing as error:
        return str(error)
    return None
