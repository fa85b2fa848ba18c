"""What people really bought: a part of the CDNOW data, its dates moved so that the last purchase was yesterday.

`cdnow.csv.gz` holds every twentieth of the 23,570 customers whose purchases Peter Fader and Bruce Hardie published
(January 1997 to June 1998; brucehardie.com/datasets). Some amounts are 0.00 and some lines repeat exactly: both are
real, and both stay.
"""

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from random import Random

_FILE = Path(__file__).parent / "cdnow.csv.gz"
_DAY_S = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """`cents` for `pieces` discs; `person` is a number from 1 on."""

    person: int
    at: datetime
    pieces: int
    cents: int


def purchases(count: int, *, now: datetime, random: Random, within_days: int | None = None) -> list[Purchase]:
    """The last `count` purchases, oldest first, at some minute of their day; the last day is yesterday.

    More than there are: the same people's again, as other people, before them. `within_days`: where they lie
    further back, all days between them are shortened alike.
    """
    rows = _rows()
    people = max(person for person, *_ in rows)
    span = max(days for _, days, *_ in rows) + 1
    yesterday = now.date() - timedelta(days=1)
    found: list[Purchase] = []
    again = 0
    while len(found) < count:
        found += [
            Purchase(
                person=person + again * people,
                at=_moment(yesterday - timedelta(days=days + again * span), now, random),
                pieces=pieces,
                cents=cents,
            )
            for person, days, pieces, cents in reversed(rows)
        ]
        again += 1
    bought = sorted(found[:count], key=lambda purchase: purchase.at)
    back = now - bought[0].at
    if within_days is None or back <= timedelta(days=within_days):
        return bought
    shorter = timedelta(days=within_days) / back
    return [replace(purchase, at=now - (now - purchase.at) * shorter) for purchase in bought]


def _moment(day: date, now: datetime, random: Random) -> datetime:
    start = datetime.combine(day, time(), tzinfo=now.tzinfo)
    return start + timedelta(seconds=random.randrange(_DAY_S))


@cache
def _rows() -> Sequence[tuple[int, int, int, int]]:
    """(person, days before the last day, pieces, cents), oldest first."""
    with gzip.open(_FILE, "rt", encoding="ascii", newline="") as file:
        lines = csv.reader(line for line in file if not line.startswith("#"))
        next(lines)
        return [(int(person), int(days), int(pieces), int(cents)) for person, days, pieces, cents in lines]
