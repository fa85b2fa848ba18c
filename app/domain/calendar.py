"""Local days and months. Arithmetic on dates, never 24 hours times n: days change length twice a year."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


def is_time_zone(name: str) -> bool:
    """Whether it is a name such as Europe/Berlin."""
    return name in _time_zones()


@cache  # found by reading through a folder of the system's, some 20 ms
def _time_zones() -> set[str]:
    return available_timezones()


def local_time(moment: datetime, zone: ZoneInfo) -> datetime:
    """What a clock there shows at that moment; without a zone, as rules are written."""
    return moment.astimezone(zone).replace(tzinfo=None)


class LocalClock:
    """`local_time` for many moments of one zone: days on which its clocks do not change are remembered."""

    __slots__ = ("_offsets", "_zone")

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._offsets: dict[int, timedelta | None] = {}  # by the day in UTC; None: it changes

    def at(self, moment: datetime) -> datetime:
        """`moment`: in UTC."""
        day = moment.toordinal()
        try:
            offset = self._offsets[day]
        except KeyError:
            offset = self._offsets[day] = self._offset(moment)
        return local_time(moment, self._zone) if offset is None else moment.replace(tzinfo=None) + offset

    def _offset(self, moment: datetime) -> timedelta | None:
        first = datetime.combine(moment.date(), time(), UTC)
        begins, ends = (one.astimezone(self._zone).utcoffset() for one in (first, first + timedelta(days=1)))
        return begins if begins == ends else None


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of the next local day, in UTC: what is good "until the 5th" ends here.

    Where that midnight does not exist (clocks go forward at 0:00: Cairo, Beirut, Asunción), the first instant
    that does.
    """
    midnight = datetime.combine(day + timedelta(days=1), time(), zone)
    # A local time inside the gap maps, with fold 0, to the instant that the old offset gives: exactly the jump.
    return midnight.astimezone(UTC)


def days_later(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The end of the local day that lies `days` days after the local day of `moment`, in UTC."""
    return end_of_day(moment.astimezone(zone).date() + timedelta(days=days), zone)


def month_of(moment: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The local month around a moment: its first instant, and that of the next one, in UTC."""
    day = moment.astimezone(zone).date()
    first, last = day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
    return end_of_day(first - timedelta(days=1), zone), end_of_day(last, zone)


def months_before(moment: datetime, months: int, zone: ZoneInfo) -> datetime:
    """The same local time `months` months earlier, in UTC; the 31st becomes the month's last day."""
    local = moment.astimezone(zone)
    month_number = local.year * 12 + local.month - 1 - months
    year, month = divmod(month_number, 12)
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(UTC)


def months_after(day: date, months: int) -> date:
    """The same day `months` months later; one that its month does not have becomes the first of the next."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if day.day > monthrange(year, month + 1)[1]:
        return months_after(date(year, month + 1, 1), 1)
    return date(year, month + 1, day.day)


def start_of_year(year: int, zone: ZoneInfo) -> datetime:
    """The first instant of that local year, in UTC."""
    return end_of_day(date(year - 1, 12, 31), zone)
