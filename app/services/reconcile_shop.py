"""One shop is compared with what we hold of it, and what differs is put right and named."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.db import reconciliations, shops
from app.db.reconciliations import KINDS, PausedRun, Repair
from app.db.session import Session
from app.db.shops import ShopRow
from app.domain.errors import AccessLost, PutOff, Refused, Retryable
from app.services.causes import HARMLESS
from app.services.reconcile_changed import reconcile_changed
from app.services.reconcile_codes import reconcile_codes
from app.services.reconcile_digests import reconcile_digests
from app.services.reconcile_profiles import reconcile_profiles
from app.services.reconcile_run import Run, Watch
from app.services.reconcile_webhooks import reconcile_webhooks
from app.services.runtime import Runtime
from app.services.shop_client import why_not_callable

OVERLAP = timedelta(hours=2)
WIDE_DAYS = 35  # once a day, a window of its own against whatever the narrow ones may have missed
_DAY = timedelta(days=1)

_WORK: Mapping[str, Callable[[Run], None]] = {
    "changed": reconcile_changed,
    "digests": reconcile_digests,
    "webhooks": reconcile_webhooks,
    "codes": reconcile_codes,
    "profiles": reconcile_profiles,
}
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """A complete run."""

    run_id: int
    kind: str
    since: datetime
    until: datetime
    looked_at: int
    repairs: tuple[Repair, ...]

    @property
    def points(self) -> int:
        return sum(repair.points for repair in self.repairs)

    @property
    def amiss(self) -> tuple[Repair, ...]:
        """Without what is told only for completeness."""
        return tuple(repair for repair in self.repairs if repair.cause not in HARMLESS)


def reconcile_shop(
    rt: Runtime,
    program_id: int,
    shop_id: int,
    kind: str,
    *,
    since: datetime | None = None,
    everything: bool = False,
    watch: Watch | None = None,
) -> Reconciled:
    """Do one kind of comparison (`KINDS`). Safe to run twice, at once, and again after it broke off.

    One that was put off, since the shop allows no more for now, is gone on with where it was.

    `changed` looks at orders changed since the last complete run and some hours before; once a day at those of
    `WIDE_DAYS`; `since` or `everything` (from where the shop's orders count) widen it. `watch` hears of progress.

    Raises: PutOff, to be called again then; Refused("not_callable");
    AccessLost, Retryable, Refused from the shop, written down as the run's problem.
    """
    if kind not in KINDS:
        raise Refused("unknown_kind", f"There are these kinds of reconciliation: {', '.join(KINDS)}.")
    run = _start(rt, program_id, shop_id, kind, since=since, everything=everything, watch=watch)
    try:
        _WORK[kind](run)
    except PutOff:
        with rt.db.begin(program_id) as session:
            reconciliations.pause_run(session, run.run_id, cursor=run.cursor, now=rt.now())
        raise
    except BaseException as error:
        _end(run, problem=_words(error))
        raise
    _end(run, problem=None)
    log.info("reconciled", shop_id=shop_id, kind=kind, looked_at=run.looked_at, repairs=len(run.repairs))
    return Reconciled(
        run_id=run.run_id,
        kind=kind,
        since=run.since,
        until=run.until,
        looked_at=run.looked_at,
        repairs=tuple(run.repairs),
    )


def _start(
    rt: Runtime,
    program_id: int,
    shop_id: int,
    kind: str,
    *,
    since: datetime | None,
    everything: bool,
    watch: Watch | None,
) -> Run:
    now = rt.now()
    with rt.db.begin(program_id) as session:
        shop = shops.get_shop(session, shop_id)
        if why := why_not_callable(shop):
            raise Refused("not_callable", why)
        start = since or _since(session, shop, everything=everything, now=now)
        of_orders = kind == "changed"
        paused = reconciliations.take_paused(session, shop_id, kind, after=now - _DAY)
        if paused is not None and (paused.since_at or start) <= start:
            return _gone_on_with(rt, session, shop, kind, paused, everything=everything, watch=watch)
        reconciliations.end_dead_runs(session, shop_id, kind, now=now)
        run_id = reconciliations.start_run(
            session,
            shop_id,
            kind,
            since=start if of_orders else None,
            until=now if of_orders else None,
            now=now,
        )
    return Run(
        rt=rt,
        program_id=program_id,
        shop=shop,
        run_id=run_id,
        kind=kind,
        started_at=now,
        since=start,
        until=now,
        everything=everything,
        watch=watch,
    )


def _gone_on_with(
    rt: Runtime,
    session: Session,
    shop: ShopRow,
    kind: str,
    paused: PausedRun,
    *,
    everything: bool,
    watch: Watch | None,
) -> Run:
    """The run that was put off, as it was then."""
    found = reconciliations.find_repairs(session, since=paused.started_at, run_id=paused.run_id)
    return Run(
        rt=rt,
        program_id=shop.program_id,
        shop=shop,
        run_id=paused.run_id,
        kind=kind,
        started_at=paused.started_at,
        since=paused.since_at or paused.started_at,
        until=paused.until_at or paused.started_at,
        everything=everything,
        cursor=paused.cursor,
        watch=watch,
        looked_at=paused.looked_at,
        repairs=[
            Repair(subject=one.subject, cause=one.cause, detail=one.detail, points=one.points)
            for one in found
        ],
    )


def _since(session: Session, shop: ShopRow, *, everything: bool, now: datetime) -> datetime:
    if everything or shop.reconciled_until is None:
        return min(shop.counts_from, now) - OVERLAP
    start = min(shop.reconciled_until, now) - OVERLAP
    if reconciliations.had_wide_run(session, shop.shop_id, days=WIDE_DAYS, since=now - _DAY):
        return start
    return min(start, now - timedelta(days=WIDE_DAYS))


def _end(run: Run, *, problem: str | None) -> None:
    with run.rt.db.begin(run.program_id) as session:
        reconciliations.end_run(session, run.run_id, problem=problem, now=run.rt.now())


def _words(error: BaseException) -> str:
    match error:
        case AccessLost():
            return f"The shop lets us in no more: {error.detail}"
        case Refused():
            return f"{error.code}: {error.detail}"
        case Retryable():
            return f"To be tried again: {error.detail}"
        case _:
            return f"Our fault: {type(error).__name__}"
