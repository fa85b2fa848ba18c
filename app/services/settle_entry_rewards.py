"""What reaching a level brings once: target, then difference, as for an order."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from app.db import auditing, members, tiers
from app.db.members import TierChange
from app.db.programs import Versions
from app.db.session import Session
from app.db.tiers import RewardRow
from app.domain.earning import PointsTarget, lot_expiry
from app.domain.program import Program
from app.domain.spending import EVER, SpendFact
from app.domain.tiers import TierFloor, earns_entry, entries_for
from app.services.append_targets import Action, append_targets
from app.services.find_standings import Standing, standings_since


def settle_entry_rewards(
    session: Session,
    versions: Mapping[int, Versions],
    member_ids: Iterable[int],
    *,
    rises: Sequence[TierChange] = (),
    now: datetime,
) -> None:
    """Give what the `rises` bring, and bring what these members were given to what it is worth now.

    Each level once for a person, whoever was merged into them. The settling lock is held. Where no version has an
    entry reward this costs nothing.
    """
    if not any(_gives(program) for known in versions.values() for program in known.programs):
        return
    asked = sorted({*member_ids, *(one.member_id for one in rises)})
    winners = members.find_winners(session, asked)
    people = sorted({winners.get(one, one) for one in asked})
    merged = auditing.find_merged_into(session, people)
    owners = {one: person for person in people for one in (person, *merged.get(person, ()))}
    given = tiers.find_rewards(session, list(owners))
    known = {row.reward_id for row in given}
    had = {(owners[row.member_id], row.tier_key) for row in given}
    tiers.add_rewards(session, list(_new(rises, versions, had)))
    given = tiers.find_rewards(session, list(owners))
    theirs = sorted({owners[row.member_id] for row in given})
    standings = {one.member.member_id: one for one in standings_since(session, theirs, since=EVER)}
    actions = [
        _action(row, owners[row.member_id], standings, versions[row.program_id], row.reward_id not in known)
        for row in given
    ]
    append_targets(session, actions, now)


def reward_target(
    row: RewardRow, facts: Sequence[SpendFact], floors: Sequence[TierFloor], program: Program
) -> PointsTarget:
    """What the ledger should hold for it. `program`: the version it was given by.

    All of it, once the level was ever reached by what has not gone back; nothing otherwise. That a level lapses takes
    nothing away.
    """
    tier = program.tier(row.tier_key)
    earned = earns_entry(facts, floors, program=program, tier_key=row.tier_key)
    points = tier.entry_points if earned else 0
    return PointsTarget(
        points=points,
        occurred_at=row.at,
        ready_at=row.at + timedelta(days=program.hold_days) if program.hold_days else None,
        expires_at=lot_expiry(program, row.at),
        facts={
            "rule": "tier",
            "tier": tier.key,
            "tier_name": tier.name,
            "version": program.version,
            "points": tier.entry_points,
            "target": points,
        },
    )


def _gives(program: Program) -> bool:
    return any(tier.entry_points for tier in program.tiers)


def _new(
    rises: Sequence[TierChange], versions: Mapping[int, Versions], had: set[tuple[int, str]]
) -> Iterable[dict[str, object]]:
    for rise in rises:
        live = versions[rise.program_id].live
        for tier in entries_for(live.tier(rise.from_key), live.tier(rise.to_key), live):
            if (rise.member_id, tier.key) not in had:
                had.add((rise.member_id, tier.key))
                yield {
                    "program_id": rise.program_id,
                    "member_id": rise.member_id,
                    "tier_key": tier.key,
                    "version": live.version,
                    "at": rise.at,
                }


def _action(
    row: RewardRow, owner: int, standings: Mapping[int, Standing], versions: Versions, is_new: bool
) -> Action:
    program = versions.get(row.version)
    one = standings[owner]
    target = reward_target(row, one.facts, one.floors, program)
    return Action(source=row.source, target=target, owner=owner, policy=program.refund_policy, is_new=is_new)
