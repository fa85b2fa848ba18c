"""A one-time link becomes a session."""

from dataclasses import dataclass
from datetime import datetime

from app.db import directory
from app.db.directory import Kind
from app.domain.errors import Refused
from app.services.runtime import Runtime
from app.services.staff_tokens import LONGEST, SLIDING, hashed, staff_tokens

USED = "This link was used already, or is older than 7 days. Ask for a new one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    token: str  # for the cookie; only its hash is kept
    until: datetime  # the cookie's end, whatever is done with it


def link_works(rt: Runtime, link_token: str) -> bool:
    """Whether the link could be used now. Does not use it: mail scanners open links."""
    with rt.db.outside() as connection:
        return directory.find(connection, Kind.SIGN_IN, hashed(link_token), now=rt.now()) is not None


def open_session(rt: Runtime, link_token: str) -> Opened:
    """Use the link up and begin a session. Raises: Refused("link_used")."""
    now = rt.now()
    token, stored = staff_tokens()
    until = now + LONGEST
    with rt.db.outside() as connection:
        found = directory.take(connection, Kind.SIGN_IN, hashed(link_token), now=now)
        if found is None:
            raise Refused("link_used", USED)
        session = rt.db.session(connection, found.program_id)
        known = session.first(
            "UPDATE staff SET last_seen_at = :now WHERE {fence} AND id = :id AND removed_at IS NULL RETURNING id",
            id=found.target_id,
            now=now,
        )
        if known is None:
            raise Refused("link_used", USED)
        directory.put(
            connection,
            Kind.SESSION,
            stored,
            found.program_id,
            found.target_id,
            details={"until": until.isoformat(), "seen": now.isoformat()},
            expires_at=now + SLIDING,
        )
    return Opened(token=token, until=until)
