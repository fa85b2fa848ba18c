"""The ledger of one account: entries that never change, the lots they leave, the chain that binds them.

Everything but the entries is derived. `Book` is the one place that derives it, entry by entry, in chain order;
what the database keeps beside the entries (points, deficit, lots, head of the chain) is a Book's state, so that
an account with a long history costs no more than a new one.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from app.domain.errors import Refused

MAX_POINTS = 10**12
RETURNED_LIVE_DAYS = 30  # returned points are good for at least this long, whatever their old lot said

GENESIS = bytes(32)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


class EntryKind(StrEnum):
    EARN = "earn"
    EARN_REVERSAL = "earn_reversal"
    REDEEM = "redeem"
    REDEEM_REVERSAL = "redeem_reversal"
    EXPIRY = "expiry"
    EXPIRY_REVERSAL = "expiry_reversal"
    ADJUSTMENT = "adjustment"
    TRANSFER_OUT = "transfer_out"
    TRANSFER_IN = "transfer_in"
    WRITE_OFF = "write_off"
    WRITE_OFF_REVERSAL = "write_off_reversal"


EARNING = frozenset({EntryKind.EARN, EntryKind.EARN_REVERSAL})
# What shows that somebody is there, where silence ends points. A merge is: what came over was earned in the loser's
# chain, perhaps yesterday.
ACTIVE = frozenset({EntryKind.EARN, EntryKind.REDEEM, EntryKind.ADJUSTMENT, EntryKind.TRANSFER_IN})
_MAY_LEAVE_DEFICIT = frozenset(
    {
        EntryKind.EARN_REVERSAL,
        EntryKind.REDEEM_REVERSAL,  # below zero: points returned for a refund that did not stand
        EntryKind.TRANSFER_OUT,
        EntryKind.TRANSFER_IN,
        EntryKind.WRITE_OFF_REVERSAL,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One signed row. `source` says what caused it ("order:7"), `ordinal` counts the entries of that source.

    `ate`: which lots a debit took its points from, as (seq of the lot's entry, points); what is missing went into
    the deficit. `origin`: the source whose points a credit's lot holds (a transfer keeps its order).
    """

    seq: int  # place in the account's chain, from 1
    kind: EntryKind
    points: int
    source: str
    ordinal: int
    occurred_at: datetime  # the platform's moment
    recorded_at: datetime  # ours
    available_at: datetime  # never before recorded_at
    expires_at: datetime | None = None
    origin: str | None = None
    ate: tuple[tuple[int, int], ...] = ()
    facts: Mapping[str, str | int] = field(default_factory=dict)
    hash: bytes = b""


@dataclass(slots=True)
class Lot:
    """A credit and what is left of it. `expired`: how much of it an expiry took (and may give back)."""

    seq: int
    remaining: int
    expired: int
    available_at: datetime
    expires_at: datetime | None
    origin: str

    @property
    def eaten_first(self) -> tuple[datetime, int]:
        return (self.expires_at or _NEVER, self.seq)


@dataclass(frozen=True, slots=True)
class Balance:
    available: int  # below 0 only after a take-back: the deficit
    pending: int


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has its place in the chain."""

    kind: EntryKind
    points: int
    source: str
    ordinal: int
    occurred_at: datetime
    available_at: datetime | None = None  # None: at once
    expires_at: datetime | None = None
    origin: str | None = None
    facts: Mapping[str, str | int] = field(default_factory=dict)


class Book:
    """One account's derived state, and the entries appended to it since it was opened."""

    def __init__(
        self,
        account: tuple[int, int],
        *,
        points: int = 0,
        deficit: int = 0,
        seq: int = 0,
        head: bytes = GENESIS,
        lots: Iterable[Lot] = (),
    ) -> None:
        self.account = account  # (program id, account id): part of every hash
        self.points = points
        self.deficit = deficit
        self.seq = seq
        self.head = head
        self.lots = {lot.seq: lot for lot in lots}
        self.appended: list[Entry] = []
        self.touched: set[int] = set()  # lots changed since the book was opened

    def balance(self, *, at: datetime) -> Balance:
        """Pending is not a state to update: an entry counts once its `available_at` has come."""
        pending = sum(lot.remaining for lot in self.lots.values() if lot.available_at > at)
        return Balance(self.points - pending, pending)

    # --- Appending -----------------------------------------------------------------------------------------

    def credit(self, draft: Draft, *, now: datetime) -> Entry:
        """A new lot. Raises: Refused("too_many_points")."""
        return self._append(draft, (), now, available_at=max(draft.available_at or now, now))

    def redeem(self, draft: Draft, *, now: datetime) -> Entry:
        """Take available points, soonest to expire first. Raises: Refused("insufficient_points")."""
        self._ripen(now)
        available = self.balance(at=now).available
        if available < -draft.points:
            raise Refused(
                "insufficient_points", f"{-draft.points} points are needed, {available} are available."
            )
        ripe = [lot for lot in self._open() if lot.available_at <= now]
        return self._append(draft, _eat(ripe, -draft.points), now)

    def take_back(self, draft: Draft, *, now: datetime) -> list[Entry]:
        """Reverse points of `draft.origin`: its own lots first, then soonest to expire; the rest is a deficit.

        Points taken from a lot that is still pending are taken when that lot would have become available. What
        an expiry took from the own lots is given back first, as far as it is needed.
        """
        self._ripen(now)
        entries = self._give_back_expired(draft, now)
        ate = _eat(self._own_first(draft.origin), -draft.points)
        owed = -draft.points - sum(points for _, points in ate)
        groups: dict[datetime, list[tuple[int, int]]] = {}
        for seq, points in ate:
            groups.setdefault(max(self.lots[seq].available_at, now), []).append((seq, points))
        if owed:
            groups.setdefault(now, [])
        ordinal = draft.ordinal
        for available_at, part in sorted(groups.items(), key=lambda group: group[0]):
            points = sum(points for _, points in part) + (owed if available_at == now else 0)
            one = replace(draft, points=-points, ordinal=ordinal, available_at=available_at)
            entries.append(self._append(one, tuple(part), now))
            ordinal += 1
        return entries

    def expire(self, *, until: datetime, now: datetime) -> list[Entry]:
        """One entry for each lot that expired at or before `until`."""
        self._ripen(now)
        due = [lot for lot in self._open() if lot.expires_at is not None and lot.expires_at <= until]
        return [self.expire_lot(lot, occurred_at=lot.expires_at or until, now=now) for lot in due]

    def expire_lot(self, lot: Lot, *, occurred_at: datetime, now: datetime) -> Entry:
        draft = Draft(EntryKind.EXPIRY, -lot.remaining, f"lot:{lot.seq}", 0, occurred_at)
        return self._append(draft, ((lot.seq, lot.remaining),), now)

    def return_points(
        self, draft: Draft, came_from: Sequence[tuple[Lot, int]], *, now: datetime
    ) -> list[Entry]:
        """Give `draft.points` of a redemption back: a new lot for each lot they came from.

        Each keeps its lot's expiry, but is good for at least 30 days from now.
        """
        entries, left, ordinal = [], draft.points, draft.ordinal
        for lot, points in came_from:
            part = min(points, left)
            if part <= 0:
                continue
            soonest = now + timedelta(days=RETURNED_LIVE_DAYS)
            expires_at = None if lot.expires_at is None else max(lot.expires_at, soonest)
            one = replace(draft, points=part, ordinal=ordinal, expires_at=expires_at, origin=lot.origin)
            entries.append(self.credit(one, now=now))
            left, ordinal = left - part, ordinal + 1
        if left:
            raise ValueError(f"{left} more than the redemption took")
        return entries

    def transfer_to(self, other: "Book", source: str, *, first: tuple[int, int], now: datetime) -> None:
        """Move every open lot and the deficit to `other`, with their dates. `first`: ordinals here and there."""
        self._ripen(now)
        here, there = first
        for lot in self._open():
            points = lot.remaining
            out = Draft(EntryKind.TRANSFER_OUT, -points, source, here, now, max(lot.available_at, now))
            self._append(out, ((lot.seq, points),), now)
            into = Draft(
                EntryKind.TRANSFER_IN,
                points,
                source,
                there,
                now,
                lot.available_at,
                lot.expires_at,
                lot.origin,
            )
            other.credit(into, now=now)
            here, there = here + 1, there + 1
        if self.deficit:
            owed = self.deficit
            self._append(Draft(EntryKind.TRANSFER_OUT, owed, source, here, now, now), (), now)
            other.take_back(Draft(EntryKind.TRANSFER_IN, -owed, source, there, now), now=now)

    # --- Replaying -----------------------------------------------------------------------------------------

    def replay(self, entry: Entry) -> None:
        """Apply a recorded entry as it stands. Raises ValueError where chain or lots contradict it."""
        if entry.seq != self.seq + 1:
            raise ValueError(f"entry {entry.seq} follows entry {self.seq}")
        if entry_hash(self.head, self.account, entry) != entry.hash:
            raise ValueError(f"entry {entry.seq} does not fit the chain")
        self._ripen(entry.recorded_at)
        self._apply(entry)

    def ripen(self, now: datetime) -> None:
        """Let lots that have become available fill the deficit."""
        self._ripen(now)

    # --- Inside --------------------------------------------------------------------------------------------

    def _append(
        self,
        draft: Draft,
        ate: Sequence[tuple[int, int]],
        now: datetime,
        *,
        available_at: datetime | None = None,
    ) -> Entry:
        if (
            draft.points == 0
            or abs(draft.points) > MAX_POINTS
            or abs(self.points + draft.points) > MAX_POINTS
        ):
            raise Refused("too_many_points", f"{draft.points} points cannot be booked.")
        self._ripen(now)
        fields: dict[str, Any] = {
            "seq": self.seq + 1,
            "kind": draft.kind,
            "points": draft.points,
            "source": draft.source,
            "ordinal": draft.ordinal,
            "occurred_at": draft.occurred_at,
            "recorded_at": now,
            "available_at": available_at or draft.available_at or now,
            "expires_at": draft.expires_at,
            "origin": draft.origin,
            "ate": tuple(ate),
            "facts": draft.facts,
        }
        entry = Entry(**fields, hash=entry_hash(self.head, self.account, Entry(**fields)))
        self._apply(entry)
        self.appended.append(entry)
        return entry

    def _apply(self, entry: Entry) -> None:
        self.seq, self.head = entry.seq, entry.hash
        self.points += entry.points
        eaten = sum(points for _, points in entry.ate)
        for seq, points in entry.ate:
            self._take(seq, points)
        if entry.kind is EntryKind.EXPIRY:
            lot = self.lots[entry.ate[0][0]]
            lot.expired += eaten
        elif entry.kind is EntryKind.EXPIRY_REVERSAL:
            lot = self.lots[int(entry.source.partition(":")[2])]
            lot.expired -= entry.points
            lot.remaining += entry.points
            self.touched.add(lot.seq)
            self._ripen(entry.recorded_at)
        elif entry.points > 0 and entry.kind in (EntryKind.TRANSFER_OUT, EntryKind.WRITE_OFF):
            self.deficit -= entry.points
        elif entry.points > 0:
            origin = entry.origin or entry.source
            self.lots[entry.seq] = Lot(
                entry.seq, entry.points, 0, entry.available_at, entry.expires_at, origin
            )
            self.touched.add(entry.seq)
            self._ripen(entry.recorded_at)
        else:
            owed = -entry.points - eaten
            if owed and entry.kind not in _MAY_LEAVE_DEFICIT:
                raise ValueError(f"a {entry.kind} may not leave a deficit")
            self.deficit += owed

    def _take(self, seq: int, points: int) -> None:
        lot = self.lots[seq]
        if not 0 < points <= lot.remaining:
            raise ValueError(f"lot {seq} holds {lot.remaining}, {points} were taken")
        lot.remaining -= points
        self.touched.add(seq)

    def _ripen(self, now: datetime) -> None:
        if not self.deficit:
            return
        ripe = [lot for lot in self.lots.values() if lot.remaining and lot.available_at <= now]
        for lot in sorted(ripe, key=lambda one: (one.available_at, one.seq)):
            part = min(lot.remaining, self.deficit)
            lot.remaining -= part
            self.deficit -= part
            self.touched.add(lot.seq)
            if not self.deficit:
                return

    def _open(self) -> list[Lot]:
        return sorted((lot for lot in self.lots.values() if lot.remaining), key=lambda lot: lot.eaten_first)

    def _own_first(self, origin: str | None) -> list[Lot]:
        return sorted(self._open(), key=lambda lot: lot.origin != origin)

    def _give_back_expired(self, draft: Draft, now: datetime) -> list[Entry]:
        own = [lot for lot in self.lots.values() if lot.origin == draft.origin]
        missing = -draft.points - sum(lot.remaining for lot in own)
        entries = []
        for lot in sorted((lot for lot in own if lot.expired), key=lambda lot: lot.seq):
            part = min(lot.expired, missing)
            if part <= 0:
                break
            back = Draft(EntryKind.EXPIRY_REVERSAL, part, f"lot:{lot.seq}", self.seq + 1, now)
            entries.append(self._append(back, (), now))
            missing -= part
        return entries


def _eat(lots: Iterable[Lot], points: int) -> list[tuple[int, int]]:
    ate = []
    for lot in lots:
        if points <= 0:
            break
        part = min(lot.remaining, points)
        ate.append((lot.seq, part))
        points -= part
    return ate


_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def entry_hash(previous: bytes, account: tuple[int, int], entry: Entry) -> bytes:
    """SHA-256 of the previous hash and the canonical row: every field that says what happened, in a fixed form."""
    return hashlib.sha256(previous + canonical(account, entry).encode()).digest()


def canonical(account: tuple[int, int], entry: Entry) -> str:
    """The row as JSON, keys sorted and without a space. Put together by hand: each entry is hashed over and over."""
    expires = "null" if entry.expires_at is None else _micros(entry.expires_at)
    ate = ",".join([f"[{seq},{points}]" for seq, points in entry.ate])
    return (
        f'[{account[0]},{account[1]},{entry.seq},"{entry.kind.value}",{entry.points},{_json(entry.source)},'
        f"{entry.ordinal},{_micros(entry.occurred_at)},{_micros(entry.recorded_at)},{_micros(entry.available_at)},"
        f"{expires},{_json(entry.origin)},[{ate}],{'{}' if entry.facts == {} else _json(entry.facts)}]"
    )


def _micros(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds
