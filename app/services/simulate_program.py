"""A draft tried on past orders beside what is live: one pass over them, nothing written, nothing live touched."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise

from app.domain.calendar import end_of_day
from app.domain.errors import Refused
from app.domain.months import Months
from app.domain.program import Program
from app.domain.simulation import Assumptions, SideReport, Simulation
from app.services.gather_past_orders import Gathered, GatherPastOrders
from app.services.left_out import LeftOut, LeftOuts
from app.services.read_past_orders import PastRow

GAP = timedelta(days=7)  # days without any order that are worth a line
_GAPS_SHOWN = 5
_EXAMPLES = 3
_STEP = 2000  # orders between two looks at the progress

Watch = Callable[[str, int, int | None], None]  # (what, done, of how many; None: nobody knows)
Read = Callable[[LeftOuts], Iterable[PastRow]]


@dataclass(slots=True)
class TierMove:
    """So many members end in another tier than beside it. `examples`: some of them, as the orders name them."""

    from_key: str
    to_key: str
    members: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Gap:
    """No order from `first` to `last`, both days included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One program's report. `left_out`: what it could not count, beside what neither could."""

    program: Program
    assumptions: Assumptions
    report: SideReport
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    draft: Side
    beside: Side | None
    moves: tuple[TierMove, ...]  # from what is beside to the draft, at the end
    orders: Gathered
    members: int
    first: datetime
    until: datetime
    left_out: tuple[LeftOut, ...]
    gaps: tuple[Gap, ...]


def simulate_program(
    read: Read,
    draft: tuple[Program, Assumptions],
    beside: tuple[Program, Assumptions] | None,
    *,
    from_day: date | None = None,
    to_day: date | None = None,
    watch: Watch = lambda what, done, total: None,
) -> Simulated:
    """Both programs over all that `read` gives. Days are the draft's own. Raises: Refused("no_orders")."""
    program, left_out = draft[0], LeftOuts()
    zone = program.zone
    with GatherPastOrders(left_out, zone) as gather:
        for number, row in enumerate(_within(read(left_out), left_out, program, from_day, to_day), 1):
            gather.put(row)
            if number % _STEP == 0:
                watch("reading", number, None)
        found = gather.gathered
        if found.first is None or found.last is None or not found.orders:
            why = "; ".join(f"{one.count} × {one.why}" for one in left_out.all())
            raise Refused("no_orders", f"There is no order to simulate{': ' + why if why else ''}.")
        # To the last day asked for, or to the last thing that happened.
        until = found.last if to_day is None else _end_of(to_day, program)
        months = Months(found.first, until, zone)
        sides = [Simulation(*one, months) for one in (draft, beside) if one is not None]
        moves, members = _run(sides, gather, watch, [one[0] for one in (draft, beside) if one is not None])
    reports = [
        Side(program=one[0], assumptions=one[1], report=report, left_out=_not_counted(report))
        for one, side in zip([one for one in (draft, beside) if one is not None], sides, strict=True)
        for report in (side.report(),)
    ]
    return Simulated(
        draft=reports[0],
        beside=reports[1] if len(reports) > 1 else None,
        moves=moves,
        orders=found,
        members=members,
        first=found.first,
        until=until,
        left_out=tuple(left_out.all()),
        gaps=_gaps(found.days),
    )


def _run(
    sides: Sequence[Simulation], gather: GatherPastOrders, watch: Watch, programs: Sequence[Program]
) -> tuple[tuple[TierMove, ...], int]:
    moves: dict[tuple[int | None, int | None], TierMove] = {}
    done, members, total = 0, 0, gather.gathered.orders
    for bucket, member, orders in gather.members():
        ranks = [side.add(bucket, orders) for side in sides]
        members += 1
        if len(ranks) > 1:
            _note_move(moves, (ranks[1], ranks[0]), member, programs)
        if done // _STEP != (done + len(orders)) // _STEP:
            watch("simulating", done + len(orders), total)
        done += len(orders)
    return tuple(sorted(moves.values(), key=lambda one: (-one.members, one.from_key, one.to_key))), members


def _note_move(
    moves: dict[tuple[int | None, int | None], TierMove],
    ranks: tuple[int | None, int | None],
    member: str,
    programs: Sequence[Program],
) -> None:
    found = moves.get(ranks)
    if found is None:
        has, gets = (
            "" if rank is None else program.tiers[rank].key
            for rank, program in zip(ranks, (programs[1], programs[0]), strict=True)
        )
        found = moves[ranks] = TierMove(has, gets)
    found.members += 1
    if len(found.examples) < _EXAMPLES and found.from_key != found.to_key:
        found.examples.append(member)


def _within(
    rows: Iterable[PastRow], left_out: LeftOuts, program: Program, from_day: date | None, to_day: date | None
) -> Iterator[PastRow]:
    """Those placed from the first day asked for and paid up to the last one: as if the program had begun then."""
    if from_day is None and to_day is None:
        yield from rows
        return
    start = None if from_day is None else _end_of(from_day - timedelta(days=1), program)
    end = None if to_day is None else _end_of(to_day, program)
    for row in rows:
        if start is not None and row.order.placed_at <= start:
            left_out.add("before_from", row.line, f"{row.order.placed_at:%Y-%m-%d}")
        elif end is not None and row.order.paid_at > end:
            left_out.add("after_to", row.line, f"{row.order.paid_at:%Y-%m-%d}")
        else:
            yield row


def _end_of(day: date, program: Program) -> datetime:
    return end_of_day(day, program.zone) - timedelta(microseconds=1)


def _not_counted(report: SideReport) -> tuple[LeftOut, ...]:
    left_out, counts = LeftOuts(), Counter(report.left_out)
    for (reason, what), count in sorted(counts.items()):
        left_out.add(reason, 0, what and f"{count} in {what}", count=count)
    return tuple(left_out.all())


def _gaps(days: set[date]) -> tuple[Gap, ...]:
    """The longest stretches without an order, oldest first."""
    one = timedelta(days=1)
    found = [
        Gap(before + one, after - one) for before, after in pairwise(sorted(days)) if after - before > GAP
    ]
    longest = sorted(found, key=lambda gap: (gap.first - gap.last, gap.first))[:_GAPS_SHOWN]
    return tuple(sorted(longest, key=lambda gap: gap.first))
