"""Codes as we sold them, to be compared with the codes at the shop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db.session import Session
from app.domain.money import Money
from app.domain.rewards import CODELESS, RewardKind


@dataclass(frozen=True, slots=True)
class SoldCode:
    """`balance`: what the shop was last told that is left, of a balance that we keep."""

    redemption_id: int
    code_key: str
    state: str
    kind: RewardKind
    balance: Money | None = None
    is_told: bool = True  # the shop was told of all that we know; else a job is on its way


@dataclass(frozen=True, slots=True)
class Overdrawn:
    redemption_id: int
    by: Money


_COLUMNS = (
    "id, code_key, state, reward->>'kind' AS kind, shop_minor, left_minor, "
    "reward->'amount'->>'currency' AS currency"
)


def find_sold(session: Session, shop_id: int, code_keys: Sequence[str]) -> dict[str, SoldCode]:
    """The redemptions of these codes (case-folded) at this shop, whatever their state."""
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM redemptions WHERE {{fence}} AND shop_id = :shop AND code_key = ANY(:keys)",
        shop=shop_id,
        keys=list(code_keys),
    )
    return {row.code_key: _sold(row) for row in rows}


def find_issued(session: Session, shop_id: int, *, before: datetime, now: datetime) -> list[SoldCode]:
    """Codes issued before that moment that should be usable now."""
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM redemptions "
        "WHERE {fence} AND shop_id = :shop AND state = 'issued' "
        "AND (reward->>'kind' <> ALL(:codeless) OR shop_minor IS NOT NULL) "
        "AND issued_at < :before AND expires_at > :now ORDER BY id",
        shop=shop_id,
        codeless=[kind.value for kind in CODELESS],
        before=before,
        now=now,
    )
    return [_sold(row) for row in rows]


def find_overdrawn(session: Session, shop_id: int, *, since: datetime | None) -> list[Overdrawn]:
    """Balances of which orders took more than there was, where that came out since (None: ever)."""
    rows = session.rows(
        "SELECT r.id, -r.left_minor AS over, r.reward->'amount'->>'currency' AS currency FROM redemptions r "
        "WHERE {fence:r} AND r.shop_id = :shop AND r.left_minor < 0 AND EXISTS (SELECT 1 FROM redemption_uses u "
        "WHERE {fence:u} AND u.program_id = r.program_id AND u.redemption_id = r.id "
        "AND (CAST(:since AS timestamptz) IS NULL OR u.at >= :since)) ORDER BY r.id",
        shop=shop_id,
        since=since,
    )
    return [Overdrawn(row.id, Money(row.over, row.currency)) for row in rows]


def _sold(row: Any) -> SoldCode:
    if row.shop_minor is None:
        return SoldCode(row.id, row.code_key, row.state, RewardKind(row.kind))
    told = Money(row.shop_minor, row.currency)
    is_told = row.shop_minor == max(row.left_minor, 0)
    return SoldCode(row.id, row.code_key, row.state, RewardKind(row.kind), told, is_told)
