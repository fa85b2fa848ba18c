"""Programs and their published versions."""

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from app.db.session import Session
from app.domain.program import Program, decode, successors


@dataclass(frozen=True, slots=True)
class Versions:
    """A program's published versions, oldest first."""

    programs: tuple[Program, ...]
    published: tuple[datetime, ...]

    @property
    def live(self) -> Program:
        return self.programs[-1]

    def get(self, version: int) -> Program:
        return self.programs[version - 1]

    def at(self, moment: datetime) -> Program:
        """The version live at `moment`; before the first, the first."""
        return self.programs[max(bisect_right(self.published, moment) - 1, 0)]

    def for_order(self, placed_at: datetime, currency: str) -> Program | None:
        """The version whose terms an order gets: live when it was placed, or the first after it that has a rate."""
        first = self.at(placed_at)
        return next(
            (one for one in self.programs[first.version - 1 :] if one.rate_for(currency) is not None), None
        )


def lock_settling(session: Session) -> None:
    """Wait for, and hold until commit, the right to settle orders of the session's programs.

    One at a time for a program, so that terms, owners and merges never race; accounts have locks of their own.
    """
    session.run("SELECT 1 FROM programs WHERE {fence} ORDER BY program_id FOR NO KEY UPDATE")


def add_program(session: Session, program_id: int, key: str, name: str, *, now: datetime) -> None:
    session.run(
        "INSERT INTO programs (program_id, key, name, created_at) OVERRIDING SYSTEM VALUE "
        "VALUES (:program_id, :key, :name, :now)",
        program_id=program_id,
        key=key,
        name=name,
        now=now,
    )


def add_version(session: Session, document: Mapping[str, Any], *, by: str, note: str, now: datetime) -> int:
    """Publish `document` as the next version. Returns its number."""
    lock_settling(session)
    version = session.scalar(
        "INSERT INTO program_versions (program_id, version, document, published_at, published_by, note) "
        "SELECT :program_id, coalesce(max(version), 0) + 1, CAST(:document AS jsonb), "
        # Versions follow each other in time even where a clock was set back.
        "greatest(:now, max(published_at) + interval '1 microsecond'), :by, :note "
        "FROM program_versions WHERE program_id = :program_id RETURNING version",
        document=json.dumps(document, sort_keys=True),
        now=now,
        by=by,
        note=note,
    )
    return int(version)


def load_versions(session: Session) -> dict[int, Versions]:
    """The versions of each of the session's programs."""
    rows = session.rows(
        "SELECT program_id, version, published_at, document::text AS document FROM program_versions "
        "WHERE {fence} ORDER BY program_id, version"
    )
    grouped: dict[int, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row.program_id, []).append(row)
    return {
        program_id: Versions(
            _with_successors([live_of(row.document, row.version) for row in ours]),
            tuple(row.published_at for row in ours),
        )
        for program_id, ours in grouped.items()
    }


def with_draft(versions: Versions, draft: Program, *, now: datetime) -> Versions:
    """As if `draft` were published now."""
    return Versions(_with_successors([*versions.programs, draft]), (*versions.published, now))


def _with_successors(found: Sequence[Program]) -> tuple[Program, ...]:
    """Each version knows what stands for the levels that were removed before it."""
    return tuple(
        replace(program, successors=stands) if stands else program
        for program, stands in zip(found, successors(found), strict=True)
    )


def find_documents(session: Session) -> Sequence[Any]:
    """(version, document, published_at, published_by, note), newest first."""
    return session.rows(
        "SELECT version, document, published_at, published_by, note FROM program_versions "
        "WHERE {fence} ORDER BY version DESC"
    )


@lru_cache(maxsize=4096)
def live_of(document: str, version: int) -> Program:
    """The program of a stored document."""
    # A version never changes, so its text is its key; two programs with equal documents share one.
    return decode(json.loads(document), version)
