"""Nothing waits for a lost job."""

from collections.abc import Iterable

from app.db import jobs, redemptions
from app.db.redemptions import RedemptionRow
from app.services.runtime import Runtime


def resume_redemptions(rt: Runtime, program_id: int) -> int:
    """Put in the jobs of redemptions that wait and whose time has come, should a job have been lost.

    And of balances whose shop was not told what is left: it left or locked us out meanwhile, and is back.
    """
    now = rt.now()
    with rt.db.begin(program_id) as session:
        waiting = redemptions.find_redemptions_where(
            session,
            "r.state IN ('requested', 'cancelling') AND coalesce(r.next_try_at, r.requested_at) < :now",
            now=now,
        )
        for name, state in (("issue_code", "requested"), ("close_redemption", "cancelling")):
            jobs.enqueue_all(session, name, _whose(row for row in waiting if row.state.value == state))
        untold = redemptions.find_redemptions_where(
            session,
            "r.shop_minor <> greatest(r.left_minor, 0) AND r.state IN ('issued', 'used') AND r.expires_at > :now "
            "AND r.shop_id IN (SELECT s.id FROM shops s WHERE {fence:s} AND s.state = 'connected' "
            "AND s.access_problem IS NULL)",
            now=now,
        )
        jobs.enqueue_all(session, "keep_balance", _whose(untold))
    return len(waiting) + len(untold)


def _whose(rows: Iterable[RedemptionRow]) -> list[dict[str, int]]:
    return [{"shop_id": row.shop_id, "redemption_id": row.redemption_id} for row in rows]
