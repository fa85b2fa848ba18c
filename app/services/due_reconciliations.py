"""Which shops are due for which comparison: asked every minute, so that a missed hour is made up for."""

from collections import Counter
from dataclasses import asdict
from datetime import timedelta

from app.db import directory, jobs, reconciliations
from app.services.drain_inbox import SLICE
from app.services.runtime import Runtime

OFTEN = timedelta(minutes=10)
DAILY = timedelta(hours=24)
AGAIN = timedelta(hours=1)


def due_reconciliations(rt: Runtime) -> dict[str, int]:
    """Put a job in for each that is due, and one for orders whose mark nobody answered. Returns how many of each.

    A job that waits already is not put in twice, so asking often costs nothing.
    """
    found: Counter[str] = Counter()
    with rt.db.outside() as connection:
        programs = directory.program_ids(connection)
    for start in range(0, len(programs), SLICE):
        with rt.db.begin(*programs[start : start + SLICE]) as session:
            now = rt.now()
            dues = reconciliations.find_due(session, now=now, often=OFTEN, daily=DAILY, again=AGAIN)
            jobs.enqueue_all(session, "reconcile_shop", [asdict(due) for due in dues])
            found.update(due.kind for due in dues)
            # As often as orders are compared: what marks an order puts the job in by itself.
            often = {due.shop_id for due in dues if due.kind == "changed"}
            marked = [
                {"program_id": program_id, "shop_id": shop_id}
                for program_id, shop_id in reconciliations.find_marked_shops(session, now=now)
                if shop_id in often
            ]
            jobs.enqueue_all(session, "reread_orders", marked)
            found["reread_orders"] += len(marked)
    return dict(found)
