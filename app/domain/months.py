"""The months and days of a report, by the clock of one zone: looked up for many moments, worked out once."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain.calendar import end_of_day

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
        self.days = Days(first, last, zone)

    def of(self, moment: datetime) -> int:
        return bisect_right(self.starts, moment) - 1


class Days:
    """From the day of `first` to that of `last`. A moment outside is of the first or the last of them."""

    def __init__(self, first: datetime, last: datetime, zone: ZoneInfo) -> None:
        day, end = first.astimezone(zone).date(), last.astimezone(zone).date()
        self.dates = [day + timedelta(days=number) for number in range((end - day).days + 1)]
        self._starts = [end_of_day(day - timedelta(days=1), zone) for day in self.dates[1:]]

    def of(self, moment: datetime) -> int:
        """Its place in `dates`."""
        return bisect_right(self._starts, moment)
