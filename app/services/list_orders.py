"""Orders as we hold them, newest first, a page at a time."""

from dataclasses import dataclass

from app.db import shops
from app.db.orders import OrderRow, find_orders_where
from app.domain.errors import Refused
from app.domain.explaining import order_sentence
from app.domain.orders import OrderSnapshot
from app.domain.words import Words
from app.services.describe_order import waits_for
from app.services.find_words import find_words
from app.services.runtime import Runtime

PAGE = 50

_WHICH = {
    "all": "true",
    "held": "held_reason IS NOT NULL",
    "unreadable": "unreadable IS NOT NULL",
    "to-read": "reread_wanted > reread_done",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    shop_key: str
    shop_name: str
    snapshot: OrderSnapshot
    member_id: int | None
    target_points: int
    sentence: str
    held: bool
    unreadable: str | None
    to_read: bool


@dataclass(frozen=True, slots=True)
class OrderList:
    orders: tuple[OrderLine, ...]
    next: int | None


def list_orders(
    rt: Runtime,
    program_id: int,
    *,
    which: str = "all",
    search: str = "",
    cursor: int | None = None,
    limit: int = PAGE,
) -> OrderList:
    """`which`: all, held (cannot be counted yet), unreadable (at the shop), to-read. `search`: number or reference.

    Raises: Refused("unknown_list").
    """
    if which not in _WHICH:
        raise Refused("unknown_list", "There is no such list of orders.")
    wanted = search.strip()
    with rt.db.begin(program_id) as session:
        rows = session.rows(
            f"SELECT id FROM orders WHERE {{fence}} AND {_WHICH[which]} AND id < :before "  # noqa: S608  ours
            "AND (:search = '' OR order_ref = :search OR snapshot->>'number' = ANY(:numbers)) "
            "ORDER BY id DESC LIMIT :limit",
            before=cursor if cursor is not None else 2**62,
            search=wanted,
            numbers=[wanted, f"#{wanted}"],
            limit=limit + 1,
        )
        known = shops.find_shops(session)
        ids = [row.id for row in rows[:limit]]
        found = find_orders_where(session, "o.id = ANY(:ids)", ids=ids)
        words = find_words(session)
    lines = [
        _line(row, row.order, known[row.shop_id].key, known[row.shop_id].name, words)
        for row in reversed(found)
        if row.order is not None
    ]
    return OrderList(tuple(lines), ids[-1] if len(rows) > limit else None)


def _line(row: OrderRow, order: OrderSnapshot, shop_key: str, shop_name: str, words: Words) -> OrderLine:
    return OrderLine(
        shop_key=shop_key,
        shop_name=shop_name,
        snapshot=order,
        member_id=row.member_id,
        target_points=row.target_points,
        sentence=order_sentence(row.facts, waits=waits_for(row), words=words),
        held=row.held_reason is not None,
        unreadable=row.unreadable,
        to_read=row.reread_wanted > row.reread_done,
    )
