"""Books in and out of the database: accounts locked, entries only added, lots and figures kept as a cache."""

from collections.abc import Iterable, Sequence
from typing import Any

from app.db import happenings, members, profiles
from app.db.session import Session, rows_of
from app.domain.ledger import ACTIVE, EARNING, Book, Entry, EntryKind, Lot
from app.domain.settling import Held
from app.domain.triggers import FRESH

EntryRow = tuple[int, Entry]  # (account, entry)

# A row in the order of an Entry's fields: chains are read whole, and by name each column costs as much again.
ENTRY = (
    "account_id, seq, kind, points, source, ordinal, occurred_at, recorded_at, available_at, expires_at, origin, "
    "ate, facts, hash"
)
LOT = "account_id, seq, remaining, expired, available_at, expires_at, origin"


def lock_books(
    session: Session,
    account_ids: Iterable[int],
    *,
    lots_of: Iterable[int] | None = None,
    origins: Iterable[str] = (),
) -> dict[int, Book]:
    """The accounts' books, locked until commit, in id order.

    `lots_of`: the accounts whose lots are needed (None: all): a credit to an account without a deficit needs none.
    Lots of `origins` come along even when nothing is left in them: an expiry may have to be given back.
    """
    wanted = sorted(set(account_ids))
    if not wanted:
        return {}
    rows = session.rows(
        "SELECT program_id, id, points, deficit, seq, head FROM accounts WHERE {fence} AND id = ANY(:ids) "
        "ORDER BY id FOR NO KEY UPDATE",
        ids=wanted,
    )
    with_lots = set(wanted) if lots_of is None else set(lots_of)
    with_lots |= {row.id for row in rows if row.deficit}
    lots = _lots(session, sorted(with_lots), sorted(set(origins))) if with_lots else {}
    return {
        row.id: Book(
            (row.program_id, row.id),
            points=row.points,
            deficit=row.deficit,
            seq=row.seq,
            head=bytes(row.head),
            lots=lots.get(row.id, ()),
        )
        for row in rows
    }


def lock_open_book(session: Session, account_id: int) -> Book | None:
    """The book that the account counts as, locked: its own, or of whom it was merged into. None: no such account.

    Looked up again under the lock, since a merge may have been what we waited for.
    """
    while True:
        winner = members.find_winners(session, [account_id]).get(account_id, account_id)
        with session.connection.begin_nested() as savepoint:
            book = lock_books(session, [winner]).get(winner)
            if not members.find_winners(session, [winner]):
                return book
            savepoint.rollback()  # lets the lock go: several are taken in id order only


def find_book(session: Session, account_id: int) -> Book | None:
    """An account's book to look at, not locked."""
    return find_books(session, [account_id]).get(account_id)


def find_books(session: Session, account_ids: Sequence[int]) -> dict[int, Book]:
    """Accounts' books to look at, not locked."""
    if not account_ids:
        return {}
    ids = sorted(set(account_ids))
    rows = session.rows(
        "SELECT program_id, id, points, deficit, seq, head FROM accounts WHERE {fence} AND id = ANY(:ids)",
        ids=ids,
    )
    lots = _lots(session, ids, [])
    return {
        row.id: Book(
            (row.program_id, row.id),
            points=row.points,
            deficit=row.deficit,
            seq=row.seq,
            head=bytes(row.head),
            lots=lots.get(row.id, ()),
        )
        for row in rows
    }


def find_entries_before(session: Session, account_id: int, seq: int | None, limit: int) -> list[Entry]:
    """Up to `limit` entries of the account before entry `seq` (None: from the last), newest first."""
    rows = session.rows(
        f"SELECT {ENTRY} FROM entries WHERE {{fence}} AND account_id = :id "
        "AND (CAST(:seq AS int) IS NULL OR seq < CAST(:seq AS int)) ORDER BY seq DESC LIMIT :limit",
        id=account_id,
        seq=seq,
        limit=limit,
    )
    return [entry_of(row) for row in rows]


def find_held(session: Session, sources: Sequence[str]) -> dict[str, dict[int, Held]]:
    """What each account holds for each order source, from the entries themselves."""
    if not sources:
        return {}
    rows = session.rows(
        "SELECT source, account_id, sum(points) AS points, max(ordinal) + 1 AS ordinal, "
        "coalesce(sum(points) FILTER (WHERE kind IN ('write_off', 'write_off_reversal')), 0) AS written_off "
        "FROM entries WHERE {fence} AND source = ANY(:sources) GROUP BY source, account_id",
        sources=[*sources, *(f"{source}:write_off" for source in sources)],
    )
    held: dict[str, dict[int, Held]] = {}
    for row in rows:
        source = row.source.removesuffix(":write_off")
        one = held.setdefault(source, {}).setdefault(row.account_id, Held())
        if row.source != source:
            one.written_off, one.written_off_ordinal = int(row.written_off), row.ordinal
        else:
            one.points, one.ordinal = int(row.points), row.ordinal
    return held


def write_books(session: Session, books: Iterable[Book]) -> int:
    """Write what was appended to `books`: entries first, then the figures derived from them. Returns how many."""
    changed = [book for book in books if book.appended or book.touched]
    if not changed:
        return 0
    entries = [(book, entry) for book in changed for entry in book.appended]
    if entries:
        _insert_entries(session, entries)
    _upsert_lots(session, changed)
    _update_accounts(session, changed)
    if entries:
        moved = {book.account[1] for book, _ in entries}
        now = max(entry.recorded_at for _, entry in entries)
        profiles.mark_members(session, moved, now=now)
        happenings.note_earned(session, _earned_now(entries), now=now)
    return len(entries)


def share_lifetimes(session: Session, books: Sequence[Book]) -> None:
    """What was appended to accounts that were merged away counts for those that they were merged into."""
    session.run(
        "WITH RECURSIVE up(id, earned, depth) AS ("
        "SELECT a.merged_into, u.earned, 1 FROM unnest(CAST(:ids AS bigint[]), CAST(:earned AS bigint[])) "
        "AS u(id, earned) JOIN accounts a ON a.id = u.id WHERE {fence:a} AND a.merged_into IS NOT NULL "
        "UNION ALL SELECT a.merged_into, up.earned, up.depth + 1 FROM up JOIN accounts a ON a.id = up.id "
        "WHERE {fence:a} AND a.merged_into IS NOT NULL AND up.depth < 100) "
        "UPDATE members m SET lifetime_points = m.lifetime_points + t.earned "
        "FROM (SELECT id, sum(earned) AS earned FROM up GROUP BY id) t WHERE {fence:m} AND m.id = t.id",
        ids=[book.account[1] for book in books],
        earned=[_earned(book) for book in books],
    )


def find_entries(session: Session, account_id: int) -> list[Entry]:
    """The account's whole chain, oldest first."""
    rows = session.rows(
        f"SELECT {ENTRY} FROM entries WHERE {{fence}} AND account_id = :id ORDER BY seq", id=account_id
    )
    return [entry_of(row) for row in rows]


def find_entries_of(session: Session, of: Sequence[str]) -> list[EntryRow]:
    """What all accounts hold of these sources, their write-offs too; as it was recorded."""
    rows = session.rows(
        f"SELECT {ENTRY} FROM entries WHERE {{fence}} AND source = ANY(:sources) ORDER BY recorded_at, account_id, seq",
        sources=[*of, *(f"{source}:write_off" for source in of)],
    )
    return [(row.account_id, entry_of(row)) for row in rows]


def entry_of(row: Any) -> Entry:
    """Of a row of `ENTRY`."""
    _, seq, kind, points, source, ordinal, occurred, recorded, available, expires, origin, ate, facts, own = (
        row
    )
    return Entry(
        seq=seq,
        kind=EntryKind(kind),
        points=points,
        source=source,
        ordinal=ordinal,
        occurred_at=occurred,
        recorded_at=recorded,
        available_at=available,
        expires_at=expires,
        origin=origin,
        ate=tuple([(seq, points) for seq, points in ate]),
        facts=facts,
        hash=bytes(own),
    )


def find_lots(session: Session, account_id: int, seqs: Sequence[int]) -> dict[int, Lot]:
    """Those lots, whether anything is left in them or not."""
    rows = session.rows(
        f"SELECT {LOT} FROM lots WHERE {{fence}} AND account_id = :id AND seq = ANY(:seqs)",
        id=account_id,
        seqs=list(seqs),
    )
    return {row.seq: lot_of(row) for row in rows}


def _lots(session: Session, account_ids: Sequence[int], origins: Sequence[str]) -> dict[int, list[Lot]]:
    rows = session.rows(
        f"SELECT {LOT} FROM lots WHERE {{fence}} AND account_id = ANY(:ids) AND remaining > 0 "
        f"UNION SELECT {LOT} FROM lots "
        "WHERE {fence} AND account_id = ANY(:ids) AND origin = ANY(:origins) AND expired > 0",
        ids=list(account_ids),
        origins=list(origins),
    )
    lots: dict[int, list[Lot]] = {}
    for row in rows:
        lots.setdefault(row.account_id, []).append(lot_of(row))
    return lots


def lot_of(row: Any) -> Lot:
    """Of a row of `LOT`."""
    _, seq, remaining, expired, available_at, expires_at, origin = row
    return Lot(seq, remaining, expired, available_at, expires_at, origin)


def _insert_entries(session: Session, entries: Sequence[tuple[Book, Entry]]) -> None:
    session.run(
        "INSERT INTO entries (program_id, account_id, seq, kind, points, source, ordinal, occurred_at, "
        "recorded_at, available_at, expires_at, origin, ate, facts, hash) "
        "SELECT p, a, s, k, n, src, o, oc, re, av, ex, orig, at, fa, decode(h, 'base64') FROM jsonb_to_recordset("
        "CAST(:rows AS jsonb)) AS e(p bigint, a bigint, s int, k text, n bigint, src text, o int, oc timestamptz, "
        "re timestamptz, av timestamptz, ex timestamptz, orig text, at jsonb, fa jsonb, h text)",
        rows=rows_of(
            [
                {
                    "p": book.account[0],
                    "a": book.account[1],
                    "s": entry.seq,
                    "k": entry.kind,
                    "n": entry.points,
                    "src": entry.source,
                    "o": entry.ordinal,
                    "oc": entry.occurred_at,
                    "re": entry.recorded_at,
                    "av": entry.available_at,
                    "ex": entry.expires_at,
                    "orig": entry.origin,
                    "at": entry.ate,
                    "fa": entry.facts,
                    "h": entry.hash,
                }
                for book, entry in entries
            ]
        ),
    )


def _upsert_lots(session: Session, books: Sequence[Book]) -> None:
    rows = [
        {
            "p": book.account[0],
            "a": book.account[1],
            "s": seq,
            "r": book.lots[seq].remaining,
            "x": book.lots[seq].expired,
            "av": book.lots[seq].available_at,
            "ex": book.lots[seq].expires_at,
            "o": book.lots[seq].origin,
        }
        for book in books
        for seq in sorted(book.touched)
    ]
    if not rows:
        return
    session.run(
        "INSERT INTO lots (program_id, account_id, seq, remaining, expired, available_at, expires_at, origin) "
        "SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS u(p bigint, a bigint, s int, r bigint, x bigint, "
        "av timestamptz, ex timestamptz, o text) ON CONFLICT (program_id, account_id, seq) DO UPDATE "
        "SET remaining = excluded.remaining, expired = excluded.expired",
        rows=rows_of(rows),
    )


def _update_accounts(session: Session, books: Sequence[Book]) -> None:
    rows = [
        {
            "a": book.account[1],
            "points": book.points,
            "deficit": book.deficit,
            "seq": book.seq,
            "head": book.head,
            "earned": sum(entry.points for entry in book.appended if entry.kind in EARNING),
            "active": max((e.occurred_at for e in book.appended if e.kind in ACTIVE), default=None),
        }
        for book in books
    ]
    table = (
        "jsonb_to_recordset(CAST(:rows AS jsonb)) "
        "AS u(a bigint, points bigint, deficit bigint, seq int, head text, earned bigint, active timestamptz)"
    )
    session.run(
        "UPDATE accounts a SET points = u.points, deficit = u.deficit, seq = u.seq, head = decode(u.head, 'base64'), "
        "last_active_at = greatest(a.last_active_at, u.active) "
        f"FROM {table} WHERE {{fence:a}} AND a.id = u.a",
        rows=rows_of(rows),
    )
    if any(row["earned"] for row in rows):
        session.run(
            "UPDATE members m SET lifetime_points = m.lifetime_points + u.earned "
            f"FROM {table} WHERE {{fence:m}} AND m.id = u.a AND u.earned <> 0",
            rows=rows_of(rows),
        )


def _earned_now(entries: Sequence[tuple[Book, Entry]]) -> dict[tuple[int, int], int]:
    """Of each account, for what has just happened: orders of long ago may be counted today."""
    earned: dict[tuple[int, int], int] = {}
    for book, entry in entries:
        if entry.kind in EARNING and entry.occurred_at >= entry.recorded_at - FRESH:
            earned[book.account] = earned.get(book.account, 0) + entry.points
    return earned


def _earned(book: Book) -> int:
    return sum(entry.points for entry in book.appended if entry.kind in EARNING)
