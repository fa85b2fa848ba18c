"""The drain: waiting deliveries, a batch at a time, until none is left. A loop of its own in the worker."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import OperationalError

from app.db import directory, inbox, shops
from app.db.inbox import InboxRow, Outcome
from app.services.process_deliveries import ReadDelivery, process_deliveries, read_deliveries
from app.services.runtime import Runtime

SLICE = 2000  # programs in one transaction
MAX_ATTEMPTS = 8

log = structlog.get_logger()


@dataclass(slots=True)
class Drained:
    """How many deliveries ended how."""

    states: dict[str, int] = field(default_factory=dict)

    def add(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self.states[outcome.state] = self.states.get(outcome.state, 0) + 1

    @property
    def total(self) -> int:
        return sum(self.states.values())


def drain_inbox(
    rt: Runtime, *, batch: int = inbox.BATCH, go_on: Callable[[], bool] = lambda: True
) -> Drained:
    """Process everything that waits, as long as `go_on`. Safe to run in any number of processes at once.

    While a full batch is settled the next one is read, since settling mostly waits for the database.
    """
    drained = Drained()
    with rt.db.outside() as connection:
        programs = directory.program_ids(connection)
    with ThreadPoolExecutor(2, "laurel-read-ahead") as ahead:
        counting: Future[int] | None = None
        for start in range(0, len(programs), SLICE):
            part = programs[start : start + SLICE]
            coming: Future[list[ReadDelivery]] | None = None
            while coming is not None or go_on():
                deliveries = _take(rt, part, batch) if coming is None else coming.result()
                if not deliveries:
                    break
                coming = (
                    ahead.submit(_take, rt, part, batch) if len(deliveries) == batch and go_on() else None
                )
                _process(rt, deliveries, drained)
                if len(deliveries) == batch and (counting is None or counting.done()):
                    counting = ahead.submit(rt.db.count_grown_tables)
        if counting is not None:
            counting.result()
    return drained


def _take(rt: Runtime, programs: Sequence[int], limit: int) -> list[ReadDelivery]:
    with rt.db.begin(*programs) as session:
        rows = inbox.take(session, rt.vault, now=rt.now(), limit=limit)
        known = shops.find_shops(session, sorted({row.shop_id for row in rows})) if rows else {}
    return read_deliveries(rt, rows, known)


def _process(rt: Runtime, deliveries: Sequence[ReadDelivery], drained: Drained) -> None:
    """One transaction; if it fails, the halves, until the one that fails is alone and is set aside."""
    try:
        with rt.db.begin(*sorted({one.row.program_id for one in deliveries})) as session:
            outcomes = process_deliveries(rt, session, deliveries, now=rt.now())
    except Exception as error:
        if len(deliveries) > 1:
            middle = len(deliveries) // 2
            _process(rt, deliveries[:middle], drained)
            _process(rt, deliveries[middle:], drained)
            return
        row = deliveries[0].row
        if isinstance(error, OperationalError) and row.attempts < MAX_ATTEMPTS:
            # The database, not the delivery: it is taken again when its lease has run out.
            log.warning("drain_interrupted", inbox_id=row.inbox_id, error=type(error).__name__)
            return
        outcomes = [_set_aside(rt, row, error)]
    drained.add(outcomes)


def _set_aside(rt: Runtime, row: InboxRow, error: Exception) -> Outcome:
    log.error("delivery_failed", inbox_id=row.inbox_id, shop_id=row.shop_id, topic=row.topic, exc_info=error)
    outcome = Outcome(row, "failed", f"our fault: {type(error).__name__}; replay it when this is mended")
    with rt.db.begin(row.program_id) as session:
        inbox.finish(session, [outcome], now=rt.now())
    return outcome
