"""Looking into the inbox: what arrived about an order, and what of a shop still waits there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import inbox
from app.db.inbox import InboxRow
from app.db.sealing import Vault
from app.db.session import Session


@dataclass(frozen=True, slots=True)
class Kept:
    """A delivery as kept, and what became of it."""

    row: InboxRow
    state: str
    reason: str | None


_COLUMNS = (
    "i.program_id, i.received_on, i.id, i.shop_id, i.received_at, i.topic, i.delivery_ref, i.body, i.attempts, "
    "i.state, i.reason"
)


def find_of_orders(
    session: Session, vault: Vault, shop_id: int, order_refs: Sequence[str], *, since: datetime
) -> list[Kept]:
    """Deliveries known to be about these orders, received at or after `since`."""
    return _find(
        session,
        vault,
        "i.shop_id = :shop AND i.order_ref = ANY(:refs) AND i.received_at >= :since ORDER BY i.id",
        shop=shop_id,
        refs=list(order_refs),
        since=since,
    )


def find_unfinished(session: Session, vault: Vault, shop_id: int, *, limit: int = 1000) -> list[Kept]:
    """The shop's deliveries that wait or failed, newest first: what they are about, only their bodies say."""
    return _find(
        session,
        vault,
        "i.shop_id = :shop AND i.state IN ('new', 'failed') ORDER BY i.id DESC LIMIT :limit",
        shop=shop_id,
        limit=limit,
    )


def _find(session: Session, vault: Vault, condition: str, **params: object) -> list[Kept]:
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM inbox i WHERE {{fence:i}} AND i.body IS NOT NULL AND {condition}", params
    )
    return [
        Kept(
            InboxRow(
                program_id=row.program_id,
                received_on=row.received_on,
                inbox_id=row.id,
                shop_id=row.shop_id,
                received_at=row.received_at,
                topic=row.topic,
                delivery_ref=row.delivery_ref,
                body=inbox.open_body(vault, row.program_id, row.shop_id, row.body),
                attempts=row.attempts,
            ),
            row.state,
            row.reason,
        )
        for row in rows
    ]
