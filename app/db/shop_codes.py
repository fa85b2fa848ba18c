"""Codes as we sold them, to be compared with the codes at the shop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.session import Session


@dataclass(frozen=True, slots=True)
class SoldCode:
    redemption_id: int
    code_key: str
    state: str


def find_sold(session: Session, shop_id: int, code_keys: Sequence[str]) -> dict[str, SoldCode]:
    """The redemptions of these codes (case-folded) at this shop, whatever their state."""
    rows = session.rows(
        "SELECT id, code_key, state FROM redemptions WHERE {fence} AND shop_id = :shop AND code_key = ANY(:keys)",
        shop=shop_id,
        keys=list(code_keys),
    )
    return {row.code_key: SoldCode(row.id, row.code_key, row.state) for row in rows}


def find_issued(session: Session, shop_id: int, *, before: datetime, now: datetime) -> list[SoldCode]:
    """Codes issued before that moment that should be usable now."""
    rows = session.rows(
        "SELECT id, code_key, state FROM redemptions WHERE {fence} AND shop_id = :shop AND state = 'issued' "
        "AND issued_at < :before AND expires_at > :now ORDER BY id",
        shop=shop_id,
        before=before,
        now=now,
    )
    return [SoldCode(row.id, row.code_key, row.state) for row in rows]
