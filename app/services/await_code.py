"""A code that was asked for, as soon as the shop has made it, if that is soon."""

import time

from app.domain.redeeming import RedemptionState
from app.services.find_redemptions import RedemptionView, find_redemption
from app.services.runtime import Runtime

LONGEST_S = 3.0
_FIRST_S, _STEP_S = 0.05, 0.25


def await_code(rt: Runtime, program_id: int, redemption_id: int) -> RedemptionView:
    """Look until the redemption is no longer `requested`, for at most `LONGEST_S`; no transaction is held meanwhile."""
    end = time.monotonic() + LONGEST_S
    pause = _FIRST_S
    while True:
        view = find_redemption(rt, program_id, redemption_id)
        left = end - time.monotonic()
        if view.state is not RedemptionState.REQUESTED or left <= 0:
            return view
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _STEP_S)
