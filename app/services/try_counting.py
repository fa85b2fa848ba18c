"""The job that works out what another start of counting would cost, and writes down how far it is."""

from dataclasses import asdict

from app.db import previews
from app.domain.errors import Refused, Retryable
from app.services.ask_counting import KIND, CountingCost, counting_of
from app.services.preview_counting import preview_counting
from app.services.reconcile_run import Progress
from app.services.runtime import Runtime


def try_counting(rt: Runtime, program_id: int, shop_id: int, preview_id: int) -> None:
    """Whoever asked is told of a refusal or an outage on the page, and asks again: it is not tried again by itself."""
    with rt.db.begin(program_id) as session:
        row = previews.find(session, KIND, preview_id)
    if row is None or row.finished_at is not None:
        return
    asked = counting_of(row)

    def watch(seen: Progress) -> None:
        with rt.db.begin(program_id) as session:
            previews.note_looked(session, preview_id, seen.looked_at)

    problem: str | None = None
    cost: CountingCost | None = None
    try:
        found = preview_counting(
            rt,
            program_id,
            shop_id,
            counts_from=asked.counts_from,
            counts_test_orders=asked.counts_test_orders,
            watch=watch,
        )
        cost = CountingCost(
            total=found.total,
            orders=found.orders,
            changing=len(found.members),
            joining=found.joining,
            joining_points=found.joining_points,
            read_at_shop=found.read_at_shop,
            only_held=found.only_held,
        )
    except Refused as refused:
        problem = refused.detail
    except Retryable:
        problem = "The shop does not answer at the moment. Please try again a little later."
    with rt.db.begin(program_id) as session:
        previews.finish(
            session, preview_id, problem=problem, result=asdict(cost) if cost else None, now=rt.now()
        )
