"""Somebody who helps to run the program gets another name or role; or is let in again, who comes from a shop's admin."""

from typing import Any

from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.invite_staff import keep_an_owner, name_of
from app.services.runtime import Runtime


def change_staff(rt: Runtime, program_id: int, staff_id: int, *, name: str, role: Role) -> None:
    """What they did before keeps the name that they had then.

    Raises: Refused("bad_name"), Refused("last_owner"), Refused("unknown_staff").
    """
    said = name_of(name)
    with rt.db.begin(program_id) as session:
        if role is not Role.OWNER:
            keep_an_owner(session, staff_id)
        row: Any = session.first(
            "UPDATE staff SET name = :name, role = :role, removed_at = NULL WHERE {fence} AND id = :id "
            "AND (removed_at IS NULL OR user_ref IS NOT NULL) RETURNING id",
            name=said,
            role=role.value,
            id=staff_id,
        )
    if row is None:
        raise Refused("unknown_staff", "Nobody of that number helps to run this program.")
