"""What each reward asks for and how it is limited, in plain words, for those who run the program. English."""

from collections.abc import Iterator

from app.domain.money import Money
from app.domain.program import Program
from app.domain.rewards import Combines, Gift, Limit, LimitPer, Reward, RewardKind
from app.services.wording import any_words, during_words, money_words, words_for

_PER = {
    LimitPer.DAY: "a day",
    LimitPer.MONTH: "a month",
    LimitPer.YEAR: "a year",
    LimitPer.MEMBER: "in all",
}
_KINDS = {
    RewardKind.AMOUNT: "Money off",
    RewardKind.PERCENT: "Percent off",
    RewardKind.FREE_SHIPPING: "Free shipping",
    RewardKind.PRODUCT: "Free product",
    RewardKind.STORE_CREDIT: "Store credit",
    RewardKind.GIFT_CARD: "Gift card",
    RewardKind.PERK: "Perk, handed over by the staff",
}


def kind_words(kind: RewardKind) -> str:
    return _KINDS[kind]


def describe_rewards(program: Program) -> dict[str, list[str]]:
    """Reward key -> its conditions, a phrase each; none: whoever has the points."""
    return {reward.key: list(_conditions(reward, program)) for reward in program.rewards}


def _conditions(reward: Reward, program: Program) -> Iterator[str]:
    def money(minor: int) -> str:
        return money_words(Money(minor, program.currency))

    if reward.tier is not None:
        yield f"from {program.tier(reward.tier).name}"
    if reward.steps is not None:
        words, most = words_for(program), reward.steps.maximum_points
        upper = "" if most is None else f" to {words.points(most)}"
        step = words.amount(reward.steps.points)
        yield f"from {words.points(reward.steps.minimum_points)}{upper}, in steps of {step}"
    if reward.maximum_minor is not None:
        yield f"at most {money(reward.maximum_minor)} off"
    if reward.minimum_spend_minor is not None:
        yield f"orders from {money(reward.minimum_spend_minor)}"
    for shop_key, gift in (reward.gifts or {}).items():
        yield f"at {shop_key} {_gift(gift)}"
    if reward.shops:
        yield f"only at {any_words(reward.shops)}"
    if during := during_words(reward.during).removeprefix(", "):
        yield during
    for limit in reward.limits:
        yield _limit(limit)
    if reward.stock is not None:
        yield f"{reward.stock} in all"
    if reward.combines:
        yield f"beside {_combines(reward.combines)}"
    if reward.prefix is not None:
        yield f"codes begin with {reward.prefix}"


def _gift(gift: Gift) -> str:
    what = f"product {gift.product_ref}" if gift.product_ref else f"variant {gift.variant_ref}"
    return f"{what} with something of collection {gift.collection_ref}" if gift.collection_ref else what


def _limit(limit: Limit) -> str:
    times = {1: "once", 2: "twice"}.get(limit.times, f"{limit.times} times")
    return f"{times} {_PER[limit.per]}"


def _combines(combines: tuple[Combines, ...]) -> str:
    words = [each.value for each in combines]
    return f"{' and '.join([', '.join(words[:-1]), words[-1]] if len(words) > 1 else words)} discounts"
