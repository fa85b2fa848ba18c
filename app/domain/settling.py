"""From a target, of an order, an activity or an entry reward, to entries in the books: target, then difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.activities import REFERRAL
from app.domain.awarding import is_activity
from app.domain.counting import Facts
from app.domain.earning import PointsTarget
from app.domain.ledger import Book, Draft, EntryKind
from app.domain.program import RefundPolicy


@dataclass(slots=True)
class Held:
    """What one account holds for one order or activity: the sum of its entries, what was written off, next ordinals."""

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
    counts_as: Mapping[int, int],
    policy: RefundPolicy,
    now: datetime,
) -> None:
    """Append to `books` what is missing until the owner holds the target and nobody else holds anything.

    `counts_as`: accounts that were merged away -> the open account that their holdings are. `books` has the open
    accounts; a closed one is only needed where points of the order expired in it. `held` is kept true.
    """
    groups = _by_open_account(held, counts_as)
    for account_id, group in groups.items():
        given = sum(one.points for one in group.values())
        if account_id != owner and given:
            facts: Facts = {**target.facts, "target": 0, "given": given, "zero": "other_member"}
            _move(books, account_id, held, group, source, -given, target, facts, policy, now)
    if owner is None:
        return
    group = groups.get(owner, {})
    given = sum(one.points for one in group.values())
    if target.points != given:
        facts = {**target.facts, "given": given}
        _move(books, owner, held, group, source, target.points - given, target, facts, policy, now)


def _by_open_account(held: Mapping[int, Held], counts_as: Mapping[int, int]) -> dict[int, dict[int, Held]]:
    groups: dict[int, dict[int, Held]] = {}
    for account_id, one in held.items():
        groups.setdefault(counts_as.get(account_id, account_id), {})[account_id] = one
    return groups


def _move(
    books: Mapping[int, Book],
    account_id: int,
    held: dict[int, Held],
    group: Mapping[int, Held],
    source: str,
    points: int,
    target: PointsTarget,
    facts: Facts,
    policy: RefundPolicy,
    now: datetime,
) -> None:
    """Append `points` to the open account; what expired of the order before a merge is taken where it expired."""
    mine = held.setdefault(account_id, Held())
    book = books[account_id]
    lots = [lot for lot in book.lots.values() if lot.origin == source]
    missing = -points - sum(lot.remaining + lot.expired for lot in lots)
    for closed_id, one in group.items():
        closed = books.get(closed_id) if closed_id != account_id else None
        if closed is None or missing <= 0:
            continue
        part = min(sum(lot.expired for lot in closed.lots.values() if lot.origin == source), missing)
        if part:
            _append(closed, one, (), source, -part, target, facts, policy, now)
            points, missing = points + part, missing - part
    if points:
        _append(book, mine, tuple(group.values()), source, points, target, facts, policy, now)


def _append(
    book: Book,
    held: Held,
    group: Sequence[Held],
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
        written_off = sum(one.written_off for one in group)
        _take_back_write_off(book, held, draft, min(written_off, points), now)
        held.ordinal += 1
    else:
        entries = book.take_back(draft, now=now)
        held.ordinal += sum(1 for entry in entries if entry.kind is EntryKind.EARN_REVERSAL)
        if policy is RefundPolicy.CLAMP and book.deficit > owed_before:
            _write_off(book, held, draft, book.deficit - owed_before, now)
    held.points += points


def _write_off(book: Book, held: Held, draft: Draft, points: int, now: datetime) -> None:
    source = f"{draft.source}:write_off"
    book.credit(
        Draft(
            EntryKind.WRITE_OFF,
            points,
            source,
            held.written_off_ordinal,
            draft.occurred_at,
            facts=_of_what(draft),
        ),
        now=now,
    )
    held.written_off += points
    held.written_off_ordinal += 1


def _take_back_write_off(book: Book, held: Held, draft: Draft, back: int, now: datetime) -> None:
    if back <= 0:
        return
    source = f"{draft.source}:write_off"
    one = Draft(
        EntryKind.WRITE_OFF_REVERSAL,
        -back,
        source,
        held.written_off_ordinal,
        draft.occurred_at,
        origin=draft.origin,
        facts=_of_what(draft),
    )
    entries = book.take_back(one, now=now)
    held.written_off -= back
    held.written_off_ordinal += sum(1 for entry in entries if entry.kind is EntryKind.WRITE_OFF_REVERSAL)


def _of_what(draft: Draft) -> Facts:
    """Whose points are let off."""
    if is_activity(draft.facts):
        named = {name: draft.facts[name] for name in ("activity", "name", "side") if name in draft.facts}
        return {"rule": "write_off", "activity": REFERRAL, **named}
    if draft.facts.get("rule") == "tier":
        return {"rule": "write_off", "tier_name": draft.facts["tier_name"]}
    return {"rule": "write_off", "order": draft.facts.get("order", "")}
