"""What the shops told us: a page at a time, and what one of them said."""

import contextlib
import json
from dataclasses import dataclass
from datetime import date, datetime

from app.db import inbox, shops
from app.db.sealing import Vault
from app.db.session import Session
from app.domain.errors import Refused
from app.services.runtime import Runtime

PAGE = 50
COUNTED_TO = 10_000  # more than that many understood ones are not counted out
LONGEST_BODY = 100_000

GROUPS = {
    "failed": ("failed",),
    "waiting": ("new", "waiting"),
    "understood": ("done", "ignored", "stale"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    delivery_id: int
    received_on: date
    received_at: datetime
    shop_id: int
    shop_key: str
    shop_name: str
    topic: str
    state: str
    reason: str | None
    attempts: int
    processed_at: datetime | None
    order_ref: str | None
    has_body: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage:
    deliveries: tuple[DeliveryView, ...]
    next: str | None  # the cursor to go on with
    counts: dict[str, int]  # of each group; understood: at most COUNTED_TO
    shops: tuple[tuple[int, str], ...]


def list_deliveries(
    rt: Runtime,
    program_id: int,
    group: str,
    *,
    shop_id: int | None = None,
    cursor: str = "",
    limit: int = PAGE,
) -> DeliveryPage:
    """Newest first. Raises: Refused("unknown_group"), Refused("bad_request") for a cursor that is none of ours."""
    if group not in GROUPS:
        raise Refused("unknown_group", "There is no such list of deliveries.")
    before = _read(cursor)
    with rt.db.begin(program_id) as session:
        known = shops.find_shops(session)
        rows = session.rows(
            "SELECT i.id AS delivery_id, i.received_on, i.received_at, i.shop_id, i.topic, i.state, i.reason, "
            "i.attempts, i.processed_at, i.order_ref, i.body IS NOT NULL AS has_body FROM inbox i WHERE {fence:i} "
            "AND i.state = ANY(:states) AND (CAST(:shop AS bigint) IS NULL OR i.shop_id = :shop) "
            "AND (i.received_on, i.id) < (:day, :id) ORDER BY i.received_on DESC, i.id DESC LIMIT :limit",
            states=list(GROUPS[group]),
            shop=shop_id,
            day=before[0],
            id=before[1],
            limit=limit + 1,
        )
        counts = _counts(session)
    views = [
        DeliveryView(
            **row._mapping,
            shop_key=known[row.shop_id].key if row.shop_id in known else "",
            shop_name=known[row.shop_id].name if row.shop_id in known else f"shop {row.shop_id}",
        )
        for row in rows[:limit]
    ]
    return DeliveryPage(
        deliveries=tuple(views),
        next=f"{views[-1].received_on.isoformat()}.{views[-1].delivery_id}" if len(rows) > limit else None,
        counts=counts,
        shops=tuple((one.shop_id, one.name) for one in known.values()),
    )


def delivery_body(rt: Runtime, program_id: int, received_on: date, delivery_id: int) -> str:
    """What the shop sent, as text; JSON is laid out. Raises: Refused("unknown_delivery"), Refused("erased")."""
    with rt.db.begin(program_id) as session:
        row = session.first(
            "SELECT program_id, shop_id, body FROM inbox WHERE {fence} AND received_on = :day AND id = :id",
            day=received_on,
            id=delivery_id,
        )
        if row is None:
            raise Refused("unknown_delivery", "There is no such delivery any more.")
        if row.body is None:
            raise Refused("erased", "What it said was erased with the person whom it was about.")
        return _laid_out(_opened(rt.vault, row.program_id, row.shop_id, bytes(row.body)))


def _opened(vault: Vault, program_id: int, shop_id: int, sealed: bytes) -> str:
    return inbox.open_body(vault, program_id, shop_id, sealed).decode(errors="replace")


def _laid_out(text: str) -> str:
    with contextlib.suppress(ValueError):  # not JSON: shown as it came
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text if len(text) <= LONGEST_BODY else text[:LONGEST_BODY] + "\n…"


def _counts(session: Session) -> dict[str, int]:
    held = inbox_waits(session)
    understood = session.scalar(
        "SELECT count(*) FROM (SELECT 1 FROM inbox WHERE {fence} AND state IN ('done', 'ignored', 'stale') "
        "LIMIT :most) few",
        most=COUNTED_TO,
    )
    return {
        "failed": held.get("failed", 0),
        "waiting": held.get("new", 0) + held.get("waiting", 0),
        "understood": int(understood),
    }


def inbox_waits(session: Session) -> dict[str, int]:
    rows = session.rows(
        "SELECT state, count(*) AS n FROM inbox WHERE {fence} AND state IN ('new', 'failed', 'waiting') GROUP BY state"
    )
    return {row.state: row.n for row in rows}


def _read(cursor: str) -> tuple[date, int]:
    if not cursor:
        return date.max, 0
    day, _, number = cursor.partition(".")
    try:
        return date.fromisoformat(day), int(number)
    except ValueError:
        raise Refused("bad_request", "This is no cursor of ours: begin without one.") from None
