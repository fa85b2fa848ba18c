"""Whom an id, a shop's customer or an address means, now: merges are followed to the end."""

from dataclasses import dataclass

from app.db import members, shops
from app.db.session import Session
from app.services.runtime import Runtime

ERASED = "erased:"  # how the customer ref of somebody who was erased begins: nobody is found by it


@dataclass(frozen=True, slots=True)
class ById:
    member_id: int


@dataclass(frozen=True, slots=True)
class ByCustomer:
    shop_key: str
    customer_ref: str


@dataclass(frozen=True, slots=True)
class ByEmail:
    """An address that somebody's shop told us; whoever proved it comes before those who did not."""

    email: str


Who = ById | ByCustomer | ByEmail


def find_member(rt: Runtime, program_id: int, who: Who) -> int | None:
    """The open account that `who` means; None: nobody is known by it, or they are no member."""
    with rt.db.begin(program_id) as session:
        found = find_in(session, rt, who)
        return found[0] if found else None


def find_in(session: Session, rt: Runtime, who: Who) -> list[int]:
    """Every member that `who` means, the likeliest first; only an address can mean several."""
    match who:
        case ById(member_id):
            return open_accounts(session, list(members.find_members(session, [member_id])))
        case ByCustomer(shop_key, customer_ref):
            return open_accounts(session, _customers(session, shop_key, customer_ref))
        case ByEmail(email):
            rows = session.rows(
                "SELECT member_id FROM identities WHERE {fence} AND email_hash = CAST(:hash AS bytea) "
                "AND member_id IS NOT NULL ORDER BY email_verified DESC, id LIMIT 100",
                hash=rt.vault.email_hash(email),
            )
            return open_accounts(session, [row.member_id for row in rows])


def _customers(session: Session, shop_key: str, customer_ref: str) -> list[int]:
    shop = next((one for one in shops.find_shops(session).values() if one.key == shop_key), None)
    if shop is None or customer_ref.startswith(ERASED):
        return []
    found = members.find_identities(session, [(shop.shop_id, customer_ref)])
    return [one.member_id for one in found.values() if one.member_id is not None]


def open_accounts(session: Session, member_ids: list[int]) -> list[int]:
    """Those members with merges followed to the end, each once, in that order."""
    winners = members.find_winners(session, member_ids)
    return list(dict.fromkeys(winners.get(one, one) for one in member_ids))
