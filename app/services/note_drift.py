"""Orders that a comparison found and somebody else reads: what was amiss is written down as that comparison's."""

from collections.abc import Sequence

from app.db import reconciliations, rereads
from app.db.session import Session
from app.db.shops import ShopRow
from app.services.explain_orders import differences, explain_orders
from app.services.read_at_shop import Ending, ReadOrder
from app.services.runtime import Runtime


def note_drift(rt: Runtime, session: Session, shop: ShopRow, read: Sequence[ReadOrder]) -> None:
    """A run that broke off after it had marked them repairs nothing in silence."""
    found = rereads.take_found(session, shop.shop_id, read_for_good(read))
    for run_id in sorted(set(found.values())):
        ours = [one for one in read if found.get(one.order_ref) == run_id]
        repairs = explain_orders(rt, session, shop, differences(ours), now=rt.now())
        reconciliations.add_repairs(session, run_id, repairs, now=rt.now())


def read_for_good(read: Sequence[ReadOrder]) -> list[str]:
    """Without those that are to be read once more."""
    return [one.order_ref for one in read if one.ending is not Ending.AGAIN]
