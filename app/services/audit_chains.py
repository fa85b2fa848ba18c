"""Every account: its chain unbroken, and whatever is kept beside it as derived from it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.db import auditing
from app.db.auditing import AccountRow
from app.db.session import Session
from app.domain.chain import Chain, HeadsDigest, follow
from app.domain.ledger import Book, Lot
from app.domain.words import Words
from app.services.findings import Findings


def audit_chains(
    session: Session, findings: Findings, *, now: datetime, until: datetime | None = None
) -> str:
    """Check the program's accounts. Returns the digest of their heads, in account order, as of `until`, in hex."""
    digest = HeadsDigest()
    for page in auditing.pages_of_accounts(session):
        audit_accounts(session, page, findings, now=now, until=until, digest=digest)
        findings.looked_at("accounts", len(page))
    return digest.hex()


def audit_accounts(
    session: Session,
    page: Sequence[AccountRow],
    findings: Findings,
    *,
    now: datetime,
    until: datetime | None = None,
    digest: HeadsDigest | None = None,
) -> None:
    """Check these, and add their heads as of `until` to `digest`."""
    rows = {row.account_id: row for row in page}
    lots = auditing.find_all_lots(session, list(rows))
    earned: dict[int, int] = {}
    for account_id, entries in auditing.stream_chains(session, list(rows)):
        row = rows.pop(account_id)
        chain = follow((row.program_id, account_id), entries, then=until, tell=findings.words.points)
        earned[account_id] = chain.earned
        if chain.head_then is not None and digest is not None:
            digest.add(account_id, chain.seq_then, chain.head_then)
        findings.counts["entries"] += chain.entries
        _compare(row, chain, lots.get(account_id, ()), findings, now)
    for row in rows.values():  # those without entries
        chain = Chain(Book((row.program_id, row.account_id)))
        _compare(row, chain, lots.get(row.account_id, ()), findings, now)
    _lifetimes(session, page, earned, findings)
    for one in auditing.find_without_cause(session, [row.account_id for row in page]):
        detail = f"{one.kind} is caused by {one.source}, which is not there or says otherwise"
        findings.add(f"entry:{one.account_id}/{one.seq}", "no_cause", detail)


def _compare(row: AccountRow, chain: Chain, lots: Sequence[Lot], findings: Findings, now: datetime) -> None:
    subject, points, amount = f"account:{row.account_id}", findings.words.points, findings.words.amount
    for fault in chain.faults:
        findings.add(f"entry:{row.account_id}/{fault.seq}", fault.what, fault.detail)
    if row.points != chain.points:
        findings.add(
            subject, "points", f"{points(row.points)} are stored, the entries give {amount(chain.points)}"
        )
    if row.closed and (row.points or row.deficit):
        findings.add(
            subject, "closed_account", f"is closed and holds {points(row.points)}, owes {amount(row.deficit)}"
        )
    if chain.broken:
        return  # what follows from the chain cannot be told
    stored = Book((row.program_id, row.account_id), points=row.points, deficit=row.deficit, lots=lots)
    stored.ripen(now)
    chain.book.ripen(now)
    if (row.seq, row.head) != (chain.book.seq, chain.book.head):
        detail = f"the stored head is entry {row.seq}, the chain ends at entry {chain.book.seq}"
        same = row.seq == chain.book.seq
        findings.add(subject, "head", "the stored head is not the last entry's" if same else detail)
    if stored.deficit != chain.book.deficit:
        detail = (
            f"a deficit of {amount(row.deficit)} is stored, the entries give {amount(chain.book.deficit)}"
        )
        findings.add(subject, "deficit", detail)
    if row.last_active_at != chain.last_active_at:
        detail = f"{_moment(row.last_active_at)} is stored, the entries give {_moment(chain.last_active_at)}"
        findings.add(subject, "last_active", f"last activity: {detail}")
    for detail in differing_lots(stored.lots, chain.book.lots, findings.words):
        findings.add(subject, "lots", detail)


def differing_lots(stored: Mapping[int, Lot], derived: Mapping[int, Lot], words: Words) -> list[str]:
    """Where the two differ, in words."""
    return [
        f"lot {seq}: {_told(stored.get(seq), words)} is stored, the entries give {_told(derived.get(seq), words)}"
        for seq in sorted({*stored, *derived})
        if stored.get(seq) != derived.get(seq)
    ]


def _told(lot: Lot | None, words: Words) -> str:
    if lot is None:
        return "nothing"
    until = f", until {lot.expires_at:%Y-%m-%d}" if lot.expires_at else ""
    expired = f", {words.amount(lot.expired)} expired" if lot.expired else ""
    return (
        f"{words.amount(lot.remaining)} left{expired} of {lot.origin} from {lot.available_at:%Y-%m-%d}{until}"
    )


def _moment(at: datetime | None) -> str:
    return "none" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def _lifetimes(
    session: Session, page: Sequence[AccountRow], earned: dict[int, int], findings: Findings
) -> None:
    """Points earned in all: by the account itself, and by whoever was merged into it."""
    words = findings.words
    merged = auditing.find_merged_into(session, [row.account_id for row in page])
    elsewhere = {one for ours in merged.values() for one in ours} - set(earned)
    earned |= auditing.sum_earned(session, elsewhere) if elsewhere else {}
    for row in page:
        lifetime = sum(earned.get(one, 0) for one in (row.account_id, *merged.get(row.account_id, ())))
        if row.lifetime_points is None:
            findings.add(f"account:{row.account_id}", "no_member", "belongs to no member")
        elif row.lifetime_points != lifetime:
            detail = f"{words.points(row.lifetime_points)} in all are stored, the entries give {words.amount(lifetime)}"
            findings.add(f"member:{row.account_id}", "lifetime_points", detail)
