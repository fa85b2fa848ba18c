"""A mailed link becomes a session at the shop's page."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db import directory
from app.db.directory import Kind
from app.domain.errors import Refused
from app.services.check_member_session import SLIDING, customer_of
from app.services.runtime import Runtime
from app.services.shop_memory import KnownShop

LONGEST = timedelta(days=180)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPage:
    token: str  # for the cookie; only its hash is kept
    until: datetime  # the cookie's end, whatever is done with it


def member_link_works(rt: Runtime, shop: KnownShop, link_token: str) -> bool:
    """Whether the link could be used now. Does not use it: mail scanners open links."""
    with rt.db.outside() as connection:
        found = directory.find(connection, Kind.MEMBER_SIGN_IN, rt.vault.token_hash(link_token), now=rt.now())
    if found is None or found.program_id != shop.program_id:
        return False
    with rt.db.begin(shop.program_id) as session:
        return customer_of(session, shop, found) is not None


def open_member_session(rt: Runtime, shop: KnownShop, link_token: str) -> OpenedPage:
    """Use the link up and begin a session. Raises: Refused("link_used")."""
    now, token = rt.now(), secrets.token_urlsafe(32)
    until = now + LONGEST
    with rt.db.outside() as connection:
        found = directory.take(connection, Kind.MEMBER_SIGN_IN, rt.vault.token_hash(link_token), now=now)
        if found is None or found.program_id != shop.program_id:
            raise _used()
        if customer_of(rt.db.session(connection, shop.program_id), shop, found) is None:
            raise _used()
        directory.put(
            connection,
            Kind.MEMBER_SESSION,
            rt.vault.token_hash(token),
            found.program_id,
            found.target_id,
            details={**found.details, "until": until.isoformat(), "seen": now.isoformat()},
            expires_at=now + SLIDING,
        )
    return OpenedPage(token=token, until=until)


def _used() -> Refused:
    return Refused("link_used", "This link was used already, or its time is over.")
