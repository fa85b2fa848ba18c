"""Orders to be compared with what their shop lists: what we hold of each, in the least words."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCompare:
    order_id: int
    order_ref: str
    state: str
    updated_at: datetime
    customer_ref: str | None  # None: a guest's, or of somebody who was erased
    refunds: frozenset[str]
    digest: Mapping[str, str] | None  # refunds as listed when last compared
    unreadable: str | None


# What was ever counted, whatever it holds now (a refund that took all may be deleted), and what a guest may claim.
_WHICH = (
    "shop_id = :shop AND placed_at >= :placed_after AND (terms_version IS NOT NULL OR target_points > 0) "
    "AND (checked_at IS NULL OR checked_at < :checked_before)"
)


def count_to_compare(
    session: Session, shop_id: int, *, placed_after: datetime, checked_before: datetime
) -> int:
    return int(
        session.scalar(
            f"SELECT count(*) FROM orders WHERE {{fence}} AND {_WHICH}",
            shop=shop_id,
            placed_after=placed_after,
            checked_before=checked_before,
        )
    )


def find_to_compare(
    session: Session,
    shop_id: int,
    *,
    placed_after: datetime,
    checked_before: datetime,
    after: int,
    limit: int,
) -> list[ToCompare]:
    """The next of them, by id, after id `after`."""
    return _find(
        session,
        f"{_WHICH} AND id > :after ORDER BY id LIMIT :limit",
        shop=shop_id,
        placed_after=placed_after,
        checked_before=checked_before,
        after=after,
        limit=limit,
    )


def find_held(session: Session, order_ids: Sequence[int]) -> list[ToCompare]:
    return _find(session, "id = ANY(:ids) ORDER BY id", ids=list(order_ids))


def note_compared(
    session: Session,
    order_id: int,
    *,
    digest: Mapping[str, str] | None,
    unreadable: str | None,
    now: datetime,
) -> None:
    session.run(
        "UPDATE orders SET checked_at = :now, digest = coalesce(CAST(:digest AS jsonb), digest), "
        "unreadable = coalesce(:unreadable, unreadable) WHERE {fence} AND id = :id",
        id=order_id,
        digest=None if digest is None else json.dumps(dict(digest)),
        unreadable=unreadable,
        now=now,
    )


def _find(session: Session, condition: str, **params: Any) -> list[ToCompare]:
    rows = session.rows(
        "SELECT id, order_ref, snapshot->>'state' AS state, updated_at, digest, unreadable, "
        "snapshot->>'customer_ref' AS customer_ref, "
        "ARRAY(SELECT r->>'refund_ref' FROM jsonb_array_elements(snapshot->'refunds') AS r) AS refunds "
        f"FROM orders WHERE {{fence}} AND {condition}",
        params,
    )
    return [
        ToCompare(
            order_id=row.id,
            order_ref=row.order_ref,
            state=row.state,
            updated_at=row.updated_at,
            customer_ref=row.customer_ref,
            refunds=frozenset(row.refunds),
            digest=row.digest,
            unreadable=row.unreadable,
        )
        for row in rows
    ]
