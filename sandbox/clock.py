"""Time as the stand-ins see it: a callable that gives an aware UTC moment. Nobody here reads the machine's clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


class VirtualClock:
    """A clock that moves only when told to."""

    def __init__(self, now: datetime = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)) -> None:
        self.at = now

    def __call__(self) -> datetime:
        return self.at

    def advance(self, by: timedelta | float) -> datetime:
        """Move on by a length, or by that many seconds."""
        self.at += by if isinstance(by, timedelta) else timedelta(seconds=by)
        return self.at

    def move_to(self, moment: datetime) -> None:
        """Move on to `moment`; a clock never goes back."""
        self.at = max(self.at, moment)
