"""Is everything that is stored about a program true? Read only, one moment throughout, memory flat."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.db import auditing, freezes
from app.db.migrating import GuardsMissing, require_guards
from app.db.session import Session
from app.services.audit_chains import audit_chains
from app.services.audit_members import audit_members
from app.services.audit_orders import audit_activities, audit_orders
from app.services.audit_redemptions import audit_redemptions
from app.services.audit_sums import audit_sums
from app.services.drain_inbox import MAX_ATTEMPTS
from app.services.findings import Problem, Watch, findings_of
from app.services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Audit:
    """`problems` empty: all is well; at most `findings.LISTED` are listed, `counts["problems"]` has them all.

    `digest` (hex) stands for every entry of the program: kept elsewhere, it shows later that none was changed.
    """

    problems: list[Problem]
    digest: str
    counts: Mapping[str, int]
    frozen_at: datetime | None = None  # since when the program's points cannot be spent


def audit(
    rt: Runtime, program_id: int, progress: Watch | None = None, *, until: datetime | None = None
) -> Audit:
    """Check everything; tell `progress` (done, of how many).

    `until`: the digest is of the entries recorded up to then, to be compared with one that was kept at that time.
    """
    with rt.db.snapshot(program_id) as session:
        return audit_session(session, now=rt.now(), progress=progress, until=until)


def audit_session(
    session: Session, *, now: datetime, progress: Watch | None = None, until: datetime | None = None
) -> Audit:
    """The same within a transaction of one program, which should see one moment throughout."""
    looked_at = ("accounts", "accounts", "orders", "activities", "redemptions")
    findings = findings_of(session, sum(auditing.count(session, table) for table in looked_at), progress)
    try:
        require_guards(session.connection)
    except GuardsMissing as missing:
        for one in missing.missing:
            findings.add("database", "guard_missing", one)
    digest = audit_chains(session, findings, now=now, until=until)
    audit_sums(session, findings)
    audit_orders(session, findings)
    audit_activities(session, findings)
    audit_redemptions(session, findings)
    audit_members(session, findings, now=now)
    for row in auditing.find_stuck(session, MAX_ATTEMPTS):
        detail = f"{row.topic}, received {row.received_at:%Y-%m-%d %H:%M}, was taken up {row.attempts} times"
        findings.add(f"delivery:{row.id}", "stuck", f"{detail} and still waits")
    freeze = freezes.find_open(session)
    return Audit(findings.problems, digest, dict(findings.counts), freeze.at if freeze else None)
