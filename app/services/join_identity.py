"""A person proved an address: whoever else proved the same is the same person, and guests' orders are theirs."""

from datetime import datetime

from app.db import members
from app.db.members import IdentityRow
from app.db.session import Session
from app.services.claim_orders import claim_orders
from app.services.merge_members import merge_members
from app.services.runtime import Runtime


def join_identity(rt: Runtime, program_id: int, identity_id: int) -> None:
    """Join the identity with the member of the same proven address, then claim what waits. Safe to run twice."""
    now = rt.now()
    with rt.db.begin(program_id) as session:
        identity = members.find_identities_by_id(session, [identity_id]).get(identity_id)
        if identity is None or identity.email_hash is None or not identity.email_verified:
            return
        for other in _same_address(session, identity):
            if other.member_id is None:
                continue
            if identity.member_id is None:
                identity.member_id = _attached(session, identity, other.member_id, now)
            elif identity.member_id != other.member_id:
                merged = merge_members(
                    session,
                    rt.vault,
                    identity.member_id,
                    other.member_id,
                    cause="email",
                    actor="laurel",
                    now=now,
                )
                identity.member_id = merged.winner_id if merged else identity.member_id
        claim_orders(session, rt.vault, identity, now=now)


def _same_address(session: Session, identity: IdentityRow) -> list[IdentityRow]:
    rows = session.rows(
        "SELECT id FROM identities WHERE {fence} AND email_hash = CAST(:hash AS bytea) AND email_verified "
        "AND id <> :id ORDER BY id",
        hash=identity.email_hash,
        id=identity.identity_id,
    )
    found = members.find_identities_by_id(session, [row.id for row in rows])
    return [found[row.id] for row in rows]


def _attached(session: Session, identity: IdentityRow, member_id: int, now: datetime) -> int:
    """The member whose the identity is from now on."""
    winner = members.find_winners(session, [member_id]).get(member_id, member_id)
    members.give_identities(session, [identity.identity_id], winner, now=now)
    return winner
