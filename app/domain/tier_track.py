"""A member's tier from order to order: the same as `tiers.tier_at`, kept by sums instead of adding all up again.

The only place where a simulation knows how tiers are reached: what counts (spend, points, orders), over which time,
and when they are lost (the review, its grace, and how far down it goes).
"""

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from app.domain.calendar import end_of_day, months_after, months_before, start_of_year
from app.domain.months import Days
from app.domain.program import Program
from app.domain.spending import EVER, Membership, SpendFact
from app.domain.tier_rules import Measure, Window
from app.domain.tiers import falls_to, memberships, step_until

_TICK = timedelta(microseconds=1)
_NEVER = datetime.max.replace(tzinfo=UTC)
_NOT_TO_BE_REACHED = 2**63
_AFTER_ALL = (2**63, "")  # sorts behind every order at the same moment
_NOTHING = (0, 0, 0)

OrderKey = tuple[int, str]
Dated = tuple[tuple[datetime, int], ...]  # (when, how much)
Sums = tuple[int, int, int]  # spend, points, orders


class Told(NamedTuple):
    """An order as far as tiers look at it, with all that goes back of it later. As `tiers.SpendFact`, but cheap."""

    moment: datetime
    key: OrderKey
    worth: int  # in the program's currency
    refunds: Dated = ()
    void_at: datetime | None = None
    points: int = 0  # without what a tier adds; not filled in where no level asks for points
    points_back: Dated = ()
    memberships: tuple[Membership, ...] = ()

    def fact(self) -> SpendFact:
        return SpendFact(
            order_key=self.key,
            counted_at=self.moment,
            goods_minor=self.worth,
            refunds=self.refunds,
            void_at=self.void_at,
            points=self.points,
            points_back=self.points_back,
            memberships=self.memberships,
        )


class TierPlan:
    """What a program says about tiers, made ready for many members."""

    __slots__ = (
        "_begins", "_ends", "_leaves", "_months", "_window", "_years", "asks_for_points", "days", "grace", "is_rolling",
        "keeps", "least", "program", "sells", "wanted", "zone",
    )  # fmt: skip

    def __init__(self, program: Program, days: Days) -> None:
        self.program = program
        self.zone = program.zone
        self.grace = timedelta(days=program.grace_days)
        self.asks_for_points = any(Measure.POINTS in tier.thresholds for tier in program.tiers)
        self.sells = any(tier.paid is not None for tier in program.tiers)
        # The highest first; any one of its sums is enough.
        self.wanted = [
            (rank, *(program.tiers[rank].thresholds.get(one, _NOT_TO_BE_REACHED) for one in Measure))
            for rank in range(len(program.tiers) - 1, 0, -1)
        ]
        self.least = tuple(
            min((one[place] for one in self.wanted), default=_NOT_TO_BE_REACHED) for place in (1, 2, 3)
        )
        self._window, self._months = program.window, program.tier_months
        self.is_rolling = program.window is Window.ROLLING
        # For so long at least, an order that was counted leaves no window.
        self.keeps = {
            Window.ROLLING: timedelta(days=30 * program.tier_months - 4),
            Window.CALENDAR_YEAR: timedelta(days=364),
            Window.LIFETIME: timedelta.max,
        }[program.window]
        self.days = days
        self._leaves: list[datetime | None] = [None] * len(days.dates)  # by the day of an order
        self._ends: list[datetime | None] = [None] * len(days.dates)
        self._begins: list[tuple[datetime, datetime] | None] = [None] * len(days.dates)
        self._years: dict[int, datetime] = {}  # the last instant before it

    def reach_nothing(self, spend: int, points: int, orders: int) -> bool:
        """Whether so much is too little for any level."""
        least = self.least
        return spend < least[0] and points < least[1] and orders < least[2]

    def rank(self, spend: int, points: int, orders: int) -> int:
        for rank, of_spend, of_points, of_orders in self.wanted:
            if spend >= of_spend or points >= of_points or orders >= of_orders:
                return rank
        return 0

    def windows(self, times: Sequence[tuple[datetime, OrderKey]], at: datetime, before: int) -> list[range]:
        """Of the first `before` orders, those that count at `at`: a range for each window that does."""
        match self._window:
            case Window.ROLLING:
                return [range(self.first_rolling(times, at), before)]
            case Window.CALENDAR_YEAR:
                year = at.astimezone(self.zone).year
                this = min(bisect_right(times, (self._before_year(year), _AFTER_ALL)), before)
                last = bisect_right(times, (self._before_year(year - 1), _AFTER_ALL))
                return [range(this, before), range(last, this)]
            case Window.LIFETIME:
                return [range(bisect_right(times, (EVER, _AFTER_ALL)), before)]

    def first_rolling(self, times: Sequence[tuple[datetime, OrderKey]], at: datetime) -> int:
        """The first order that a rolling window ending at `at` holds."""
        if not times or times[0][0] > at - self.keeps:
            return 0
        place = self.days.of(at)
        day = self._begins[place]
        if day is None:
            day = self._begins[place] = self._beginning(at)
        first = bisect_right(times, (day[0], _AFTER_ALL))
        if first == len(times) or times[first][0] > day[1]:
            return first
        # An order of the very day on which the window begins: the hour decides.
        return bisect_right(times, (months_before(at, self._months, self.zone), _AFTER_ALL))

    def _beginning(self, at: datetime) -> tuple[datetime, datetime]:
        """Around every beginning of a window that ends on that local day: the last instants before and of a day."""
        local = at.astimezone(self.zone)
        starts = (
            months_before(datetime.combine(local.date(), clock, self.zone), self._months, self.zone)
            for clock in (time.min, time.max)
        )
        first, last = (one.astimezone(self.zone).date() for one in starts)
        return (
            end_of_day(first - timedelta(days=2), self.zone) - _TICK,
            end_of_day(last + timedelta(days=1), self.zone) - _TICK,
        )

    def leaves(self, moment: datetime) -> datetime:
        """The end of the local day on which an order counted at `moment` counts no more."""
        if self._window is Window.LIFETIME:
            return _NEVER
        place = self.days.of(moment)
        found = self._leaves[place]
        if found is None:
            day = self.days.dates[place]
            last = months_after(day, self._months) if self.is_rolling else date(day.year + 2, 1, 1)
            found = self._leaves[place] = end_of_day(last, self.zone) - _TICK
        return found

    def day_end(self, moment: datetime) -> datetime:
        """The last instant of its local day; of the last day that is looked at, for what comes after it."""
        place = self.days.of(moment)
        found = self._ends[place]
        if found is None:
            found = self._ends[place] = end_of_day(self.days.dates[place], self.zone) - _TICK
        return found

    def down(self, rank: int, reached: int) -> int:
        tiers = self.program.tiers
        return self.program.rank(falls_to(tiers[rank], tiers[reached], self.program).key)

    def _before_year(self, year: int) -> datetime:
        found = self._years.get(year)
        if found is None:
            found = self._years[year] = start_of_year(year, self.zone) - _TICK
        return found


class TierTrack:
    """Tell it orders in the order in which they are counted; ask the tier, as its rank, from 0.

    `is_low`: all orders together reach nothing, and nothing else gives a tier.
    `changes`: (moment, rank) of each change, oldest first, from the lowest at the beginning. Reviews are held at the
    end of each local day; the real ones are held within the hour.
    """

    __slots__ = (
        "_bought", "_floors", "_given_back", "_leaving", "_plan", "_reviews", "_selling", "_sums", "_times",
        "changes", "is_low", "rank",
    )  # fmt: skip

    def __init__(self, plan: TierPlan) -> None:
        self._plan = plan
        self._times: list[tuple[datetime, OrderKey]] = []
        self._sums: list[Sums] = [_NOTHING]  # of all orders up to there, as if nothing ever went back
        self._given_back: list[tuple[int, Told]] = []  # (place, order) of which something did
        self._selling: list[tuple[int, SpendFact]] = []  # orders that bought a level
        self._bought: dict[int, list[Floor]] = {}  # by how many of those
        self._floors: list[Floor] = []  # graces and steps
        self._reviews: list[datetime] = []  # when something goes back, or a floor ends: a heap
        self.is_low = True
        self._leaving = 0  # the next order to leave the window, while there is a tier to lose
        self.rank = 0
        self.changes: list[tuple[datetime, int]] = []

    def rank_for(self, placed_at: datetime, key: OrderKey) -> int:
        """The tier by whose percent the order earns: what was reached before it, or a floor."""
        if self.is_low:
            return 0
        return self._rank(placed_at, bisect_left(self._times, (placed_at, key)))

    def rank_at(self, moment: datetime) -> int:
        """What all orders counted up to then give, or a floor."""
        return self._rank(moment, bisect_right(self._times, (moment, _AFTER_ALL)))

    def count(self, order: Told) -> None:
        """It counts from its moment on: upgraded at once."""
        moment, place = order.moment, len(self._times)
        if not (order.refunds or order.memberships) and order.void_at is None:
            self.count_kept(moment, order.key, order.worth, order.points)
            return
        if self.rank:
            self.review(until=moment)
        self._add(moment, order.key, order.worth, order.points)
        self.is_low = False
        if order.refunds or order.void_at is not None:
            self._given_back.append((place, order))
            for when in (*(when for when, _ in order.refunds), *([order.void_at] if order.void_at else [])):
                heapq.heappush(self._reviews, self._plan.day_end(max(when, moment)))
        if order.memberships:
            self._selling.append((place, order.fact()))
            for _, until, _ in self._bought_by(len(self._selling)):
                if until > moment:
                    heapq.heappush(self._reviews, self._plan.day_end(until))
        self._rise(moment)

    def count_kept(self, moment: datetime, key: OrderKey, worth: int, points: int) -> None:
        """The same, of an order of which nothing ever goes back and that buys no level."""
        if self.rank:
            self.review(until=moment)
        sums = self._add(moment, key, worth, points)
        if self.is_low:
            if self._plan.reach_nothing(*sums):
                return
            self.is_low = False
        self._rise(moment)

    def _add(self, moment: datetime, key: OrderKey, worth: int, points: int) -> Sums:
        self._times.append((moment, key))
        before = self._sums[-1]
        sums = before[0] + worth, before[1] + points, before[2] + (worth > 0)
        self._sums.append(sums)
        return sums

    def _rise(self, moment: datetime) -> None:
        reached = self.rank_at(moment)
        if reached <= self.rank:
            return
        if not self.rank:  # nobody looked at what left or went back while there was nothing to lose
            now = bisect_right(self._times, (moment, _AFTER_ALL))
            first = min(one.start for one in self._plan.windows(self._times, moment, now))
            self._leaving = max(self._leaving, first)
            while self._reviews and self._reviews[0] < moment:
                heapq.heappop(self._reviews)
        self._change(moment, reached)

    def review(self, *, until: datetime) -> None:
        """Hold every review up to `until` that may find something lost."""
        if not self._reviews and (
            self._leaving == len(self._times) or until - self._times[self._leaving][0] < self._plan.keeps
        ):
            return
        while self.rank and (at := self._next_review()) <= until:
            if self._reviews and self._reviews[0] == at:
                heapq.heappop(self._reviews)
            else:
                self._leaving += 1
            reached = self.rank_at(at)
            if reached >= self.rank:
                continue
            if self._plan.grace and not self._had_notice():
                self._hold(at, at + self._plan.grace, self.rank)
                continue
            to = self._plan.down(self.rank, reached)
            if to != reached:
                self._hold(at, step_until(self._plan.program, at), to)
            self._change(at, to)

    def _hold(self, at: datetime, until: datetime, rank: int) -> None:
        self._floors.append((at, until, rank))
        heapq.heappush(self._reviews, self._plan.day_end(until))

    def _had_notice(self) -> bool:
        """Whether the present tier had an end that was known: its grace, a step, or it was bought until then."""
        since = self.changes[-1][0]
        known = (*self._floors, *self._bought_by(len(self._selling)))
        return any(rank == self.rank and until > since for _, until, rank in known)

    def _next_review(self) -> datetime:
        first = self._reviews[0] if self._reviews else _NEVER
        if self._leaving < len(self._times):
            return min(first, self._plan.leaves(self._times[self._leaving][0]))
        return first

    def _change(self, at: datetime, rank: int) -> None:
        self.rank = rank
        self.changes.append((at, rank))

    def _rank(self, at: datetime, before: int) -> int:
        if self.is_low:
            return 0
        plan, floors = self._plan, self._floors
        if self._given_back or not plan.is_rolling:
            rank = max(plan.rank(*self._sum(at, one)) for one in plan.windows(self._times, at, before))
        else:
            after, until = self._sums[plan.first_rolling(self._times, at)], self._sums[before]
            rank = plan.rank(until[0] - after[0], until[1] - after[1], until[2] - after[2])
        if self._selling:
            floors = [*floors, *self._bought_by(sum(1 for place, _ in self._selling if place < before))]
        for from_at, until_at, floor in floors:
            if from_at <= at < until_at and floor > rank:
                rank = floor
        return rank

    def _bought_by(self, count: int) -> "list[Floor]":
        """The times for which the first so many orders that bought a level did."""
        found = self._bought.get(count)
        if found is None:
            program = self._plan.program
            sold = memberships([fact for _, fact in self._selling[:count]], self._plan.zone)
            found = self._bought[count] = [
                (one.from_at, one.until_at or _NEVER, program.rank(one.tier_key)) for one in sold
            ]
        return found

    def _sum(self, at: datetime, window: range) -> Sums:
        """What the orders of the window come to, less what had gone back by then."""
        if not window:
            return _NOTHING
        after, before = self._sums[window.stop], self._sums[window.start]
        spend, points, orders = after[0] - before[0], after[1] - before[1], after[2] - before[2]
        for place, order in self._given_back:
            if place in window:
                void = order.void_at is not None and order.void_at < at
                left = 0 if void else max(order.worth - _gone(order.refunds, at), 0)
                earned = 0 if void else max(order.points - _gone(order.points_back, at), 0)
                spend -= order.worth - left
                points -= order.points - earned
                orders -= order.worth > 0 >= left
        return spend, points, orders


Floor = tuple[datetime, datetime, int]  # (from, until, rank): a grace, a step down, or what was bought


def _gone(back: Dated, at: datetime) -> int:
    return sum(much for when, much in back if when < at)
