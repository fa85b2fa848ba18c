"""Points become a code: the first step, everything that is decided and stored before the shop is asked."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.db import blocks, freezes, happenings, jobs, ledger, members, programs, redemptions, shops
from app.db.members import MemberRow
from app.db.redemptions import RedemptionRow
from app.db.session import Session
from app.domain.calendar import days_later
from app.domain.counting import Facts
from app.domain.errors import Refused
from app.domain.ledger import Book, Draft, EntryKind
from app.domain.program import Program
from app.domain.redeeming import Had, RedemptionState, code_of, quote
from app.domain.rewards import Reward, RewardKind
from app.services.look_for_abuse import hold_if_odd
from app.services.runtime import Runtime
from app.services.why_not import why_not
from app.services.wording import bought_facts, bought_title, words_for

MAX_KEY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemRequest:
    """Who wants what. `request_key` is the client's for this one click; the same again is the same redemption."""

    program_id: int
    member_id: int
    shop_id: int  # where the code will be used
    reward_key: str
    request_key: str
    actor: str  # "shopper", or who of the staff, or which API key
    points: int | None = None  # how many, of a reward in steps
    customer_ref: str | None = None  # who is signed in there; None: any account the member has at that shop
    language: str | None = "en"  # in which a refusal by the reward's terms is told; None: the program's own

    @property
    def hash(self) -> bytes:
        points = "" if self.points is None else f"|{self.points}"
        return hashlib.sha256(f"{self.shop_id}|{self.reward_key}{points}".encode()).digest()


def redeem(rt: Runtime, request: RedeemRequest) -> RedemptionRow:
    """Take the points, store the code and put in the job that makes it: one commit, the account locked.

    The same click twice is the same redemption. Raises: Refused with what `quote` refuses (insufficient_points,
    tier_too_low, limit_reached, sold_out, …), unknown_reward, unknown_member, frozen, blocked, being_checked,
    shop_not_connected, not_at_this_shop, no_identity, key_reused, bad_key.
    """
    if not 0 < len(request.request_key) <= MAX_KEY:
        raise Refused("bad_key", f"The idempotency key has 1 to {MAX_KEY} characters.")
    with rt.db.begin(request.program_id) as session:
        book = ledger.lock_open_book(session, request.member_id)
        if book is None:
            raise Refused("unknown_member", "There is no such member.")
        member_id = book.account[1]
        ours = members.find_merged(session, member_id)  # the click may have been made before a merge
        if done := redemptions.find_by_key(session, ours, request.request_key):
            return _same(done, request)
        if freezes.is_frozen(session):
            raise Refused("frozen", "Points cannot be spent at the moment. None were taken; try again later.")
        member = members.get_member(session, member_id)
        if member.was_blocked and blocks.find_block(session, member_id, rt.now()) is not None:
            raise Refused("blocked", "This account cannot spend points at the moment. Ask the shop.")
        program = programs.load_versions(session)[request.program_id].live
        if not hold_if_odd(session, member, program, now=rt.now()):
            return _buy(rt, session, request, program, member, book)
    # Not inside: the transaction commits the review that was opened.
    raise Refused(
        "being_checked",
        "This account is being checked. Its points stay and do not end meanwhile; none were taken.",
    )


def _same(done: RedemptionRow, request: RedeemRequest) -> RedemptionRow:
    if done.request_hash != request.hash:
        raise Refused(
            "key_reused", "This idempotency key was used for another request. Use a new one for a new wish."
        )
    return done


def _buy(
    rt: Runtime, session: Session, request: RedeemRequest, program: Program, member: MemberRow, book: Book
) -> RedemptionRow:
    now, member_id = rt.now(), member.member_id
    shop = shops.get_shop(session, request.shop_id)
    reward = program.reward(request.reward_key)
    if reward is None:
        raise Refused("unknown_reward", "There is no such reward any more.")
    if reward.kind is not RewardKind.PERK and not shop.callable:
        raise Refused(
            "shop_not_connected",
            "This shop cannot make codes at the moment. No points were taken; try again later.",
        )
    if why_not(rt, program, reward, shop):
        raise Refused("not_at_this_shop", "This shop cannot make this reward. No points were taken.")
    book.ripen(now)
    bought = quote(
        reward,
        program=program,
        tier_key=member.tier_key,
        available=book.balance(at=now).available,
        shop_key=shop.key,
        shop_currency=shop.currency,
        had=_had(session, reward, member_id),
        now=now,
        points=request.points,
        words=words_for(program, request.language),
    )
    balances = rt.connectors[shop.platform].balances
    bought = replace(bought, title=bought_title(bought), is_balance=bought.kind.value in balances)
    row = redemptions.add_redemption(
        session,
        account_id=member_id,
        shop_id=shop.shop_id,
        identity_id=_identity(session, member_id, shop.shop_id, request.customer_ref),
        bought=bought,
        code=code_of(bought.kind, reward.prefix, rt.new_code()),
        tag=rt.tag,
        request_key=request.request_key,
        request_hash=request.hash,
        actor=request.actor,
        expires_at=days_later(now, reward.code_days or program.code_days, program.zone),
        now=now,
    )
    facts: Facts = {
        "rule": "redeem",
        "reward": bought.key,
        "cost": bought.cost,
        **bought_facts(bought),
    }
    book.redeem(Draft(EntryKind.REDEEM, -bought.cost, row.source, 0, now, facts=facts), now=now)
    ledger.write_books(session, [book])
    if bought.kind is RewardKind.PERK:  # nothing is made at the shop: it can be handed over at once
        state = RedemptionState.ISSUED.value
        redemptions.update_redemption(session, row.redemption_id, state=state, issued_at=now)
        happenings.note_redeemed(session, shop.shop_id, member_id, row.redemption_id, now=now)
        return redemptions.get_redemption(session, row.redemption_id)
    jobs.enqueue(session, "issue_code", shop_id=shop.shop_id, redemption_id=row.redemption_id)
    return row


def _identity(session: Session, member_id: int, shop_id: int, customer_ref: str | None) -> int:
    """The member's customer at that shop: a code is bound to one, and of several to who is signed in.

    The others may not be able to use it. Never to one that the shop has no more: it makes two customers one.
    """
    there = [one for one in members.find_living(session, member_id) if one.shop_id == shop_id]
    if not there:
        raise Refused(
            "no_identity",
            "This member has no customer account at that shop: a code could not be bound to it.",
        )
    return next((one for one in there if one.customer_ref == customer_ref), there[0]).identity_id


def _had(session: Session, reward: Reward, member_id: int) -> Had:
    """What counts towards its limits and its stock, the latter locked: what is left of it is sold to one at a time."""
    at: Sequence[datetime] = ()
    by_all = 0
    if reward.limits:
        at = redemptions.find_had(session, members.find_merged(session, member_id), [reward.key]).get(
            reward.key, ()
        )
    if reward.stock is not None:
        redemptions.lock_stock(session, reward.key)
        by_all = redemptions.count_had(session, [reward.key]).get(reward.key, 0)
    return Had(at=at, by_all=by_all)
