"""Every member: a tier that there is, the one last recorded, and none below what the orders give."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.db import auditing, members, orders, programs
from app.db.auditing import AccountRow
from app.db.session import Session
from app.domain.program import Program
from app.domain.tiers import SpendFact, tier_at
from app.services.findings import Findings


def audit_members(session: Session, findings: Findings, *, now: datetime) -> None:
    """Upgrades come at once, so a tier below what the orders give is wrong; one above only waits for its review."""
    program = programs.load_versions(session)[session.program_id].live
    for page in auditing.pages_of_accounts(session):
        _check(session, [row for row in page if not row.closed], program, findings, now)
        findings.looked_at("members", len(page))


def _check(
    session: Session, page: Sequence[AccountRow], program: Program, findings: Findings, now: datetime
) -> None:
    ids = [row.account_id for row in page]
    since = now - timedelta(days=31 * program.tier_months + 31)
    facts: dict[int, list[SpendFact]] = {}
    for member_id, _, _, fact, _, _ in orders.find_spend(session, ids, since=since):
        facts.setdefault(member_id, []).append(fact)
    floors = members.find_floors(session, ids)
    recorded = members.find_last_tiers(session, ids)
    for row in page:
        if row.tier_key is None:
            continue
        subject = f"member:{row.account_id}"
        rank = program.rank(row.tier_key)
        if rank < 0:
            findings.add(subject, "unknown_tier", f"the program has no tier “{row.tier_key}”")
            continue
        given = tier_at(
            facts.get(row.account_id, ()), floors.get(row.account_id, ()), program=program, at=now
        )
        if rank < program.rank(given.key):
            detail = f"is {row.tier_key}, the orders give {given.key}"
            findings.add(subject, "tier_too_low", detail)
        last = recorded.get(row.account_id)
        if row.tier_key != (last or row.tier_key):
            findings.add(subject, "tier_unrecorded", f"is {row.tier_key}, {last} was recorded last")
        if last is None and rank > 0:
            findings.add(subject, "tier_unrecorded", f"is {row.tier_key}, and nothing was recorded of it")
