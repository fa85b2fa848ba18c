"""A program tried on past orders: what it would have given, month by month, what it costs, and how sure that is.

Members are told one by one, each with all of their orders: what is held is one member and the months, however many
orders there are. Members fall into `BUCKETS` groups; how much the groups differ says how sure a sum is.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isqrt

from app.domain.months import Months
from app.domain.past import PastOrder
from app.domain.program import Program
from app.domain.redeemers import Behaviour, Flow, Redeemers, reward_of
from app.domain.replaying import Replaying
from app.domain.rewards import Reward, RewardKind

BUCKETS = 64
_NINE_OF_TEN = 1645


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is expected, and between what it lies nine times of ten."""

    low: int
    expected: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What past orders do not tell. Money in the program's smallest units."""

    behaviour: Behaviour
    shipping_minor: int  # what a free shipping costs
    gift_minor: int = 0  # what a free product or a perk costs


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """`given` and `taken_back` are points; `open_points` those that lots hold at the end, `pending` among them.

    `cost_per_10000`: cost for 10,000 of revenue, None without revenue. `tiers`: members in each at the end, the lowest
    first; `up` and `down`: changes of tier within the month. Money in the program's smallest units.
    """

    month: str  # "2026-06"
    orders: int
    revenue_minor: int
    members: int
    given: Estimate
    taken_back: int
    redeemed: Estimate
    expired: Estimate
    open_points: Estimate
    pending: Estimate
    cost_minor: Estimate
    liability_minor: Estimate
    cost_per_10000: Estimate | None
    tiers: tuple[int, ...]
    up: int
    down: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SideReport:
    """One program's. `total`: all months as one. `value_minor` for `value_points`: what a point is taken to be worth."""

    months: tuple[Month, ...]
    total: Month
    average_order_minor: int
    reward: str | None  # the key of what is redeemed for the value of a point; None: nothing can be had
    value_minor: int
    value_points: int
    left_out: Counter[tuple[str, str]]


class Bucket:
    """What the members of one group did, month by month."""

    __slots__ = (
        "both", "down", "given", "orders", "redeemer", "revenue", "saver", "taken_back", "tiers", "up",
    )  # fmt: skip

    def __init__(self, months: int, program: Program) -> None:
        self.orders = [0] * months
        self.revenue = [0] * months
        self.given = [0] * months
        self.taken_back = [0] * months
        self.tiers = [[0] * months for _ in program.tiers]  # how the number of members changed
        self.up = [0] * months
        self.down = [0] * months
        self.both, self.saver, self.redeemer = (Flow(months, len(program.rewards)) for _ in range(3))


class Simulation:
    """One program over past orders. Add every member, then ask for the report."""

    def __init__(self, program: Program, assumptions: Assumptions, months: Months) -> None:
        self._program = program
        self._assumptions = assumptions
        self._months = months
        self._replaying = Replaying(program, months)
        self._redeemers = Redeemers(program, assumptions.behaviour, months)
        self._buckets = [Bucket(len(months.names), program) for _ in range(BUCKETS)]

    def add(self, bucket: int, orders: Sequence[PastOrder]) -> int | None:
        """One member's orders, by when they were paid. Returns the tier's rank at the end; None: no member."""
        found = self._replaying.replay(orders)
        if not found.tiers:
            return None
        into = self._buckets[bucket]
        orders_in, revenue = into.orders, into.revenue
        for month, worth in found.counted:
            orders_in[month] += 1
            revenue[month] += worth
        for month, worth in found.went_back:
            into.revenue[month] -= worth
        given = into.given
        for _, month, points, _, _, _ in found.moves:
            if points > 0:
                given[month] += points
            else:
                into.taken_back[month] -= points
        rank = self._note_tiers(into, found.tiers)
        self._redeemers.follow(
            found.moves,
            found.tiers,
            in_turn=found.in_turn,
            both=into.both,
            saver=into.saver,
            redeemer=into.redeemer,
        )
        return rank

    def report(self) -> SideReport:
        return _Summing(self._program, self._assumptions, self._months, self._buckets).report(
            self._replaying.left_out
        )

    def _note_tiers(self, into: Bucket, tiers: Sequence[tuple[datetime, int, int]]) -> int:
        has: int | None = None
        for _, month, rank in tiers:
            into.tiers[rank][month] += 1
            if has is not None:
                into.tiers[has][month] -= 1
                (into.up if rank > has else into.down)[month] += 1
            has = rank
        return has or 0


Triple = tuple[int, int, int]  # whatever people do, if nobody redeems, if everybody does


class _Summing:
    """From groups to one report."""

    def __init__(
        self, program: Program, assumptions: Assumptions, months: Months, buckets: Sequence[Bucket]
    ) -> None:
        self._program = program
        self._months = months
        self._buckets = buckets
        behaviour = assumptions.behaviour
        self._shares = (behaviour.share, behaviour.share_low, behaviour.share_high)
        every = range(len(months.names))
        orders = sum(sum(bucket.orders) for bucket in buckets)
        revenue = sum(sum(bucket.revenue) for bucket in buckets)
        self._every = every
        self._average = revenue // orders if orders else 0
        self._values = [self._value(reward, assumptions) for reward in program.rewards]
        self._bought = next(
            (
                place
                for rank in range(len(program.tiers))
                if (place := reward_of(program, behaviour.reward, rank)) is not None
            ),
            None,
        )

    def report(self, left_out: Counter[tuple[str, str]]) -> SideReport:
        bought = self._bought
        return SideReport(
            months=tuple(
                self._month(name, range(place, place + 1)) for place, name in enumerate(self._months.names)
            ),
            total=self._month("total", self._every),
            average_order_minor=self._average,
            reward=None if bought is None else self._program.rewards[bought].key,
            value_minor=0 if bought is None else self._values[bought],
            value_points=1 if bought is None else self._program.rewards[bought].cost,
            left_out=left_out,
        )

    def _value(self, reward: Reward, assumptions: Assumptions) -> int:
        """What a reward costs the shop, in the program's smallest units, rounded down."""
        match reward.kind:
            case RewardKind.AMOUNT | RewardKind.GIFT_CARD | RewardKind.STORE_CREDIT:
                return reward.amount_for(reward.cost) or 0
            case RewardKind.PERCENT:
                off = self._average * (reward.percent or 0) // 100
                return off if reward.maximum_minor is None else min(off, reward.maximum_minor)
            case RewardKind.FREE_SHIPPING:
                return assumptions.shipping_minor
            case RewardKind.PRODUCT | RewardKind.PERK:
                return assumptions.gift_minor

    def _month(self, name: str, months: range) -> Month:
        so_far, last = range(months.stop), range(months.stop - 1, months.stop)
        buckets = self._buckets
        given = [(_sum(bucket.given, months), 0, 0) for bucket in buckets]
        open_points = self._of(lambda flow: flow.open_points, so_far)
        costs = [(0, 0, self._cost(bucket, months)) for bucket in buckets]
        revenues = [_sum(bucket.revenue, months) for bucket in buckets]
        tiers = tuple(
            sum(_sum(bucket.tiers[rank], so_far) for bucket in buckets)
            for rank in range(len(self._program.tiers))
        )
        value, points = (
            (self._values[self._bought], self._program.rewards[self._bought].cost)
            if self._bought is not None
            else (0, 1)
        )
        opened = self._estimate(open_points)
        return Month(
            month=name,
            orders=sum(_sum(bucket.orders, months) for bucket in buckets),
            revenue_minor=sum(revenues),
            members=sum(tiers),
            given=self._estimate(given),
            taken_back=sum(_sum(bucket.taken_back, months) for bucket in buckets),
            redeemed=self._estimate(self._of(lambda flow: flow.redeemed, months)),
            expired=self._estimate(self._of(lambda flow: flow.expired, months)),
            open_points=opened,
            pending=self._estimate(self._of(lambda flow: flow.pending, last)),
            cost_minor=self._estimate(costs),
            liability_minor=Estimate(
                *(part * value // points for part in (opened.low, opened.expected, opened.high))
            ),
            cost_per_10000=self._ratio(costs, revenues),
            tiers=tiers,
            up=sum(_sum(bucket.up, months) for bucket in buckets),
            down=sum(_sum(bucket.down, months) for bucket in buckets),
        )

    def _of(self, pick: Callable[[Flow], Sequence[int]], months: range) -> list[Triple]:
        return [
            (
                _sum(pick(bucket.both), months),
                _sum(pick(bucket.saver), months),
                _sum(pick(bucket.redeemer), months),
            )
            for bucket in self._buckets
        ]

    def _cost(self, bucket: Bucket, months: range) -> int:
        return sum(
            _sum(counts, months) * value
            for counts, value in zip(bucket.redeemer.redemptions, self._values, strict=True)
        )

    def _estimate(self, groups: Sequence[Triple]) -> Estimate:
        """The sum over all groups; its range from the shares, and from how the groups differ ("random groups")."""
        expected, *others = (sum(_mixed(one, share) for one in groups) for share in self._shares)
        mixed = [_mixed(one, self._shares[0]) for one in groups]
        spread = isqrt(_variance(mixed))
        return _range(expected, others, spread, per=1000)

    def _ratio(self, costs: Sequence[Triple], revenues: Sequence[int]) -> Estimate | None:
        """Cost for 10,000 of revenue; its range by leaving out each group in turn (a jackknife)."""
        revenue = sum(revenues)
        if revenue <= 0:
            return None
        expected, *others = (
            sum(_mixed(one, share) for one in costs) * 10_000 // revenue for share in self._shares
        )
        mixed = [_mixed(one, self._shares[0]) for one in costs]
        cost = sum(mixed)
        without = [
            (cost - one) * 10_000 // (revenue - of)
            for one, of in zip(mixed, revenues, strict=True)
            if revenue > of
        ]
        count = len(without)
        spread = isqrt((count - 1) ** 2 * _variance(without) // count**2) if count > 1 else 0
        return _range(expected, others, spread, per=1000)


def _sum(numbers: Sequence[int], months: range) -> int:
    return sum(numbers[months.start : months.stop])


def _mixed(triple: Triple, share: int) -> int:
    """A thousand times the sum, where so many of 1,000 redeem."""
    both, saver, redeemer = triple
    return 1000 * both + (1000 - share) * saver + share * redeemer


def _variance(groups: Sequence[int]) -> int:
    """Of the sum over all groups, if they are taken for a sample of such groups."""
    count = len(groups)
    if count < 2:
        return 0
    return (count * sum(one * one for one in groups) - sum(groups) ** 2) // (count - 1)


def _range(expected: int, others: Sequence[int], spread: int, *, per: int) -> Estimate:
    """Nine times of ten a sum lies within 1.645 times its spread."""
    margin = spread * _NINE_OF_TEN // 1000
    low, high = min(expected, *others) - margin, max(expected, *others) + margin
    return Estimate(max(low, 0) // per, expected // per, -(-high // per))
