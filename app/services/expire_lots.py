"""Points whose time is over: one entry a lot, never before we know all that happened until then."""

from collections.abc import Sequence
from datetime import datetime

from app.db import ledger, programs
from app.db.session import Session
from app.services.expire_inactive import expire_inactive
from app.services.known_until import known_until
from app.services.runtime import Runtime
from app.services.spared_accounts import spared_accounts

BATCH = 500


def expire_lots(rt: Runtime, program_id: int) -> int:
    """Expire what is due in a program. Returns how many lots. Safe to run twice, late, or anywhere at once."""
    expired = 0
    while True:
        now = rt.now()
        with rt.db.begin(program_id) as session:
            programs.lock_settling(session)
            until = known_until(session, now)
            if until is None:
                return expired
            due = _due(session, until, spared_accounts(session, now))
            if not due:
                break
            books = ledger.lock_books(session, due)
            for book in books.values():
                expired += len(book.expire(until=until, now=now))
            ledger.write_books(session, books.values())
    return expired + expire_inactive(rt, program_id)


def _due(session: Session, until: datetime, spared: Sequence[int]) -> list[int]:
    rows = session.rows(
        "SELECT DISTINCT account_id FROM lots WHERE {fence} AND remaining > 0 AND expires_at <= :until "
        "AND account_id <> ALL(CAST(:spared AS bigint[])) ORDER BY account_id LIMIT :limit",
        until=until,
        spared=list(spared),
        limit=BATCH,
    )
    return [row.account_id for row in rows]
