"""Money and rewards in words. By the locale's data, never by hand; English, until sentences come in more languages."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency, get_currency_symbol

from app.domain.explaining import NBSP, points_of
from app.domain.money import Money, exponent
from app.domain.program import Rate
from app.domain.redeeming import Bought
from app.domain.rewards import RewardKind
from app.domain.rules import During

LOCALE = "en"
_DAY_NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@lru_cache(maxsize=4096)
def money_words(money: Money) -> str:
    """ "€5.00", "¥3,000", "KWD 1.250": always the currency's own decimals."""
    decimals = exponent(money.currency)
    symbol = get_currency_symbol(money.currency, LOCALE)
    gap = NBSP if symbol[-1].isalpha() else ""
    pattern = f"¤{gap}#,##0{'.' if decimals else ''}{'0' * decimals}"
    amount = Decimal(money.minor).scaleb(-decimals)
    return str(format_currency(amount, money.currency, pattern, LOCALE, currency_digits=False))


def reward_title(
    named: str,
    kind: RewardKind,
    *,
    amount: Money | None,
    percent: int | None,
    maximum: Money | None = None,
    step: int | None = None,
) -> str:
    """What the merchant calls it, or what it is. `step`: so many points give `amount` each time."""
    if named:
        return named
    worth = money_words(amount) if amount else "Money"
    every = f" for every {points_of(step)}" if step else ""
    match kind:
        case RewardKind.AMOUNT:
            return f"{worth} off{every}"
        case RewardKind.STORE_CREDIT:
            return f"{worth} of store credit{every}"
        case RewardKind.GIFT_CARD:
            return f"{worth} gift card{every}"
        case RewardKind.PERCENT:
            most = f", at most {money_words(maximum)}" if maximum else ""
            return f"{percent}{NBSP}% off{most}"
        case RewardKind.FREE_SHIPPING:
            return "Free shipping"
        case RewardKind.PRODUCT:
            return "Free product"
        case RewardKind.PERK:
            return "Perk"


def bought_title(bought: Bought) -> str:
    return reward_title(
        bought.title, bought.kind, amount=bought.amount, percent=bought.percent, maximum=bought.maximum
    )


def earn_words(rate: Rate, currency: str) -> str:
    """ "1 point for every €1.00"."""
    return f"{points_of(rate.points)} for every {money_words(Money(rate.spend_minor, currency))}"


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
