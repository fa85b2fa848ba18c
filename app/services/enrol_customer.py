"""A customer with an account logs in, or asks to join: they are a member from then on."""

from app.db import members, programs
from app.db.members import IdentityRow
from app.domain.program import Enrolment
from app.services.claim_orders import claim_orders
from app.services.runtime import Runtime
from app.services.welcome_members import Joining, welcome_members


def enrol_customer(
    rt: Runtime, program_id: int, shop_id: int, customer_ref: str, *, asked: bool
) -> IdentityRow | None:
    """The customer's identity, a member's if they may be one; None if they were erased and did not ask anew.

    `asked`: they pressed "join". Otherwise they only logged in, which is enough where joining is automatic.
    """
    with rt.db.begin(program_id) as session:
        identity = members.find_identities(session, [(shop_id, customer_ref)]).get((shop_id, customer_ref))
        if identity is not None and identity.member_id is not None:
            winners = members.find_winners(session, [identity.member_id])
            identity.member_id = winners.get(identity.member_id, identity.member_id)
            return identity
    now = rt.now()
    with rt.db.begin(program_id) as session:
        versions = programs.load_versions(session)
        live = versions[program_id].live
        programs.lock_settling(session)
        if not asked and members.is_tombstoned(session, [rt.vault.customer_hash(shop_id, customer_ref)]):
            return None
        key = (shop_id, customer_ref)
        identity = members.add_identities(session, [(program_id, *key)], now=now)[key]
        if identity.member_id is None and (asked or live.enrolment is Enrolment.AUTOMATIC):
            welcome_members(session, rt.vault, [Joining(identity, now)], versions, now=now)
            claim_orders(session, rt.vault, identity, now=now)
        return identity
