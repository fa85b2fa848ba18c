"""What waits: orders to be read at their shop, orders that cannot be read, orders that cannot be counted."""

from dataclasses import dataclass
from datetime import datetime

from app.db import rereads, shops
from app.services.runtime import Runtime
from app.services.shop_client import why_not_callable


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingOrders:
    """So many orders of a shop, for this reason. `kind`: to_read, unreadable or held.

    `blocked`: why nothing goes on for now, in words for people; None: it goes on by itself.
    """

    shop_id: int
    shop_key: str
    kind: str
    reason: str
    orders: int
    oldest_at: datetime | None
    blocked: str | None


def waiting(rt: Runtime, program_id: int) -> list[WaitingOrders]:
    with rt.db.begin(program_id) as session:
        known = shops.find_shops(session)
        to_read = rereads.find_waiting(session)
        shown = rereads.find_shown(session)
    found = [
        WaitingOrders(
            shop_id=one.shop_id,
            shop_key=known[one.shop_id].key,
            kind="to_read",
            reason=one.reason,
            orders=one.orders,
            oldest_at=one.oldest_at,
            blocked=why_not_callable(known[one.shop_id]),
        )
        for one in to_read
    ]
    found += [
        WaitingOrders(
            shop_id=row.shop_id,
            shop_key=known[row.shop_id].key,
            kind=row.kind,
            reason=row.reason,
            orders=row.orders,
            oldest_at=None,
            blocked=row.reason,
        )
        for row in shown
    ]
    return sorted(found, key=lambda one: (one.shop_id, one.kind, one.reason))
