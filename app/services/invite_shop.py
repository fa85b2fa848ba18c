"""A link by which another shop joins a program. Whoever has it may join one shop, once, within a week."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.db import directory, programs
from app.db.directory import Kind
from app.domain.errors import Refused
from app.services.runtime import Runtime
from connectors.base import Connector

VALID = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Invitation:
    program_id: int
    program_name: str


@dataclass(frozen=True, slots=True)
class ShopInvited:
    """`link` works once, before `until`. It is shown once: only a hash of what makes it valid is kept."""

    link: str = field(repr=False)
    until: datetime


def joins_by_link(connector: Connector) -> bool:
    """Whether a shop of this platform can agree on our own page. Where one app serves all shops, the shop's own
    admin begins the installation, and nothing of a link reaches it."""
    return not connector.app_signed


def invite_shop(rt: Runtime, program_id: int, platform: str) -> ShopInvited:
    """Make the link. Raises: Refused("unknown_platform"), Refused("no_link")."""
    connector = rt.connectors.get(platform)
    if connector is None:
        raise Refused("unknown_platform", "There is no such platform.")
    if not joins_by_link(connector):
        raise Refused(
            "no_link",
            f"A {connector.title} shop cannot join by a link. Connect it with `laurel connect {platform}`, "
            "and name this program.",
        )
    token, until = secrets.token_urlsafe(32), rt.now() + VALID
    with rt.db.outside() as connection:
        directory.put(
            connection,
            Kind.INVITATION,
            rt.vault.token_hash(token),
            program_id,
            expires_at=until,
        )
    return ShopInvited(f"{rt.public_url}/install/{platform}?invitation={token}", until)


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
