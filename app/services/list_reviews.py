"""The queue of reviews: members whom a person should look at, what was noticed, and what was decided."""

from dataclasses import dataclass
from datetime import datetime

from app.db import members, reviews
from app.db.reviews import ReviewAct, ReviewRow
from app.db.session import Session
from app.domain.errors import Refused
from app.services.describe_member import MemberView, describe_members
from app.services.describe_signals import noticed
from app.services.runtime import Runtime

MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    """`sentences`: what was noticed. `member`: as they are now, merges followed."""

    review_id: int
    member: MemberView
    opened_at: datetime
    held_at: datetime | None
    decided_at: datetime | None
    decision: str | None
    sentences: tuple[str, ...]
    acts: tuple[ReviewAct, ...]


def list_reviews(rt: Runtime, program_id: int) -> list[ReviewView]:
    """Open ones first, those that hold points before others; then the last that were decided; at most `MOST`."""
    with rt.db.begin(program_id) as session:
        return _views(session, rt, reviews.list_reviews(session, limit=MOST))


def get_review(rt: Runtime, program_id: int, review_id: int) -> ReviewView:
    """Raises: Refused("unknown_review")."""
    with rt.db.begin(program_id) as session:
        found = reviews.find_review(session, review_id)
        if found is None:
            raise Refused("unknown_review", "There is no such review.")
        return _views(session, rt, [found])[0]


def _views(session: Session, rt: Runtime, rows: list[ReviewRow]) -> list[ReviewView]:
    winners = members.find_winners(session, [one.member_id for one in rows])
    person = {one.review_id: winners.get(one.member_id, one.member_id) for one in rows}
    views = {one.member_id: one for one in describe_members(session, rt, sorted(set(person.values())))}
    acts = reviews.find_acts(session, [one.review_id for one in rows])
    return [
        ReviewView(
            review_id=one.review_id,
            member=views[person[one.review_id]],
            opened_at=one.opened_at,
            held_at=one.held_at,
            decided_at=one.decided_at,
            decision=one.decision,
            sentences=tuple(noticed(one.signals)),
            acts=tuple(acts.get(one.review_id, ())),
        )
        for one in rows
    ]
