"""Every order that changed at the shop in a window is settled as the shop lists it: the channel of record."""

from collections.abc import Sequence
from datetime import timedelta

from app.db import jobs, orders, reconciliations, rereads
from app.db.reconciliations import Repair
from app.db.session import Session
from app.db.shops import ShopRow
from app.domain.errors import PutOff, Retryable
from app.domain.folding import Verdict
from app.domain.orders import OrderSnapshot, OrderState
from app.services.causes import Cause
from app.services.explain_orders import Difference, explain_orders
from app.services.judge_late import judge_late
from app.services.reconcile_run import Run
from app.services.settle_orders import Seen, Settled, settle_orders
from app.services.shop_client import open_shop
from connectors.base import OrderPage

_ASK_AGAIN = timedelta(days=1)
_TRIES = 3  # for a page
_NO_LINES = "it shows a refund without its lines"


def reconcile_changed(run: Run) -> None:
    """Raises: AccessLost, Retryable, Refused; then the shop counts as read up to where it was before. PutOff while
    the shop gathers very many orders by itself.

    A page is taken as a message, not as a reading: it beats no message of the same moment, since nobody knows
    which was written first. Where the two differ, and where a page shows refunds without their lines, the order
    itself is read at once.
    """
    while True:
        page = _page(run, run.cursor)
        run.total = page.total if page.total is not None else run.total
        if page.wait_s:
            run.cursor = page.cursor
            raise PutOff("the shop is gathering its orders", retry_after_s=page.wait_s, begun=True)
        run.read(_settle(run, page))
        run.go_on_with(page.cursor)
        if page.cursor is None:
            break
    judge_late(run)
    _doubt_subscriptions(run)
    # A window that begins later than where we were leaves a gap: then nothing is claimed.
    if run.since <= (run.shop.reconciled_until or run.shop.counts_from):
        with run.rt.db.begin(run.program_id) as session:
            reconciliations.advance(session, run.shop_id, until=run.until)


def _doubt_subscriptions(run: Run) -> None:
    """Look at them now, not at the end of the day: shops switch a subscription off that failed a few times in a row."""
    if any(repair.cause == Cause.WEBHOOK_MISSED for repair in run.repairs):
        with run.rt.db.begin(run.program_id) as session:
            jobs.enqueue(session, "reconcile_shop", shop_id=run.shop_id, kind="webhooks")


def _page(run: Run, cursor: str | None) -> OrderPage:
    """Asked for again at once when it fails: a long run is many pages, and begins anew if it breaks off.

    A shop that asks us to wait is not asked again; a run that is put off goes on with the page it was at.

    Raises: AccessLost, Retryable, Refused.
    """
    for left in reversed(range(_TRIES)):
        try:
            # Opened for each page: credentials may end, and the shop may leave, in the middle of a long run.
            with open_shop(run.rt, run.program_id, run.shop_id) as client:
                return client.orders_changed(run.since, run.until, cursor, may_wait=True)
        except Retryable as error:
            if left == 0 or error.retry_after_s is not None:
                raise
    raise AssertionError("unreachable")


def _settle(run: Run, page: OrderPage) -> list[str]:
    """Settle the page, and say which of its orders must be read."""
    with run.rt.db.begin(run.program_id) as session:
        shop = run.lock(session)
        before = orders.find_orders(session, [(shop.shop_id, order.order_ref) for order in page.orders])
        seen = [
            _seen(shop, order)
            for order in page.orders
            if _was_an_order(order) or (shop.shop_id, order.order_ref) in before
        ]
        settled = settle_orders(session, run.rt.vault, seen, now=run.rt.now()) if seen else []
        differences = _differences(settled, before)
        run.repaired(session, explain_orders(run.rt, session, shop, differences, now=run.rt.now()))
        _keep_held(run, session, shop, page)
        run.look(session, len(page.orders) + len(page.held))
    rows = {one.row.order_ref: one.row for one in settled}
    return [
        ref for ref, row in rows.items() if row.reread_wanted > row.reread_done or row.unreadable is not None
    ]


def _was_an_order(order: OrderSnapshot) -> bool:
    """Not a draft of one, nor one in the trash that nobody paid: those are not worth keeping."""
    return order.state is not OrderState.GONE or order.paid_at is not None


def _seen(shop: ShopRow, order: OrderSnapshot) -> Seen:
    exact = all(refund.exact for refund in order.refunds)
    return Seen(shop_id=shop.shop_id, order=order, wants_reread=None if exact else _NO_LINES)


def _differences(
    settled: Sequence[Settled], before: dict[orders.OrderKey, orders.OrderRow]
) -> list[Difference]:
    """One for each order that the page told something newer of."""
    found: dict[orders.OrderKey, Difference] = {}
    for one in settled:
        if one.verdict is Verdict.NEWER:
            key = one.row.key
            moved = one.moved + (found[key].moved if key in found else 0)
            found[key] = Difference(before=before.get(key), after=one.row, moved=moved)
    return list(found.values())


def _keep_held(run: Run, session: Session, shop: ShopRow, page: OrderPage) -> None:
    """Orders whose facts cannot be understood: kept by name with the reason, shown, and asked for again."""
    new = rereads.note_held(
        session, shop.shop_id, page.held, until=run.rt.now() + _ASK_AGAIN, now=run.rt.now()
    )
    repairs = [
        Repair(
            subject=subject,
            cause=Cause.NOT_UNDERSTOOD.value,
            detail=f"order {ref} cannot be understood: {reason}",
        )
        for subject, ref, reason in new
    ]
    run.repaired(session, repairs)
