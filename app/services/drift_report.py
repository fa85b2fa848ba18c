"""What reconciliation found, for people: each shop, each cause, and whether anything is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db import reconciliations, shops
from app.db.reconciliations import RepairRow, RunRow, kinds_of
from app.db.shops import ShopRow
from app.services.causes import HARMLESS
from app.services.runtime import Runtime
from app.services.shop_client import why_not_callable
from app.services.waiting import WaitingOrders, waiting

LAGS = timedelta(days=7)
_PERIOD = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseCount:
    cause: str
    repairs: int
    points: int
    harmless: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopDrift:
    """A shop in the period. `last`: the newest run of each kind, of this week at least; `broken`: runs that broke off.

    `unfinished`: kinds without a complete run in the period. `lags`: its orders were last read completely over a
    week ago, so codes, points and tiers wait with their expiry.
    """

    shop: ShopRow
    not_callable: str | None
    runs: int
    broken: int
    last: dict[str, RunRow]
    unfinished: tuple[str, ...]
    causes: tuple[CauseCount, ...]
    repairs: tuple[RepairRow, ...]
    waiting: tuple[WaitingOrders, ...]
    unhealthy_topics: tuple[str, ...]
    lags: bool

    @property
    def amiss(self) -> tuple[RepairRow, ...]:
        return tuple(repair for repair in self.repairs if repair.cause not in HARMLESS)

    @property
    def zero_drift(self) -> bool:
        """Everything was compared in the period, and nothing was amiss."""
        return not self.amiss and not self.unfinished


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    since: datetime
    until: datetime
    shops: tuple[ShopDrift, ...]

    @property
    def zero_drift(self) -> bool:
        """Of the shops that may be called; the others are shown with why they may not."""
        return all(shop.zero_drift for shop in self.shops if shop.not_callable is None)


def drift_report(
    rt: Runtime, program_id: int, *, since: datetime | None = None, shop_id: int | None = None
) -> DriftReport:
    """What runs found that began at or after `since` (a day ago, if not said)."""
    now = rt.now()
    start = since or now - _PERIOD
    with rt.db.begin(program_id) as session:
        known = shops.find_shops(session, None if shop_id is None else [shop_id])
        runs = reconciliations.find_runs(session, since=min(start, now - LAGS), shop_ids=list(known))
        repairs = reconciliations.find_repairs(session, since=start)
    waits = waiting(rt, program_id)
    return DriftReport(
        since=start,
        until=now,
        shops=tuple(
            _shop(
                shop,
                [run for run in runs if run.shop_id == shop.shop_id],
                [one for one in repairs if one.shop_id == shop.shop_id],
                [one for one in waits if one.shop_id == shop.shop_id],
                since=start,
                now=now,
            )
            for shop in known.values()
        ),
    )


def _shop(
    shop: ShopRow,
    runs: Sequence[RunRow],
    repairs: Sequence[RepairRow],
    waits: Sequence[WaitingOrders],
    *,
    since: datetime,
    now: datetime,
) -> ShopDrift:
    recent = [run for run in runs if run.started_at >= since]
    complete = {run.kind for run in recent if run.finished_at is not None and run.problem is None}
    until = shop.reconciled_until
    return ShopDrift(
        shop=shop,
        not_callable=why_not_callable(shop),
        runs=len(recent),
        broken=sum(run.problem is not None for run in recent),
        last={run.kind: run for run in reversed(runs)},
        unfinished=tuple(kind for kind in kinds_of(shop) if kind not in complete),
        causes=_causes(repairs),
        repairs=tuple(repairs),
        waiting=tuple(waits),
        unhealthy_topics=tuple(str(one["topic"]) for one in shop.webhooks if not one["healthy"]),
        lags=shop.state == "connected" and (until or shop.connected_at) < now - LAGS,
    )


def _causes(repairs: Sequence[RepairRow]) -> tuple[CauseCount, ...]:
    names = sorted({one.cause for one in repairs})
    return tuple(
        CauseCount(
            cause=name,
            repairs=sum(one.cause == name for one in repairs),
            points=sum(one.points for one in repairs if one.cause == name),
            harmless=name in HARMLESS,
        )
        for name in names
    )
