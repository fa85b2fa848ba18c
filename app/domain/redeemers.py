"""How people are taken to spend their points in a simulation, and what follows for their lots. Stated, never random.

Each member's points are followed twice: as somebody who never redeems, and as somebody who redeems whenever they can.
What a report says lies between the two by the share of members who redeem, so that nothing depends on a die.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain.calendar import days_later
from app.domain.months import Months
from app.domain.program import ExpiryKind, Program, RefundPolicy
from app.domain.purse import NEVER, Purse
from app.domain.replaying import Move

CHEAPEST = "cheapest"
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """`share`: of 1,000 members who come to hold a reward's cost, so many redeem: `delay_days` later, each time.

    `share_low` and `share_high`: between which it may well lie. `reward`: a key, or the cheapest they may have.
    """

    share: int
    share_low: int
    share_high: int
    delay_days: int
    reward: str = CHEAPEST


ASSUMED = Behaviour(share=500, share_low=300, share_high=700, delay_days=14)
"""Where nothing is known: half of them, give or take much."""


class Flow:
    """What happened to points, month by month. `open_points`: how it changed; `pending`: at the month's end."""

    __slots__ = ("expired", "open_points", "pending", "redeemed", "redemptions", "written_off")

    def __init__(self, months: int, rewards: int) -> None:
        self.open_points = [0] * months
        self.pending = [0] * months
        self.expired = [0] * months
        self.redeemed = [0] * months
        self.written_off = [0] * months
        self.redemptions = [[0] * months for _ in range(rewards)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """What a play must know."""

    months: Months
    delay: timedelta
    clamp: bool
    still_days: int | None  # points expire after so many days without activity
    zone: ZoneInfo
    costs: Sequence[int]  # of each reward
    by_rank: Sequence[int | None]  # which reward members of a tier buy
    same_for_all: bool  # whatever their tier


class Redeemers:
    """A program and a behaviour made ready to follow many members' points."""

    def __init__(self, program: Program, behaviour: Behaviour, months: Months) -> None:
        by_rank = [reward_of(program, behaviour.reward, rank) for rank in range(len(program.tiers))]
        quiet = program.expiry is ExpiryKind.AFTER_INACTIVITY_DAYS
        self._rules = _Rules(
            months=months,
            delay=timedelta(days=behaviour.delay_days),
            clamp=program.refund_policy is RefundPolicy.CLAMP,
            still_days=program.expiry_days if quiet else None,
            zone=program.zone,
            costs=[reward.cost for reward in program.rewards],
            by_rank=by_rank,
            same_for_all=len(set(by_rank)) == 1,
        )
        self._cheapest = min(
            (self._rules.costs[place] for place in by_rank if place is not None), default=None
        )
        self._holds = program.hold_days > 0
        self._until = months.ends[-1]
        self._ends_itself = not quiet  # each lot does, at its time

    def follow(
        self,
        moves: Sequence[Move],
        tiers: Sequence[tuple[datetime, int, int]],
        *,
        in_turn: bool,
        both: Flow,
        saver: Flow,
        redeemer: Flow,
    ) -> None:
        """Add what becomes of a member's points: to `both` where it is the same whether they redeem or not.

        `in_turn`: of the moves (`replaying.Replayed`).
        """
        earned = 0
        for _, _, points, _, _, _ in moves:
            if points > 0:
                earned += points
        can = self._cheapest is not None and earned >= self._cheapest
        keeps = saver if can else both
        if self._ends_itself:
            self._keep(moves, keeps)
        else:
            _Play(self._rules, (), keeps).run(moves)
        if not can:
            return
        if in_turn and self._ends_itself and _Queue(self._rules, tiers, redeemer).run(moves):
            self._keep_pending(moves, redeemer)
        else:
            _Play(self._rules, tiers, redeemer).run(moves)

    def _keep(self, moves: Sequence[Move], flow: Flow) -> None:
        """Nobody redeems, so each lot ends by itself, and what is taken back is of what the same order gave."""
        opened, expired, until, month_of = flow.open_points, flow.expired, self._until, self._rules.months.of
        for at, month, points, _, _, expires_at in moves:
            if expires_at <= at:  # it had ended: less of it did, or what comes again ends at once
                expired[month] += points
                continue
            opened[month] += points
            if expires_at <= until:
                end = month_of(expires_at)
                expired[end] += points
                opened[end] -= points
        self._keep_pending(moves, flow)

    def _keep_pending(self, moves: Sequence[Move], flow: Flow) -> None:
        """Of lots from which nothing is taken before they are available, but by their own order."""
        if not self._holds:
            return
        ends = self._rules.months.ends
        for _, month, points, _, available_at, expires_at in moves:
            while month < len(ends) and ends[month] < available_at and ends[month] < expires_at:
                flow.pending[month] += points
                month += 1


class _Queue:
    """One redeeming member's lots, where the older is always the first to come and to go."""

    __slots__ = ("_flow", "_rules", "_wanted")

    def __init__(self, rules: _Rules, tiers: Sequence[tuple[datetime, int, int]], flow: Flow) -> None:
        self._rules = rules
        self._wanted = _Wanted(rules, tiers)
        self._flow = flow

    def run(self, moves: Sequence[Move]) -> bool:
        """The same as a play of them. False, and nothing noted: something is taken back that its lot has not."""
        rules, flow = self._rules, self._flow
        delay, month_of, opened, cost_at = rules.delay, rules.months.of, flow.open_points, self._wanted.cost
        noted: list[tuple[list[int], int, int]] = []  # (where, month, how much)
        lots: list[Move] = []  # what gave them
        left: list[int] = []  # of each
        # The first lot that holds something, the first that is pending, what is between.
        first = ripe = held = 0
        due: datetime | None = None
        for move in (*moves, _end(rules.months.ends[-1])):
            now, coming, points, order, available_at, _ = move
            count = len(lots)
            while first < count:
                at = lots[first][5]
                if ripe < count and lots[ripe][4] < at:
                    at = lots[ripe][4]
                if due is not None and due < at:
                    at = due
                if at > now:
                    break
                while ripe < count and lots[ripe][4] <= at:
                    held += left[ripe]
                    ripe += 1
                month = month_of(at)
                while first < count and lots[first][5] <= at:
                    noted += ((flow.expired, month, left[first]), (opened, month, -left[first]))
                    if first < ripe:
                        held -= left[first]
                    else:
                        ripe += 1
                    first += 1
                place, cost = cost_at(at)
                if due is not None and due <= at:
                    due = None
                    if held >= cost:
                        noted += (
                            (flow.redeemed, month, cost),
                            (flow.redemptions[place], month, 1),
                            (opened, month, -cost),
                        )
                        held -= cost
                        owed = cost
                        while owed and left[first] <= owed:
                            owed -= left[first]
                            first += 1
                        if owed:
                            left[first] -= owed
                if held < cost:
                    due = None
                elif due is None:
                    due = at + delay
            noted.append((opened, coming, points))
            if points > 0:
                lots.append(move)
                left.append(points)
                if available_at <= now and ripe == count:
                    ripe += 1
                    held += points
            elif points < 0:
                turn = next((turn for turn in range(first, count) if lots[turn][3] == order), count)
                if turn == count or left[turn] < -points:
                    return False
                left[turn] += points
                if turn < ripe:
                    held += points
                if not left[turn]:
                    del lots[turn], left[turn]
                    if turn < ripe:
                        ripe -= 1
            if held < cost_at(now)[1]:
                due = None
            elif due is None:
                due = now + delay
        for where, month, amount in noted:
            where[month] += amount
        return True


def _end(until: datetime) -> Move:
    """What comes after all moves, and moves nothing."""
    return until, 0, 0, (0, ""), until, NEVER


_BEYOND = 2**63


class _Wanted:
    """Which reward one member buys, by their tier at the time."""

    __slots__ = ("_always", "_rules", "_tiers")

    def __init__(self, rules: _Rules, tiers: Sequence[tuple[datetime, int, int]]) -> None:
        self._rules = rules
        self._tiers = tiers
        self._always = self._of(0) if rules.same_for_all else None

    def cost(self, moment: datetime) -> tuple[int, int]:
        """(its place, its cost); beyond anything that can be held where they may have none."""
        if self._always is not None:
            return self._always
        rank = 0
        for since, _, reached in self._tiers:
            if since > moment:
                break
            rank = reached
        return self._of(rank)

    def _of(self, rank: int) -> tuple[int, int]:
        place = self._rules.by_rank[rank]
        return (0, _BEYOND) if place is None else (place, self._rules.costs[place])


class _Play:
    """One member's points through time. Without `tiers` it is somebody who does not redeem."""

    __slots__ = (
        "_clock",
        "_due",
        "_flow",
        "_latest",
        "_month",
        "_purse",
        "_redeems",
        "_rules",
        "_still_until",
        "_wanted",
    )

    def __init__(self, rules: _Rules, tiers: Sequence[tuple[datetime, int, int]], flow: Flow) -> None:
        self._rules = rules
        self._redeems = bool(tiers)
        self._wanted = _Wanted(rules, tiers)
        self._flow = flow
        self._purse = Purse()
        self._clock = _EVER
        self._latest = _EVER  # no points become available after this
        self._month = 0  # the first whose end is still ahead
        self._due: datetime | None = None  # when they redeem
        self._still_until: datetime | None = None  # when they have been without activity for too long

    def run(self, moves: Sequence[Move]) -> None:
        purse, rules, flow = self._purse, self._rules, self._flow
        for at, month, points, order, available_at, expires_at in moves:
            if purse.lots:
                self._pass(at)
            self._clock = at
            before, written_off, expired = purse.open_points, purse.written_off, purse.expired
            if points > 0:
                if available_at > self._latest:
                    self._latest = available_at
                purse.earn(points, at=at, available_at=available_at, expires_at=expires_at, origin=order)
                self._be_active(at)
            elif points < 0:
                purse.take_back(-points, at=at, origin=order, clamp=rules.clamp)
            flow.written_off[month] += purse.written_off - written_off
            flow.expired[month] += purse.expired - expired
            flow.open_points[month] += purse.open_points - before
            if self._redeems:
                self._look(at)
        self._pass(rules.months.ends[-1], last=True)

    def _pass(self, until: datetime, *, last: bool = False) -> None:
        """All that happens by itself up to then: expiry, redeeming, points that become available, months' ends.

        A month's end at that very moment waits for what else happens then, but for the last.
        """
        purse, flow = self._purse, self._flow
        while purse.lots:
            at = max(self._next(until, last=last), self._clock)
            if at > until:
                return
            self._clock = at
            month, before, expired = self._rules.months.of(at), purse.open_points, purse.expired
            self._expire(at)
            flow.expired[month] += purse.expired - expired
            if self._due is not None and self._due <= at:
                self._redeem(at, month)
            if self._redeems:
                self._look(at)
            flow.open_points[month] += purse.open_points - before
            if at == self._rules.months.ends[month] and self._month <= month and (last or at < until):
                flow.pending[month] += purse.pending(at)
                self._month = month + 1

    def _next(self, until: datetime, *, last: bool) -> datetime:
        """When the next of all that may happen by itself happens."""
        lots, rules = self._purse.lots, self._rules
        if self._still_until is not None:
            at = max(self._still_until, min(lot.available_at for lot in lots))
        else:
            at = lots[0].expires_at
        if self._due is not None and self._due < at:
            at = self._due
        if self._latest > self._clock:
            if self._redeems or self._purse.deficit:  # who waits for points, or owes some
                at = min([at, *(lot.available_at for lot in lots if lot.available_at > self._clock)])
            month = max(self._month, rules.months.of(self._clock))
            end = rules.months.ends[month] if month < len(rules.months.ends) else at
            if end <= self._latest and (last or end < until):
                at = min(at, end)
        return at

    def _expire(self, at: datetime) -> None:
        purse = self._purse
        if purse.deficit:
            purse.ripen(at)
        if self._still_until is None:
            if purse.lots and purse.lots[0].expires_at <= at:
                purse.expire(until=at)
        elif self._still_until <= at:
            purse.expire_available(at=at)

    def _look(self, at: datetime) -> None:
        """Whether they hold a reward's cost now: who just came to, redeems after the delay."""
        if self._purse.available(at) < self._wanted.cost(at)[1]:
            self._due = None
        elif self._due is None:
            self._due = at + self._rules.delay

    def _redeem(self, at: datetime, month: int) -> None:
        self._due = None
        place, cost = self._wanted.cost(at)
        if self._purse.available(at) < cost:
            return
        self._purse.redeem(cost, at=at)
        self._flow.redeemed[month] += cost
        self._flow.redemptions[place][month] += 1
        self._be_active(at)

    def _be_active(self, at: datetime) -> None:
        if self._rules.still_days is not None:
            self._still_until = days_later(at, self._rules.still_days, self._rules.zone)


def reward_of(program: Program, wanted: str, rank: int) -> int | None:
    """The place of the reward that members of that tier buy; None: they may have none."""
    allowed = [
        place
        for place, reward in enumerate(program.rewards)
        if reward.tier is None or program.rank(reward.tier) <= rank
    ]
    if wanted != CHEAPEST:
        return next((place for place in allowed if program.rewards[place].key == wanted), None)
    return min(allowed, key=lambda place: (program.rewards[place].cost, place), default=None)
