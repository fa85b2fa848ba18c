"""What finer rules need to know of members when their orders are first counted: how many before, what room is left."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from app.db import orders
from app.db.orders import OrderKey, OrderRow
from app.db.session import Session
from app.domain.counting import Known
from app.domain.program import Program
from app.domain.rules import Cap, CapPer

_LONGEST_PERIOD = timedelta(days=32)


class MemberFacts:
    """Loaded once for a batch, for those programs alone that ask, and kept true while the batch is counted."""

    def __init__(
        self, session: Session, programs: Iterable[Program], member_ids: Sequence[int], *, first: datetime
    ) -> None:
        """`first`: no order of the batch counts from before it."""
        rules = [program.rules for program in programs]
        caps = [cap for one in rules for cap in one.caps if cap.per is not CapPer.ORDER]
        self._numbers: dict[int, int] = {}
        self._given: dict[int, dict[OrderKey, tuple[datetime, int]]] = {}
        if any(one.asks_for_number for one in rules):
            self._numbers = orders.count_with_terms(session, member_ids)
        if caps:
            ever = any(cap.per is CapPer.MEMBER for cap in caps)
            since = None if ever else first - _LONGEST_PERIOD
            for member_id, key, moment, points in orders.find_given(session, member_ids, since=since):
                self._given.setdefault(member_id, {})[key] = (moment, points)

    def known(self, row: OrderRow, moment: datetime, program: Program) -> Known | None:
        """What is fixed for an order that is counted for the first time now; None: the program asks for nothing.

        `row` has an owner. Call it once for an order: it counts as one of the member's from then on.
        """
        rules, member_id = program.rules, row.member_id or 0
        number = self._numbers[member_id] = self._numbers.get(member_id, 0) + 1
        room = {
            cap.key: max(cap.points - self._used(row, moment, cap, program), 0)
            for cap in rules.caps
            if cap.per is not CapPer.ORDER
        }
        if not rules.asks_for_number and not room:
            return None
        return Known(number=number if rules.asks_for_number else 1, room=room)

    def remember(self, row: OrderRow, moment: datetime | None) -> None:
        """What an order with terms is worth now."""
        if row.member_id is not None and moment is not None:
            self._given.setdefault(row.member_id, {})[row.key] = (moment, row.target_points)

    def _used(self, row: OrderRow, moment: datetime, cap: Cap, program: Program) -> int:
        period = _period(moment, cap.per, program)
        given = self._given.get(row.member_id or 0, {})
        return sum(
            points
            for key, (when, points) in given.items()
            if key != row.key and _period(when, cap.per, program) == period
        )


def _period(moment: datetime, per: CapPer, program: Program) -> tuple[int, ...]:
    day = moment.astimezone(program.zone).date()
    match per:
        case CapPer.DAY:
            return (day.year, day.month, day.day)
        case CapPer.MONTH:
            return (day.year, day.month)
        case _:
            return ()
