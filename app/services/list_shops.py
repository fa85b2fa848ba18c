"""The program's shops as they are known."""

from app.db import shops
from app.db.shops import ShopRow
from app.services.runtime import Runtime


def list_shops(rt: Runtime, program_id: int) -> list[ShopRow]:
    with rt.db.begin(program_id) as session:
        return list(shops.find_shops(session).values())
