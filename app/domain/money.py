"""Money: whole minor units and a currency. No floats, no rounding that is not spelled out."""

import re
from dataclasses import dataclass
from typing import Self

from app.domain.errors import Refused, quoted

# Decimals of each currency in use. Source: ISO 4217, list one (2026-01-01). A code that is not here is
# held, never guessed; precious metals, funds and test codes are left out on purpose.
_TWO = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL "
    "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP "
    "MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD "
    "SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS "
    "VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_EXPONENT = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}
_AMOUNT = re.compile(r"(-?)(\d{1,15})(?:\.(\d{1,12}))?", re.ASCII)


def exponent(currency: str) -> int:
    """How many decimals `currency` has (EUR 2, JPY 0, KWD 3).

    Raises: Refused("unknown_currency").
    """
    try:
        return _EXPONENT[currency]
    except KeyError:
        raise Refused(
            "unknown_currency", f"{quoted(currency)} is not a currency code that we know."
        ) from None


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` smallest units (cents, yen, fils) of `currency` (ISO 4217, upper case)."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """The exact amount written in `text`, such as "12.50" or "-3".

        Zeros beyond the currency's decimals are exact ("1650.00" JPY); other digits there are not.

        Raises: Refused("unknown_currency"), Refused("not_an_amount"), Refused("inexact_amount").
        """
        decimals = exponent(currency)
        match = _AMOUNT.fullmatch(text)
        if match is None:
            raise Refused("not_an_amount", f"A price is not a number: {quoted(text)}.")
        sign, whole, fraction = match[1], match[2], match[3] or ""
        if fraction[decimals:].strip("0"):
            raise Refused("inexact_amount", f"{text} has more decimals than {currency} ({decimals}).")
        minor = int(whole + fraction[:decimals].ljust(decimals, "0"))
        return cls(-minor if sign else minor, currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(0, currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __str__(self) -> str:
        """The bare number with the currency's decimals: "29.98", "3000", "-1.250"."""
        decimals = exponent(self.currency)
        digits = str(abs(self.minor)).rjust(decimals + 1, "0")
        whole, fraction = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
        return ("-" if self.minor < 0 else "") + whole + (f".{fraction}" if fraction else "")

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")
        return other.minor
