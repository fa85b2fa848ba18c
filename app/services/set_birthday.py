"""A member's birthday: day and month, kept because they agreed, sealed, and forgotten when they say so."""

from app.db import birthdays, ledger, members
from app.domain.awarding import read_birthday
from app.domain.errors import Refused
from app.services.runtime import Runtime


def set_birthday(
    rt: Runtime, program_id: int, member_id: int, day: str, *, consent: bool, actor: str
) -> None:
    """`day` is "MM-DD": the year is not needed, so it is not kept. Another day than before brings no second award.

    Raises: Refused with unknown_member, bad_birthday, no_consent.
    """
    if not consent:
        raise Refused("no_consent", "A birthday is kept only if the member agreed to it.")
    day = read_birthday(day)
    with rt.db.begin(program_id) as session:
        book = ledger.lock_open_book(session, member_id)
        if book is None:
            raise Refused("unknown_member", "There is no such member.")
        account_id = book.account[1]
        if members.get_member(session, account_id).erased_at is not None:
            raise Refused("unknown_member", "This member asked to be forgotten: nothing of them is kept.")
        others = [one for one in members.find_merged(session, account_id) if one != account_id]
        birthdays.forget_birthdays(session, others)
        birthdays.put_birthday(session, rt.vault, account_id, day, actor=actor, now=rt.now())


def forget_birthday(rt: Runtime, program_id: int, member_id: int) -> None:
    """Raises: Refused("unknown_member")."""
    with rt.db.begin(program_id) as session:
        book = ledger.lock_open_book(session, member_id)
        if book is None:
            raise Refused("unknown_member", "There is no such member.")
        birthdays.forget_birthdays(session, members.find_merged(session, book.account[1]))
