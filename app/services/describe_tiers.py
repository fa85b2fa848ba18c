"""A program's levels in plain sentences, for those who run it. English, as the admin is."""

from dataclasses import dataclass

from app.domain.money import Money
from app.domain.program import Program
from app.domain.rules import Selector
from app.domain.tier_rules import Downgrade, Measure, Tier, Window
from app.domain.words import NBSP
from app.services.describe_rules import goods_named
from app.services.wording import any_words, in_unit, money_words, words_for


@dataclass(frozen=True, slots=True)
class TierWords:
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class TiersWords:
    """`counts`: what is counted and how long; `levels`: lowest first; `lost`: how a level is lost."""

    counts: str
    levels: tuple[TierWords, ...]
    lost: str


def describe_tiers(program: Program) -> TiersWords:
    return TiersWords(
        counts=f"by {any_words(_measures(program))}, {_window(program)}",
        levels=tuple(TierWords(tier.name, _level(tier, program)) for tier in program.tiers),
        lost=_lost(program),
    )


def threshold_words(measure: Measure, threshold: int, program: Program) -> str:
    """ "€500.00", "1,000 points", "3 orders"."""
    match measure:
        case Measure.SPEND:
            return money_words(Money(threshold, program.currency))
        case Measure.POINTS:
            return words_for(program).points(threshold)
        case Measure.ORDERS:
            return f"{threshold:,} {'order' if threshold == 1 else 'orders'}"


def _measures(program: Program) -> list[str]:
    points = in_unit("points earned", words_for(program))
    names = {Measure.SPEND: "spend", Measure.POINTS: points, Measure.ORDERS: "orders"}
    used = {measure for tier in program.tiers for measure, least in tier.thresholds.items() if least}
    return [name for measure, name in names.items() if measure in used] or ["spend"]


def _window(program: Program) -> str:
    match program.window:
        case Window.ROLLING:
            months = program.tier_months
            return f"over {months} {'month' if months == 1 else 'months'}"
        case Window.CALENDAR_YEAR:
            return "in a calendar year; what one year reached holds till the end of the next"
        case Window.LIFETIME:
            return "for life"


def _level(tier: Tier, program: Program) -> str:
    ways = [
        f"from {threshold_words(measure, least, program)}"
        for measure, least in tier.thresholds.items()
        if least
    ]
    if 0 in tier.thresholds.values():
        ways = ["from the start"]
    if tier.paid is not None:
        what = goods_named(Selector(products=tier.paid.products, variants=tier.paid.variants))
        ways.append(f"for {tier.paid.days} days with each {what}")
    if tier.invitation_only:
        ways.append("by invitation only")
    text = f"{any_words(ways)}; earns {tier.earn_percent}{NBSP}%"
    if tier.entry_points:
        text += f"; {words_for(program).points(tier.entry_points)} once for reaching it"
    return f"{text}; {', '.join(tier.perks)}" if tier.perks else text


def _lost(program: Program) -> str:
    grace = f", after {program.grace_days} days of grace" if program.grace_days else ""
    step = ", one level at a time" if program.downgrade is Downgrade.ONE_STEP else ""
    return f"Up at once; down at review{grace}{step}"
