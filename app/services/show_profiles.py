"""A merchant decides whether members' points and level stand at the shop's own customers: as fields, as tags."""

from app.db import jobs, shops
from app.db.shops import ShopRow
from app.domain.errors import Refused
from app.domain.profiles import ProfilePart
from app.services.runtime import Runtime


def show_profiles(rt: Runtime, program_id: int, shop_id: int, parts: frozenset[ProfilePart]) -> None:
    """Show these parts from now on; what we wrote of any other is taken away. Jobs do both.

    Said again, it is tried again where the shop refused it. Raises: Refused("unknown_shop"); Refused("unsupported")
    for a platform that does not offer it.
    """
    with rt.db.begin(program_id) as session:
        shop = shops.get_shop(session, shop_id)
        if parts - offered_parts(rt, shop):
            raise Refused("unsupported", f"{shop.name}: its platform does not offer this.")
        if parts == shop.profile_parts and shop.profile_problem is None:
            return
        shops.update_shop(
            session,
            shop_id,
            shows_fields=ProfilePart.FIELDS in parts,
            shows_tags=ProfilePart.TAGS in parts,
            profile_problem=None,
        )
        jobs.enqueue(session, "sweep_profiles", shop_id=shop_id)


def offered_parts(rt: Runtime, shop: ShopRow) -> frozenset[ProfilePart]:
    """What can stand at this shop's customers."""
    connector = rt.connectors.get(shop.platform)
    return connector.profiles if connector else frozenset()
