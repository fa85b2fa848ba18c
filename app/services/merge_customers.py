"""The platform made two of its customers one."""

from app.db import members, profiles, programs
from app.services.claim_orders import claim_orders
from app.services.merge_members import merge_members
from app.services.runtime import Runtime


def merge_customers(rt: Runtime, program_id: int, kept_id: int, deleted_id: int) -> None:
    """Join the members of these two identities of a shop. Safe to run twice."""
    now = rt.now()
    with rt.db.begin(program_id) as session:
        programs.lock_settling(session)
        known = members.find_identities_by_id(session, [kept_id, deleted_id])
        kept, deleted = known[kept_id], known[deleted_id]
        # Whoever has no member yet goes with the other one.
        anchor, other = (kept, deleted) if kept.member_id is not None else (deleted, kept)
        members.keep_together(session, anchor.identity_id, other.identity_id)
        members.note_gone(session, deleted_id, into=kept_id, now=now)
        profiles.inherit(session, kept_id, deleted_id, now=now)
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
            members.give_identities(session, [kept.identity_id, deleted.identity_id], member_id, now=now)
            for one in (kept, deleted):
                one.member_id = member_id
                claim_orders(session, rt.vault, one, now=now)
