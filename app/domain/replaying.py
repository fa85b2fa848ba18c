"""One member's past orders under one program: the points they give and take back, and the tiers they reach.

The same results as settling the orders one by one as they happened (`earning.target_for_order` on terms fixed at the
first count, `tiers.tier_at`); a property test holds the two together. A program with one rate is counted by whole
numbers alone; finer rules go through `counting` itself.
"""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from app.domain.calendar import days_later
from app.domain.counting import count_points
from app.domain.earning import Terms
from app.domain.entry_rewards import EntryMove, EntryRewards
from app.domain.known import Known
from app.domain.member_past import Asked, Day, Had, MemberPast
from app.domain.money import Money
from app.domain.months import Months
from app.domain.past import PastOrder, counted_from, snapshot_at
from app.domain.program import EarnWhen, ExpiryKind, Program
from app.domain.purse import NEVER
from app.domain.qualifying import spend_fact
from app.domain.rule_plan import RulePlan
from app.domain.rules import PLAIN
from app.domain.spending import Membership
from app.domain.tier_rules import Tier
from app.domain.tier_track import OrderKey, TierPlan, TierTrack, Told

NO_RATE = "no_rate"
NOT_FULFILLED = "not_fulfilled"
CANCELLED = "cancelled"


Move = tuple[datetime, int, int, OrderKey, datetime, datetime]
"""(at, month, points, order, available at, expires at): points that an order gives, or takes back where below 0.

An order that gives none has one too: it may have changed the tier, and with it what a member can have.
"""


@dataclass(slots=True)
class Replayed:
    """`counted`: (month, worth) of each order; `went_back`: of what was refunded later. The program's money.

    `tiers`: (moment, month, rank), from joining on. Months are by their place in the report.
    `in_turn`: of two lots the older is never available or ended after the younger.
    """

    counted: list[tuple[int, int]] = field(default_factory=list)
    went_back: list[tuple[int, int]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    tiers: list[tuple[datetime, int, int]] = field(default_factory=list)
    in_turn: bool = True


_Lot = tuple[datetime, datetime, datetime]  # when points are earned, available, and expire


class _Counted(Had):
    """An order that counts, as it is now."""

    __slots__ = ("known", "lot", "order", "rank")

    def __init__(self, order: PastOrder, lot: _Lot, day: Day, known: Known, rank: int) -> None:
        self.day = day
        self.points = 0
        self.net_minor = 0
        self.goals = ()
        self.order = order
        self.lot = lot
        self.known = known
        self.rank = rank


class Replaying:
    """A program made ready to count many members. `left_out`: orders it could not count, by reason and currency."""

    def __init__(self, program: Program, months: Months) -> None:
        self._program = program
        self._until = months.ends[-1]
        self._months = months
        self._plain = program.rules == PLAIN
        self._currencies = {program.currency, *program.currencies}
        self._percents = [tier.earn_percent for tier in program.tiers]
        self._tiers = TierPlan(program, months.days)
        self._rules = RulePlan(program)
        self._hold = timedelta(days=program.hold_days)
        self._zone = program.zone
        self._lot_days = program.expiry_days if program.expiry is ExpiryKind.AFTER_DAYS else None
        self._lot_ends: list[datetime | None] = [None] * len(months.days.dates)
        self._asked = Asked(program, months.days)
        # As a member of the lowest tier earns, were it at 100 %: what levels look at.
        self._untiered = replace(program.tiers[0], earn_percent=100)
        self._enters = any(tier.entry_points for tier in program.tiers)
        # One rate, and nothing to be had beside points: then orders that stand as they were paid are simple.
        self._may_be_simple = self._plain and not self._enters and not self._tiers.sells
        self.left_out: Counter[tuple[str, str]] = Counter()

    def replay(self, orders: Sequence[PastOrder]) -> Replayed:
        """`orders`: one member's, by when they were paid. What happened after `until` is not looked at."""
        counted, goods, simple = self._counted(orders)
        found = Replayed()
        if not counted:
            return found
        if simple:
            self._replay_simple(counted, goods, found)
        else:
            self._replay_fully(counted, found)
        return found

    def lot(self, moment: datetime, day: int) -> _Lot:
        """Of what is earned at that moment, on that day by its place; it expires NEVER where it does not by itself."""
        available_at = moment + self._hold if self._hold else moment
        if self._lot_days is None:
            return moment, available_at, NEVER
        ends = self._lot_ends[day]
        if ends is None:
            ends = self._lot_ends[day] = days_later(moment, self._lot_days, self._zone)
        return moment, available_at, ends

    # --- Which orders --------------------------------------------------------------------------------------

    def _counted(self, orders: Sequence[PastOrder]) -> tuple[list[tuple[datetime, PastOrder]], int, bool]:
        """With the moment that each counts from; their goods; and whether whole numbers alone will do."""
        until, currencies, earn_when = self._until, self._currencies, self._program.earn_when
        simple, own, when_paid = self._may_be_simple, self._program.currency, earn_when is EarnWhen.PAID
        found, total = [], 0
        for order in orders:
            _, paid_at, _, _, _, void_at, currency, goods, refunds, _ = order
            moment = paid_at if when_paid else counted_from(order, earn_when)
            if moment is None:
                self.left_out[(NOT_FULFILLED, "")] += 1
            elif currency not in currencies:
                self.left_out[(NO_RATE, currency)] += 1
            elif void_at is not None and void_at <= moment:
                self.left_out[(CANCELLED, "")] += 1
            elif moment <= until:
                found.append((moment, order))
                total += goods
                if refunds or void_at is not None or currency != own:
                    simple = False
        if not when_paid:
            found.sort(key=lambda one: (one[0], one[1].key))
        return found, total, simple

    def _replay_simple(
        self, counted: Sequence[tuple[datetime, PastOrder]], goods: int, found: Replayed
    ) -> None:
        rate, percents, starts, days = (
            self._program.rate,
            self._percents,
            self._months.starts,
            self._months.days,
        )
        each, spend, expires = rate.points, rate.spend_minor, self._lot_days is not None
        worths, moves, track = found.counted, found.moves, self._track(goods, len(counted))
        times, per = each * percents[0], spend * 100
        for moment, order in counted:
            month = bisect_right(starts, moment) - 1
            goods = order.goods_minor
            worths.append((month, goods))
            if track is not None:
                if track.rank:
                    track.review(until=moment)
                if not track.is_low:
                    times = each * percents[track.rank_for(order.placed_at, order.key)]
                track.count_kept(moment, order.key, goods, goods * each // spend)
            points = goods * times // per
            _, available_at, ends = self.lot(moment, days.of(moment) if expires else 0)
            moves.append((moment, month, points, order.key, available_at, ends))
        found.tiers = [(counted[0][0], worths[0][0], 0)]
        if track is not None:
            self._end(track, found)

    def _track(self, goods: int, orders: int) -> TierTrack | None:
        """None: all of it together reaches no level."""
        rate = self._program.rate
        if self._tiers.reach_nothing(goods, goods * rate.points // rate.spend_minor, orders):
            return None
        return TierTrack(self._tiers)

    def _end(self, track: TierTrack, found: Replayed) -> None:
        track.review(until=self._until)
        found.tiers += [(at, self._months.of(at), rank) for at, rank in track.changes]

    # --- Order by order ------------------------------------------------------------------------------------

    def _replay_fully(self, counted: Sequence[tuple[datetime, PastOrder]], found: Replayed) -> None:
        track, starts, days = TierTrack(self._tiers), self._months.starts, self._months.days
        coming: list[tuple[datetime, int, int, _Counted]] = []  # (when, place, refunds so far, order)
        past = MemberPast(self._asked, min(order.paid_at for _, order in counted))
        entries = EntryRewards(self._program) if self._enters else None
        # Whether levels look at more of an order than what it comes to.
        looks_on = self._enters or self._tiers.sells or self._tiers.asks_for_points
        for place, (moment, order) in enumerate(counted):
            while coming and coming[0][0] <= moment:
                self._go_back(coming.pop(0), past, entries, found)
            if track.rank:
                track.review(until=moment)
            day, key = days.of(moment), order.key
            rank, refunds, void_at = track.rank, order.refunds, order.void_at
            one = _Counted(
                order, self.lot(moment, day), *past.next(moment, day), track.rank_for(order.placed_at, key)
            )
            so_far = sum(1 for when, _ in refunds if when <= moment) if refunds else 0
            month = bisect_right(starts, moment) - 1
            self._settle(one, so_far, moment, month, past, found)
            found.counted.append((month, one.net_minor))
            if refunds or void_at is not None or looks_on:
                told = self._told(one)
                track.count(told)
                if entries is not None:
                    self._enter(entries.count(told, rank, track.rank), moment, found)
            else:
                track.count_kept(moment, key, self._worth(order.goods_minor, order.currency), 0)
            if refunds:
                for number, (when, _) in enumerate(refunds, 1):
                    if number > so_far and (void_at is None or when < void_at):
                        insort(coming, (when, place, number, one), key=lambda due: due[:3])
            if void_at is not None:
                insort(coming, (void_at, place, _ALL, one), key=lambda due: due[:3])
        for due in coming:
            if due[0] <= self._until:
                self._go_back(due, past, entries, found)
        found.tiers = [(counted[0][0], self._months.of(counted[0][0]), 0)]
        self._end(track, found)

    def _go_back(
        self,
        due: tuple[datetime, int, int, _Counted],
        past: MemberPast,
        entries: EntryRewards | None,
        found: Replayed,
    ) -> None:
        """A refund, or all of it: the target again, on the terms it has, and the difference."""
        at, _, refunds, one = due
        before, month = one.net_minor, self._months.of(at)
        self._settle(one, refunds, at, month, past, found)
        found.went_back.append((month, before - one.net_minor))
        if entries is not None:
            self._enter(entries.look_again(at), at, found)

    def _settle(
        self, one: _Counted, refunds: int, at: datetime, month: int, past: MemberPast, found: Replayed
    ) -> None:
        """What the order is worth after so many refunds, and the difference to before."""
        goals: tuple[str, ...] = ()
        points = net = 0
        if refunds != _ALL:
            points, goals = self._points(one, refunds, self._program.tiers[one.rank])
            net = self._net(one.order, refunds)
        if points != one.points or at == one.lot[0]:
            self._move(found, at, month, one.lot, one.order.key, points - one.points)
        past.put(one, points, net, goals)

    def _enter(self, moves: Sequence[EntryMove], at: datetime, found: Replayed) -> None:
        for reached_at, key, points in moves:
            lot = self.lot(reached_at, self._months.days.of(reached_at))
            self._move(found, at, self._months.of(at), lot, key, points)

    def _move(self, found: Replayed, at: datetime, month: int, lot: _Lot, key: OrderKey, points: int) -> None:
        moment, available_at, expires_at = lot
        if at > moment:
            if at > available_at:
                available_at = at
            if points > 0:  # what comes again comes late; all others have one hold and one life
                found.in_turn = False
        found.moves.append((at, month, points, key, available_at, expires_at))

    def _points(self, one: _Counted, refunds: int, tier: Tier) -> tuple[int, tuple[str, ...]]:
        """(points, goals reached) as a member of that tier."""
        program, order = self._program, one.order
        if not self._plain:
            whole = order.snapshot or snapshot_at(order, refunds=len(order.refunds))
            return count_points(whole, whole.refunds[:refunds], self._rules, tier, one.known)
        rate = program.rate if order.currency == program.currency else program.rate_for(order.currency)
        assert rate is not None  # left out otherwise
        return _left(order, refunds) * rate.points * tier.earn_percent // (rate.spend_minor * 100), ()

    def _told(self, one: _Counted) -> Told:
        """What levels look at."""
        order, currency = one.order, one.order.currency
        refunds = order.refunds
        if refunds and currency != self._program.currency:
            refunds = tuple((when, self._worth(minor, currency)) for when, minor in refunds)
        points, back = 0, []
        if self._tiers.asks_for_points:
            left = points = self._points(one, 0, self._untiered)[0]
            for number, (when, _) in enumerate(order.refunds, 1):
                before, left = left, self._points(one, number, self._untiered)[0]
                back.append((when, before - left))
        return Told(
            one.lot[0],
            order.key,
            self._worth(order.goods_minor, currency),
            refunds,
            order.void_at,
            points,
            tuple(back),
            self._bought(one) if self._tiers.sells else (),
        )

    def _bought(self, one: _Counted) -> tuple[Membership, ...]:
        """The levels that its lines buy; an order of a file has none."""
        terms = Terms(program=self._program, tier=self._untiered, known=one.known)
        snapshot = one.order.snapshot
        fact = None if snapshot is None else spend_fact(snapshot, one.order.key, terms)
        return () if fact is None else fact.memberships

    def _net(self, order: PastOrder, refunds: int) -> int:
        return self._worth(_left(order, refunds), order.currency)

    def _worth(self, minor: int, currency: str) -> int:
        return (
            minor if currency == self._program.currency else self._program.worth(Money(minor, currency)).minor
        )


_ALL = 2**31  # more refunds than any order has: it was cancelled


def _left(order: PastOrder, refunds: int) -> int:
    """What of the goods is left after this many refunds, in the order's currency."""
    if not refunds:
        return order.goods_minor
    return max(order.goods_minor - sum(minor for _, minor in order.refunds[:refunds]), 0)
