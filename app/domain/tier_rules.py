"""What a program says of its levels: what reaches them, how long that counts, how they are lost. Data only.

`app.domain.tiers` applies it; docs/program.md says it in words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Measure(StrEnum):
    """What of a member's orders can reach a level."""

    SPEND = "spend"
    POINTS = "points"
    ORDERS = "orders"


class Window(StrEnum):
    """Which orders count towards levels."""

    ROLLING = "rolling"  # of the last so many months
    CALENDAR_YEAR = "calendar_year"  # of this year; what last year reached holds till the end of this one
    LIFETIME = "lifetime"


class Downgrade(StrEnum):
    TO_LEVEL = "to_level"  # to the level that is reached
    ONE_STEP = "one_step"  # to the next lower one, which holds for one window


_THRESHOLDS = {Measure.SPEND: "from_minor", Measure.POINTS: "from_points", Measure.ORDERS: "from_orders"}


@dataclass(frozen=True, slots=True)
class Paid:
    """What buys a level, by the shop's ids; each piece buys it for so many days."""

    products: frozenset[str]
    variants: frozenset[str]
    days: int


@dataclass(frozen=True, slots=True)
class Tier:
    """`thresholds`: any one of them that is reached is enough. Spend in the program's currency, minor units.

    A level without thresholds is given by staff, or bought if `paid`. `entry_points`: given once to who reaches it.
    """

    key: str
    name: str
    thresholds: Mapping[Measure, int]
    earn_percent: int
    entry_points: int = 0
    perks: tuple[str, ...] = ()
    invitation_only: bool = False
    paid: Paid | None = None


def decode_levels(levels: Sequence[Mapping[str, Any]]) -> tuple[Tier, ...]:
    """Lowest first."""
    return tuple(
        Tier(
            key=level["key"],
            name=level["name"],
            thresholds=thresholds_of(level),
            earn_percent=level["earn_percent"],
            entry_points=level.get("entry_points", 0),
            perks=tuple(level.get("perks", ())),
            invitation_only=level.get("invitation_only", False),
            paid=_paid(level["paid"]) if "paid" in level else None,
        )
        for level in in_order(levels)
    )


def in_order(levels: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Lowest first: by spend where every level has a spend; otherwise they are written in that order."""
    if all("from_minor" in level for level in levels):
        return sorted(levels, key=lambda level: int(level["from_minor"]))
    return list(levels)


def thresholds_of(level: Mapping[str, Any]) -> dict[Measure, int]:
    return {measure: level[field] for measure, field in _THRESHOLDS.items() if field in level}


def _paid(document: Mapping[str, Any]) -> Paid:
    return Paid(
        products=frozenset(document.get("products", ())),
        variants=frozenset(document.get("variants", ())),
        days=document["days"],
    )
