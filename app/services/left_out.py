"""Past orders that a simulation could not use: counted by reason, the first few shown."""

from collections.abc import Iterable
from dataclasses import dataclass, field

_SHOWN = 5

REASONS = {
    "not_a_row": "the line has another number of columns than the header",
    "no_customer": "it names no customer: guests earn once they prove who they are",
    "no_order": "a refund must name its order",
    "bad_date": "its date cannot be read",
    "bad_amount": "its amount cannot be read",
    "unknown_currency": "its currency is not a code of ISO 4217",
    "told_twice": "the order was told before",
    "refund_without_order": "its order is not there, or is another customer's",
    "refund_before_order": "it is dated before its order",
    "refund_beyond_order": "more was given back than the order cost: what is beyond it",
    "before_from": "it was placed before the first day asked for",
    "after_to": "it was paid after the last day asked for",
    "not_paid": "it was never paid",
    "test_order": "it is a test order",
    "blocked": "its member was blocked when it was placed",
    "no_rate": "the program has no rate for its currency",
    "not_fulfilled": "it was never fulfilled, and the program counts orders once they are",
    "cancelled": "it was cancelled before it counted",
}


@dataclass(slots=True)
class LeftOut:
    """`examples`: where, and what was found. The first five, by line."""

    reason: str
    why: str
    count: int = 0
    examples: list[str] = field(default_factory=list)


class LeftOuts:
    """What was left out so far."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[LeftOut, list[tuple[int, str]]]] = {}

    def add(self, reason: str, line: int, found: str = "", *, count: int = 1) -> None:
        """`line`: 0 where there are no lines. Raises: KeyError for a reason without words."""
        if reason not in self._found:
            self._found[reason] = (LeftOut(reason, REASONS[reason]), [])
        one, examples = self._found[reason]
        one.count += count
        if len(examples) < _SHOWN or (line, found) < examples[-1]:
            examples.append((line, found))
            examples.sort()
            del examples[_SHOWN:]

    def all(self) -> list[LeftOut]:
        """By how many they are, most first."""
        for one, examples in self._found.values():
            one.examples = [
                ": ".join(filter(None, (f"line {line}" if line else "", found))) for line, found in examples
            ]
        return sorted((one for one, _ in self._found.values()), key=lambda one: (-one.count, one.reason))


def sum_of(left_out: Iterable[LeftOut]) -> int:
    return sum(one.count for one in left_out)
