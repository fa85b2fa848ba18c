"""Money and rewards in words. By the locale's data, never by hand; English, until sentences come in more languages."""

from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency, get_currency_symbol

from app.domain.explaining import NBSP, points_of
from app.domain.money import Money, exponent
from app.domain.program import Rate
from app.domain.redeeming import Bought
from app.domain.rewards import RewardKind

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
