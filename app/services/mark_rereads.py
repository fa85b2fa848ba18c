"""Orders to be read at the shop: the mark is a counter, so that a change during the reading is not lost."""

from collections.abc import Mapping
from datetime import datetime

from app.db import jobs
from app.db.session import Session
from app.db.shops import ShopRow


def mark_rereads(session: Session, shop: ShopRow, wanted: Mapping[str, str], *, now: datetime) -> None:
    """Mark orders (ref -> reason) of a shop; one that we have never seen is remembered by its ref alone.

    The shop is asked by the job `reread_orders`, many orders in one call. A shop that may not be called keeps its
    marks, counted and shown, until it may.
    """
    refs = sorted(wanted)
    session.run(
        "UPDATE orders o SET reread_wanted = o.reread_wanted + 1, reread_reason = u.reason "
        "FROM unnest(CAST(:refs AS text[]), CAST(:reasons AS text[])) AS u(ref, reason) "
        "WHERE {fence:o} AND o.shop_id = :shop AND o.order_ref = u.ref",
        refs=refs,
        reasons=[wanted[ref] for ref in refs],
        shop=shop.shop_id,
    )
    known = {
        row.order_ref
        for row in session.rows(
            "SELECT order_ref FROM orders WHERE {fence} AND shop_id = :shop AND order_ref = ANY(:refs)",
            shop=shop.shop_id,
            refs=refs,
        )
    }
    session.run(
        "INSERT INTO unseen_orders (program_id, shop_id, order_ref, reason, wanted, marked_at) "
        "SELECT :program, :shop, u.ref, u.reason, 1, :now FROM unnest(CAST(:refs AS text[]), "
        "CAST(:reasons AS text[])) AS u(ref, reason) ON CONFLICT (program_id, shop_id, order_ref) "
        "DO UPDATE SET wanted = unseen_orders.wanted + 1, reason = excluded.reason, marked_at = excluded.marked_at",
        program=shop.program_id,
        shop=shop.shop_id,
        refs=[ref for ref in refs if ref not in known],
        reasons=[wanted[ref] for ref in refs if ref not in known],
        now=now,
    )
    jobs.enqueue(session, "reread_orders", program_id=shop.program_id, shop_id=shop.shop_id)
