"""Somebody followed the link that we mailed: the address is theirs, and what waits behind it joins them."""

from dataclasses import dataclass

from app.db import directory, jobs, members, shops
from app.db.directory import Found, Kind
from app.domain.errors import Refused
from app.services.join_identity import join_identity
from app.services.request_member_link import page_address
from app.services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Proof:
    program_id: int
    shop_id: int
    page: str  # where they can look at their points


def look_at_proof(rt: Runtime, token: str) -> Proof:
    """Which shop a link is about, without using it. Raises: Refused("link_used")."""
    with rt.db.outside() as connection:
        found = directory.find(connection, Kind.EMAIL_PROOF, rt.vault.token_hash(token), now=rt.now())
    if found is None:
        raise _used()
    return _proof(rt, found)


def prove_email(rt: Runtime, token: str) -> Proof:
    """Use the link: once, within its time, and only while the address is still the one it was mailed to.

    The points are there when this returns; should we fall over in between, a job does the same.
    Raises: Refused("link_used").
    """
    with rt.db.outside() as connection:
        found = directory.take(connection, Kind.EMAIL_PROOF, rt.vault.token_hash(token), now=rt.now())
        if found is None:
            raise _used()
        session = rt.db.session(connection, found.program_id)
        if not members.prove_email(session, found.target_id, bytes.fromhex(found.details["email_hash"])):
            raise _used()
        jobs.enqueue(session, "join_identity", identity_id=found.target_id)
    join_identity(rt, found.program_id, found.target_id)
    return _proof(rt, found)


def _proof(rt: Runtime, found: Found) -> Proof:
    with rt.db.begin(found.program_id) as session:
        person = members.find_person(session, rt.vault, found.target_id)
        if person is None or person.email is None:
            raise _used()  # erased since
        shop = shops.get_shop(session, person.shop_id)
    return Proof(found.program_id, shop.shop_id, page_address(rt, shop.key))


def _used() -> Refused:
    return Refused(
        "link_used", "This link was used already, or its time is over. Ask the shop's page for another."
    )
