"""The finer rules of a program in plain sentences, for those who run it. English, as the admin is."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.money import Money
from app.domain.program import BUDGET, AtBudget, Budget, CountsIn, Program
from app.domain.rules import Bonus, Campaign, CapPer, GoalPer, ProductRate, Selector, Stacking, Whose
from app.domain.words import NBSP
from app.services.wording import any_words, during_words, in_unit, money_words, words_for

_PER = {
    CapPer.ORDER: "an order",
    CapPer.DAY: "a member a day",
    CapPer.MONTH: "a member a month",
    CapPer.MEMBER: "a member in all",
    CapPer.PROGRAM_DAY: "a day for all members together",
    CapPer.PROGRAM_MONTH: "a month for all members together",
}
_GOAL_PER = {GoalPer.MONTH: "in a month", GoalPer.YEAR: "in a year", GoalPer.MEMBER: "in all"}
_STACKING = {
    Stacking.MULTIPLY: "percents are multiplied with each other",
    Stacking.ADD: "what each adds to 100 % is added up",
    Stacking.HIGHEST: "the highest percent alone counts",
}


@dataclass(frozen=True, slots=True)
class RuleWords:
    """`kind`: base, minimum, channels, exclude, exclude_members, segment, rate, campaign, stacking, bonus, goal,
    cap or budget.
    """

    kind: str
    name: str
    text: str


def describe_rules(program: Program) -> list[RuleWords]:
    """In the order in which they are applied; empty for a program with its one rate only."""
    rules, budget = program.rules, program.budget
    return [
        *_telling(program),
        *_selection(program),
        *(
            RuleWords("segment", one.name, _who(one.whose, program))
            for one in {segment.key: segment for whose in rules.people for segment in whose.segments}.values()
        ),
        *(RuleWords("rate", one.name, _rate(one, program)) for one in rules.rates),
        *(RuleWords("campaign", one.name, _campaign(one, program)) for one in rules.campaigns),
        *(
            [RuleWords("stacking", "Several percents at once", _STACKING[rules.stacking])]
            if rules.campaigns
            else []
        ),
        *(RuleWords("bonus", one.name, _bonus(one, program)) for one in rules.bonuses),
        *(
            RuleWords(
                "goal",
                one.name,
                f"{words_for(program).points(one.points)} once {money_words(Money(one.spend_minor, program.currency))} "
                f"are spent {_GOAL_PER[one.per]}",
            )
            for one in rules.goals
        ),
        *(
            RuleWords("cap", one.name, f"at most {words_for(program).points(one.points)} {_PER[one.per]}")
            for one in rules.caps
            if one.key != BUDGET
        ),
        *([RuleWords("budget", "Budget", _budget(budget, program))] if budget else []),
    ]


def _budget(budget: Budget, program: Program) -> str:
    worth = money_words(Money(budget.worth_minor, program.currency))
    points = words_for(program).points(budget.points)
    after = "orders earn nothing more" if budget.at_limit is AtBudget.STOP_EARNING else "orders go on earning"
    return (
        f"{money_words(Money(budget.minor, program.currency))} a month, at {worth} for {points}; "
        f"a warning from {budget.warn_percent}{NBSP}% on, and at its end {after}"
    )


def _telling(program: Program) -> Iterator[RuleWords]:
    if program.counts_in is CountsIn.MONEY:
        yield RuleWords("unit", "Cashback", f"counts money, in {program.currency}, for good")
    if program.language != "en":
        yield RuleWords("language", "Language", f"“{program.language}” for shoppers whose own is not known")


def _selection(program: Program) -> Iterator[RuleWords]:
    rules, base = program.rules, program.rules.base
    also = [
        name
        for name, counts in (
            ("tax", base.tax),
            ("shipping", base.shipping),
            ("gift cards", base.gift_cards),
            ("tips", base.tips),
        )
        if counts
    ]
    if also:
        yield RuleWords("base", "What counts", f"goods, and {' and '.join(also)}")
    if base.before_discounts:
        yield RuleWords("base", "Discounts", "goods count at their price before discounts")
    if rules.channels:
        yield RuleWords("channels", "Channels", f"only orders from {any_words(rules.channels)} earn")
    if rules.exclude is not None:
        yield RuleWords("exclude", "Excluded", f"nothing is earned for {_of(rules.exclude)}")
    if rules.exclude_members is not None:
        yield RuleWords(
            "exclude_members", "Not for", f"nothing is earned {_who(rules.exclude_members, program)}"
        )
    if rules.minimum_minor is not None:
        least = money_words(Money(rules.minimum_minor, program.currency))
        yield RuleWords("minimum", "Minimum", f"an order earns if {least} of it count")


def _rate(rate: ProductRate, program: Program) -> str:
    if rate.spend_minor is None:
        return f"{words_for(program).points(rate.points)} for each piece of {_of(rate.of)}"
    spend = money_words(Money(rate.spend_minor, program.currency))
    return f"{words_for(program).points(rate.points)} for every {spend} of {_of(rate.of)}"


def _campaign(one: Campaign, program: Program) -> str:
    goods = "" if one.of.is_everything else f" of {_of(one.of)}"
    points = in_unit("of the points", words_for(program))
    return f"{one.percent}{NBSP}% {points}{goods}{_scope(one, program)}"


def _bonus(one: Bonus, program: Program) -> str:
    when = ""
    if one.order_number is not None:
        when = f" for a member’s order no. {one.order_number}"
    if one.every is not None:
        when += f" for every {one.every}th order"
    if one.spend_from_minor is not None:
        when += f" from {money_words(Money(one.spend_from_minor, program.currency))} on"
    goods = "" if one.of.is_everything else f" with {_of(one.of)}"
    return f"{words_for(program).points(one.points)}{when}{goods}{_scope(one, program)}"


def _scope(one: Campaign | Bonus, program: Program) -> str:
    channels = f", from {any_words(one.channels)}" if one.channels else ""
    return f"{_whose(one.whose, program)}{channels}{during_words(one.during)}"


def _whose(whose: Whose, program: Program) -> str:
    """What comes after a rule: ", for Gold, after 2 orders or more"."""
    return "".join(f", {part}" for part in _people(whose, program))


def _who(whose: Whose, program: Program) -> str:
    return ", ".join(_people(whose, program))


def _people(whose: Whose, program: Program) -> Iterator[str]:
    if whose.tiers:
        yield f"for {any_words(program.tier(key).name for key in whose.tiers)}"
    if whose.segments:
        yield f"for {any_words(segment.name for segment in whose.segments)}"
    if whose.tags:
        yield f"for customers tagged {any_words(whose.tags)}"
    if whose.without_tags:
        yield f"for customers not tagged {any_words(whose.without_tags)}"
    if whose.orders_from is not None:
        yield f"after {whose.orders_from} orders or more"
    if whose.orders_to is not None:
        yield f"after {whose.orders_to} orders at most"
    if whose.spend_from_minor is not None:
        yield f"after spending {money_words(Money(whose.spend_from_minor, program.currency))} or more"
    if whose.spend_to_minor is not None:
        yield f"after spending {money_words(Money(whose.spend_to_minor, program.currency))} at most"
    if whose.member_days_from is not None:
        yield f"for members of {whose.member_days_from} days or more"
    if whose.member_days_to is not None:
        yield f"for members of {whose.member_days_to} days at most"
    if whose.quiet_days_from is not None:
        yield f"after {whose.quiet_days_from} days or more without an order"


def _of(selector: Selector) -> str:
    text = goods_named(selector) or "all goods"
    if selector.subscription is not None:
        text += " by subscription" if selector.subscription else " bought once"
    return f"{text}, but not {_of(selector.excluding)}" if selector.excluding else text


def _named(selector: Selector, kind: str) -> frozenset[str]:
    return frozenset(group.removeprefix(kind) for group in selector.groups if group.startswith(kind))


def goods_named(selector: Selector) -> str:
    """ "product 7 or 8 or variant 9"; empty for none."""
    named = (
        ("product", selector.products),
        ("variant", selector.variants),
        ("what comes from", selector.vendors),
        ("collection", _named(selector, "collection:")),
        ("what is tagged", _named(selector, "tag:")),
    )
    return " or ".join(f"{word} {any_words(refs)}" for word, refs in named if refs)
