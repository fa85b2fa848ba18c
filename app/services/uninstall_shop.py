"""A shop left: its orders freeze, its balances and codes stay, nothing is called there any more."""

from datetime import datetime

from app.db import happenings, jobs
from app.db.session import Session
from app.db.shops import ShopRow


def uninstall_shop(session: Session, shop: ShopRow, *, now: datetime) -> str:
    """A message says that the shop left. Returns what is done about it.

    The message may be older than the shop's return, and does not prove whose it is: it is believed of a shop that
    lets us in no more. `check_uninstall` asks; where that is known already, or cannot be asked, it counts at once.
    """
    if shop.state == "uninstalled":
        return "the shop was disconnected already"
    if not shop.callable:
        disconnect(session, shop.shop_id, now=now)
        return "the shop was disconnected"
    jobs.enqueue(session, "check_uninstall", program_id=shop.program_id, shop_id=shop.shop_id)
    return "whether the shop left is asked there"


def disconnect(session: Session, shop_id: int, *, now: datetime) -> bool:
    """Open redemptions stop where they are (they go on when the shop comes back); credentials are forgotten.

    Returns False for a shop whose credentials hold, as far as we know: it was connected again meanwhile.
    """
    gone = session.run(
        "UPDATE shops SET state = 'uninstalled', uninstalled_at = :now, credentials = NULL, access_problem = NULL "
        "WHERE {fence} AND id = :id AND (state = 'unchecked' OR access_problem IS NOT NULL)",
        id=shop_id,
        now=now,
    )
    if gone.rowcount == 1:
        happenings.leave(session, shop_id, now=now)
    return gone.rowcount == 1
