"""After a version that changed the levels: every member is brought in line with it, a batch a transaction.

Up at once. Down only by the review, and never below what the versions before would still give for what was bought
already: that is recorded as a promise. A level that was removed becomes the one that stands for it.
"""

from collections.abc import Sequence
from datetime import datetime

from app.db import members, programs, tiers
from app.db.members import TierChange
from app.db.programs import Versions
from app.db.session import Session
from app.db.tiers import NewFloor, TierRun
from app.domain.program import Program
from app.domain.tiers import lapses_at
from app.services.find_levels import Levels, find_levels
from app.services.find_standings import Standing, find_standings
from app.services.findings import Watch
from app.services.runtime import Runtime
from app.services.settle_entry_rewards import settle_entry_rewards

BATCH = 2000


def align_tiers(rt: Runtime, program_id: int, watch: Watch | None = None) -> int:
    """Go on where the last batch ended, up to the end. Returns how many members came to another tier.

    Any number may run: each batch is done once. `watch` is told (done, of how many).
    """
    moved = 0
    while True:
        with rt.db.begin(program_id) as session:
            programs.lock_settling(session)
            run = tiers.find_open_run(session)
            if run is None:
                return moved
            moved += _batch(session, run, rt.now())
            done = tiers.find_last_run(session)
        if watch is not None and done is not None:
            watch(done.done, done.total)


def _batch(session: Session, run: TierRun, now: datetime) -> int:
    ids = tiers.next_members(session, after=run.after_id, limit=BATCH)
    if not ids:
        tiers.note_run(
            session, run.version, after_id=run.after_id, done=0, moved=0, promised=0, finished_at=now
        )
        return 0
    versions = programs.load_versions(session)[session.program_id]
    before = versions.programs[run.before_version - 1 : run.version - 1]
    live = versions.live
    levels = find_levels(session, ids, versions, (live, *before), at=now)
    losing = {one.member_id: one for one in levels if _loses(one, live)}
    promises = [
        _promise(one, losing[one.member.member_id], before, live, now)
        for one in find_standings(session, list(losing), versions.programs, at=now)
    ]
    kept = {one.member_id: one.tier_key for one in promises}
    found = (_change(session.program_id, one, live, kept.get(one.member_id), now) for one in levels)
    changes = [change for change in found if change is not None]
    members.change_tiers(session, changes, now=now)
    tiers.add_floors(session, promises)
    # What was given before stays worth what it was: that follows from orders and from the version it was given by.
    settle_entry_rewards(
        session, {session.program_id: versions}, (), rises=_rises(changes, versions), now=now
    )
    tiers.note_run(
        session,
        run.version,
        after_id=ids[-1],
        done=len(ids),
        moved=len(changes),
        promised=len(promises),
    )
    return len(changes)


def _change(
    program_id: int, one: Levels, live: Program, promised: str | None, now: datetime
) -> TierChange | None:
    """`promised`: what a version before gives. Who has it already keeps it; an order may have been settled only since."""
    here = live.tier(one.tier_key)
    known = (one.tiers[0], here) if promised is None else (one.tiers[0], here, live.tier(promised))
    to = max(known, key=lambda tier: live.rank(tier.key))
    if to.key == one.tier_key:
        return None
    return TierChange(
        program_id=program_id,
        member_id=one.member_id,
        from_key=one.tier_key,
        to_key=to.key,
        cause="program",
        at=now,
    )


def _loses(one: Levels, live: Program) -> bool:
    """Whether a version before gives more than the live one."""
    given, *before = (live.rank(tier.key) for tier in one.tiers)
    return any(kept > given for kept in before)


def _promise(
    one: Standing, levels: Levels, before: Sequence[Program], live: Program, now: datetime
) -> NewFloor:
    """What a version before gives now, of those that give more than the live one; as long as one would give it."""
    given, *known = levels.tiers
    found: list[NewFloor] = []
    for program, kept in zip(before, known, strict=True):
        if live.rank(kept.key) <= live.rank(given.key):
            continue
        until = lapses_at(one.facts, one.floors, program=program, tier_key=kept.key, at=now)
        found.append(
            NewFloor(
                member_id=one.member.member_id,
                tier_key=live.tier(kept.key).key,
                cause="promise",
                from_at=now,
                until_at=until,
            )
        )
    return max(reversed(found), key=lambda floor: floor.until_at or now)


def _rises(changes: Sequence[TierChange], versions: Versions) -> list[TierChange]:
    live = versions.live
    return [one for one in changes if live.rank(one.to_key) > max(live.rank(one.from_key), 0)]
