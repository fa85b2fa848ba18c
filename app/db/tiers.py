"""Levels as recorded: tiers granted for a time, entry rewards that were given, and how far a changed version is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db.session import Session, rows_of

# --- Granted for a time ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFloor:
    member_id: int
    tier_key: str
    cause: str
    from_at: datetime
    until_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorRow:
    """A tier that staff gave. `ended_at`: taken back before its time."""

    floor_id: int
    member_id: int
    tier_key: str
    from_at: datetime
    until_at: datetime | None
    actor: str
    reason: str
    ended_at: datetime | None
    ended_by: str | None


def add_floors(session: Session, floors: Sequence[NewFloor]) -> None:
    """Of the session's program."""
    if not floors:
        return
    session.run(
        "INSERT INTO tier_floors (program_id, member_id, tier_key, cause, from_at, until_at) "
        "SELECT :program_id, m, k, c, f, u FROM jsonb_to_recordset(CAST(:rows AS jsonb)) "
        "AS x(m bigint, k text, c text, f timestamptz, u timestamptz)",
        rows=rows_of(
            [
                {
                    "m": one.member_id,
                    "k": one.tier_key,
                    "c": one.cause,
                    "f": one.from_at,
                    "u": one.until_at,
                }
                for one in floors
            ]
        ),
    )


def add_manual(session: Session, floor: NewFloor, *, actor: str, reason: str, request_key: str) -> int:
    return int(
        session.scalar(
            "INSERT INTO tier_floors (program_id, member_id, tier_key, cause, from_at, until_at, actor, reason, "
            "request_key) VALUES (:program_id, :member, :tier, :cause, :start, :until, :actor, :reason, :key) "
            "RETURNING id",
            member=floor.member_id,
            tier=floor.tier_key,
            cause=floor.cause,
            start=floor.from_at,
            until=floor.until_at,
            actor=actor,
            reason=reason,
            key=request_key,
        )
    )


_MANUAL = (
    "id AS floor_id, member_id, tier_key, from_at, until_at, actor, reason, ended_at, ended_by "
    "FROM tier_floors WHERE {fence} AND cause = 'manual'"
)


def find_manual(session: Session, member_id: int) -> list[FloorRow]:
    """Newest first."""
    rows = session.rows(
        f"SELECT {_MANUAL} AND member_id = :member ORDER BY from_at DESC, id DESC", member=member_id
    )
    return [FloorRow(**row._mapping) for row in rows]


def find_manual_by_key(session: Session, request_keys: Sequence[str]) -> FloorRow | None:
    row = session.first(f"SELECT {_MANUAL} AND request_key = ANY(:keys)", keys=list(request_keys))
    return FloorRow(**row._mapping) if row else None


def lock_manual(session: Session, floor_id: int) -> FloorRow | None:
    row = session.first(f"SELECT {_MANUAL} AND id = :id FOR UPDATE", id=floor_id)
    return FloorRow(**row._mapping) if row else None


def end_manual(session: Session, floor_id: int, *, by: str, now: datetime) -> None:
    session.run(
        "UPDATE tier_floors SET ended_at = :now, ended_by = :by WHERE {fence} AND id = :id",
        id=floor_id,
        by=by,
        now=now,
    )


def move_floors(session: Session, from_id: int, to_id: int) -> list[int]:
    """What was granted to one member is the other's. Returns which."""
    rows = session.rows(
        "UPDATE tier_floors SET member_id = :new WHERE {fence} AND member_id = :old RETURNING id",
        old=from_id,
        new=to_id,
    )
    return sorted(row.id for row in rows)


def give_floors(session: Session, floor_ids: Sequence[int], member_id: int) -> None:
    session.run(
        "UPDATE tier_floors SET member_id = :member WHERE {fence} AND id = ANY(:ids)",
        member=member_id,
        ids=list(floor_ids),
    )


# --- Entry rewards -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardRow:
    """`version`: what it says of the level and its points stays."""

    program_id: int
    reward_id: int
    member_id: int
    tier_key: str
    version: int
    at: datetime

    @property
    def source(self) -> str:
        return f"tier:{self.reward_id}"


def find_rewards(session: Session, member_ids: Sequence[int]) -> list[RewardRow]:
    """By id."""
    if not member_ids:
        return []
    rows = session.rows(
        "SELECT program_id, id AS reward_id, member_id, tier_key, version, at FROM tier_rewards "
        "WHERE {fence} AND member_id = ANY(:ids) ORDER BY id",
        ids=list(member_ids),
    )
    return [RewardRow(**row._mapping) for row in rows]


def add_rewards(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Of (program_id, member_id, tier_key, version, at). One that was given before is left as it is."""
    if not rows:
        return
    session.run(
        "INSERT INTO tier_rewards (program_id, member_id, tier_key, version, at) SELECT p, m, k, v, a "
        "FROM unnest(CAST(:p AS bigint[]), CAST(:m AS bigint[]), CAST(:k AS text[]), CAST(:v AS integer[]), "
        "CAST(:a AS timestamptz[])) AS x(p, m, k, v, a) ON CONFLICT (program_id, member_id, tier_key) DO NOTHING",
        p=[row["program_id"] for row in rows],
        m=[row["member_id"] for row in rows],
        k=[row["tier_key"] for row in rows],
        v=[row["version"] for row in rows],
        a=[row["at"] for row in rows],
    )


# --- A version that changed the levels ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRun:
    """Members up to `after_id` are in line with `version`; what the versions from `before_version` on promised is kept.

    `moved` and `promised`: how many members came to another tier at once, and how many keep one for a time.
    """

    version: int
    before_version: int
    asked_at: datetime
    after_id: int
    done: int
    total: int
    moved: int
    promised: int
    finished_at: datetime | None


_RUN = (
    "version, before_version, asked_at, after_id, done, total, moved, promised, finished_at "
    "FROM tier_runs WHERE {fence}"
)


def begin_run(session: Session, *, version: int, before_version: int, now: datetime) -> None:
    """A run that this version overtakes ends; what the versions before that one promised is this one's to keep."""
    open_ = find_open_run(session)
    if open_ is not None:
        note_run(
            session, open_.version, after_id=open_.after_id, done=0, moved=0, promised=0, finished_at=now
        )
        before_version = open_.before_version
    session.run(
        "INSERT INTO tier_runs (program_id, version, before_version, asked_at, total) "
        "SELECT :program_id, :version, :before, :now, count(*) FROM accounts WHERE {fence} AND closed_at IS NULL",
        version=version,
        before=before_version,
        now=now,
    )


def find_open_run(session: Session) -> TierRun | None:
    row = session.first(f"SELECT {_RUN} AND finished_at IS NULL")
    return TierRun(**row._mapping) if row else None


def find_last_run(session: Session) -> TierRun | None:
    row = session.first(f"SELECT {_RUN} ORDER BY version DESC LIMIT 1")
    return TierRun(**row._mapping) if row else None


def note_run(
    session: Session,
    version: int,
    *,
    after_id: int,
    done: int,
    moved: int,
    promised: int,
    finished_at: datetime | None = None,
) -> None:
    session.run(
        "UPDATE tier_runs SET after_id = :after, done = done + :done, moved = moved + :moved, "
        "promised = promised + :promised, finished_at = :finished WHERE {fence} AND version = :version",
        version=version,
        after=after_id,
        done=done,
        moved=moved,
        promised=promised,
        finished=finished_at,
    )


def next_members(session: Session, *, after: int, limit: int, unless: str = "") -> list[int]:
    """Open members by id, from `after` on; without those whose tier is `unless`."""
    rows = session.rows(
        "SELECT m.id FROM members m JOIN accounts a ON {fence:a} AND a.program_id = m.program_id AND a.id = m.id "
        "WHERE {fence:m} AND m.id > :after AND a.id > :after AND a.closed_at IS NULL AND m.tier_key <> :unless "
        "ORDER BY m.id LIMIT :limit",
        after=after,
        limit=limit,
        unless=unless,
    )
    return [row.id for row in rows]
