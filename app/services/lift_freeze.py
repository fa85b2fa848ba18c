"""A person has looked at what the audit found: points can be spent again."""

import structlog

from app.db import freezes
from app.db.freezes import Freeze
from app.domain.errors import Refused
from app.services.audit_changed import find_wrong
from app.services.runtime import Runtime

MAX_REASON = 300

log = structlog.get_logger()


def find_freeze(rt: Runtime, program_id: int) -> Freeze | None:
    """Why the program's points cannot be spent now; None: they can."""
    with rt.db.begin(program_id) as session:
        return freezes.find_open(session)


def lift_freeze(rt: Runtime, program_id: int, *, by: str, reason: str, as_found: bool = False) -> Freeze:
    """The books are looked at again first. `as_found`: what is still wrong may stay so.

    Whoever says that answers for it: the same, unchanged, stops nothing again; anything else does.
    Raises: Refused("not_frozen"), Refused("bad_reason"), Refused("still_wrong").
    """
    said = " ".join(reason.split())
    if not 0 < len(said) <= MAX_REASON:
        raise Refused("bad_reason", f"Say in 1 to {MAX_REASON} characters what was found out, and done.")
    if not as_found:
        _require_right(rt, program_id)
    with rt.db.begin(program_id) as session:
        found = freezes.find_open(session)
        if found is None or not freezes.lift(session, found.freeze_id, by=by, reason=said, now=rt.now()):
            raise Refused("not_frozen", "Members can spend: there is nothing to lift.")
    log.warning("freeze_lifted", program_id=program_id, by=by, problems=len(found.problems))
    return found


def _require_right(rt: Runtime, program_id: int) -> None:
    """What it was frozen for is not found any more. Raises: Refused("still_wrong")."""
    frozen = find_freeze(rt, program_id)
    if frozen is None:
        return
    stood = {(subject, what) for subject, what, _ in frozen.problems}
    findings, _ = find_wrong(rt, program_id)
    still = [one for one in findings.problems if (one.subject, one.what) in stood]
    if still:
        more = f", and {len(still) - 1} more" if len(still) > 1 else ""
        raise Refused(
            "still_wrong",
            f"Still so: {still[0].subject}: {still[0].detail}{more}. Put it right, or say that it may stay as found.",
        )
