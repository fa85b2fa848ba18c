"""Somebody wants a shop compared at once, not at the next due time."""

from datetime import datetime

from app.db import jobs, shops
from app.db.reconciliations import kinds_of
from app.domain.errors import Refused
from app.services.runtime import Runtime
from app.services.shop_client import why_not_callable


def reconcile_now(rt: Runtime, program_id: int, shop_id: int) -> datetime:
    """Put in a job for each kind; those that wait already stay one. Returns from when on to look for the runs.

    Raises: Refused("unknown_shop"), Refused("not_callable").
    """
    with rt.db.begin(program_id) as session:
        shop = shops.get_shop(session, shop_id)
        if why := why_not_callable(shop):
            raise Refused("not_callable", why)
        jobs.enqueue_all(
            session, "reconcile_shop", [{"shop_id": shop_id, "kind": kind} for kind in kinds_of(shop)]
        )
    return rt.now()
