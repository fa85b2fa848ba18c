"""Books in and out of the database: accounts locked, entries only added, lots and figures kept as a cache."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.db import members
from app.db.session import Session
from app.domain.ledger import EARNING, Book, Entry, EntryKind, Lot
from app.domain.settling import Held


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
    row = session.first(
        "SELECT program_id, id, points, deficit, seq, head FROM accounts WHERE {fence} AND id = :id",
        id=account_id,
    )
    if row is None:
        return None
    lots = _lots(session, [account_id], [])
    return Book(
        (row.program_id, row.id),
        points=row.points,
        deficit=row.deficit,
        seq=row.seq,
        head=bytes(row.head),
        lots=lots.get(account_id, ()),
    )


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
        source, _, write_off = (
            row.source.partition(":write_off") if ":write_off" in row.source else (row.source, "", "")
        )
        one = held.setdefault(source, {}).setdefault(row.account_id, Held())
        if row.source != source:
            one.written_off, one.written_off_ordinal = int(row.written_off), row.ordinal
        else:
            one.points, one.ordinal = int(row.points), row.ordinal
        del write_off
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
    return len(entries)


def find_entries(session: Session, account_id: int) -> list[Entry]:
    """The account's whole chain, oldest first."""
    rows = session.rows(
        "SELECT * FROM entries WHERE {fence} AND account_id = :id ORDER BY seq", id=account_id
    )
    return [entry_of(row) for row in rows]


def entry_of(row: Any) -> Entry:
    return Entry(
        seq=row.seq,
        kind=EntryKind(row.kind),
        points=row.points,
        source=row.source,
        ordinal=row.ordinal,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        available_at=row.available_at,
        expires_at=row.expires_at,
        origin=row.origin,
        ate=tuple((seq, points) for seq, points in row.ate),
        facts=row.facts,
        hash=bytes(row.hash),
    )


def find_lots(session: Session, account_id: int, seqs: Sequence[int]) -> dict[int, Lot]:
    """Those lots, whether anything is left in them or not."""
    rows = session.rows(
        "SELECT * FROM lots WHERE {fence} AND account_id = :id AND seq = ANY(:seqs)",
        id=account_id,
        seqs=list(seqs),
    )
    return {row.seq: _lot(row) for row in rows}


def _lots(session: Session, account_ids: Sequence[int], origins: Sequence[str]) -> dict[int, list[Lot]]:
    rows = session.rows(
        "SELECT account_id, seq, remaining, expired, available_at, expires_at, origin FROM lots "
        "WHERE {fence} AND account_id = ANY(:ids) AND remaining > 0 "
        "UNION SELECT account_id, seq, remaining, expired, available_at, expires_at, origin FROM lots "
        "WHERE {fence} AND account_id = ANY(:ids) AND origin = ANY(:origins) AND expired > 0",
        ids=list(account_ids),
        origins=list(origins),
    )
    lots: dict[int, list[Lot]] = {}
    for row in rows:
        lots.setdefault(row.account_id, []).append(_lot(row))
    return lots


def _lot(row: Any) -> Lot:
    return Lot(row.seq, row.remaining, row.expired, row.available_at, row.expires_at, row.origin)


def _insert_entries(session: Session, entries: Sequence[tuple[Book, Entry]]) -> None:
    columns: Mapping[str, list[Any]] = {
        "program": [book.account[0] for book, _ in entries],
        "account": [book.account[1] for book, _ in entries],
        "seq": [entry.seq for _, entry in entries],
        "kind": [entry.kind.value for _, entry in entries],
        "points": [entry.points for _, entry in entries],
        "source": [entry.source for _, entry in entries],
        "ordinal": [entry.ordinal for _, entry in entries],
        "occurred": [entry.occurred_at for _, entry in entries],
        "recorded": [entry.recorded_at for _, entry in entries],
        "available": [entry.available_at for _, entry in entries],
        "expires": [entry.expires_at for _, entry in entries],
        "origin": [entry.origin for _, entry in entries],
        "ate": [json.dumps(entry.ate) for _, entry in entries],
        "facts": [json.dumps(dict(entry.facts)) for _, entry in entries],
        "hash": [entry.hash for _, entry in entries],
    }
    session.run(
        "INSERT INTO entries (program_id, account_id, seq, kind, points, source, ordinal, occurred_at, "
        "recorded_at, available_at, expires_at, origin, ate, facts, hash) "
        "SELECT p, a, s, k, n, src, o, oc, re, av, ex, orig, CAST(at AS jsonb), CAST(fa AS jsonb), h FROM unnest("
        "CAST(:program AS bigint[]), CAST(:account AS bigint[]), CAST(:seq AS int[]), CAST(:kind AS text[]), "
        "CAST(:points AS bigint[]), CAST(:source AS text[]), CAST(:ordinal AS int[]), "
        "CAST(:occurred AS timestamptz[]), CAST(:recorded AS timestamptz[]), CAST(:available AS timestamptz[]), "
        "CAST(:expires AS timestamptz[]), CAST(:origin AS text[]), CAST(:ate AS text[]), CAST(:facts AS text[]), "
        "CAST(:hash AS bytea[])) AS e(p, a, s, k, n, src, o, oc, re, av, ex, orig, at, fa, h)",
        columns,
    )


def _upsert_lots(session: Session, books: Sequence[Book]) -> None:
    lots = [(book, book.lots[seq]) for book in books for seq in sorted(book.touched)]
    if not lots:
        return
    session.run(
        "INSERT INTO lots (program_id, account_id, seq, remaining, expired, available_at, expires_at, origin) "
        "SELECT * FROM unnest(CAST(:program AS bigint[]), CAST(:account AS bigint[]), CAST(:seq AS int[]), "
        "CAST(:remaining AS bigint[]), CAST(:expired AS bigint[]), CAST(:available AS timestamptz[]), "
        "CAST(:expires AS timestamptz[]), CAST(:origin AS text[])) "
        "ON CONFLICT (program_id, account_id, seq) DO UPDATE "
        "SET remaining = excluded.remaining, expired = excluded.expired",
        program=[book.account[0] for book, _ in lots],
        account=[book.account[1] for book, _ in lots],
        seq=[lot.seq for _, lot in lots],
        remaining=[lot.remaining for _, lot in lots],
        expired=[lot.expired for _, lot in lots],
        available=[lot.available_at for _, lot in lots],
        expires=[lot.expires_at for _, lot in lots],
        origin=[lot.origin for _, lot in lots],
    )


def _update_accounts(session: Session, books: Sequence[Book]) -> None:
    earned = [sum(entry.points for entry in book.appended if entry.kind in EARNING) for book in books]
    session.run(
        "UPDATE accounts a SET points = u.points, deficit = u.deficit, seq = u.seq, head = u.head "
        "FROM unnest(CAST(:account AS bigint[]), CAST(:points AS bigint[]), CAST(:deficit AS bigint[]), "
        "CAST(:seq AS int[]), CAST(:head AS bytea[])) AS u(id, points, deficit, seq, head) "
        "WHERE {fence:a} AND a.id = u.id",
        account=[book.account[1] for book in books],
        points=[book.points for book in books],
        deficit=[book.deficit for book in books],
        seq=[book.seq for book in books],
        head=[book.head for book in books],
    )
    if any(earned):
        session.run(
            "UPDATE members m SET lifetime_points = m.lifetime_points + u.earned "
            "FROM unnest(CAST(:account AS bigint[]), CAST(:earned AS bigint[])) AS u(id, earned) "
            "WHERE {fence:m} AND m.id = u.id AND u.earned <> 0",
            account=[book.account[1] for book in books],
            earned=earned,
        )
