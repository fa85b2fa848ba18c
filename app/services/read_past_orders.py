"""Past orders from a CSV file: forgiving about its form, never about what an order was."""

import csv
import gzip
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import IO, NamedTuple
from zoneinfo import ZoneInfo

from app.domain.errors import Refused
from app.domain.money import Money, exponent
from app.domain.past import PastOrder
from app.services.left_out import LeftOuts

CDNOW = "cdnow"
CDNOW_FILE = Path(__file__).with_name("cdnow.csv.gz")

_COLUMNS = {
    "order": ("order", "orderid", "orderref", "ordernumber", "number", "name"),
    "customer": ("customer", "customerid", "customerref", "member", "email"),
    "placed_at": ("placedat", "date", "createdat", "orderedat", "orderdate", "time"),
    "amount": ("amount", "total", "goods", "net", "subtotal", "value"),
    "currency": ("currency", "currencycode"),
    "paid_at": ("paidat", "datepaid"),
    "fulfilled_at": ("fulfilledat", "completedat", "datecompleted"),
}
_NEEDED = ("customer", "placed_at", "amount")
_LONGEST_LINE = 100_000
_SHOWN = 60
_YEARS = range(1970, 2101)  # anything else is a slip, and a report of so many months is no use
_DATES = "such as 2026-03-31 or 2026-03-31T18:05"


class PastRow(NamedTuple):
    """One row: an order, or a refund of one (`is_refund`: `goods_minor` is what went back, `paid_at` when)."""

    line: int
    order: PastOrder
    is_refund: bool = False


def read_past_orders(path: Path, *, currency: str, zone: ZoneInfo, left_out: LeftOuts) -> Iterator[PastRow]:
    """Every row that can be used, as the file has it; what cannot goes to `left_out`.

    `currency` and `zone` are of rows that say none. Raises: Refused("bad_request") for what is no such file.
    """
    try:
        with _open(path) as file:
            yield from _Reader(path, currency, zone, left_out).rows(file)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise Refused(
            "bad_request", f"{path} cannot be read as text of comma-separated values: {error}"
        ) from error


def _open(path: Path) -> IO[str]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


class _Reader:
    def __init__(self, path: Path, currency: str, zone: ZoneInfo, left_out: LeftOuts) -> None:
        self._path = path
        self._currency = currency
        self._left_out = left_out
        self._zone = zone
        self._line = 0

    def rows(self, file: IO[str]) -> Iterator[PastRow]:
        lines = self._counted(file)
        header = next(lines, "")
        delimiter = max(",;\t", key=header.count)
        place = self._places(next(csv.reader([header], delimiter=delimiter), []))
        width = max(place.values()) + 1
        for row in csv.reader(lines, delimiter=delimiter):
            if len(row) < width:
                if any(cell.strip() for cell in row):
                    self._left_out.add("not_a_row", self._line, delimiter.join(row)[:_SHOWN])
                continue
            found = self._row(row, place)
            if found is not None:
                yield found

    def _counted(self, file: IO[str]) -> Iterator[str]:
        """Lines without comments; `_line` is the number of the one that was given last."""
        while line := file.readline(_LONGEST_LINE):
            self._line += 1
            if not line.startswith("#") and (self._line > 1 or line.strip()):
                yield line

    def _places(self, header: Sequence[str]) -> Mapping[str, int]:
        named = {re.sub(r"[\s_\-]+", "", cell).casefold(): place for place, cell in enumerate(header)}
        place = {
            column: named[name]
            for column, names in _COLUMNS.items()
            for name in reversed(names)
            if name in named
        }
        if missing := [column for column in _NEEDED if column not in place]:
            raise Refused(
                "bad_request",
                f"{self._path}, line {self._line}: the header lacks {', '.join(missing)}; found: "
                f"{', '.join(header) or 'nothing'}. Columns that are read: {', '.join(_COLUMNS)}.",
            )
        return place

    def _row(self, row: Sequence[str], place: Mapping[str, int]) -> PastRow | None:
        left_out, line = self._left_out, self._line
        customer = row[place["customer"]].strip()
        if not customer:
            left_out.add("no_customer", line)
            return None
        currency = (row[place["currency"]].strip().upper() if "currency" in place else "") or self._currency
        amount = row[place["amount"]].strip()
        try:
            minor = _minor(amount, currency)
        except Refused as refused:
            unknown = refused.code == "unknown_currency"
            reason, allowed = ("unknown_currency", "USD") if unknown else ("bad_amount", "12.50")
            left_out.add(reason, line, f"{refused.detail} Allowed: such as {allowed}")
            return None
        order = row[place["order"]].strip() if "order" in place else ""
        if minor < 0 and not order:
            left_out.add("no_order", line, f"amount {amount}")
            return None
        text, column = row[place["placed_at"]].strip(), "placed_at"
        paid_at = fulfilled_at = None
        try:
            placed_at = _moment(text, self._zone)
            column = "paid_at"
            if column in place and (text := row[place[column]].strip()):
                paid_at = _moment(text, self._zone)
            column = "fulfilled_at"
            if column in place and (text := row[place[column]].strip()):
                fulfilled_at = _moment(text, self._zone)
        except ValueError:
            left_out.add("bad_date", line, f"“{text[:_SHOWN]}” in {column}. Allowed: {_DATES}")
            return None
        if paid_at is None:
            paid_at = placed_at
        past = PastOrder(
            customer,
            paid_at,
            (0, order or f"{line:09d}"),
            placed_at,
            # A file without such a column tells of orders that are over: they count as fulfilled when they were paid.
            fulfilled_at if "fulfilled_at" in place else paid_at,
            None,
            currency,
            abs(minor),
            (),
            None,
        )
        return PastRow(line, past, minor < 0)


@lru_cache(maxsize=65536)
def _minor(text: str, currency: str) -> int:
    exponent(currency)
    if re.fullmatch(r"-?\d+,\d{1,3}", text) and exponent(currency):
        text = text.replace(",", ".")  # a decimal comma
    return Money.parse(text, currency).minor


@lru_cache(maxsize=65536)
def _moment(text: str, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.year not in _YEARS:
        raise ValueError(moment.year)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
