"""An adjustment is undone by the opposite one, once; nothing is ever erased."""

from app.domain.errors import Refused
from app.services.adjust import MAX_REASON, Adjusted, adjust
from app.services.runtime import Runtime


def undo_adjustment(rt: Runtime, program_id: int, adjustment_id: int, *, actor: str) -> Adjusted:
    """Asked twice, it is one undoing. Raises: Refused("unknown_adjustment"), Refused("insufficient_points")."""
    with rt.db.begin(program_id) as session:
        row = session.first(
            "SELECT account_id, points, reason FROM adjustments WHERE {fence} AND id = :id", id=adjustment_id
        )
    if row is None:
        raise Refused("unknown_adjustment", "There is no such adjustment.")
    reason = f"Undone: {row.reason}"[:MAX_REASON]
    return adjust(
        rt,
        program_id,
        row.account_id,
        -row.points,
        reason=reason,
        actor=actor,
        request_key=f"undo:{adjustment_id}",
    )
