"""A person of the staff gives or takes points, with name and reason."""

from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from app.db import ledger, members, programs
from app.domain.counting import Facts
from app.domain.earning import lot_expiry
from app.domain.errors import Refused
from app.domain.ledger import Draft, EntryKind
from app.services.find_words import find_words
from app.services.runtime import Runtime

MAX_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    adjustment_id: int
    account_id: int
    points: int
    is_new: bool  # False: this request was done before


def adjust(
    rt: Runtime, program_id: int, member_id: int, points: int, *, reason: str, actor: str, request_key: str
) -> Adjusted:
    """Append one adjustment. The same `request_key` again is the same adjustment.

    Raises: Refused with unknown_member, no_points, no_reason, insufficient_points (never below 0), too_many_points,
    key_reused.
    """
    if points == 0:
        raise Refused("no_points", "An adjustment of nothing is none.")
    if not reason.strip() or len(reason) > MAX_REASON:
        raise Refused("no_reason", f"Say why, in at most {MAX_REASON} characters: the member may ask.")
    try:
        return _adjust(rt, program_id, member_id, points, reason.strip(), actor, request_key)
    except IntegrityError as error:  # the database's own guard: somebody spent them meanwhile
        raise Refused("insufficient_points", "That is more than is available.") from error


def _adjust(
    rt: Runtime, program_id: int, member_id: int, points: int, reason: str, actor: str, request_key: str
) -> Adjusted:
    now = rt.now()
    with rt.db.begin(program_id) as session:
        book = ledger.lock_open_book(session, member_id)
        if book is None:
            raise Refused("unknown_member", "There is no such member.")
        account_id = book.account[1]
        done = session.first(
            "SELECT id, points, reason FROM adjustments WHERE {fence} AND account_id = ANY(:accounts) "
            "AND request_key = :key",
            accounts=members.find_merged(session, account_id),  # it may have been made before a merge
            key=request_key,
        )
        if done is not None:
            if (done.points, done.reason) != (points, reason):
                raise Refused("key_reused", "This idempotency key was used for another adjustment.")
            return Adjusted(adjustment_id=done.id, account_id=account_id, points=points, is_new=False)
        adjustment_id = int(
            session.scalar(
                "INSERT INTO adjustments (program_id, account_id, points, reason, actor, request_key, at) "
                "VALUES (:program_id, :account, :points, :reason, :actor, :key, :now) RETURNING id",
                account=account_id,
                points=points,
                reason=reason,
                actor=actor,
                key=request_key,
                now=now,
            )
        )
        facts: Facts = {"rule": "adjustment", "adjustment": adjustment_id}
        source = f"adjustment:{adjustment_id}"
        if points > 0:
            program = programs.load_versions(session)[program_id].live
            expires_at = lot_expiry(program, now)
            book.credit(
                Draft(EntryKind.ADJUSTMENT, points, source, 0, now, None, expires_at, source, facts), now=now
            )
        else:
            book.ripen(now)
            available = book.balance(at=now).available
            if -points > available:
                most = find_words(session).points(max(available, 0))
                raise Refused("insufficient_points", f"That is more than is available: {most}.")
            book.redeem(Draft(EntryKind.ADJUSTMENT, points, source, 0, now, facts=facts), now=now)
        ledger.write_books(session, [book])
        return Adjusted(adjustment_id=adjustment_id, account_id=account_id, points=points, is_new=True)
