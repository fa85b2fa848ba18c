"""What the shopper's panel begins with: shop, program, and the member if there is one."""

from dataclasses import dataclass
from datetime import datetime

from app.db.members import Personal
from app.db.panel import Person
from app.domain.program import Program
from app.services.describe_member import MemberView, describe_member, member_view
from app.services.describe_shopfront import describe_shopfront
from app.services.due_email_proofs import email_proof_state, proof_state
from app.services.enrol_customer import enrol_customer
from app.services.lift_freeze import find_freeze
from app.services.prove_shopper import Shopper
from app.services.runtime import Runtime
from app.services.shop_memory import KnownShop
from app.services.shopfront import Shopfront


@dataclass(frozen=True, slots=True)
class Panel:
    front: Shopfront
    member: MemberView | None
    email_proof: str | None  # wanted, sent, or nothing to prove
    stopped: str | None = None  # why they cannot spend now, a refusal's code


def open_panel(rt: Runtime, who: Shopper, *, asked: bool, language: str | None = "en") -> Panel:
    """A customer who is signed in becomes a member here, where joining is automatic or they `asked`.

    Whoever is a member already, which is nearly everybody, costs one way to the database and back.
    """
    shop, now = who.shop, rt.now()
    known = rt.live_programs.get(shop.program_id)
    found = rt.panels.find(shop.program_id, shop.shop_id, who.customer_ref, known=known, now=now)
    if found is not None:
        rt.live_programs[shop.program_id] = found.program
    if found is not None and (found.person is not None or who.customer_ref is None):
        front = rt.fronts.get(shop.shop_id, found.program, found.shop_name, found.shop_currency, language)
        if found.person is None:
            return Panel(front, None, None)
        me = _view(who, found.person, found.program, now)
        proof = proof_state(rt, found.person.proof_sent_at, waits=found.person.waits)
        return Panel(front, me, proof, _stopped(me, frozen=found.frozen))
    return _join(rt, who, asked=asked, language=language)


def _join(rt: Runtime, who: Shopper, *, asked: bool, language: str | None) -> Panel:
    shop = who.shop
    front = describe_shopfront(rt, shop.program_id, shop.shop_id, language)
    rt.live_programs[shop.program_id] = front.program  # whose window may reach back further than was looked
    if who.customer_ref is None:
        return Panel(front, None, None)
    identity = enrol_customer(rt, shop.program_id, shop.shop_id, who.customer_ref, asked=asked)
    if identity is None or identity.member_id is None:
        return Panel(front, None, None)
    proof = email_proof_state(rt, shop.program_id, identity.identity_id)
    return _panel(rt, front, shop.program_id, identity.member_id, proof)


def panel_of(rt: Runtime, shop: KnownShop, member_id: int, *, language: str | None = "en") -> Panel:
    """The same of a member whom staff has before them, in that shop's money. Raises: Refused("unknown_member")."""
    front = describe_shopfront(rt, shop.program_id, shop.shop_id, language)
    return _panel(rt, front, shop.program_id, member_id, None)


def _panel(rt: Runtime, front: Shopfront, program_id: int, member_id: int, proof: str | None) -> Panel:
    member = describe_member(rt, program_id, member_id)
    frozen = find_freeze(rt, program_id) is not None
    return Panel(front, member, proof, _stopped(member, frozen=frozen))


def _stopped(member: MemberView, *, frozen: bool) -> str | None:
    """In the order in which redeeming asks."""
    if frozen:
        return "frozen"
    if member.blocked_at is not None:
        return "blocked"
    return "being_checked" if member.held_at is not None else None


def _view(who: Shopper, person: Person, program: Program, now: datetime) -> MemberView:
    me = Personal(
        identity_id=person.identity_id,
        shop_id=who.shop.shop_id,
        customer_ref=who.customer_ref or "",
        email=None,
        email_verified=False,
        name=person.name,
        proof_sent_at=person.proof_sent_at,
    )
    keys = {who.shop.shop_id: who.shop.key}
    return member_view(person.member, person.book, [me], keys, person.spend, program, now)
