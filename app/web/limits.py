"""How often somebody may ask: for the blueprints that say so, and at no cost to the others.

    limited(blueprint, counts)       before the blueprint's own `before_request`

Counted by the minute and in each process: generous, and enough. Not Flask-Limiter: it looks at every request, the
webhooks' too, and its storage starts a thread for each that it counts; that was half of an acknowledgement's time.
"""

import threading
from collections.abc import Callable, Iterable

from flask import Blueprint, Flask, abort, current_app

from app.web.here import runtime

NAME = "laurel-limits"

Counts = Callable[[], Iterable[tuple[str, int]]]
"""Under which names this request counts, and how many there may be of each in a minute."""


class Minute:
    """How often each name was counted in the minute that runs. What is older is forgotten at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._counted: dict[str, int] = {}

    def count(self, name: str, second: float) -> int:
        """How often `name` was counted in this minute, this time included."""
        number = int(second // 60)
        with self._lock:
            if number != self._number:
                self._number, self._counted = number, {}
            counted = self._counted[name] = self._counted.get(name, 0) + 1
        return counted


def register(app: Flask) -> None:
    app.extensions[NAME] = Minute()


def limited(blueprint: Blueprint, counts: Counts) -> None:
    """Refuse with 429 and Retry-After whoever asks the blueprint's views more often than `counts` allows."""

    @blueprint.before_request
    def count() -> None:
        minute: Minute = current_app.extensions[NAME]
        second = runtime().now().timestamp()
        for name, most in counts():
            if minute.count(name, second) > most:
                abort(429, retry_after=60 - int(second % 60))
