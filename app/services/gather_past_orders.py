"""Past orders in whatever order they come, given back member by member, with little held at once.

They are spread over files by a hash of the member, packed; then one file after the other is read, sorted and grouped.
The same hash says which of a simulation's groups a member is in. The files have no name and are gone with the process.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self
from zlib import crc32
from zoneinfo import ZoneInfo

import msgspec

from app.domain.past import PastOrder
from app.domain.simulation import BUCKETS
from app.services.left_out import LeftOuts
from app.services.read_past_orders import PastRow

_BATCH = 256
_IN_MEMORY = 256 * 1024  # of each file
_decoder = msgspec.msgpack.Decoder(list[PastRow])
_encoder = msgspec.msgpack.Encoder()


@dataclass(slots=True)
class Gathered:
    """What was put in. `repeated`: orders equal to another in member, moment and amount; `free`: orders of 0.00."""

    orders: int = 0
    refunds: int = 0
    repeated: int = 0
    free: int = 0
    first: datetime | None = None
    last: datetime | None = None
    days: set[date] = field(default_factory=set)  # on which an order was placed, by the reader's clock


class GatherPastOrders:
    """Put every row in, then take the members out, once."""

    def __init__(self, left_out: LeftOuts, zone: ZoneInfo) -> None:
        self.gathered = Gathered()
        self._left_out = left_out
        self._zone = zone
        self._stack = ExitStack()
        self._files: list[SpooledTemporaryFile[bytes]] = []
        self._waiting: list[list[PastRow]] = [[] for _ in range(BUCKETS)]
        self._day: tuple[datetime, date] | None = None

    def __enter__(self) -> Self:
        for _ in range(BUCKETS):
            self._files.append(self._stack.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def put(self, row: PastRow) -> None:
        bucket = crc32(row.order.member.encode()) % BUCKETS
        waiting = self._waiting[bucket]
        waiting.append(row)
        if len(waiting) >= _BATCH:
            self._write(bucket)
        self._note(row)

    def members(self) -> Iterator[tuple[int, str, Sequence[PastOrder]]]:
        """(group, member, orders by when they were paid); a refund is with its order."""
        for bucket in range(BUCKETS):
            self._write(bucket)
            rows = self._read(bucket)
            rows.sort(key=lambda row: row.order[:3])
            for member, mine in groupby(rows, key=lambda row: row.order.member):
                yield bucket, member, self._joined(list(mine))

    def _note(self, row: PastRow) -> None:
        found, order = self.gathered, row.order
        placed_at, paid_at = order.placed_at, order.paid_at
        self._reach(paid_at)
        if placed_at is not paid_at:
            self._reach(placed_at)
        if order.fulfilled_at is not None and order.fulfilled_at is not paid_at:
            self._reach(order.fulfilled_at)
        if order.void_at is not None:
            self._reach(order.void_at)
        for when, _ in order.refunds:
            self._reach(when)
        if row.is_refund:
            found.refunds += 1
            return
        found.orders += 1
        if not order.goods_minor:
            found.free += 1
        if self._day is None or self._day[0] != placed_at:
            self._day = (placed_at, placed_at.astimezone(self._zone).date())
            found.days.add(self._day[1])

    def _reach(self, moment: datetime) -> None:
        found = self.gathered
        if found.first is None or found.last is None:
            found.first = found.last = moment
        elif moment > found.last:
            found.last = moment
        elif moment < found.first:
            found.first = moment

    def _write(self, bucket: int) -> None:
        if waiting := self._waiting[bucket]:
            packed = _encoder.encode(waiting)
            self._files[bucket].write(len(packed).to_bytes(4, "big") + packed)
            waiting.clear()

    def _read(self, bucket: int) -> list[PastRow]:
        file, rows = self._files[bucket], []
        file.seek(0)
        while head := file.read(4):
            rows += _decoder.decode(file.read(int.from_bytes(head, "big")))
        file.close()
        return rows

    def _joined(self, rows: Sequence[PastRow]) -> Sequence[PastOrder]:
        """One member's rows as orders, each with its refunds."""
        self._count_repeated(rows)
        if len(rows) == 1 and not rows[0].is_refund:
            return [rows[0].order]
        orders: dict[tuple[int, str], PastOrder] = {}
        for row in rows:
            if row.is_refund:
                continue
            if row.order.key in orders:
                self._left_out.add("told_twice", row.line, f"order {row.order.key[1]}")
            else:
                orders[row.order.key] = row.order
        for row in rows:
            if row.is_refund:
                self._refund(orders, row)
        return list(orders.values())

    def _refund(self, orders: dict[tuple[int, str], PastOrder], row: PastRow) -> None:
        back, key = row.order, row.order.key
        order = orders.get(key)
        if order is None or order.currency != back.currency:
            self._left_out.add("refund_without_order", row.line, f"order {key[1]}, {back.currency}")
            return
        if back.paid_at < order.paid_at:
            days = f"{back.paid_at:%Y-%m-%d} is before {order.paid_at:%Y-%m-%d}"
            self._left_out.add("refund_before_order", row.line, f"order {key[1]}: {days}")
            return
        left = order.goods_minor - sum(minor for _, minor in order.refunds)
        if back.goods_minor > left:
            self._left_out.add("refund_beyond_order", row.line, f"order {key[1]}")
        if left:
            orders[key] = order._replace(
                refunds=(*order.refunds, (back.paid_at, min(back.goods_minor, left)))
            )

    def _count_repeated(self, rows: Sequence[PastRow]) -> None:
        if len(rows) > 1:
            alike = {(row.order.placed_at, row.order.goods_minor) for row in rows if not row.is_refund}
            self.gathered.repeated += sum(not row.is_refund for row in rows) - len(alike)
