"""After a shop was connected, or came back: its facts, its subscriptions, and its orders since they count."""

from dataclasses import dataclass

from app.db import jobs, rereads, shops
from app.domain.errors import AccessLost, Refused
from app.services.reconcile_run import Watch
from app.services.reconcile_shop import Reconciled, reconcile_shop
from app.services.runtime import Runtime
from app.services.shop_client import open_shop
from connectors.base import ShopFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """`webhook_problem`: why the shop takes no subscriptions; its orders are read on a schedule all the same."""

    facts: ShopFacts
    orders: Reconciled
    webhook_problem: str | None


def set_up_shop(rt: Runtime, program_id: int, shop_id: int, *, watch: Watch | None = None) -> SetUp:
    """Safe to do again. Raises: Refused("not_callable"), AccessLost, Retryable."""
    facts = _facts(rt, program_id, shop_id)
    # Subscriptions first: what changes while the orders are read is told then.
    problem: str | None = None
    try:
        reconcile_shop(rt, program_id, shop_id, "webhooks", watch=watch)
    except AccessLost:
        raise
    except Refused as refused:
        problem = refused.detail
    read = reconcile_shop(rt, program_id, shop_id, "changed", watch=watch)
    with rt.db.begin(program_id) as session:
        if rereads.is_marked(session, shop_id, now=rt.now()):
            jobs.enqueue(session, "reread_orders", program_id=program_id, shop_id=shop_id)
        if shops.get_shop(session, shop_id).profile_parts:
            jobs.enqueue(session, "sweep_profiles", shop_id=shop_id)
    return SetUp(facts=facts, orders=read, webhook_problem=problem)


def _facts(rt: Runtime, program_id: int, shop_id: int) -> ShopFacts:
    with open_shop(rt, program_id, shop_id) as client:
        facts = client.shop_facts()
    with rt.db.begin(program_id) as session:
        shops.update_shop(
            session,
            shop_id,
            name=facts.name,
            url=facts.url,
            currency=facts.currency,
            timezone=facts.timezone,
            reads_orders_days=facts.reads_orders_days,
            withheld=dict(facts.withheld),
        )
    rt.shop_memory.forget()
    return facts
