"""Every redemption: paid for in the ledger, and given back as far as its state says."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.db import auditing
from app.db.session import Session
from app.domain.program import UnusedCodes
from app.domain.redeeming import OPEN, USED_BY_NO_ORDER, RedemptionState
from app.domain.rewards import RewardKind
from app.domain.words import Words
from app.services.audit_balances import audit_balances, audit_unwritten
from app.services.findings import Findings

_CONTRARY = {(RedemptionState.ISSUED, False), (RedemptionState.USED, True)}


def audit_redemptions(session: Session, findings: Findings, account_ids: Sequence[int] | None = None) -> None:
    """A code that can be used, or was, has a debit that stands; one that cannot has its points back. None: all."""
    balances = False
    for page in auditing.pages_of_redemptions(session, account_ids):
        for row in page:
            for what, detail in _faults(row, findings.words):
                findings.add(f"redemption:{row.id}", what, detail)
        kept = [row.id for row in page if row.is_balance]
        balances = balances or bool(kept)
        audit_balances(session, findings, kept)
        findings.looked_at("redemptions", len(page))
    if account_ids is None and balances:
        audit_unwritten(session, findings)


def _faults(row: Any, words: Words) -> Iterator[tuple[str, str]]:
    state, points, amount = RedemptionState(row.state), words.points, words.amount
    if row.taken != row.cost:
        yield (
            "no_debit",
            f"costs {points(row.cost)}, account {row.account_id} was debited {amount(row.taken)}",
        )
    if row.back != row.returned:
        yield (
            "returned",
            f"{points(row.returned)} are noted as given back, the entries give {amount(row.back)}",
        )
    if row.is_balance and row.left_minor != row.amount_minor - row.held_minor:
        rest = row.amount_minor - row.held_minor
        yield "balance", f"{row.left_minor} is noted as left, its orders leave {rest}"
    if row.is_balance and (state, row.left_minor > 0) in _CONTRARY:
        yield "balance_state", f"is {state} with {row.left_minor} left"
    if state in OPEN and row.back:
        yield "debit_reversed", f"is {state} although {points(row.back)} of its cost were given back"
    if state is RedemptionState.USED:
        if row.order_id is None and RewardKind(row.kind) not in USED_BY_NO_ORDER:
            yield "used_by_none", "is used, and no order used it"
        if not 0 <= row.back <= (row.cost if row.returns else 0):
            yield "debit_reversed", f"is used although {points(row.back)} of its cost were given back"
    elif state not in OPEN and row.back != (due := _due(row)):
        breakage = state is RedemptionState.EXPIRED and row.unused == UnusedCodes.BREAKAGE.value
        if not breakage or row.back:
            yield "not_returned", f"is {state}, and {amount(row.back)} of {points(due)} were given back"


def _due(row: Any) -> int:
    """What had to come back: all, or of money that is used bit by bit the part that was left."""
    if row.left_minor is None or not row.amount_minor:
        return int(row.cost)
    return int(row.cost * max(row.left_minor, 0) // row.amount_minor)
