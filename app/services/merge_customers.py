"""The platform made two of its customers one."""

from app.db import members
from app.services.claim_orders import claim_orders
from app.services.merge_members import merge_members
from app.services.runtime import Runtime


def merge_customers(rt: Runtime, program_id: int, shop_id: int, kept_ref: str, deleted_ref: str) -> None:
    """Join the two customers' members. Customers that we do not know yet are written down, so that orders follow."""
    now = rt.now()
    with rt.db.begin(program_id) as session:
        known = members.add_identities(
            session, [(program_id, shop_id, kept_ref), (program_id, shop_id, deleted_ref)], now=now
        )
        kept, deleted = known[shop_id, kept_ref], known[shop_id, deleted_ref]
        if kept.member_id is not None and deleted.member_id is not None:
            merge_members(
                session,
                rt.vault,
                kept.member_id,
                deleted.member_id,
                cause="platform",
                actor="laurel",
                now=now,
            )
        elif (member_id := kept.member_id or deleted.member_id) is not None:
            session.run(
                "UPDATE identities SET member_id = :member WHERE {fence} AND id = ANY(:ids)",
                member=member_id,
                ids=[kept.identity_id, deleted.identity_id],
            )
            for one in (kept, deleted):
                one.member_id = member_id
                claim_orders(session, rt.vault, one, now=now)
