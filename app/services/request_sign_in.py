"""Somebody without a session asks for a new link. Whoever asks learns nothing about which addresses are known."""

from datetime import timedelta

import structlog

from app.services.check_health import slices
from app.services.invite_staff import mail_link, make_link
from app.services.runtime import Runtime

ONE_IN = timedelta(minutes=1)
_MOST = 20  # programs of one person that get a mail

log = structlog.get_logger()


def request_sign_in(rt: Runtime, email: str) -> None:
    """Mail a link for each program whose staff has this address; nothing, and no word, if there is none."""
    address = email.strip().casefold()[:300]
    found: list[tuple[int, int]] = []
    for part in slices(rt):
        with rt.db.begin(*part) as session:
            found += [
                (row.program_id, row.id)
                for row in session.rows(
                    # One mail a minute: marked in the same statement, so that two askers get one.
                    "UPDATE staff SET invited_at = :now WHERE {fence} AND email = :email AND removed_at IS NULL "
                    "AND invited_at <= :least RETURNING program_id, id",
                    email=address,
                    now=rt.now(),
                    least=rt.now() - ONE_IN,
                )
            ]
    for program_id, staff_id in found[:_MOST]:
        link = make_link(rt, program_id, staff_id)
        if not mail_link(rt, program_id, address, link):
            log.warning("sign_in_not_mailed", program_id=program_id, staff_id=staff_id)
