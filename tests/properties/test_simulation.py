"""The simulation's short ways give what the product's own functions give, one by one, on any history.

`Slowly` is those functions applied to one member as things happen: `target_for_order` on terms fixed at the first
count, `tier_at`, a review at the end of each day, and a `Book` of entries. Nothing of the simulation is used in it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.calendar import days_later, end_of_day
from app.domain.earning import PointsTarget, Terms, lot_expiry, target_for_order
from app.domain.known import ALONE, Known
from app.domain.ledger import Book, Draft, EntryKind
from app.domain.money import Money
from app.domain.months import Months
from app.domain.orders import OrderLine, OrderState, RefundedLine
from app.domain.past import PastOrder, snapshot_at
from app.domain.program import ExpiryKind, Program, decode, default_document
from app.domain.purse import NEVER
from app.domain.qualifying import spend_fact
from app.domain.redeemers import Behaviour, Flow, Redeemers
from app.domain.replaying import Move, Replaying
from app.domain.rules import PLAIN
from app.domain.settling import Held, settle
from app.domain.spending import SpendFact
from app.domain.tiers import TierFloor, earns_entry, entries_for, falls_to, memberships, step_until, tier_at
from app.services.check_document import check_document
from tests.factories import START

TICK = timedelta(microseconds=1)
DAYS = 600  # into the year after the next: what one year reached is lost
UNTIL = START + timedelta(days=DAYS, hours=5)


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
    document["tiers"] = draw(levels())
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


@st.composite
def levels(draw: st.DrawFn) -> dict[str, Any]:
    """Any measures and window; beside what orders reach, what is given or bought, and what reaching gives."""
    measures = draw(st.sampled_from([["from_minor"], ["from_points"], ["from_orders"], list(_REACH)]))
    window = draw(st.sampled_from(["rolling", "rolling", "calendar_year", "lifetime"]))
    ladder = [
        {"key": "a", "name": "A", "earn_percent": 100} | {measures[0]: 0},
        {"key": "b", "name": "B", "earn_percent": 125} | {one: _REACH[one][0] for one in measures},
        {"key": "c", "name": "C", "earn_percent": 150} | {one: _REACH[one][1] for one in measures},
    ]
    if draw(st.booleans()):
        ladder.insert(2, {"key": "guest", "name": "G", "earn_percent": 300, "invitation_only": True})
    if draw(st.booleans()):
        ladder.append(
            {"key": "paid", "name": "P", "earn_percent": 200, "paid": {"products": ["card"], "days": 40}}
        )
    for level in ladder[1:]:
        if draw(st.integers(0, 2)) == 0:
            level["entry_points"] = 25
    found: dict[str, Any] = {
        "window": window,
        "grace_days": draw(st.sampled_from([0, 0, 20])),
        "levels": ladder,
        "downgrade": "to_level" if window == "lifetime" else draw(st.sampled_from(["to_level", "one_step"])),
    }
    return found | ({"months": draw(st.integers(1, 4))} if window == "rolling" else {})


_REACH = {"from_minor": (5000, 12000), "from_points": (60, 150), "from_orders": (2, 4)}


def _finer(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "minimum_minor": draw(st.sampled_from([1, 500])),
        "bonuses": [
            {"key": "third", "name": "Third", "points": 20, "every": 3},
            {"key": "big", "name": "Big", "points": 15, "spend_from_minor": 4000},
        ],
        "campaigns": [
            {"key": "b", "name": "Tier B", "percent": 200, "whose": {"tiers": ["b"]}},
            {"key": "good", "name": "Good", "percent": 110, "whose": {"spend_from_minor": 8000}},
            {"key": "back", "name": "Back", "percent": 130, "whose": {"quiet_days_from": 30}},
            {"key": "old", "name": "Old", "percent": 120, "whose": {"member_days_from": 60}},
        ],
        "goals": [
            {"key": "m", "name": "Month", "points": 11, "spend_minor": 7000, "per": "month"},
            {"key": "y", "name": "Year", "points": 13, "spend_minor": 9000, "per": "year"},
            {"key": "e", "name": "Ever", "points": 17, "spend_minor": 15000, "per": "member"},
        ],
        "caps": [
            {"key": "day", "name": "Day", "points": 150, "per": "day"},
            {"key": "month", "name": "Month", "points": 300, "per": "month"},
            {"key": "all", "name": "All", "points": 900, "per": "member"},
            {"key": "us", "name": "Us", "points": 400, "per": "program_day"},
        ],
    }


@st.composite
def histories(draw: st.DrawFn) -> list[PastOrder]:
    orders = []
    stretch = draw(st.sampled_from([1, 1, 3]))
    for number in range(draw(st.integers(1, 9))):
        placed = START + timedelta(hours=draw(st.integers(0, 150 * 24))) * stretch
        if draw(st.integers(0, 9)) == 0:
            placed = UNTIL
        paid = placed + timedelta(hours=draw(st.sampled_from([0, 0, 0, 1, 100])))
        goods = draw(st.sampled_from([0, 999, 3000, 5000, 9001]))
        refunds = sorted(
            (paid + timedelta(hours=draw(st.integers(-10, 60 * 24))), draw(st.sampled_from([100, 999, 4000])))
            for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2])))
        )
        void = paid + timedelta(hours=draw(st.integers(1, 90 * 24))) if draw(st.integers(0, 7)) == 0 else None
        order = PastOrder(
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
        orders.append(_with_cards(order, draw(st.integers(1, 2))) if draw(st.integers(0, 4)) == 0 else order)
    return sorted(orders, key=lambda order: order[:3])


def _with_cards(order: PastOrder, pieces: int) -> PastOrder:
    """Half of its goods are pieces of what buys a level, and they go back first."""
    half = order.goods_minor // 2
    whole = snapshot_at(order, refunds=len(order.refunds))
    cards = OrderLine(line_ref="1", product_ref="card", quantity=pieces, goods_minor=half)
    rest = OrderLine(line_ref="2", product_ref="tea", goods_minor=order.goods_minor - half)
    refunds = tuple(
        replace(one, lines=(RefundedLine(line_ref="1", goods_minor=min(one.goods.minor, half)),))
        for one in whole.refunds
    )
    return order._replace(snapshot=replace(whole, lines=(cards, rest), refunds=refunds))


# --- The same, slowly --------------------------------------------------------------------------------------


@dataclass
class Order:
    """One order and its terms. `changes`: moments at which something goes back, with the refunds made by then."""

    past: PastOrder
    program: Program
    terms: Terms
    target: PointsTarget
    refunds: int | None  # made so far; None: it was cancelled

    @cached_property
    def whole(self) -> SpendFact:
        return self.fact()

    def fact(self, told_by: datetime | None = None) -> SpendFact:
        """With all that ever went back, or as it was told by then."""
        past = self.past
        refunds = sum(1 for when, _ in past.refunds if told_by is None or when <= told_by)
        void = past.void_at if told_by is None or (past.void_at and past.void_at <= told_by) else None
        snapshot = snapshot_at(past, refunds=refunds)
        if void is not None:
            snapshot = replace(snapshot, state=OrderState.CANCELLED, cancelled_at=void)
        found = spend_fact(snapshot, past.key, self.terms)
        assert found is not None
        return found

    @property
    def net_minor(self) -> int:
        """What is left of its goods as it is now, in the program's currency."""
        if self.refunds is None:
            return 0
        program, currency = self.program, self.past.currency
        gone = sum(minor for _, minor in self.past.refunds[: self.refunds])
        return program.worth(Money(max(self.past.goods_minor - gone, 0), currency)).minor

    @property
    def changes(self) -> list[tuple[datetime, int | None]]:
        void = self.past.void_at
        found: list[tuple[datetime, int | None]] = [
            (when, number)
            for number, (when, _) in enumerate(self.past.refunds, 1)
            if when > self.past.paid_at and (void is None or when < void)
        ]
        return found if void is None else [*found, (void, None)]


@dataclass
class Slowly:
    program: Program
    orders: list[Order] = field(default_factory=list)
    floors: list[TierFloor] = field(default_factory=list)
    tiers: list[tuple[datetime, int]] = field(default_factory=list)
    given: dict[str, datetime] = field(default_factory=dict)  # level -> when it was reached
    targets: list[tuple[datetime, tuple[int, str], PointsTarget]] = field(
        default_factory=list
    )  # when, of which order or level, to what

    def run(self, history: list[PastOrder]) -> None:
        days = {
            end_of_day((START + timedelta(days=day)).date(), self.program.zone) - TICK
            for day in range(-1, DAYS + 2)
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
        facts = self._facts()
        tier = tier_at(facts, self.floors, program=program, at=past.placed_at, before=past.key)
        terms = Terms(program=program, tier=tier, known=ALONE if program.rules == PLAIN else self._known(at))
        made = sum(1 for when, _ in past.refunds if when <= at)
        target = target_for_order(snapshot_at(past, refunds=made), terms)
        order = Order(past, program, terms, target, made)
        self.orders.append(order)
        self.targets.append((at, past.key, target))
        if not self.tiers:
            self.tiers.append((at, 0))
        reached = tier_at(self._facts(), self.floors, program=program, at=at)
        if program.rank(reached.key) > self.tiers[-1][1]:
            for level in entries_for(program.tiers[self.tiers[-1][1]], reached, program):
                self.given.setdefault(level.key, at)
            self.tiers.append((at, program.rank(reached.key)))
        self._enter(at)
        return order

    def _facts(self, told_by: datetime | None = None) -> list[SpendFact]:
        return [order.whole if told_by is None else order.fact(told_by) for order in self.orders]

    def _enter(self, at: datetime) -> None:
        """What each level that was ever reached brings, by what is known by now. As `reward_target`."""
        program = self.program
        for key, since in self.given.items():
            earned = earns_entry(self._facts(at), (), program=program, tier_key=key)
            target = PointsTarget(
                points=program.tier(key).entry_points if earned else 0,
                occurred_at=since,
                ready_at=since + timedelta(days=program.hold_days) if program.hold_days else None,
                expires_at=lot_expiry(program, since),
            )
            self.targets.append((at, (-1, key), target))

    def _known(self, at: datetime) -> Known:
        local = at.astimezone(self.program.zone)
        same: dict[str, Callable[[datetime], bool]] = {
            "day": lambda one: one.strftime("%Y%m%d") == local.strftime("%Y%m%d"),
            "month": lambda one: one.strftime("%Y%m") == local.strftime("%Y%m"),
            "year": lambda one: one.year == local.year,
            "member": lambda one: True,
        }

        def others(per: str) -> list[Order]:
            return [one for one in self.orders if same[per](one.past.paid_at.astimezone(local.tzinfo))]

        rules = self.program.rules
        last = max((order.past.paid_at for order in self.orders), default=None)
        joined = min(order.past.paid_at for order in self.orders) if self.orders else at
        return Known(
            number=len(self.orders) + 1,
            room={
                cap.key: max(cap.points - sum(one.target.points for one in others(cap.per)), 0)
                for cap in rules.caps
                if cap.per.is_of_member
            },
            goals={
                goal.key: sum(one.net_minor for one in others(goal.per))
                for goal in rules.goals
                if not any(
                    goal.key in str(one.target.facts.get("goals", "")).split() for one in others(goal.per)
                )
            },
            spend_minor=sum(one.net_minor for one in self.orders),
            quiet_days=None if last is None else (at - last).days,
            member_days=(at - joined).days,
        )

    def _change(self, order: Order, when: datetime, refunds: int | None) -> None:
        if refunds is None:
            order.target = replace(order.target, points=0, facts={})
        else:
            order.target = target_for_order(snapshot_at(order.past, refunds=refunds), order.terms)
        order.refunds = refunds
        self.targets.append((when, order.past.key, order.target))
        self._enter(when)

    def _review(self, at: datetime) -> None:
        program = self.program
        if not self.tiers or self.tiers[-1][1] == 0:
            return
        since, rank = self.tiers[-1]
        current = program.tiers[rank]
        reached = tier_at(self._facts(), self.floors, program=program, at=at)
        if program.rank(reached.key) >= rank:
            return
        known = (*self.floors, *memberships(self._facts(), program.zone))
        had = any(
            floor.tier_key == current.key and (floor.until_at is None or floor.until_at > since)
            for floor in known
        )
        if program.grace_days and not had:
            until = at + timedelta(days=program.grace_days)
            self.floors.append(TierFloor(tier_key=current.key, from_at=at, until_at=until))
            return
        to = falls_to(current, reached, program)
        if to.key != reached.key:
            until = step_until(program, at)
            self.floors.append(TierFloor(tier_key=to.key, from_at=at, until_at=until, cause="step"))
        self.tiers.append((at, program.rank(to.key)))


@dataclass
class Lots:
    """The targets in a book, and what happens by itself in between: expiry, redeeming, each at its moment."""

    slowly: Slowly
    months: Months
    behaviour: Behaviour | None
    flow: Flow = field(init=False)
    book: Book = field(default_factory=lambda: Book((1, 7)))
    held: dict[tuple[int, str], dict[int, Held]] = field(default_factory=dict)
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
                    f"{ref[0]}:{ref[1]}",
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


@settings(max_examples=40, deadline=None)
@given(programs(), histories())
def test_points_and_tiers_are_those_of_settling_order_by_order(
    program: Program, history: list[PastOrder]
) -> None:
    months = Months(START, UNTIL, program.zone)
    found = Replaying(program, months).replay(history)
    slowly = Slowly(program)
    slowly.run(history)
    held: dict[tuple[int, str], int] = {}
    moves = []
    for at, ref, target in slowly.targets:
        if target.points != held.get(ref, 0):
            moves.append((at, target.points - held.get(ref, 0), ref, max(target.ready_at or at, at)))
        held[ref] = target.points
    assert [
        (at, points, key, available) for at, _, points, key, available, _ in found.moves if points
    ] == moves
    assert [(at, rank) for at, _, rank in found.tiers] == slowly.tiers


@settings(max_examples=40, deadline=None)
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
        found.moves, found.tiers, in_turn=found.in_turn, both=both, saver=saver, redeemer=redeemer
    )
    if not found.tiers:
        return
    for flow, who in ((saver, None), (redeemer, behaviour)):
        slow = Lots(slowly, months, who).run()
        for name in ("open_points", "pending", "expired", "redeemed"):
            fast = [one + other for one, other in zip(getattr(flow, name), getattr(both, name), strict=True)]
            assert fast == getattr(slow, name), (name, who)
        assert flow.redemptions == slow.redemptions


@st.composite
def in_turn(draw: st.DrawFn, hold_days: int) -> list[Move]:
    """Points given with one hold and one life, each by an order of its own, and parts of them taken back."""
    hold, life = timedelta(days=hold_days), draw(st.sampled_from([None, 8, 30]))
    gifts = draw(
        st.lists(st.tuples(st.integers(0, 40), st.sampled_from([10, 25, 60])), min_size=1, max_size=8)
    )
    moves: list[Move] = []
    months = Months(START, UNTIL, ZoneInfo("UTC"))
    for number, (day, points) in enumerate(sorted(gifts)):
        moment, order = START + timedelta(days=day), (1, str(number))
        ends = NEVER if life is None else moment + timedelta(days=life)
        moves.append((moment, months.of(moment), points, order, moment + hold, ends))
        left = points
        for later, share in draw(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 3)), max_size=2)):
            at, back = max(moment + timedelta(days=later), moves[-1][0]), -(left * share // 3)
            if back:
                moves.append((at, months.of(at), back, order, max(moment + hold, at), ends))
            left += back
    return sorted(moves, key=lambda move: move[0])


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from([0, 3]), st.sampled_from([0, 2]), st.sampled_from(["deficit", "clamp"]))
def test_lots_that_come_and_go_in_turn_are_followed_faster_to_the_same_end(
    data: st.DataObject, hold_days: int, delay_days: int, policy: str
) -> None:
    moves = data.draw(in_turn(hold_days))
    document = default_document("Any", "EUR", "UTC")
    document["rewards"] = [{"key": "small", "kind": "amount", "cost": 40, "amount_minor": 200}]
    document["refunds"]["policy"], document["earn"]["hold_days"] = policy, hold_days
    program, months = decode(document, 1), Months(START, UNTIL, ZoneInfo("UTC"))
    redeemers = Redeemers(
        program, Behaviour(share=500, share_low=500, share_high=500, delay_days=delay_days), months
    )
    found = []
    for is_known in (True, False):
        flows = [Flow(len(months.names), 1) for _ in range(3)]
        both, saver, redeemer = flows
        tiers = [(moves[0][0], 0, 0)]
        redeemers.follow(moves, tiers, in_turn=is_known, both=both, saver=saver, redeemer=redeemer)
        found.append([{name: getattr(flow, name) for name in Flow.__slots__} for flow in flows])
    assert found[0] == found[1]


def test_what_is_reached_again_late_does_not_come_in_turn() -> None:
    document = default_document("Any", "EUR", "UTC")
    document["tiers"]["levels"] = [
        {"key": "a", "name": "A", "earn_percent": 100, "from_minor": 0},
        {"key": "b", "name": "B", "earn_percent": 100, "from_minor": 5_000, "entry_points": 25},
    ]
    program, months = decode(document, 1), Months(START, UNTIL, ZoneInfo("UTC"))
    back = START + timedelta(days=10)
    first, later = bought("1", START, 6_000), bought("2", START + timedelta(days=20), 7_000)
    assert Replaying(program, months).replay([first, later]).in_turn
    found = Replaying(program, months).replay([first._replace(refunds=((back, 6_000),)), later])
    entry = [(at, points) for at, _, points, key, _, _ in found.moves if key[0] == -1]
    assert entry == [(START, 25), (back, -25), (later.paid_at, 25)]
    assert not found.in_turn


def bought(ref: str, paid_at: datetime, goods_minor: int) -> PastOrder:
    return PastOrder(
        member="m",
        paid_at=paid_at,
        key=(1, ref),
        placed_at=paid_at,
        fulfilled_at=None,
        void_at=None,
        currency="EUR",
        goods_minor=goods_minor,
        refunds=(),
        snapshot=None,
    )
