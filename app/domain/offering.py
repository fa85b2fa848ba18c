"""What a reward is called, and what it says of itself in the ledger's facts. Pure."""

from app.domain.counting import Facts
from app.domain.money import Money
from app.domain.rewards import RewardKind
from app.domain.words import Words


def reward_title(
    named: str,
    kind: RewardKind,
    *,
    amount: Money | None,
    percent: int | None,
    maximum: Money | None = None,
    step: int | None = None,
    words: Words,
) -> str:
    """What the merchant calls it, or what it is. `step`: so many points give `amount` each time."""
    if named:
        return named
    key = f"reward.{kind.value}"
    match kind:
        case RewardKind.AMOUNT | RewardKind.STORE_CREDIT | RewardKind.GIFT_CARD if amount is not None:
            worth = words.money(amount)
            if step:
                return words.say(f"{key}.every", amount=worth, points=words.points(step))
            return words.say(key, amount=worth)
        case RewardKind.PERCENT if percent is not None:
            if maximum is not None:
                return words.say(f"{key}.most", percent=words.percent(percent), amount=words.money(maximum))
            return words.say(key, percent=words.percent(percent))
        case RewardKind.FREE_SHIPPING | RewardKind.PRODUCT | RewardKind.PERK:
            return words.say(key)
        case _:
            return words.say("reward.any")


def title_facts(
    title: str,
    named: str,
    kind: RewardKind,
    *,
    amount: Money | None,
    percent: int | None,
    maximum: Money | None,
) -> Facts:
    """What an entry keeps of a reward's name: where the merchant gave none, what it takes to say it in any language.

    `title`: as it read when it was bought.
    """
    facts: dict[str, str | int] = {"title": title}
    if named:
        return facts
    facts["reward_kind"] = kind.value
    if amount is not None:
        facts |= {"amount": str(amount), "currency": amount.currency}
    if percent is not None:
        facts["percent"] = percent
    if maximum is not None:
        facts |= {"maximum": str(maximum), "currency": maximum.currency}
    return facts


def title_of(facts: Facts, words: Words) -> str:
    """The name of the reward that an entry is about."""
    kind = facts.get("reward_kind")
    if not isinstance(kind, str) or kind not in set(RewardKind):
        return str(facts.get("title") or words.say("reward.any"))
    percent = facts.get("percent")
    return reward_title(
        "",
        RewardKind(kind),
        amount=_money(facts, "amount"),
        percent=None if percent is None else int(percent),
        maximum=_money(facts, "maximum"),
        words=words,
    )


def _money(facts: Facts, name: str) -> Money | None:
    return Money.parse(str(facts[name]), str(facts["currency"])) if name in facts else None
