"""What is due now: looked up, put into the queue, done elsewhere. Asked twice, it is put in once."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from app.db import jobs, shops
from app.db.session import Session
from app.db.shops import ShopRow
from app.services.check_health import slices
from app.services.runtime import Runtime

CHANGED = timedelta(minutes=10)
HOURLY = timedelta(hours=1)
DAILY = timedelta(days=1)


def enqueue_due(rt: Runtime) -> int:
    """Put in the jobs of shops that have something due, and hourly those of programs. Returns how many were due."""
    now = rt.now()
    count = 0
    for part in slices(rt):
        with rt.db.begin(*part) as session:
            for shop in shops.find_shops(session).values():
                if not shop.callable:
                    continue
                for kind in _kinds(session, shop, now):
                    jobs.enqueue(
                        session,
                        "reconcile_shop",
                        program_id=shop.program_id,
                        shop_id=shop.shop_id,
                        kind=kind,
                    )
                    count += 1
            count += _rereads(session, now)
            count += _proofs(rt, session)
    return count


def _kinds(session: Session, shop: ShopRow, now: datetime) -> Iterator[str]:
    """Which comparisons with the shop are due; what was never done is."""
    if _over(shop.reconciled_until, CHANGED, now):
        yield "changed"
    if _over(_last_run(session, shop, "webhooks"), HOURLY, now):
        yield "webhooks"
    if _over(shop.digested_at, DAILY, now):
        yield "digests"
    if _over(shop.codes_checked_at, DAILY, now):
        yield "codes"


def _over(last: datetime | None, every: timedelta, now: datetime) -> bool:
    return last is None or now - last >= every


def _last_run(session: Session, shop: ShopRow, kind: str) -> datetime | None:
    found: datetime | None = session.scalar(
        "SELECT max(started_at) FROM reconciliations WHERE {fence} AND program_id = :program AND shop_id = :shop "
        "AND kind = :kind",
        program=shop.program_id,
        shop=shop.shop_id,
        kind=kind,
    )
    return found


def _rereads(session: Session, now: datetime) -> int:
    """Orders that are marked and whose time has come, should their job have been lost."""
    due = session.rows(
        "SELECT DISTINCT s.program_id, s.id FROM shops s JOIN ("
        "SELECT program_id, shop_id FROM orders WHERE {fence} AND reread_wanted > reread_done "
        "AND (reread_at IS NULL OR reread_at <= :now) UNION "
        "SELECT program_id, shop_id FROM unseen_orders WHERE {fence} AND (not_before IS NULL OR not_before <= :now)"
        ") marked ON marked.program_id = s.program_id AND marked.shop_id = s.id "
        "WHERE {fence:s} AND s.state = 'connected' AND s.access_problem IS NULL",
        now=now,
    )
    for row in due:
        jobs.enqueue(session, "reread_orders", program_id=row.program_id, shop_id=row.id)
    return len(due)


def _proofs(rt: Runtime, session: Session) -> int:
    """Addresses that are not proven and stand in another shop of the program too: a mail could join the two."""
    if not rt.sends_mail:
        return 0
    due = session.rows(
        "SELECT i.program_id, i.id FROM identities i WHERE {fence:i} AND i.email_hash IS NOT NULL "
        "AND NOT i.email_verified AND i.proof_sent_at IS NULL AND EXISTS (SELECT 1 FROM identities o "
        "WHERE o.program_id = i.program_id AND o.email_hash = i.email_hash AND o.shop_id <> i.shop_id) "
        "ORDER BY i.id LIMIT 1000"
    )
    for row in due:
        jobs.enqueue(session, "send_email_proof", program_id=row.program_id, identity_id=row.id)
    return len(due)
