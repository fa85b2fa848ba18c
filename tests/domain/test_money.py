import pytest

from app.domain.errors import Refused
from app.domain.money import Money


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "EUR", 1250),
        ("12.5", "EUR", 1250),
        ("12", "EUR", 1200),
        ("-3", "EUR", -300),
        ("-0.01", "EUR", -1),
        ("900", "JPY", 900),
        ("1650.00", "JPY", 1650),
        ("1.250", "KWD", 1250),
        ("1.25", "KWD", 1250),
        ("19.990000", "EUR", 1999),
        ("0.00", "EUR", 0),
    ],
)
def test_an_exact_amount_is_whole_minor_units(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency", "code"),
    [
        ("12.505", "EUR", "inexact_amount"),
        ("1650.50", "JPY", "inexact_amount"),
        ("1.2505", "KWD", "inexact_amount"),
        ("24.9O", "EUR", "not_an_amount"),
        ("", "EUR", "not_an_amount"),
        ("NaN", "EUR", "not_an_amount"),
        ("Infinity", "EUR", "not_an_amount"),
        ("1e5", "EUR", "not_an_amount"),
        ("1,50", "EUR", "not_an_amount"),
        ("٣", "EUR", "not_an_amount"),
        ("+5", "EUR", "not_an_amount"),
        (" 5", "EUR", "not_an_amount"),
        ("9" * 16, "EUR", "not_an_amount"),
        ("5.00", "XXX", "unknown_currency"),
        ("5.00", "eur", "unknown_currency"),
    ],
)
def test_what_is_not_exact_is_refused(text: str, currency: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        Money.parse(text, currency)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("money", "shown"),
    [
        (Money(2998, "EUR"), "29.98"),
        (Money(5, "EUR"), "0.05"),
        (Money(-1, "EUR"), "-0.01"),
        (Money(3000, "JPY"), "3000"),
        (Money(1250, "KWD"), "1.250"),
    ],
)
def test_money_is_shown_with_its_currencys_decimals(money: Money, shown: str) -> None:
    assert str(money) == shown
    assert Money.parse(shown, money.currency) == money


def test_currencies_are_never_mixed() -> None:
    with pytest.raises(ValueError, match="cannot mix"):
        Money(1, "EUR") + Money(1, "USD")
