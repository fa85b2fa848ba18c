"""What orders took of balances that we keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.session import Session, rows_of
from app.domain.redeeming import Use


@dataclass(frozen=True, slots=True)
class UsesSum:
    """`held_minor`: what all orders hold together; `counted`: how many the shop counts as uses."""

    held_minor: int
    counted: int


def find_using(session: Session, order_ids: Sequence[int]) -> dict[int, set[int]]:
    """Redemption -> which of these orders used it, as far as we were told before."""
    found: dict[int, set[int]] = {}
    for row in session.rows(
        "SELECT redemption_id, order_id FROM redemption_uses WHERE {fence} AND order_id = ANY(:orders)",
        orders=list(order_ids),
    ):
        found.setdefault(row.redemption_id, set()).add(row.order_id)
    return found


def put_uses(
    session: Session, program_id: int, redemption_id: int, uses: Mapping[int, Use], *, now: datetime
) -> None:
    """Write down what each order (by our id) holds of it now; `at` moves only where that changed."""
    session.run(
        "INSERT INTO redemption_uses AS u (program_id, redemption_id, order_id, taken_minor, back_minor, at) "
        "SELECT :program, :redemption, n.order_id, n.taken, n.back, :now FROM jsonb_to_recordset("
        "CAST(:uses AS jsonb)) AS n(order_id bigint, taken bigint, back bigint) "
        "ON CONFLICT (program_id, redemption_id, order_id) DO UPDATE SET taken_minor = excluded.taken_minor, "
        "back_minor = excluded.back_minor, at = excluded.at "
        "WHERE (u.taken_minor, u.back_minor) <> (excluded.taken_minor, excluded.back_minor)",
        program=program_id,
        redemption=redemption_id,
        uses=rows_of(
            [
                {"order_id": order_id, "taken": use.taken_minor, "back": use.back_minor}
                for order_id, use in uses.items()
            ]
        ),
        now=now,
    )


def sum_uses(session: Session, redemption_id: int) -> UsesSum:
    row = session.first(
        "SELECT coalesce(sum(taken_minor - back_minor), 0) AS held, count(*) FILTER (WHERE taken_minor > 0) AS counted "
        "FROM redemption_uses WHERE {fence} AND redemption_id = :redemption",
        redemption=redemption_id,
    )
    assert row is not None  # it counts
    return UsesSum(int(row.held), row.counted)
