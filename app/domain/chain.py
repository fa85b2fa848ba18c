"""One account's chain followed from its first entry: what it leaves, and whatever in it contradicts itself. Pure."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.ledger import ACTIVE, EARNING, Book, Entry, EntryKind
from app.domain.settling import Held

_SPENDING = frozenset({EntryKind.REDEEM, EntryKind.ADJUSTMENT})

# What causes an entry of each kind, and which sign it has: 1, -1, or 0 for both.
_SHAPES = {
    kind: (re.compile(source), sign)
    for kind, source, sign in (
        (EntryKind.EARN, r"(order|activity|tier):\d+", 1),
        (EntryKind.EARN_REVERSAL, r"(order|activity|tier):\d+", -1),
        (EntryKind.REDEEM, r"redemption:\d+", -1),
        (EntryKind.REDEEM_REVERSAL, r"redemption:\d+", 0),
        (EntryKind.EXPIRY, r"lot:\d+", -1),
        (EntryKind.EXPIRY_REVERSAL, r"lot:\d+", 1),
        (EntryKind.ADJUSTMENT, r"adjustment:\d+", 0),
        (EntryKind.TRANSFER_OUT, r"merge:\d+(:undo)?", 0),
        (EntryKind.TRANSFER_IN, r"merge:\d+(:undo)?", 0),
        (EntryKind.WRITE_OFF, r"(order|activity|tier):\d+:write_off", 1),
        (EntryKind.WRITE_OFF_REVERSAL, r"(order|activity|tier):\d+:write_off", -1),
    )
}


class HeadsDigest:
    """One hash for many chains: of each account's last entry, in account order. Accounts without entries are left out."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, account_id: int, seq: int, head: bytes) -> None:
        self._hash.update(f"{account_id}:{seq}:".encode() + head)

    def hex(self) -> str:
        return self._hash.hexdigest()


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a chain that cannot be. `what` is stable, `detail` says it in words."""

    seq: int
    what: str
    detail: str


_POINTS = "{} points".format


@dataclass(slots=True)
class Chain:
    """What a chain's entries leave. `broken`: they contradict each other, so `book` stops before its end."""

    book: Book
    points: int = 0  # the plain sum, broken or not
    entries: int = 0
    earned: int = 0  # less reversals
    last_active_at: datetime | None = None
    held: dict[str, Held] = field(
        default_factory=dict
    )  # by what has a target: orders, activities, entry rewards
    sums: Counter[EntryKind] = field(default_factory=Counter)
    head_then: bytes | None = None  # the last entry's hash as of the moment asked for
    seq_then: int = 0
    faults: list[Fault] = field(default_factory=list)
    broken: bool = False
    tell: Callable[[int], str] = _POINTS  # what the ledger counts, in a fault's words
    ordinals: dict[str, int] = field(default_factory=dict)

    def fault(self, seq: int, what: str, detail: str) -> None:
        self.faults.append(Fault(seq, what, detail))


def follow(
    account: tuple[int, int],
    entries: Iterable[Entry],
    *,
    then: datetime | None = None,
    tell: Callable[[int], str] = _POINTS,
) -> Chain:
    """The chain of `account`. `entries` may raise ValueError, KeyError or TypeError for what cannot be read.

    `then`: the moment whose head is wanted too; None: the last. `tell`: what the ledger counts, in words.
    """
    chain = Chain(Book(account), tell=tell)
    try:
        for entry in entries:
            _add(chain, entry)
            if then is None or entry.recorded_at <= then:
                chain.head_then, chain.seq_then = entry.hash, entry.seq
    except (ValueError, KeyError, TypeError, IndexError) as error:
        chain.broken = True
        chain.fault(chain.book.seq + 1, "entry_unreadable", f"cannot be read: {error}")
    return chain


def _add(chain: Chain, entry: Entry) -> None:
    chain.points += entry.points
    chain.entries += 1
    chain.sums[entry.kind] += entry.points
    if entry.kind in EARNING:
        chain.earned += entry.points
    if entry.kind in ACTIVE:
        chain.last_active_at = max(chain.last_active_at or entry.occurred_at, entry.occurred_at)
    for what, detail in (*_shape(entry, chain.tell), *_ordinal(chain, entry)):
        chain.fault(entry.seq, what, detail)
    _hold(chain, entry)
    if not chain.broken:
        _replay(chain, entry)


def _replay(chain: Chain, entry: Entry) -> None:
    book = chain.book
    book.ripen(entry.recorded_at)
    spends = entry.points < 0 and entry.kind in _SPENDING
    available = book.balance(at=entry.recorded_at).available if spends else 0
    try:
        book.replay(entry)
    except (ValueError, KeyError, IndexError) as error:
        chain.broken = True
        chain.fault(entry.seq, "chain_broken", str(error) if isinstance(error, ValueError) else "eats no lot")
        return
    if spends and available < -entry.points:
        chain.fault(
            entry.seq,
            "overspent",
            f"takes {chain.tell(-entry.points)} where {chain.tell(available)} were available",
        )
    if entry.kind is EntryKind.EXPIRY and entry.source != f"lot:{entry.ate[0][0]}":
        chain.fault(entry.seq, "wrong_source", f"{entry.source} expired, lot {entry.ate[0][0]} was taken")


def _shape(entry: Entry, tell: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    source, sign = _SHAPES[entry.kind]
    if not source.fullmatch(entry.source):
        yield "wrong_source", f"{entry.kind} is caused by {entry.source}"
    if entry.points * sign < 0:
        yield "wrong_sign", f"{entry.kind} of {tell(entry.points)}"


def _ordinal(chain: Chain, entry: Entry) -> Iterator[tuple[str, str]]:
    """Entries of one source are counted from 0. A lot expires once; what is given back of it counts by its entry."""
    if entry.kind is EntryKind.EXPIRY_REVERSAL:
        expected = entry.seq
    else:
        expected = chain.ordinals.get(entry.source, 0)
        chain.ordinals[entry.source] = expected + 1
    if entry.ordinal != expected:
        yield "ordinal_gap", f"number {entry.ordinal} of {entry.source} where {expected} is due"


def _hold(chain: Chain, entry: Entry) -> None:
    source = entry.source.removesuffix(":write_off")
    if not source.startswith(("order:", "activity:", "tier:")):
        return
    held = chain.held.setdefault(source, Held())
    if source == entry.source:
        held.points += entry.points
        held.ordinal = entry.ordinal + 1
    else:
        held.written_off += entry.points
        held.written_off_ordinal = entry.ordinal + 1
