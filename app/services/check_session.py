"""Whose session a cookie is: the person, what they may do, and what every page shows of the program."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db import directory, freezes, programs, reviews
from app.db.directory import Kind
from app.domain.staff import Role
from app.services.runtime import Runtime
from app.services.staff_tokens import SLIDING, hashed

_SEEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    program_id: int
    staff_id: int
    name: str
    email: str
    role: Role
    program_name: str
    timezone: str
    currency: str
    failed_deliveries: int
    open_reviews: int
    frozen_at: datetime | None  # since when the program's points cannot be spent

    @property
    def actor(self) -> str:
        """How this person is written down beside what they do."""
        return self.name


def check_session(rt: Runtime, token: str) -> Visitor | None:
    """None: no such session, or it ended, or the person was removed. Each use prolongs it, up to its longest."""
    now = rt.now()
    with rt.db.outside() as connection:
        found = directory.find(connection, Kind.SESSION, hashed(token), now=now)
        if found is None:
            return None
        until = datetime.fromisoformat(found.details["until"])
        if until <= now:
            return None
        if now - datetime.fromisoformat(found.details["seen"]) >= _SEEN_EVERY:
            directory.put(
                connection,
                Kind.SESSION,
                hashed(token),
                found.program_id,
                found.target_id,
                details={"until": found.details["until"], "seen": now.isoformat()},
                expires_at=min(now + SLIDING, until),
            )
    with rt.db.begin(found.program_id) as session:
        row = session.first(
            "SELECT name, email, role FROM staff WHERE {fence} AND id = :id AND removed_at IS NULL",
            id=found.target_id,
        )
        if row is None:
            return None
        live = programs.load_versions(session)[found.program_id].live
        failed = session.scalar("SELECT count(*) FROM inbox WHERE {fence} AND state = 'failed'")
        freeze = freezes.find_open(session)
        to_review = reviews.count_open(session)
    return Visitor(
        program_id=found.program_id,
        staff_id=found.target_id,
        name=row.name,
        email=row.email,
        role=Role(row.role),
        program_name=live.name,
        timezone=live.timezone,
        currency=live.currency,
        failed_deliveries=int(failed),
        open_reviews=to_review,
        frozen_at=freeze.at if freeze else None,
    )


def end_session(rt: Runtime, token: str) -> None:
    """Sign out: this session works no more."""
    with rt.db.outside() as connection:
        directory.take(connection, Kind.SESSION, hashed(token), now=rt.now())
