"""Activities and referrals: what was told, what each is worth, and why. Merges are followed by whoever asks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.db.session import Session, rows_of
from app.domain.awarding import Withheld


@dataclass(slots=True, kw_only=True)
class ActivityRow:
    program_id: int
    activity_id: int
    member_id: int  # as it was recorded: they may have been merged since
    key: str
    kind: str  # an ActivityKind, or the Side of a referral
    version: int
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    slot: str | None = None
    referral_id: int | None = None
    request_key: bytes | None = None
    request_hash: bytes | None = None
    detail: bytes | None = None  # sealed
    zero: Withheld | None = None  # fixed when it was first counted
    qualified_at: datetime | None = None
    taken_back_at: datetime | None = None
    taken_back_by: str | None = None
    taken_back_reason: str | None = None
    target_points: int = 0
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return f"activity:{self.activity_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralRow:
    program_id: int
    referral_id: int
    referrer_id: int
    friend_id: int
    version: int
    actor: str
    at: datetime


_COLUMNS = (
    "a.program_id, a.id AS activity_id, a.member_id, a.key, a.kind, a.version, a.occurred_at, a.recorded_at, "
    "a.actor, a.slot, a.referral_id, a.request_key, a.request_hash, a.detail, a.zero, a.qualified_at, "
    "a.taken_back_at, a.taken_back_by, a.taken_back_reason, a.target_points, a.facts"
)
_REFERRAL = "program_id, id AS referral_id, referrer_id, friend_id, version, actor, at"


def new_ids(session: Session, count: int) -> list[int]:
    rows = session.connection.exec_driver_sql(
        "SELECT nextval(pg_get_serial_sequence('activities', 'id')) FROM generate_series(1, %(count)s)",
        {"count": count},
    )
    return [int(row[0]) for row in rows]


def detail_place(program_id: int, activity_id: int) -> str:
    """What a sealed detail is bound to."""
    return f"activities|{program_id}|{activity_id}|detail"


def find_activities_where(
    session: Session, condition: str, *, limit: int | None = None, **params: Any
) -> list[ActivityRow]:
    """Activities `a` that meet `condition` (SQL of our own), by id."""
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM activities a WHERE {{fence:a}} AND {condition} ORDER BY a.id LIMIT :limit",
        params,
        limit=limit,
    )
    return [_row(row) for row in rows]


def find_activity_by_key(session: Session, request_key: bytes) -> ActivityRow | None:
    found = find_activities_where(session, "a.request_key = CAST(:key AS bytea)", key=request_key)
    return found[0] if found else None


def find_activities_of(session: Session, member_ids: Sequence[int]) -> list[ActivityRow]:
    """Every activity that was recorded for these accounts."""
    if not member_ids:
        return []
    return find_activities_where(session, "a.member_id = ANY(:members)", members=list(member_ids))


def pages_of_activities(session: Session, *, size: int = 500) -> Iterator[list[ActivityRow]]:
    """Every activity, by id."""
    after = 0
    while page := find_activities_where(session, "a.id > :after", limit=size, after=after):
        yield page
        after = page[-1].activity_id


def find_slots(session: Session, member_ids: Sequence[int]) -> list[tuple[int, int, str]]:
    """(activity, member, slot) of what these accounts had once, by id."""
    rows = session.rows(
        "SELECT id, member_id, slot FROM activities WHERE {fence} AND member_id = ANY(:members) "
        "AND slot IS NOT NULL ORDER BY id",
        members=list(member_ids),
    )
    return [(row.id, row.member_id, row.slot) for row in rows]


def find_moments(session: Session, member_ids: Sequence[int], key: str) -> list[datetime]:
    """When these accounts did something that counts, of one rule."""
    rows = session.rows(
        "SELECT coalesce(qualified_at, occurred_at) AS at FROM activities WHERE {fence} "
        "AND member_id = ANY(:members) AND key = :key AND target_points > 0",
        members=list(member_ids),
        key=key,
    )
    return [row.at for row in rows]


def add_activities(session: Session, rows: Sequence[ActivityRow]) -> None:
    if not rows:
        return
    session.run(
        "INSERT INTO activities (program_id, id, member_id, key, kind, version, slot, referral_id, occurred_at, "
        "recorded_at, actor, request_key, request_hash, detail, zero) OVERRIDING SYSTEM VALUE "
        "SELECT p, i, m, k, kd, v, s, r, o, re, a, decode(rk, 'base64'), decode(rh, 'base64'), decode(d, 'base64'), z "
        "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS u(p bigint, i bigint, m bigint, k text, kd text, v int, "
        "s text, r bigint, o timestamptz, re timestamptz, a text, rk text, rh text, d text, z text)",
        rows=rows_of(
            [
                {
                    "p": row.program_id,
                    "i": row.activity_id,
                    "m": row.member_id,
                    "k": row.key,
                    "kd": row.kind,
                    "v": row.version,
                    "s": row.slot,
                    "r": row.referral_id,
                    "o": row.occurred_at,
                    "re": row.recorded_at,
                    "a": row.actor,
                    "rk": row.request_key,
                    "rh": row.request_hash,
                    "d": row.detail,
                    "z": row.zero,
                }
                for row in rows
            ]
        ),
    )


def write_targets(session: Session, rows: Sequence[ActivityRow]) -> None:
    """What they are worth now, and what was fixed about them."""
    if not rows:
        return
    session.run(
        "UPDATE activities a SET target_points = u.t, facts = u.f, zero = u.z, slot = u.s, qualified_at = u.q "
        "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS u(i bigint, t bigint, f jsonb, z text, s text, "
        "q timestamptz) WHERE {fence:a} AND a.id = u.i",
        rows=rows_of(
            [
                {
                    "i": row.activity_id,
                    "t": row.target_points,
                    "f": row.facts,
                    "z": row.zero,
                    "s": row.slot,
                    "q": row.qualified_at,
                }
                for row in rows
            ]
        ),
    )


def take_back(session: Session, row: ActivityRow, *, by: str, reason: str, now: datetime) -> None:
    row.taken_back_at, row.taken_back_by, row.taken_back_reason = now, by, reason
    session.run(
        "UPDATE activities SET taken_back_at = :now, taken_back_by = :by, taken_back_reason = :reason "
        "WHERE {fence} AND id = :id",
        id=row.activity_id,
        by=by,
        reason=reason,
        now=now,
    )


# --- Referrals ---------------------------------------------------------------------------------------------


def add_referral(
    session: Session, *, referrer_id: int, friend_id: int, version: int, actor: str, now: datetime
) -> int:
    return int(
        session.scalar(
            "INSERT INTO referrals (program_id, referrer_id, friend_id, version, actor, at) VALUES "
            "(:program_id, :referrer, :friend, :version, :actor, :now) RETURNING id",
            referrer=referrer_id,
            friend=friend_id,
            version=version,
            actor=actor,
            now=now,
        )
    )


def find_referrals(session: Session, referral_ids: Sequence[int]) -> dict[int, ReferralRow]:
    if not referral_ids:
        return {}
    rows = session.rows(
        f"SELECT {_REFERRAL} FROM referrals WHERE {{fence}} AND id = ANY(:ids)", ids=list(referral_ids)
    )
    return {row.referral_id: ReferralRow(**row._mapping) for row in rows}


def find_referrals_to(session: Session, friend_ids: Sequence[int]) -> list[ReferralRow]:
    """Those by which one of these accounts was brought, by id."""
    rows = session.rows(
        f"SELECT {_REFERRAL} FROM referrals WHERE {{fence}} AND friend_id = ANY(:friends) ORDER BY id",
        friends=list(friend_ids),
    )
    return [ReferralRow(**row._mapping) for row in rows]


def _row(row: Any) -> ActivityRow:
    return ActivityRow(**{**row._mapping, "zero": Withheld(row.zero) if row.zero else None})
