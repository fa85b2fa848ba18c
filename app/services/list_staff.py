"""Who helps to run the program."""

from dataclasses import dataclass
from datetime import datetime

from app.db import directory
from app.db.directory import Kind
from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.invite_staff import keep_an_owner
from app.services.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffView:
    staff_id: int
    email: str
    name: str
    role: Role
    invited_at: datetime
    last_seen_at: datetime | None  # None: has never signed in


def list_staff(rt: Runtime, program_id: int) -> list[StaffView]:
    with rt.db.begin(program_id) as session:
        rows = session.rows(
            "SELECT id AS staff_id, email, name, role, invited_at, last_seen_at FROM staff "
            "WHERE {fence} AND removed_at IS NULL ORDER BY name, id LIMIT 500"
        )
    return [StaffView(**{**row._mapping, "role": Role(row.role)}) for row in rows]


def find_staff(rt: Runtime, program_id: int, staff_id: int) -> StaffView:
    """Raises: Refused("unknown_staff")."""
    found = [one for one in list_staff(rt, program_id) if one.staff_id == staff_id]
    if not found:
        raise Refused("unknown_staff", "Nobody of that number helps to run this program.")
    return found[0]


def remove_staff(rt: Runtime, program_id: int, staff_id: int) -> None:
    """They are signed out at once, and their links stop working. What they did keeps their name.

    Raises: Refused("unknown_staff"), Refused("last_owner").
    """
    with rt.db.outside() as connection:
        session = rt.db.session(connection, program_id)
        keep_an_owner(session, staff_id)
        row = session.first(
            "UPDATE staff SET removed_at = :now WHERE {fence} AND id = :id AND removed_at IS NULL RETURNING id",
            id=staff_id,
            now=rt.now(),
        )
        if row is None:
            raise Refused("unknown_staff", "Nobody of that number helps to run this program.")
        directory.remove(connection, Kind.SESSION, program_id, staff_id)
        directory.remove(connection, Kind.SIGN_IN, program_id, staff_id)
