"""One thing that happened may be several entries; a person reads one."""

from datetime import datetime, timedelta

from app.domain.counting import Facts
from app.domain.history import Happening, happenings
from app.domain.ledger import Book, Draft, Entry, EntryKind
from app.domain.words import ENGLISH
from tests.factories import START, after

ORDER: Facts = {
    "rule": "order",
    "order": "#7",
    "refunded": "5.00",
    "net": "0.00",
    "points_per": 1,
    "spend": "1.00",
}
COUNTED = {
    **ORDER,
    "currency": "EUR",
    "goods": "5.00",
    "version": 1,
    "tier_name": "Member",
    "earn_percent": 100,
}


def earn(
    source: str, points: int, *, hold: int = 0, expires: datetime | None = None, ordinal: int = 0
) -> Draft:
    return Draft(
        EntryKind.EARN,
        points,
        source,
        ordinal,
        START,
        after(days=hold),
        expires,
        source,
        {**COUNTED, "target": points, "given": 0},
    )


def reversal(source: str, points: int, ordinal: int = 1) -> Draft:
    facts: Facts = {**COUNTED, "target": 0, "given": points}
    return Draft(EntryKind.EARN_REVERSAL, -points, source, ordinal, START, origin=source, facts=facts)


def read(book: Book) -> list[Happening]:
    return happenings(reversed(book.appended))


def told(found: list[Happening]) -> list[tuple[str, int]]:
    return [(one.heading(ENGLISH), one.points) for one in found]


def test_a_take_back_from_several_lots_is_one_return() -> None:
    book = Book((1, 1))
    book.credit(earn("order:1", 30, hold=5), now=START)
    book.credit(earn("order:2", 30, hold=9), now=after(hours=1))
    book.take_back(reversal("order:1", 50), now=after(hours=2))
    assert len(book.appended) == 4
    assert told(read(book)) == [("Return on order #7", -50), ("Order #7", 30), ("Order #7", 30)]


def test_an_expired_lot_given_back_belongs_to_what_took_it() -> None:
    book = Book((1, 1))
    book.credit(earn("order:1", 30, expires=after(days=1)), now=START)
    book.expire(until=after(days=2), now=after(days=2))
    book.take_back(reversal("order:1", 30), now=after(days=3))
    kinds = [one.kind for one in book.appended]
    assert kinds == [EntryKind.EARN, EntryKind.EXPIRY, EntryKind.EXPIRY_REVERSAL, EntryKind.EARN_REVERSAL]
    found = read(book)
    assert told(found) == [("Return on order #7", 0), ("Expired", -30), ("Order #7", 30)]
    assert "given back first" in found[0].sentence(ENGLISH)


def test_one_run_of_expiry_is_one_line() -> None:
    book = Book((1, 1))
    for number in (1, 2, 3):
        book.credit(earn(f"order:{number}", 10, expires=after(days=number)), now=START)
    book.expire(until=after(days=9), now=after(days=9))
    assert told(read(book))[0] == ("Expired", -30)


def test_a_write_off_stands_with_its_return() -> None:
    book = Book((1, 1))
    book.credit(earn("order:1", 30), now=START)
    book.redeem(
        Draft(EntryKind.REDEEM, -30, "redemption:1", 0, START, facts={"title": "Mug"}), now=after(hours=1)
    )
    book.take_back(reversal("order:1", 30), now=after(hours=2))
    facts: Facts = {"rule": "write_off", "order": "#7"}
    book.credit(
        Draft(EntryKind.WRITE_OFF, 30, "order:1:write_off", 0, START, facts=facts), now=after(hours=2)
    )
    found = read(book)
    assert told(found) == [("Return on order #7", 0), ("Mug", -30), ("Order #7", 30)]
    assert (
        found[0]
        .sentence(ENGLISH)
        .endswith("Let off: the points of order #7 were spent before they were taken back.")
    )


def test_two_orders_of_one_commit_stay_two() -> None:
    book = Book((1, 1))
    book.credit(earn("order:1", 10), now=START)
    book.credit(earn("order:2", 20), now=START)
    assert [points for _, points in told(read(book))] == [20, 10]


def test_points_that_came_back_into_several_lots_are_one_return() -> None:
    book = Book((1, 1))
    book.credit(earn("order:1", 10), now=START)
    book.credit(earn("order:2", 20), now=START)
    spent = book.redeem(Draft(EntryKind.REDEEM, -25, "redemption:1", 0, START), now=after(hours=1))
    back = Draft(
        EntryKind.REDEEM_REVERSAL, 25, "redemption:1", 1, START, facts={"title": "Mug", "why": "expired"}
    )
    book.return_points(back, [(book.lots[seq], points) for seq, points in spent.ate], now=after(hours=2))
    assert told(read(book))[0] == ("Points back: Mug", 25)


def test_what_is_pending_says_until_when() -> None:
    book = Book((1, 1))
    entry: Entry = book.credit(earn("order:1", 10, hold=14), now=START)
    (one,) = read(book)
    assert one.pending_until(START) == entry.available_at == after(days=14)
    assert one.pending_until(after(days=14)) is None
    assert one.pending_until(after(days=14) - timedelta(seconds=1)) is not None


def test_changes_and_cancellations_are_called_so() -> None:
    book = Book((1, 1))
    book.credit(earn("order:1", 10), now=START)
    more: Facts = {**COUNTED, "refunded": "0.00", "target": 15, "given": 10}
    book.credit(
        Draft(EntryKind.EARN, 5, "order:1", 1, START, None, None, "order:1", more), now=after(hours=1)
    )
    less: Facts = {**COUNTED, "refunded": "0.00", "target": 12, "given": 15}
    book.take_back(
        Draft(EntryKind.EARN_REVERSAL, -3, "order:1", 2, START, origin="order:1", facts=less),
        now=after(hours=2),
    )
    gone: Facts = {**COUNTED, "zero": "cancelled", "target": 0, "given": 12}
    book.take_back(
        Draft(EntryKind.EARN_REVERSAL, -12, "order:1", 3, START, origin="order:1", facts=gone),
        now=after(hours=3),
    )
    assert [heading for heading, _ in told(read(book))] == [
        "Order #7 cancelled",
        "Order #7 changed",
        "Order #7 changed",
        "Order #7",
    ]


def test_accounts_that_were_joined_are_one_line_each() -> None:
    one, other = Book((1, 1)), Book((1, 2))
    for number in (1, 2):
        one.credit(earn(f"order:{number}", 10), now=START)
    one.transfer_to(other, "merge:1", first=(0, 0), now=after(hours=1))
    assert told(read(one))[0] == ("Joined accounts", -20)
    assert told(read(other)) == [("Joined accounts", 20)]
