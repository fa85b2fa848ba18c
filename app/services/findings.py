"""What a long check finds, and how far it is."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from app.db.session import Session
from app.domain.words import Words
from app.services.find_words import find_words
from app.services.wording import ENGLISH

LISTED = 1000  # so many are told one by one; the rest is counted

Watch = Callable[[int, int], None]
"""(done, of how many)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`subject`: account:7, entry:7/3 (account and place in its chain), order:9, …; `what` is stable."""

    subject: str
    what: str
    detail: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.detail} ({self.what})"


@dataclass(slots=True)
class Findings:
    """Problems as they are found. `counts`: what was looked at; `problems` beyond `LISTED` only count.

    `words`: the program's, for what its ledger counts; findings are English, as staff and logs read them.
    """

    total: int = 0
    watch: Watch | None = None
    words: Words = ENGLISH
    problems: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    done: int = 0

    def add(self, subject: str, what: str, detail: str) -> None:
        self.counts["problems"] += 1
        if len(self.problems) < LISTED:
            self.problems.append(Problem(subject, what, detail))

    def looked_at(self, what: str, count: int) -> None:
        self.counts[what] += count
        self.done += count
        if self.watch is not None:
            self.watch(self.done, max(self.total, self.done))


def findings_of(session: Session, total: int = 0, watch: Watch | None = None) -> Findings:
    """Nothing found yet about the session's program."""
    return Findings(total, watch, find_words(session))
