"""The orders that we hold of a program's shops, as past orders. Read as they come; nothing is written."""

from collections.abc import Iterator, Sequence

from app.db import orders
from app.db.session import Session
from app.domain.orders import OrderState
from app.domain.past import past_order
from app.services.left_out import LeftOuts
from app.services.read_past_orders import PastRow


def past_orders_of_shops(
    session: Session, shop_ids: Sequence[int], *, whole: bool, left_out: LeftOuts
) -> Iterator[PastRow]:
    """Every order of a known customer that was ever paid, member or not yet. `whole`: with all finer rules look at.

    Orders from before the shop was connected are told too: a program is tried on them before they count.
    """
    for held in orders.stream_past(session, shop_ids):
        order, named = held.order, f"order {held.order.number}"
        if held.test:
            left_out.add("test_order", 0, named)
        elif held.person is None:
            left_out.add("no_customer", 0, named)
        elif held.blocked:
            left_out.add("blocked", 0, named)
        else:
            past = past_order(order, member=held.person, shop_id=held.shop_id, whole=whole)
            if past is None:
                reason = "not_paid" if order.state is not OrderState.CANCELLED else "cancelled"
                left_out.add(reason, 0, named)
            else:
                yield PastRow(0, past)
