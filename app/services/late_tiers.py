"""Orders whose tier would have been another, had something been told in time. Terms never move down: it is named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from app.db import members, orders, programs
from app.db.orders import OrderKey, OrderRow
from app.db.session import Session
from app.domain.program import Program
from app.domain.spending import SpendHistory
from app.domain.tiers import TierFloor, tier_at

_EVER = datetime(2000, 1, 1, tzinfo=UTC)
_NAMED = 20  # later orders named for one that was learnt late


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """An order whose terms are fixed."""

    order_id: int
    key: OrderKey
    placed_at: datetime
    program: Program
    tier_key: str


@dataclass(frozen=True, slots=True)
class _Person:
    facts: SpendHistory
    counted: Sequence[_Counted]
    floors: Sequence[TierFloor]
    _right: dict[int, str] = field(default_factory=dict)

    def right(self, one: _Counted) -> str:
        """The tier that the order would have, by all that is known now. Each is worked out once."""
        if one.order_id not in self._right:
            self._right[one.order_id] = _tier(one, self.facts, self.floors)
        return self._right[one.order_id]


def late_tiers(session: Session, learnt: Sequence[OrderRow]) -> dict[int, str]:
    """For each order (by our id) learnt late: which later orders of its member it leaves with another tier."""
    ours = [row for row in learnt if row.member_id is not None and row.spend is not None]
    if not ours:
        return {}
    people = _load(session, sorted({row.member_id for row in ours if row.member_id is not None}))
    left = {row.order_id: _left_by(row, people[row.member_id or 0]) for row in ours}
    named = [order for found in left.values() for order in list(found)[:_NAMED]]
    numbers = _numbers(session, sorted(set(named)))
    return {order_id: _told(found, numbers) for order_id, found in left.items() if found}


def _told(found: Mapping[int, str], numbers: Mapping[int, str]) -> str:
    """Findings by order id, as one sentence."""
    told = [f"{numbers[order]} {text}" for order, text in list(found.items())[:_NAMED]]
    more = len(found) - len(told)
    return f"Learnt late: {'; '.join(told)}{f'; and {more} more' if more else ''}."


def _left_by(row: OrderRow, person: _Person) -> dict[int, str]:
    spend = row.spend
    assert spend is not None
    later = [one for one in person.counted if one.placed_at >= spend.counted_at and one.key != row.key]
    found: dict[int, str] = {}
    # Some platforms do not date a cancellation: its date is that of the latest change we saw.
    void = None if spend.void_at is None else replace(spend, void_at=spend.counted_at)
    before = SpendHistory((*person.facts, void)) if void is not None else None
    for one in later:
        has = one.program.tier(one.tier_key)
        right = person.right(one)
        if right != has.key:
            found[one.order_id] = f"keeps {has.name}, told in time it would have been {_name(one, right)}"
        elif before is not None and (sooner := _tier(one, before, person.floors)) != has.key:
            found[one.order_id] = f"has {has.name}, and {_name(one, sooner)} if this one was void before"
    return found


def _tier(one: _Counted, facts: SpendHistory, floors: Sequence[TierFloor]) -> str:
    return tier_at(facts, floors, program=one.program, at=one.placed_at, before=one.key).key


def _name(one: _Counted, tier_key: str) -> str:
    return one.program.tier(tier_key).name


def _load(session: Session, member_ids: Sequence[int]) -> dict[int, _Person]:
    versions = programs.load_versions(session)[session.program_id]
    floors = members.find_floors(session, member_ids)
    facts = {member: SpendHistory() for member in member_ids}
    counted: dict[int, list[_Counted]] = {member: [] for member in member_ids}
    for member, order_id, placed_at, fact, version, tier_key in orders.find_spend(
        session, member_ids, since=_EVER
    ):
        facts[member].put(fact)
        if version is not None and tier_key is not None:
            counted[member].append(
                _Counted(
                    order_id=order_id,
                    key=fact.order_key,
                    placed_at=placed_at,
                    program=versions.get(version),
                    tier_key=tier_key,
                )
            )
    return {member: _Person(facts[member], counted[member], floors.get(member, ())) for member in member_ids}


def _numbers(session: Session, order_ids: Sequence[int]) -> dict[int, str]:
    if not order_ids:
        return {}
    rows = session.rows(
        "SELECT id, snapshot->>'number' AS number FROM orders WHERE {fence} AND id = ANY(:ids)",
        ids=list(order_ids),
    )
    return {row.id: row.number for row in rows}
