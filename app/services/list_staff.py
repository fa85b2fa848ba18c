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
    """Known by an address, or by the shop in whose own admin they open us."""

    staff_id: int
    email: str | None
    shop_name: str | None
    name: str
    role: Role
    invited_at: datetime
    last_seen_at: datetime | None  # None: has never signed in
    removed_at: (
        datetime | None
    )  # of a shop's people alone: they would come in by themselves, and are kept out


def list_staff(rt: Runtime, program_id: int) -> list[StaffView]:
    """Everybody who may come in, then whom of the shops' people nobody lets in any more."""
    with rt.db.begin(program_id) as session:
        rows = session.rows(
            "SELECT f.id AS staff_id, f.email, s.name AS shop_name, f.name, f.role, f.invited_at, f.last_seen_at, "
            "f.removed_at FROM staff f LEFT JOIN shops s ON s.program_id = f.program_id AND s.id = f.shop_id "
            "WHERE {fence:f} AND (f.removed_at IS NULL OR f.user_ref IS NOT NULL) "
            "ORDER BY f.removed_at IS NOT NULL, f.name, f.id LIMIT 500"
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
