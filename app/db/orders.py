"""Orders as folded so far: the snapshot, whose it is, its terms, its target and why."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from app.db.session import Session
from app.domain.orders import OrderSnapshot
from app.domain.tiers import SpendFact

_decoder = msgspec.json.Decoder(OrderSnapshot)
_encoder = msgspec.json.Encoder()

OrderKey = tuple[int, str]  # (shop id, order_ref): unique in a program's database


@dataclass(slots=True, kw_only=True)
class OrderRow:
    program_id: int
    order_id: int
    shop_id: int
    order_ref: str
    identity_id: int | None = None
    member_id: int | None = None
    email_hash: bytes | None = None
    order: OrderSnapshot | None = None  # None: not seen yet
    excluded: str | None = None
    held_reason: str | None = None
    terms_version: int | None = None
    terms_tier: str | None = None
    target_points: int = 0
    facts: Mapping[str, str | int] = field(default_factory=dict)
    spend: SpendFact | None = None
    reread_wanted: int = 0
    reread_done: int = 0
    reread_reason: str | None = None
    unreadable: str | None = None
    changed: bool = False

    @property
    def key(self) -> OrderKey:
        return (self.shop_id, self.order_ref)

    @property
    def source(self) -> str:
        return f"order:{self.order_id}"


_COLUMNS = (
    "o.program_id, o.id AS order_id, o.shop_id, o.order_ref, o.identity_id, o.member_id, o.email_hash, "
    "CAST(o.snapshot AS text) AS snapshot, o.excluded, o.held_reason, o.terms_version, o.terms_tier, "
    "o.target_points, o.facts, o.counted_at, o.spend, o.reread_wanted, o.reread_done, o.reread_reason, o.unreadable"
)


def find_orders(session: Session, keys: Iterable[OrderKey]) -> dict[OrderKey, OrderRow]:
    wanted = list(keys)
    if not wanted:
        return {}
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM orders o JOIN unnest(CAST(:shops AS bigint[]), CAST(:refs AS text[])) "
        "AS k(shop_id, order_ref) ON o.shop_id = k.shop_id AND o.order_ref = k.order_ref WHERE {fence:o}",
        shops=[shop_id for shop_id, _ in wanted],
        refs=[order_ref for _, order_ref in wanted],
    )
    return {(row.shop_id, row.order_ref): _row(row) for row in rows}


def find_orders_where(
    session: Session, condition: str, *, limit: int | None = None, **params: Any
) -> list[OrderRow]:
    """Orders `o` that meet `condition` (SQL of our own), by id."""
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM orders o WHERE {{fence:o}} AND {condition} ORDER BY o.id LIMIT :limit",
        params,
        limit=limit,
    )
    return [_row(row) for row in rows]


def pages_of_targets(session: Session, *, size: int = 1000) -> Iterator[Sequence[Any]]:
    """(id, member_id, identity_member_id, target_points) of every order, by id."""
    after = 0
    while page := session.rows(
        "SELECT o.id, o.member_id, o.target_points, i.member_id AS identity_member_id FROM orders o "
        "LEFT JOIN identities i ON {fence:i} AND i.program_id = o.program_id AND i.id = o.identity_id "
        "WHERE {fence:o} AND o.id > :after ORDER BY o.id LIMIT :size",
        after=after,
        size=size,
    ):
        yield page
        after = page[-1].id


def pages_of_orphans(session: Session, *, size: int = 500) -> Iterator[list[OrderRow]]:
    """Every order that is nobody's, by id."""
    after = 0
    while page := find_orders_where(
        session, "o.member_id IS NULL AND o.id > :after", limit=size, after=after
    ):
        yield page
        after = page[-1].order_id


def new_ids(session: Session, count: int) -> list[int]:
    rows = session.connection.exec_driver_sql(
        "SELECT nextval(pg_get_serial_sequence('orders', 'id')) FROM generate_series(1, %(count)s)",
        {"count": count},
    )
    return [int(row[0]) for row in rows]


def find_spend(
    session: Session, member_ids: Sequence[int], *, since: datetime
) -> list[tuple[int, int, datetime, SpendFact, int | None, str | None]]:
    """(member, order, placed_at, fact, terms version, terms tier) of what the members' orders mean for tiers."""
    if not member_ids:
        return []
    rows = session.rows(
        "SELECT id, member_id, shop_id, order_ref, placed_at, counted_at, spend, terms_version, terms_tier "
        "FROM orders WHERE {fence} AND member_id = ANY(:members) AND counted_at > :since",
        members=list(member_ids),
        since=since,
    )
    return [
        (
            row.member_id,
            row.id,
            row.placed_at,
            _spend(row.shop_id, row.order_ref, row.counted_at, row.spend),
            row.terms_version,
            row.terms_tier,
        )
        for row in rows
    ]


def write_orders(session: Session, rows: Sequence[OrderRow], *, now: datetime) -> None:
    """Insert or update all of `rows` in one statement."""
    if not rows:
        return
    known = [(row, row.order) for row in rows if row.order is not None]
    session.run(
        "INSERT INTO orders (program_id, id, shop_id, order_ref, identity_id, member_id, email_hash, snapshot, "
        "placed_at, updated_at, counted_at, excluded, held_reason, terms_version, terms_tier, target_points, "
        "facts, spend, reread_wanted, reread_done, reread_reason, unreadable) OVERRIDING SYSTEM VALUE "
        "SELECT p, i, s, r, d, m, e, CAST(sn AS jsonb), pl, up, co, ex, he, tv, tt, tp, CAST(fa AS jsonb), "
        "CAST(sp AS jsonb), rw, rd, rr, ur FROM unnest("
        "CAST(:p AS bigint[]), CAST(:i AS bigint[]), CAST(:s AS bigint[]), CAST(:r AS text[]), "
        "CAST(:d AS bigint[]), CAST(:m AS bigint[]), CAST(:e AS bytea[]), CAST(:sn AS text[]), "
        "CAST(:pl AS timestamptz[]), CAST(:up AS timestamptz[]), CAST(:co AS timestamptz[]), CAST(:ex AS text[]), "
        "CAST(:he AS text[]), CAST(:tv AS int[]), CAST(:tt AS text[]), CAST(:tp AS bigint[]), CAST(:fa AS text[]), "
        "CAST(:sp AS text[]), CAST(:rw AS int[]), CAST(:rd AS int[]), CAST(:rr AS text[]), CAST(:ur AS text[])) "
        "AS u(p, i, s, r, d, m, e, sn, pl, up, co, ex, he, tv, tt, tp, fa, sp, rw, rd, rr, ur) "
        "ON CONFLICT (program_id, id) DO UPDATE SET identity_id = excluded.identity_id, "
        "member_id = excluded.member_id, email_hash = excluded.email_hash, snapshot = excluded.snapshot, "
        "placed_at = excluded.placed_at, updated_at = excluded.updated_at, counted_at = excluded.counted_at, "
        "excluded = excluded.excluded, held_reason = excluded.held_reason, "
        "terms_version = excluded.terms_version, terms_tier = excluded.terms_tier, "
        "target_points = excluded.target_points, facts = excluded.facts, spend = excluded.spend, "
        "reread_wanted = excluded.reread_wanted, reread_done = excluded.reread_done, "
        "reread_reason = excluded.reread_reason, unreadable = excluded.unreadable",
        p=[row.program_id for row, _ in known],
        i=[row.order_id for row, _ in known],
        s=[row.shop_id for row, _ in known],
        r=[row.order_ref for row, _ in known],
        d=[row.identity_id for row, _ in known],
        m=[row.member_id for row, _ in known],
        e=[row.email_hash for row, _ in known],
        sn=[encode_snapshot(order) for _, order in known],
        pl=[order.placed_at for _, order in known],
        up=[order.updated_at for _, order in known],
        co=[row.spend.counted_at if row.spend else None for row, _ in known],
        ex=[row.excluded for row, _ in known],
        he=[row.held_reason for row, _ in known],
        tv=[row.terms_version for row, _ in known],
        tt=[row.terms_tier for row, _ in known],
        tp=[row.target_points for row, _ in known],
        fa=[json.dumps(dict(row.facts)) for row, _ in known],
        sp=[encode_spend(row.spend) for row, _ in known],
        rw=[row.reread_wanted for row, _ in known],
        rd=[row.reread_done for row, _ in known],
        rr=[row.reread_reason for row, _ in known],
        ur=[row.unreadable for row, _ in known],
    )


def encode_snapshot(order: OrderSnapshot) -> str:
    """As stored: without the address, which is kept as a keyed hash only."""
    return _encoder.encode(replace(order, email=None) if order.email else order).decode()


def decode_snapshot(text: str) -> OrderSnapshot:
    return _decoder.decode(text)


def encode_spend(spend: SpendFact | None) -> str | None:
    if spend is None:
        return None
    return json.dumps(
        {
            "goods_minor": spend.goods_minor,
            "refunds": [[when.isoformat(), minor] for when, minor in spend.refunds],
            "void_at": spend.void_at.isoformat() if spend.void_at else None,
        }
    )


def _spend(shop_id: int, order_ref: str, counted_at: datetime, stored: Mapping[str, Any]) -> SpendFact:
    return SpendFact(
        order_key=(shop_id, order_ref),
        counted_at=counted_at,
        goods_minor=stored["goods_minor"],
        refunds=tuple((datetime.fromisoformat(when), minor) for when, minor in stored["refunds"]),
        void_at=datetime.fromisoformat(stored["void_at"]) if stored["void_at"] else None,
    )


def _row(row: Any) -> OrderRow:
    order = decode_snapshot(row.snapshot)
    return OrderRow(
        program_id=row.program_id,
        order_id=row.order_id,
        shop_id=row.shop_id,
        order_ref=row.order_ref,
        identity_id=row.identity_id,
        member_id=row.member_id,
        email_hash=None if row.email_hash is None else bytes(row.email_hash),
        order=order,
        excluded=row.excluded,
        held_reason=row.held_reason,
        terms_version=row.terms_version,
        terms_tier=row.terms_tier,
        target_points=row.target_points,
        facts=row.facts,
        spend=None if row.spend is None else _spend(row.shop_id, row.order_ref, row.counted_at, row.spend),
        reread_wanted=row.reread_wanted,
        reread_done=row.reread_done,
        reread_reason=row.reread_reason,
        unreadable=row.unreadable,
    )
