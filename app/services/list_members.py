"""Members, a page at a time, or those that a search means."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.db.session import Session
from app.services.describe_member import MemberView, describe_members
from app.services.find_member import ByCustomer, ByEmail, find_in, open_accounts
from app.services.runtime import Runtime

PAGE = 50
_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class MemberPage:
    members: tuple[MemberView, ...]
    next: int | None  # the cursor to go on with; None: that was the last page


def list_members(
    rt: Runtime, program_id: int, *, search: str = "", cursor: int = 0, limit: int = PAGE
) -> MemberPage:
    """Open members by id, after `cursor`. `search`: an e-mail address, <shop_key>:<customer ref>, a customer ref, or the
    number of an order; then everybody whom it means, in one page."""
    with rt.db.begin(program_id) as session:
        if search.strip():
            found = _meant(session, rt, search.strip())
            return MemberPage(tuple(describe_members(session, rt, found[:limit])), None)
        rows = session.rows(
            "SELECT m.id FROM members m JOIN accounts a ON a.program_id = m.program_id AND a.id = m.id "
            "WHERE {fence:m} AND {fence:a} AND a.closed_at IS NULL AND m.id > :after ORDER BY m.id LIMIT :limit",
            after=cursor,
            limit=limit + 1,
        )
        ids = [row.id for row in rows][:limit]
        more = len(rows) > limit
        return MemberPage(tuple(describe_members(session, rt, ids)), ids[-1] if more else None)


def _meant(session: Session, rt: Runtime, search: str) -> list[int]:
    if "@" in search:
        return find_in(session, rt, ByEmail(search))
    shop_key, colon, customer_ref = search.partition(":")
    if colon and customer_ref:
        return find_in(session, rt, ByCustomer(shop_key, customer_ref))
    return _by_order_or_customer(session, rt, search)


def _by_order_or_customer(session: Session, rt: Runtime, search: str) -> list[int]:
    rows = session.rows(
        "SELECT member_id FROM orders WHERE {fence} AND member_id IS NOT NULL "
        "AND (order_ref = :ref OR snapshot->>'number' = ANY(:numbers)) "
        "UNION SELECT member_id FROM identities WHERE {fence} AND member_id IS NOT NULL AND customer_ref = :ref "
        "ORDER BY member_id LIMIT 100",
        ref=search,
        numbers=_numbers(search),
    )
    return open_accounts(session, [row.member_id for row in rows])


def _numbers(search: str) -> Sequence[str]:
    """An order's number is shown with or without its sign."""
    return [search, f"#{search}" if _ID.fullmatch(search) else search]
