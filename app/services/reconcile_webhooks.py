"""The shop's subscriptions: each topic we need reaches our address exactly once, or is mended, or is shown.

Our companion in the shop, where there is one, is told on the same occasion who we are.
"""

from collections.abc import Sequence
from typing import Any

from app.db import shops
from app.db.reconciliations import Repair
from app.db.shops import ShopRow
from app.domain.errors import Refused, Retryable
from app.services.causes import OF_SUBSCRIPTION, Cause
from app.services.reconcile_run import Run
from app.services.runtime import Runtime
from app.services.shop_client import open_shop
from connectors.base import Introduction, ShopClient, WebhookState


def reconcile_webhooks(run: Run) -> None:
    """Raises: AccessLost, Retryable, Refused. The first time, when the shop was just connected, repairs nothing."""
    with run.rt.db.begin(run.program_id) as session:
        secrets = shops.get_secrets(session, run.rt.vault, run.shop_id)
    secret = secrets.webhook_secrets[0] if run.shop.own_app and secrets.webhook_secrets else None
    address = webhook_address(run.rt, run.shop)
    with open_shop(run.rt, run.program_id, run.shop_id) as client:
        # Before anything that may be refused: the merchant waits for it, in the shop's own admin.
        if secret is not None:
            companion = _introduced(run, client, address, secret, secrets.widget_secret)
            with run.rt.db.begin(run.program_id) as session:
                shops.update_shop(session, run.shop_id, companion=companion)
        states = client.ensure_webhooks(address, secret)
    with run.rt.db.begin(run.program_id) as session:
        shops.update_shop(session, run.shop_id, webhooks=[_stored(run, state) for state in states])
        if run.shop.webhooks:
            run.repaired(session, _repairs(states))
        run.look(session, len(states))


def webhook_address(rt: Runtime, shop: ShopRow) -> str:
    """Where the shop's messages go: an address of its own if it signs with a secret of its own, else the app's."""
    address = f"{rt.public_url.rstrip('/')}/webhooks/{shop.platform}"
    return f"{address}/{shop.key}" if shop.own_app else address


def _introduced(
    run: Run, client: ShopClient, address: str, webhook_secret: str, widget_secret: str
) -> dict[str, Any] | None:
    """How our companion in the shop was found; None: there is none. What is wrong with it stops nothing else."""
    introduction = Introduction(
        server=run.rt.public_url.rstrip("/"),
        shop_key=run.shop.key,
        webhook_address=address,
        webhook_secret=webhook_secret,
        widget_secret=widget_secret,
    )
    seen_at = run.rt.now().isoformat()
    try:
        version = client.introduce(introduction)
    except (Refused, Retryable) as error:
        return {"version": None, "problem": error.detail, "seen_at": seen_at}
    return None if version is None else {"version": version, "problem": None, "seen_at": seen_at}


def _stored(run: Run, state: WebhookState) -> dict[str, str | bool]:
    return {
        "topic": state.topic,
        "healthy": state.healthy,
        "repaired": state.repaired,
        "found": state.found.value,
        "detail": state.detail,
        "seen_at": run.rt.now().isoformat(),
    }


def _repairs(states: Sequence[WebhookState]) -> list[Repair]:
    repairs = []
    for state in states:
        cause = OF_SUBSCRIPTION.get(state.found)
        if not state.healthy:
            cause = Cause.WEBHOOK_UNHEALTHY
        if cause is not None:
            repairs.append(
                Repair(
                    subject=f"webhook:{state.topic}",
                    cause=cause.value,
                    detail=f"{state.topic}: {state.detail}",
                )
            )
    return repairs
