"""The simulation's short ways give what the product's own functions give, one by one, on any history.

`Slowly` is those functions applied to one member as things happen: `target_for_order` on terms fixed at the first
count, `tier_at`, a review at the end of each day, and a `Book` of entries. Nothing of the simulation is used in it.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.calendar import days_later, end_of_day
from app.domain.counting import ALONE, Known
from app.domain.earning import PointsTarget, Terms, target_for_order
from app.domain.ledger import Book, Draft, EntryKind
from app.domain.months import Months
from app.domain.past import PastOrder, snapshot_at
from app.domain.program import ExpiryKind, Program, decode, default_document
from app.domain.redeemers import Behaviour, Flow, Redeemers
from app.domain.replaying import Replaying
from app.domain.rules import PLAIN, CapPer
from app.domain.settling import Held, settle
from app.domain.tiers import SpendFact, TierFloor, tier_at
from app.services.check_document import check_document
from tests.factories import START

TICK = timedelta(microseconds=1)
UNTIL = START + timedelta(days=200, hours=5)


# --- Any program, any history ------------------------------------------------------------------------------


@st.composite
def programs(draw: st.DrawFn) -> Program:
    document = default_document(
        "Any", "EUR", draw(st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]))
    )
    document["currencies"] = {"JPY": {"spend_minor": 70, "program_minor": 65}}
    document["earn"] |= {
        "hold_days": draw(st.sampled_from([0, 0, 14])),
        "spend_minor": draw(st.sampled_from([100, 37])),
    }
    document["tiers"] = {
        "months": draw(st.integers(1, 4)),
        "grace_days": draw(st.sampled_from([0, 0, 20])),
        "levels": [
            {"key": "a", "name": "A", "from_minor": 0, "earn_percent": 100},
            {"key": "b", "name": "B", "from_minor": 5000, "earn_percent": 125},
            {"key": "c", "name": "C", "from_minor": 12000, "earn_percent": 150},
        ],
    }
    document["expiry"] = draw(
        st.sampled_from(
            [
                {"kind": "never"},
                {"kind": "after_days", "days": 30},
                {"kind": "after_inactivity_days", "days": 25},
            ]
        )
    )
    document["refunds"]["policy"] = draw(st.sampled_from(["deficit", "clamp"]))
    document["rewards"] = [
        {"key": "small", "kind": "amount", "cost": 40, "amount_minor": 200},
        {"key": "better", "kind": "amount", "cost": 30, "amount_minor": 200, "tier": "b"},
    ][: draw(st.integers(1, 2))]
    if draw(st.booleans()):
        document["earn"] |= _finer(draw)
    check_document(document)
    return decode(document, 1)


def _finer(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "minimum_minor": draw(st.sampled_from([1, 500])),
        "bonuses": [
            {"key": "third", "name": "Third", "points": 20, "every": 3},
            {"key": "big", "name": "Big", "points": 15, "spend_from_minor": 4000},
        ],
        "campaigns": [{"key": "b", "name": "Tier B", "percent": 200, "whose": {"tiers": ["b"]}}],
        "caps": [
            {"key": "day", "name": "Day", "points": 150, "per": "day"},
            {"key": "month", "name": "Month", "points": 300, "per": "month"},
            {"key": "all", "name": "All", "points": 600, "per": "member"},
        ],
    }


@st.composite
def histories(draw: st.DrawFn) -> list[PastOrder]:
    orders = []
    for number in range(draw(st.integers(1, 9))):
        placed = START + timedelta(hours=draw(st.integers(0, 150 * 24)))
        if draw(st.integers(0, 9)) == 0:
            placed = UNTIL
        paid = placed + timedelta(hours=draw(st.sampled_from([0, 0, 0, 1, 100])))
        goods = draw(st.sampled_from([0, 999, 3000, 5000, 9001]))
        refunds = sorted(
            (paid + timedelta(hours=draw(st.integers(-10, 60 * 24))), draw(st.sampled_from([100, 999, 4000])))
            for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2])))
        )
        void = paid + timedelta(hours=draw(st.integers(1, 90 * 24))) if draw(st.integers(0, 7)) == 0 else None
        orders.append(
            PastOrder(
                member="7",
                paid_at=paid,
                key=(1, str(number)),
                placed_at=placed,
                fulfilled_at=None,
                void_at=void,
                currency=draw(st.sampled_from(["EUR", "EUR", "EUR", "JPY"])),
                goods_minor=goods,
                refunds=tuple(refunds),
                snapshot=None,
            )
        )
    return sorted(orders)


# --- The same, slowly --------------------------------------------------------------------------------------


@dataclass
class Order:
    """One order and its terms. `changes`: moments at which something goes back, with the refunds made by then."""

    past: PastOrder
    program: Program
    terms: Terms
    target: PointsTarget

    @property
    def fact(self) -> SpendFact:
        return spend_of(self.past, self.program)

    @property
    def changes(self) -> list[tuple[datetime, int | None]]:
        void = self.past.void_at
        found: list[tuple[datetime, int | None]] = [
            (when, number)
            for number, (when, _) in enumerate(self.past.refunds, 1)
            if when > self.past.paid_at and (void is None or when < void)
        ]
        return found if void is None else [*found, (void, None)]


def spend_of(past: PastOrder, program: Program) -> SpendFact:
    snapshot = snapshot_at(past, refunds=len(past.refunds))
    return SpendFact(
        order_key=past.key,
        counted_at=past.paid_at,
        goods_minor=program.worth(snapshot.goods).minor,
        refunds=tuple(
            (refund.refunded_at, program.worth(refund.goods).minor)
            for refund in snapshot.refunds
            if refund.refunded_at is not None
        ),
        void_at=past.void_at,
    )


@dataclass
class Slowly:
    program: Program
    orders: list[Order] = field(default_factory=list)
    floors: list[TierFloor] = field(default_factory=list)
    tiers: list[tuple[datetime, int]] = field(default_factory=list)
    targets: list[tuple[datetime, str, PointsTarget]] = field(
        default_factory=list
    )  # when, of which order, to what

    def run(self, history: list[PastOrder]) -> None:
        days = {
            end_of_day((START + timedelta(days=day)).date(), self.program.zone) - TICK
            for day in range(-1, 202)
        }
        pending: list[tuple[datetime, int, Order, int | None]] = []
        for past in history:
            if past.paid_at > UNTIL:
                continue
            self._pass(pending, days, past.paid_at)
            order = self._count(past)
            pending += [(when, len(self.orders), order, refunds) for when, refunds in order.changes]
            pending.sort(key=lambda one: (one[0], one[1], one[3] or 99))
        self._pass(pending, days, UNTIL)

    def _pass(
        self, pending: list[tuple[datetime, int, Order, int | None]], days: set[datetime], until: datetime
    ) -> None:
        while pending and pending[0][0] <= until:
            when, _, order, refunds = pending.pop(0)
            self._change(order, when, refunds)
        for day in sorted(day for day in days if day <= until):
            days.discard(day)
            self._review(day)

    def _count(self, past: PastOrder) -> Order:
        program, at = self.program, past.paid_at
        facts = [order.fact for order in self.orders]
        tier = tier_at(facts, self.floors, program=program, at=past.placed_at, before=past.key)
        terms = Terms(program=program, tier=tier, known=ALONE if program.rules == PLAIN else self._known(at))
        made = sum(1 for when, _ in past.refunds if when <= at)
        target = target_for_order(snapshot_at(past, refunds=made), terms)
        order = Order(past, program, terms, target)
        self.orders.append(order)
        self.targets.append((at, past.key[1], target))
        if not self.tiers:
            self.tiers.append((at, 0))
        reached = tier_at([one.fact for one in self.orders], self.floors, program=program, at=at)
        if program.rank(reached.key) > self.tiers[-1][1]:
            self.tiers.append((at, program.rank(reached.key)))
        return order

    def _known(self, at: datetime) -> Known:
        local = at.astimezone(self.program.zone)
        room = {}
        for cap in self.program.rules.caps:
            same = [
                order.target.points
                for order in self.orders
                if cap.per is CapPer.MEMBER
                or (
                    cap.per is CapPer.DAY
                    and order.past.paid_at.astimezone(local.tzinfo).date() == local.date()
                )
                or (
                    cap.per is CapPer.MONTH
                    and order.past.paid_at.astimezone(local.tzinfo).strftime("%Y%m") == local.strftime("%Y%m")
                )
            ]
            room[cap.key] = max(cap.points - sum(same), 0)
        return Known(number=len(self.orders) + 1, room=room)

    def _change(self, order: Order, when: datetime, refunds: int | None) -> None:
        if refunds is None:
            order.target = replace(order.target, points=0)
        else:
            order.target = target_for_order(snapshot_at(order.past, refunds=refunds), order.terms)
        self.targets.append((when, order.past.key[1], order.target))

    def _review(self, at: datetime) -> None:
        program = self.program
        if not self.tiers or self.tiers[-1][1] == 0:
            return
        since, rank = self.tiers[-1]
        reached = program.rank(
            tier_at([one.fact for one in self.orders], self.floors, program=program, at=at).key
        )
        if reached >= rank:
            return
        key = program.tiers[rank].key
        had = any(floor.tier_key == key and floor.from_at >= since for floor in self.floors)
        if program.grace_days and not had:
            until = at + timedelta(days=program.grace_days)
            self.floors.append(TierFloor(tier_key=key, from_at=at, until_at=until))
        else:
            self.tiers.append((at, reached))


@dataclass
class Lots:
    """The targets in a book, and what happens by itself in between: expiry, redeeming, each at its moment."""

    slowly: Slowly
    months: Months
    behaviour: Behaviour | None
    flow: Flow = field(init=False)
    book: Book = field(default_factory=lambda: Book((1, 7)))
    held: dict[str, dict[int, Held]] = field(default_factory=dict)
    due: datetime | None = None
    last: datetime | None = None  # the last activity
    clock: datetime = START - timedelta(days=1)

    def __post_init__(self) -> None:
        self.flow = Flow(len(self.months.names), len(self.slowly.program.rewards))

    def run(self) -> Flow:
        for at, ref, target in self.slowly.targets:
            self._pass(at)
            self.clock = at
            before = sum(
                entry.points for entry in self.book.appended if entry.kind is EntryKind.EXPIRY_REVERSAL
            )
            mine = self.held.setdefault(ref, {})
            had = sum(one.points for one in mine.values())
            self._watch(
                at,
                lambda target=target, mine=mine, ref=ref, at=at: settle(
                    ref,
                    target,
                    {7: self.book},
                    mine,
                    owner=7,
                    counts_as={},
                    policy=self.slowly.program.refund_policy,
                    now=at,
                ),
            )
            if target.points > had:
                self.last = at
            after = sum(
                entry.points for entry in self.book.appended if entry.kind is EntryKind.EXPIRY_REVERSAL
            )
            self.flow.expired[self.months.of(at)] -= after - before
            self._look(at)
            self._end_month(at)
        self._pass(UNTIL)
        return self.flow

    def _watch(self, at: datetime, act: Any) -> None:
        before = self._open()
        act()
        self.book.ripen(at)
        self.flow.open_points[self.months.of(at)] += self._open() - before

    def _open(self) -> int:
        return sum(lot.remaining for lot in self.book.lots.values())

    def _pass(self, until: datetime) -> None:
        while True:
            at = max(min(self._moments(), default=until + TICK), self.clock)
            if at > until:
                return
            self.clock = at
            self._watch(at, lambda at=at: self._expire(at))
            if self.due is not None and self.due <= at:
                self._watch(at, lambda at=at: self._redeem(at))
            self._look(at)
            self._end_month(at)

    def _end_month(self, at: datetime) -> None:
        month = self.months.of(at)
        if at == self.months.ends[month]:
            self.flow.pending[month] = self.book.balance(at=at).pending

    def _moments(self) -> list[datetime]:
        lots = [lot for lot in self.book.lots.values() if lot.remaining]
        found = [lot.expires_at for lot in lots if lot.expires_at is not None]
        found += [lot.available_at for lot in lots if lot.available_at > self.clock]
        if self._still() is not None and lots:
            found.append(max(self._still() or UNTIL, min(lot.available_at for lot in lots)))
        if self.due is not None:
            found.append(self.due)
        return found + [end for end in self.months.ends if end > self.clock]

    def _still(self) -> datetime | None:
        program = self.slowly.program
        if program.expiry is not ExpiryKind.AFTER_INACTIVITY_DAYS or self.last is None:
            return None
        return days_later(self.last, program.expiry_days or 0, program.zone)

    def _expire(self, at: datetime) -> None:
        expired = self.book.expire(until=at, now=at)
        still = self._still()
        if still is not None and still <= at:
            self.book.ripen(at)
            quiet = [lot for lot in self.book.lots.values() if lot.remaining and lot.available_at <= at]
            expired += [self.book.expire_lot(lot, occurred_at=at, now=at) for lot in quiet]
        self.flow.expired[self.months.of(at)] -= sum(entry.points for entry in expired)

    def _reward(self, at: datetime) -> tuple[int, int]:
        """(place, cost) of the cheapest that the member's tier may have."""
        program = self.slowly.program
        rank = next((rank for since, rank in reversed(self.slowly.tiers) if since <= at), 0)
        allowed = [
            (reward.cost, place)
            for place, reward in enumerate(program.rewards)
            if reward.tier is None or program.rank(reward.tier) <= rank
        ]
        cost, place = min(allowed)
        return place, cost

    def _look(self, at: datetime) -> None:
        if self.behaviour is None:
            return
        if self.book.balance(at=at).available < self._reward(at)[1]:
            self.due = None
        elif self.due is None:
            self.due = at + timedelta(days=self.behaviour.delay_days)

    def _redeem(self, at: datetime) -> None:
        self.due = None
        place, cost = self._reward(at)
        if self.book.balance(at=at).available < cost:
            return
        self.book.redeem(Draft(EntryKind.REDEEM, -cost, f"r{self.book.seq}", 0, at), now=at)
        self.last = at
        self.flow.redeemed[self.months.of(at)] += cost
        self.flow.redemptions[place][self.months.of(at)] += 1


# --- Side by side ------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(programs(), histories())
def test_points_and_tiers_are_those_of_settling_order_by_order(
    program: Program, history: list[PastOrder]
) -> None:
    months = Months(START, UNTIL, program.zone)
    found = Replaying(program, months).replay(history)
    slowly = Slowly(program)
    slowly.run(history)
    held: dict[str, int] = {}
    moves = []
    for at, ref, target in slowly.targets:
        if target.points != held.get(ref, 0):
            moves.append((at, target.points - held.get(ref, 0), (1, ref), max(target.ready_at or at, at)))
        held[ref] = target.points
    assert [(at, points, key, available) for at, _, points, key, available, _ in found.moves] == moves
    assert [(at, rank) for at, _, rank in found.tiers] == slowly.tiers


@settings(max_examples=150, deadline=None)
@given(programs(), histories(), st.sampled_from([0, 5]))
def test_lots_end_as_in_a_book_whether_people_redeem_or_not(
    program: Program, history: list[PastOrder], delay_days: int
) -> None:
    months = Months(START, UNTIL, program.zone)
    behaviour = Behaviour(share=500, share_low=500, share_high=500, delay_days=delay_days)
    found = Replaying(program, months).replay(history)
    slowly = Slowly(program)
    slowly.run(history)
    both, saver, redeemer = (Flow(len(months.names), len(program.rewards)) for _ in range(3))
    Redeemers(program, behaviour, months).follow(
        found.moves, found.tiers, both=both, saver=saver, redeemer=redeemer
    )
    if not found.tiers:
        return
    for flow, who in ((saver, None), (redeemer, behaviour)):
        slow = Lots(slowly, months, who).run()
        for name in ("open_points", "pending", "expired", "redeemed"):
            fast = [one + other for one, other in zip(getattr(flow, name), getattr(both, name), strict=True)]
            assert fast == getattr(slow, name), (name, who)
        assert flow.redemptions == slow.redemptions
