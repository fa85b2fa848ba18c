"""Every language says all that English says, with the same places and its own plurals; what is put in is only text."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from babel import Locale
from babel.dates import format_date

from app.domain.activities import LimitPer, Side
from app.domain.awarding import Withheld
from app.domain.counting import Facts
from app.domain.earning import Zero
from app.domain.explaining import Waits, activity_sentence, counted, order_sentence, sentence
from app.domain.history import Happening
from app.domain.ledger import Book, Draft, EntryKind
from app.domain.offering import reward_title
from app.domain.rewards import LimitPer as RewardLimitPer
from app.domain.rewards import RewardKind
from app.domain.words import (
    END_OF_ISOLATE,
    ENGLISH,
    ISOLATE,
    LANGUAGES,
    MONEY,
    Language,
    Words,
    known_language,
)
from app.web.widget_files import FOLDER
from tests.domain.test_explaining import BACK, BACK_AGAIN, LET_OFF, MEMBER, ORDER, REWARD
from tests.factories import START, eur

_PLACES = re.compile(r"\{\w*\}")
_OTHERS = [one for one in LANGUAGES if one != "en"]
_SAME = {  # equal to the English and right: bare places, and words that the language shares
    "amount.in", "activity.earned", "activity.nothing", "order.waits", "sum.bonus", "sum.percent", "value.named",
    "zero.only", "label.bonus", "label.limit", "label.points", "activity.changed",
}  # fmt: skip
_FINER: Facts = {
    **ORDER,
    "counts": "29.98",
    "part.1.counts": "19.98",
    "part.1.rate": "Kaffee {points}",
    "part.1.points": 3,
    "part.1.spend": "1.00",
    "part.1.campaign.1": "Double",
    "part.1.campaign.1.percent": 200,
    "part.2.counts": "10.00",
    "part.2.rate": "Mugs",
    "part.2.points": 5,
    "part.2.pieces": "2",
    "bonus.1": "First",
    "bonus.1.points": 50,
    "cap": "A day",
    "cap.room": 60,
    "before_cap": 99,
    "stacking": "highest",
}
_ACTIVITY: Facts = {
    "rule": "activity",
    "activity": "r",
    "name": "Review",
    "version": 2,
    "points": 10,
    "target": 10,
}
_REFERRAL: Facts = {"rule": "referral", "side": Side.FRIEND.value, "version": 2, "points": 9, "target": 9}
_LEVEL: Facts = {"rule": "tier", "tier_name": "Gold", "version": 1, "points": 100, "target": 100}


def words(language: str, currency: str | None = None) -> Words:
    return Words(language=LANGUAGES[language], formats=ENGLISH.formats, currency=currency)


def forms(language: Language) -> Iterator[tuple[str, str]]:
    for key, message in language.messages.items():
        yield from [(key, message)] if isinstance(message, str) else [(key, one) for one in message.values()]


@pytest.mark.parametrize("code", LANGUAGES)
def test_it_has_every_message_and_no_other(code: str) -> None:
    assert set(LANGUAGES[code].messages) == set(LANGUAGES["en"].messages)


@pytest.mark.parametrize("code", _OTHERS)
def test_places_are_those_of_the_english(code: str) -> None:
    english: dict[str, set[str]] = {}
    for key, form in forms(LANGUAGES["en"]):
        english.setdefault(key, set()).update(_PLACES.findall(form))
    for key, form in forms(LANGUAGES[code]):
        found = set(_PLACES.findall(form))
        # A number may be a word, as in “once”: there the place {n} is missing.
        assert found | {"{n}"} == english[key] | {"{n}"}, (key, form)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_message_that_counts_has_each_plural_form_of_the_language(code: str) -> None:
    rule = Locale.parse(code).plural_form
    reached = {rule(n) for n in [*range(2000), 1_000_000, 2_000_000]} | {"other"}
    for key, message in LANGUAGES[code].messages.items():
        if not isinstance(message, str):
            assert {form for form in message if form != "money" and form[0] != "="} == reached, key


@pytest.mark.parametrize("code", LANGUAGES)
def test_plurals_are_those_of_the_cldr(code: str) -> None:
    rule = Locale.parse(code).plural_form
    for n in [*range(3000), 10_000, 1_000_000, 1_000_001, 3_000_000]:
        assert LANGUAGES[code].plural(n) == rule(n), n


@pytest.mark.parametrize("code", _OTHERS)
def test_no_english_is_left(code: str) -> None:
    english = LANGUAGES["en"].messages
    for key, message in LANGUAGES[code].messages.items():
        assert message != english[key] or key in _SAME, key


@pytest.mark.parametrize("code", ["ru", "ar"])
def test_another_script_has_no_latin_letters(code: str) -> None:
    for key, form in forms(LANGUAGES[code]):
        assert not re.search("[A-Za-z]", _PLACES.sub("", form)), (key, form)


def test_what_stands_for_money_stands_beside_a_message_for_points() -> None:
    keys = set(ENGLISH.language.messages)
    assert {key for key in keys if key.endswith(MONEY)}
    assert {key.removesuffix(MONEY) for key in keys} <= keys


def every_facts() -> Iterator[Facts]:
    yield from (ORDER, BACK, MEMBER, _FINER, {**_FINER, "stacking": "add"}, _LEVEL, REWARD, LET_OFF, {})
    yield from (
        {**ORDER, "target": 0, "zero": zero.value, "given": given} for zero in Zero for given in (0, 1, 5)
    )
    for zero in Withheld:
        for given in (0, 3):
            yield {**_ACTIVITY, "target": 0, "zero": zero.value, "given": given}
            yield {**_REFERRAL, "target": 0, "zero": zero.value, "given": given}
    for per in LimitPer:
        limited = {**_ACTIVITY, "target": 0, "zero": Withheld.LIMIT.value, "limit_per": per.value}
        yield from ({**limited, "limit": times} for times in (1, 2, 3, 11, 100))
    yield from ({**_ACTIVITY, "given": given} for given in (0, 1, 2, 5))
    yield {**_REFERRAL, "side": Side.REFERRER.value, "minimum": "20.00", "order": "#7"}
    yield from (
        {**BACK_AGAIN, "why": why} for why in ("cancelled", "expired", "failed", "refund", "order_void", "?")
    )
    yield from ({"rule": "held", "why": why, "currency": "JPY"} for why in ("no_rate", "shop_facts"))
    yield {"rule": "write_off", "tier_name": "Gold"}
    yield {"rule": "write_off", "activity": "r", "name": "Review"}
    yield {"rule": "adjustment", "adjustment": 3}


@pytest.mark.parametrize("currency", [None, "EUR"])
@pytest.mark.parametrize("code", LANGUAGES)
def test_every_entry_explains_itself(code: str, currency: str | None) -> None:
    said = words(code, currency)
    for facts in every_facts():
        for kind in EntryKind:
            for points in (-100, -5, -2, -1, 1, 2, 3, 11, 100, 1_000_000):
                text = sentence(kind, points, facts, words=said)
                assert text.rstrip(END_OF_ISOLATE).endswith("."), text
        book = Book((1, 1))
        entry = book.credit(Draft(EntryKind.EARN, 5, "order:1", 0, START, facts=facts), now=START)
        assert Happening((entry,)).heading(said)
        assert all(line.label and line.value for line in counted(facts, words=said))
    for waits in Waits:
        assert order_sentence(MEMBER, waits=waits, words=said)
    assert sentence(EntryKind.ADJUSTMENT, 5, {}, reason="Mug", words=said)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_message_can_be_said(code: str) -> None:
    """Those that the core says with a key made of another word, too."""
    said = words(code)
    for kind in RewardKind:
        for step in (None, 50):
            assert reward_title(
                "", kind, amount=eur("5.00"), percent=10, maximum=eur("9.00"), step=step, words=said
            )
    for per in RewardLimitPer:
        assert said.say(f"barrier.had.{per.value}", n=2)
    for key in LANGUAGES["en"].messages:
        values: dict[str, Any] = {
            place[1:-1]: "x" for place in _PLACES.findall(str(LANGUAGES["en"].messages[key]))
        } | {"place": "1"}
        values.pop("n", None)
        assert said.say(key, n=3, **values)


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_is_put_in_is_text(code: str) -> None:
    odd = "{n} {title} <b>%s</b> {0}"
    text = sentence(EntryKind.REDEEM, -100, {"title": odd}, words=words(code))
    assert odd in text
    assert odd in activity_sentence({**_ACTIVITY, "name": odd}, words=words(code))


def test_right_to_left_text_isolates_what_runs_the_other_way() -> None:
    said = words("ar")
    text = sentence(EntryKind.REDEEM, -100, {"title": "Mug (blue)"}, words=said)
    assert f"{ISOLATE}Mug (blue){END_OF_ISOLATE}" in text
    for facts in every_facts():
        for kind in EntryKind:
            text = sentence(kind, 5, facts, words=said)
            assert text.count(ISOLATE) == text.count(END_OF_ISOLATE)
            bare = re.sub(f"{ISOLATE}[^{ISOLATE}{END_OF_ISOLATE}]*{END_OF_ISOLATE}", "", text)
            while bare != (
                inner := re.sub(f"{ISOLATE}[^{ISOLATE}{END_OF_ISOLATE}]*{END_OF_ISOLATE}", "", bare)
            ):
                bare = inner
            assert not re.search("[A-Za-z0-9]", bare), text
    assert ISOLATE not in sentence(EntryKind.REDEEM, -100, {"title": "Mug"}, words=words("de"))


def test_a_language_is_found_by_its_tag() -> None:
    assert [known_language(tag) for tag in ("de", "de-AT", "de_CH", "AR", "pt-BR", "", None)] == [
        "de", "de", "de", "ar", None, None, None,
    ]  # fmt: skip


_SAID_BY_BOTH = (
    ("tiers", "page.tiers"),
    ("tab_rewards", "page.rewards"),
    ("sign_in", "page.sign_in"),
    ("close", "page.close"),
)


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_widget_and_the_pages_call_a_thing_by_one_name(code: str) -> None:
    widget = json.loads((FOLDER / f"messages/{code}.json").read_text())
    for ours, servers in _SAID_BY_BOTH:
        assert widget[ours] == LANGUAGES[code].messages[servers], ours


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_sentence_ends_twice(code: str) -> None:
    """A Russian day with its year ends in a full stop of its own."""
    if not format_date(START, "long", locale=code).endswith("."):
        return
    widget = json.loads((FOLDER / f"messages/{code}.json").read_text())
    told = [text for one in widget.values() for text in (one.values() if isinstance(one, dict) else [one])]
    told += [text for _, text in forms(LANGUAGES[code])]
    assert [text for text in told if re.search(r"\{(date|day)\}\.", text)] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_heading_begins_with_a_small_letter(code: str) -> None:
    widget = json.loads((FOLDER / f"messages/{code}.json").read_text())
    if widget["heading"].startswith("{unit}"):
        for unit in widget["unit_title"].values():
            assert unit[0] == unit[0].upper()
