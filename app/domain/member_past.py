"""What a member's past orders tell of the next one: `counting.Known`, from the orders alone.

Orders tell their number, what they came to, how long it was quiet, and what is left under limits and goals of the
member. They do not tell the shop's tags or collections, nor what all members together had: `untold` says which of
those a program asks for.
"""

from datetime import date, datetime
from enum import StrEnum

from app.domain.known import ALONE, Known
from app.domain.months import Days
from app.domain.program import BUDGET, Program
from app.domain.rules import PLAIN, CapPer, GoalPer

Day = tuple[int, int, int, int]
"""The periods that a local day lies in, by their length: all of time, its year, its month, the day itself."""
_Period = int  # one of those, by its digits: 0, 2026, 202603, 20260307

_LENGTH: dict[CapPer | GoalPer, int] = {
    CapPer.DAY: 3,
    CapPer.MONTH: 2,
    CapPer.MEMBER: 0,
    GoalPer.MONTH: 2,
    GoalPer.YEAR: 1,
    GoalPer.MEMBER: 0,
}
_NO_DAY = (0, 0, 0, 0)


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
        Untold.TAGS: bool(rules.tags),
        Untold.GROUPS: bool(rules.groups),
        Untold.SHARED_LIMITS: any(cap.per.is_of_program and cap.key != BUDGET for cap in rules.caps),
        Untold.BUDGET: any(cap.key == BUDGET for cap in rules.caps),
        Untold.JOINING: rules.asks_for_joining,
    }
    return frozenset(one for one, is_asked in asked.items() if is_asked)


class Asked:
    """Of what a program's rules ask for, what past orders tell. One for all members."""

    __slots__ = ("caps", "day", "goals", "history", "is_plain", "joining", "of_caps", "of_goals")

    def __init__(self, program: Program, days: Days) -> None:
        rules = program.rules
        self.is_plain = rules == PLAIN
        self.caps = [(cap.key, cap.points, _LENGTH[cap.per]) for cap in rules.caps if cap.per.is_of_member]
        self.goals = [(goal.key, _LENGTH[goal.per]) for goal in rules.goals]
        self.of_caps = sorted({length for _, _, length in self.caps})
        self.of_goals = sorted({length for _, length in self.goals})
        self.day = [_day(one) for one in days.dates]
        self.history = rules.asks_for_history
        self.joining = rules.asks_for_joining


def _day(day: date) -> Day:
    month = day.year * 100 + day.month
    return 0, day.year, month, month * 100 + day.day


class Had:
    """One counted order, as it is now. `day`: the local one of its counting moment."""

    __slots__ = ("day", "goals", "net_minor", "points")

    def __init__(self, day: Day) -> None:
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

    def next(self, moment: datetime, day: int) -> tuple[Day, Known]:
        """Of the order that counts at `moment`, on that day by its place: its day, and what is known before it.

        Call it once for an order.
        """
        asked = self._asked
        if asked.is_plain:
            return _NO_DAY, ALONE
        periods = asked.day[day]
        self._number += 1
        last, self._last = self._last, moment
        had, spends, reached = self._points, self._spends, self._reached
        return periods, Known(
            number=self._number,
            room={
                key: points - gone if (gone := had.get(periods[length], 0)) < points else 0
                for key, points, length in asked.caps
            },
            goals={
                key: spends.get(periods[length], 0)
                for key, length in asked.goals
                if not reached.get((key, periods[length]))
            }
            if asked.goals
            else ALONE.goals,
            spend_minor=self._spend if asked.history else 0,
            quiet_days=(moment - last).days if asked.history and last is not None else None,
            member_days=max((moment - self._joined).days, 0) if asked.joining else 0,
        )

    def put(self, one: Had, points: int, net_minor: int, goals: tuple[str, ...] = ()) -> None:
        """The order comes to that much now."""
        asked, day = self._asked, one.day
        more, net = points - one.points, net_minor - one.net_minor
        self._spend += net
        for length in asked.of_caps:
            period = day[length]
            self._points[period] = self._points.get(period, 0) + more
        for length in asked.of_goals:
            period = day[length]
            self._spends[period] = self._spends.get(period, 0) + net
        if goals != one.goals:
            for key, length in asked.goals:
                found = (key, day[length])
                self._reached[found] = self._reached.get(found, 0) + (key in goals) - (key in one.goals)
        one.points, one.net_minor, one.goals = points, net_minor, goals
