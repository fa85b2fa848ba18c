"""Every account counted anew in memory: what its orders are worth by what the shops say, the rest as recorded.

The audit asks whether what is stored agrees with itself; this asks whether it is right.
"""

from dataclasses import dataclass
from datetime import datetime

from app.db import auditing, orders, programs
from app.db.session import Session
from app.services.findings import Findings, Problem, Watch, findings_of
from app.services.replay_accounts import count_order, replay_accounts
from app.services.runtime import Runtime

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Replayed:
    """`differences` empty: everything stored is what counting anew gives.

    `reviews_due`: members whose tier the next review will lower; that is no difference.
    """

    accounts: int
    differences: list[Problem]
    reviews_due: int


def replay(rt: Runtime, program_id: int, progress: Watch | None = None) -> Replayed:
    """Count the program's accounts anew and compare; tell `progress` (done, of how many). Nothing is written."""
    with rt.db.snapshot(program_id) as session:
        return replay_session(session, now=rt.now(), progress=progress)


def replay_session(session: Session, *, now: datetime, progress: Watch | None = None) -> Replayed:
    """The same within a transaction of one program, which should see one moment throughout."""
    findings = findings_of(session, auditing.count(session, "accounts"), progress)
    for page in auditing.pages_of_accounts(session, only_open=True, size=_AT_ONCE):
        replay_accounts(session, page, findings, now=now)
    _orphans(session, findings)
    counts = findings.counts
    return Replayed(counts["accounts"], findings.problems, counts["reviews_due"])


def _orphans(session: Session, findings: Findings) -> None:
    """Orders of nobody have a target, for whoever will claim them."""
    versions = programs.load_versions(session)[session.program_id]
    for page in orders.pages_of_orphans(session):
        for row in page:
            count_order(row, versions, findings)
