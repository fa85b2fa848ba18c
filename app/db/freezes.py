"""Times in which a program's points cannot be spent: since when, what was found, who lifted it and why."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db.session import Session

Told = tuple[str, str, str]  # subject, what, detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    program_id: int
    freeze_id: int
    at: datetime
    problems: Sequence[Told]


def find_open(session: Session) -> Freeze | None:
    """The program's, if its points cannot be spent now."""
    return next(iter(find_all_open(session)), None)


def find_all_open(session: Session) -> list[Freeze]:
    """Of all the session's programs."""
    rows = session.rows(
        "SELECT program_id, id, at, problems FROM freezes WHERE {fence} AND lifted_at IS NULL ORDER BY program_id"
    )
    return [_freeze(row) for row in rows]


def is_frozen(session: Session) -> bool:
    return bool(session.scalar("SELECT EXISTS (SELECT 1 FROM freezes WHERE {fence} AND lifted_at IS NULL)"))


def find_accepted(session: Session) -> set[Told]:
    """What was found before, and lifted by a person: the same again is no news."""
    rows = session.rows("SELECT problems FROM freezes WHERE {fence} AND lifted_at IS NOT NULL")
    return {_told(one) for row in rows for one in row.problems}


def begin(session: Session, problems: Sequence[Told], *, now: datetime) -> bool:
    """Freeze, or write down what is found now in the freeze there is. Returns whether it is new."""
    row = session.first(
        "INSERT INTO freezes (program_id, at, problems) VALUES (:program_id, :now, CAST(:problems AS jsonb)) "
        "ON CONFLICT (program_id) WHERE lifted_at IS NULL DO UPDATE SET problems = excluded.problems "
        "RETURNING (xmax = 0) AS is_new",
        problems=json.dumps(list(problems)),
        now=now,
    )
    assert row is not None
    return bool(row.is_new)


def lift(session: Session, freeze_id: int, *, by: str, reason: str, now: datetime) -> bool:
    """Returns whether it was still open."""
    return (
        session.run(
            "UPDATE freezes SET lifted_at = :now, lifted_by = :by, reason = :reason "
            "WHERE {fence} AND id = :id AND lifted_at IS NULL",
            id=freeze_id,
            by=by,
            reason=reason,
            now=now,
        ).rowcount
        == 1
    )


def _freeze(row: Any) -> Freeze:
    return Freeze(
        program_id=row.program_id,
        freeze_id=row.id,
        at=row.at,
        problems=tuple(_told(one) for one in row.problems),
    )


def _told(one: Sequence[str]) -> Told:
    subject, what, detail = one
    return subject, what, detail
