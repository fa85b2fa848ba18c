"""When to try again."""

from datetime import datetime, timedelta

# Twelve tries over some 34 hours: a shop that is down over night is back before we give up.
_DELAYS_S = (2, 5, 15, 60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 9 * 3600, 12 * 3600)


def retry_at(attempt: int, *, now: datetime, asked_s: int | None = None) -> datetime | None:
    """When to run attempt number `attempt` + 1 (the first is 1); None: give up and call a person."""
    if attempt > len(_DELAYS_S):
        return None
    return now + timedelta(seconds=max(_DELAYS_S[attempt - 1], asked_s or 0))
