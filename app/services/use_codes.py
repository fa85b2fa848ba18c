"""Use of a code is learned from orders, and derived from them like points."""

from collections.abc import Sequence
from datetime import datetime

from app.db import jobs, redemptions
from app.db.orders import OrderRow
from app.db.redemptions import RedemptionRow
from app.db.session import Session
from app.domain.redeeming import OPEN, VOID, RedemptionState, points_to_return, stands
from app.services.return_points import lock_both, return_points
from app.services.use_balances import use_balances


def use_codes(session: Session, rows: Sequence[OrderRow], *, now: datetime) -> None:
    """Bring the redemptions whose codes these orders name, or named before, in step with the orders.

    An order that stands makes its code `used`. One that is void gives nothing back by itself: the code is read at
    the shop first (`check_code`), since some shops let it be used again. So is that of one that is first heard of with
    nothing left of it.
    """
    if not rows:
        return
    orders = list({row.order_id: row for row in rows}.values())
    codes = {code for row in orders if row.order is not None for code in row.order.codes_used}
    found = redemptions.find_by_codes(session, sorted(codes))
    by_code = {one.code.casefold(): one for one in found if not one.bought.is_balance}
    use_balances(session, orders, found, now=now)
    for row in orders:
        for code in row.order.codes_used if row.order is not None else ():
            redemption = by_code.get(code.casefold())
            if redemption is not None and redemption.shop_id == row.shop_id:
                _bring_in_step(session, redemption, row, now)


def _bring_in_step(session: Session, redemption: RedemptionRow, row: OrderRow, now: datetime) -> None:
    order = row.order
    assert order is not None
    book, locked = lock_both(session, redemption)
    if order.state in VOID:
        # Nobody may have told of the order while it stood, or both came in one batch: it used the code all the same.
        if unheard := locked.state is RedemptionState.ISSUED:
            _use(session, locked, row, now)
        used_here = locked.state is RedemptionState.USED and locked.order_id == row.order_id
        if unheard or (used_here and locked.dead_at is None):
            _ask(session, locked)
        return
    if locked.state in OPEN:
        _use(session, locked, row, now)
        if not stands(order):
            _ask(session, locked)
    elif locked.state is not RedemptionState.USED:
        late = f"Order {order.number} used this code after what it cost had been given back: look at it with the shop."
        redemptions.update_redemption(session, locked.redemption_id, message=late)
        return
    elif locked.order_id != row.order_id:
        return
    elif locked.dead_at is not None:
        redemptions.update_redemption(session, locked.redemption_id, dead_at=None)  # the order stands again
    target = points_to_return(locked.bought, order, code_dead=False)
    if target != locked.returned:
        return_points(session, book, locked, target, reason="refund", now=now)


def _ask(session: Session, locked: RedemptionRow) -> None:
    """Whether its code can be used again."""
    jobs.enqueue(
        session,
        "check_code",
        program_id=locked.program_id,
        shop_id=locked.shop_id,
        redemption_id=locked.redemption_id,
    )


def _use(session: Session, locked: RedemptionRow, row: OrderRow, now: datetime) -> None:
    redemptions.update_redemption(
        session,
        locked.redemption_id,
        state=RedemptionState.USED.value,
        order_id=row.order_id,
        closed_at=now,
        closing=None,
        dead_at=None,
        next_try_at=None,
        message=None,
    )
