"""How a program's own members redeem, from what they did so far; None where too few could."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isqrt

from app.db import redemptions
from app.domain.program import Program
from app.domain.redeemers import CHEAPEST, Behaviour
from app.services.runtime import Runtime

MIN_REACHED = 30  # fewer members than this say little
WATCHED = timedelta(days=90)  # who came to hold the cost later has not had the time to redeem
_NINE_OF_TEN = 1645


@dataclass(frozen=True, slots=True)
class Fitted:
    """`reached`: members who came to hold the cheapest reward's cost; `redeemed`: those who then redeemed."""

    behaviour: Behaviour
    reached: int
    redeemed: int
    cost: int


def fit_redeeming(rt: Runtime, program_id: int, live: Program, draft: Program) -> Fitted | None:
    """From the ledger and the redemptions of one program. Reads only."""
    costs = [reward.cost for reward in live.rewards]
    if not costs:
        return None
    with rt.db.snapshot(program_id) as session:
        habits = redemptions.find_habits(session, cost=min(costs), before=_before(rt.now()))
    if habits.reached < MIN_REACHED:
        return None
    share = habits.redeemed * 1000 // habits.reached
    # The usual range of a share that was counted, in thousandths.
    margin = _NINE_OF_TEN * isqrt(share * (1000 - share) // habits.reached) // 1000 + 1
    favourite = habits.favourite if draft.reward(habits.favourite or "") is not None else None
    behaviour = Behaviour(
        share=share,
        share_low=max(share - margin, 0),
        share_high=min(share + margin, 1000),
        delay_days=habits.delay_days,
        reward=favourite or CHEAPEST,
    )
    return Fitted(behaviour, habits.reached, habits.redeemed, min(costs))


def _before(now: datetime) -> datetime:
    return now - WATCHED
