"""Whose session at a shop's page a cookie is, and its end.

A session is one customer's of one shop, and good only while that customer still has the proven address that the link
was mailed to: whoever is erased, merged away by the shop or given another address is signed out by it.
"""

from datetime import datetime, timedelta

from app.db import directory, members
from app.db.directory import Found, Kind
from app.db.session import Session
from app.services.runtime import Runtime
from app.services.shop_memory import KnownShop

SLIDING = timedelta(days=30)
_SEEN_EVERY = timedelta(hours=12)


def check_member_session(rt: Runtime, shop: KnownShop, token: str) -> str | None:
    """The customer ref whose session at this shop's page it is; None: nobody's. Each use prolongs it."""
    now, key = rt.now(), rt.vault.token_hash(token)
    with rt.db.outside() as connection:
        found = directory.find(connection, Kind.MEMBER_SESSION, key, now=now)
        if found is None or found.program_id != shop.program_id:
            return None
        until = datetime.fromisoformat(found.details["until"])
        if until <= now:
            return None
        if now - datetime.fromisoformat(found.details["seen"]) >= _SEEN_EVERY:
            directory.put(
                connection,
                Kind.MEMBER_SESSION,
                key,
                found.program_id,
                found.target_id,
                details={**found.details, "seen": now.isoformat()},
                expires_at=min(now + SLIDING, until),
            )
    with rt.db.begin(shop.program_id) as session:
        return customer_of(session, shop, found)


def end_member_session(rt: Runtime, shop: KnownShop, token: str) -> None:
    """Sign out here: this session works no more."""
    now, key = rt.now(), rt.vault.token_hash(token)
    with rt.db.outside() as connection:
        found = directory.find(connection, Kind.MEMBER_SESSION, key, now=now)
        if found is not None and found.program_id == shop.program_id:
            directory.take(connection, Kind.MEMBER_SESSION, key, now=now)


def end_member_sessions(rt: Runtime, shop: KnownShop, token: str) -> None:
    """Sign out everywhere: at each shop's page, on each device; mailed links work no more either."""
    with rt.db.outside() as connection:
        found = directory.find(connection, Kind.MEMBER_SESSION, rt.vault.token_hash(token), now=rt.now())
        if found is None or found.program_id != shop.program_id:
            return
        session = rt.db.session(connection, shop.program_id)
        kinds = (Kind.MEMBER_SESSION, Kind.MEMBER_SIGN_IN)
        directory.remove_all(connection, kinds, shop.program_id, _same_person(session, found.target_id))


def customer_of(session: Session, shop: KnownShop, found: Found) -> str | None:
    """Only while all is as it was when the link was mailed."""
    row = session.first(
        "SELECT customer_ref FROM identities WHERE {fence} AND id = :id AND shop_id = :shop "
        "AND email_verified AND email_hash = CAST(:hash AS bytea) AND gone_at IS NULL",
        id=found.target_id,
        shop=shop.shop_id,
        hash=bytes.fromhex(found.details["email_hash"]),
    )
    return str(row.customer_ref) if row else None


def _same_person(session: Session, identity_id: int) -> list[int]:
    """The identity and all others of the same member, through every merge."""
    one = members.find_identities_by_id(session, [identity_id]).get(identity_id)
    if one is None or one.member_id is None:
        return [identity_id]
    open_id = members.find_winners(session, [one.member_id]).get(one.member_id, one.member_id)
    rows = session.rows(
        "SELECT id FROM identities WHERE {fence} AND member_id = ANY(:ids)",
        ids=members.find_merged(session, open_id),
    )
    return [identity_id, *(row.id for row in rows)]
