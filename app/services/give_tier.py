"""A person of the staff gives a member a tier until a day, with name and reason; and takes it back."""

from dataclasses import dataclass
from datetime import date, datetime

from app.db import members, programs, tiers
from app.db.session import Session
from app.db.tiers import FloorRow, NewFloor
from app.domain.calendar import end_of_day
from app.domain.errors import Refused
from app.domain.program import Program
from app.services.adjust import MAX_REASON
from app.services.raise_tiers import raise_tiers
from app.services.runtime import Runtime
from app.services.settle_entry_rewards import settle_entry_rewards


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenTier:
    """A tier that staff gave. `until_at` None: without an end. `ended_at`: taken back before."""

    grant_id: int
    member_id: int
    tier_key: str
    tier_name: str
    from_at: datetime
    until_at: datetime | None
    actor: str
    reason: str
    ended_at: datetime | None
    is_new: bool = False  # by this request

    def runs(self, now: datetime) -> bool:
        return self.ended_at is None and (self.until_at is None or now < self.until_at)


def give_tier(
    rt: Runtime,
    program_id: int,
    member_id: int,
    tier_key: str,
    *,
    until: date | None,
    reason: str,
    actor: str,
    request_key: str,
) -> GivenTier:
    """They have at least that tier to the end of the day `until`, in the program's time zone; at once.

    The same `request_key` again is the same grant. Raises: Refused with unknown_member, unknown_tier, lowest_tier,
    past_date, no_reason, key_reused.
    """
    if not reason.strip() or len(reason) > MAX_REASON:
        raise Refused("no_reason", f"Say why, in at most {MAX_REASON} characters: the member may ask.")
    now = rt.now()
    with rt.db.begin(program_id) as session:
        programs.lock_settling(session)
        versions = programs.load_versions(session)[program_id]
        live = versions.live
        member_id = _open_member(session, member_id)
        keys = [f"{one}:{request_key}" for one in members.find_merged(session, member_id)]
        until_at = None if until is None else end_of_day(until, live.zone)
        done = tiers.find_manual_by_key(session, keys)
        if done is not None:
            if (done.tier_key, done.until_at, done.reason) != (tier_key, until_at, reason.strip()):
                raise Refused("key_reused", "This idempotency key was used for another tier.")
            return _given(done, live)
        _require_tier(live, tier_key)
        if until_at is not None and until_at <= now:
            raise Refused("past_date", "That day is over: choose a later one.")
        floor = NewFloor(
            member_id=member_id, tier_key=tier_key, cause="manual", from_at=now, until_at=until_at
        )
        grant_id = tiers.add_manual(
            session,
            floor,
            actor=actor,
            reason=reason.strip(),
            request_key=f"{member_id}:{request_key}",
        )
        raise_tiers(session, versions, [member_id], cause="manual", now=now)
        return GivenTier(
            grant_id=grant_id,
            member_id=member_id,
            tier_key=tier_key,
            tier_name=live.tier(tier_key).name,
            from_at=now,
            until_at=until_at,
            actor=actor,
            reason=reason.strip(),
            ended_at=None,
            is_new=True,
        )


def take_tier_back(rt: Runtime, program_id: int, grant_id: int, *, actor: str) -> GivenTier:
    """The grant ends now, and with it what reaching the tier by it brought; the review brings the member down.

    What was earned meanwhile stays. Asked twice, it is one. Raises: Refused("unknown_grant"), Refused("grant_over").
    """
    now = rt.now()
    with rt.db.begin(program_id) as session:
        programs.lock_settling(session)
        versions = programs.load_versions(session)[program_id]
        row = tiers.lock_manual(session, grant_id)
        if row is None:
            raise Refused("unknown_grant", "There is no tier that was given under this number.")
        if row.ended_at is None:
            if row.until_at is not None and row.until_at <= now:
                raise Refused("grant_over", "Its time is over already.")
            tiers.end_manual(session, grant_id, by=actor, now=now)
            settle_entry_rewards(session, {program_id: versions}, [row.member_id], now=now)
        row = tiers.lock_manual(session, grant_id)
        assert row is not None
        return _given(row, versions.live)


def list_given_tiers(rt: Runtime, program_id: int, member_id: int) -> list[GivenTier]:
    """Newest first, those of the past too."""
    with rt.db.begin(program_id) as session:
        live = programs.load_versions(session)[program_id].live
        return [_given(row, live) for row in tiers.find_manual(session, member_id)]


def _open_member(session: Session, member_id: int) -> int:
    winner = members.find_winners(session, [member_id]).get(member_id, member_id)
    return members.get_member(session, winner).member_id


def _require_tier(live: Program, tier_key: str) -> None:
    if not live.has_tier(tier_key):
        known = ", ".join(tier.key for tier in live.tiers[1:])
        raise Refused("unknown_tier", f"There is no tier “{tier_key}”. There are: {known or 'none to give'}.")
    if tier_key == live.tiers[0].key:
        raise Refused("lowest_tier", f"Everybody has {live.tiers[0].name}: give a tier above it.")


def _given(row: FloorRow, live: Program) -> GivenTier:
    return GivenTier(
        grant_id=row.floor_id,
        member_id=row.member_id,
        tier_key=row.tier_key,
        tier_name=live.tier(row.tier_key).name,
        from_at=row.from_at,
        until_at=row.until_at,
        actor=row.actor,
        reason=row.reason,
        ended_at=row.ended_at,
    )
