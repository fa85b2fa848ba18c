"""What came from a shop about some orders: its deliveries, settled, waiting and set aside."""

from collections.abc import Collection
from datetime import datetime

from app.db import deliveries
from app.db.deliveries import Kept
from app.db.session import Session
from app.db.shops import ShopRow
from app.domain.changes import Change, OrderChanged, OrderToReread
from app.domain.errors import Refused
from app.services.process_deliveries import normalise
from app.services.runtime import Runtime

Arrived = dict[str, list[tuple[Kept, Change]]]


def arrived(
    rt: Runtime, session: Session, shop: ShopRow, order_refs: Collection[str], *, since: datetime
) -> Arrived:
    """For each order what came about it since `since`; what is not settled yet, whenever it came."""
    about: Arrived = {ref: [] for ref in order_refs}
    kept = deliveries.find_of_orders(session, rt.vault, shop.shop_id, sorted(about), since=since)
    kept += deliveries.find_unfinished(session, rt.vault, shop.shop_id)
    for one in {one.row.inbox_id: one for one in kept}.values():
        try:
            change = normalise(rt.connectors[shop.platform], one.row, shop)
        except Refused:
            continue
        ref = _order_ref(change)
        if ref in about:
            about[ref].append((one, change))
    return about


def _order_ref(change: Change) -> str | None:
    match change:
        case OrderChanged(order):
            return order.order_ref
        case OrderToReread(order_ref, _):
            return order_ref
        case _:
            return None
