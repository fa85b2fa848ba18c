"""What the shopper's panel begins with, in one way to the database and back: it is read all the time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import psycopg
from psycopg_pool import PoolTimeout

from app.db import members, orders
from app.db.programs import live_of
from app.db.sealing import Vault
from app.db.session import Database
from app.db.together import Together
from app.domain.ledger import Book, Lot
from app.domain.program import Program
from app.domain.spending import SpendFact, window_start

# `asked.known` is the version that the asker remembers: a version never changes, so its document is not sent again.
_PANEL = (
    "SELECT v.version, v.document, s.name AS shop_name, s.currency, EXISTS (SELECT 1 FROM freezes f "
    "WHERE {fence:f} AND f.lifted_at IS NULL) AS frozen, p.* FROM shops s "
    "CROSS JOIN LATERAL (SELECT version, CASE WHEN version <> asked.known THEN CAST(document AS text) END AS document "
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
    "FROM orders o WHERE {fence:o} AND o.member_id = m.id AND o.counted_at > asked.since AND o.spend IS NOT NULL) "
    "AS spend "
    "FROM identities i JOIN members m ON m.program_id = i.program_id AND m.id = i.member_id "
    "JOIN accounts a ON a.program_id = m.program_id AND a.id = m.id "
    "WHERE {fence:i} AND i.shop_id = s.id AND i.customer_ref = asked.ref) p ON true "
    "WHERE {fence:s} AND s.id = asked.shop"
)

_Asked = tuple[int, str, datetime, int]
_KINDS = {"shop": "bigint", "ref": "text", "since": "timestamptz", "known": "bigint"}
_MOST_AT_ONCE = 16


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


class Panels:
    """How panels are read: those that are asked for in the same moment by one statement for each program."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault
        outages = (psycopg.OperationalError, PoolTimeout)  # of the database, not of one panel
        self._together = Together(self._look, most=_MOST_AT_ONCE, common=outages)

    def find(
        self, program_id: int, shop_id: int, customer_ref: str | None, *, known: Program | None, now: datetime
    ) -> PanelRow | None:
        """`known`: the live program as the asker remembers it, which saves reading it again if it still is.

        None where more must be looked at: a shop without a row, a longer window, an account that was merged away, a
        person who was blocked or held once.
        `person` None: nobody is asked about, or they are no member.
        """
        since = window_start(known, now) if known else now - _LONGEST
        ref = customer_ref or ""
        row = self._together.do((program_id, (shop_id, ref, since, known.version if known else 0)))
        if row is None:
            return None
        program = known if known and row.document is None else live_of(row.document or "", row.version)
        is_longer = program is not known and window_start(program, now) < since
        if is_longer or row.closed_at is not None or row.marked:
            return None
        place = members.personal_place(program_id, shop_id, ref, "name")
        return PanelRow(
            program=program,
            shop_name=row.shop_name,
            shop_currency=row.shop_currency,
            frozen=row.frozen,
            person=_person(self._vault, row, program_id, place),
        )

    def _look(self, asked: Sequence[tuple[int, _Asked]]) -> Sequence[_Found | None]:
        """Each by the fence of its own program alone."""
        found: list[_Found | None] = [None] * len(asked)
        for wanted in {program_id for program_id, _ in asked}:
            places = [place for place, (program_id, _) in enumerate(asked) if program_id == wanted]
            rows = self._db.look(wanted, _PANEL, _KINDS, [asked[place][1] for place in places], _Found)
            for place, row in zip(places, rows, strict=True):
                found[place] = row
        return found


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
