"""Reviews: members whom a person should look at, what was noticed, and what was decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db.session import Session, rows_of

Facts = Mapping[str, Any]  # SignalKind -> {"n", "of", "more_than", "hours", "with", "at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    review_id: int
    member_id: int  # as it was noticed: they may have been merged since
    opened_at: datetime
    held_at: datetime | None
    signals: Facts
    decided_at: datetime | None
    decision: str | None  # allowed or refused; None: open
    block_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAct:
    review_id: int
    act: str  # allowed, refused or undone
    actor: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    member_id: int
    holds: bool
    signals: Facts


_COLUMNS = (
    "r.id AS review_id, r.member_id, r.opened_at, r.held_at, r.signals, r.decided_at, r.decision, r.block_id"
)

# Of a person: their own account and all that were merged into it.
_OURS = (
    "WITH RECURSIVE ours(root, id, depth) AS ("
    "SELECT id, id, 1 FROM members WHERE {fence} AND id = ANY(:ids) AND was_held "
    "UNION ALL SELECT o.root, a.id, o.depth + 1 FROM ours o JOIN accounts a ON a.merged_into = o.id "
    "WHERE {fence:a} AND o.depth < 100) "
)


def open_reviews(session: Session, notices: Sequence[Notice], *, now: datetime) -> int:
    """Open a review for each, or add to the one that is open. Returns how many are new."""
    if not notices:
        return 0
    told = [{"m": one.member_id, "h": one.holds, "s": one.signals} for one in notices]
    rows = session.rows(
        "INSERT INTO reviews (program_id, member_id, opened_at, held_at, signals) "
        "SELECT :program_id, u.m, :now, CASE WHEN u.h THEN CAST(:now AS timestamptz) END, u.s "
        "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS u(m bigint, h boolean, s jsonb) ORDER BY u.m "
        "ON CONFLICT (program_id, member_id) WHERE decision IS NULL DO UPDATE SET "
        "signals = reviews.signals || excluded.signals, held_at = coalesce(reviews.held_at, excluded.held_at) "
        "RETURNING (xmax = 0) AS is_new",
        rows=rows_of(told),
        now=now,
    )
    session.run(
        "UPDATE members SET was_held = true WHERE {fence} AND id = ANY(:ids) AND NOT was_held",
        ids=[one.member_id for one in notices],
    )
    return sum(row.is_new for row in rows)


def find_holds(session: Session, member_ids: Sequence[int]) -> dict[int, datetime]:
    """Open account -> since when its person's points wait for a decision. Only those whose do."""
    if not member_ids:
        return {}
    rows = session.rows(
        _OURS + "SELECT o.root, min(r.held_at) AS at FROM ours o JOIN reviews r ON r.member_id = o.id "
        "WHERE {fence:r} AND r.decision IS NULL AND r.held_at IS NOT NULL GROUP BY o.root",
        ids=list(member_ids),
    )
    return {row.root: row.at for row in rows}


def find_of_member(session: Session, member_id: int) -> list[ReviewRow]:
    """All of one person's, oldest first."""
    rows = session.rows(
        _OURS
        + f"SELECT {_COLUMNS} FROM ours o JOIN reviews r ON r.member_id = o.id WHERE {{fence:r}} ORDER BY r.id",
        ids=[member_id],
    )
    return [ReviewRow(**row._mapping) for row in rows]


def find_spared(session: Session, *, decided_after: datetime) -> list[int]:
    """Accounts, merges followed, whose points wait, or were held and decided on after then."""
    rows = session.rows(
        "WITH RECURSIVE up(id) AS (SELECT r.member_id FROM reviews r WHERE {fence:r} AND r.held_at IS NOT NULL "
        "AND (r.decision IS NULL OR r.decided_at > :after) "
        "UNION SELECT a.merged_into FROM up u JOIN accounts a ON a.id = u.id "
        "WHERE {fence:a} AND a.merged_into IS NOT NULL) SELECT id FROM up ORDER BY id",
        after=decided_after,
    )
    return [row.id for row in rows]


def list_reviews(session: Session, *, limit: int) -> list[ReviewRow]:
    """Open ones first, those that hold points before others, oldest first; then the last that were decided."""
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM reviews r WHERE {{fence:r}} ORDER BY (r.decision IS NOT NULL), r.decided_at DESC, "
        "(r.held_at IS NULL), r.opened_at, r.id LIMIT :limit",
        limit=limit,
    )
    return [ReviewRow(**row._mapping) for row in rows]


def count_open(session: Session) -> int:
    return int(session.scalar("SELECT count(*) FROM reviews WHERE {fence} AND decision IS NULL"))


def find_review(session: Session, review_id: int) -> ReviewRow | None:
    row = session.first(f"SELECT {_COLUMNS} FROM reviews r WHERE {{fence:r}} AND r.id = :id", id=review_id)
    return ReviewRow(**row._mapping) if row else None


def has_open(session: Session, member_id: int) -> bool:
    return bool(
        session.scalar(
            "SELECT EXISTS (SELECT 1 FROM reviews WHERE {fence} AND member_id = :member AND decision IS NULL)",
            member=member_id,
        )
    )


def lock_review(session: Session, review_id: int) -> ReviewRow | None:
    row = session.first(
        f"SELECT {_COLUMNS} FROM reviews r WHERE {{fence:r}} AND r.id = :id FOR UPDATE", id=review_id
    )
    return ReviewRow(**row._mapping) if row else None


def put_decision(
    session: Session, review_id: int, decision: str | None, *, block_id: int | None, now: datetime
) -> None:
    """`decision` None: it is open again."""
    session.run(
        "UPDATE reviews SET decision = :decision, block_id = :block, "
        "decided_at = CASE WHEN CAST(:decision AS text) IS NULL THEN NULL ELSE CAST(:now AS timestamptz) END "
        "WHERE {fence} AND id = :id",
        id=review_id,
        decision=decision,
        block=block_id,
        now=now,
    )


def add_act(session: Session, act: ReviewAct) -> None:
    session.run(
        "INSERT INTO review_acts (program_id, review_id, act, actor, reason, at) "
        "VALUES (:program_id, :review, :act, :actor, :reason, :at)",
        review=act.review_id,
        act=act.act,
        actor=act.actor,
        reason=act.reason,
        at=act.at,
    )


def find_acts(session: Session, review_ids: Sequence[int]) -> dict[int, list[ReviewAct]]:
    """What people did on each, oldest first."""
    found: dict[int, list[ReviewAct]] = {}
    for row in session.rows(
        "SELECT review_id, act, actor, reason, at FROM review_acts WHERE {fence} AND review_id = ANY(:ids) "
        "ORDER BY id",
        ids=list(review_ids),
    ):
        found.setdefault(row.review_id, []).append(ReviewAct(**row._mapping))
    return found
