"""Money and rewards in words. By the locale's data, never by hand; English, until sentences come in more languages."""

from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency, get_currency_symbol

from app.domain.explaining import NBSP, points_of
from app.domain.money import Money, exponent
from app.domain.program import Rate, RewardKind

LOCALE = "en"


@lru_cache(maxsize=4096)
def money_words(money: Money) -> str:
    """ "€5.00", "¥3,000", "KWD 1.250": always the currency's own decimals."""
    decimals = exponent(money.currency)
    symbol = get_currency_symbol(money.currency, LOCALE)
    gap = NBSP if symbol[-1].isalpha() else ""
    pattern = f"¤{gap}#,##0{'.' if decimals else ''}{'0' * decimals}"
    amount = Decimal(money.minor).scaleb(-decimals)
    return str(format_currency(amount, money.currency, pattern, LOCALE, currency_digits=False))


def reward_title(named: str, kind: RewardKind, *, amount: Money | None, percent: int | None) -> str:
    """What the merchant calls it, or what it is."""
    if named:
        return named
    match kind:
        case RewardKind.AMOUNT:
            return f"{money_words(amount)} off" if amount else "Money off"
        case RewardKind.PERCENT:
            return f"{percent}{NBSP}% off"
        case RewardKind.FREE_SHIPPING:
            return "Free shipping"


def earn_words(rate: Rate, currency: str) -> str:
    """ "1 point for every €1.00"."""
    return f"{points_of(rate.points)} for every {money_words(Money(rate.spend_minor, currency))}"
