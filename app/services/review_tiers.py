"""The review: who no longer reaches their tier gets a grace, and then goes down as the program says."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.db import members, programs, tiers
from app.db.members import TierChange
from app.db.programs import Versions
from app.db.session import Session
from app.db.tiers import NewFloor
from app.domain.program import Program
from app.domain.tiers import falls_to, highest_since, memberships, step_until
from app.services.find_standings import Standing, find_standings
from app.services.known_until import known_until
from app.services.runtime import Runtime

BATCH = 500


def review_tiers(rt: Runtime, program_id: int) -> int:
    """Review every member above the lowest tier. Returns how many tiers changed.

    Looks only up to the moment until which all connected shops were read, so that an order that we have not heard
    of yet costs nobody a tier. While members are brought in line with a new version it waits: what was promised to
    them is recorded first.
    """
    changed, after = 0, 0
    while True:
        now = rt.now()
        with rt.db.begin(program_id) as session:
            programs.lock_settling(session)
            if tiers.find_open_run(session) is not None:
                return changed
            versions = programs.load_versions(session)[program_id]
            until = known_until(session, now)
            lowest = versions.live.tiers[0].key
            page = tiers.next_members(session, after=after, limit=BATCH, unless=lowest)
            if until is None or not page:
                return changed
            after = page[-1]
            changed += _review(session, page, versions, until, now)


def _review(session: Session, page: Sequence[int], versions: Versions, until: datetime, now: datetime) -> int:
    program = versions.live
    changes: list[TierChange] = []
    floors: list[NewFloor] = []
    for one in find_standings(session, page, versions.programs, at=until):
        member = one.member
        # Not only at `until`: who reached a tier since keeps it until all of that time was read.
        reached = highest_since(one.facts, one.floors, program=program, since=until)
        if program.rank(reached.key) >= program.rank(member.tier_key):
            continue
        if program.grace_days and not _had_notice(one, program):
            end = until + timedelta(days=program.grace_days)
            floors.append(_floor(one, member.tier_key, "grace", until, end))
            continue
        to = falls_to(program.tier(member.tier_key), reached, program)
        if to.key != reached.key:
            floors.append(_floor(one, to.key, "step", until, step_until(program, until)))
        changes.append(
            TierChange(
                program_id=member.program_id,
                member_id=member.member_id,
                from_key=member.tier_key,
                to_key=to.key,
                cause="review",
                at=until,
            )
        )
    tiers.add_floors(session, floors)
    members.change_tiers(session, changes, now=now)
    return len(changes)


def _had_notice(one: Standing, program: Program) -> bool:
    """Whether the present tier had an end that was known: its grace, a promise, or it was given or bought until then."""
    since = one.member.tier_since
    return any(
        floor.tier_key == one.member.tier_key
        and (since is None or floor.until_at is None or floor.until_at > since)
        for floor in (*one.floors, *memberships(one.facts, program.zone))
    )


def _floor(one: Standing, tier_key: str, cause: str, start: datetime, end: datetime) -> NewFloor:
    return NewFloor(
        member_id=one.member.member_id, tier_key=tier_key, cause=cause, from_at=start, until_at=end
    )
