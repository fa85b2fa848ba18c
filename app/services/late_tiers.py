"""Orders whose tier would have been another, had something been told in time. Terms never move down: it is named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.db import members, orders, programs
from app.db.orders import OrderKey, OrderRow
from app.db.session import Session
from app.domain.program import Program
from app.domain.tiers import SpendFact, TierFloor, tier_at

_EVER = datetime(2000, 1, 1, tzinfo=UTC)


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
    facts: Mapping[OrderKey, SpendFact]
    counted: Sequence[_Counted]
    floors: Sequence[TierFloor]


def late_tiers(session: Session, learnt: Sequence[OrderRow]) -> dict[int, str]:
    """For each order (by our id) learnt late: which later orders of its member it leaves with another tier."""
    ours = [row for row in learnt if row.member_id is not None and row.spend is not None]
    if not ours:
        return {}
    people = _load(session, sorted({row.member_id for row in ours if row.member_id is not None}))
    left = {row.order_id: _left_by(row, people[row.member_id or 0]) for row in ours}
    numbers = _numbers(session, sorted({order for found in left.values() for order in found}))
    return {
        order_id: f"Learnt late: {'; '.join(f'{numbers[other]} {text}' for other, text in found.items())}."
        for order_id, found in left.items()
        if found
    }


def _left_by(row: OrderRow, person: _Person) -> dict[int, str]:
    spend = row.spend
    assert spend is not None
    found: dict[int, str] = {}
    for one in person.counted:
        if one.placed_at < spend.counted_at or one.key == row.key:
            continue
        has = one.program.tier(one.tier_key)
        right = _tier(one, person, person.facts)
        if right != has.key:
            found[one.order_id] = f"keeps {has.name}, told in time it would have been {_name(one, right)}"
        elif spend.void_at is not None:
            # Some platforms do not date a cancellation: its date is that of the latest change we saw.
            sooner = _tier(one, person, {**person.facts, row.key: replace(spend, void_at=spend.counted_at)})
            if sooner != has.key:
                found[one.order_id] = f"has {has.name}, and {_name(one, sooner)} if this one was void before"
    return found


def _tier(one: _Counted, person: _Person, facts: Mapping[OrderKey, SpendFact]) -> str:
    tier = tier_at(facts.values(), person.floors, program=one.program, at=one.placed_at, before=one.key)
    return tier.key


def _name(one: _Counted, tier_key: str) -> str:
    return one.program.tier(tier_key).name


def _load(session: Session, member_ids: Sequence[int]) -> dict[int, _Person]:
    versions = programs.load_versions(session)[session.program_id]
    floors = members.find_floors(session, member_ids)
    facts: dict[int, dict[OrderKey, SpendFact]] = {member: {} for member in member_ids}
    counted: dict[int, list[_Counted]] = {member: [] for member in member_ids}
    for member, order_id, placed_at, fact, version, tier_key in orders.find_spend(
        session, member_ids, since=_EVER
    ):
        facts[member][fact.order_key] = fact
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
