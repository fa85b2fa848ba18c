"""A link by which another shop joins a program. Whoever has it may join one shop, once, within a week."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from app.db import directory, programs
from app.db.directory import Kind
from app.domain.errors import Refused
from app.services.runtime import Runtime

VALID = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Invitation:
    program_id: int
    program_name: str


def invite_shop(rt: Runtime, program_id: int, platform: str) -> str:
    """The link. It is shown once: only a hash of what makes it valid is kept."""
    if platform not in rt.connectors:
        raise Refused("unknown_platform", "There is no such platform.")
    token = secrets.token_urlsafe(32)
    with rt.db.outside() as connection:
        directory.put(
            connection,
            Kind.INVITATION,
            rt.vault.token_hash(token),
            program_id,
            expires_at=rt.now() + VALID,
        )
    return f"{rt.public_url}/install/{platform}?invitation={token}"


def find_invitation(rt: Runtime, token: str) -> Invitation:
    """Raises: Refused("link_used")."""
    with rt.db.outside() as connection:
        found = directory.find(connection, Kind.INVITATION, rt.vault.token_hash(token), now=rt.now())
    if found is None:
        raise Refused(
            "link_used", "This invitation was used already, or is older than a week. Ask for a new one."
        )
    with rt.db.begin(found.program_id) as session:
        name = programs.load_versions(session)[found.program_id].live.name
    return Invitation(found.program_id, name)


def spend_invitation(rt: Runtime, token_hash: str) -> int:
    """The program it invites to; it is used up. Raises: Refused("link_used")."""
    with rt.db.outside() as connection:
        found = directory.take(connection, Kind.INVITATION, token_hash, now=rt.now())
    if found is None:
        raise Refused(
            "link_used", "This invitation was used already, or is older than a week. Ask for a new one."
        )
    return found.program_id
