"""What happened to a member's points, as they lived it, with the orders that brought none and why. A page at a time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import ledger, orders, redemptions
from app.db.orders import OrderRow
from app.db.session import Session
from app.domain.errors import Refused
from app.domain.explaining import Counted, counted, order_sentence
from app.domain.history import Happening, happenings, order_heading
from app.domain.ledger import EntryKind
from app.domain.redeeming import RedemptionState
from app.domain.words import Words
from app.services.find_words import find_words
from app.services.runtime import Runtime

PAGE = 20
_AT_ONCE = 200  # entries looked at for a page: more than one page's happenings ever need, but for odd ones
_CURSOR = re.compile(r"e([0-9]{1,9})-o([0-9]{1,18})", re.ASCII)
_LAST = 10**18
_NAMES = {EntryKind.EARN_REVERSAL: "reversal"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryItem:
    """`item_id` is stable; `pending_until` None: done."""

    item_id: str
    kind: str
    points: int
    points_text: str
    title: str
    at: datetime
    pending_until: datetime | None
    sentence: str
    counted: tuple[Counted, ...]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    items: tuple[HistoryItem, ...]
    next: str | None


def shopper_history(
    rt: Runtime,
    program_id: int,
    member_id: int,
    *,
    cursor: str | None = None,
    limit: int = PAGE,
    language: str | None = "en",
) -> HistoryPage:
    """Newest first: entries by when they were recorded, orders without points by when they were placed.

    Two streams that are merged, so the cursor holds a place in each. Raises: Refused("bad_request") for a cursor that
    is none of ours.
    """
    before_seq, before_order = _read_cursor(cursor)
    with rt.db.begin(program_id) as session:
        moved, more = _moved(session, member_id, before_seq)
        nothing = _without_points(session, member_id, before_order, limit + 1)
        words = find_words(session, language)
        codes = _code_words(session, moved[: limit + 1], words)
    items: list[HistoryItem] = []
    now = rt.now()
    while len(items) < limit and (moved or nothing):
        if moved and (not nothing or moved[0].main.recorded_at >= _placed_at(nothing[0])):
            one = moved.pop(0)
            before_seq = one.first_seq
            items.append(_item(one, codes.get(one.main.source, ""), words, now))
        else:
            order = nothing.pop(0)
            before_order = order.order_id
            items.append(_order_item(order, words))
    going_on = bool(moved or nothing or more)
    return HistoryPage(tuple(items), f"e{before_seq}-o{before_order}" if going_on and items else None)


def _moved(session: Session, member_id: int, before_seq: int) -> tuple[list[Happening], bool]:
    rows = ledger.find_entries_before(session, member_id, before_seq, _AT_ONCE + 1)
    more = len(rows) > _AT_ONCE
    found = happenings(rows[:_AT_ONCE])
    if more and len(found) > 1:
        found.pop()  # it may go on in what was not read
    return found, more


def _without_points(session: Session, member_id: int, before: int, limit: int) -> list[OrderRow]:
    """The member's orders that never brought an entry, newest first."""
    rows = session.rows(
        "SELECT o.id FROM orders o WHERE {fence:o} AND o.member_id = :member AND o.target_points = 0 "
        "AND (o.placed_at, o.id) < (SELECT coalesce(max(b.placed_at), 'infinity'), :before FROM orders b "
        "WHERE {fence:b} AND b.id = :before) AND NOT EXISTS (SELECT 1 FROM entries e WHERE {fence:e} "
        "AND e.program_id = o.program_id AND e.source = 'order:' || o.id) "
        "ORDER BY o.placed_at DESC, o.id DESC LIMIT :limit",
        member=member_id,
        before=before,
        limit=limit,
    )
    ids = [row.id for row in rows]
    if not ids:
        return []
    found = {row.order_id: row for row in orders.find_orders_where(session, "o.id = ANY(:ids)", ids=ids)}
    return [found[one] for one in ids]


def _code_words(session: Session, moved: Sequence[Happening], words: Words) -> dict[str, str]:
    """Source of a redemption -> what became of its code."""
    ids = [int(one.main.source.partition(":")[2]) for one in moved if one.main.kind is EntryKind.REDEEM]
    if not ids:
        return {}
    found = {}
    for row in redemptions.find_redemptions_where(session, "r.id = ANY(:ids)", ids=ids):
        match row.state:
            case RedemptionState.ISSUED | RedemptionState.USED if not row.bought.has_code:
                found[row.source] = words.say(f"bought.{row.state.value}")
            case RedemptionState.REQUESTED:
                found[row.source] = words.say("code.making")
            case RedemptionState.ISSUED | RedemptionState.USED:
                found[row.source] = words.say(f"code.{row.state.value}", code=row.code)
            case RedemptionState.CANCELLING:
                found[row.source] = words.say("code.withdrawing")
            case _:
                pass
    return found


def _item(one: Happening, code_words: str, words: Words, now: datetime) -> HistoryItem:
    main = one.main
    return HistoryItem(
        item_id=f"e_{one.first_seq}",
        kind=_NAMES.get(main.kind, main.kind.value),
        points=one.points,
        points_text=words.points(one.points),
        title=one.heading(words),
        at=main.occurred_at,
        pending_until=one.pending_until(now),
        sentence=f"{one.sentence(words)} {code_words}".rstrip(),
        counted=counted(main.facts, words=words),
    )


def _order_item(row: OrderRow, words: Words) -> HistoryItem:
    number = row.order.number if row.order else ""
    return HistoryItem(
        item_id=f"o_{row.order_id}",
        kind="order",
        points=0,
        points_text=words.points(0),
        title=order_heading(number, words),
        at=_placed_at(row),
        pending_until=None,
        sentence=order_sentence(row.facts, words=words),
        counted=counted(row.facts, words=words),
    )


def _placed_at(row: OrderRow) -> datetime:
    assert row.order is not None
    return row.order.placed_at


def _read_cursor(cursor: str | None) -> tuple[int, int]:
    if cursor is None:
        return 10**9, _LAST
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise Refused("bad_request", "This is no cursor of ours: begin without one.")
    return int(match[1]), int(match[2])
