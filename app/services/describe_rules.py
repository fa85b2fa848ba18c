"""The finer rules of a program in plain sentences, for those who run it. English, as the admin is."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.explaining import NBSP, points_of
from app.domain.money import Money
from app.domain.program import Program
from app.domain.rules import Bonus, Campaign, CapPer, ProductRate, Selector, Stacking, Whose
from app.services.wording import any_words, during_words, money_words

_PER = {CapPer.ORDER: "an order", CapPer.DAY: "a day", CapPer.MONTH: "a month", CapPer.MEMBER: "in all"}
_STACKING = {
    Stacking.MULTIPLY: "percents are multiplied with each other",
    Stacking.ADD: "what each adds to 100 % is added up",
    Stacking.HIGHEST: "the highest percent alone counts",
}


@dataclass(frozen=True, slots=True)
class RuleWords:
    """`kind`: base, minimum, channels, exclude, rate, campaign, stacking, bonus, cap."""

    kind: str
    name: str
    text: str


def describe_rules(program: Program) -> list[RuleWords]:
    """In the order in which they are applied; empty for a program with its one rate only."""
    rules = program.rules
    return [
        *_selection(program),
        *(RuleWords("rate", one.name, _rate(one, program)) for one in rules.rates),
        *(RuleWords("campaign", one.name, _campaign(one, program)) for one in rules.campaigns),
        *(
            [RuleWords("stacking", "Several percents at once", _STACKING[rules.stacking])]
            if rules.campaigns
            else []
        ),
        *(RuleWords("bonus", one.name, _bonus(one, program)) for one in rules.bonuses),
        *(
            RuleWords("cap", one.name, f"at most {points_of(one.points)} {_PER[one.per]}")
            for one in rules.caps
        ),
    ]


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
        yield RuleWords("exclude", "Excluded", f"no points for {_of(rules.exclude)}")
    if rules.minimum_minor is not None:
        least = money_words(Money(rules.minimum_minor, program.currency))
        yield RuleWords("minimum", "Minimum", f"an order earns if {least} of it count")


def _rate(rate: ProductRate, program: Program) -> str:
    if rate.spend_minor is None:
        return f"{points_of(rate.points)} for each piece of {_of(rate.of)}"
    spend = money_words(Money(rate.spend_minor, program.currency))
    return f"{points_of(rate.points)} for every {spend} of {_of(rate.of)}"


def _campaign(one: Campaign, program: Program) -> str:
    goods = "" if one.of.is_everything else f" of {_of(one.of)}"
    return f"{one.percent}{NBSP}% of the points{goods}{_scope(one, program)}"


def _bonus(one: Bonus, program: Program) -> str:
    when = ""
    if one.order_number is not None:
        when = f" for a member’s order no. {one.order_number}"
    if one.every is not None:
        when += f" for every {one.every}th order"
    if one.spend_from_minor is not None:
        when += f" from {money_words(Money(one.spend_from_minor, program.currency))} on"
    goods = "" if one.of.is_everything else f" with {_of(one.of)}"
    return f"{points_of(one.points)}{when}{goods}{_scope(one, program)}"


def _scope(one: Campaign | Bonus, program: Program) -> str:
    channels = f", from {any_words(one.channels)}" if one.channels else ""
    return f"{_whose(one.whose, program)}{channels}{during_words(one.during)}"


def _whose(whose: Whose, program: Program) -> str:
    text = f", for {any_words(program.tier(key).name for key in whose.tiers)}" if whose.tiers else ""
    if whose.orders_from is not None:
        text += f", after {whose.orders_from} orders or more"
    if whose.orders_to is not None:
        text += f", after {whose.orders_to} orders at most"
    return text


def _of(selector: Selector) -> str:
    named = [
        f"{word} {any_words(refs)}"
        for word, refs in (
            ("product", selector.products),
            ("variant", selector.variants),
            ("what comes from", selector.vendors),
        )
        if refs
    ]
    text = " or ".join(named) or "all goods"
    if selector.subscription is not None:
        text += " by subscription" if selector.subscription else " bought once"
    return f"{text}, but not {_of(selector.excluding)}" if selector.excluding else text
