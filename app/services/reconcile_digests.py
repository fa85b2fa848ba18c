"""Orders that hold points are compared with the shop, as cheaply as it allows: some changes are told by nothing.

A deleted refund sends no message and moves no date; an order deleted for good leaves every list; an order whose customer
was merged into another moves no date either, and the one message that tells of it may be lost.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from app.db import digests, reconciliations, rereads, shops
from app.db.digests import ToCompare
from app.domain.orders import OrderState
from app.services.read_at_shop import UNREADABLE, refresh_window
from app.services.reconcile_run import Run
from app.services.shop_client import open_shop
from connectors.base import Absent, OrderDigest

_AT_ONCE = 100
_YOUNG = timedelta(days=90)
_EDGE = timedelta(days=1)
_SAME_PASS = timedelta(days=1)  # a run that broke off is gone on with, if it is not older
_KEPT = timedelta(days=30)  # runs that found nothing


def reconcile_digests(run: Run) -> None:
    """Raises: AccessLost, Retryable, Refused; the next run goes on where this one broke off."""
    with open_shop(run.rt, run.program_id, run.shop_id) as client:
        refresh_window(run.rt, run.program_id, run.shop_id, client)
    with run.rt.db.begin(run.program_id) as session:
        shop = shops.get_shop(session, run.shop_id)
        # Whatever has been young since the last complete pass, however long ago that was.
        placed_after = (shop.digested_at or run.started_at) - _YOUNG
        if shop.reads_orders_days is not None:
            reach = run.started_at - timedelta(days=shop.reads_orders_days) + _EDGE
            placed_after = max(placed_after, reach)
        began = reconciliations.began_pass(
            session, run.shop_id, "digests", now=run.started_at, within=_SAME_PASS
        )
        run.total = digests.count_to_compare(
            session, run.shop_id, placed_after=placed_after, checked_before=began
        )
    after = 0
    while True:
        with run.rt.db.begin(run.program_id) as session:
            part = digests.find_to_compare(
                session,
                run.shop_id,
                placed_after=placed_after,
                checked_before=began,
                after=after,
                limit=_AT_ONCE,
            )
        if not part:
            break
        after = part[-1].order_id
        with open_shop(run.rt, run.program_id, run.shop_id) as client:
            told = client.order_digests([one.order_ref for one in part])
        run.read(_compare(run, part, told))
    with run.rt.db.begin(run.program_id) as session:
        shops.update_shop(session, run.shop_id, digested_at=began)
        reconciliations.prune_runs(session, run.shop_id, before=run.started_at - _KEPT)


def _compare(run: Run, part: Sequence[ToCompare], told: Mapping[str, OrderDigest | Absent]) -> list[str]:
    """Note that these orders were compared, and say which must be read."""
    with run.rt.db.begin(run.program_id) as session:
        run.lock(session)
        held = digests.find_held(session, [one.order_id for one in part])
        unlike = [one.order_ref for one in held if _differs(one, told.get(one.order_ref, Absent.UNREADABLE))]
        for one in held:
            answer = told.get(one.order_ref, Absent.UNREADABLE)
            digests.note_compared(
                session,
                one.order_id,
                digest=answer.refunds if isinstance(answer, OrderDigest) else None,
                unreadable=UNREADABLE if answer is Absent.UNREADABLE else None,
                now=run.rt.now(),
            )
        # Marked in the same commit: if the reading fails, the job makes up for it, and tells it as ours.
        rereads.mark(session, run.shop_id, unlike, "it differs from the shop's list")
        rereads.note_found(session, run.shop_id, unlike, run.run_id)
        run.look(session, len(part))
    return unlike


def _differs(held: ToCompare, told: OrderDigest | Absent) -> bool:
    gone = held.state == OrderState.GONE
    if told is Absent.UNREADABLE:
        return False
    if isinstance(told, Absent):
        return not gone
    if told.updated_at < held.updated_at:
        return False  # something newer came since we asked
    if told.gone != gone or told.updated_at > held.updated_at or held.unreadable is not None:
        return True
    if told.customer_ref and held.customer_ref and told.customer_ref != held.customer_ref:
        return True  # merged at the shop, and its message never came
    if set(told.refunds) != set(held.refunds):
        return True
    return held.digest is not None and any(
        held.digest.get(ref, amount) != amount for ref, amount in told.refunds.items()
    )
