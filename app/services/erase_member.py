"""Staff forgets a member: each of their customers at each shop, for good."""

from app.db import members
from app.services.erase_customer import erase_customer, forget_member
from app.services.find_member import ERASED
from app.services.runtime import Runtime


def erase_member(rt: Runtime, program_id: int, member_id: int) -> int:
    """Returns how many identities were erased. The ledger stays whole. Raises: Refused("unknown_member")."""
    now = rt.now()
    with rt.db.begin(program_id) as session:
        members.get_member(session, member_id)
        known = [
            one
            for one in members.find_personal(session, rt.vault, [member_id]).get(member_id, ())
            if not one.customer_ref.startswith(ERASED)
        ]
        for one in known:
            erase_customer(session, rt.vault, one.shop_id, one.customer_ref, email=one.email, now=now)
            session.run(
                "INSERT INTO privacy_requests (program_id, shop_id, kind, request_ref, member_id, received_at, done_at) "
                "VALUES (:program_id, :shop, 'erasure', :ref, :member, :now, :now) "
                "ON CONFLICT (program_id, shop_id, kind, request_ref) DO NOTHING",
                shop=one.shop_id,
                ref=f"staff:{one.identity_id}",
                member=member_id,
                now=now,
            )
        if not known:  # nothing named them any more
            session.run(
                "UPDATE members SET erased_at = coalesce(erased_at, :now) WHERE {fence} AND id = :id",
                id=member_id,
                now=now,
            )
            forget_member(session, member_id)
        return len(known)
