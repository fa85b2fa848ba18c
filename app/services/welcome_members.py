"""Somebody becomes a member: an empty account, and what the program gives for signing up, once for a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import activities, members
from app.db.activities import ActivityRow
from app.db.members import IdentityRow
from app.db.programs import Versions
from app.db.sealing import Vault
from app.db.session import Session
from app.domain.activities import ActivityKind, slot_of
from app.domain.awarding import Withheld
from app.domain.calendar import local_time
from app.services.activity_targets import persons
from app.services.settle_activities import settle_activities


@dataclass(frozen=True, slots=True)
class Joining:
    """`at`: when, by the clock of whoever says so. `counts`: False for who only comes with a back-fill."""

    identity: IdentityRow
    at: datetime
    counts: bool = True


def welcome_members(
    session: Session,
    vault: Vault,
    joining: Sequence[Joining],
    versions: Mapping[int, Versions],
    *,
    now: datetime,
) -> None:
    """Enrol them; sets `member_id` on the identities. The caller holds the program's settling lock."""
    lowest = {program_id: known.live.tiers[0].key for program_id, known in versions.items()}
    members.enrol(session, [one.identity for one in joining], lowest, now=now)
    rows = [row for one in joining for row in _sign_up(vault, one, versions[one.identity.program_id], now)]
    if not rows:
        return
    for row, activity_id in zip(rows, activities.new_ids(session, len(rows)), strict=True):
        row.activity_id = activity_id
    activities.add_activities(session, rows)
    _judge(session, vault, rows, {one.identity.member_id or 0: one.identity for one in joining})
    settle_activities(session, rows, versions, now=now)


def judge_sign_ups(
    session: Session,
    vault: Vault,
    identity_ids: Sequence[int],
    versions: Mapping[int, Versions],
    *,
    now: datetime,
) -> None:
    """An address became known: who had signed up under it before, as somebody else, gives this one's points back."""
    if not any(
        program.activity_of(ActivityKind.SIGN_UP) for one in versions.values() for program in one.programs
    ):
        return
    found = members.find_identities_by_id(session, identity_ids)
    owners = {one.member_id: one for one in found.values() if one.member_id is not None and one.email_hash}
    rows = activities.find_activities_where(
        session,
        "a.member_id = ANY(:members) AND a.kind = :kind AND a.slot IS NOT NULL",
        members=list(owners),
        kind=ActivityKind.SIGN_UP.value,
    )
    judged = _judge(session, vault, rows, owners)
    settle_activities(session, [*judged, *_freed(session, judged)], versions, now=now)


def _sign_up(vault: Vault, one: Joining, versions: Versions, now: datetime) -> list[ActivityRow]:
    at = min(one.at, now)
    program = versions.at(at)
    rule = program.activity_of(ActivityKind.SIGN_UP)
    member_id = one.identity.member_id or 0
    if rule is None:
        return []
    zero = None if one.counts else Withheld.BACK_FILL
    if zero is None and not rule.during.covers(local_time(at, program.zone)):
        zero = Withheld.NOT_NOW
    return [
        ActivityRow(
            program_id=one.identity.program_id,
            activity_id=0,
            member_id=member_id,
            key=rule.key,
            kind=rule.kind.value,
            version=program.version,
            occurred_at=at,
            recorded_at=now,
            actor="laurel",
            slot=None if zero else slot_of(rule, at, program.zone),
            request_key=vault.request_hash(f"sign_up:{member_id}"),
            zero=zero,
        )
    ]


def _judge(
    session: Session, vault: Vault, rows: Sequence[ActivityRow], owners: Mapping[int, IdentityRow]
) -> list[ActivityRow]:
    """Fix it where the person was here before, erased since or under another account. Returns those it was fixed for."""
    standing = [row for row in rows if row.zero is None]
    hashes: dict[bytes, list[ActivityRow]] = {}
    for row in standing:
        who = owners[row.member_id]
        for one in (vault.customer_hash(who.shop_id, who.customer_ref), who.email_hash):
            if one is not None:
                hashes.setdefault(one, []).append(row)
    erased = {
        row.activity_id
        for (program_id, one), at in members.find_erasures(session, list(hashes)).items()
        for row in hashes[one]
        if row.program_id == program_id and at <= row.recorded_at
    }
    known = erased | _had_it(session, [row.activity_id for row in standing])
    judged = [row for row in standing if row.activity_id in known]
    for row in judged:
        row.zero, row.slot = Withheld.KNOWN_BEFORE, None
    activities.write_targets(session, judged)
    return judged


def _freed(session: Session, judged: Sequence[ActivityRow]) -> list[ActivityRow]:
    """Sign-ups of the same people, of accounts made one, that stood behind those which count for nothing now."""
    if not judged:
        return []
    ids = [row.member_id for row in judged]
    winners = members.find_winners(session, ids)
    same = persons(session, {winners.get(one, one) for one in ids})
    return activities.find_activities_where(
        session,
        "a.member_id = ANY(:members) AND a.kind = :kind AND a.slot IS NOT NULL",
        members=sorted(same),
        kind=ActivityKind.SIGN_UP.value,
    )


def _had_it(session: Session, activity_ids: Sequence[int]) -> set[int]:
    """Which of these sign-ups are a second one of an address, whether that is proven or not."""
    rows = session.rows(
        "SELECT DISTINCT a.id, o.member_id FROM activities a "
        "JOIN identities i ON {fence:i} AND i.program_id = a.program_id AND i.member_id = a.member_id "
        "JOIN identities o ON {fence:o} AND o.program_id = a.program_id AND o.email_hash = i.email_hash "
        "AND o.member_id <> a.member_id WHERE {fence:a} AND a.id = ANY(:ids)",
        ids=list(activity_ids),
    )
    if not rows:
        return set()
    root = persons(session, {row.member_id for row in rows})
    first: dict[int, int] = {}
    for activity_id, member_id, slot in activities.find_slots(session, sorted(root)):
        if slot == ActivityKind.SIGN_UP:
            first.setdefault(root[member_id], activity_id)
    return {row.id for row in rows if first.get(row.member_id, row.id) < row.id}
