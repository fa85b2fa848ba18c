"""A chain of entries as a person lived it: one thing that happened may be several entries. Pure.

A take-back splits by lots, a return makes a lot for each it came from, a write-off stands beside its reversal, and an
expired lot is given back just before it is taken. What one commit did for one cause is one happening.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.awarding import activity_words, is_activity
from app.domain.explaining import sentence
from app.domain.ledger import EARNING, Entry, EntryKind
from app.domain.offering import title_of
from app.domain.words import Words

_BESIDE = frozenset({EntryKind.EXPIRY_REVERSAL, EntryKind.WRITE_OFF, EntryKind.WRITE_OFF_REVERSAL})


@dataclass(frozen=True, slots=True)
class Happening:
    entries: tuple[Entry, ...]  # oldest first; never empty

    @property
    def main(self) -> Entry:
        """The entry that names it."""
        return next((one for one in reversed(self.entries) if one.kind not in _BESIDE), self.entries[-1])

    @property
    def points(self) -> int:
        return sum(one.points for one in self.entries)

    @property
    def first_seq(self) -> int:
        return self.entries[0].seq

    def pending_until(self, now: datetime) -> datetime | None:
        """When the last of it becomes available, while that lies ahead."""
        latest = max(one.available_at for one in self.entries)
        return latest if latest > now else None

    def heading(self, words: Words) -> str:
        """What happened, in a few words."""
        return _heading(self.main, words)

    def sentence(self, words: Words) -> str:
        """Why so many points, for the shopper: what staff noted is not shown."""
        said = [sentence(self.main.kind, self.main.points, self.main.facts, words=words)]
        beside = {one.kind: one for one in self.entries if one.kind in _BESIDE and one is not self.main}
        said += [sentence(one.kind, one.points, one.facts, words=words) for one in beside.values()]
        return " ".join(said)


def happenings(newest_first: Iterable[Entry]) -> list[Happening]:
    """The entries of one chain, put together; newest first again."""
    found: list[list[Entry]] = []
    for entry in newest_first:
        if found and _belongs(entry, found[-1]):
            found[-1].insert(0, entry)
        else:
            found.append([entry])
    return [Happening(tuple(entries)) for entries in found]


def _belongs(older: Entry, group: Sequence[Entry]) -> bool:
    newer = group[0]
    if older.recorded_at != newer.recorded_at:
        return False
    if older.kind is EntryKind.EXPIRY_REVERSAL:  # always followed by what needed it
        return newer.kind is not EntryKind.EXPIRY
    return _cause(older) == _cause(newer)


def _cause(entry: Entry) -> str:
    if entry.kind is EntryKind.EXPIRY:
        return "expiry"  # one run expires many lots
    return entry.source.removesuffix(":write_off")


def order_heading(number: str, words: Words, how: str = "heading.order") -> str:
    return words.say(how, order=number).strip()


def _heading(entry: Entry, words: Words) -> str:
    facts, say = entry.facts, words.say
    if entry.kind in EARNING and is_activity(facts):
        what = activity_words(facts, words)
        return what if entry.points > 0 else say("heading.activity.back", what=what)
    if "tier_name" in facts and "order" not in facts:
        how = "heading.tier" if entry.points > 0 else "heading.tier.back"
        return say(how, tier=str(facts["tier_name"]))
    match entry.kind:
        case EntryKind.EARN | EntryKind.EARN_REVERSAL:
            return order_heading(str(facts.get("order") or ""), words, _order_key(entry))
        case EntryKind.REDEEM:
            return title_of(facts, words)
        case EntryKind.REDEEM_REVERSAL:
            return say("heading.redeem.back", title=title_of(facts, words))
        case EntryKind.EXPIRY:
            return say("heading.expired")
        case EntryKind.EXPIRY_REVERSAL:
            return say("heading.expired.back")
        case EntryKind.ADJUSTMENT:
            return say("heading.given" if entry.points > 0 else "heading.taken")
        case EntryKind.TRANSFER_IN | EntryKind.TRANSFER_OUT:
            return say("heading.joined")
        case EntryKind.WRITE_OFF | EntryKind.WRITE_OFF_REVERSAL if "activity" in facts:
            return activity_words(facts, words)
        case EntryKind.WRITE_OFF | EntryKind.WRITE_OFF_REVERSAL:
            return order_heading(str(facts.get("order") or ""), words)


def _order_key(entry: Entry) -> str:
    facts = entry.facts
    if entry.kind is EntryKind.EARN:
        return "heading.order.changed" if facts.get("given") else "heading.order"
    if facts.get("zero") in ("cancelled", "gone"):
        return "heading.order.cancelled"
    if str(facts.get("refunded", "0")).strip("0."):
        return "heading.order.return"
    return "heading.order.changed"
