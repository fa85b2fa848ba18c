"""A person decides on a review: let the member spend again, or refuse, which blocks them. And takes it back.

Nothing is taken in either case. Points that were not earned are taken by an adjustment, with its own reason.
"""

from app.db import blocks, reviews
from app.db.reviews import ReviewAct, ReviewRow
from app.db.session import Session
from app.domain.errors import Refused
from app.services.block_member import lock_member, said_why
from app.services.runtime import Runtime

ALLOWED, REFUSED, UNDONE = "allowed", "refused", "undone"


def decide_review(
    rt: Runtime, program_id: int, review_id: int, *, allow: bool, reason: str, actor: str
) -> int:
    """Returns the member's id, a merge followed. What led here is not counted again.

    Raises: Refused with unknown_review, already_decided, no_reason, unknown_member.
    """
    said = said_why(reason)
    with rt.db.begin(program_id) as session:
        member_id, row = _lock(session, review_id)
        if row.decision is not None:
            raise Refused("already_decided", f"This was {row.decision} already; it can be undone.")
        now, block_id = rt.now(), None
        if not allow and blocks.find_block(session, member_id, now) is None:
            block_id = blocks.add_block(session, member_id, actor=actor, reason=said, now=now)
        decision = ALLOWED if allow else REFUSED
        reviews.put_decision(session, review_id, decision, block_id=block_id, now=now)
        reviews.add_act(
            session, ReviewAct(review_id=review_id, act=decision, actor=actor, reason=said, at=now)
        )
        return member_id


def undo_review(rt: Runtime, program_id: int, review_id: int, *, reason: str, actor: str) -> int:
    """The review is open again, points wait again if they did, and the block that refusing made is lifted.

    Returns the member's id, a merge followed. Raises: Refused with unknown_review, not_decided, review_open, no_reason.
    """
    said = said_why(reason)
    with rt.db.begin(program_id) as session:
        member_id, row = _lock(session, review_id)
        if row.decision is None:
            raise Refused("not_decided", "Nothing was decided on this yet.")
        if reviews.has_open(session, row.member_id):
            raise Refused(
                "review_open", "Something newer was noticed of this member: decide on that instead."
            )
        now = rt.now()
        if row.block_id is not None:
            blocks.lift(session, [row.block_id], actor=actor, reason=said, now=now)
        reviews.put_decision(session, review_id, None, block_id=None, now=now)
        reviews.add_act(session, ReviewAct(review_id=review_id, act=UNDONE, actor=actor, reason=said, at=now))
        return member_id


def _lock(session: Session, review_id: int) -> tuple[int, ReviewRow]:
    """The open account first, as everywhere; then the review as it is now."""
    found = reviews.find_review(session, review_id)
    if found is None:
        raise Refused("unknown_review", "There is no such review.")
    member_id = lock_member(session, found.member_id)
    row = reviews.lock_review(session, review_id)
    assert row is not None
    return member_id, row
