"""A member's entries, newest first, each with why it is what it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.db import ledger
from app.db.ledger import EntryRow
from app.db.session import Session
from app.domain.counting import Facts
from app.domain.errors import Refused
from app.domain.explaining import Counted, counted, sentence
from app.domain.history import Happening
from app.domain.ledger import Entry, EntryKind
from app.domain.words import Words
from app.services.find_member import ById, find_in
from app.services.find_words import find_words
from app.services.runtime import Runtime

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """An entry as staff may read it. `reason` and `actor`: of an adjustment."""

    member_id: int  # whose chain it stands in
    entry: Entry
    title: str  # what happened, in a few words for staff
    sentence: str
    counted: tuple[Counted, ...]
    reason: str | None
    actor: str | None

    @property
    def facts(self) -> Facts:
        return self.entry.facts


@dataclass(frozen=True, slots=True)
class EntryPage:
    member_id: int
    unit: str
    entries: tuple[EntryView, ...]
    next: int | None  # the cursor to go on with; None: that was the last page


def member_entries(
    rt: Runtime,
    program_id: int,
    member_id: int,
    *,
    cursor: int | None = None,
    limit: int = PAGE,
    language: str | None = "en",
) -> EntryPage:
    """Up to `limit` entries before entry number `cursor`. Raises: Refused("unknown_member")."""
    with rt.db.begin(program_id) as session:
        found = find_in(session, rt, ById(member_id))
        if not found:
            raise Refused("unknown_member", "There is no such member.")
        rows = ledger.find_entries_before(session, found[0], cursor, limit + 1)
        shown = rows[:limit]
        words = find_words(session, language)
        views = describe_entries(session, [(found[0], one) for one in shown], words)
        return EntryPage(found[0], words.unit, tuple(views), shown[-1].seq if len(rows) > limit else None)


def describe_entries(session: Session, rows: Sequence[EntryRow], words: Words) -> list[EntryView]:
    """The entries with their sentences; reasons of adjustments come from beside the ledger."""
    said = _reasons(session, [entry for _, entry in rows])
    return [_view(account, one, words, *said.get(_adjustment(one), (None, None))) for account, one in rows]


def _view(account_id: int, entry: Entry, words: Words, reason: str | None, actor: str | None) -> EntryView:
    return EntryView(
        member_id=account_id,
        entry=entry,
        title=_title(entry, words),
        sentence=sentence(entry.kind, entry.points, entry.facts, reason=reason, words=words),
        counted=counted(entry.facts, words=words),
        reason=reason,
        actor=actor,
    )


def _title(entry: Entry, words: Words) -> str:
    if entry.kind is EntryKind.ADJUSTMENT:  # to shoppers a gift or a correction, and nobody's
        return "Given by staff" if entry.points > 0 else "Taken by staff"
    return Happening((entry,)).heading(words)


def _reasons(session: Session, entries: Iterable[Entry]) -> dict[int, tuple[str, str]]:
    ids = [_adjustment(entry) for entry in entries if entry.kind is EntryKind.ADJUSTMENT]
    if not ids:
        return {}
    rows = session.rows("SELECT id, reason, actor FROM adjustments WHERE {fence} AND id = ANY(:ids)", ids=ids)
    return {row.id: (row.reason, row.actor) for row in rows}


def _adjustment(entry: Entry) -> int:
    return int(entry.facts.get("adjustment", 0)) if entry.kind is EntryKind.ADJUSTMENT else 0
