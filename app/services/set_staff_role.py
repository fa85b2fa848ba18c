"""What people get who open us in a shop's own admin for the first time."""

from app.db import shops
from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.runtime import Runtime


def set_staff_role(rt: Runtime, program_id: int, shop_id: int, role: Role | None) -> None:
    """None: nobody new comes in. Whoever came before keeps what they have: the staff page changes it.

    Raises: Refused("not_a_role"): an owner is made by an owner, one by one.
    """
    if role is Role.OWNER:
        raise Refused(
            "not_a_role", "Nobody becomes an owner by opening a page: make them one on the staff page."
        )
    with rt.db.begin(program_id) as session:
        shops.update_shop(session, shop_id, staff_role=role.value if role else None)
