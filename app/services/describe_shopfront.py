"""What a shop's pages tell anybody about its program, read from the database."""

from app.db import programs, shops
from app.services.runtime import Runtime
from app.services.shopfront import Shopfront, shopfront_of


def describe_shopfront(rt: Runtime, program_id: int, shop_id: int, language: str | None = "en") -> Shopfront:
    """Raises: Refused("unknown_shop")."""
    with rt.db.begin(program_id) as session:
        program = programs.load_versions(session)[program_id].live
        shop = shops.get_shop(session, shop_id)
    return shopfront_of(program, shop.name, shop.currency, language)
