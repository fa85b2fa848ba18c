"""The months of a report, by the clock of one zone."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_TICK = timedelta(microseconds=1)


class Months:
    """From the month of `first` to that of `last`. `ends`: the last moment of each; of the last one, `last` itself."""

    def __init__(self, first: datetime, last: datetime, zone: ZoneInfo) -> None:
        local, end = first.astimezone(zone), last.astimezone(zone)
        numbers = range(local.year * 12 + local.month - 1, end.year * 12 + end.month)
        self.names = [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in numbers]
        self.starts = [
            datetime(number // 12, number % 12 + 1, 1, tzinfo=zone).astimezone(UTC) for number in numbers
        ]
        self.ends = [*(start - _TICK for start in self.starts[1:]), last]

    def of(self, moment: datetime) -> int:
        return bisect_right(self.starts, moment) - 1
