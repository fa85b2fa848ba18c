"""Signs of abuse become reviews, for a person to decide. Nothing is taken: at most, points wait to be spent.

Looked for every hour over a whole program, and of one member in the moment in which points are about to leave: who
farms and spends within the hour is seen too.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import structlog

from app.db import members, programs, reviews, suspicion
from app.db.members import MemberRow
from app.db.reviews import Notice
from app.db.session import Session
from app.db.suspicion import Seen
from app.domain.program import Program
from app.domain.suspicion import Action, Signal
from app.services.runtime import Runtime

log = structlog.get_logger()


def look_for_abuse(rt: Runtime, program_id: int) -> int:
    """Look at everybody. Returns how many reviews are new. Safe to run any number of times."""
    now = rt.now()
    with rt.db.begin(program_id) as session:
        signals = programs.load_versions(session)[program_id].live.signals
        return _notice(session, _count(session, signals, now=now), now=now)


def hold_if_odd(session: Session, member: MemberRow, program: Program, *, now: datetime) -> bool:
    """Whether the points of this open account, which is locked, wait for a decision, now that they are to be spent.

    What is noticed only now is written down: whoever is refused for it must commit all the same.
    """
    if member.was_held and reviews.find_holds(session, [member.member_id]):
        return True
    holding = [one for one in program.signals if one.action is Action.HOLD]
    if not holding:
        return False
    ours = members.find_merged(session, member.member_id)
    if not (found := _count(session, holding, now=now, member_ids=ours)):
        return False
    _notice(session, found, now=now)
    return bool(reviews.find_holds(session, [member.member_id]))


def _count(
    session: Session, signals: Iterable[Signal], *, now: datetime, member_ids: Sequence[int] | None = None
) -> list[Seen]:
    return [seen for one in signals for seen in suspicion.count(session, one, now=now, member_ids=member_ids)]


def _notice(session: Session, found: Sequence[Seen], *, now: datetime) -> int:
    """One review for a person, whatever was seen; none for who was erased: there is nobody to decide about."""
    winners = members.find_winners(session, sorted({one.member_id for one in found}))
    by_person: dict[int, list[Seen]] = {}
    for one in found:
        by_person.setdefault(winners.get(one.member_id, one.member_id), []).append(one)
    known = members.find_members(session, list(by_person))
    notices = [
        Notice(
            member_id=person,
            holds=any(one.signal.action is Action.HOLD for one in seen),
            signals={one.signal.kind.value: _told(one) for one in seen},
        )
        for person, seen in sorted(by_person.items())
        if known[person].erased_at is None
    ]
    new = reviews.open_reviews(session, notices, now=now)
    if new:
        log.warning("reviews_opened", program_id=session.program_id, new=new)
    return new


def _told(seen: Seen) -> dict[str, Any]:
    """As it is kept: with the figures it was judged by, which a later version may change."""
    return {
        "n": seen.count,
        "of": seen.total,
        "more_than": seen.signal.more_than,
        "hours": seen.signal.within.days * 24 + seen.signal.within.seconds // 3600,
        "with": list(seen.others),
        "at": seen.at.isoformat(),
    }
