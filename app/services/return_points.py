"""Giving a redemption's points back, and the first step towards it. Locks: the account, then the redemption."""

from collections.abc import Sequence
from datetime import datetime

from app.db import jobs, ledger, redemptions
from app.db.redemptions import RedemptionRow
from app.db.session import Session
from app.domain.counting import Facts
from app.domain.ledger import Book, Draft, EntryKind, Lot
from app.domain.redeeming import Closing, RedemptionState
from app.services.wording import bought_facts


def lock_both(session: Session, row: RedemptionRow) -> tuple[Book, RedemptionRow]:
    """The account that the points belong to now (its owner may have been merged), and the row, both locked."""
    book = ledger.lock_open_book(session, row.account_id)
    assert book is not None
    return book, redemptions.lock_redemption(session, row.redemption_id)


def give_back(
    session: Session,
    book: Book,
    row: RedemptionRow,
    state: RedemptionState,
    message: str,
    *,
    points: int | None = None,
    now: datetime,
) -> None:
    """Close the redemption in `state`; its points that are not back yet come back, with their lots' dates.

    `points`: so many in all; None: what it cost.
    """
    target = row.bought.cost if points is None else points
    return_points(session, book, row, target, reason=state.value, now=now)
    redemptions.update_redemption(
        session,
        row.redemption_id,
        state=state.value,
        closed_at=now,
        closing=None,
        unknown=False,
        next_try_at=None,
        message=message,
    )


def return_points(
    session: Session, book: Book, row: RedemptionRow, target: int, *, reason: str, now: datetime
) -> None:
    """Make the points given back for this redemption `target` in all: the difference is appended."""
    missing = target - row.returned
    if missing == 0:
        return
    facts: Facts = {
        "rule": "redeem_reversal",
        "reward": row.bought.key,
        "why": reason,
        **bought_facts(row.bought),
    }
    ordinal = _next_ordinal(session, row.source, book.account[1])
    draft = Draft(EntryKind.REDEEM_REVERSAL, missing, row.source, ordinal, now, facts=facts)
    if missing > 0:
        book.return_points(draft, _came_from(session, row, skip=row.returned), now=now)
    else:
        book.take_back(draft, now=now)
    ledger.write_books(session, [book])
    redemptions.update_redemption(session, row.redemption_id, returned=target)


def close(
    session: Session, row: RedemptionRow, closing: Closing, message: str, *, unknown: bool, now: datetime
) -> None:
    """Begin to withdraw the code; what becomes of the points is decided once it is seen dead."""
    redemptions.update_redemption(
        session,
        row.redemption_id,
        state=RedemptionState.CANCELLING.value,
        closing=closing.value,
        unknown=unknown,
        dead_at=None,
        next_try_at=now,
        message=message,
    )
    jobs.enqueue(session, "close_redemption", shop_id=row.shop_id, redemption_id=row.redemption_id)


def _came_from(session: Session, row: RedemptionRow, *, skip: int) -> list[tuple[Lot, int]]:
    """Which lots the points were taken from, soonest to expire last, without the first `skip` given back already."""
    taken: Sequence[tuple[int, int, int]] = [
        (entry.account_id, seq, points)
        for entry in session.rows(
            "SELECT account_id, ate FROM entries WHERE {fence} AND source = :source AND kind = 'redeem'",
            source=row.source,
        )
        for seq, points in entry.ate
    ]
    lots = {
        (account_id, seq): lot
        for account_id in {account_id for account_id, _, _ in taken}
        for seq, lot in ledger.find_lots(session, account_id, [one[1] for one in taken]).items()
    }
    parts = []
    for account_id, seq, points in taken:
        passed = min(points, skip)
        skip -= passed
        if points > passed:
            parts.append((lots[account_id, seq], points - passed))
    return parts


def _next_ordinal(session: Session, source: str, account_id: int) -> int:
    highest = session.scalar(
        "SELECT max(ordinal) FROM entries WHERE {fence} AND source = :source AND account_id = :account",
        source=source,
        account=account_id,
    )
    return 0 if highest is None else int(highest) + 1
