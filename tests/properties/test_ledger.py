"""Whatever is done to a book, in whatever order: its sums hold, and its entries alone tell the same again."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.domain.ledger import Book, Draft, Entry, EntryKind, entry_hash
from tests.factories import START

ACCOUNT = (1, 7)


@st.composite
def acts(draw: st.DrawFn) -> list[tuple[str, int, int, int, int | None, int]]:
    """(what, points, order, days until available, days until expiry, hours since the act before)."""
    act = st.tuples(
        st.sampled_from(["earn", "reverse", "redeem", "expire", "return", "adjust"]),
        st.integers(1, 200),
        st.integers(1, 4),
        st.sampled_from([0, 0, 0, 2, 10]),
        st.sampled_from([None, None, 1, 5, 40]),
        st.integers(0, 72),
    )
    return draw(st.lists(act, max_size=40))


def play(book: Book, what: list[tuple[str, int, int, int, int | None, int]]) -> datetime:
    now = START
    redeemed: list[tuple[Draft, list[tuple[object, int]]]] = []
    for number, (kind, points, order, hold, life, hours) in enumerate(what):
        now += timedelta(hours=hours)
        source = f"order:{order}"
        expires = None if life is None else now + timedelta(days=hold + life)
        match kind:
            case "earn":
                draft = Draft(
                    EntryKind.EARN, points, source, number, now, now + timedelta(days=hold), expires, source
                )
                book.credit(draft, now=now)
            case "reverse":
                book.take_back(
                    Draft(EntryKind.EARN_REVERSAL, -points, source, number, now, origin=source), now=now
                )
            case "redeem" | "adjust":
                entry_kind = EntryKind.REDEEM if kind == "redeem" else EntryKind.ADJUSTMENT
                before = book.balance(at=now).available
                try:
                    book.redeem(Draft(entry_kind, -points, f"x:{number}", 0, now), now=now)
                except Refused:
                    assert before < points
                else:
                    assert before >= points
            case "expire":
                book.expire(until=now, now=now)
            case _:
                pass
        check(book, now)
    assert redeemed == []
    return now


def check(book: Book, now: datetime) -> None:
    remaining = sum(lot.remaining for lot in book.lots.values())
    balance = book.balance(at=now)
    assert remaining - book.deficit == book.points == sum(entry.points for entry in book.appended)
    assert balance.available + balance.pending == book.points
    assert all(lot.remaining >= 0 and lot.expired >= 0 for lot in book.lots.values())
    assert book.deficit >= 0
    assert balance.pending >= 0


@given(acts())
def test_lots_less_deficit_are_the_sum_of_the_entries_after_every_step(
    what: list[tuple[str, int, int, int, int | None, int]],
) -> None:
    play(Book(ACCOUNT), what)


@given(acts())
def test_the_entries_alone_tell_the_same_lots_again(
    what: list[tuple[str, int, int, int, int | None, int]],
) -> None:
    book = Book(ACCOUNT)
    now = play(book, what)
    again = Book(ACCOUNT)
    for entry in book.appended:
        again.replay(entry)
    book.ripen(now)
    again.ripen(now)
    assert (again.points, again.deficit, again.head) == (book.points, book.deficit, book.head)
    assert again.lots == book.lots


@given(acts(), st.integers(0, 39), st.integers(-5, 5).filter(bool))
def test_a_changed_entry_breaks_the_chain(
    what: list[tuple[str, int, int, int, int | None, int]], place: int, by: int
) -> None:
    book = Book(ACCOUNT)
    play(book, what)
    if not book.appended:
        return
    entries = list(book.appended)
    place %= len(entries)
    entries[place] = type(entries[place])(
        **{field: getattr(entries[place], field) for field in entries[place].__slots__ if field != "points"},
        points=entries[place].points + by,
    )
    again = Book(ACCOUNT)
    broken = False
    for entry in entries:
        try:
            again.replay(entry)
        except ValueError:
            broken = True
            break
    assert broken


def test_redeemed_points_that_come_back_keep_their_lots_dates() -> None:
    book = Book(ACCOUNT)
    soon, late = START + timedelta(days=3), START + timedelta(days=90)
    book.credit(Draft(EntryKind.EARN, 60, "order:1", 0, START, None, soon, "order:1"), now=START)
    book.credit(Draft(EntryKind.EARN, 60, "order:2", 0, START, None, late, "order:2"), now=START)
    lots = dict(book.lots)
    debit = book.redeem(Draft(EntryKind.REDEEM, -100, "redemption:1", 0, START), now=START)
    assert debit.ate == ((1, 60), (2, 40))
    came_from = [(lots[seq], points) for seq, points in debit.ate]
    book.return_points(Draft(EntryKind.REDEEM_REVERSAL, 100, "redemption:1", 1, START), came_from, now=START)
    back = [(lot.remaining, lot.expires_at, lot.origin) for lot in book.lots.values() if lot.seq > debit.seq]
    assert back == [(60, START + timedelta(days=30), "order:1"), (40, late, "order:2")]


def test_taking_back_an_expired_lot_gives_its_expiry_back_in_the_same_step() -> None:
    book = Book(ACCOUNT)
    expires = START + timedelta(days=1)
    book.credit(Draft(EntryKind.EARN, 100, "order:1", 0, START, None, expires, "order:1"), now=START)
    book.redeem(Draft(EntryKind.REDEEM, -60, "redemption:1", 0, START), now=START)
    later = START + timedelta(days=2)
    book.expire(until=later, now=later)
    assert book.points == 0
    book.take_back(Draft(EntryKind.EARN_REVERSAL, -100, "order:1", 1, later, origin="order:1"), now=later)
    # As if the order never was, except for the 60 spent.
    assert (book.points, book.deficit) == (-60, 60)
    assert [entry.kind for entry in book.appended[-2:]] == [
        EntryKind.EXPIRY_REVERSAL,
        EntryKind.EARN_REVERSAL,
    ]


def test_a_take_back_of_pending_points_waits_as_long_as_they_do() -> None:
    book = Book(ACCOUNT)
    ready = START + timedelta(days=14)
    book.credit(Draft(EntryKind.EARN, 100, "order:1", 0, START, ready, None, "order:1"), now=START)
    book.credit(Draft(EntryKind.EARN, 30, "order:2", 0, START, None, None, "order:2"), now=START)
    (entry,) = book.take_back(
        Draft(EntryKind.EARN_REVERSAL, -40, "order:1", 1, START, origin="order:1"), now=START
    )
    assert entry.available_at == ready
    balance = book.balance(at=START)
    assert (balance.available, balance.pending) == (30, 60)


def test_a_deficit_is_filled_by_credits_as_they_become_available() -> None:
    book = Book(ACCOUNT)
    book.take_back(Draft(EntryKind.EARN_REVERSAL, -50, "order:1", 0, START, origin="order:1"), now=START)
    ready = START + timedelta(days=1)
    book.credit(Draft(EntryKind.EARN, 80, "order:2", 0, START, ready, None, "order:2"), now=START)
    assert (book.deficit, book.balance(at=START).available) == (50, -50)
    book.ripen(ready)
    assert (book.deficit, book.balance(at=ready).available) == (0, 30)


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
MOMENT = st.datetimes(datetime(1970, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - has one
ENTRIES = st.builds(
    Entry,
    seq=st.integers(1, 2**31),
    kind=st.sampled_from(EntryKind),
    points=st.integers(-(10**12), 10**12),
    source=TEXT,
    ordinal=st.integers(0, 2**31),
    occurred_at=MOMENT,
    recorded_at=MOMENT,
    available_at=MOMENT,
    expires_at=st.none() | MOMENT,
    origin=st.none() | TEXT,
    ate=st.lists(st.tuples(st.integers(1, 2**31), st.integers(1, 10**12)), max_size=3).map(tuple),
    facts=st.dictionaries(TEXT, TEXT | st.integers(), max_size=4),
)


@given(ENTRIES)
def test_an_entry_is_hashed_as_a_json_encoder_writes_it(entry: Entry) -> None:
    micros = [
        None if at is None else (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        for at in (entry.occurred_at, entry.recorded_at, entry.available_at, entry.expires_at)
    ]
    row = [*ACCOUNT, entry.seq, entry.kind.value, entry.points, entry.source, entry.ordinal, *micros]
    written = json.dumps(
        [*row, entry.origin, entry.ate, entry.facts],
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    assert entry_hash(b"before", ACCOUNT, entry) == hashlib.sha256(b"before" + written.encode()).digest()


@given(ENTRIES, st.sampled_from([None, [], "", 0]))
def test_facts_that_are_none_have_a_hash_of_their_own(entry: Entry, other: Any) -> None:
    nothing = replace(entry, facts={})
    assert entry_hash(b"", ACCOUNT, nothing) != entry_hash(b"", ACCOUNT, replace(entry, facts=other))
