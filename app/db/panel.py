"""What the shopper's panel begins with, in one way to the database and back: it is read all the time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from app.db import members, orders
from app.db.programs import live_of
from app.db.sealing import Vault
from app.db.session import Database
from app.domain.ledger import Book, Lot
from app.domain.program import Program
from app.domain.spending import SpendFact, window_start

# `:known` is the version that the asker remembers: a version never changes, so its document is not sent again.
_PANEL = (
    "SELECT v.version, v.document, s.name AS shop_name, s.currency, EXISTS (SELECT 1 FROM freezes f "
    "WHERE {fence:f} AND f.lifted_at IS NULL) AS frozen, p.* FROM shops s "
    "CROSS JOIN LATERAL (SELECT version, CASE WHEN version <> :known THEN CAST(document AS text) END AS document "
    "FROM program_versions WHERE {fence} ORDER BY version DESC LIMIT 1) v "
    "LEFT JOIN LATERAL (SELECT i.id AS identity_id, i.name, "
    f"CASE WHEN {members.UNPROVEN} THEN i.proof_sent_at END AS proof_sent_at, "
    f"({members.UNPROVEN}) AND {members.WAITS} AS waits, "
    "m.was_blocked OR m.was_held AS marked, "
    "m.id AS member_id, m.joined_at, m.tier_key, m.tier_since, m.erased_at, m.lifetime_points, "
    "a.points, a.deficit, a.seq, a.head, a.closed_at, "
    "(SELECT CAST(json_agg(json_build_array(seq, remaining, expired, available_at, expires_at, origin)) AS text) "
    "FROM lots l WHERE {fence:l} AND l.account_id = m.id AND l.remaining > 0) AS lots, "
    # As much as the window may need; what lies outside it is left out when it is added up.
    "(SELECT CAST(json_agg(json_build_array(shop_id, order_ref, counted_at, spend)) AS text) "
    "FROM orders o WHERE {fence:o} AND o.member_id = m.id AND o.counted_at > :since AND o.spend IS NOT NULL) AS spend "
    "FROM identities i JOIN members m ON m.program_id = i.program_id AND m.id = i.member_id "
    "JOIN accounts a ON a.program_id = m.program_id AND a.id = m.id "
    "WHERE {fence:i} AND i.shop_id = s.id AND i.customer_ref = :ref) p ON true "
    "WHERE {fence:s} AND s.id = :shop"
)


class _Found(NamedTuple):
    """The columns of `_PANEL`, in its order; from `identity_id` on None where nobody is asked about or known."""

    version: int
    document: str | None
    shop_name: str
    shop_currency: str
    frozen: bool
    identity_id: int
    name: bytes | None
    proof_sent_at: datetime | None
    waits: bool
    marked: bool | None
    member_id: int | None
    joined_at: datetime
    tier_key: str
    tier_since: datetime | None
    erased_at: datetime | None
    lifetime_points: int
    points: int
    deficit: int
    seq: int
    head: bytes
    closed_at: datetime | None
    lots: str | None
    spend: str | None


_LONGEST = timedelta(days=31 * 13)
_LOTS = msgspec.json.Decoder(list[tuple[int, int, int, datetime, datetime | None, str]])


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRow:
    program: Program
    shop_name: str
    shop_currency: str
    frozen: bool  # nobody spends points in this program now
    person: "Person | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    identity_id: int
    name: str | None
    member: members.MemberRow
    book: Book
    spend: Sequence[SpendFact]
    waits: bool  # something lies behind their address, which is not proven
    proof_sent_at: datetime | None  # None too where the address is proven


def find_panel(
    db: Database,
    vault: Vault,
    program_id: int,
    shop_id: int,
    customer_ref: str | None,
    *,
    known: Program | None,
    now: datetime,
) -> PanelRow | None:
    """`known`: the live program as the asker remembers it, which saves reading it again if it still is.

    None where more must be looked at: a shop without a row, a longer window, an account that was merged away, a person
    who was blocked or held once.
    `person` None: nobody is asked about, or they are no member.
    """
    since = window_start(known, now) if known else now - _LONGEST
    about = {
        "shop": shop_id,
        "ref": customer_ref or "",
        "since": since,
        "known": known.version if known else 0,
    }
    row = db.look(program_id, _PANEL, about, _Found)
    if row is None:
        return None
    program = known if known and row.document is None else live_of(row.document or "", row.version)
    if window_start(program, now) < since or row.closed_at is not None or row.marked:
        return None
    return PanelRow(
        program=program,
        shop_name=row.shop_name,
        shop_currency=row.shop_currency,
        frozen=row.frozen,
        person=_person(
            vault, row, program_id, members.personal_place(program_id, shop_id, customer_ref or "", "name")
        ),
    )


def _person(vault: Vault, row: _Found, program_id: int, place: str) -> Person | None:
    if row.member_id is None:
        return None
    return Person(
        identity_id=row.identity_id,
        name=None if row.name is None else vault.data.open(row.name, place).decode(),
        member=members.MemberRow(
            program_id=program_id,
            member_id=row.member_id,
            joined_at=row.joined_at,
            tier_key=row.tier_key,
            tier_since=row.tier_since,
            erased_at=row.erased_at,
            lifetime_points=row.lifetime_points,
        ),
        book=Book(
            (program_id, row.member_id),
            points=row.points,
            deficit=row.deficit,
            seq=row.seq,
            head=row.head,
            lots=[Lot(*lot) for lot in _LOTS.decode(row.lots or "[]")],
        ),
        spend=orders.spend_facts(row.spend),
        waits=row.waits,
        proof_sent_at=row.proof_sent_at,
    )
