"""A shop left: its orders freeze, its balances and codes stay, nothing is called there any more."""

from datetime import datetime

from app.db import shops
from app.db.session import Session
from app.db.shops import ShopRow


def uninstall_shop(session: Session, shop: ShopRow, *, now: datetime) -> None:
    """Open redemptions stop where they are (they go on when the shop comes back); credentials are forgotten."""
    if shop.state == "uninstalled":
        return
    shops.update_shop(
        session, shop.shop_id, state="uninstalled", uninstalled_at=now, credentials=None, access_problem=None
    )
