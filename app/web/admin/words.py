"""Numbers, dates, money and states in words: by the locale's data, in the program's time zone, never by hand."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton, format_time, format_timedelta
from babel.numbers import format_decimal
from flask import Flask, g
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from app.domain.money import Money
from app.domain.program import Program
from app.domain.tier_rules import Window
from app.domain.words import Words
from app.services import wording
from app.services.describe_member import NextTier
from app.services.find_words import program_words
from app.services.wording import money_words
from app.web.here import runtime

T = TypeVar("T")

LOCALE = "en_GB"
MINUS = "\u2212"
_YEAR = timedelta(days=365)


def number(value: int) -> str:
    return str(format_decimal(value, locale="en")).replace("-", MINUS)


def signed(value: int) -> str:
    """ "+37", "−100"."""
    return f"+{number(value)}" if value > 0 else number(value)


def said() -> Words:
    """The words of the visitor's program, in English as all of the admin is; looked up once a request."""
    if "words" not in g:
        g.words = program_words(runtime(), g.visitor.program_id)
    found: Words = g.words
    return found


def points(value: int) -> str:
    """ "2 points", "€0.02": what the program counts."""
    return said().points(value).replace("-", MINUS)


def units(value: int) -> str:
    """The same without the word: "2", "€0.02"."""
    return said().amount(value).replace("-", MINUS)


def in_unit(text: str) -> str:
    """ "Points left" is "Cashback left" where the program counts in money."""
    return wording.in_unit(text, said())


def signed_units(value: int) -> str:
    """ "+37", "−€1.00"."""
    return f"+{units(value)}" if value > 0 else units(value)


def way_to(above: NextTier) -> str:
    """What is still missing to it, in words: "3 more orders to Gold"."""
    return above.sentence_in(said()) or ""


def counted(value: int, one: str, many: str | None = None) -> str:
    """ "1 order", "2 orders"."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def zone() -> ZoneInfo:
    seen = g.get("visitor")
    return ZoneInfo(seen.timezone if seen else "UTC")


def day(at: datetime, *, year: bool | None = None) -> str:
    """ "5 December"; with its year beyond 12 months, or where it must be there."""
    local, now = at.astimezone(zone()), runtime().now()
    if year or (year is None and abs(at - now) > _YEAR):
        return str(format_date(local, "long", locale=LOCALE))
    return str(format_skeleton("MMMMd", local, tzinfo=zone(), locale=LOCALE))


def short_day(at: datetime) -> str:
    far = abs(at - runtime().now()) > _YEAR
    return str(
        format_skeleton("yMMMd" if far else "MMMd", at.astimezone(zone()), tzinfo=zone(), locale=LOCALE)
    )


def month(at: datetime) -> str:
    return str(format_skeleton("yMMMM", at.astimezone(zone()), tzinfo=zone(), locale=LOCALE))


def clock(at: datetime) -> str:
    return str(format_time(at.astimezone(zone()), "HH:mm", tzinfo=zone(), locale=LOCALE))


def moment(at: datetime) -> str:
    """ "21 Nov, 13:54"."""
    return f"{short_day(at)}, {clock(at)}"


def exactly(at: datetime) -> str:
    return f"{day(at, year=True)}, {clock(at)}"


def when(at: datetime | None, never: str = "never") -> Markup | str:
    """Relative within 24 hours, else day and time; the exact moment for machines and on hovering."""
    if at is None:
        return never
    away = at - runtime().now()
    if abs(away) < timedelta(minutes=1):
        said = "just now" if away <= timedelta(0) else "in a moment"
    elif abs(away) < timedelta(hours=24):
        said = str(
            format_timedelta(away, add_direction=True, locale=LOCALE, threshold=1.1, granularity="minute")
        )
    else:
        said = moment(at)
    return stamp(at, said)


def stamp(at: datetime, said: str) -> Markup:
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), exactly(at), said)


def money(amount: Money) -> str:
    return money_words(amount)


def minor(amount: int, currency: str) -> str:
    return money_words(Money(amount, currency))


def initials(name: str) -> str:
    return "".join(word[0] for word in name.split()[:2]).upper()


def counted_over(program: Program) -> str:
    """ "in 12 months", "this year", "in all": what counts towards tiers."""
    match program.window:
        case Window.ROLLING:
            return f"in {counted(program.tier_months, 'month')}"
        case Window.CALENDAR_YEAR:
            return "this year"
        case Window.LIFETIME:
            return "in all"


_REASONS = {
    "no_rate": "The program has no rate for their currency: they count as soon as one is published.",
    "shop_facts": "The shop is asked what their products or customers belong to: they count as soon as it answers.",
}


def reason(word: str) -> str:
    """Why something waits, where it is kept as a word."""
    return _REASONS.get(word, word)


_FILTERS = (
    number,
    signed,
    points,
    units,
    in_unit,
    signed_units,
    way_to,
    counted,
    day,
    short_day,
    month,
    clock,
    moment,
    exactly,
    when,
    money,
    minor,
    initials,
)


def register(app: Flask) -> None:
    for filter_ in (*_FILTERS, reason):
        app.jinja_env.filters[filter_.__name__] = _each_time(filter_)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _each_time(filter_: Callable[..., T]) -> Callable[..., T]:
    """What looks at a context is not worked out once for all: Jinja does that with a filter of a text that stands in
    the template, while it compiles the template, for whichever program's page was asked for first."""

    @pass_context
    def asked(_: Context, *values: Any, **named: Any) -> T:
        return filter_(*values, **named)

    return asked
