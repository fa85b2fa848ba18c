"""From when a shop's orders count, and whether its test orders do."""

from datetime import datetime

import structlog

from app.db import jobs, shops
from app.services.runtime import Runtime

log = structlog.get_logger()


def set_counting(
    rt: Runtime,
    program_id: int,
    shop_id: int,
    *,
    counts_from: datetime | None = None,
    counts_test_orders: bool | None = None,
    actor: str,
) -> None:
    """Change what is given; the rest stays. Orders we hold are counted again, earlier ones are read at the shop.

    What it costs, `preview_counting` says before. Raises: Refused("unknown_shop").
    """
    with rt.db.begin(program_id) as session:
        shop = shops.get_shop(session, shop_id)
        start = counts_from or shop.counts_from
        tests = shop.counts_test_orders if counts_test_orders is None else counts_test_orders
        if (start, tests) == (shop.counts_from, shop.counts_test_orders):
            return
        shops.update_shop(session, shop_id, counts_from=start, counts_test_orders=tests)
        jobs.enqueue(session, "recount", program_id=program_id, shop_id=shop_id)
        if start < shop.counts_from and shop.callable:
            jobs.enqueue(
                session,
                "reconcile_shop",
                program_id=program_id,
                shop_id=shop_id,
                kind="changed",
                everything=True,
            )
    log.info(
        "counting_changed", shop_id=shop_id, actor=actor, counts_from=start.isoformat(), test_orders=tests
    )
