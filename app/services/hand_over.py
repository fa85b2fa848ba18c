"""Somebody of the staff gave the member the perk they had bought, or said so by mistake."""

from app.db import redemptions
from app.db.redemptions import RedemptionRow
from app.domain.errors import Refused
from app.domain.redeeming import RedemptionState
from app.domain.rewards import RewardKind
from app.services.runtime import Runtime


def hand_over(
    rt: Runtime, program_id: int, redemption_id: int, *, by: str, undo: bool = False
) -> RedemptionRow:
    """It is used; with `undo` it waits to be used again. Said twice, it is said once.

    Raises: Refused("unknown_redemption"), Refused("no_perk"), Refused("already_closed").
    """
    wanted, other = RedemptionState.USED, RedemptionState.ISSUED
    if undo:
        wanted, other = other, wanted
    now = rt.now()
    with rt.db.begin(program_id) as session:
        row = redemptions.lock_redemption(session, redemption_id)
        if row.bought.kind is not RewardKind.PERK:
            raise Refused(
                "no_perk", "The shop tells of the use of a code; only what has none is handed over."
            )
        if row.state is other:
            redemptions.update_redemption(
                session,
                redemption_id,
                state=wanted.value,
                closed_at=None if undo else now,
                message=None if undo else f"Handed over by {by}.",
            )
        elif row.state is not wanted:
            raise Refused("already_closed", "This was cancelled or has run out; what it cost was given back.")
        return redemptions.get_redemption(session, redemption_id)
