"""The hourly audit: accounts that changed since they were last found right, and a few of the others in turn.

What contradicts itself stops the spending of points in that program, not the earning, until a person has looked.
The whole is `audit`'s; here the cost follows what happens, not what has ever happened.
"""

import structlog

from app.db import auditing, freezes, jobs
from app.db.session import Session
from app.services.audit_chains import audit_accounts
from app.services.audit_redemptions import audit_redemptions
from app.services.audit_sums import audit_acts
from app.services.findings import Findings, findings_of
from app.services.runtime import Runtime

PAGE = auditing.PAGE
ROUND_H = 30 * 24  # in so many runs every account comes up once

log = structlog.get_logger()


def audit_changed(rt: Runtime, program_id: int) -> int:
    """Look, write down what was found right, and freeze if something is not. Returns how many accounts were read.

    A run that breaks off has noted what it had read: the next goes on with the rest.
    """
    findings, looked = find_wrong(rt, program_id)
    with rt.db.begin(program_id) as session:
        most = auditing.count(session, "audited") // ROUND_H + 1
        turn = auditing.find_longest_unseen(session, before=rt.now(), limit=most)
    for start in range(0, len(turn), PAGE):
        _look(rt, program_id, turn[start : start + PAGE], findings)
    _judge(rt, program_id, findings)
    return looked + len(turn)


def find_wrong(rt: Runtime, program_id: int) -> tuple[Findings, int]:
    """What is wrong with accounts that changed, or were never found right since something was; how many were read."""
    findings, after, looked = Findings(), 0, 0
    while True:
        with rt.db.begin(program_id) as session:
            changed = auditing.find_changed(session, after=after, limit=PAGE)
        if not changed:
            return findings, looked
        _look(rt, program_id, changed, findings)
        after, looked = changed[-1], looked + len(changed)


def _look(rt: Runtime, program_id: int, account_ids: list[int], findings: Findings) -> None:
    """One page, in one moment. Those that are right are noted, at the length that was read."""
    now = rt.now()
    with rt.db.snapshot(program_id) as session:
        ours = findings_of(session)
        page = auditing.find_accounts(session, account_ids)
        audit_accounts(session, page, ours, now=now)
        audit_redemptions(session, ours, account_ids)
        audit_acts(session, ours, account_ids)
        wrong = _accounts_of(session, page, ours)
    right = {row.account_id: row.seq for row in page if row.account_id not in wrong}
    with rt.db.begin(program_id) as session:
        auditing.note_audited(session, right, now=now)
    for one in ours.problems:
        findings.add(one.subject, one.what, one.detail)


def _accounts_of(session: Session, page: list[auditing.AccountRow], findings: Findings) -> set[int]:
    """Which accounts something is wrong with; all of the page, where it is not said of which."""
    wrong: set[int] = set()
    for one in findings.problems:
        kind, _, ref = one.subject.partition(":")
        if kind in ("account", "entry", "member"):
            wrong.add(int(ref.partition("/")[0]))
        else:
            wrong |= {row.account_id for row in page}
    return wrong


def _judge(rt: Runtime, program_id: int, findings: Findings) -> None:
    with rt.db.begin(program_id) as session:
        accepted = freezes.find_accepted(session)
        told = [(one.subject, one.what, one.detail) for one in findings.problems]
        news = [one for one in told if one not in accepted]
        if not news:
            return
        is_new = freezes.begin(session, news, now=rt.now())
        if is_new:
            jobs.enqueue(session, "tell_freeze", program_id=program_id)
    log.error("ledger_breach", program_id=program_id, problems=findings.counts["problems"], is_new=is_new)
