"""What happened to a member's points, as they lived it, with what brought none and why. A page at a time."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from heapq import merge
from itertools import islice

from app.db import activities, ledger, members, orders, redemptions
from app.db.activities import ActivityRow
from app.db.orders import OrderRow
from app.db.session import Session
from app.domain.errors import Refused
from app.domain.explaining import Counted, activity_sentence, activity_words, counted, order_sentence
from app.domain.history import Happening, happenings, order_heading
from app.domain.ledger import EntryKind
from app.domain.redeeming import RedemptionState
from app.domain.words import Words
from app.services.find_words import find_words
from app.services.runtime import Runtime

PAGE = 20
_AT_ONCE = 200  # entries looked at for a page: more than one page's happenings ever need, but for odd ones
_CURSOR = re.compile(r"e([0-9]{1,9})-o([0-9]{1,18})-a([0-9]{1,18})", re.ASCII)
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
    """Newest first: entries and activities by when they were recorded, orders without points by when they were placed.

    Three streams that are merged, so the cursor holds a place in each. Raises: Refused("bad_request") for a cursor
    that is none of ours.
    """
    before = _read_cursor(cursor)
    with rt.db.begin(program_id) as session:
        moved, more = _moved(session, member_id, before.seq)
        no_points = _orders_without_points(session, member_id, before.order, limit + 1)
        for_nothing = _activities_without_points(session, member_id, before.activity, limit + 1)
        words = find_words(session, language)
        codes = _code_words(session, moved[: limit + 1], words)
    now = rt.now()
    streams = (
        [
            _Found(
                one.main.recorded_at,
                {"seq": one.first_seq},
                partial(_item, one, codes.get(one.main.source, ""), words, now),
            )
            for one in moved
        ],
        [
            _Found(_placed_at(row), {"order": row.order_id}, partial(_order_item, row, words))
            for row in no_points
        ],
        [
            _Found(row.recorded_at, {"activity": row.activity_id}, partial(_activity_item, row, words))
            for row in for_nothing
        ],
    )
    shown = list(islice(merge(*streams, key=lambda found: found.at, reverse=True), limit))
    for one in shown:
        before = replace(before, **one.place)
    going_on = more or sum(map(len, streams)) > len(shown)
    return HistoryPage(tuple(one.item() for one in shown), str(before) if going_on and shown else None)


@dataclass(frozen=True, slots=True)
class _Found:
    """`place`: where its stream goes on after it."""

    at: datetime
    place: dict[str, int]
    item: Callable[[], HistoryItem]


@dataclass(frozen=True, slots=True)
class _Cursor:
    """What was shown last of each stream."""

    seq: int = 10**9
    order: int = 10**18
    activity: int = 10**18

    def __str__(self) -> str:
        return f"e{self.seq}-o{self.order}-a{self.activity}"


def _moved(session: Session, member_id: int, before_seq: int) -> tuple[list[Happening], bool]:
    rows = ledger.find_entries_before(session, member_id, before_seq, _AT_ONCE + 1)
    more = len(rows) > _AT_ONCE
    found = happenings(rows[:_AT_ONCE])
    if more and len(found) > 1:
        found.pop()  # it may go on in what was not read
    return found, more


def _activities_without_points(
    session: Session, member_id: int, before: int, limit: int
) -> list[ActivityRow]:
    """What the member did that never brought an entry, newest first; what accounts merged into theirs did, too."""
    rows = session.rows(
        "SELECT a.id FROM activities a WHERE {fence:a} AND a.member_id = ANY(:members) AND a.target_points = 0 "
        "AND a.id < :before AND NOT EXISTS (SELECT 1 FROM entries e WHERE {fence:e} "
        "AND e.program_id = a.program_id AND e.source = 'activity:' || a.id) ORDER BY a.id DESC LIMIT :limit",
        members=members.find_merged(session, member_id),
        before=before,
        limit=limit,
    )
    found = activities.find_activities_where(session, "a.id = ANY(:ids)", ids=[row.id for row in rows])
    return found[::-1]


def _orders_without_points(session: Session, member_id: int, before: int, limit: int) -> list[OrderRow]:
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


def _activity_item(row: ActivityRow, words: Words) -> HistoryItem:
    return HistoryItem(
        item_id=f"a_{row.activity_id}",
        kind="activity",
        points=0,
        points_text=words.points(0),
        title=activity_words(row.facts, words),
        at=row.occurred_at,
        pending_until=None,
        sentence=activity_sentence(row.facts, words=words),
        counted=counted(row.facts, words=words),
    )


def _placed_at(row: OrderRow) -> datetime:
    assert row.order is not None
    return row.order.placed_at


def _read_cursor(cursor: str | None) -> _Cursor:
    if cursor is None:
        return _Cursor()
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise Refused("bad_request", "This is no cursor of ours: begin without one.")
    return _Cursor(*(int(place) for place in match.groups()))
