"""A merchant's own system says that a member did something: what the program gives for it, once for a once-only key."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import IntegrityError

from app.db import activities, blocks, ledger, members, programs
from app.db.activities import ActivityRow, detail_place
from app.db.programs import Versions
from app.db.sealing import Vault
from app.db.session import Session
from app.domain.activities import BY_ITSELF, ActivityRule, slot_of
from app.domain.awarding import Withheld
from app.domain.calendar import local_time
from app.domain.errors import Refused
from app.domain.program import Program
from app.services.find_member import Who, find_in
from app.services.runtime import Runtime
from app.services.settle_activities import settle_activities

MAX_KEY = 200
MAX_DETAIL = 500
AHEAD = timedelta(minutes=5)  # what another's clock may be ahead of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`request_key` is the teller's, for this one act: the same again is the same act. `occurred_at` None: just now."""

    who: Who
    activity_key: str
    request_key: str
    actor: str
    occurred_at: datetime | None = None
    detail: str | None = None  # in their words; sealed, and erased with the person

    def hash(self, vault: Vault) -> bytes:
        """Keyed: the words in it may be personal."""
        at = self.occurred_at.astimezone(UTC).isoformat() if self.occurred_at else ""
        return vault.request_hash("\0".join((self.activity_key, at, self.detail or "")))


@dataclass(frozen=True, slots=True)
class RecordedActivity:
    activity_id: int
    member_id: int
    is_new: bool  # False: this key has done it before


def record_activity(rt: Runtime, program_id: int, told: Told) -> RecordedActivity:
    """Write it down and give what it is worth, which may be nothing, with its reason.

    Raises: Refused with unknown_member, unknown_activity, not_by_hand, in_the_future, bad_key, key_reused.
    """
    if not 0 < len(told.request_key) <= MAX_KEY:
        raise Refused("bad_key", f"The once-only key has 1 to {MAX_KEY} characters.")
    if told.detail is not None and len(told.detail) > MAX_DETAIL:
        raise Refused("invalid", f"detail: at most {MAX_DETAIL} characters.")
    try:
        return _record(rt, program_id, told)
    except IntegrityError:  # somebody used the key for another member at the same moment: theirs is there now
        return _record(rt, program_id, told)


def _record(rt: Runtime, program_id: int, told: Told) -> RecordedActivity:
    now = rt.now()
    request_key = rt.vault.request_hash(f"told:{told.request_key}")
    request_hash = told.hash(rt.vault)
    with rt.db.begin(program_id) as session:
        found = find_in(session, rt, told.who)
        book = ledger.lock_open_book(session, found[0]) if found else None
        if book is None:
            raise Refused("unknown_member", "There is no such member.")
        member_id = book.account[1]
        ours = members.find_merged(session, member_id)
        if (done := activities.find_activity_by_key(session, request_key)) is not None:
            if done.member_id not in ours or done.request_hash != request_hash:
                raise Refused(
                    "key_reused", "This key was used for something else. Use a new one for a new act."
                )
            return RecordedActivity(done.activity_id, member_id, is_new=False)
        at = told.occurred_at or now
        if members.get_member(session, member_id).erased_at is not None:
            raise Refused("unknown_member", "This member asked to be forgotten: nothing of them is kept.")
        if at > now + AHEAD:
            raise Refused("in_the_future", "occurred_at: this has not happened yet.")
        versions = programs.load_versions(session)
        program, rule = _rule(versions[program_id], told.activity_key, at)
        zero = _against(session, member_id, ours, program, rule, at)
        (activity_id,) = activities.new_ids(session, 1)
        row = ActivityRow(
            program_id=program_id,
            activity_id=activity_id,
            member_id=member_id,
            key=rule.key,
            kind=rule.kind.value,
            version=program.version,
            occurred_at=at,
            recorded_at=now,
            actor=told.actor,
            slot=None if zero else slot_of(rule, at, program.zone),
            request_key=request_key,
            request_hash=request_hash,
            detail=_sealed(rt, program_id, activity_id, told.detail),
            zero=zero,
        )
        activities.add_activities(session, [row])
        settle_activities(session, [row], versions, now=now)
        return RecordedActivity(activity_id, member_id, is_new=True)


def _rule(versions: Versions, key: str, at: datetime) -> tuple[Program, ActivityRule]:
    """The rule as it was at that moment; what the program has learnt only since is worth what it is now."""
    for program in (versions.at(at), versions.live):
        rule = program.activity(key)
        if rule is not None and rule.kind in BY_ITSELF:
            raise Refused("not_by_hand", f"“{rule.name}” is given by itself: there is nothing to tell.")
        if rule is not None:
            return program, rule
    known = ", ".join(one.key for one in versions.live.activities if one.kind not in BY_ITSELF) or "none"
    raise Refused("unknown_activity", f"The program has no activity “{key}”; those it has: {known}.")


def _against(
    session: Session, member_id: int, ours: list[int], program: Program, rule: ActivityRule, at: datetime
) -> Withheld | None:
    """What speaks against it, fixed for good: giving something back later makes room for later ones only."""
    if blocks.find_block(session, member_id, at) is not None:
        return Withheld.BLOCKED
    if not rule.during.covers(local_time(at, program.zone)):
        return Withheld.NOT_NOW
    slot = slot_of(rule, at, program.zone)
    if slot is not None and any(one == slot for _, _, one in activities.find_slots(session, ours)):
        return Withheld.ONCE
    if rule.limit is None:
        return None
    period = rule.limit.period(at, program.zone)
    moments = activities.find_moments(session, ours, rule.key)
    given = [one for one in moments if rule.limit.period(one, program.zone) == period]
    return Withheld.LIMIT if len(given) >= rule.limit.times else None


def _sealed(rt: Runtime, program_id: int, activity_id: int, detail: str | None) -> bytes | None:
    if not detail:
        return None
    return rt.vault.data.seal(detail.encode(), detail_place(program_id, activity_id))
