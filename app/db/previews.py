"""Previews that a job works out: what was asked, how far it is, what came out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """`finished_at` None: it is being worked out, and `result` is what came out so far. Then a `problem` or the result.

    `total` None: nobody knows how many there are to look at.
    """

    preview_id: int
    kind: str
    shop_id: int | None
    asked: Mapping[str, Any]
    asked_at: datetime
    looked_at: int
    total: int | None
    finished_at: datetime | None
    problem: str | None
    result: Mapping[str, Any] | None


def add(
    session: Session, kind: str, asked: Mapping[str, Any], *, shop_id: int | None = None, now: datetime
) -> int:
    return int(
        session.scalar(
            "INSERT INTO previews (program_id, kind, shop_id, asked, asked_at) "
            "VALUES (:program_id, :kind, :shop, CAST(:asked AS jsonb), :now) RETURNING id",
            kind=kind,
            shop=shop_id,
            asked=json.dumps(dict(asked)),
            now=now,
        )
    )


def find(session: Session, kind: str, preview_id: int) -> PreviewRow | None:
    row = session.first(
        "SELECT id AS preview_id, kind, shop_id, asked, asked_at, looked_at, total, finished_at, problem, result "
        "FROM previews WHERE {fence} AND kind = :kind AND id = :id",
        kind=kind,
        id=preview_id,
    )
    return PreviewRow(**row._mapping) if row else None


def note_looked(
    session: Session,
    preview_id: int,
    looked_at: int,
    *,
    total: int | None = None,
    so_far: Mapping[str, Any] | None = None,
) -> bool:
    """How far it is, and what it found so far. False: it was stopped, or is kept no more."""
    return bool(
        session.run(
            "UPDATE previews SET looked_at = :count, total = :total, result = CAST(:result AS jsonb) "
            "WHERE {fence} AND id = :id AND finished_at IS NULL",
            id=preview_id,
            count=looked_at,
            total=total,
            result=None if so_far is None else json.dumps(dict(so_far)),
        ).rowcount
    )


def finish(
    session: Session,
    preview_id: int,
    *,
    problem: str | None = None,
    result: Mapping[str, Any] | None = None,
    now: datetime,
) -> bool:
    """With its result, or with why there is none. False: it is over already."""
    return bool(
        session.run(
            "UPDATE previews SET finished_at = :now, problem = :problem, result = CAST(:result AS jsonb) "
            "WHERE {fence} AND id = :id AND finished_at IS NULL",
            id=preview_id,
            problem=problem,
            result=None if result is None else json.dumps(dict(result)),
            now=now,
        ).rowcount
    )


def forget(session: Session, *, before: datetime) -> int:
    """Drop those asked for before. Returns how many."""
    return session.run("DELETE FROM previews WHERE {fence} AND asked_at < :before", before=before).rowcount
