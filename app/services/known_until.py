"""Up to when everything is known that happened at a program's shops."""

from datetime import datetime

from app.db import shops
from app.db.session import Session


def known_until(session: Session, now: datetime) -> datetime | None:
    """Up to when everything that happened at the program's shops has been read; None: nothing is known yet.

    Shops that were uninstalled, and those that are never called, are left out.
    """
    connected = [shop for shop in shops.find_shops(session).values() if shop.state == "connected"]
    if any(shop.reconciled_until is None for shop in connected):
        return None
    return min([shop.reconciled_until for shop in connected if shop.reconciled_until] + [now])
