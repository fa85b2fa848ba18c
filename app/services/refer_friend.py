"""A member's code to hand on, and who came by it. What both sides get follows from the friend's first order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import activities, blocks, members, orders, programs
from app.db.activities import ActivityRow
from app.db.sealing import Vault
from app.db.session import Session
from app.domain.activities import REFERRAL, Side
from app.domain.crockford import as_typed
from app.domain.errors import Refused
from app.services.find_member import ById, Who, find_in
from app.services.runtime import Runtime
from app.services.settle_activities import settle_activities

MAX_REFERRAL_CODE = 60  # typed with spaces and hyphens


@dataclass(frozen=True, slots=True)
class Referred:
    referral_id: int
    friend_id: int
    is_new: bool  # False: it was known


def referral_code(rt: Runtime, program_id: int, member_id: int) -> str:
    """The member's own, 80 bits; made when it is first asked for. Raises: Refused("unknown_member")."""
    with rt.db.begin(program_id) as session:
        found = find_in(session, rt, ById(member_id))
        member = members.get_member(session, found[0]) if found else None
        if member is None or member.erased_at is not None:
            raise Refused("unknown_member", "There is no such member, or they asked to be forgotten.")
        return members.put_referral_code(session, member.member_id, as_typed(rt.new_code().partition("-")[2]))


def friend_link(shop_url: str, code: str) -> str:
    """What a member hands on: the shop's own front page, where the element remembers whose friend has come."""
    return f"{shop_url.rstrip('/')}/?laurel_friend={code}"


def refer_friend(rt: Runtime, program_id: int, code: str, friend: Who, *, actor: str) -> Referred:
    """Note that `friend` came by this code; told again, it is known already.

    Raises: Refused with unknown_code, unknown_member, no_referrals, self_referral, not_new, already_referred, blocked.
    """
    now = rt.now()
    with rt.db.begin(program_id) as session:
        programs.lock_settling(session)
        versions = programs.load_versions(session)
        live = versions[program_id].live
        if live.referral is None:
            raise Refused("no_referrals", "The program gives nothing for bringing a friend.")
        found = find_in(session, rt, friend)
        if not found:
            raise Refused("unknown_member", "There is no such member: a friend joins first.")
        friend_id = found[0]
        referrer_id = _whose(session, code)
        ours = members.find_merged(session, friend_id)
        for known in activities.find_referrals_to(session, ours):
            winner = members.find_winners(session, [known.referrer_id])
            if winner.get(known.referrer_id, known.referrer_id) != referrer_id:
                raise Refused("already_referred", "This member was brought by somebody else.")
            return Referred(known.referral_id, friend_id, is_new=False)
        _require_allowed(session, rt.vault, referrer_id, friend_id, now)
        referral_id = activities.add_referral(
            session, referrer_id=referrer_id, friend_id=friend_id, version=live.version, actor=actor, now=now
        )
        sides = {Side.REFERRER: referrer_id, Side.FRIEND: friend_id}
        rows = [
            ActivityRow(
                program_id=program_id,
                activity_id=activity_id,
                member_id=member_id,
                key=REFERRAL,
                kind=side.value,
                version=live.version,
                referral_id=referral_id,
                occurred_at=now,
                recorded_at=now,
                actor=actor,
            )
            for activity_id, (side, member_id) in zip(
                activities.new_ids(session, 2), sides.items(), strict=True
            )
        ]
        activities.add_activities(session, rows)
        settle_activities(session, rows, versions, now=now)
        return Referred(referral_id, friend_id, is_new=True)


def _whose(session: Session, code: str) -> int:
    found = members.find_by_referral_code(session, as_typed(code))
    if found is None:
        raise Refused("unknown_code", "Nobody has this code; perhaps a character is missing.")
    return members.find_winners(session, [found]).get(found, found)


def _require_allowed(session: Session, vault: Vault, referrer_id: int, friend_id: int, now: datetime) -> None:
    if referrer_id == friend_id or _share_address(session, referrer_id, friend_id):
        raise Refused("self_referral", "Nobody brings themselves.")
    if blocks.find_blocks(session, [referrer_id, friend_id]):
        for one in (referrer_id, friend_id):
            if blocks.find_block(session, one, now) is not None:
                raise Refused("blocked", "This code cannot be used at the moment.")
    if members.get_member(session, friend_id).erased_at is not None:
        raise Refused("unknown_member", "This member asked to be forgotten.")
    if orders.find_first_counted(session, [friend_id]):
        raise Refused("not_new", "Only who has not ordered before can be brought.")
    if _was_erased(session, vault, friend_id):
        raise Refused("not_new", "Only who was not here before can be brought.")


def _share_address(session: Session, one: int, other: int) -> bool:
    rows = session.rows(
        "SELECT email_hash FROM identities WHERE {fence} AND member_id = ANY(:ids) AND email_hash IS NOT NULL "
        "GROUP BY email_hash HAVING count(DISTINCT member_id) > 1",
        ids=[one, other],
    )
    return bool(rows)


def _was_erased(session: Session, vault: Vault, member_id: int) -> bool:
    living = members.find_living(session, member_id)
    hashes: Sequence[bytes] = [
        *(vault.customer_hash(one.shop_id, one.customer_ref) for one in living),
        *(one.email_hash for one in living if one.email_hash is not None),
    ]
    return bool(members.is_tombstoned(session, hashes))
