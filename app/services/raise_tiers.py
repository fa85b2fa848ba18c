"""Members whose orders or grants give more than they have come up at once."""

from collections.abc import Sequence
from datetime import datetime

from app.db import members
from app.db.members import TierChange
from app.db.programs import Versions
from app.db.session import Session
from app.domain.tiers import tier_at
from app.services.find_standings import find_standings
from app.services.settle_entry_rewards import settle_entry_rewards


def raise_tiers(
    session: Session, versions: Versions, member_ids: Sequence[int], *, cause: str, now: datetime
) -> int:
    """Returns how many rose. The settling lock of the session's program is held."""
    live = versions.live
    rises = []
    for one in find_standings(session, member_ids, versions.programs, at=now):
        given = tier_at(one.facts, one.floors, program=live, at=now)
        if live.rank(given.key) > max(live.rank(one.member.tier_key), 0):
            rises.append(
                TierChange(
                    program_id=one.member.program_id,
                    member_id=one.member.member_id,
                    from_key=one.member.tier_key,
                    to_key=given.key,
                    cause=cause,
                    at=now,
                )
            )
    members.change_tiers(session, rises, now=now)
    settle_entry_rewards(session, {session.program_id: versions}, member_ids, rises=rises, now=now)
    return len(rises)
