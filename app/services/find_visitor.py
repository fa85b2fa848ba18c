"""Who somebody is that was let in: the person, what they may do, and what every page shows of the program."""

from dataclasses import dataclass
from datetime import datetime

from app.db import freezes, programs, reviews
from app.db.session import Session
from app.domain.staff import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    program_id: int
    staff_id: int
    name: str
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


def find_visitor(session: Session, staff_id: int) -> Visitor | None:
    """None: the program has no such person, or they were removed."""
    row = session.first(
        "SELECT name, role FROM staff WHERE {fence} AND id = :id AND removed_at IS NULL", id=staff_id
    )
    if row is None:
        return None
    live = programs.load_versions(session)[session.program_id].live
    failed = session.scalar("SELECT count(*) FROM inbox WHERE {fence} AND state = 'failed'")
    freeze = freezes.find_open(session)
    return Visitor(
        program_id=session.program_id,
        staff_id=staff_id,
        name=row.name,
        role=Role(row.role),
        program_name=live.name,
        timezone=live.timezone,
        currency=live.currency,
        failed_deliveries=int(failed),
        open_reviews=reviews.count_open(session),
        frozen_at=freeze.at if freeze else None,
    )
