"""Staff blocks a person: they earn nothing from then on and cannot spend; what they have stays. And lets them again."""

from app.db import blocks, ledger, members, programs
from app.db.session import Session
from app.domain.errors import Refused
from app.services.adjust import MAX_REASON
from app.services.runtime import Runtime


def block_member(rt: Runtime, program_id: int, member_id: int, *, reason: str, actor: str) -> int:
    """Returns the member's id, a merge followed. Raises: Refused with unknown_member, no_reason, already_blocked."""
    said = said_why(reason)
    with rt.db.begin(program_id) as session:
        member_id = lock_member(session, member_id)
        if blocks.find_block(session, member_id, rt.now()) is not None:
            raise Refused("already_blocked", "This member is blocked already.")
        blocks.add_block(session, member_id, actor=actor, reason=said, now=rt.now())
        return member_id


def unblock_member(rt: Runtime, program_id: int, member_id: int, *, reason: str, actor: str) -> int:
    """What happened meanwhile is not paid afterwards. Raises: Refused with unknown_member, no_reason, not_blocked."""
    said = said_why(reason)
    with rt.db.begin(program_id) as session:
        member_id = lock_member(session, member_id)
        known = blocks.find_blocks(session, [member_id]).get(member_id, ())
        standing = [one.block_id for one in known if one.lifted_at is None]
        if not standing:
            raise Refused("not_blocked", "This member is not blocked.")
        blocks.lift(session, standing, actor=actor, reason=said, now=rt.now())
        return member_id


def lock_member(session: Session, member_id: int) -> int:
    """The open account, locked: whoever spends or settles meanwhile comes before, or sees it."""
    programs.lock_settling(session)
    members.get_member(session, member_id)
    book = ledger.lock_open_book(session, member_id)
    assert book is not None
    return book.account[1]


def said_why(reason: str) -> str:
    """Raises: Refused("no_reason")."""
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON:
        raise Refused("no_reason", f"Say why, in at most {MAX_REASON} characters: the member may ask.")
    return reason
