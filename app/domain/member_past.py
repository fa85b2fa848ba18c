"""What a member's past orders tell of the next one: `counting.Known`, from the orders alone.

Orders tell their number, what they came to, how long it was quiet, and what is left under limits and goals of the
member. They do not tell the shop's tags or collections, nor what all members together had: `untold` says which of
those a program asks for.
"""

from datetime import datetime
from enum import StrEnum

from app.domain.counting import ALONE, Known
from app.domain.program import BUDGET, Program
from app.domain.rules import PLAIN, CapPer, GoalPer

_Day = tuple[int, int, int]
_Period = tuple[
    int, ...
]  # as much of a local day as the period has: all of it, year and month, year, nothing

_LENGTH: dict[CapPer | GoalPer, int] = {
    CapPer.DAY: 3,
    CapPer.MONTH: 2,
    CapPer.MEMBER: 0,
    GoalPer.MONTH: 2,
    GoalPer.YEAR: 1,
    GoalPer.MEMBER: 0,
}
_NO_DAY = (0, 0, 0)


class Untold(StrEnum):
    """What a program asks for and past orders do not tell."""

    TAGS = "tags"  # how the shop tags its customers
    GROUPS = "groups"  # collections and tags of products
    SHARED_LIMITS = "shared_limits"  # of all members together
    BUDGET = "budget"
    JOINING = "joining"  # when somebody became a member


def untold(program: Program) -> frozenset[Untold]:
    rules = program.rules
    asked = {
        Untold.TAGS: rules.asks_for_tags,
        Untold.GROUPS: bool(rules.groups),
        Untold.SHARED_LIMITS: any(cap.per.is_of_program and cap.key != BUDGET for cap in rules.caps),
        Untold.BUDGET: any(cap.key == BUDGET for cap in rules.caps),
        Untold.JOINING: rules.asks_for_joining,
    }
    return frozenset(one for one, is_asked in asked.items() if is_asked)


class Asked:
    """Of what a program's rules ask for, what past orders tell. One for all members."""

    __slots__ = ("caps", "days", "goals", "history", "is_plain", "joining", "zone")

    def __init__(self, program: Program) -> None:
        rules = program.rules
        self.is_plain = rules == PLAIN
        self.caps = [(cap, _LENGTH[cap.per]) for cap in rules.caps if cap.per.is_of_member]
        self.goals = [(goal, _LENGTH[goal.per]) for goal in rules.goals]
        self.days = bool(self.caps or self.goals)
        self.history = rules.asks_for_history
        self.joining = rules.asks_for_joining
        self.zone = program.zone


class Had:
    """One counted order, as it is now. `day`: the local one of its counting moment."""

    __slots__ = ("day", "goals", "net_minor", "points")

    def __init__(self, day: _Day) -> None:
        self.day = day
        self.points = 0
        self.net_minor = 0  # the program's currency
        self.goals: tuple[str, ...] = ()


class MemberPast:
    """One member's counted orders, in the order in which they counted."""

    __slots__ = ("_asked", "_joined", "_last", "_number", "_points", "_reached", "_spend", "_spends")

    def __init__(self, asked: Asked, joined: datetime) -> None:
        self._asked = asked
        self._joined = joined
        self._number = 0
        self._last: datetime | None = None
        self._spend = 0
        self._points: dict[_Period, int] = {}
        self._spends: dict[_Period, int] = {}
        self._reached: dict[tuple[str, _Period], int] = {}  # by how many orders

    def next(self, moment: datetime) -> tuple[Had, Known]:
        """Of the order that counts at `moment`, what is known before it. Call it once for an order."""
        asked = self._asked
        if asked.is_plain:
            return Had(_NO_DAY), ALONE
        day = _NO_DAY
        if asked.days:
            local = moment.astimezone(asked.zone)
            day = (local.year, local.month, local.day)
        self._number += 1
        last, self._last = self._last, moment
        return Had(day), Known(
            number=self._number,
            room={
                cap.key: max(cap.points - self._points.get(day[:length], 0), 0) for cap, length in asked.caps
            },
            goals={
                goal.key: self._spends.get(day[:length], 0)
                for goal, length in asked.goals
                if not self._reached.get((goal.key, day[:length]))
            },
            spend_minor=self._spend if asked.history else 0,
            quiet_days=(moment - last).days if asked.history and last is not None else None,
            member_days=max((moment - self._joined).days, 0) if asked.joining else 0,
        )

    def put(self, one: Had, points: int, net_minor: int, goals: tuple[str, ...] = ()) -> None:
        """The order comes to that much now."""
        asked, day = self._asked, one.day
        more, net = points - one.points, net_minor - one.net_minor
        self._spend += net
        if asked.days:
            for length in {length for _, length in asked.caps}:
                self._points[day[:length]] = self._points.get(day[:length], 0) + more
            for length in {length for _, length in asked.goals}:
                self._spends[day[:length]] = self._spends.get(day[:length], 0) + net
            for goal, length in asked.goals:
                change = (goal.key in goals) - (goal.key in one.goals)
                if change:
                    found = (goal.key, day[:length])
                    self._reached[found] = self._reached.get(found, 0) + change
        one.points, one.net_minor, one.goals = points, net_minor, goals
