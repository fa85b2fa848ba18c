"""Which of a program's shops a person means."""

from app.db import shops
from app.db.shops import ShopRow
from app.domain.errors import Refused
from app.services.runtime import Runtime


def find_shop(rt: Runtime, program_id: int, key: str | None) -> ShopRow:
    """The shop of that key; without one, the only shop of the program. Raises: Refused."""
    with rt.db.begin(program_id) as session:
        known = {shop.key: shop for shop in shops.find_shops(session).values()}
    if key is None and len(known) == 1:
        return next(iter(known.values()))
    if key is None:
        raise Refused("which_shop", f"Say which shop. There are: {', '.join(sorted(known)) or 'none'}.")
    if key not in known:
        raise Refused(
            "unknown_shop", f"This program has no shop “{key}”. There are: {', '.join(sorted(known))}."
        )
    return known[key]
