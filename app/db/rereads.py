"""Orders to be read at the shop: who reads which, by which number, and what still waits.

The mark is a counter. A reading draws a number of its own before it asks the shop, by counting the mark up, and
settles under that number: of two readings the one that drew the smaller number never settles last, and a mark
that is made meanwhile is a larger number still.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db import programs
from app.db.orders import OrderRow, find_orders
from app.db.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A reading about to be made. `held`: the order as it was held then; None: never seen."""

    order_ref: str
    number: int
    held: OrderRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Orders of a shop that wait to be read, by why they were marked."""

    shop_id: int
    reason: str
    orders: int
    oldest_at: datetime | None  # known for orders never seen


def claim_marked(
    session: Session, shop_id: int, *, after: str, limit: int, now: datetime
) -> tuple[list[Claim], str]:
    """Draw numbers for the next marked orders whose ref sorts after `after`; and where to go on."""
    programs.lock_settling(session)
    rows = session.rows(
        "SELECT order_ref FROM orders WHERE {fence} AND shop_id = :shop AND reread_wanted > reread_done "
        "AND (reread_at IS NULL OR reread_at <= :now) AND order_ref > :after "
        "UNION SELECT order_ref FROM unseen_orders WHERE {fence} AND shop_id = :shop "
        "AND (not_before IS NULL OR not_before <= :now) AND order_ref > :after ORDER BY 1 LIMIT :limit",
        shop=shop_id,
        after=after,
        limit=limit,
        now=now,
    )
    refs = [row.order_ref for row in rows]
    return claim(session, shop_id, refs), refs[-1] if refs else after


def is_marked(session: Session, shop_id: int, *, now: datetime) -> bool:
    """Whether an order of the shop is to be read now."""
    row = session.first(
        "SELECT 1 FROM orders WHERE {fence} AND shop_id = :shop AND reread_wanted > reread_done "
        "AND (reread_at IS NULL OR reread_at <= :now) "
        "UNION ALL SELECT 1 FROM unseen_orders WHERE {fence} AND shop_id = :shop "
        "AND (not_before IS NULL OR not_before <= :now) LIMIT 1",
        shop=shop_id,
        now=now,
    )
    return row is not None


def claim(session: Session, shop_id: int, order_refs: Sequence[str]) -> list[Claim]:
    """Draw numbers for these orders, marked or not; one that is neither known nor marked is left out."""
    programs.lock_settling(session)
    refs = list(order_refs)
    if not refs:
        return []
    known = session.rows(
        "UPDATE orders SET reread_wanted = reread_wanted + 1 WHERE {fence} AND shop_id = :shop "
        "AND order_ref = ANY(:refs) RETURNING order_ref, reread_wanted",
        shop=shop_id,
        refs=refs,
    )
    numbers = {row.order_ref: row.reread_wanted for row in known}
    forget_unseen(session, shop_id, list(numbers))  # seen since: its mark is the order's now
    unseen = session.rows(
        "UPDATE unseen_orders SET wanted = wanted + 1 WHERE {fence} AND shop_id = :shop "
        "AND order_ref = ANY(:refs) RETURNING order_ref, wanted",
        shop=shop_id,
        refs=[ref for ref in refs if ref not in numbers],
    )
    numbers |= {row.order_ref: row.wanted for row in unseen}
    held = find_orders(session, [(shop_id, ref) for ref in refs])
    return [
        Claim(order_ref=ref, number=numbers[ref], held=held.get((shop_id, ref)))
        for ref in refs
        if ref in numbers
    ]


def mark(session: Session, shop_id: int, order_refs: Sequence[str], reason: str) -> None:
    """Mark known orders to be read. The caller holds the settling lock."""
    session.run(
        "UPDATE orders SET reread_wanted = reread_wanted + 1, reread_reason = :reason "
        "WHERE {fence} AND shop_id = :shop AND order_ref = ANY(:refs)",
        shop=shop_id,
        refs=list(order_refs),
        reason=reason,
    )


def note_found(session: Session, shop_id: int, order_refs: Sequence[str], run_id: int) -> None:
    """A comparison found these and will read them; whoever reads them first writes down for it what was amiss."""
    session.run(
        "UPDATE orders SET found_by = :run WHERE {fence} AND shop_id = :shop AND order_ref = ANY(:refs)",
        shop=shop_id,
        refs=list(order_refs),
        run=run_id,
    )


def take_found(session: Session, shop_id: int, order_refs: Sequence[str]) -> dict[str, int]:
    """Order ref -> the comparison that found it, of those that have been read now; they are not found any more."""
    rows = session.rows(
        "UPDATE orders o SET found_by = NULL FROM (SELECT program_id, id, found_by FROM orders WHERE {fence} "
        "AND shop_id = :shop AND order_ref = ANY(:refs) AND found_by IS NOT NULL FOR UPDATE) f "
        "WHERE {fence:o} AND o.program_id = f.program_id AND o.id = f.id RETURNING o.order_ref, f.found_by",
        shop=shop_id,
        refs=list(order_refs),
    )
    return {row.order_ref: row.found_by for row in rows}


def note_held(
    session: Session, shop_id: int, held: Sequence[tuple[str, str]], *, until: datetime, now: datetime
) -> list[tuple[str, str, str]]:
    """Keep orders (ref, reason) that cannot be understood; unseen ones are asked for again at `until`.

    Returns (subject, ref, reason) of those of which that is news.
    """
    news: list[tuple[str, str, str]] = []
    for ref, reason in held:
        known = session.first(
            "SELECT id, unreadable FROM orders WHERE {fence} AND shop_id = :shop AND order_ref = :ref",
            shop=shop_id,
            ref=ref,
        )
        if known is not None:
            session.run(
                "UPDATE orders SET unreadable = :reason WHERE {fence} AND id = :id",
                id=known.id,
                reason=reason,
            )
            if known.unreadable != reason:
                news.append((f"order:{known.id}", ref, reason))
        elif not ref.isalnum() or _add_unseen(session, shop_id, ref, reason, until=until, now=now):
            news.append((f"order_ref:{ref}", ref, reason))  # not even a name: it can only be told
    return news


def _add_unseen(
    session: Session, shop_id: int, ref: str, reason: str, *, until: datetime, now: datetime
) -> bool:
    return bool(
        session.run(
            "INSERT INTO unseen_orders (program_id, shop_id, order_ref, reason, wanted, marked_at, not_before) "
            "VALUES (:program_id, :shop, :ref, :reason, 1, :now, :until) "
            "ON CONFLICT (program_id, shop_id, order_ref) DO NOTHING",
            shop=shop_id,
            ref=ref,
            reason=reason,
            now=now,
            until=until,
        ).rowcount
    )


def find_unseen(session: Session, shop_id: int, order_refs: Sequence[str]) -> dict[str, int]:
    """Those never seen that are still wanted, and the number last drawn or marked for each."""
    rows = session.rows(
        "SELECT order_ref, wanted FROM unseen_orders WHERE {fence} AND shop_id = :shop AND order_ref = ANY(:refs)",
        shop=shop_id,
        refs=list(order_refs),
    )
    return {row.order_ref: row.wanted for row in rows}


def forget_unseen(session: Session, shop_id: int, order_refs: Sequence[str]) -> None:
    session.run(
        "DELETE FROM unseen_orders WHERE {fence} AND shop_id = :shop AND order_ref = ANY(:refs)",
        shop=shop_id,
        refs=list(order_refs),
    )


def postpone_unseen(session: Session, shop_id: int, order_ref: str, reason: str, until: datetime) -> None:
    """An order that we have nothing of cannot be read either: it is shown with the reason, and asked for later."""
    session.run(
        "UPDATE unseen_orders SET reason = :reason, not_before = :until "
        "WHERE {fence} AND shop_id = :shop AND order_ref = :ref",
        shop=shop_id,
        ref=order_ref,
        reason=reason,
        until=until,
    )


def note_unreadable(session: Session, order_id: int, reason: str, *, number: int) -> None:
    """The shop cannot show this order: what we hold stays, people see why; this reading is done."""
    session.run(
        "UPDATE orders SET unreadable = :reason, reread_done = greatest(reread_done, :number) "
        "WHERE {fence} AND id = :id AND reread_done <= :number",
        id=order_id,
        reason=reason,
        number=number,
    )


def find_waiting(session: Session) -> list[Waiting]:
    """What waits to be read, for each shop of the session's programs."""
    rows = session.rows(
        "SELECT shop_id, coalesce(reread_reason, '') AS reason, count(*) AS orders, NULL::timestamptz AS oldest "
        "FROM orders WHERE {fence} AND reread_wanted > reread_done GROUP BY 1, 2 "
        "UNION ALL SELECT shop_id, reason, count(*), min(marked_at) FROM unseen_orders WHERE {fence} "
        "GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return [
        Waiting(shop_id=row.shop_id, reason=row.reason, orders=row.orders, oldest_at=row.oldest)
        for row in rows
    ]


def find_shown(session: Session) -> Sequence[Any]:
    """(shop_id, kind, reason, orders): orders that cannot be read, or cannot be counted yet, and why."""
    return session.rows(
        "SELECT shop_id, 'unreadable' AS kind, unreadable AS reason, count(*) AS orders FROM orders "
        "WHERE {fence} AND unreadable IS NOT NULL GROUP BY 1, 3 "
        "UNION ALL SELECT shop_id, 'held', held_reason, count(*) FROM orders "
        "WHERE {fence} AND held_reason IS NOT NULL GROUP BY 1, 3 ORDER BY 1, 2, 3"
    )
