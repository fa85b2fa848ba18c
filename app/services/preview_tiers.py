"""Who would come to another tier by the newest version, counted as the change itself counts; nothing is written."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from app.db import auditing, tiers
from app.db.programs import Versions
from app.db.session import Session
from app.domain.program import Program
from app.domain.tiers import same_levels
from app.services.find_levels import Levels, find_levels
from app.services.findings import Watch

BATCH = 2000


@dataclass(frozen=True, slots=True)
class TierMoves:
    """How many members come to this tier: up at once, with the removal of theirs at once, and down in the end.

    Who goes down keeps the tier until what they bought by the old rules lapses, at most a year.
    """

    name: str
    up: int
    moved: int
    down: int


def preview_tiers(
    session: Session, versions: Versions, *, now: datetime, watch: Watch | None = None
) -> tuple[TierMoves, ...]:
    """Only what the newest version brings about: who falls under the one before as well is not its doing."""
    before, new = versions.programs[-2], versions.live
    if same_levels(before, new):
        return ()
    found: dict[str, Counter[str]] = {"up": Counter(), "moved": Counter(), "down": Counter()}
    total = auditing.count(session, "members") if watch is not None else 0
    after = done = 0
    while ids := tiers.next_members(session, after=after, limit=BATCH):
        for one in find_levels(session, ids, versions, (before, new), at=now):
            _count(one, new, found)
        after, done = ids[-1], done + len(ids)
        if watch is not None:
            watch(done, max(total, done))
    return tuple(
        TierMoves(tier.name, *(found[how][tier.key] for how in ("up", "moved", "down")))
        for tier in new.tiers
        if any(moves[tier.key] for moves in found.values())
    )


def _count(one: Levels, new: Program, found: dict[str, Counter[str]]) -> None:
    given_before, given = one.tiers
    here = new.tier(one.tier_key)
    if new.rank(given.key) > new.rank(here.key):
        found["up"][given.key] += 1
        return
    if not new.has_tier(one.tier_key):
        found["moved"][here.key] += 1
    if new.rank(given.key) < min(new.rank(given_before.key), new.rank(here.key)):
        found["down"][given.key] += 1
