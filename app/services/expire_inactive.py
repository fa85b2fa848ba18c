"""Points of people who did nothing for so long end, where that is what they were promised."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from app.db import ledger, programs
from app.db.programs import Versions
from app.db.session import Session
from app.domain.expiring import silent_until
from app.domain.program import ExpiryKind, Program
from app.services.known_until import known_until
from app.services.runtime import Runtime
from app.services.spared_accounts import spared_accounts

BATCH = 500

LotKey = tuple[int, int]  # (account, seq)


def expire_inactive(rt: Runtime, program_id: int) -> int:
    """Expire what is due by silence. Returns how many lots. Safe to run twice, late, or anywhere at once."""
    with rt.db.begin(program_id) as session:
        versions = programs.load_versions(session)[program_id]
        until = known_until(session, rt.now())
    live = versions.live
    if live.expiry is not ExpiryKind.AFTER_INACTIVITY_DAYS or until is None:
        return 0
    expired, after = 0, 0
    while True:
        with rt.db.begin(program_id) as session:
            programs.lock_settling(session)
            quiet = find_quiet(session, before=until - _least(live), after=after, limit=BATCH)
            if not quiet:
                return expired
            after = max(quiet)
            for account_id in spared_accounts(session, rt.now()):
                quiet.pop(account_id, None)
            ends = find_silent_ends(session, versions, quiet)
            due = {key: end for key, end in ends.items() if end <= until}
            expired += _expire(session, due, until, rt.now())


def _least(live: Program) -> timedelta:
    """No less silence than this ends anything; a day less, for days that are shorter than 24 hours."""
    return timedelta(days=(live.expiry_days or 1) - 1)


def find_quiet(session: Session, *, before: datetime, after: int, limit: int) -> dict[int, datetime]:
    """Accounts with points whose last activity was before then -> when it was. A page, by id."""
    rows = session.rows(
        "SELECT id, last_active_at AS last FROM accounts WHERE {fence} AND points > 0 AND closed_at IS NULL "
        "AND id > :after AND last_active_at <= :before ORDER BY id LIMIT :limit",
        after=after,
        before=before,
        limit=limit,
    )
    return {row.id: row.last for row in rows}


def find_silent_ends(
    session: Session, versions: Versions, last: Mapping[int, datetime]
) -> dict[LotKey, datetime]:
    """Of the open lots of these accounts (account -> last activity): when silence ends them, where it does."""
    # What was promised is what the points were first given with: those that came back from a reward, or with another
    # account, lie in a younger lot of the same origin. A lot that has an end of its own was promised that.
    rows = session.rows(
        "SELECT l.account_id, l.seq, g.recorded_at, coalesce(o.terms_version, CAST(g.facts->>'version' AS int)) "
        "AS version FROM lots l JOIN LATERAL (SELECT e.recorded_at, e.facts FROM entries e WHERE {fence:e} "
        "AND e.program_id = l.program_id AND e.source = l.origin AND e.points > 0 "
        "ORDER BY e.recorded_at, e.account_id, e.seq LIMIT 1) g ON true LEFT JOIN orders o ON {fence:o} "
        "AND o.program_id = l.program_id AND 'order:' || o.id = l.origin "
        "AND o.id = CAST(nullif(regexp_replace(l.origin, '^order:(\\d+)$|.*', '\\1'), '') AS bigint) "
        "WHERE {fence:l} AND l.account_id = ANY(:accounts) AND l.remaining > 0 AND l.expires_at IS NULL",
        accounts=sorted(last),
    )
    found: dict[LotKey, datetime] = {}
    for row in rows:
        promised = versions.at(row.recorded_at) if row.version is None else versions.get(row.version)
        end = silent_until(promised, versions.live, last[row.account_id])
        if end is not None:
            found[row.account_id, row.seq] = end
    return found


def _expire(session: Session, due: Mapping[LotKey, datetime], until: datetime, now: datetime) -> int:
    books = ledger.lock_books(session, {account for account, _ in due})
    count = 0
    for account_id, book in books.items():
        book.ripen(now)
        for lot in sorted(book.lots.values(), key=lambda one: one.seq):
            moment = due.get((account_id, lot.seq))
            if moment is not None and lot.remaining and lot.available_at <= until:
                book.expire_lot(lot, occurred_at=moment, now=now)
                count += 1
    ledger.write_books(session, books.values())
    return count
