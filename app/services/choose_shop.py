"""Which shop a request means: the one it names, or the only one where the member shops."""

from app.db import shops
from app.db.members import find_living
from app.domain.errors import Refused
from app.services.find_member import ById, find_in
from app.services.runtime import Runtime


def choose_shop(
    rt: Runtime, program_id: int, *, shop_key: str | None = None, member_id: int | None = None
) -> int:
    """The shop's id. Raises: Refused with unknown_shop, unknown_member, shop_needed, no_identity."""
    with rt.db.begin(program_id) as session:
        known = {shop.shop_id: shop for shop in shops.find_shops(session).values()}
        if shop_key is not None:
            found = next((one.shop_id for one in known.values() if one.key == shop_key), None)
            if found is None:
                raise Refused("unknown_shop", "This program has no such shop.")
            return found
        members = find_in(session, rt, ById(member_id or 0))
        if not members:
            raise Refused("unknown_member", "There is no such member.")
        there = sorted({one.shop_id for one in find_living(session, members[0])})
    if len(there) > 1:
        keys = ", ".join(known[shop_id].key for shop_id in there)
        raise Refused(
            "shop_needed", f"This member has accounts at {keys}: say at which the code will be used."
        )
    if not there:
        raise Refused("no_identity", "This member has no customer account at any shop.")
    return there[0]
