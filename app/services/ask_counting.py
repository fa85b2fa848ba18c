"""Staff asks what another start of counting would cost: a job works it out, and the page follows it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db import jobs, previews, shops
from app.db.previews import PreviewRow
from app.domain.errors import Refused
from app.services.runtime import Runtime

KIND = "counting"
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Counting:
    counts_from: datetime
    counts_test_orders: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingCost:
    """`changing`: members who would gain or lose points; the rest as in `CountingPreview`."""

    total: int
    orders: int
    changing: int
    joining: int
    joining_points: int
    read_at_shop: int
    only_held: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedCounting:
    """`cost` and `problem` None: it is being worked out; `looked_at` orders were read at the shop so far."""

    preview_id: int
    counts_from: datetime
    counts_test_orders: bool
    looked_at: int
    cost: CountingCost | None
    problem: str | None

    @property
    def waits(self) -> bool:
        return self.cost is None and self.problem is None


def ask_counting(
    rt: Runtime, program_id: int, shop_id: int, *, counts_from: datetime, counts_test_orders: bool
) -> int:
    """Returns the preview's id, to be looked at with `find_counting`. Raises: Refused("unknown_shop")."""
    now = rt.now()
    with rt.db.begin(program_id) as session:
        shops.get_shop(session, shop_id)
        previews.forget(session, before=now - KEPT)
        asked = {"counts_from": counts_from.isoformat(), "counts_test_orders": counts_test_orders}
        preview_id = previews.add(session, KIND, asked, shop_id=shop_id, now=now)
        jobs.enqueue(session, "try_counting", program_id=program_id, shop_id=shop_id, preview_id=preview_id)
    return preview_id


def find_counting(rt: Runtime, program_id: int, shop_id: int, preview_id: int) -> AskedCounting:
    """Raises: Refused("not_found") after a day, or for another shop's."""
    with rt.db.begin(program_id) as session:
        row = previews.find(session, KIND, preview_id)
    if row is None or row.shop_id != shop_id:
        raise Refused("not_found", "This preview is not kept any more: ask for it again.")
    asked = counting_of(row)
    return AskedCounting(
        preview_id=row.preview_id,
        counts_from=asked.counts_from,
        counts_test_orders=asked.counts_test_orders,
        looked_at=row.looked_at,
        cost=CountingCost(**row.result) if row.result is not None else None,
        problem=row.problem,
    )


def counting_of(row: PreviewRow) -> Counting:
    return Counting(datetime.fromisoformat(row.asked["counts_from"]), row.asked["counts_test_orders"])
