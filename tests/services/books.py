"""A program's books, read and judged, and its rules changed, the short way."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.db import ledger, members, programs, reviews
from app.db.reviews import Notice
from app.db.shops import get_shop, update_shop
from app.domain.changes import CustomerFacts
from app.domain.ledger import Balance, Book, Entry
from app.services.check_document import check_document
from app.services.merge_customers import merge_customers
from app.services.runtime import Runtime
from app.services.see_customers import see_customers
from app.services.see_merge import see_merge
from tests.services.jobs import run_jobs

_WHOLE = ("expiry", "currencies")  # fields that a test gives as a whole


def publish(rt: Runtime, program_id: int, **changes: Any) -> int:
    """The live rules with these changed, as the next version from now on: `earn={"points": 2}` changes that alone."""
    with rt.db.begin(program_id) as session:
        document = dict(programs.find_documents(session)[0].document)
        for name, value in changes.items():
            merged = isinstance(value, Mapping) and name not in _WHOLE and name in document
            document[name] = {**document[name], **value} if merged else value
        check_document(document)
        return programs.add_version(session, document, by="a merchant", note="", now=rt.now())


def entries(rt: Runtime, program_id: int, account_id: int) -> list[Entry]:
    with rt.db.begin(program_id) as session:
        return ledger.find_entries(session, account_id)


def booked(rt: Runtime, program_id: int, account_id: int) -> list[tuple[str, int]]:
    """(kind, points) of an account's entries, oldest first."""
    return [(entry.kind.value, entry.points) for entry in entries(rt, program_id, account_id)]


def balance(rt: Runtime, program_id: int, account_id: int) -> Balance:
    with rt.db.begin(program_id) as session:
        book = ledger.find_book(session, account_id)
    assert book is not None
    book.ripen(rt.now())
    return book.balance(at=rt.now())


def suspect(rt: Runtime, program_id: int, member_id: int) -> int:
    """The member did too much, and their points wait for a person. Returns the review's id."""
    told = {"n": 41, "of": 41, "more_than": 40, "hours": 24, "with": [], "at": rt.now().isoformat()}
    notice = Notice(member_id=member_id, holds=True, signals={"activities": told})
    with rt.db.begin(program_id) as session:
        reviews.open_reviews(session, [notice], now=rt.now())
        return reviews.find_of_member(session, member_id)[-1].review_id


def merge_refs(rt: Runtime, program_id: int, shop_id: int, kept_ref: str, deleted_ref: str) -> None:
    """The shop made these two customers one, and the job has run."""
    with rt.db.begin(program_id) as session:
        assert see_merge(session, rt.vault, get_shop(session, shop_id), kept_ref, deleted_ref, now=rt.now())
        keys = [(shop_id, kept_ref), (shop_id, deleted_ref)]
        known = members.find_identities(session, keys)
    merge_customers(rt, program_id, *(known[key].identity_id for key in keys))


def find_member(rt: Runtime, program_id: int, shop_id: int, customer_ref: str) -> int | None:
    with rt.db.begin(program_id) as session:
        found = session.scalar(
            "SELECT member_id FROM identities WHERE {fence} AND shop_id = :shop AND customer_ref = :ref",
            shop=shop_id,
            ref=customer_ref,
        )
    return None if found is None else int(found)


def get_member(rt: Runtime, program_id: int, shop_id: int, customer_ref: str = "7") -> int:
    member_id = find_member(rt, program_id, shop_id, customer_ref)
    assert member_id is not None
    return member_id


def meet(
    rt: Runtime, program_id: int, shop_id: int, customer_ref: str, email: str, *, verified: bool = True
) -> None:
    """The shop tells of a customer, and what follows from it is done."""
    facts = CustomerFacts(customer_ref=customer_ref, email=email, email_verified=verified, name="Alice Jones")
    with rt.db.begin(program_id) as session:
        shop = get_shop(session, shop_id)
        see_customers(session, rt.vault, [(shop, facts)], now=rt.now())
    run_jobs(rt, program_id)


def read_until(rt: Runtime, program_id: int, shop_id: int, moment: datetime | None) -> None:
    """The shop's orders have been read completely up to then."""
    with rt.db.begin(program_id) as session:
        update_shop(session, shop_id, reconciled_until=moment)


def assert_books_are_true(rt: Runtime, program_id: int) -> None:
    """Every account: its chain is unbroken, and points, deficit and lots are those that its entries give."""
    now = rt.now()
    with rt.db.begin(program_id) as session:
        accounts = session.rows(
            "SELECT id, points, deficit, seq, head FROM accounts WHERE {fence} ORDER BY id"
        )
        for account in accounts:
            book = Book((program_id, account.id))
            for entry in ledger.find_entries(session, account.id):
                book.replay(entry)
            assert (book.points, book.seq, book.head) == (account.points, account.seq, bytes(account.head))
            kept = ledger.find_book(session, account.id)
            assert kept is not None
            for one in (book, kept):
                one.ripen(now)
            assert (kept.deficit, _left(kept)) == (book.deficit, _left(book)), account.id
            assert sum(_left(book).values()) - book.deficit == book.points


def _left(book: Book) -> dict[int, int]:
    return {seq: lot.remaining for seq, lot in book.lots.items() if lot.remaining}
