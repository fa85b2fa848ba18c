"""The tests on another day: `python -m tests.another_day 2028-02-29T12:00 tests/domain tests/services`.

The wall clock of pytest and of what it starts stands there from the beginning and goes on; what waits, waits as ever.
Without a day: one, two and ten years from now, and days on which clocks and calendars jump. Needs a C compiler.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.processes.ground import turned_clock

DAYS = (
    *(timedelta(days=365), timedelta(days=730), timedelta(days=3652)),
    "2028-02-29T23:59:30",
    "2026-12-31T23:59:30",
    "2027-03-28T00:59:30",  # clocks in Europe jump within the minute
    "2027-11-07T05:59:30",  # and go back, in America
)


def main(arguments: Sequence[str]) -> int:
    now = datetime.now(UTC)  # noqa: TID251 - the true one is what the other is away from
    day, given = _asked(arguments)
    days = [day] if day else [now + one if isinstance(one, timedelta) else _moment(one) for one in DAYS]
    failed = 0
    for day in days:
        sys.stdout.write(f"--- {day:%Y-%m-%d %H:%M} UTC\n")
        sys.stdout.flush()
        failed |= run_at(day - datetime.now(UTC), given)  # noqa: TID251
    return failed


def run_at(ahead: timedelta, given: Sequence[str]) -> int:
    """What pytest ended in."""
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)  # as root, PostgreSQL runs as somebody else
        turned = [f"{name}={value}" for name, value in turned_clock(Path(home)).items()]
        (Path(home) / "clock").write_text(f"{int(ahead.total_seconds()):+d}")
        command = ["env", *turned, sys.executable, "-m", "pytest", "-q", *given]
        return subprocess.run(command, check=False).returncode


def _asked(arguments: Sequence[str]) -> tuple[datetime | None, Sequence[str]]:
    try:
        return _moment(arguments[0]), arguments[1:]
    except (ValueError, IndexError):
        return None, arguments


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
