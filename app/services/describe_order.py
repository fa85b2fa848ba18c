"""One order as we hold it: what the shop said, what it is worth and why, and what the ledger has for it."""

from dataclasses import dataclass

from app.db import ledger, members, orders, shops
from app.db.orders import OrderRow
from app.domain.counting import Facts
from app.domain.errors import Refused
from app.domain.explaining import Counted, Waits, counted, order_sentence
from app.domain.orders import OrderSnapshot
from app.services.find_words import find_words
from app.services.member_entries import EntryView, describe_entries
from app.services.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """`member_id` None: a guest's, or a customer's who has not joined. `held_reason`: cannot be counted yet."""

    shop_key: str
    snapshot: OrderSnapshot
    member_id: int | None
    terms_version: int | None
    terms_tier: str | None
    held_reason: str | None
    excluded: str | None
    unit: str
    target_points: int
    held_points: int
    entries: tuple[EntryView, ...]  # oldest first
    sentence: str
    facts: Facts
    counted: tuple[Counted, ...]
    reread_reason: str | None  # why it is to be read at the shop again; None: it is not
    unreadable: str | None


def describe_order(
    rt: Runtime, program_id: int, shop_key: str, order_ref: str, language: str | None = "en"
) -> OrderView:
    """Raises: Refused("unknown_order")."""
    with rt.db.begin(program_id) as session:
        shop = next((one for one in shops.find_shops(session).values() if one.key == shop_key), None)
        key = (shop.shop_id, order_ref) if shop else (0, "")
        row = orders.find_orders(session, [key]).get(key)
        if row is None or row.order is None:
            raise Refused("unknown_order", "This program knows no such order.")
        words = find_words(session, language)
        held = describe_entries(session, ledger.find_entries_of(session, [row.source]), words)
        winner = members.find_winners(session, [row.member_id]) if row.member_id is not None else {}
    owner = winner.get(row.member_id, row.member_id) if row.member_id is not None else None
    return OrderView(
        shop_key=shop_key,
        snapshot=row.order,
        member_id=owner,
        terms_version=row.terms_version,
        terms_tier=row.terms_tier,
        held_reason=row.held_reason,
        excluded=row.excluded,
        unit=words.unit,
        target_points=row.target_points,
        held_points=sum(one.entry.points for one in held),
        entries=tuple(held),
        sentence=order_sentence(row.facts, waits=waits_for(row), words=words),
        facts=row.facts,
        counted=counted(row.facts, words=words),
        reread_reason=row.reread_reason if row.reread_wanted > row.reread_done else None,
        unreadable=row.unreadable,
    )


def waits_for(row: OrderRow) -> Waits | None:
    """What an order that nobody owns waits for."""
    if row.member_id is not None or row.order is None:
        return None
    return Waits.GUEST if row.order.customer_ref is None else Waits.NOT_JOINED
