"""One member's past orders under one program: the points they give and take back, and the tiers they reach.

The same results as settling the orders one by one as they happened (`earning.target_for_order` on terms fixed at the
first count, `tiers.tier_at`); a property test holds the two together. A program with one rate is counted by whole
numbers alone; finer rules go through `counting` itself.
"""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain.calendar import days_later
from app.domain.counting import ALONE, Known, Scopes, count_points
from app.domain.money import Money
from app.domain.months import Months
from app.domain.past import PastOrder, counted_from, snapshot_at
from app.domain.program import EarnWhen, ExpiryKind, Program
from app.domain.purse import NEVER
from app.domain.rules import PLAIN, Cap, CapPer
from app.domain.tier_track import OrderKey, TierPlan, TierTrack

NO_RATE = "no_rate"
NOT_FULFILLED = "not_fulfilled"
CANCELLED = "cancelled"


Move = tuple[datetime, int, int, OrderKey, datetime, datetime]
"""(at, month, points, order, available at, expires at): points that an order gives, or takes back where below 0."""


@dataclass(slots=True)
class Replayed:
    """`counted`: (month, worth) of each order; `went_back`: of what was refunded later. The program's money.

    `tiers`: (moment, month, rank), from joining on. Months are by their place in the report.
    """

    counted: list[tuple[int, int]] = field(default_factory=list)
    went_back: list[tuple[int, int]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    tiers: list[tuple[datetime, int, int]] = field(default_factory=list)


@dataclass(slots=True)
class _Pending:
    """An order that something may still go back of."""

    order: PastOrder
    moment: datetime
    periods: "Periods"
    rank: int
    known: Known
    points: int


class Replaying:
    """A program made ready to count many members. `left_out`: orders it could not count, by reason and currency."""

    def __init__(self, program: Program, months: Months) -> None:
        self._program = program
        self._until = months.ends[-1]
        self._months = months
        self._plain = program.rules == PLAIN
        self._currencies = {program.currency, *program.currencies}
        self._percents = [tier.earn_percent for tier in program.tiers]
        self._tiers = TierPlan(program)
        self._scopes = Scopes(program.rules)
        self._hold = timedelta(days=program.hold_days)
        self._zone = program.zone
        self._lot_days = program.expiry_days if program.expiry is ExpiryKind.AFTER_DAYS else None
        self._lot_ends: dict[date, datetime] = {}
        self._caps = [cap for cap in program.rules.caps if cap.per is not CapPer.ORDER]
        self.left_out: Counter[tuple[str, str]] = Counter()

    def replay(self, orders: Sequence[PastOrder]) -> Replayed:
        """`orders`: one member's, by when they were paid. What happened after `until` is not looked at."""
        counted = self._counted(orders)
        found = Replayed()
        if not counted:
            return found
        if self._is_simple(counted):
            self._replay_simple(counted, found)
        else:
            self._replay_fully(counted, found)
        return found

    def expiry(self, moment: datetime) -> datetime:
        """When a lot earned at that moment expires; NEVER where it does not by itself."""
        if self._lot_days is None:
            return NEVER
        day = moment.astimezone(self._zone).date()
        found = self._lot_ends.get(day)
        if found is None:
            found = self._lot_ends[day] = days_later(moment, self._lot_days, self._zone)
        return found

    # --- Which orders --------------------------------------------------------------------------------------

    def _counted(self, orders: Sequence[PastOrder]) -> list[tuple[datetime, PastOrder]]:
        until, currencies, earn_when = self._until, self._currencies, self._program.earn_when
        found = []
        for order in orders:
            moment = order.paid_at if earn_when is EarnWhen.PAID else counted_from(order, earn_when)
            if moment is None:
                self.left_out[(NOT_FULFILLED, "")] += 1
            elif order.currency not in currencies:
                self.left_out[(NO_RATE, order.currency)] += 1
            elif order.void_at is not None and order.void_at <= moment:
                self.left_out[(CANCELLED, "")] += 1
            elif moment <= until:
                found.append((moment, order))
        if earn_when is not EarnWhen.PAID:
            found.sort(key=lambda one: (one[0], one[1].key))
        return found

    def _is_simple(self, counted: Sequence[tuple[datetime, PastOrder]]) -> bool:
        """One rate, one tier throughout, nothing given back: no order needs to know of another."""
        if not self._plain:
            return False
        total, own = 0, self._program.currency
        for _, order in counted:
            if order.refunds or order.void_at is not None or order.currency != own:
                return False
            total += order.goods_minor
        return total < self._tiers.least

    def _replay_simple(self, counted: Sequence[tuple[datetime, PastOrder]], found: Replayed) -> None:
        rate = self._program.rate
        above, below = rate.points * self._percents[0], rate.spend_minor * 100
        starts, hold, expires = self._months.starts, self._hold, self._lot_days is not None
        worths, moves = found.counted, found.moves
        for moment, order in counted:
            month = bisect_right(starts, moment) - 1
            goods = order.goods_minor
            worths.append((month, goods))
            points = goods * above // below
            if points:
                end = self.expiry(moment) if expires else NEVER
                moves.append((moment, month, points, order.key, moment + hold if hold else moment, end))
        found.tiers = [(counted[0][0], worths[0][0], 0)]

    # --- Order by order ------------------------------------------------------------------------------------

    def _replay_fully(self, counted: Sequence[tuple[datetime, PastOrder]], found: Replayed) -> None:
        track = TierTrack(self._tiers)
        coming: list[tuple[datetime, int, int, _Pending]] = []  # (when, place, refunds so far, order)
        given = _Given(self._caps, self._zone)
        for place, (moment, order) in enumerate(counted):
            while coming and coming[0][0] <= moment:
                at, _, refunds, before = coming.pop(0)
                self._go_back(at, refunds, before, given, found)
            track.review(until=moment)
            rank = track.rank_for(order.placed_at, order.key)
            periods = given.periods(moment)
            known = ALONE if self._plain else Known(number=place + 1, room=given.room(periods))
            so_far = sum(1 for when, _ in order.refunds if when <= moment) if order.refunds else 0
            points = self._points(order, so_far, rank, known)
            self._move(found, moment, moment, order, points)
            found.counted.append((self._months.of(moment), self._net(order, so_far)))
            given.add(periods, points)
            self._track(track, moment, order)
            if not order.refunds and order.void_at is None:
                continue
            one = _Pending(order, moment, periods, rank, known, points)
            for refunds, (when, _) in enumerate(order.refunds, 1):
                if refunds > so_far and (order.void_at is None or when < order.void_at):
                    insort(coming, (when, place, refunds, one), key=lambda due: due[:3])
            if order.void_at is not None:
                insort(coming, (order.void_at, place, _ALL, one), key=lambda due: due[:3])
        for at, _, refunds, before in coming:
            if at <= self._until:
                self._go_back(at, refunds, before, given, found)
        track.review(until=self._until)
        changes = [(counted[0][0], 0), *track.changes]
        found.tiers = [(at, self._months.of(at), rank) for at, rank in changes]

    def _go_back(self, at: datetime, refunds: int, one: _Pending, given: "_Given", found: Replayed) -> None:
        """A refund, or all of it: the target again, on the terms it has, and the difference."""
        order, void = one.order, refunds == _ALL
        points = 0 if void else self._points(order, refunds, one.rank, one.known)
        self._move(found, at, one.moment, order, points - one.points)
        given.add(one.periods, points - one.points)
        one.points = points
        if void:
            before = sum(1 for when, _ in order.refunds if when < at)
            found.went_back.append((self._months.of(at), self._net(order, before)))
        else:
            found.went_back.append(
                (self._months.of(at), self._net(order, refunds - 1) - self._net(order, refunds))
            )

    def _move(self, found: Replayed, at: datetime, moment: datetime, order: PastOrder, points: int) -> None:
        if points:
            available_at = max(moment + self._hold, at)
            month = self._months.of(at)
            found.moves.append((at, month, points, order.key, available_at, self.expiry(moment)))

    def _points(self, order: PastOrder, refunds: int, rank: int, known: Known) -> int:
        program = self._program
        if not self._plain:
            snapshot, tier = snapshot_at(order, refunds=refunds), program.tiers[rank]
            return count_points(snapshot, program, tier, known, self._scopes)
        rate = program.rate_for(order.currency)
        assert rate is not None  # left out otherwise
        return _left(order, refunds) * rate.points * self._percents[rank] // (rate.spend_minor * 100)

    def _net(self, order: PastOrder, refunds: int) -> int:
        return self._worth(_left(order, refunds), order.currency)

    def _worth(self, minor: int, currency: str) -> int:
        return (
            minor if currency == self._program.currency else self._program.worth(Money(minor, currency)).minor
        )

    def _track(self, track: TierTrack, moment: datetime, order: PastOrder) -> None:
        worth = self._worth(order.goods_minor, order.currency)
        refunds = order.refunds
        if refunds and order.currency != self._program.currency:
            refunds = tuple((when, self._worth(minor, order.currency)) for when, minor in refunds)
        track.count(moment, order.key, worth, refunds, order.void_at)


_ALL = 2**31  # more refunds than any order has: it was cancelled


def _left(order: PastOrder, refunds: int) -> int:
    """What of the goods is left after this many refunds, in the order's currency."""
    if not refunds:
        return order.goods_minor
    return max(order.goods_minor - sum(minor for _, minor in order.refunds[:refunds]), 0)


Periods = tuple[tuple[int, ...], ...]  # a member's day, month, and all of time


class _Given:
    """What a member's orders gave in each period that a limit looks at."""

    def __init__(self, caps: Sequence[Cap], zone: ZoneInfo) -> None:
        self._caps = caps
        self._zone = zone
        self._sums: dict[tuple[int, ...], int] = {}

    def periods(self, moment: datetime) -> Periods:
        """Empty where no limit looks at the member."""
        if not self._caps:
            return ()
        day = moment.astimezone(self._zone)
        return ((day.year, day.month, day.day), (day.year, day.month), ())

    def add(self, periods: Periods, points: int) -> None:
        for period in periods:
            self._sums[period] = self._sums.get(period, 0) + points

    def room(self, periods: Periods) -> dict[str, int]:
        if not periods:
            return {}
        return {
            cap.key: max(cap.points - self._sums.get(periods[_CAP_PERIODS.index(cap.per)], 0), 0)
            for cap in self._caps
        }


_CAP_PERIODS = (CapPer.DAY, CapPer.MONTH, CapPer.MEMBER)
