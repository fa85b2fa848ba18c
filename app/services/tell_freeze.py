"""A program's points cannot be spent: its owners are told by mail, at once, what that means and where to look."""

import structlog

from app.db import freezes, programs
from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.runtime import Runtime

_SHOWN = 5

log = structlog.get_logger()


def tell_freeze(rt: Runtime, program_id: int) -> int:
    """Returns how many were told; nobody, if it was lifted meanwhile. A refused address stops no other.

    Raises: Retryable; whoever was told before that is told again.
    """
    with rt.db.begin(program_id) as session:
        found = freezes.find_open(session)
        name = programs.load_versions(session)[program_id].live.name
        owners = [
            row.email
            for row in session.rows(
                "SELECT email FROM staff WHERE {fence} AND role = :role AND removed_at IS NULL "
                "AND email IS NOT NULL ORDER BY id LIMIT 50",
                role=Role.OWNER.value,
            )
        ]
    if found is None or not rt.sends_mail:
        return 0
    shown = "\n".join(f"- {subject}: {detail}" for subject, _, detail in found.problems[:_SHOWN])
    text = (
        f"The audit found something in the books of “{name}” that cannot be. Since {found.at:%Y-%m-%d %H:%M} UTC "
        f"nobody can spend points there; orders go on counting, and nothing is lost.\n\n{shown}\n\n"
        f"What was found: {rt.public_url}/admin/freeze\nWhoever runs this installation looks closer with `laurel audit`. "
        "Once it is put right, an owner lets points be spent again, there or by `laurel unfreeze`.\n"
    )
    told = 0
    for address in owners:
        try:
            rt.send_mail(address, f"Points cannot be spent: {name}"[:150].replace("\n", " "), text)
        except Refused as refused:
            log.warning("freeze_not_mailed", program_id=program_id, code=refused.code)
        else:
            told += 1
    return told
