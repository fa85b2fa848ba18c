"""What the program offers at a shop, and how far each reward is from a member."""

from dataclasses import dataclass
from enum import StrEnum

from app.db import ledger, members, programs, shops
from app.db.members import MemberRow
from app.db.session import Session
from app.domain.errors import Refused
from app.domain.ledger import Book
from app.domain.money import Money
from app.domain.program import Program, Reward, RewardKind, UnusedCodes
from app.domain.redeeming import in_shop_money
from app.services.describe_member import balance_of
from app.services.find_member import ById, find_in
from app.services.runtime import Runtime
from app.services.wording import reward_title


class RewardState(StrEnum):
    READY = "ready"  # can be had now
    SHORT = "short"  # `missing` points are missing
    LOCKED = "locked"  # `reason` says how it opens


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardView:
    """A reward at one shop. `amount` and `minimum_spend` are in the shop's money."""

    key: str
    title: str
    kind: RewardKind
    cost: int
    state: RewardState
    missing: int
    reason: str | None
    amount: Money | None
    percent: int | None
    minimum_spend: Money | None
    tier_key: str | None
    valid_days: int
    returns_unused: bool


def list_rewards(
    rt: Runtime, program_id: int, *, member_id: int | None = None, shop_id: int | None = None
) -> list[RewardView]:
    """The live program's rewards, cheapest first. Without a member: as for somebody who has just joined; without a
    shop: in the program's own currency."""
    with rt.db.begin(program_id) as session:
        program = programs.load_versions(session)[program_id].live
        shop = shops.get_shop(session, shop_id) if shop_id is not None else None
        member, book = _member(rt, session, member_id) if member_id is not None else (None, None)
    available = balance_of(book, rt.now()).available if book else 0
    tier_key = member.tier_key if member else program.tiers[0].key
    currency = shop.currency if shop else program.currency
    closed = "This shop cannot make codes at the moment." if shop and not shop.callable else None
    return [
        _view(reward, program, tier_key, max(available, 0), currency, closed)
        for reward in sorted(program.rewards, key=lambda one: (one.cost, one.key))
    ]


def _member(rt: Runtime, session: Session, member_id: int) -> tuple[MemberRow, Book | None]:
    found = find_in(session, rt, ById(member_id))
    member = members.get_member(session, found[0] if found else member_id)
    return member, ledger.find_book(session, member.member_id)


def _view(
    reward: Reward, program: Program, tier_key: str, available: int, currency: str, closed: str | None
) -> RewardView:
    reason = closed or _locked(reward, program, tier_key)
    amount = minimum = None
    try:
        amount = in_shop_money(reward.amount_minor, program, currency)
        minimum = in_shop_money(reward.minimum_spend_minor, program, currency)
    except Refused:
        reason = reason or f"Not to be had in {currency} yet."
    missing = max(reward.cost - available, 0)
    state = RewardState.LOCKED if reason else RewardState.SHORT if missing else RewardState.READY
    return RewardView(
        key=reward.key,
        title=reward_title(reward.title, reward.kind, amount=amount, percent=reward.percent),
        kind=reward.kind,
        cost=reward.cost,
        state=state,
        missing=missing if state is RewardState.SHORT else 0,
        reason=reason,
        amount=amount,
        percent=reward.percent,
        minimum_spend=minimum,
        tier_key=reward.tier,
        valid_days=program.code_days,
        returns_unused=program.unused_codes is UnusedCodes.RETURN,
    )


def _locked(reward: Reward, program: Program, tier_key: str) -> str | None:
    if reward.tier is None or program.rank(tier_key) >= program.rank(reward.tier):
        return None
    return f"Opens when you reach {program.tier(reward.tier).name}"
