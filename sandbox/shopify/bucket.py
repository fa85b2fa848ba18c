"""The leaky bucket: points left, how fast they come back, what is told of them."""

from typing import Any

from sandbox.clock import Clock


class Bucket:
    """Told with every answer; counts and refuses only when `enforced`, since a virtual clock may stand still for long."""

    def __init__(self, clock: Clock, capacity: int = 2000, rate: int = 100) -> None:
        self.enforced = False
        self.capacity, self.rate = capacity, rate
        self._clock, self._left, self._at = clock, float(capacity), clock()

    def take(self, cost: int) -> bool:
        if not self.enforced:
            return True
        now = self._clock()
        back = (now - self._at).total_seconds() * self.rate
        self._left, self._at = min(self.capacity, self._left + back), now
        if self._left < cost:
            return False
        self._left -= cost
        return True

    def extensions(self, cost: int, actual: int | None = -1) -> dict[str, Any]:
        """`actual` None: nothing was executed."""
        return {
            "cost": {
                "requestedQueryCost": cost,
                "actualQueryCost": cost if actual == -1 else actual,
                "throttleStatus": {
                    "maximumAvailable": float(self.capacity),
                    "currentlyAvailable": int(self._left),
                    "restoreRate": float(self.rate),
                },
            }
        }

    def throttled(self, cost: int) -> dict[str, Any]:
        """HTTP 200 all the same."""
        code = {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"}
        return {
            "errors": [{"message": "Throttled", "extensions": code}],
            "extensions": self.extensions(cost, None),
        }
