"""One account's lots without its chain: the sums of `ledger.Book`, a tenth of its cost. For simulations only.

It does to lots what `Book` does, act by act; a property test holds the two together. It keeps no entries, so nothing
can be proven by it, and nothing is stored of it.
"""

from datetime import UTC, datetime

NEVER = datetime.max.replace(tzinfo=UTC)


class PurseLot:
    """A credit and what is left of it; `expires_at` is NEVER without an expiry."""

    __slots__ = ("available_at", "expired", "expires_at", "origin", "remaining", "seq")

    def __init__(
        self, seq: int, remaining: int, available_at: datetime, expires_at: datetime, origin: object
    ) -> None:
        self.seq = seq
        self.remaining = remaining
        self.expired = 0
        self.available_at = available_at
        self.expires_at = expires_at
        self.origin = origin


class Purse:
    """`open_points`: what all lots hold; `expired`: what expiry took, less what a refund made it give back."""

    __slots__ = ("_count", "_of", "deficit", "expired", "lots", "open_points", "waived", "written_off")

    def __init__(self) -> None:
        self.lots: list[PurseLot] = []  # those that hold something, soonest to expire first, then oldest
        self._of: dict[object, list[PurseLot]] = {}  # every lot, by what it was earned with
        self._count = 0
        self.open_points = 0
        self.deficit = 0
        self.expired = 0
        self.written_off = 0
        self.waived: dict[object, int] = {}  # what was written off, by what it was of

    def available(self, at: datetime) -> int:
        """Below 0 only after a take-back. Fills a deficit from what has become available."""
        self.ripen(at)
        if self.deficit:
            return -self.deficit
        return sum(lot.remaining for lot in self.lots if lot.available_at <= at)

    def pending(self, at: datetime) -> int:
        return sum(lot.remaining for lot in self.lots if lot.available_at > at)

    def earn(
        self, points: int, *, at: datetime, available_at: datetime, expires_at: datetime, origin: object
    ) -> None:
        self.ripen(at)
        lot = PurseLot(self._count, points, available_at, expires_at, origin)
        self._count += 1
        self._of.setdefault(origin, []).append(lot)
        self._put(lot)
        self.open_points += points
        self.ripen(at)
        if origin in self.waived:  # what comes again does not pay what was let go a second time
            waived = self.waived.pop(origin)
            again = min(waived, points)
            if waived > again:
                self.waived[origin] = waived - again
            self.written_off -= again
            self.take_back(again, at=at, origin=origin, clamp=False)

    def take_back(self, points: int, *, at: datetime, origin: object, clamp: bool) -> None:
        """Its own lots first, then soonest to expire; the rest is a deficit, written off under `clamp`."""
        owed_before = self.deficit
        self.ripen(at)
        own = self._of.get(origin, ())
        self._give_back_expired(own, points - sum(lot.remaining for lot in own), at)
        left = points
        for lot in [*(one for one in self.lots if one.origin == origin), *self.lots]:
            left -= self._take(lot, left)
        self._drop_empty()
        self.deficit += left
        if clamp and self.deficit > owed_before:
            waived = self.deficit - owed_before
            self.written_off += waived
            self.waived[origin] = self.waived.get(origin, 0) + waived
            self.deficit = owed_before

    def redeem(self, points: int, *, at: datetime) -> None:
        """Takes available points; there must be as many."""
        self.ripen(at)
        left = points
        for lot in self.lots:
            if lot.available_at <= at:
                left -= self._take(lot, left)
        if left:
            raise ValueError(f"{left} points more than there are")
        self._drop_empty()

    def expire(self, *, until: datetime) -> None:
        """Every lot that expired at or before `until`."""
        self.ripen(until)
        self._expire([lot for lot in self.lots if lot.expires_at <= until])

    def expire_available(self, *, at: datetime) -> None:
        """All that is available: the account was still for too long."""
        self.ripen(at)
        self._expire([lot for lot in self.lots if lot.available_at <= at])

    def _expire(self, due: list[PurseLot]) -> None:
        for lot in due:
            lot.expired += lot.remaining
            self.expired += lot.remaining
            self.open_points -= lot.remaining
            lot.remaining = 0
        if due:
            self._drop_empty()

    def _give_back_expired(self, own: "list[PurseLot] | tuple[()]", missing: int, at: datetime) -> None:
        for lot in own:
            part = min(lot.expired, missing)
            if part > 0:
                if not lot.remaining:
                    self._put(lot)
                lot.expired -= part
                lot.remaining += part
                self.expired -= part
                self.open_points += part
                missing -= part
                self.ripen(at)

    def ripen(self, at: datetime) -> None:
        """What has become available fills the deficit, the first available first."""
        if not self.deficit:
            return
        ripe = [lot for lot in self.lots if lot.available_at <= at]
        for lot in sorted(ripe, key=lambda one: (one.available_at, one.seq)):
            self.deficit -= self._take(lot, self.deficit)
        self._drop_empty()

    def _put(self, lot: PurseLot) -> None:
        self.lots.append(lot)
        if len(self.lots) > 1:
            self.lots.sort(key=lambda one: (one.expires_at, one.seq))

    def _take(self, lot: PurseLot, points: int) -> int:
        part = min(lot.remaining, points)
        lot.remaining -= part
        self.open_points -= part
        return part

    def _drop_empty(self) -> None:
        self.lots = [lot for lot in self.lots if lot.remaining]
