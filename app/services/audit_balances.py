"""Every balance that we keep: what is written down of its orders is what their snapshots say, none forgotten."""

from collections.abc import Sequence

from app.db import auditing, orders, redemptions
from app.db.session import Session
from app.domain.redeeming import NOT_USED, use_of
from app.services.findings import Findings


def audit_balances(session: Session, findings: Findings, redemption_ids: Sequence[int]) -> None:
    """Each use of these, worked out again from its order. What is left is checked with the redemption itself."""
    if not redemption_ids:
        return
    written = auditing.find_uses(session, redemption_ids)
    used_by = sorted({order_id for uses in written.values() for order_id in uses})
    found = orders.find_orders_where(session, "o.id = ANY(:ids)", ids=used_by)
    snapshots = {one.order_id: one.order for one in found}
    for row in redemptions.find_redemptions_where(session, "r.id = ANY(:ids)", ids=list(written)):
        for order_id, held in written[row.redemption_id].items():
            order = snapshots[order_id]
            due = NOT_USED if order is None else use_of(row.bought, row.code, order)
            if held != due:
                detail = (
                    f"order {order_id} took {due.taken_minor} and gave {due.back_minor} back, "
                    f"written down are {held.taken_minor} and {held.back_minor}"
                )
                findings.add(row.source, "balance_use", detail)


def audit_unwritten(session: Session, findings: Findings) -> None:
    """Orders that use a balance, and are not counted among its orders."""
    for redemption_id, order_id in auditing.find_unwritten_uses(session):
        detail = f"order {order_id} names its code, and nothing is written down of that"
        findings.add(f"redemption:{redemption_id}", "balance_use", detail)
