"""What a reward costs now, what state a redemption is in, and how many of its points are given back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.calendar import local_time
from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.orders import OrderSnapshot, OrderState
from app.domain.program import CurrencyRate, Program, UnusedCodes
from app.domain.rewards import CODELESS, Combines, Gift, Reward, RewardKind
from app.domain.rules import During
from app.domain.words import Words


class RedemptionState(StrEnum):
    REQUESTED = "requested"  # points taken, code on its way
    ISSUED = "issued"  # the code is at the shop
    USED = "used"  # an order names it
    CANCELLING = "cancelling"  # being withdrawn at the shop: cancelled, expired, or given up
    CANCELLED = "cancelled"  # by shopper or staff, points back
    EXPIRED = "expired"  # unused, points back (or breakage)
    FAILED = "failed"  # the shop refused, points back


# Orders that stand for nothing any more.
VOID = frozenset({OrderState.CANCELLED, OrderState.GONE})

OPEN = frozenset({RedemptionState.REQUESTED, RedemptionState.ISSUED, RedemptionState.CANCELLING})


# Their use is learned from a balance, from the shop's word that it was paid out, or from the staff.
USED_BY_NO_ORDER = frozenset({RewardKind.GIFT_CARD, RewardKind.STORE_CREDIT, RewardKind.PERK})


class Closing(StrEnum):
    """Why a code is being withdrawn."""

    CANCEL = "cancel"
    EXPIRY = "expiry"
    FAILURE = "failure"


CLOSED = {
    Closing.CANCEL: RedemptionState.CANCELLED,
    Closing.EXPIRY: RedemptionState.EXPIRED,
    Closing.FAILURE: RedemptionState.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """A reward as it was when it was bought: nothing that is published later changes it. Money: the shop's."""

    key: str
    title: str
    kind: RewardKind
    cost: int
    version: int
    amount: Money | None
    percent: int | None
    minimum_spend: Money | None
    unused: UnusedCodes
    return_on_refund: bool
    maximum: Money | None = None
    gift: Gift | None = None
    combines: tuple[Combines, ...] = ()
    # Money under a code that orders use bit by bit. The shop does not keep what is left of it: we do.
    is_balance: bool = False

    @property
    def has_code(self) -> bool:
        """There is something to type in."""
        return self.is_balance or self.kind not in CODELESS


@dataclass(frozen=True, slots=True)
class Use:
    """What an order took of a balance, and how much of that came back with its goods; in smallest units."""

    taken_minor: int
    back_minor: int = 0


NOT_USED = Use(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Had:
    """What was had of a reward so far and not given back: when by this member, and how many by all."""

    at: Sequence[datetime] = ()
    by_all: int = 0


NOTHING_HAD = Had()


@dataclass(frozen=True, slots=True)
class Barrier:
    """Why a reward cannot be had, whatever the points. `text` has no full stop."""

    code: str
    text: str


def barrier(
    reward: Reward,
    *,
    program: Program,
    tier_key: str,
    shop_key: str | None,
    had: Had,
    now: datetime,
    words: Words,
) -> Barrier | None:
    """The first thing that stands in the way; None: nothing but points, perhaps. `shop_key` None: at any shop."""
    if shop_key is not None and not reward.is_offered_at(shop_key):
        return _barrier("reward_elsewhere", words)
    if reward.tier is not None and program.rank(tier_key) < program.rank(reward.tier):
        return Barrier("tier_too_low", words.say("barrier.tier_too_low", tier=program.tier(reward.tier).name))
    if not reward.during.covers(local_time(now, program.zone)):
        return _out_of_time(reward.during, local_time(now, program.zone), words)
    if reward.stock is not None and had.by_all >= reward.stock:
        return _barrier("sold_out", words)
    for limit in reward.limits:
        since = limit.since(now, program.zone)
        if sum(at >= since for at in had.at) >= limit.times:
            return Barrier("limit_reached", words.say(f"barrier.had.{limit.per.value}", n=limit.times))
    return None


def quote(
    reward: Reward,
    *,
    program: Program,
    tier_key: str,
    available: int,
    shop_key: str,
    shop_currency: str,
    had: Had,
    now: datetime,
    points: int | None = None,
    words: Words,
) -> Bought:
    """The reward as this member can have it now at that shop. `points`: how many, of a reward in steps.

    Raises: Refused with the code of a `Barrier`, insufficient_points, bad_points, no_rate.
    """
    found = barrier(
        reward, program=program, tier_key=tier_key, shop_key=shop_key, had=had, now=now, words=words
    )
    if found is not None:
        raise Refused(found.code, f"{found.text}.")
    cost = cost_of(reward, points, words)
    if available < cost:
        raise Refused(
            "insufficient_points",
            words.say(
                "quote.short",
                units=cost,
                needed=words.points(cost),
                available=words.amount(max(available, 0)),
            ),
        )
    return Bought(
        key=reward.key,
        title=reward.title,
        kind=reward.kind,
        cost=cost,
        version=program.version,
        amount=in_shop_money(reward.amount_for(cost), program, shop_currency),
        percent=reward.percent,
        minimum_spend=in_shop_money(reward.minimum_spend_minor, program, shop_currency),
        unused=program.unused_codes,
        return_on_refund=program.return_redeemed_points,
        maximum=in_shop_money(reward.maximum_minor, program, shop_currency),
        gift=reward.gifts.get(shop_key) if reward.gifts else None,
        combines=reward.combines,
    )


def cost_of(reward: Reward, points: int | None, words: Words) -> int:
    """What is to be paid where somebody offers `points`; None: as the reward says.

    Raises: Refused("bad_points"): it has no steps, and another price; or the points are no whole steps.
    """
    steps = reward.steps
    if steps is None:
        if points not in (None, reward.cost):
            raise Refused("bad_points", words.say("quote.price", points=words.points(reward.cost)))
        return reward.cost
    most = steps.maximum_points
    in_range = points is not None and steps.minimum_points <= points and (most is None or points <= most)
    if points is None or not in_range or points % steps.points:
        least, step = words.amount(steps.minimum_points), words.points(steps.points)
        if most is None:
            raise Refused("bad_points", words.say("quote.steps", least=least, step=step))
        upper = words.amount(most)
        raise Refused("bad_points", words.say("quote.steps.most", least=least, most=upper, step=step))
    return points


def code_of(kind: RewardKind, prefix: str | None, made: str) -> str:
    """The code's text: the reward's prefix in place of ours. A gift card's has letters and digits only."""
    text = made if prefix is None else f"{prefix}-{made.rpartition('-')[2]}"
    return text.replace("-", "") if kind is RewardKind.GIFT_CARD else text


def points_to_return(bought: Bought, order: OrderSnapshot, *, code_dead: bool) -> int:
    """How many of a used reward's points are the member's again, given the order that used it.

    In proportion to the goods refunded, rounded down. An order that is void returns all, but only once the code
    was seen without a use left: while the shop would let it be used again, the code itself is the return.
    """
    if not bought.return_on_refund:
        return 0
    if order.state in VOID:
        return bought.cost if code_dead else 0
    return _gone_back(bought.cost, order)


def stands(order: OrderSnapshot) -> bool:
    """Whether anything of it is left: it is not void, and not all of its goods went back.

    One that was cancelled first and paid back then is told as paid and refunded, and its code works again all the same.
    """
    return order.state not in VOID and not (order.goods.minor and order.goods_refunded == order.goods)


def points_for_rest(bought: Bought, left: Money | None) -> int:
    """What comes back when it is withdrawn with so much of its money left, rounded down; None: it is used at once."""
    if left is None or bought.amount is None:
        return bought.cost
    return bought.cost * max(0, min(left.minor, bought.amount.minor)) // bought.amount.minor


def use_of(bought: Bought, code: str, order: OrderSnapshot) -> Use:
    """What the order holds of a balance: what is left is its amount less what all orders hold.

    A void order holds nothing. Where points of a used reward come back with returned goods, so does what was taken, in
    proportion, rounded down. An order that does not tell what it took, or in another money, took all: nothing is
    given twice.
    """
    key = code.casefold()
    if order.state in VOID or key not in (one.casefold() for one in order.codes_used):
        return NOT_USED
    assert bought.amount is not None
    told = next((one.taken_minor for one in order.code_uses if one.code.casefold() == key), None)
    if told is None or (told and order.goods.currency != bought.amount.currency):
        told = bought.amount.minor
    return Use(told, _gone_back(told, order) if bought.return_on_refund else 0)


def _gone_back(whole: int, order: OrderSnapshot) -> int:
    """The part of `whole` that goes back with the order's returned goods, rounded down."""
    return whole * order.goods_refunded.minor // order.goods.minor if order.goods.minor else 0


def in_shop_money(minor: int | None, program: Program, shop_currency: str) -> Money | None:
    """`minor` of the program's currency in the shop's, rounded down. Raises: Refused("no_rate")."""
    if minor is None:
        return None
    if shop_currency == program.currency:
        return Money(minor, shop_currency)
    rate: CurrencyRate | None = program.currencies.get(shop_currency)
    if rate is None:
        raise Refused("no_rate", f"The program has no rate for {shop_currency} yet.")
    return Money(minor * rate.spend_minor // rate.program_minor, shop_currency)


def _out_of_time(during: During, local: datetime, words: Words) -> Barrier:
    if during.starts is not None and local < during.starts:
        return Barrier("not_yet", words.say("barrier.not_yet", day=words.day(during.starts.date())))
    if during.ends is not None and local >= during.ends:
        last = during.ends - timedelta(microseconds=1)  # people read an end as the last day that counts
        return Barrier("ended", words.say("barrier.ended", day=words.day(last.date())))
    return _barrier("not_now", words)


def _barrier(code: str, words: Words) -> Barrier:
    return Barrier(code, words.say(f"barrier.{code}"))
