"""What a member gets for reaching levels, in a simulation: once for each, while what reached it has not gone back.

The decisions are those of `tiers` (`entries_for`, `earns_entry`); here they are asked for at the right moments.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.domain.program import Program
from app.domain.spending import SpendFact
from app.domain.tier_rules import Tier
from app.domain.tier_track import OrderKey, Told
from app.domain.tiers import earns_entry, entries_for

EntryMove = tuple[datetime, OrderKey, int]
"""(when the level was reached, what the points are of, how many more or fewer)."""


class _Given:
    """`points`: held for it now."""

    __slots__ = ("at", "points", "tier")

    def __init__(self, tier: Tier, at: datetime) -> None:
        self.tier = tier
        self.at = at
        self.points = 0


class EntryRewards:
    """One member's, in a program that gives any."""

    __slots__ = ("_given", "_orders", "_program")

    def __init__(self, program: Program) -> None:
        self._program = program
        self._orders: list[Told] = []
        self._given: dict[str, _Given] = {}

    def count(self, order: Told, rank: int, reached: int) -> Sequence[EntryMove]:
        """An order that raised the member from `rank` to `reached`, or left them there."""
        self._orders.append(order)
        program = self._program
        if reached > rank:
            for tier in entries_for(program.tiers[rank], program.tiers[reached], program):
                self._given.setdefault(tier.key, _Given(tier, order.moment))
        if all(one.points for one in self._given.values()):
            return ()  # what is earned stays so by an order more
        return self.look_again(order.moment)

    def look_again(self, at: datetime) -> Sequence[EntryMove]:
        """Something went back, or an order came that may bring again what did."""
        if not self._given:
            return ()
        facts = [_as_of(order, at) for order in self._orders]
        found: list[EntryMove] = []
        for key, one in self._given.items():
            earned = earns_entry(facts, (), program=self._program, tier_key=key)
            points = one.tier.entry_points if earned else 0
            if points != one.points:
                # No shop has the id -1: an origin of its own, beside orders.
                found.append((one.at, (-1, key), points - one.points))
                one.points = points
        return found


def _as_of(order: Told, at: datetime) -> SpendFact:
    """The order as it was told by then: nothing that goes back later is known."""
    return order._replace(
        refunds=tuple(one for one in order.refunds if one[0] <= at),
        void_at=order.void_at if order.void_at is not None and order.void_at <= at else None,
        points_back=tuple(one for one in order.points_back if one[0] <= at),
        memberships=tuple(
            one if one.gone_at is None or one.gone_at <= at else replace(one, gone_at=None)
            for one in order.memberships
        ),
    ).fact()
