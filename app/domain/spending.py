"""What a member's counted orders come to, over the windows that tiers look at. Pure."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.domain.calendar import months_before, start_of_year
from app.domain.program import Program
from app.domain.tier_rules import Measure, Window

OrderKey = tuple[int, str]  # (shop id, order_ref): breaks ties
Span = tuple[datetime, datetime]  # (after, up to and including)

EVER = datetime(1970, 1, 1, tzinfo=UTC)  # no order is older: histories that programs are tried on go far back

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Membership:
    """One piece, on an order, of what buys a level. `gone_at`: when it went back."""

    tier_key: str
    days: int
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendFact:
    """One counted order as far as tiers look at it. Amounts in the program's currency, minor units.

    `points`: what it earns without what the tier adds, so that no level lifts itself; `points_back`: what each of
    the refunds takes of them.
    """

    order_key: OrderKey
    counted_at: datetime  # its counting moment, the shop's clock
    goods_minor: int
    refunds: tuple[tuple[datetime, int], ...]  # (when, how much of the goods)
    void_at: datetime | None  # cancelled or gone since
    points: int = 0
    points_back: tuple[tuple[datetime, int], ...] = ()
    memberships: tuple[Membership, ...] = ()


@dataclass(frozen=True, slots=True)
class Qualifying:
    """What a member's orders of one window come to."""

    spend_minor: int
    points: int
    orders: int

    def of(self, measure: Measure) -> int:
        match measure:
            case Measure.SPEND:
                return self.spend_minor
            case Measure.POINTS:
                return self.points
            case Measure.ORDERS:
                return self.orders


# --- What counts -------------------------------------------------------------------------------------------


def counts_since(programs: Iterable[Program], at: datetime) -> datetime:
    """No order counted up to then matters under any of `programs` for a level at `at` or later."""
    starts = [at]
    for program in programs:
        if any(tier.paid for tier in program.tiers):
            return EVER  # one bought after another adds up
        starts.append(spans(program, at)[-1][0])
    return min(starts)


def window_start(program: Program, at: datetime) -> datetime:
    """No order counted up to then is on the way to the next level."""
    return spans(program, at)[0][0]


def spans(program: Program, at: datetime) -> tuple[Span, ...]:
    """Each window that counts at `at`; the present one first."""
    return _windows(program.window, program.tier_months, program.timezone, at)


def qualifying(
    facts: Iterable[SpendFact], *, program: Program, at: datetime, before: OrderKey | None = None
) -> list[Qualifying]:
    """What the orders counted before `at` come to, in each window that counts; the present one first.

    Less refunds and voids dated before `at`. An order counts as one while something of its goods is left. `before`
    names the order whose tier is asked for: an order counted at the very same moment lies before it if its key is
    smaller.
    """
    ours = [fact for fact in facts if fact.counted_at <= at and lies_before(fact, at, before)]
    return [
        _sum((fact for fact in ours if start < fact.counted_at <= end), at)
        for start, end in spans(program, at)
    ]


@lru_cache(maxsize=1024)
def _windows(window: Window, months: int, timezone: str, at: datetime) -> tuple[Span, ...]:
    zone = ZoneInfo(timezone)
    match window:
        case Window.LIFETIME:
            return ((EVER, at),)
        case Window.ROLLING:
            return ((months_before(at, months, zone), at),)
        case Window.CALENDAR_YEAR:
            year = at.astimezone(zone).year
            first, before = (start_of_year(one, zone) - _INSTANT for one in (year, year - 1))
            return ((first, at), (before, first))


def lies_before(fact: SpendFact, at: datetime, before: OrderKey | None) -> bool:
    """Whether an order counted up to `at` comes before the one named; see `qualifying`."""
    if before is None:
        return True
    return fact.order_key != before and (fact.counted_at < at or fact.order_key < before)


def _sum(facts: Iterable[SpendFact], at: datetime) -> Qualifying:
    spend = points = orders = 0
    for fact in facts:
        if fact.void_at is not None and fact.void_at < at:
            continue
        left, earned = fact.goods_minor, fact.points
        if fact.refunds:  # few have any, and this is asked for everybody
            left -= sum(minor for when, minor in fact.refunds if when < at)
            earned -= sum(back for when, back in fact.points_back if when < at)
        if left > 0:
            spend += left
            orders += 1
        points += max(earned, 0)
    return Qualifying(spend, points, orders)


# --- Asked again and again ---------------------------------------------------------------------------------

_PAYS_FROM = 64  # orders: fewer are added up sooner than kept in order
_PAYS_AFTER = 3  # questions

_Sums = tuple[int, int, int]  # spend, points, orders
_Place = tuple[datetime, OrderKey]

_NOTHING: _Sums = (0, 0, 0)
_FIRST: OrderKey = (-1, "")  # sorts before every order of the same moment
_LAST: OrderKey = (2**63, "")  # and behind every one
_END = datetime.max.replace(tzinfo=UTC)


class SpendHistory:
    """A member's counted orders, each by its key; the answers are those of `qualifying`.

    A till's customer "walk-in" has ten thousand orders: once more than a few questions are asked of so many, they are
    kept in the order of their moments with running sums, and an answer looks at what changed since and at no other.
    """

    __slots__ = ("_asked", "_facts", "_index", "_pays_after", "_pays_from")

    def __init__(
        self, facts: Iterable[SpendFact] = (), *, pays_from: int = _PAYS_FROM, pays_after: int = _PAYS_AFTER
    ) -> None:
        self._facts = {fact.order_key: fact for fact in facts}
        self._pays_from, self._pays_after = pays_from, pays_after
        self._asked = 0
        self._index: _Index | None = None

    def __iter__(self) -> Iterator[SpendFact]:
        return iter(self._facts.values())

    def put(self, fact: SpendFact) -> None:
        """It is as `fact` says from now on."""
        old = self._facts.get(fact.order_key)
        if old == fact:
            return
        self._facts[fact.order_key] = fact
        if self._index is not None:
            if old is not None:
                self._index.take_out(old)
            self._index.put_in(fact)

    def drop(self, key: OrderKey) -> None:
        old = self._facts.pop(key, None)
        if old is not None and self._index is not None:
            self._index.take_out(old)

    def selling(self) -> Iterable[SpendFact]:
        """Orders that bought a level."""
        if self._index is not None:
            return self._index.selling.values()
        return (fact for fact in self._facts.values() if fact.memberships)

    def qualifying(
        self, *, program: Program, at: datetime, before: OrderKey | None = None
    ) -> list[Qualifying]:
        """What `qualifying` says of them."""
        if self._index is None:
            if self._asked < self._pays_after or len(self._facts) < self._pays_from:
                self._asked += 1
                return qualifying(self._facts.values(), program=program, at=at, before=before)
            self._index = _Index(self._facts.values())
        own = self._facts.get(before) if before is not None else None
        return [self._index.sum(span, at, before, own) for span in spans(program, at)]


class _Index:
    """Orders by their moments, with what is left by now of all up to each. What went back later is added to that."""

    __slots__ = ("_changed", "_facts", "_left", "_places", "selling")

    def __init__(self, facts: Iterable[SpendFact]) -> None:
        self._facts = sorted(facts, key=_place)
        self._places = [_place(fact) for fact in self._facts]
        self._changed = sorted((_changed_at(fact), _place(fact)) for fact in self._facts if _changes(fact))
        self.selling = {fact.order_key: fact for fact in self._facts if fact.memberships}
        self._left: list[_Sums] = [_NOTHING]
        self._add_up(0)

    def put_in(self, fact: SpendFact) -> None:
        place = _place(fact)
        position = bisect_left(self._places, place)
        self._places.insert(position, place)
        self._facts.insert(position, fact)
        if _changes(fact):
            insort(self._changed, (_changed_at(fact), place))
        if fact.memberships:
            self.selling[fact.order_key] = fact
        self._add_up(position)

    def take_out(self, fact: SpendFact) -> None:
        place = _place(fact)
        position = bisect_left(self._places, place)
        del self._places[position], self._facts[position]
        if _changes(fact):
            del self._changed[bisect_left(self._changed, (_changed_at(fact), place))]
        self.selling.pop(fact.order_key, None)
        self._add_up(position)

    def sum(self, span: Span, at: datetime, before: OrderKey | None, own: SpendFact | None) -> Qualifying:
        """What the orders of the span come to at that moment, but for `own`, which is asked about."""
        places = self._places
        start, end = span
        first = bisect_right(places, (start, _LAST))
        stop = bisect_right(places, (end, _LAST))
        stop = min(stop, bisect_left(places, (at, _LAST if before is None else before)))
        if stop <= first:
            return Qualifying(*_NOTHING)
        least, last = places[first], places[stop - 1]
        found = _difference(self._left[stop], self._left[first])
        for _, place in self._changed[bisect_left(self._changed, (at, (EVER, _FIRST))) :]:
            if least <= place <= last:
                fact = self._facts[bisect_left(places, place)]
                found = _difference(found, _difference(_worth(fact, _END), _worth(fact, at)))
        if own is not None and least <= _place(own) <= last:
            found = _difference(found, _worth(own, at))
        return Qualifying(*found)

    def _add_up(self, position: int) -> None:
        del self._left[position + 1 :]
        spend, points, orders = self._left[-1]
        for fact in self._facts[position:]:
            more = _worth(fact, _END)
            spend, points, orders = spend + more[0], points + more[1], orders + more[2]
            self._left.append((spend, points, orders))


def _place(fact: SpendFact) -> _Place:
    return fact.counted_at, fact.order_key


def _worth(fact: SpendFact, at: datetime) -> _Sums:
    if not _changes(fact):
        return max(fact.goods_minor, 0), max(fact.points, 0), int(fact.goods_minor > 0)
    found = _sum((fact,), at)
    return found.spend_minor, found.points, found.orders


def _changes(fact: SpendFact) -> bool:
    return bool(fact.refunds) or fact.void_at is not None


def _changed_at(fact: SpendFact) -> datetime:
    """When something of an order went back last, of which anything did."""
    moments = [when for when, _ in (*fact.refunds, *fact.points_back)]
    return max(moments if fact.void_at is None else (*moments, fact.void_at))


def _difference(one: _Sums, other: _Sums) -> _Sums:
    return one[0] - other[0], one[1] - other[1], one[2] - other[2]
