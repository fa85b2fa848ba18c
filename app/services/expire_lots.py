"""Points whose time is over: one entry a lot, never before we know all that happened until then."""

from datetime import datetime, timedelta

from app.db import ledger, programs, shops
from app.db.session import Session
from app.domain.calendar import days_later
from app.domain.program import ExpiryKind, Program
from app.services.runtime import Runtime

BATCH = 500
LAGGING = timedelta(days=7)


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
            due = _due(session, until)
            if not due:
                break
            books = ledger.lock_books(session, due)
            for book in books.values():
                expired += len(book.expire(until=until, now=now))
            ledger.write_books(session, books.values())
    return expired + _expire_inactive(rt, program_id)


def known_until(session: Session, now: datetime) -> datetime | None:
    """Up to when everything that happened at the program's shops has been read; None: nothing is known yet.

    Shops that were uninstalled, and those that are never called, are left out.
    """
    connected = [shop for shop in shops.find_shops(session).values() if shop.state == "connected"]
    if any(shop.reconciled_until is None for shop in connected):
        return None
    return min([shop.reconciled_until for shop in connected if shop.reconciled_until] + [now])


def _due(session: Session, until: datetime) -> list[int]:
    rows = session.rows(
        "SELECT DISTINCT account_id FROM lots WHERE {fence} AND remaining > 0 AND expires_at <= :until "
        "ORDER BY account_id LIMIT :limit",
        until=until,
        limit=BATCH,
    )
    return [row.account_id for row in rows]


def _expire_inactive(rt: Runtime, program_id: int) -> int:
    """Where points expire after a time without activity: all that is left of accounts that were still for so long."""
    with rt.db.begin(program_id) as session:
        program = programs.load_versions(session)[program_id].live
        until = known_until(session, rt.now())
    if program.expiry is not ExpiryKind.AFTER_INACTIVITY_DAYS or program.expiry_days is None or until is None:
        return 0
    expired, after = 0, 0
    while True:
        now = rt.now()
        with rt.db.begin(program_id) as session:
            programs.lock_settling(session)
            quiet = _quiet(session, program, until, after)
            if not quiet:
                return expired
            after = max(quiet)
            due = {one: last for one, last in quiet.items() if _over(program, last, until)}
            books = ledger.lock_books(session, due)
            for account_id, book in books.items():
                book.ripen(now)
                moment = days_later(due[account_id], program.expiry_days, program.zone)
                open_lots = [lot for lot in book.lots.values() if lot.remaining and lot.available_at <= until]
                for lot in sorted(open_lots, key=lambda one: one.seq):
                    book.expire_lot(lot, occurred_at=moment, now=now)
                    expired += 1
            ledger.write_books(session, books.values())


def _quiet(session: Session, program: Program, until: datetime, after: int) -> dict[int, datetime]:
    """Accounts with points whose last activity may be long enough ago -> when it was. A page, by id.

    A merge is an activity: what came over was earned in the loser's chain, perhaps yesterday.
    """
    rows = session.rows(
        "SELECT a.id, max(e.occurred_at) AS last FROM accounts a JOIN entries e ON e.program_id = a.program_id "
        "AND e.account_id = a.id WHERE {fence:a} AND a.points > 0 AND a.closed_at IS NULL AND a.id > :after "
        "AND e.kind IN ('earn', 'redeem', 'adjustment', 'transfer_in') GROUP BY a.id "
        "HAVING max(e.occurred_at) <= :before ORDER BY a.id LIMIT :limit",
        after=after,
        before=until - timedelta(days=(program.expiry_days or 0) - 1),
        limit=BATCH,
    )
    return {row.id: row.last for row in rows}


def _over(program: Program, last: datetime, until: datetime) -> bool:
    return days_later(last, program.expiry_days or 0, program.zone) <= until
