"""The level that each of several programs would give to many members at once, without a look at every order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import members, standings
from app.db.programs import Versions
from app.db.session import Session
from app.db.standings import SumRow
from app.domain.program import Program
from app.domain.spending import Qualifying, Span, counts_since, spans
from app.domain.tier_rules import Tier
from app.domain.tiers import TierFloor, tier_at, tier_of
from app.services.find_standings import standings_since


@dataclass(frozen=True, slots=True)
class Levels:
    """`tier_key`: as recorded. `tiers`: what each program that was asked for gives."""

    member_id: int
    tier_key: str
    tiers: tuple[Tier, ...]


def find_levels(
    session: Session,
    member_ids: Sequence[int],
    versions: Versions,
    programs: Sequence[Program],
    *,
    at: datetime,
) -> list[Levels]:
    """By member id: exactly what `tier_at` gives. Two queries however many they are, and one more for levels bought.

    Who bought a level is looked at order by order: times that are bought add up.
    """
    since = counts_since(versions.programs, at)
    wanted = list(dict.fromkeys(span for program in programs for span in spans(program, at)))
    rows = standings.find_sums(session, member_ids, wanted, at=at, since=since)
    floors = members.find_floors(session, member_ids)
    bought = {
        one.member.member_id: tuple(
            tier_at(one.facts, one.floors, program=program, at=at) for program in programs
        )
        for one in standings_since(session, [row.member_id for row in rows if row.buys], since=since)
    }
    return [
        Levels(
            row.member_id,
            row.tier_key,
            bought.get(row.member_id) or _tiers(row, floors.get(row.member_id, ()), wanted, programs, at),
        )
        for row in rows
    ]


def _tiers(
    row: SumRow,
    floors: Sequence[TierFloor],
    wanted: Sequence[Span],
    programs: Sequence[Program],
    at: datetime,
) -> tuple[Tier, ...]:
    found = {span: Qualifying(*sums) for span, sums in zip(wanted, row.sums, strict=True)}
    return tuple(
        tier_of([found[span] for span in spans(program, at)], floors, program=program, at=at)
        for program in programs
    )
