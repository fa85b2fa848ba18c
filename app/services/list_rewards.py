"""What the program offers at a shop, and how far each reward is from a member."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.db import ledger, members, programs, redemptions, shops
from app.db.members import MemberRow
from app.db.session import Session
from app.db.shops import ShopRow
from app.domain.errors import Refused
from app.domain.ledger import Book
from app.domain.money import Money
from app.domain.offering import reward_title
from app.domain.program import Program, UnusedCodes
from app.domain.redeeming import Barrier, Had, barrier, in_shop_money
from app.domain.rewards import CODELESS, Reward, RewardKind
from app.domain.words import Words
from app.services.describe_member import balance_of
from app.services.find_member import ById, find_in
from app.services.runtime import Runtime
from app.services.why_not import why_not
from app.services.wording import words_for


class RewardState(StrEnum):
    READY = "ready"  # can be had now
    SHORT = "short"  # `missing` points are missing
    LOCKED = "locked"  # `reason` says how it opens


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsView:
    """Any number of points from `minimum` to `maximum` (None: all there are), each `points` worth `amount`."""

    points: int
    amount: Money | None
    minimum: int
    maximum: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardView:
    """A reward at one shop. `amount` and `minimum_spend` are in the shop's money."""

    key: str
    title: str
    kind: RewardKind
    unit: str  # what `cost` counts: "points", or the currency whose smallest unit
    cost: int
    cost_text: str
    state: RewardState
    missing: int
    reason: str | None
    amount: Money | None
    percent: int | None
    maximum: Money | None
    minimum_spend: Money | None
    steps: StepsView | None
    tier_key: str | None
    barrier: str | None  # the code of `reason`
    left: int | None  # of a limited stock
    impossible: tuple[str, ...]  # shops that cannot make it, and why: for the merchant
    valid_days: int
    has_code: bool  # at that shop: there is something to type in
    returns_unused: bool


def list_rewards(
    rt: Runtime,
    program_id: int,
    *,
    member_id: int | None = None,
    shop_id: int | None = None,
    language: str | None = "en",
) -> list[RewardView]:
    """The live program's rewards, cheapest first. Without a member: as for somebody who has just joined; without a
    shop: in the program's own currency."""
    now = rt.now()
    with rt.db.begin(program_id) as session:
        program = programs.load_versions(session)[program_id].live
        shop = shops.get_shop(session, shop_id) if shop_id is not None else None
        member, book = _member(rt, session, member_id) if member_id is not None else (None, None)
        had = _had(session, program, member)
        here = shops.find_shops(session).values() if shop is None else [shop]
    asker = _Asker(
        rt=rt,
        here=tuple(one for one in here if one.state != "uninstalled"),
        program=program,
        tier_key=member.tier_key if member else program.tiers[0].key,
        available=max(balance_of(book, now).available if book else 0, 0),
        shop=shop,
        now=now,
        words=words_for(program, language),
    )
    return [
        _view(reward, asker, had[reward.key])
        for reward in sorted(program.rewards, key=lambda one: (one.cost, one.key))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asker:
    rt: Runtime
    here: tuple[ShopRow, ...]  # the shop, or all of them
    program: Program
    tier_key: str
    available: int
    shop: ShopRow | None
    now: datetime
    words: Words

    @property
    def currency(self) -> str:
        return self.shop.currency if self.shop else self.program.currency

    def barrier(self, reward: Reward, had: Had) -> Barrier | None:
        if self.shop and reward.kind is not RewardKind.PERK and not self.shop.callable:
            return Barrier("shop_not_connected", self.words.say("barrier.shop_not_connected"))
        if self.shop and self.impossible(reward):
            return Barrier("not_at_this_shop", self.words.say("barrier.reward_elsewhere"))
        return barrier(
            reward,
            program=self.program,
            tier_key=self.tier_key,
            shop_key=self.shop.key if self.shop else None,
            had=had,
            now=self.now,
            words=self.words,
        )

    def has_code(self, reward: Reward) -> bool:
        if reward.kind not in CODELESS:
            return True
        return self.shop is not None and reward.kind.value in self.rt.connectors[self.shop.platform].balances

    def impossible(self, reward: Reward) -> tuple[str, ...]:
        """Each shop that cannot make it, with its reason."""
        return tuple(f"{one.name}: {why}" for one in self.here if (why := self._why_not(reward, one)))

    def _why_not(self, reward: Reward, shop: ShopRow) -> str | None:
        try:
            return why_not(self.rt, self.program, reward, shop)
        except Refused as refused:
            return refused.detail


def _had(session: Session, program: Program, member: MemberRow | None) -> dict[str, Had]:
    """What was had of each reward, as far as its limits or its stock ask for it."""
    limited = [one.key for one in program.rewards if one.limits]
    stocked = [one.key for one in program.rewards if one.stock is not None]
    theirs: dict[str, list[datetime]] = {}
    if member and limited:
        theirs = redemptions.find_had(session, members.find_merged(session, member.member_id), limited)
    gone = redemptions.count_had(session, stocked) if stocked else {}
    return {one.key: Had(at=theirs.get(one.key, ()), by_all=gone.get(one.key, 0)) for one in program.rewards}


def _member(rt: Runtime, session: Session, member_id: int) -> tuple[MemberRow, Book | None]:
    found = find_in(session, rt, ById(member_id))
    member = members.get_member(session, found[0] if found else member_id)
    return member, ledger.find_book(session, member.member_id)


def _view(reward: Reward, asker: _Asker, had: Had) -> RewardView:
    program, currency = asker.program, asker.currency
    found = asker.barrier(reward, had)
    amount = maximum = minimum = each = None
    try:
        amount = in_shop_money(reward.amount_minor, program, currency)
        maximum = in_shop_money(reward.maximum_minor, program, currency)
        minimum = in_shop_money(reward.minimum_spend_minor, program, currency)
        each = in_shop_money(reward.steps.amount_minor if reward.steps else None, program, currency)
    except Refused:
        found = found or Barrier("no_rate", asker.words.say("barrier.no_rate", currency=currency))
    missing = max(reward.cost - asker.available, 0)
    state = RewardState.LOCKED if found else RewardState.SHORT if missing else RewardState.READY
    steps = reward.steps
    return RewardView(
        key=reward.key,
        title=reward_title(
            reward.title,
            reward.kind,
            amount=each or amount,
            percent=reward.percent,
            maximum=maximum,
            step=steps.points if steps else None,
            words=asker.words,
        ),
        kind=reward.kind,
        unit=program.unit,
        cost=reward.cost,
        cost_text=asker.words.points(reward.cost),
        state=state,
        missing=missing if state is RewardState.SHORT else 0,
        reason=found.text if found else None,
        barrier=found.code if found else None,
        left=None if reward.stock is None else max(reward.stock - had.by_all, 0),
        impossible=asker.impossible(reward),
        amount=amount,
        percent=reward.percent,
        maximum=maximum,
        minimum_spend=minimum,
        steps=StepsView(
            points=steps.points, amount=each, minimum=steps.minimum_points, maximum=steps.maximum_points
        )
        if steps
        else None,
        tier_key=reward.tier,
        valid_days=reward.code_days or program.code_days,
        has_code=asker.has_code(reward),
        returns_unused=program.unused_codes is UnusedCodes.RETURN,
    )
