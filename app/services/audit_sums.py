"""The program as a whole: every point that is outstanding was earned, given or returned, and not taken since."""

from collections.abc import Sequence

from app.db import auditing
from app.db.session import Session
from app.domain.ledger import EntryKind
from app.services.findings import Findings

_TRANSFERS = (EntryKind.TRANSFER_OUT, EntryKind.TRANSFER_IN)


def audit_sums(session: Session, findings: Findings) -> None:
    """earned − reversed − redeemed + returned − expired ± adjusted ± transfers ± write-offs = outstanding.

    Entries are signed, so that is their sum; what moves between accounts must add up to nothing.
    """
    words = findings.words
    by_kind, outstanding = auditing.find_points(session)
    if (given := sum(by_kind.values())) != outstanding:
        told = ", ".join(f"{kind} {words.amount(points)}" for kind, points in sorted(by_kind.items()))
        detail = (
            f"{words.points(outstanding)} are outstanding, the entries give {words.amount(given)} ({told})"
        )
        findings.add("program", "sum", detail)
    moved = sum(by_kind.get(kind, 0) for kind in _TRANSFERS)
    if moved:
        findings.add("program", "transfers", f"transfers add up to {words.points(moved)}, not to nothing")
    audit_acts(session, findings)
    findings.counts["outstanding"] = outstanding


def audit_acts(session: Session, findings: Findings, account_ids: Sequence[int] | None = None) -> None:
    """Merges whose loser is among the accounts, and their adjustments. None: all."""
    words = findings.words
    for row in auditing.find_merge_faults(session, account_ids):
        if row.points:
            detail = f"moved {words.points(row.points)} more in than out"
            findings.add(f"merge:{row.id}", "merge_sum", detail)
        if row.undone_at is None and row.merged_into is None:
            detail = f"account {row.loser_id} was merged and is not closed"
            findings.add(f"merge:{row.id}", "merge_open", detail)
    for row in auditing.find_unbooked(session, account_ids):
        detail = f"{words.points(row.points)} for account {row.account_id} were never booked"
        findings.add(f"adjustment:{row.id}", "not_booked", detail)
