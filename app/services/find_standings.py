"""What members' levels follow from, loaded for many at once: their orders as levels see them, and what was granted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import members, orders
from app.db.members import MemberRow
from app.db.session import Session
from app.domain.program import Program
from app.domain.spending import SpendFact, counts_since
from app.domain.tiers import TierFloor


@dataclass(frozen=True, slots=True)
class Standing:
    member: MemberRow
    facts: Sequence[SpendFact]
    floors: Sequence[TierFloor]


def find_standings(
    session: Session, member_ids: Sequence[int], programs: Iterable[Program], *, at: datetime
) -> list[Standing]:
    """All that counts under any of `programs` at `at` or later, by member id; three queries however many they are."""
    return standings_since(session, member_ids, since=counts_since(programs, at))


def standings_since(session: Session, member_ids: Sequence[int], *, since: datetime) -> list[Standing]:
    if not member_ids:
        return []
    known = members.find_members(session, member_ids)
    floors = members.find_floors(session, member_ids)
    facts = orders.find_facts(session, member_ids, since=since)
    return [Standing(known[one], facts.get(one, ()), floors.get(one, ())) for one in sorted(known)]
