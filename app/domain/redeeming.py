"""What a reward costs now, what state a redemption is in, and how many of its points are given back."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.orders import OrderSnapshot, OrderState
from app.domain.program import CurrencyRate, Program, Reward, RewardKind, UnusedCodes


class RedemptionState(StrEnum):
    REQUESTED = "requested"  # points taken, code on its way
    ISSUED = "issued"  # the code is at the shop
    USED = "used"  # an order names it
    CANCELLING = "cancelling"  # being withdrawn at the shop: cancelled, expired, or given up
    CANCELLED = "cancelled"  # by shopper or staff, points back
    EXPIRED = "expired"  # unused, points back (or breakage)
    FAILED = "failed"  # the shop refused, points back


OPEN = frozenset({RedemptionState.REQUESTED, RedemptionState.ISSUED, RedemptionState.CANCELLING})


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


def quote(reward: Reward, *, program: Program, tier_key: str, available: int, shop_currency: str) -> Bought:
    """The reward as this member can have it now at a shop of that currency.

    Raises: Refused("insufficient_points"), Refused("tier_too_low"), Refused("no_rate").
    """
    if reward.tier is not None and program.rank(tier_key) < program.rank(reward.tier):
        raise Refused("tier_too_low", f"This reward is for {program.tier(reward.tier).name} and above.")
    if available < reward.cost:
        raise Refused(
            "insufficient_points", f"{reward.cost} points are needed, {max(available, 0)} are available."
        )
    return Bought(
        key=reward.key,
        title=title(reward, program.currency),
        kind=reward.kind,
        cost=reward.cost,
        version=program.version,
        amount=in_shop_money(reward.amount_minor, program, shop_currency),
        percent=reward.percent,
        minimum_spend=in_shop_money(reward.minimum_spend_minor, program, shop_currency),
        unused=program.unused_codes,
        return_on_refund=program.return_redeemed_points,
    )


def points_to_return(bought: Bought, order: OrderSnapshot, *, code_dead: bool) -> int:
    """How many of a used reward's points are the member's again, given the order that used it.

    In proportion to the goods refunded, rounded down. An order that is void returns all, but only once the code
    was seen without a use left: while the shop would let it be used again, the code itself is the return.
    """
    if not bought.return_on_refund:
        return 0
    if order.state in (OrderState.CANCELLED, OrderState.GONE):
        return bought.cost if code_dead else 0
    if order.goods.minor == 0:
        return 0
    return bought.cost * order.goods_refunded.minor // order.goods.minor


def title(reward: Reward, currency: str) -> str:
    """What the reward is called where the merchant gave it no name of its own."""
    if reward.title:
        return reward.title
    match reward.kind:
        case RewardKind.AMOUNT:
            return f"{Money(reward.amount_minor or 0, currency)} {currency} off"
        case RewardKind.PERCENT:
            return f"{reward.percent} % off"
        case RewardKind.FREE_SHIPPING:
            return "Free shipping"


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
