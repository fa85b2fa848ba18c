"""What a member did beside ordering, and what it is worth, as staff and merchants' systems read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import activities, ledger, members
from app.db.activities import ActivityRow
from app.db.session import Session
from app.domain.counting import Facts
from app.domain.errors import Refused
from app.domain.explaining import Counted, activity_sentence, counted
from app.services.find_member import ById, find_in
from app.services.find_words import find_words
from app.services.member_entries import EntryView, describe_entries
from app.services.runtime import Runtime

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityView:
    """`points`: what it is worth now. `zero`: why nothing, a word for programs. `entries`: what the ledger has of it."""

    activity_id: int
    member_id: int
    key: str
    kind: str
    points: int
    zero: str | None
    occurred_at: datetime
    taken_back_at: datetime | None
    taken_back_reason: str | None
    entries: tuple[EntryView, ...]  # oldest first
    sentence: str
    facts: Facts
    counted: tuple[Counted, ...]


@dataclass(frozen=True, slots=True)
class ActivityPage:
    activities: tuple[ActivityView, ...]
    next: int | None  # the cursor to go on with; None: that was the last page


def describe_activity(
    rt: Runtime, program_id: int, activity_id: int, language: str | None = "en"
) -> ActivityView:
    """Raises: Refused("unknown_activity")."""
    with rt.db.begin(program_id) as session:
        rows = activities.find_activities_where(session, "a.id = :id", id=activity_id)
        if not rows:
            raise Refused("unknown_activity", "There is no such activity.")
        return _views(session, rows, language)[0]


def describe_activities(
    rt: Runtime,
    program_id: int,
    member_id: int,
    *,
    cursor: int | None = None,
    limit: int = PAGE,
    language: str | None = "en",
) -> ActivityPage:
    """A member's, newest first, up to `limit` before activity `cursor`. Raises: Refused("unknown_member")."""
    with rt.db.begin(program_id) as session:
        found = find_in(session, rt, ById(member_id))
        if not found:
            raise Refused("unknown_member", "There is no such member.")
        ids = session.rows(
            "SELECT id FROM activities WHERE {fence} AND member_id = ANY(:members) "
            "AND (CAST(:cursor AS bigint) IS NULL OR id < CAST(:cursor AS bigint)) ORDER BY id DESC LIMIT :limit",
            members=members.find_merged(session, found[0]),
            cursor=cursor,
            limit=limit + 1,
        )
        shown = [row.id for row in ids[:limit]]
        rows = activities.find_activities_where(session, "a.id = ANY(:ids)", ids=shown)
        views = _views(session, rows[::-1], language)
        return ActivityPage(tuple(views), shown[-1] if len(ids) > limit else None)


def _views(session: Session, rows: Sequence[ActivityRow], language: str | None) -> list[ActivityView]:
    winners = members.find_winners(session, sorted({row.member_id for row in rows}))
    told: dict[str, list[EntryView]] = {}
    words = find_words(session, language)
    for view in describe_entries(
        session, ledger.find_entries_of(session, [row.source for row in rows]), words
    ):
        told.setdefault(view.entry.source.removesuffix(":write_off"), []).append(view)
    return [
        ActivityView(
            activity_id=row.activity_id,
            member_id=winners.get(row.member_id, row.member_id),
            key=row.key,
            kind=row.kind,
            points=row.target_points,
            zero=str(row.facts["zero"]) if "zero" in row.facts else None,
            occurred_at=row.occurred_at,
            taken_back_at=row.taken_back_at,
            taken_back_reason=row.taken_back_reason,
            entries=tuple(told.get(row.source, ())),
            sentence=activity_sentence(row.facts, words=words),
            facts=row.facts,
            counted=counted(row.facts, words=words),
        )
        for row in rows
    ]
