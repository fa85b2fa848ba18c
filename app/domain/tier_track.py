"""A member's tier from order to order: the same as `tiers.tier_at`, kept by sums instead of adding all up again.

The only place where a simulation knows how tiers are reached: what counts (spend), over which time (the rolling
window), and when they are lost (the review, and its grace).
"""

import heapq
from bisect import bisect_left, bisect_right
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

from app.domain.calendar import end_of_day, months_before
from app.domain.program import Program
from app.domain.tier_rules import Measure

_TICK = timedelta(microseconds=1)
_NEVER = datetime.max.replace(tzinfo=UTC)
_NOT_TO_BE_REACHED = 2**63
_AFTER_ALL = (2**63, "")  # sorts behind every order at the same moment

OrderKey = tuple[int, str]
Refunds = tuple[tuple[datetime, int], ...]  # (when, how much), in the program's currency


class TierPlan:
    """What a program says about tiers, made ready for many members."""

    __slots__ = ("_ends", "grace", "least", "longest", "months", "shortest", "starts", "zone")

    def __init__(self, program: Program) -> None:
        self.starts = [tier.thresholds.get(Measure.SPEND, _NOT_TO_BE_REACHED) for tier in program.tiers]
        self.least = self.starts[1] if len(self.starts) > 1 else _NOT_TO_BE_REACHED
        self.months = program.tier_months
        self.zone = program.zone
        self.grace = timedelta(days=program.grace_days)
        # So long a window is at least and at most: what lies clearly in it or before it needs no calendar.
        self.shortest = timedelta(days=30 * program.tier_months - 4)
        self.longest = timedelta(days=31 * program.tier_months + 1)
        self._ends: dict[
            date, datetime
        ] = {}  # day of an order -> end of the day on which it leaves the window

    def window_start(self, at: datetime) -> datetime:
        return months_before(at, self.months, self.zone)

    def leaves(self, moment: datetime) -> datetime:
        """The end of the local day on which an order counted at `moment` leaves the window."""
        day = moment.astimezone(self.zone).date()
        found = self._ends.get(day)
        if found is None:
            found = self._ends[day] = end_of_day(self._last_day(day), self.zone) - _TICK
        return found

    def day_end(self, moment: datetime) -> datetime:
        return end_of_day(moment.astimezone(self.zone).date(), self.zone) - _TICK

    def _last_day(self, day: date) -> date:
        year, month = divmod(day.year * 12 + day.month - 1 + self.months, 12)
        if day.day <= monthrange(year, month + 1)[1]:
            return date(year, month + 1, day.day)
        # No such day there: that month's last one still looks back to before it.
        year, month = divmod(year * 12 + month + 1, 12)
        return date(year, month + 1, 1)


class TierTrack:
    """Tell it orders in the order in which they are counted; ask the tier, as its rank, from 0.

    `changes`: (moment, rank) of each change, oldest first, from the lowest at the beginning. Reviews are held at the
    end of each local day; the real ones are held within the hour.
    """

    __slots__ = (
        "_floors",
        "_given_back",
        "_graced",
        "_leaving",
        "_plan",
        "_reviews",
        "_sums",
        "_times",
        "changes",
        "rank",
    )

    def __init__(self, plan: TierPlan) -> None:
        self._plan = plan
        self._times: list[tuple[datetime, OrderKey]] = []
        self._sums = [0]  # of all orders up to there, refunds not looked at
        self._given_back: list[
            tuple[int, int, Refunds, datetime | None]
        ] = []  # (place, worth, refunds, void)
        self._floors: list[tuple[datetime, datetime, int]] = []  # graces: (from, until, rank)
        self._graced = False  # whether the present tier has had its grace
        self._reviews: list[datetime] = []  # when something is given back, or a grace ends: a heap
        self._leaving = 0  # the next order to leave the window, while there is a tier to lose
        self.rank = 0
        self.changes: list[tuple[datetime, int]] = []

    def rank_for(self, placed_at: datetime, key: OrderKey) -> int:
        """The tier by whose percent the order earns: what was reached before it, or a grace."""
        return self._rank(placed_at, bisect_left(self._times, (placed_at, key)))

    def rank_at(self, moment: datetime) -> int:
        """What all orders counted up to then give, or a grace."""
        return self._rank(moment, bisect_right(self._times, (moment, _AFTER_ALL)))

    def count(
        self, moment: datetime, key: OrderKey, worth: int, refunds: Refunds, void_at: datetime | None
    ) -> None:
        """An order of that worth counts from `moment` on: upgraded at once."""
        self.review(until=moment)
        place = len(self._times)
        self._times.append((moment, key))
        self._sums.append(self._sums[-1] + worth)
        if refunds or void_at is not None:
            self._given_back.append((place, worth, refunds, void_at))
            for when in (*(when for when, _ in refunds), *([void_at] if void_at else [])):
                heapq.heappush(self._reviews, self._plan.day_end(max(when, moment)))
        reached = self.rank_at(moment)
        if reached > self.rank:
            if not self.rank:  # nobody looked at what left or was given back while there was nothing to lose
                self._leaving = max(self._leaving, self._first(moment))
                while self._reviews and self._reviews[0] < moment:
                    heapq.heappop(self._reviews)
            self._change(moment, reached)

    def review(self, *, until: datetime) -> None:
        """Hold every review up to `until` that may find something lost."""
        while self.rank and (at := self._next_review()) <= until:
            if self._reviews and self._reviews[0] == at:
                heapq.heappop(self._reviews)
            else:
                self._leaving += 1
            reached = self.rank_at(at)
            if reached >= self.rank:
                continue
            if self._plan.grace and not self._graced:
                self._graced = True
                end = at + self._plan.grace
                self._floors.append((at, end, self.rank))
                heapq.heappush(self._reviews, self._plan.day_end(end))
            else:
                self._change(at, reached)

    def _next_review(self) -> datetime:
        first = self._reviews[0] if self._reviews else _NEVER
        if self._leaving < len(self._times):
            return min(first, self._plan.leaves(self._times[self._leaving][0]))
        return first

    def _change(self, at: datetime, rank: int) -> None:
        self.rank, self._graced = rank, False
        self.changes.append((at, rank))

    def _rank(self, at: datetime, before: int) -> int:
        rank = 0
        if self._sums[before] >= self._plan.least:  # all there ever was reaches further than the lowest
            rank = bisect_right(self._plan.starts, max(self._spend(at, before), 0)) - 1
        for from_at, until_at, floor in self._floors:
            if from_at <= at < until_at and floor > rank:
                rank = floor
        return rank

    def _spend(self, at: datetime, before: int) -> int:
        first = self._first(at)
        if first >= before:
            return 0
        total = self._sums[before] - self._sums[first]
        for place, worth, refunds, void_at in self._given_back:
            if first <= place < before:
                if void_at is not None and void_at < at:
                    total -= worth
                else:
                    total -= min(worth, sum(minor for when, minor in refunds if when < at))
        return total

    def _first(self, at: datetime) -> int:
        """The first order within the window that ends at `at`."""
        times = self._times
        low = bisect_right(times, (at - self._plan.longest, _AFTER_ALL))
        high = bisect_right(times, (at - self._plan.shortest, _AFTER_ALL))
        if low == high:
            return low
        start = self._plan.window_start(at)
        return bisect_right(times, (start, _AFTER_ALL))
