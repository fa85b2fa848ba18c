"""What the shopper's panel begins with, in one way to the database and back: it is read all the time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.db import ledger, members, orders
from app.db.programs import live_of
from app.db.sealing import Vault
from app.db.session import Database
from app.domain.ledger import Book
from app.domain.program import Program
from app.domain.tiers import SpendFact

_MINE = "SELECT i.member_id FROM identities i WHERE {fence:i} AND i.shop_id = :shop AND i.customer_ref = :ref"
_PROGRAM = (
    "SELECT version, CAST(document AS text) AS document FROM program_versions "
    "WHERE {fence} ORDER BY version DESC LIMIT 1"
)
_SHOP = "SELECT name, currency FROM shops WHERE {fence} AND id = :shop"
_PERSON = (
    "SELECT i.program_id, i.id AS identity_id, i.shop_id, i.customer_ref, i.name, i.email_verified, i.proof_sent_at, "
    "(i.email IS NOT NULL AND i.email_hash IS NOT NULL AND NOT i.email_verified) AS unproven, "
    "m.id AS member_id, m.joined_at, m.tier_key, m.tier_since, m.erased_at, m.lifetime_points, "
    "a.points, a.deficit, a.seq, a.head, a.closed_at FROM identities i "
    "JOIN members m ON m.program_id = i.program_id AND m.id = i.member_id "
    "JOIN accounts a ON a.program_id = m.program_id AND a.id = m.id "
    "WHERE {fence:i} AND i.shop_id = :shop AND i.customer_ref = :ref"
)
_LOTS = (
    "SELECT seq, remaining, expired, available_at, expires_at, origin FROM lots "
    f"WHERE {{fence}} AND remaining > 0 AND account_id = ({_MINE})"
)
# As much as the longest window may need; what lies outside the program's is left out when it is added up.
_SPEND = (
    "SELECT shop_id, order_ref, counted_at, spend FROM orders "
    f"WHERE {{fence}} AND counted_at > :since AND member_id = ({_MINE})"
)
_LONGEST = timedelta(days=31 * 13)


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRow:
    program: Program
    shop_name: str
    shop_currency: str
    person: "Person | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    identity_id: int
    name: str | None
    member: members.MemberRow
    book: Book
    spend: Sequence[SpendFact]
    may_prove: bool  # an address that is known and not proven: whether something waits is asked apart
    proof_sent_at: datetime | None


def find_panel(
    db: Database, vault: Vault, program_id: int, shop_id: int, customer_ref: str | None, *, now: datetime
) -> PanelRow | None:
    """None where more must be looked at: a shop without a row, a longer window, an account that was merged away.

    `person` None: nobody is asked about, or they are no member.
    """
    about_shop = {"shop": shop_id}
    about = {"shop": shop_id, "ref": customer_ref, "since": now - _LONGEST}
    statements: list[tuple[str, dict[str, Any]]] = [(_PROGRAM, {}), (_SHOP, about_shop)]
    if customer_ref is not None:
        statements += [(_PERSON, about), (_LOTS, about), (_SPEND, about)]
    found = db.look(program_id, statements)
    program = live_of(found[0][0].document, found[0][0].version)
    people = found[2] if customer_ref is not None else []
    if not found[1] or program.tier_months > 12 or any(row.closed_at is not None for row in people):
        return None
    (shop,) = found[1]
    person = _person(vault, people[0], found[3], found[4]) if people else None
    return PanelRow(program=program, shop_name=shop.name, shop_currency=shop.currency, person=person)


def _person(vault: Vault, row: Any, lots: Sequence[Any], spend: Sequence[Any]) -> Person:
    place = members.personal_place(row.program_id, row.shop_id, row.customer_ref, "name")
    return Person(
        identity_id=row.identity_id,
        name=None if row.name is None else vault.data.open(bytes(row.name), place).decode(),
        member=members.MemberRow(
            program_id=row.program_id,
            member_id=row.member_id,
            joined_at=row.joined_at,
            tier_key=row.tier_key,
            tier_since=row.tier_since,
            erased_at=row.erased_at,
            lifetime_points=row.lifetime_points,
        ),
        book=Book(
            (row.program_id, row.member_id),
            points=row.points,
            deficit=row.deficit,
            seq=row.seq,
            head=bytes(row.head),
            lots=[ledger.lot_of(lot) for lot in lots],
        ),
        spend=[orders.spend_of(one.shop_id, one.order_ref, one.counted_at, one.spend) for one in spend],
        may_prove=row.unproven,
        proof_sent_at=row.proof_sent_at,
    )
