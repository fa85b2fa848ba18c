"""Orders as folded so far: the snapshot, whose it is, its terms, its target and why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from app.db.blocks import blocks_of_all
from app.db.session import Session, rows_of
from app.domain.known import Known
from app.domain.orders import OrderSnapshot
from app.domain.spending import Membership, SpendFact

_decoder = msgspec.json.Decoder(OrderSnapshot)
_known = msgspec.json.Decoder(Known)

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
    known: Known | None = None  # what else the terms fix; None: nothing was asked for
    target_points: int = 0
    facts: Mapping[str, str | int] = field(default_factory=dict)
    spend: SpendFact | None = None
    reread_wanted: int = 0
    reread_done: int = 0
    reread_reason: str | None = None
    unreadable: str | None = None
    changed: bool = False
    is_new: bool = False  # not in the database yet: the ledger cannot hold anything for it

    @property
    def key(self) -> OrderKey:
        return (self.shop_id, self.order_ref)

    @property
    def source(self) -> str:
        return f"order:{self.order_id}"


_COLUMNS = (
    "o.program_id, o.id AS order_id, o.shop_id, o.order_ref, o.identity_id, o.member_id, o.email_hash, "
    "CAST(o.snapshot AS text) AS snapshot, o.excluded, o.held_reason, o.terms_version, o.terms_tier, "
    "CAST(o.known AS text) AS known, "
    "o.target_points, o.facts, o.counted_at, CAST(o.spend AS text) AS spend, "
    "o.reread_wanted, o.reread_done, o.reread_reason, o.unreadable"
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


def find_first_counted(session: Session, member_ids: Sequence[int]) -> dict[int, OrderRow]:
    """Member -> the earliest placed of their orders that were ever counted."""
    if not member_ids:
        return {}
    rows = session.rows(
        f"SELECT DISTINCT ON (o.member_id) {_COLUMNS} FROM orders o WHERE {{fence:o}} "
        "AND o.member_id = ANY(:members) AND o.terms_version IS NOT NULL ORDER BY o.member_id, o.placed_at, o.id",
        members=list(member_ids),
    )
    return {row.member_id: _row(row) for row in rows}


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


class HeldOrder(NamedTuple):
    """`person`: the same text for all orders of one member, or of one customer who is none; None: a guest.

    `test`: a test order, at a shop that does not count them. `blocked`: placed while its member was.
    """

    shop_id: int
    order: OrderSnapshot
    person: str | None
    test: bool
    blocked: bool


def stream_past(session: Session, shop_ids: Sequence[int]) -> Iterator[HeldOrder]:
    """Every order of these shops, in no order, as they come from the server. Who was merged counts as the winner."""
    merged = {
        row.id: row.merged_into
        for row in session.rows(
            "SELECT id, merged_into FROM accounts WHERE {fence} AND merged_into IS NOT NULL"
        )
    }
    blocks = blocks_of_all(session, lambda member: _winner(member, merged))
    for row in session.stream(
        "SELECT o.shop_id, o.member_id, o.identity_id, CAST(o.snapshot AS text) AS snapshot, s.counts_test_orders "
        "FROM orders o JOIN shops s ON {fence:s} AND s.program_id = o.program_id AND s.id = o.shop_id "
        "WHERE {fence:o} AND o.shop_id = ANY(:shops)",
        shops=list(shop_ids),
    ):
        order, person = decode_snapshot(row.snapshot), None
        member = None if row.member_id is None else _winner(row.member_id, merged)
        if member is not None:
            person = f"member {member}"
        elif row.identity_id is not None:
            person = f"customer {row.identity_id}"
        blocked = member in blocks and any(one.covers(order.placed_at) for one in blocks[member])
        yield HeldOrder(row.shop_id, order, person, order.test and not row.counts_test_orders, blocked)


def _winner(member: int, merged: Mapping[int, int]) -> int:
    while member in merged:
        member = merged[member]
    return member


def new_ids(session: Session, count: int) -> list[int]:
    rows = session.connection.exec_driver_sql(
        "SELECT nextval(pg_get_serial_sequence('orders', 'id')) FROM generate_series(1, %(count)s)",
        {"count": count},
    )
    return [int(row[0]) for row in rows]


class SpendRow(NamedTuple):
    """What one order of a member means for tiers, and the terms it was counted on."""

    member_id: int
    order_id: int
    placed_at: datetime
    fact: SpendFact
    terms_version: int | None
    terms_tier: str | None


class _Spend(msgspec.Struct, gc=False):
    goods_minor: int
    refunds: tuple[tuple[datetime, int], ...]
    void_at: datetime | None
    points: int = 0
    points_back: tuple[tuple[datetime, int], ...] = ()
    memberships: tuple[tuple[str, int, datetime | None], ...] = ()


_spend = msgspec.json.Decoder(_Spend)
_spend_rows = msgspec.json.Decoder(
    list[tuple[int, int, datetime, int, str, datetime, _Spend, int | None, str | None]]
)
_fact_rows = msgspec.json.Decoder(list[tuple[int, int, str, datetime, _Spend]])
_spend_facts = msgspec.json.Decoder(list[tuple[int, str, datetime, _Spend]])


def find_spend(session: Session, member_ids: Sequence[int], *, since: datetime) -> list[SpendRow]:
    """What the members' orders since then mean for tiers. As one value: thousands of rows are dear to take apart."""
    if not member_ids:
        return []
    found = session.scalar(
        "SELECT CAST(json_agg(json_build_array(member_id, id, placed_at, shop_id, order_ref, counted_at, spend, "
        "terms_version, terms_tier)) AS text) "
        "FROM orders WHERE {fence} AND member_id = ANY(:members) AND counted_at > :since",
        members=list(member_ids),
        since=since,
    )
    return [
        SpendRow(member, order, placed_at, _fact(shop, ref, counted_at, spend), version, tier)
        for member, order, placed_at, shop, ref, counted_at, spend, version, tier in _spend_rows.decode(
            found or "[]"
        )
    ]


def find_facts(session: Session, member_ids: Sequence[int], *, since: datetime) -> dict[int, list[SpendFact]]:
    """Member -> what their orders since then mean for tiers, and nothing else: it is read for everybody."""
    found = session.scalar(
        "SELECT CAST(json_agg(json_build_array(member_id, shop_id, order_ref, counted_at, spend)) AS text) "
        "FROM orders WHERE {fence} AND member_id = ANY(:members) AND counted_at > :since",
        members=list(member_ids),
        since=since,
    )
    facts: dict[int, list[SpendFact]] = {}
    for member_id, shop_id, order_ref, counted_at, spend in _fact_rows.decode(found or "[]"):
        facts.setdefault(member_id, []).append(_fact(shop_id, order_ref, counted_at, spend))
    return facts


def count_with_terms(session: Session, member_ids: Sequence[int]) -> dict[int, int]:
    """How many orders of each member were counted so far, whatever became of them since."""
    if not member_ids:
        return {}
    rows = session.rows(
        "SELECT member_id, count(*) AS n FROM orders WHERE {fence} AND member_id = ANY(:members) "
        "AND terms_version IS NOT NULL GROUP BY member_id",
        members=list(member_ids),
    )
    return {row.member_id: row.n for row in rows}


# What is left of an order's goods now, in the program's currency.
_NET = (
    "CASE WHEN o.spend->>'void_at' IS NOT NULL THEN 0 ELSE greatest(CAST(o.spend->>'goods_minor' AS bigint) "
    "- coalesce((SELECT sum(CAST(r->>1 AS bigint)) FROM jsonb_array_elements(o.spend->'refunds') r), 0), 0) END"
)


class Bought(NamedTuple):
    """What orders of one member came to, less refunds, in the program's currency; when the last of them counted."""

    spend_minor: int
    last_at: datetime | None


def find_bought(session: Session, member_ids: Sequence[int], *, but: Sequence[OrderKey]) -> dict[int, Bought]:
    """For each member with counted orders, those of `but` left out."""
    if not member_ids:
        return {}
    rows = session.rows(
        f"SELECT o.member_id, max(o.counted_at) AS last_at, sum({_NET}) AS spend FROM orders o "
        "WHERE {fence:o} AND o.member_id = ANY(:members) AND o.terms_version IS NOT NULL "
        "AND o.counted_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM unnest(CAST(:shops AS bigint[]), "
        "CAST(:refs AS text[])) AS k(s, r) WHERE k.s = o.shop_id AND k.r = o.order_ref) GROUP BY o.member_id",
        members=list(member_ids),
        shops=[shop_id for shop_id, _ in but],
        refs=[ref for _, ref in but],
    )
    return {row.member_id: Bought(int(row.spend), row.last_at) for row in rows}


class Past(NamedTuple):
    """One counted order of a member: when it counted, its points, what is left of its goods, the goals it reached."""

    counted_at: datetime
    points: int
    net_minor: int
    goals: tuple[str, ...]


def find_past(
    session: Session, member_ids: Sequence[int], *, since: datetime | None
) -> dict[int, dict[OrderKey, Past]]:
    """Of each member the orders that counted since then; None: all of them."""
    found: dict[int, dict[OrderKey, Past]] = {}
    if not member_ids:
        return found
    rows = session.rows(
        f"SELECT o.member_id, o.shop_id, o.order_ref, o.counted_at, o.target_points, {_NET} AS net, "
        "o.facts->>'goals' AS goals FROM orders o "
        "WHERE {fence:o} AND o.member_id = ANY(:members) AND o.terms_version IS NOT NULL "
        "AND o.counted_at IS NOT NULL "
        "AND (CAST(:since AS timestamptz) IS NULL OR o.counted_at > CAST(:since AS timestamptz))",
        members=list(member_ids),
        since=since,
    )
    for row in rows:
        past = Past(row.counted_at, row.target_points, int(row.net), tuple((row.goals or "").split()))
        found.setdefault(row.member_id, {})[(row.shop_id, row.order_ref)] = past
    return found


def points_of_days(
    session: Session, starts: Sequence[datetime], ends: Sequence[datetime], *, but: Sequence[OrderKey]
) -> list[int]:
    """For each stretch of time: what all counted orders that were placed in it are worth, `but` left out."""
    if not starts:
        return []
    rows = session.rows(
        "SELECT u.n, coalesce(sum(o.target_points), 0) AS points FROM unnest(CAST(:starts AS timestamptz[]), "
        "CAST(:ends AS timestamptz[])) WITH ORDINALITY AS u(a, b, n) LEFT JOIN orders o ON {fence:o} "
        "AND o.shop_id IN (SELECT id FROM shops WHERE {fence}) AND o.placed_at >= u.a AND o.placed_at < u.b "
        "AND o.terms_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM unnest(CAST(:shops AS bigint[]), "
        "CAST(:refs AS text[])) AS k(s, r) WHERE k.s = o.shop_id AND k.r = o.order_ref) GROUP BY u.n ORDER BY u.n",
        starts=list(starts),
        ends=list(ends),
        shops=[shop_id for shop_id, _ in but],
        refs=[ref for _, ref in but],
    )
    return [int(row.points) for row in rows]


def spend_facts(found: str | None) -> list[SpendFact]:
    """From a JSON array of [shop_id, order_ref, counted_at, spend]; None: there were none."""
    return [_fact(*one) for one in _spend_facts.decode(found or "[]")]


def _fact(shop_id: int, order_ref: str, counted_at: datetime, spend: _Spend) -> SpendFact:
    return SpendFact(
        order_key=(shop_id, order_ref),
        counted_at=counted_at,
        goods_minor=spend.goods_minor,
        refunds=spend.refunds,
        void_at=spend.void_at,
        points=spend.points,
        points_back=spend.points_back,
        memberships=tuple(Membership(*one) for one in spend.memberships),
    )


_UPSERT = (
    "INSERT INTO orders (program_id, id, shop_id, order_ref, identity_id, member_id, email_hash, snapshot, "
    "placed_at, updated_at, counted_at, excluded, held_reason, terms_version, terms_tier, known, target_points, "
    "facts, spend, reread_wanted, reread_done, reread_reason, unreadable) OVERRIDING SYSTEM VALUE "
    "SELECT p, i, s, r, d, m, decode(e, 'base64'), sn, pl, up, co, ex, he, tv, tt, kn, tp, fa, sp, rw, rd, rr, ur "
    "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS u(p bigint, i bigint, s bigint, r text, d bigint, m bigint, "
    "e text, sn jsonb, pl timestamptz, up timestamptz, co timestamptz, ex text, he text, tv int, tt text, "
    "kn jsonb, tp bigint, fa jsonb, sp jsonb, rw int, rd int, rr text, ur text) "
    "ON CONFLICT (program_id, id) DO UPDATE SET "
    + ", ".join(
        f"{column} = excluded.{column}"
        for column in (
            "identity_id member_id email_hash snapshot placed_at updated_at counted_at excluded held_reason "
            "terms_version terms_tier known target_points facts spend reread_wanted reread_done reread_reason unreadable"
        ).split()
    )
)


def write_orders(session: Session, rows: Sequence[OrderRow], *, now: datetime) -> None:
    """Insert or update all of `rows` in one statement."""
    if not rows:
        return
    session.run(
        _UPSERT,
        rows=rows_of(
            [
                {
                    "p": row.program_id,
                    "i": row.order_id,
                    "s": row.shop_id,
                    "r": row.order_ref,
                    "d": row.identity_id,
                    "m": row.member_id,
                    "e": row.email_hash,
                    "sn": _without_address(row.order),
                    "pl": row.order.placed_at,
                    "up": row.order.updated_at,
                    "co": row.spend.counted_at if row.spend else None,
                    "ex": row.excluded,
                    "he": row.held_reason,
                    "tv": row.terms_version,
                    "tt": row.terms_tier,
                    "kn": row.known,
                    "tp": row.target_points,
                    "fa": row.facts,
                    "sp": _spend_json(row.spend),
                    "rw": row.reread_wanted,
                    "rd": row.reread_done,
                    "rr": row.reread_reason,
                    "ur": row.unreadable,
                }
                for row in rows
                if row.order is not None
            ]
        ),
    )


def encode_snapshot(order: OrderSnapshot) -> str:
    return msgspec.json.encode(_without_address(order)).decode()


def decode_snapshot(text: str) -> OrderSnapshot:
    return _decoder.decode(text)


def _without_address(order: OrderSnapshot) -> OrderSnapshot:
    """As stored: the address is kept as a keyed hash only."""
    return replace(order, email=None) if order.email else order


def _spend_json(spend: SpendFact | None) -> dict[str, Any] | None:
    if spend is None:
        return None
    told: dict[str, Any] = {
        "goods_minor": spend.goods_minor,
        "refunds": spend.refunds,
        "void_at": spend.void_at,
        "points": spend.points,
    }
    if spend.points_back:
        told["points_back"] = spend.points_back
    if spend.memberships:
        told["memberships"] = [(one.tier_key, one.days, one.gone_at) for one in spend.memberships]
    return told


def _stored_fact(row: Any) -> SpendFact | None:
    if row.spend is None:
        return None
    return _fact(row.shop_id, row.order_ref, row.counted_at, _spend.decode(row.spend))


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
        known=None if row.known is None else _known.decode(row.known),
        target_points=row.target_points,
        facts=row.facts,
        spend=_stored_fact(row),
        reread_wanted=row.reread_wanted,
        reread_done=row.reread_done,
        reread_reason=row.reread_reason,
        unreadable=row.unreadable,
    )
