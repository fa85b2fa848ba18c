"""A person has looked at what the audit found: points can be spent again."""

import structlog

from app.db import freezes
from app.db.freezes import Freeze
from app.domain.errors import Refused
from app.services.runtime import Runtime

MAX_REASON = 300

log = structlog.get_logger()


def find_freeze(rt: Runtime, program_id: int) -> Freeze | None:
    """Why the program's points cannot be spent now; None: they can."""
    with rt.db.begin(program_id) as session:
        return freezes.find_open(session)


def lift_freeze(rt: Runtime, program_id: int, *, by: str, reason: str) -> Freeze:
    """Whoever lifts it answers for what was found: the same, unchanged, stops nothing again; anything else does.

    Raises: Refused("not_frozen"), Refused("bad_reason").
    """
    said = " ".join(reason.split())
    if not 0 < len(said) <= MAX_REASON:
        raise Refused("bad_reason", f"Say in 1 to {MAX_REASON} characters what was found out, and done.")
    with rt.db.begin(program_id) as session:
        found = freezes.find_open(session)
        if found is None or not freezes.lift(session, found.freeze_id, by=by, reason=said, now=rt.now()):
            raise Refused("not_frozen", "Points can be spent: there is nothing to lift.")
    log.warning("freeze_lifted", program_id=program_id, by=by, problems=len(found.problems))
    return found
