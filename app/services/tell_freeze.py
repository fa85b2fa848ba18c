"""A program's points cannot be spent: its owners are told by mail, at once, what that means and where to look."""

import structlog

from app.db import freezes, programs
from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.runtime import Runtime
from app.services.wording import in_unit, words_for

_SHOWN = 5

log = structlog.get_logger()


def tell_freeze(rt: Runtime, program_id: int) -> int:
    """Returns how many were told; nobody, if it was lifted meanwhile. A refused address stops no other.

    Raises: Retryable; whoever was told before that is told again.
    """
    with rt.db.begin(program_id) as session:
        found = freezes.find_open(session)
        live = programs.load_versions(session)[program_id].live
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
    shown = "\n".join(f"- {where}: {detail}" for where, _, detail in found.problems[:_SHOWN])
    words, at = words_for(live, "en"), f"{found.at:%Y-%m-%d %H:%M} UTC"
    text = (
        f"The audit found something in the books of “{live.name}” that cannot be. Since {at} "
        f"nobody can spend {in_unit('points', words)} there; orders go on counting, and nothing is lost.\n\n{shown}\n\n"
        f"What was found: {rt.public_url}/admin/freeze\nWhoever runs this installation looks closer with `laurel audit`. "
        f"Once it is put right, an owner lets {in_unit('points', words)} be spent again, there or by `laurel unfreeze`.\n"
    )
    subject = in_unit("Points cannot be spent", words) + f": {live.name}"
    told = 0
    for address in owners:
        try:
            rt.send_mail(address, subject[:150].replace("\n", " "), text)
        except Refused as refused:
            log.warning("freeze_not_mailed", program_id=program_id, code=refused.code)
        else:
            told += 1
    return told
