"""The inbox: deliveries as received, sealed, until they are understood and for some weeks after."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import psycopg
import zstandard
from psycopg_pool import PoolTimeout

from app.db import statements
from app.db.sealing import CannotOpen, Vault
from app.db.session import Database, Session, rows_of
from app.db.together import Together

LEASE_S = 120
BATCH = 500
_QUICK = 1  # packing is on the acknowledge path: a tenth of zlib's time for the same size


class _Packing(threading.local):
    """Made once a thread: making them takes as long as packing a delivery, and none may be used by two at once."""

    def __init__(self) -> None:
        self.press = zstandard.ZstdCompressor(level=_QUICK)
        self.unpress = zstandard.ZstdDecompressor()


_packing = _Packing()

_MOST_AT_ONCE = 16

# One statement, its own transaction: the fence is set and the rows are stored in one. Deduplication only saves work.
_KEEP = (
    "WITH fence AS MATERIALIZED (SELECT set_config('laurel.programs', %%s, true)) "
    "INSERT INTO inbox (program_id, received_on, shop_id, received_at, topic, delivery_ref, body_hash, body) "
    "SELECT given.* FROM fence CROSS JOIN (VALUES %s) given WHERE fence.set_config IS NOT NULL "
    "ON CONFLICT DO NOTHING RETURNING shop_id, topic, delivery_ref, body_hash"
)
_ROW = "(CAST(%s AS bigint), CAST(%s AS date), CAST(%s AS bigint), CAST(%s AS timestamptz), %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxRow:
    program_id: int
    received_on: date
    inbox_id: int
    shop_id: int
    received_at: datetime
    topic: str
    delivery_ref: str
    body: bytes | None  # opened; None: sealed with a key that we have no more
    attempts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a delivery. `state`: done, ignored, stale, waiting or failed.

    `forget`: it is about somebody who was erased, so its body is emptied and names nobody.
    """

    row: InboxRow
    state: str
    reason: str | None = None
    order_ref: str | None = None
    customer_ref: str | None = None
    forget: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A verified delivery, to be kept."""

    program_id: int
    shop_id: int
    topic: str
    delivery_ref: str
    body: bytes
    at: datetime


class Keeping:
    """How deliveries come into the inbox: those that arrive in the same moment with one statement and one commit.

    A commit waits for the disk, and a shop that sells much sends many deliveries at once.
    """

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault
        outages = (psycopg.OperationalError, PoolTimeout)  # of the database, not of one delivery
        self._together = Together(self._store, most=_MOST_AT_ONCE, common=outages)

    def keep(self, arrival: Arrival) -> bool:
        """Store it, committed. Returns whether it is new; the same one again is kept once a day."""
        program_id, shop_id, body = arrival.program_id, arrival.shop_id, arrival.body
        return self._together.do(
            (
                program_id,
                arrival.at.date(),
                shop_id,
                arrival.at,
                arrival.topic[:200],
                arrival.delivery_ref[:200],
                hashlib.sha256(body).digest(),
                seal_body(self._vault, program_id, shop_id, body),
            )
        )

    def _store(self, rows: Sequence[tuple[Any, ...]]) -> Sequence[bool]:
        programs = ",".join({str(row[0]) for row in rows})
        params = [programs, *(value for row in rows for value in row)]
        stored = set(self._db.run_alone(_keep(len(rows)), params))
        new: list[bool] = []
        for _, _, shop_id, _, topic, delivery_ref, body_hash, _ in rows:
            key = (shop_id, topic, delivery_ref, body_hash)
            new.append(key in stored)
            stored.discard(key)  # twice in one statement: the second was seen before
        return new


@lru_cache(maxsize=_MOST_AT_ONCE)
def _keep(count: int) -> str:
    return _KEEP % ", ".join([_ROW] * count)


def seal_body(vault: Vault, program_id: int, shop_id: int, body: bytes) -> bytes:
    """As stored: packed first, since nothing sealed packs, and what is small lies in the row itself."""
    return vault.data.seal(_packing.press.compress(body), _place(program_id, shop_id))


def open_body(vault: Vault, program_id: int, shop_id: int, sealed: bytes) -> bytes:
    """Raises: CannotOpen."""
    return _packing.unpress.decompress(vault.data.open(bytes(sealed), _place(program_id, shop_id)))


def _place(program_id: int, shop_id: int) -> str:
    return f"inbox|{program_id}|{shop_id}"


def take(session: Session, vault: Vault, *, now: datetime, limit: int = BATCH) -> list[InboxRow]:
    """Lease the oldest waiting deliveries and count the attempt; the caller commits before the work.

    Whoever took deliveries and died shows in their attempts: such rows are taken in ever smaller parts, so that a
    delivery that kills the process is soon alone.
    """
    least = session.first(
        "SELECT attempts FROM inbox WHERE {fence} AND state = 'new' "
        "AND (leased_until IS NULL OR leased_until < :now) ORDER BY id LIMIT 1",
        now=now,
    )
    if least is None:
        return []
    rows = session.rows(
        "UPDATE inbox i SET attempts = i.attempts + 1, leased_until = :until FROM ("
        "SELECT program_id, received_on, id FROM inbox WHERE {fence} AND state = 'new' AND attempts = :attempts "
        "AND (leased_until IS NULL OR leased_until < :now) ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED) t "
        "WHERE {fence:i} AND i.program_id = t.program_id AND i.received_on = t.received_on AND i.id = t.id "
        "RETURNING i.program_id, i.received_on, i.id, i.shop_id, i.received_at, i.topic, i.delivery_ref, i.body, "
        "i.attempts",
        now=now,
        until=now + timedelta(seconds=LEASE_S),
        attempts=least.attempts,
        limit=max(limit >> (2 * least.attempts), 1),
    )
    taken = [
        InboxRow(
            program_id=row.program_id,
            received_on=row.received_on,
            inbox_id=row.id,
            shop_id=row.shop_id,
            received_at=row.received_at,
            topic=row.topic,
            delivery_ref=row.delivery_ref,
            body=_opened(vault, row.program_id, row.shop_id, row.body),
            attempts=row.attempts,
        )
        for row in rows
    ]
    return sorted(taken, key=lambda row: row.inbox_id)


def _opened(vault: Vault, program_id: int, shop_id: int, sealed: bytes | None) -> bytes | None:
    """One that cannot be opened stops no other."""
    if not sealed:
        return b""
    try:
        return open_body(vault, program_id, shop_id, sealed)
    except (CannotOpen, zstandard.ZstdError):
        return None


def finish(session: Session, outcomes: Sequence[Outcome], *, now: datetime) -> int:
    """Record what became of each. Returns how many were still waiting (the others, someone else finished)."""
    if not outcomes:
        return 0
    return session.run(
        "UPDATE inbox i SET state = u.state, reason = u.reason, order_ref = coalesce(u.order_ref, i.order_ref), "
        "customer_ref = CASE WHEN u.forget THEN NULL ELSE coalesce(u.customer_ref, i.customer_ref) END, "
        "body = CASE WHEN u.forget THEN NULL ELSE i.body END, processed_at = :now, leased_until = NULL "
        "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS u(program_id bigint, received_on date, id bigint, "
        "state text, reason text, order_ref text, customer_ref text, forget boolean) WHERE {fence:i} "
        "AND i.program_id = u.program_id AND i.received_on = u.received_on AND i.id = u.id AND i.state = 'new'",
        rows=rows_of(
            [
                {
                    "program_id": one.row.program_id,
                    "received_on": one.row.received_on,
                    "id": one.row.inbox_id,
                    "state": one.state,
                    "reason": one.reason,
                    "order_ref": one.order_ref,
                    "customer_ref": one.customer_ref,
                    "forget": one.forget,
                }
                for one in outcomes
            ]
        ),
        now=now,
    ).rowcount


def replay(session: Session, inbox_ids: Sequence[int] | None = None) -> int:
    """Put failed deliveries (those, or all) back to be processed. Returns how many."""
    return session.run(
        "UPDATE inbox SET state = 'new', attempts = 0, leased_until = NULL, reason = NULL "
        "WHERE {fence} AND state = 'failed' AND body IS NOT NULL "
        "AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(CAST(:ids AS bigint[])))",
        ids=None if inbox_ids is None else list(inbox_ids),
    ).rowcount


def counts(session: Session) -> dict[str, int]:
    rows = session.rows("SELECT state, count(*) AS n FROM inbox WHERE {fence} GROUP BY state")
    return {row.state: row.n for row in rows}


def make_days(session: Session, *, today: date, ahead: int = 14) -> None:
    """Make sure that there is a partition for each of the coming days."""
    for offset in range(-1, ahead):
        statements.run(
            session.connection, "SELECT laurel_make_inbox_day(:day)", {"day": today + timedelta(days=offset)}
        )
