"""Orders to be counted again: held for a rate that may be there now, or whose reason not to count has changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.db.orders import OrderKey
from app.db.session import Session

START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where to go on, in the order in which the orders were placed."""

    placed_at: datetime = START
    order_id: int = 0


# What the shop's settings say of an order today; the words are those of `domain.earning.Zero`.
_EXCLUDED = (
    "CASE WHEN o.placed_at < s.counts_from THEN CAST(:before_start AS text) "
    "WHEN CAST(o.snapshot->>'test' AS boolean) AND NOT s.counts_test_orders THEN CAST(:test_order AS text) END"
)


def find_to_recount(
    session: Session,
    shop_ids: Sequence[int] | None,
    *,
    before_start: str,
    test_order: str,
    after: Place,
    limit: int,
) -> tuple[list[OrderKey], Place]:
    """The next orders to be counted again, and where to go on. Those of a shop that left stay frozen."""
    rows = session.rows(
        "SELECT o.shop_id, o.order_ref, o.placed_at, o.id FROM orders o JOIN shops s ON {fence:s} "
        "AND s.program_id = o.program_id AND s.id = o.shop_id WHERE {fence:o} AND s.state <> 'uninstalled' "
        "AND (CAST(:shops AS bigint[]) IS NULL OR o.shop_id = ANY(CAST(:shops AS bigint[]))) "
        f"AND (o.held_reason IS NOT NULL OR o.excluded IS DISTINCT FROM ({_EXCLUDED})) "
        "AND (o.placed_at, o.id) > (:placed_at, :id) ORDER BY o.placed_at, o.id LIMIT :limit",
        shops=None if shop_ids is None else list(shop_ids),
        before_start=before_start,
        test_order=test_order,
        placed_at=after.placed_at,
        id=after.order_id,
        limit=limit,
    )
    keys = [(row.shop_id, row.order_ref) for row in rows]
    return keys, Place(rows[-1].placed_at, rows[-1].id) if rows else after


def find_points(session: Session) -> dict[int, int]:
    """Account -> points, of every account of the session's program."""
    rows = session.rows("SELECT id, points FROM accounts WHERE {fence}")
    return {row.id: row.points for row in rows}
