"""Orders whose tier would have been another, had something been told in time. Terms never move down: it is named."""

from collections.abc import Sequence
from datetime import UTC, datetime

from app.db import members, orders, programs
from app.db.orders import OrderRow
from app.db.session import Session
from app.domain.tiers import tier_at

_EVER = datetime(2000, 1, 1, tzinfo=UTC)


def late_tiers(session: Session, learnt: Sequence[OrderRow]) -> dict[int, str]:
    """For each order (by our id) learnt late: which later orders of its member keep a tier that it changes."""
    people = sorted({row.member_id for row in learnt if row.member_id is not None})
    if not people:
        return {}
    versions = programs.load_versions(session)
    floors = members.find_floors(session, people)
    spend = orders.find_spend(session, people, since=_EVER)
    kept: dict[int, list[tuple[datetime, int, str]]] = {}
    for member_id, order_id, placed_at, fact, version, tier_key in spend:
        if version is None or tier_key is None:
            continue
        facts = [other for owner, _, _, other, _, _ in spend if owner == member_id]
        program = versions[session.program_id].get(version)
        right = tier_at(
            facts, floors.get(member_id, ()), program=program, at=placed_at, before=fact.order_key
        )
        if right.key != program.tier(tier_key).key:
            text = f"keeps {program.tier(tier_key).name}, told in time it would have been {right.name}"
            kept.setdefault(member_id, []).append((placed_at, order_id, text))
    numbers = _numbers(session, [order_id for ours in kept.values() for _, order_id, _ in ours])
    left: dict[int, str] = {}
    for row in learnt:
        if row.member_id is None or row.spend is None:
            continue
        later = [
            f"{numbers[order_id]} {text}"
            for placed_at, order_id, text in kept.get(row.member_id, ())
            if placed_at >= row.spend.counted_at and order_id != row.order_id
        ]
        if later:
            left[row.order_id] = f"Learnt late: {'; '.join(later)}."
    return left


def _numbers(session: Session, order_ids: Sequence[int]) -> dict[int, str]:
    if not order_ids:
        return {}
    rows = session.rows(
        "SELECT id, snapshot->>'number' AS number FROM orders WHERE {fence} AND id = ANY(:ids)",
        ids=list(order_ids),
    )
    return {row.id: row.number for row in rows}
