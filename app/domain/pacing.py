"""Who may ask a shop how much, where the shop counts it: a bucket that refills, and of which the urgent keep a part.

Costs are the shop's own points. Whole numbers: what is told in fractions is rounded against us before it comes here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

_LONGEST_S = 60  # the bucket is told anew with the next answer anyway


class Urgency(StrEnum):
    """Who waits for the answer."""

    SHOPPER = "shopper"  # somebody at the till or in the panel: a code made, withdrawn, its balance kept
    ORDERS = "orders"  # somebody's points: an order or a fact that was marked to be read
    BACKGROUND = "background"  # nobody: comparisons, profiles


KEPT_PERCENT: Mapping[Urgency, int] = {Urgency.SHOPPER: 0, Urgency.ORDERS: 25, Urgency.BACKGROUND: 50}
"""How much of the bucket is left to those who are more urgent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What the shop last told of its bucket."""

    available: int
    maximum: int
    restored_per_s: int  # at least 1
    at: datetime

    def left(self, now: datetime) -> int:
        """What is there by now, if nobody else asked meanwhile."""
        passed_ms = max(now - self.at, timedelta(0)) // timedelta(milliseconds=1)
        return min(self.maximum, self.available + passed_ms * self.restored_per_s // 1000)


def wait_s(allowance: Allowance, cost: int, urgency: Urgency, *, now: datetime) -> int:
    """Seconds to wait before something of that cost is asked; 0: it may be asked now.

    What costs more than there is beside the part that is kept may be asked once the bucket is full.
    """
    kept = allowance.maximum * KEPT_PERCENT[urgency] // 100
    missing = min(cost + kept, allowance.maximum) - allowance.left(now)
    if urgency is Urgency.SHOPPER or missing <= 0:
        return 0
    return min(-(-missing // allowance.restored_per_s), _LONGEST_S)
