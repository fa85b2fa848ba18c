"""Who would come to another tier by the newest version, counted as the change itself counts; nothing is written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.programs import Versions
from app.db.session import Session
from app.domain.program import Program
from app.services.find_levels import Levels, find_levels

HOW = ("up", "moved", "down")

Moves = Mapping[str, Mapping[str, int]]
"""How -> key of the tier -> how many members."""


@dataclass(frozen=True, slots=True)
class TierMoves:
    """How many members come to this tier: up at once, with the removal of theirs at once, and down in the end.

    Who goes down keeps the tier until what they bought by the old rules lapses, at most a year.
    """

    name: str
    up: int
    moved: int
    down: int


def count_moves(session: Session, ids: Sequence[int], versions: Versions, *, at: datetime) -> Moves:
    """Of these members. Only what the newest version brings about: who falls under the one before as well is not its
    doing."""
    before, new = versions.programs[-2], versions.live
    found = {how: Counter[str]() for how in HOW}
    for one in find_levels(session, ids, versions, (before, new), at=at):
        _count(one, new, found)
    return found


def add_moves(one: Moves, other: Moves) -> Moves:
    return {how: Counter(one.get(how, {})) + Counter(other.get(how, {})) for how in HOW}


def moves_to(new: Program, found: Moves) -> tuple[TierMoves, ...]:
    """By tier, lowest first; those that somebody would come to."""
    counts = ((tier.name, [found.get(how, {}).get(tier.key, 0) for how in HOW]) for tier in new.tiers)
    return tuple(TierMoves(name, *moved) for name, moved in counts if any(moved))


def _count(one: Levels, new: Program, found: Mapping[str, Counter[str]]) -> None:
    given_before, given = one.tiers
    here = new.tier(one.tier_key)
    if new.rank(given.key) > new.rank(here.key):
        found["up"][given.key] += 1
        return
    if not new.has_tier(one.tier_key):
        found["moved"][here.key] += 1
    if new.rank(given.key) < min(new.rank(given_before.key), new.rank(here.key)):
        found["down"][given.key] += 1
