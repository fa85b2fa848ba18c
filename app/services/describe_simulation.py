"""What a simulation took for granted and what it left out, in plain sentences; and its figures as data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.domain.member_past import Untold, untold
from app.domain.money import Money
from app.domain.offering import reward_title
from app.domain.program import EarnWhen, Enrolment, Program
from app.domain.redeemers import ASSUMED, CHEAPEST, Behaviour
from app.domain.rewards import RewardKind
from app.domain.rules import ALWAYS
from app.domain.simulation import BUCKETS
from app.services.fit_redeeming import Fitted
from app.services.left_out import LeftOut
from app.services.simulate_program import Side, Simulated
from app.services.wording import ENGLISH, money_words, words_for


def describe_simulation(done: Simulated, fitted: Fitted | None) -> list[str]:
    """What was assumed, what the file or shop does not tell, and what the figures mean."""
    return [
        *_redeeming(done.draft, fitted),
        *_valuing(done.draft),
        *_limits(done),
        f"Ranges hold nine times of ten: members fall into {BUCKETS} groups, and how much the groups differ says how "
        "much chance there is in a sum; where a range of the share that redeems is given, both its ends are in.",
    ]


def describe_left_out(left_out: Sequence[LeftOut]) -> Iterator[str]:
    for one in left_out:
        yield f"{one.count} left out: {one.why}."
        yield from (f"  {example}" for example in one.examples)


def _redeeming(side: Side, fitted: Fitted | None) -> Iterator[str]:
    behaviour = side.assumptions.behaviour
    if side.report.reward is None:
        yield "Nobody redeems: the draft has no reward that a member of the lowest tier, or any, can have."
        return
    which = (
        "the cheapest reward that their tier may have"
        if behaviour.reward == CHEAPEST
        else f"the reward “{behaviour.reward}”"
    )
    yield (
        f"{_share(behaviour)} of the members who come to hold the cost of {which} redeem it, {behaviour.delay_days} days "
        "later, and again whenever they hold it; the others never redeem. Every code is used."
    )
    if fitted is not None:
        cost = words_for(side.program).points(fitted.cost)
        yield (
            f"That is how your own members do: of {fitted.reached} who came to hold {cost} at least 90 "
            f"days ago, {fitted.redeemed} redeemed."
        )
    elif behaviour == ASSUMED:
        yield "That is assumed, not known: `--redeem share=…` says otherwise."


def _share(behaviour: Behaviour) -> str:
    if behaviour.share_low == behaviour.share_high:
        return _percent(behaviour.share)
    return (
        f"{_percent(behaviour.share)} ({_percent(behaviour.share_low)} to {_percent(behaviour.share_high)})"
    )


def _percent(permille: int) -> str:
    whole, tenth = divmod(permille, 10)
    return f"{whole}.{tenth} %" if tenth else f"{whole} %"


def _valuing(side: Side) -> Iterator[str]:
    program, report = side.program, side.report
    reward = program.reward(report.reward or "")
    if reward is None:
        return
    least = reward.amount_for(reward.cost)
    amount = None if least is None else Money(least, program.currency)
    named = reward_title(reward.title, reward.kind, amount=amount, percent=reward.percent, words=ENGLISH)
    value = money_words(Money(report.value_minor, program.currency))
    yield (
        f"Liability is all that is open, what is pending too, at what it buys: {value} ({named}) for "
        f"{words_for(program).points(reward.cost)}. Nothing is taken off for what nobody will ever redeem."
    )
    kinds = {one.kind for one in program.rewards}
    if RewardKind.PERCENT in kinds:
        average = money_words(Money(report.average_order_minor, program.currency))
        yield f"A percent reward costs its percent of the average order, {average}."
    if RewardKind.FREE_SHIPPING in kinds:
        shipping = money_words(Money(side.assumptions.shipping_minor, program.currency))
        yield f"A free shipping costs {shipping} (`--shipping-cost` says otherwise)."
    if kinds & {RewardKind.PRODUCT, RewardKind.PERK}:
        gift = money_words(Money(side.assumptions.gift_minor, program.currency))
        yield f"A free product or a perk costs {gift} (`--gift-cost` says otherwise)."
    if any(one.steps is not None for one in program.rewards):
        yield "A reward in steps is bought at its least, as often as there is enough for it."
    if any(one.limits or one.stock is not None or one.during != ALWAYS for one in program.rewards):
        yield "Rewards are had without regard to their limits, their stock or the time in which they are offered."


def _limits(done: Simulated) -> Iterator[str]:
    program, orders = done.draft.program, done.orders
    yield (
        "People buy what they bought: nobody buys more, or sooner, because of the program. Codes do not make the "
        "orders smaller that they are used on."
    )
    if program.enrolment is Enrolment.ON_JOIN:
        yield "Everybody is taken to have joined before the first order."
    if program.earn_when is EarnWhen.FULFILLED:
        yield "Orders count once they are fulfilled; where that is not told, when they were paid."
    programs = [side.program for side in (done.draft, done.beside) if side is not None]
    if any(_asks_for_lines(one) for one in programs):
        yield "Rules by product look at the lines of orders; orders of a file have none: no such rule names them."
    if any(tier.paid is not None for one in programs for tier in one.tiers):
        yield "Bought levels are told from the lines of orders; orders of a file have none: nobody buys a level there."
    if any(tier.invitation_only for one in programs for tier in one.tiers):
        yield "Levels by invitation stay empty: past orders do not tell whom staff would give them."
    if any(one.referral is not None or one.activities for one in programs):
        yield "Activities and referrals are not told by past orders: what they give is not in these figures."
    asked = frozenset().union(*(untold(one) for one in programs))
    yield from (sentence for one, sentence in _UNTOLD.items() if one in asked)
    if orders.repeated:
        yield (
            f"{orders.repeated} orders equal another in customer, time and amount. Each was counted: they may be real."
        )
    if orders.free:
        yield f"{orders.free} orders cost 0. They count as orders and earn by amount nothing."
    for gap in done.gaps:
        yield f"No order from {gap.first} to {gap.last}: was nothing sold, or is something missing?"


_UNTOLD = {
    Untold.TAGS: "How the shop tags its customers is not told: a rule for tagged ones names nobody, a rule for those "
    "without a tag everybody.",
    Untold.GROUPS: "Which collections and tags a product has is not told: no rule by them names any line.",
    Untold.SHARED_LIMITS: "Limits for all members together are applied to each order as if it were the only one: the "
    "real program gives less where they are reached.",
    Untold.BUDGET: "The budget stops nothing here but an order that is beyond it alone: the real program gives less in "
    "months in which it is reached.",
    Untold.JOINING: "Everybody joined with their first order; rules by the time since joining count from there.",
}


def _asks_for_lines(program: Program) -> bool:
    rules = program.rules
    scopes = [*(one.of for one in rules.campaigns), *(one.of for one in rules.bonuses)]
    return bool(rules.rates) or rules.exclude is not None or any(not of.is_everything for of in scopes)


# --- As data -----------------------------------------------------------------------------------------------


def simulation_data(done: Simulated, fitted: Fitted | None) -> dict[str, Any]:
    """The stable shape of `--json`, written down in docs/simulate.md."""
    return {
        "from": done.first,
        "until": done.until,
        "orders": done.orders.orders,
        "refunds": done.orders.refunds,
        "repeated": done.orders.repeated,
        "free": done.orders.free,
        "members": done.members,
        "draft": _side(done.draft),
        "beside": None if done.beside is None else _side(done.beside),
        "tier_moves": [
            {"from": one.from_key, "to": one.to_key, "members": one.members, "examples": one.examples}
            for one in done.moves
        ],
        "left_out": [asdict(one) for one in done.left_out],
        "gaps": [{"first": gap.first, "last": gap.last} for gap in done.gaps],
        "assumptions": describe_simulation(done, fitted),
    }


def _side(side: Side) -> dict[str, Any]:
    report, behaviour = side.report, side.assumptions.behaviour
    keys = [tier.key for tier in side.program.tiers]

    def month(one: Any) -> Mapping[str, Any]:
        figures = asdict(one)
        return figures | {"tiers": dict(zip(keys, one.tiers, strict=True))}

    return {
        "name": side.program.name,
        "version": side.program.version or None,
        "currency": side.program.currency,
        "months": [month(one) for one in report.months],
        "total": month(report.total),
        "average_order_minor": report.average_order_minor,
        "point_value": {"minor": report.value_minor, "points": report.value_points, "reward": report.reward},
        "redeeming": asdict(behaviour),
        "left_out": [asdict(one) for one in side.left_out],
    }
