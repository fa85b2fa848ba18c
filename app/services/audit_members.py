"""Every member: a tier that there is, the one last recorded, and none below what the orders give."""

from collections.abc import Sequence
from datetime import datetime

from app.db import auditing, ledger, members, programs, tiers
from app.db.auditing import AccountRow
from app.db.programs import Versions
from app.db.session import Session
from app.domain.spending import EVER
from app.domain.tiers import tier_at
from app.services.find_standings import find_standings, standings_since
from app.services.findings import Findings
from app.services.settle_entry_rewards import reward_target


def audit_members(session: Session, findings: Findings, *, now: datetime) -> None:
    """Upgrades come at once, so a tier below what the orders give is wrong; one above only waits for its review.

    Members who are still to be brought in line with a new version are not judged by it yet.
    """
    versions = programs.load_versions(session)[session.program_id]
    run = tiers.find_open_run(session)
    for page in auditing.pages_of_accounts(session):
        open_ = [row for row in page if not row.closed]
        aligned = [row for row in open_ if run is None or row.account_id <= run.after_id]
        findings.counts["tiers_to_align"] += len(open_) - len(aligned)
        _check(session, aligned, versions, findings, now)
        _check_recorded(session, open_, versions, findings)
        _check_rewards(session, [row.account_id for row in open_], versions, findings)
        findings.looked_at("members", len(page))


def _check(
    session: Session, page: Sequence[AccountRow], versions: Versions, findings: Findings, now: datetime
) -> None:
    program = versions.live
    ids = [row.account_id for row in page if row.tier_key is not None]
    for one in find_standings(session, ids, versions.programs, at=now):
        key = one.member.tier_key
        subject = f"member:{one.member.member_id}"
        if not program.has_tier(key):
            findings.add(subject, "unknown_tier", f"the program has no tier “{key}”")
            continue
        given = tier_at(one.facts, one.floors, program=program, at=now)
        if program.rank(key) < program.rank(given.key):
            findings.add(subject, "tier_too_low", f"is {key}, the orders give {given.key}")


def _check_recorded(
    session: Session, page: Sequence[AccountRow], versions: Versions, findings: Findings
) -> None:
    recorded = members.find_last_tiers(session, [row.account_id for row in page])
    for row in page:
        last = recorded.get(row.account_id)
        subject = f"member:{row.account_id}"
        if row.tier_key is None:
            continue
        if row.tier_key != (last or row.tier_key):
            findings.add(subject, "tier_unrecorded", f"is {row.tier_key}, {last} was recorded last")
        if last is None and versions.live.rank(row.tier_key) > 0:
            findings.add(subject, "tier_unrecorded", f"is {row.tier_key}, and nothing was recorded of it")


def _check_rewards(session: Session, open_ids: Sequence[int], versions: Versions, findings: Findings) -> None:
    """What reaching a level brought: the ledger holds what it is worth."""
    merged = auditing.find_merged_into(session, open_ids)
    owners = {one: person for person in open_ids for one in (person, *merged.get(person, ()))}
    given = tiers.find_rewards(session, list(owners))
    if not given:
        return
    held = ledger.find_held(session, [row.source for row in given])
    theirs = sorted({owners[row.member_id] for row in given})
    standings = {one.member.member_id: one for one in standings_since(session, theirs, since=EVER)}
    words = findings.words
    for row in given:
        one = standings[owners[row.member_id]]
        points = sum(ours.points for ours in held.get(row.source, {}).values())
        due = reward_target(row, one.facts, one.floors, versions.get(row.version)).points
        if points != due:
            detail = f"reaching {row.tier_key} is worth {words.points(due)}, {words.amount(points)} are held for it"
            findings.add(row.source, "held", detail)
