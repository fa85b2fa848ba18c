"""The words that people read, in their language and in the program's unit. Pure: a message in, a text out.

A message is whole, with named places; how it is ordered is the language's own affair. What is put into a place is
put in as text and never read as a message again. Numbers, money and dates are written by `Formats`, which is handed in:
the locale's data is not the core's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Protocol

from app.domain.languages import ar, de, en, es, et, fr, pl, ru
from app.domain.languages.messages import Messages
from app.domain.money import Money
from app.domain.plurals import Plural, arabic, french, one_or_other, polish, russian, spanish

NBSP = "\u00a0"
ISOLATE, END_OF_ISOLATE = "\u2068", "\u2069"
MONEY = ".money"  # a message's other wording, where the program counts in money
_PLACE = re.compile(r"\{(\w+)\}")
_FIGURE = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    code: str
    plural: Plural
    messages: Messages
    right_to_left: bool = False


LANGUAGES: Mapping[str, Language] = {
    one.code: one
    for one in (
        Language(code="en", plural=one_or_other, messages=en.MESSAGES),
        Language(code="de", plural=one_or_other, messages=de.MESSAGES),
        Language(code="fr", plural=french, messages=fr.MESSAGES),
        Language(code="es", plural=spanish, messages=es.MESSAGES),
        Language(code="pl", plural=polish, messages=pl.MESSAGES),
        Language(code="et", plural=one_or_other, messages=et.MESSAGES),
        Language(code="ru", plural=russian, messages=ru.MESSAGES),
        Language(code="ar", plural=arabic, messages=ar.MESSAGES, right_to_left=True),
    )
}


def known_language(tag: str | None) -> str | None:
    """The language of a tag (`de`, `de-AT`, `de_AT`), if it is one of ours."""
    code = re.split("[-_]", tag or "", maxsplit=1)[0].lower()
    return code if code in LANGUAGES else None


class Formats(Protocol):
    """How a language writes what is no word."""

    def number(self, value: int) -> str: ...
    def figure(self, text: str) -> str:
        """A plain decimal such as "1299.90", all its digits kept."""

    def percent(self, text: str) -> str: ...
    def money(self, money: Money) -> str: ...
    def day(self, on: date) -> str: ...


class PlainEnglish:
    """Enough for the core by itself: no locale's data, so a currency is its code."""

    def number(self, value: int) -> str:
        return f"{value:,}"

    def figure(self, text: str) -> str:
        whole, point, decimals = text.partition(".")
        return f"{int(whole):,}{point}{decimals}"

    def percent(self, text: str) -> str:
        return f"{self.figure(text)}{NBSP}%"

    def money(self, money: Money) -> str:
        return f"{money.currency}{NBSP}{self.figure(str(money))}"

    def day(self, on: date) -> str:
        return f"{on.day} {on:%B %Y}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Words:
    """`currency`: what the program counts in; None: points. Few are made, and each is kept (`words_in`)."""

    language: Language
    formats: Formats
    currency: str | None = None

    @property
    def unit(self) -> str:
        """For programs: "points", or the currency whose smallest unit is counted."""
        return self.currency or "points"

    @property
    def counts_money(self) -> bool:
        return self.currency is not None

    def say(self, key: str, *, n: int | None = None, units: int | None = None, **values: str) -> str:
        """The message with its places filled. `n` chooses the plural; so does `units`, of what the ledger counts.

        Either fills the place {n}.
        """
        if units is not None:
            # An amount such as 5.25 takes a form of its own, or the one that fractions take.
            chosen = ("money",) if self.counts_money else (f"={abs(units)}", self.language.plural(abs(units)))
            return self._fill(key, chosen, values | {"n": self.amount(abs(units))})
        if n is not None:
            return self._fill(key, (f"={n}", self.language.plural(n)), values | {"n": self.formats.number(n)})
        return self._fill(key, (), values)

    def find(self, key: str) -> str | None:
        """A message without places, if the catalogue has it."""
        return self._fill(key, (), {}) if key in self.language.messages else None

    def say_figure(self, key: str, figure: str, **values: str) -> str:
        """The same for a number that need not be whole."""
        category = self.language.plural(int(figure)) if figure.isdecimal() else "other"
        return self._fill(key, (category,), values | {"n": self.figure(figure)})

    def points(self, units: int) -> str:
        """ "1 point", "2 points", "€0.02": what the ledger counts, in words. The one place that says so."""
        return _points(self, units)

    def amount(self, units: int) -> str:
        """The same without the word: "2", "€0.02"."""
        if self.currency is not None:
            return self.formats.money(Money(units, self.currency))
        return self.formats.number(units)

    def figure(self, text: str | int) -> str:
        """A number as the facts have it; what is none stays as it is."""
        plain = str(text)
        return self.formats.figure(plain) if _FIGURE.fullmatch(plain) else plain

    def percent(self, text: str | int) -> str:
        plain = str(text)
        return self.formats.percent(plain) if _FIGURE.fullmatch(plain) else plain

    def share(self, units: int, spend: Money) -> str | None:
        """ "5 %": what comes back of `spend`; None where that is no exact percentage, or another currency, or points."""
        if self.currency is None or self.currency != spend.currency or spend.minor == 0:
            return None
        hundredths, rest = divmod(units * 10_000, spend.minor)
        if rest:
            return None
        whole, part = divmod(hundredths, 100)
        return self.percent(f"{whole}.{part:02d}".rstrip("0").rstrip(".") if part else whole)

    def money(self, money: Money) -> str:
        return self.formats.money(money)

    def day(self, on: date) -> str:
        return self.formats.day(on)

    def _fill(self, key: str, forms: tuple[str, ...], values: Mapping[str, str]) -> str:
        messages = self.language.messages
        message = messages.get(key + MONEY, messages[key]) if self.counts_money else messages[key]
        if not isinstance(message, str):
            message = next((message[form] for form in forms if form in message), message["other"])
        return _PLACE.sub(lambda place: self._put(values[place[1]]), message)

    def _put(self, value: str) -> str:
        """Right-to-left text keeps its order around what may run the other way."""
        return f"{ISOLATE}{value}{END_OF_ISOLATE}" if self.language.right_to_left and value else value


@lru_cache(maxsize=8192)
def _points(words: Words, units: int) -> str:
    """Remembered: every panel says four balances, and most of them are small."""
    if words.counts_money:
        return words.amount(units)
    form = words.language.plural(abs(units))
    return words._fill("points", (form,), {"n": words.amount(units)})  # noqa: SLF001 - the class's own, remembered


ENGLISH = Words(language=LANGUAGES["en"], formats=PlainEnglish())
