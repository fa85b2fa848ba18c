"""Faults of a shop's API, on request or by chance from a seed; every one that happened is written down by name.

What a fault looks like on the wire is each stand-in's affair (`woocommerce/wire.py`, `shopify/wire.py`).
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random

HANG_HEADER = "X-Sandbox-Hang"
"""Put on an answer that must never arrive: `serve` drops the connection, `hosts` raises a time-out."""


class FaultKind(StrEnum):
    TOO_MANY_REQUESTS = "429"
    THROTTLED = "throttled"  # Shopify: 200 with an error; elsewhere the same as 429
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    SERVER_ERROR_AFTER = "500 after applying"
    TIMEOUT_BEFORE = "time-out before applying"
    TIMEOUT_AFTER = "time-out after applying"
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    REVOKED = "token revoked"  # this call and every later one, until the shop gives new credentials
    MALFORMED = "malformed answer"
    REJECTED = "rejected"  # understood and refused, nothing applied: userErrors, or a 400; reading is never refused so
    RACE = "answered late"  # WooCommerce codes: the check ran before somebody else's insert


AFTER_APPLYING = frozenset({FaultKind.SERVER_ERROR_AFTER, FaultKind.TIMEOUT_AFTER, FaultKind.MALFORMED})
PASSING = (
    FaultKind.TOO_MANY_REQUESTS,
    FaultKind.THROTTLED,
    FaultKind.SERVER_ERROR,
    FaultKind.UNAVAILABLE,
    FaultKind.SERVER_ERROR_AFTER,
    FaultKind.TIMEOUT_BEFORE,
    FaultKind.TIMEOUT_AFTER,
)
"""What a client must survive without anybody's help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRecord:
    """One fault that happened: `fault_id` is unique in its log; `ref` is the order or code it hit, if any."""

    fault_id: str
    kind: str
    topic: str  # a webhook's topic, or the API operation
    ref: str
    at: datetime


@dataclass(slots=True)
class _Asked:
    operation: str
    kind: FaultKind
    times: int
    spared: int  # calls that work before


class ApiFaults:
    """What goes wrong at a shop's API. `words` maps names such as "issue_code" to the platform's operations."""

    def __init__(self, words: Mapping[str, Sequence[str]], prefix: str) -> None:
        self.log: list[FaultRecord] = []
        self._words = words
        self._prefix = prefix
        self._asked: list[_Asked] = []
        self._chance: tuple[Random, float, Sequence[FaultKind], Sequence[str]] | None = None
        self._lock = threading.Lock()

    def add(self, operation: str, kind: FaultKind | str, times: int = 1, *, after: int = 0) -> None:
        """Of `operation` the next `times` calls fail so, once `after` have worked.

        `operation`: a word of `words`, or a pattern over the platform's names ("POST /coupons",
        "discountCodeBasicCreate", "*").
        """
        with self._lock:
            self._asked.append(_Asked(operation, FaultKind(kind), times, after))

    def random(
        self, seed: int, rate: float, kinds: Sequence[FaultKind] = PASSING, operations: Sequence[str] = ("*",)
    ) -> None:
        """From now on each call of `operations` fails with chance `rate`; the same seed fails the same calls."""
        with self._lock:
            self._chance = (Random(seed), rate, tuple(kinds), tuple(operations))  # noqa: S311 - no secret

    def clear(self) -> None:
        with self._lock:
            self._asked.clear()
            self._chance = None

    def pick(self, names: Sequence[str], *, ref: str, at: datetime) -> FaultKind | None:
        """The fault for a call known by `names`, written down; None: let it work."""
        with self._lock:
            kind = self._pick(names)
            if kind is not None:
                fault_id = f"{self._prefix}-api-{len(self.log) + 1}"
                self.log.append(FaultRecord(fault_id=fault_id, kind=kind, topic=names[0], ref=ref, at=at))
            return kind

    def _pick(self, names: Sequence[str]) -> FaultKind | None:
        for asked in self._asked:
            if asked.times > 0 and self._matches(asked.operation, names):
                if asked.spared:
                    asked.spared -= 1
                    continue
                asked.times -= 1
                return asked.kind
        if self._chance is not None:
            random, rate, kinds, operations = self._chance
            if any(self._matches(operation, names) for operation in operations) and random.random() < rate:
                return random.choice(kinds)
        return None

    def _matches(self, operation: str, names: Iterable[str]) -> bool:
        patterns = self._words.get(operation, (operation,))
        return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)
