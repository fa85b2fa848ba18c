"""Redemptions: what was bought, its code, and how far it has come."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from app.db.session import Session
from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.redeeming import Bought, Closing, RedemptionState

_decoder = msgspec.json.Decoder(Bought)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionRow:
    program_id: int
    redemption_id: int
    account_id: int
    shop_id: int
    identity_id: int
    bought: Bought
    code: str
    code_ref: str | None
    tag: str
    state: RedemptionState
    request_key: str
    request_hash: bytes
    actor: str
    requested_at: datetime
    issued_at: datetime | None
    expires_at: datetime
    closed_at: datetime | None
    order_id: int | None
    closing: Closing | None
    dead_at: datetime | None
    unknown: bool
    returned: int
    left_minor: int | None
    shop_minor: int | None
    attempts: int
    next_try_at: datetime | None
    message: str | None

    @property
    def source(self) -> str:
        return f"redemption:{self.redemption_id}"

    @property
    def amount(self) -> Money:
        """What it was worth when it was bought. Only of money."""
        assert self.bought.amount is not None
        return self.bought.amount

    @property
    def left(self) -> Money | None:
        """Of money that is used bit by bit, as far as we know; below zero where orders took too much."""
        return None if self.left_minor is None else Money(self.left_minor, self.amount.currency)

    @property
    def left_at_shop(self) -> Money:
        """What the code of a balance that we keep is to be worth there."""
        return Money(max(self.left_minor or 0, 0), self.amount.currency)


_COLUMNS = (
    "r.program_id, r.id AS redemption_id, r.account_id, r.shop_id, r.identity_id, CAST(r.reward AS text) AS bought, "
    "r.code, r.code_ref, r.tag, r.state, r.request_key, r.request_hash, r.actor, r.requested_at, r.issued_at, "
    "r.expires_at, r.closed_at, r.order_id, r.closing, r.dead_at, r.unknown, r.returned, r.left_minor, "
    "r.shop_minor, r.attempts, r.next_try_at, r.message"
)
# In the words of the index, so that it is used.
_STANDS = "state IN ('requested', 'issued', 'used', 'cancelling')"


def add_redemption(
    session: Session,
    *,
    account_id: int,
    shop_id: int,
    identity_id: int,
    bought: Bought,
    code: str,
    tag: str,
    request_key: str,
    request_hash: bytes,
    actor: str,
    expires_at: datetime,
    now: datetime,
) -> RedemptionRow:
    """Written down as `requested`."""
    redemption_id = session.scalar(
        "INSERT INTO redemptions (program_id, account_id, shop_id, identity_id, reward_key, reward, cost, code, "
        "code_key, tag, state, request_key, request_hash, actor, requested_at, expires_at, left_minor) "
        "VALUES (:program_id, :account, :shop, "
        ":identity, :reward_key, CAST(:reward AS jsonb), :cost, :code, :code_key, :tag, 'requested', :key, :hash, "
        ":actor, :now, :expires_at, :left) RETURNING id",
        account=account_id,
        shop=shop_id,
        identity=identity_id,
        reward_key=bought.key,
        reward=msgspec.json.encode(bought).decode(),
        cost=bought.cost,
        code=code,
        code_key=code.casefold(),
        tag=tag,
        key=request_key,
        hash=request_hash,
        actor=actor,
        expires_at=expires_at,
        now=now,
        left=bought.amount.minor if bought.is_balance and bought.amount else None,
    )
    return get_redemption(session, int(redemption_id))


def get_redemption(session: Session, redemption_id: int) -> RedemptionRow:
    """Raises: Refused("unknown_redemption")."""
    found = find_redemptions_where(session, "r.id = :id", id=redemption_id)
    if not found:
        raise Refused("unknown_redemption", "There is no such redemption.")
    return found[0]


def find_by_key(session: Session, account_ids: Sequence[int], request_key: str) -> RedemptionRow | None:
    found = find_redemptions_where(
        session,
        "r.account_id = ANY(:accounts) AND r.request_key = :key",
        accounts=list(account_ids),
        key=request_key,
    )
    return found[0] if found else None


def find_by_codes(session: Session, codes: Sequence[str]) -> list[RedemptionRow]:
    if not codes:
        return []
    return find_redemptions_where(
        session, "r.code_key = ANY(:codes)", codes=sorted({code.casefold() for code in codes})
    )


def lock_stock(session: Session, reward_key: str) -> None:
    """Wait for, and hold until commit, the right to take one of a reward of which there are only so many.

    After the account, never before it. A lock of its own: whoever sells something else need not wait.
    """
    session.run(
        "SELECT pg_advisory_xact_lock(hashtextextended(program_id || ' ' || :reward, 0)) "
        "FROM programs WHERE {fence}",
        reward=reward_key,
    )


def find_had(
    session: Session, account_ids: Sequence[int], reward_keys: Sequence[str]
) -> dict[str, list[datetime]]:
    """When these accounts had each reward, oldest first, less what was given back."""
    had: dict[str, list[datetime]] = {}
    for row in session.rows(
        "SELECT reward_key, requested_at FROM redemptions WHERE {fence} AND reward_key = ANY(:rewards) "
        f"AND account_id = ANY(:accounts) AND {_STANDS} ORDER BY requested_at",
        rewards=list(reward_keys),
        accounts=list(account_ids),
    ):
        had.setdefault(row.reward_key, []).append(row.requested_at)
    return had


def count_had(session: Session, reward_keys: Sequence[str]) -> dict[str, int]:
    """How many of each reward are gone, less what was given back."""
    rows = session.rows(
        "SELECT reward_key, count(*) AS gone FROM redemptions WHERE {fence} AND reward_key = ANY(:rewards) "
        f"AND {_STANDS} GROUP BY reward_key",
        rewards=list(reward_keys),
    )
    return {row.reward_key: row.gone for row in rows}


def count_before(session: Session, row: RedemptionRow) -> int:
    """How many redemptions were bound to this one's customer before it: a number that no other of them has."""
    return int(
        session.scalar(
            "SELECT count(*) FROM redemptions WHERE {fence} AND identity_id = :identity AND id < :redemption",
            identity=row.identity_id,
            redemption=row.redemption_id,
        )
    )


def find_redemptions_where(session: Session, condition: str, /, **params: Any) -> list[RedemptionRow]:
    """Redemptions `r` that meet `condition` (SQL of our own), oldest first."""
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM redemptions r WHERE {{fence:r}} AND {condition} ORDER BY r.id", params
    )
    return [_row(row) for row in rows]


def lock_redemption(session: Session, redemption_id: int) -> RedemptionRow:
    """The row, locked until commit. Raises: Refused("unknown_redemption")."""
    session.run("SELECT 1 FROM redemptions WHERE {fence} AND id = :id FOR UPDATE", id=redemption_id)
    return get_redemption(session, redemption_id)


def update_redemption(session: Session, redemption_id: int, **changes: Any) -> None:
    assignments = ", ".join(f"{name} = :{name}" for name in changes)
    session.run(
        f"UPDATE redemptions SET {assignments} WHERE {{fence}} AND id = :redemption",
        changes,
        redemption=redemption_id,
    )


def _row(row: Any) -> RedemptionRow:
    values = dict(row._mapping)
    values["bought"] = _decoder.decode(row.bought)
    values["state"] = RedemptionState(row.state)
    values["closing"] = Closing(row.closing) if row.closing else None
    values["request_hash"] = bytes(row.request_hash)
    return RedemptionRow(**values)


def bought_json(bought: Bought) -> Any:
    return json.loads(msgspec.json.encode(bought))


@dataclass(frozen=True, slots=True)
class Habits:
    """`reached`: members whose earnings came to `cost` before the given moment; `redeemed`: those of them who did.

    `delay_days`: the median from the one to the other. `favourite`: the reward that was bought most.
    """

    reached: int
    redeemed: int
    delay_days: int
    favourite: str | None


_HABITS = """
WITH credits AS (
  SELECT account_id, available_at, sum(points) OVER (PARTITION BY account_id ORDER BY available_at, seq) AS total
  FROM entries WHERE {fence} AND kind IN ('earn', 'earn_reversal')
), reached AS (
  SELECT account_id, min(available_at) AS at FROM credits WHERE total >= :cost AND available_at <= :before GROUP BY 1
), bought AS (
  SELECT account_id, min(requested_at) AS at FROM redemptions
  WHERE {fence} AND state NOT IN ('cancelled', 'cancelling', 'failed') GROUP BY 1
)
SELECT count(*) AS reached, count(b.at) AS redeemed,
  coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY greatest(CAST(b.at AS date) - CAST(r.at AS date), 0))
    FILTER (WHERE b.at IS NOT NULL), 0) AS delay_days,
  (SELECT reward->>'key' FROM redemptions WHERE {fence} AND state NOT IN ('cancelled', 'cancelling', 'failed')
    GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1) AS favourite
FROM reached r LEFT JOIN bought b ON b.account_id = r.account_id
"""


def find_habits(session: Session, *, cost: int, before: datetime) -> Habits:
    """How the session's program's members came from points to rewards, in one statement."""
    row = session.first(_HABITS, cost=cost, before=before)
    assert row is not None  # it counts
    return Habits(row.reached, row.redeemed, row.delay_days, row.favourite)
