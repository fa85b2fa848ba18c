"""Words for people: how each language writes numbers, money and days, and the sentences that several services need.

By the locale's data, never by hand. The words themselves are the core's: app/domain/words.py.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_symbol

from app.domain.counting import Facts
from app.domain.money import Money, exponent
from app.domain.offering import reward_title, title_facts
from app.domain.program import Program, Rate
from app.domain.redeeming import Bought
from app.domain.rules import During
from app.domain.words import LANGUAGES, NBSP, Words, known_language

_DAY_NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_LOCALES = {"en": "en_GB"}  # elsewhere the language's own
_POINTS = re.compile(r"\b[Pp]oints\b")
# Four digits stay together there ("1234", but "12.345"), as browsers write them: CLDR's minimumGroupingDigits, which
# Babel does not read.
_GROUPED_FROM_FIVE = ("es", "et", "pl")
_MARKS = str.maketrans("", "", "\u200e\u200f\u061c")  # places are isolated as a whole


@dataclass(frozen=True, slots=True)
class BabelFormats:
    """How a language writes numbers, money and days, by the locale's data. Western digits everywhere.

    What is written is remembered: the same few prices and figures are read all the time.
    """

    language: str

    def number(self, value: int) -> str:
        return _number(value, self.language)

    def figure(self, text: str) -> str:
        return _figure(text, self.language)

    def percent(self, text: str) -> str:
        return _percent(text, self.language)

    def money(self, money: Money) -> str:
        return _money(money, self.language)

    def day(self, on: date) -> str:
        return str(format_date(on, "long", locale=_LOCALES.get(self.language, self.language))).translate(
            _MARKS
        )


@lru_cache(maxsize=4096)
def words_in(language: str | None, unit_currency: str | None = None) -> Words:
    """`language`: one of ours, else English. `unit_currency`: what the ledger counts in; None: points."""
    known = known_language(language) or "en"
    return Words(language=LANGUAGES[known], formats=BabelFormats(known), currency=unit_currency)


def words_for(program: Program, language: str | None = "en") -> Words:
    """For a reader of the program: in `language` if it is one of ours, else in the program's own."""
    return words_in(known_language(language) or program.language, program.unit_currency)


ENGLISH = words_in("en")


@lru_cache(maxsize=4096)
def _number(value: int, language: str) -> str:
    return str(format_decimal(value, locale=language, group_separator=_is_grouped(Decimal(value), language)))


def _is_grouped(value: Decimal, language: str) -> bool:
    return language not in _GROUPED_FROM_FIVE or abs(value) >= 10_000


@lru_cache(maxsize=4096)
def _figure(text: str, language: str) -> str:
    decimals = len(text.partition(".")[2])
    pattern = f"#,##0{'.' if decimals else ''}{'0' * decimals}"
    value = Decimal(text)
    return str(format_decimal(value, pattern, locale=language, group_separator=_is_grouped(value, language)))


@lru_cache(maxsize=4096)
def _percent(text: str, language: str) -> str:
    if language == "en":
        return f"{_figure(text, language)}{NBSP}%"  # the look's own: never broken before the sign
    share = Decimal(text).scaleb(-2)
    grouped = _is_grouped(Decimal(text), language)
    return str(
        format_percent(share, locale=language, decimal_quantization=False, group_separator=grouped)
    ).translate(_MARKS)


@lru_cache(maxsize=4096)
def _money(money: Money, language: str) -> str:
    """Always the currency's own decimals, whatever a locale thinks of them."""
    decimals = exponent(money.currency)
    symbol = get_currency_symbol(money.currency, language)
    if language == "en":
        gap = NBSP if symbol[-1].isalpha() else ""
        pattern = f"¤{gap}#,##0.00"
    else:
        pattern = str(Locale.parse(language).currency_formats["standard"].pattern).partition(";")[0]
    own = f"0{'.' if decimals else ''}{'0' * decimals}"
    amount = Decimal(money.minor).scaleb(-decimals)
    text = format_currency(
        amount,
        money.currency,
        pattern.replace("0.00", own),
        locale=language,
        currency_digits=False,
        group_separator=_is_grouped(amount, language),
    )
    return str(text).translate(_MARKS).strip()


def money_words(money: Money) -> str:
    """ "€5.00", "¥3,000", "KWD 1.250", as the admin has it."""
    return _money(money, "en")


def bought_title(bought: Bought, words: Words = ENGLISH) -> str:
    """The name of what is being bought, or was. One that nobody gave it is said in the reader's language."""
    named = "" if bought.title == _own_title(bought, ENGLISH) else bought.title
    return named or _own_title(bought, words)


def bought_facts(bought: Bought) -> Facts:
    """What the ledger keeps of that name: enough to say it in any language, where nobody gave one."""
    own = _own_title(bought, ENGLISH)
    return title_facts(
        bought.title or own,
        "" if bought.title == own else bought.title,
        bought.kind,
        amount=bought.amount,
        percent=bought.percent,
        maximum=bought.maximum,
    )


def _own_title(bought: Bought, words: Words) -> str:
    return reward_title(
        "",
        bought.kind,
        amount=bought.amount,
        percent=bought.percent,
        maximum=bought.maximum,
        words=words,
    )


def earn_words(rate: Rate, currency: str, words: Words) -> str:
    """ "1 point for every €1.00"; "5 % back" where the program counts in that money."""
    spend = Money(rate.spend_minor, currency)
    if (share := words.share(rate.points, spend)) is not None:
        return words.say("earn.share", percent=share)
    return words.say("earn", points=words.points(rate.points), money=words.money(spend))


def in_unit(text: str, words: Words) -> str:
    """An English text for the staff that names points, as it reads where the program counts in money.

    The text has no verb that goes with the word: cashback is singular.
    """
    if not words.counts_money:
        return text
    return _POINTS.sub(lambda found: "Cashback" if found[0][0] == "P" else "cashback", text)


def during_words(during: During) -> str:
    """ ", from 1 December 2026, through 24 December 2026, on Mondays"; empty: always."""
    text = f", from {_moment(during.starts)}" if during.starts else ""
    if during.ends:
        # People read an end as the last day that counts.
        whole = during.ends.time() == datetime.min.time()
        text += (
            f", through {_moment(during.ends - timedelta(days=1))}"
            if whole
            else f", until {_moment(during.ends)}"
        )
    if during.days:
        text += f", on {any_words(_DAY_NAMES[day] for day in sorted(during.days))}"
    if during.hours:
        text += f", from {during.hours[0]:%H:%M} to {during.hours[1]:%H:%M}"
    return text


def _moment(moment: datetime) -> str:
    day = f"{moment.day} {moment:%B %Y}"
    return day if moment.time() == datetime.min.time() else f"{day}, {moment:%H:%M}"


def any_words(words: Iterable[str]) -> str:
    """ "a", "a or b", "a, b or c"; only some of very many."""
    found = sorted(words) if isinstance(words, frozenset) else list(words)
    shown = found[:6] if len(found) <= 6 else [*found[:5], f"{len(found) - 5} more"]
    return " or ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else str(shown[0])
