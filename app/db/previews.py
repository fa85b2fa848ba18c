"""Previews of another start of counting: what was asked, how far it is, what came out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """`finished_at` None: it is being worked out. Then either `problem` or `result`."""

    preview_id: int
    shop_id: int
    counts_from: datetime
    counts_test_orders: bool
    looked_at: int
    finished_at: datetime | None
    problem: str | None
    result: Mapping[str, Any] | None


def add(
    session: Session, shop_id: int, *, counts_from: datetime, counts_test_orders: bool, now: datetime
) -> int:
    return int(
        session.scalar(
            "INSERT INTO previews (program_id, shop_id, counts_from, counts_test_orders, asked_at) "
            "VALUES (:program_id, :shop, :start, :tests, :now) RETURNING id",
            shop=shop_id,
            start=counts_from,
            tests=counts_test_orders,
            now=now,
        )
    )


def find(session: Session, preview_id: int) -> PreviewRow | None:
    row = session.first(
        "SELECT id AS preview_id, shop_id, counts_from, counts_test_orders, looked_at, finished_at, problem, result "
        "FROM previews WHERE {fence} AND id = :id",
        id=preview_id,
    )
    return PreviewRow(**row._mapping) if row else None


def note_looked(session: Session, preview_id: int, looked_at: int) -> None:
    session.run(
        "UPDATE previews SET looked_at = :count WHERE {fence} AND id = :id", id=preview_id, count=looked_at
    )


def finish(
    session: Session,
    preview_id: int,
    *,
    problem: str | None = None,
    result: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    session.run(
        "UPDATE previews SET finished_at = :now, problem = :problem, result = CAST(:result AS jsonb) "
        "WHERE {fence} AND id = :id",
        id=preview_id,
        problem=problem,
        result=None if result is None else json.dumps(dict(result)),
        now=now,
    )


def forget(session: Session, *, before: datetime) -> int:
    """Drop those asked for before. Returns how many."""
    return session.run("DELETE FROM previews WHERE {fence} AND asked_at < :before", before=before).rowcount
