"""Orders that were read before any delivery of their change had arrived: it came since, or it was lost.

Reconciliation runs more often than a shop's queue may need, so at first every lost delivery looks like a late one.
"""

from datetime import UTC, datetime

from app.db import orders, reconciliations
from app.db.orders import OrderRow
from app.db.reconciliations import Repair
from app.services.arrived import arrived
from app.services.causes import Cause
from app.services.explain_orders import LATE
from app.services.reconcile_run import Run


def judge_late(run: Run) -> None:
    """A repair for each order whose delivery has not arrived by now. Its points were counted when it was read.

    Each is judged once: by the first complete run after `LATE`.
    """
    before = run.shop.reconciled_until or run.shop.connected_at
    with run.rt.db.begin(run.program_id) as session:
        late = reconciliations.find_late(
            session,
            run.shop_id,
            late=Cause.WEBHOOK_LATE.value,
            missed=Cause.WEBHOOK_MISSED.value,
            since=before - LATE,
            until=run.started_at - LATE,
        )
        if not late:
            return
        rows = orders.find_orders_where(session, "o.id = ANY(:ids)", ids=list(late))
        came = arrived(run.rt, session, run.shop, {row.order_ref for row in rows}, since=min(late.values()))
        # An older state that is sent again comes late too, and then passes for the one that is missed.
        missed = [
            row
            for row in rows
            if not any(kept.row.received_at >= late[row.order_id] for kept, _ in came[row.order_ref])
        ]
        run.repaired(session, [_missed(row, late[row.order_id].astimezone(UTC)) for row in missed])


def _missed(row: OrderRow, read_at: datetime) -> Repair:
    number = row.order.number if row.order else row.order_ref
    return Repair(
        subject=row.source,
        cause=Cause.WEBHOOK_MISSED.value,
        detail=f"{number}: read at the shop at {read_at:%Y-%m-%d %H:%M:%S} UTC, and no delivery of it has arrived since.",
    )
