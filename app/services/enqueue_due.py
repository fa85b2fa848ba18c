"""What is due at shops and for people: looked up, put into the queue, done elsewhere. Asked twice, it is put in once."""

from app.db import jobs
from app.db.session import Session
from app.services.check_health import slices
from app.services.due_reconciliations import due_reconciliations
from app.services.runtime import Runtime

_AT_ONCE = 1000


def enqueue_due(rt: Runtime) -> int:
    """Put in the comparisons with shops that are due, and mails that prove an address. Returns how many were due."""
    count = sum(due_reconciliations(rt).values())
    if rt.sends_mail:
        for part in slices(rt):
            with rt.db.begin(*part) as session:
                count += _proofs(session)
    return count


def _proofs(session: Session) -> int:
    """Addresses that are not proven and stand in another shop of the program too: a mail could join the two."""
    due = session.rows(
        "SELECT i.program_id, i.id FROM identities i WHERE {fence:i} AND i.email_hash IS NOT NULL "
        "AND NOT i.email_verified AND i.proof_sent_at IS NULL AND EXISTS (SELECT 1 FROM identities o "
        "WHERE o.program_id = i.program_id AND o.email_hash = i.email_hash AND o.shop_id <> i.shop_id) "
        "ORDER BY i.id LIMIT :limit",
        limit=_AT_ONCE,
    )
    for row in due:
        jobs.enqueue(session, "send_email_proof", program_id=row.program_id, identity_id=row.id)
    return len(due)
