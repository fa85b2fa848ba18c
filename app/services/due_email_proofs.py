"""Who should prove an address, because something waits behind it."""

from datetime import datetime

from app.db import jobs, members
from app.services.runtime import Runtime
from app.services.send_email_proof import LIVES

BATCH = 500


def due_email_proofs(rt: Runtime, program_id: int) -> int:
    """Put in a job for each member who was never mailed and behind whose address something waits. Returns how many.

    Only members: whoever has not joined is not written to. Once: whoever does nothing is left alone.
    """
    with rt.db.begin(program_id) as session:
        due = members.find_unproven(session, limit=BATCH)
        jobs.enqueue_all(session, "send_email_proof", [{"identity_id": one} for one in due])
        return len(due)


def email_proof_state(rt: Runtime, program_id: int, identity_id: int) -> str | None:
    """For the person: "wanted" (something waits), "sent" (a link is on its way or unused), or None."""
    with rt.db.begin(program_id) as session:
        found = members.find_proof_state(session, identity_id)
    if found is None:
        return None
    sent_at, waits = found
    return proof_state(rt, sent_at, waits=waits)


def proof_state(rt: Runtime, sent_at: datetime | None, *, waits: bool) -> str | None:
    """`sent_at`: when a link was last mailed to an address that is not proven.

    None where this installation sends no mail: nobody is offered a link that cannot come.
    """
    if not rt.sends_mail:
        return None
    if sent_at is not None and rt.now() - sent_at < LIVES:
        return "sent"
    return "wanted" if waits else None
