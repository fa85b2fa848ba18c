"""From the target of an order to entries in the books: target, then difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.domain.earning import Facts, PointsTarget
from app.domain.ledger import Book, Draft, EntryKind
from app.domain.program import RefundPolicy


@dataclass(slots=True)
class Held:
    """What one account holds for one order: the sum of its entries, what was written off, and the next ordinals."""

    points: int = 0
    ordinal: int = 0
    written_off: int = 0
    written_off_ordinal: int = 0


def settle(
    source: str,
    target: PointsTarget,
    books: Mapping[int, Book],
    held: dict[int, Held],
    *,
    owner: int | None,
    ours: frozenset[int],
    policy: RefundPolicy,
    now: datetime,
) -> None:
    """Append to `books` what is missing until the owner holds the target and nobody else holds anything.

    `ours`: the owner and the accounts merged into it, whose holdings count as the owner's. `held` is kept true.
    """
    for account_id, one in list(held.items()):
        if account_id not in ours and one.points:
            facts: Facts = {**target.facts, "target": 0, "given": one.points, "zero": "other_member"}
            _append(books[account_id], one, source, -one.points, target, facts, policy, now)
    if owner is None:
        return
    given = sum(one.points for account_id, one in held.items() if account_id in ours)
    if target.points != given:
        facts = {**target.facts, "given": given}
        mine = held.setdefault(owner, Held())
        _append(books[owner], mine, source, target.points - given, target, facts, policy, now)


def _append(
    book: Book,
    held: Held,
    source: str,
    points: int,
    target: PointsTarget,
    facts: Facts,
    policy: RefundPolicy,
    now: datetime,
) -> None:
    draft = Draft(
        EntryKind.EARN if points > 0 else EntryKind.EARN_REVERSAL,
        points,
        source,
        held.ordinal,
        target.occurred_at,
        target.ready_at,
        target.expires_at if points > 0 else None,
        source,
        facts,
    )
    owed_before = book.deficit
    if points > 0:
        book.credit(draft, now=now)
        _take_back_write_off(book, held, draft, points, now)
        held.ordinal += 1
    else:
        entries = book.take_back(draft, now=now)
        held.ordinal += sum(1 for entry in entries if entry.kind is EntryKind.EARN_REVERSAL)
        if policy is RefundPolicy.CLAMP and book.deficit > owed_before:
            _write_off(book, held, draft, book.deficit - owed_before, now)
    held.points += points


def _write_off(book: Book, held: Held, draft: Draft, points: int, now: datetime) -> None:
    source = f"{draft.source}:write_off"
    facts: Facts = {"rule": "write_off", "order": draft.facts.get("order", "")}
    book.credit(
        Draft(EntryKind.WRITE_OFF, points, source, held.written_off_ordinal, draft.occurred_at, facts=facts),
        now=now,
    )
    held.written_off += points
    held.written_off_ordinal += 1


def _take_back_write_off(book: Book, held: Held, draft: Draft, points: int, now: datetime) -> None:
    back = min(held.written_off, points)
    if not back:
        return
    source = f"{draft.source}:write_off"
    facts: Facts = {"rule": "write_off", "order": draft.facts.get("order", "")}
    one = Draft(
        EntryKind.WRITE_OFF_REVERSAL,
        -back,
        source,
        held.written_off_ordinal,
        draft.occurred_at,
        origin=draft.origin,
        facts=facts,
    )
    entries = book.take_back(one, now=now)
    held.written_off -= back
    held.written_off_ordinal += len(entries)
