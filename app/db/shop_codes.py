"""Codes as we sold them, to be compared with the codes at the shop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db.session import Session
from app.domain.rewards import CODELESS, RewardKind


@dataclass(frozen=True, slots=True)
class SoldCode:
    redemption_id: int
    code_key: str
    state: str
    kind: RewardKind


def find_sold(session: Session, shop_id: int, code_keys: Sequence[str]) -> dict[str, SoldCode]:
    """The redemptions of these codes (case-folded) at this shop, whatever their state."""
    rows = session.rows(
        "SELECT id, code_key, state, reward->>'kind' AS kind FROM redemptions "
        "WHERE {fence} AND shop_id = :shop AND code_key = ANY(:keys)",
        shop=shop_id,
        keys=list(code_keys),
    )
    return {row.code_key: _sold(row) for row in rows}


def find_issued(session: Session, shop_id: int, *, before: datetime, now: datetime) -> list[SoldCode]:
    """Codes issued before that moment that should be usable now."""
    rows = session.rows(
        "SELECT id, code_key, state, reward->>'kind' AS kind FROM redemptions "
        "WHERE {fence} AND shop_id = :shop AND state = 'issued' AND reward->>'kind' <> ALL(:codeless) "
        "AND issued_at < :before AND expires_at > :now ORDER BY id",
        shop=shop_id,
        codeless=[kind.value for kind in CODELESS],
        before=before,
        now=now,
    )
    return [_sold(row) for row in rows]


def _sold(row: Any) -> SoldCode:
    return SoldCode(row.id, row.code_key, row.state, RewardKind(row.kind))
