"""What has become of a code at the shop: asked when its order is void, or when the shop says that it is gone."""

from datetime import timedelta

from app.db import orders, redemptions
from app.db.redemptions import RedemptionRow
from app.db.session import Session
from app.domain.orders import OrderSnapshot
from app.domain.pacing import Urgency
from app.domain.redeeming import VOID, Closing, RedemptionState, points_to_return, stands
from app.services.code_spec import code_spec
from app.services.keep_balance import keep_balance
from app.services.return_points import close, lock_both, return_points
from app.services.runtime import Runtime
from app.services.shop_client import open_shop
from connectors.base import FoundCode

_COUNTED = timedelta(hours=1)  # in which a shop may not have counted a use yet


def check_code(rt: Runtime, program_id: int, shop_id: int, redemption_id: int) -> RedemptionState:
    """Read the code and bring the redemption in step. Raises: Retryable, AccessLost, to be run again.

    A used code of whose order nothing is left: a use left → `issued`, and no points; none left → it stays used, and
    only then do points come back for an order that is void, if the program says so. Money under a code is used once
    nothing of it is left; a balance that we keep has a service of its own. An issued code that is gone or switched off:
    withdrawn, points back. A used code that can be used once more beside an order that stands: withdrawn, and what it
    cost stays paid.
    """
    with rt.db.begin(program_id) as session:
        row = redemptions.get_redemption(session, redemption_id)
        spec = code_spec(session, row)
    if row.bought.is_balance:
        return keep_balance(rt, program_id, shop_id, redemption_id)
    with open_shop(rt, program_id, shop_id, Urgency.ORDERS) as client:
        found = client.find_code(row.code, spec)
    ours = found is not None and found.tag == row.tag
    is_twice = False
    with rt.db.begin(program_id) as session:
        book, locked = lock_both(session, row)
        if found is not None and found.left is not None:
            redemptions.update_redemption(session, redemption_id, left_minor=found.left.minor)
        match locked.state:
            case RedemptionState.ISSUED if (
                found is not None and found.left is not None and not found.left.minor
            ):
                redemptions.update_redemption(
                    session, redemption_id, state=RedemptionState.USED.value, closed_at=rt.now(), message=None
                )
            case RedemptionState.ISSUED if not (ours and found is not None and found.live):
                gone = "The code is not usable at the shop any more. What it cost comes back once that is certain."
                close(session, locked, Closing.CANCEL, gone, unknown=locked.unknown, now=rt.now())
            case RedemptionState.USED if (order := _order(session, locked)) is not None and not stands(order):
                if ours and found is not None and _can_be_used(found):
                    # What a return had given back of it is in the code again.
                    return_points(session, book, locked, 0, reason="order_void", now=rt.now())
                    redemptions.update_redemption(
                        session,
                        redemption_id,
                        state=RedemptionState.ISSUED.value,
                        order_id=None,
                        closed_at=None,
                        message="The order was cancelled, and the shop lets the code be used again.",
                    )
                elif order.state in VOID:
                    redemptions.update_redemption(session, redemption_id, dead_at=rt.now())
                    target = points_to_return(locked.bought, order, code_dead=True)
                    return_points(session, book, locked, target, reason="order_void", now=rt.now())
            case RedemptionState.USED if (
                ours and found is not None and found.left is None and _can_be_used(found)
            ):
                is_twice = locked.closed_at is not None and locked.closed_at < rt.now() - _COUNTED
            case _:
                pass
        state = redemptions.get_redemption(session, redemption_id).state
    if is_twice:
        with open_shop(rt, program_id, shop_id, Urgency.ORDERS) as client:
            client.withdraw_code(row.code, row.tag, spec)
    return state


def _can_be_used(found: FoundCode) -> bool:
    return found.live and (found.uses_left is None or found.uses_left > 0)


def _order(session: Session, row: RedemptionRow) -> OrderSnapshot | None:
    """What used it, as last seen."""
    found = orders.find_orders_where(session, "o.id = :id", id=row.order_id)
    return found[0].order if found else None
