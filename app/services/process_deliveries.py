"""Deliveries become changes, and changes what they ask for. A batch is one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from app.db import inbox, jobs, programs, shop_facts, shops
from app.db.inbox import InboxRow, Outcome
from app.db.session import Session
from app.db.shops import ShopRow
from app.domain.changes import (
    AccessChanged,
    Change,
    CodeGone,
    CustomerSeen,
    CustomersMerged,
    CustomerTagsChanged,
    DataRequested,
    ErasureRequested,
    Ignored,
    OrderChanged,
    OrderToReread,
    ShopErasureRequested,
    ShopUninstalled,
)
from app.domain.errors import Refused
from app.domain.folding import Verdict
from app.services.erase_customer import erase_customer
from app.services.mark_rereads import mark_rereads
from app.services.note_privacy_request import note_privacy_request
from app.services.runtime import Runtime
from app.services.see_customers import see_customers
from app.services.see_merge import see_merge
from app.services.settle_orders import Seen, settle_orders
from app.services.uninstall_shop import uninstall_shop
from connectors.base import Connector, Delivery

_STATE = {
    Verdict.NEWER: ("done", None),
    Verdict.SAME: ("done", "nothing new in it"),
    Verdict.STALE: ("stale", "older than what we hold"),
    Verdict.TIE: ("done", "two messages of the same moment differ: the order is read at the shop"),
    Verdict.GONE: ("done", "the shop had no such order any more: it is read there again"),
}


@dataclass(frozen=True, slots=True)
class ReadDelivery:
    """A delivery and what it means: a change, why it could not be read, or nothing where its shop is gone."""

    row: InboxRow
    change: Change | Exception | None


@dataclass(frozen=True, slots=True)
class _Understood:
    row: InboxRow
    shop: ShopRow
    change: Change


def read_deliveries(
    rt: Runtime, rows: Sequence[InboxRow], known: Mapping[int, ShopRow]
) -> list[ReadDelivery]:
    """What each delivery means; needs no lock. It follows from the delivery and from which of the shops sent it."""
    return [ReadDelivery(row, _meaning(rt, row, known.get(row.shop_id))) for row in rows]


def _meaning(rt: Runtime, row: InboxRow, shop: ShopRow | None) -> Change | Exception | None:
    try:
        return None if shop is None else normalise(rt.connectors[shop.platform], row, shop)
    except Exception as error:  # raised again where the batch is halved around it
        return error


def process_deliveries(
    rt: Runtime, session: Session, deliveries: Sequence[ReadDelivery], *, now: datetime
) -> list[Outcome]:
    """Do what the deliveries ask for, and say what became of each; the caller commits both together.

    Raises: whatever a connector raised over one of them, if that was not Refused: a bug of ours.
    """
    # First of all, so that locks are always taken in this order: programs, then everything else.
    programs.lock_settling(session)
    known = shops.find_shops(session, sorted({one.row.shop_id for one in deliveries}))
    outcomes: list[Outcome] = []
    understood: list[_Understood] = []
    for one in deliveries:
        shop = known.get(one.row.shop_id)
        if isinstance(one.change, Refused):
            outcomes.append(Outcome(one.row, "failed", f"{one.change.code}: {one.change.detail}"))
        elif isinstance(one.change, Exception):
            raise one.change
        elif shop is None or one.change is None:
            outcomes.append(Outcome(one.row, "failed", "the shop is not there any more"))
        else:
            understood.append(_Understood(one.row, shop, one.change))
    outcomes += _do(rt, session, understood, now)
    inbox.finish(session, outcomes, now=now)
    # Last, so that what this batch brought about the person is emptied too, the request itself included.
    for asked in understood:
        if isinstance(asked.change, ErasureRequested):
            _erase(session, rt, asked, asked.change, now)
    return outcomes


def normalise(connector: Connector, row: InboxRow, shop: ShopRow) -> Change:
    """What the stored delivery means. Raises: Refused."""
    if row.body is None:
        raise Refused(
            "sealed", "It is sealed with a key that is not in LAUREL_KEYS: put the key back, then replay it."
        )
    return connector.normalise(
        Delivery(topic=row.topic, delivery_ref=row.delivery_ref, shop_ref=shop.shop_ref, body=row.body)
    )


def _do(rt: Runtime, session: Session, understood: Sequence[_Understood], now: datetime) -> list[Outcome]:
    """People first, since orders are theirs; then the orders, all at once; then what is about whole shops."""
    outcomes: list[Outcome] = []
    people = [(one, one.change.customer) for one in understood if isinstance(one.change, CustomerSeen)]
    erased = see_customers(session, rt.vault, [(one.shop, facts) for one, facts in people], now=now)
    for one, facts in people:
        gone = (one.shop.shop_id, facts.customer_ref) in erased
        if gone:
            outcomes.append(Outcome(one.row, "ignored", "this person was erased", forget=True))
        else:
            outcomes.append(Outcome(one.row, "done", customer_ref=facts.customer_ref))
    outcomes += _orders(rt, session, understood, now)
    for one in understood:
        outcome = _other(session, rt, one, now)
        if outcome is not None:
            outcomes.append(outcome)
    return outcomes


def _orders(rt: Runtime, session: Session, understood: Sequence[_Understood], now: datetime) -> list[Outcome]:
    seen: list[tuple[_Understood, Seen]] = []
    outcomes: list[Outcome] = []
    for one in understood:
        if isinstance(one.change, OrderChanged):
            if one.shop.state == "uninstalled":
                frozen = "the shop is not connected: its orders are frozen"
                outcomes.append(Outcome(one.row, "ignored", frozen, one.change.order.order_ref))
                continue
            why = "it shows a refund without its lines" if one.change.reread else None
            seen.append((one, Seen(shop_id=one.shop.shop_id, order=one.change.order, wants_reread=why)))
    settled = settle_orders(session, rt.vault, [one for _, one in seen], now=now) if seen else []
    rereads: set[tuple[int, int]] = set()
    for (one, _), answer in zip(seen, settled, strict=True):
        state, reason = _STATE[answer.verdict]
        if answer.row.reread_wanted > answer.row.reread_done:
            rereads.add((one.shop.program_id, one.shop.shop_id))
        outcomes.append(Outcome(one.row, state, reason, answer.row.order_ref, forget=answer.erased))
    shops = [{"program_id": program_id, "shop_id": shop_id} for program_id, shop_id in sorted(rereads)]
    jobs.enqueue_all(session, "reread_orders", shops)
    return outcomes


def _other(session: Session, rt: Runtime, one: _Understood, now: datetime) -> Outcome | None:
    row, shop, change = one.row, one.shop, one.change
    program_id = shop.program_id
    match change:
        case OrderChanged() | CustomerSeen():
            return None
        case OrderToReread(order_ref, reason):
            mark_rereads(session, shop, {order_ref: reason}, now=now)
            return Outcome(row, "done", f"to be read at the shop: {reason}", order_ref)
        case CustomersMerged(kept_ref, deleted_ref):
            if not see_merge(session, rt.vault, shop, kept_ref, deleted_ref, now=now):
                return Outcome(row, "ignored", "this person was erased", forget=True)
            # It names two people and nothing else: an erasure would find it by one of them at most.
            return Outcome(row, "done", "the two customers become one member", forget=True)
        case CodeGone(code_ref):
            return _code_gone(session, row, shop, code_ref)
        case CustomerTagsChanged(customer_ref):
            return _tags_changed(session, row, shop, customer_ref)
        case AccessChanged():
            if shop.state != "connected":
                return Outcome(row, "ignored", "the shop is not connected")
            jobs.enqueue(session, "set_up_shop", program_id=program_id, shop_id=shop.shop_id)
            return Outcome(row, "done", "the shop is asked what it allows us now")
        case ShopUninstalled():
            return Outcome(row, "done", uninstall_shop(session, shop, now=now))
        case DataRequested(customer_ref, request_ref):
            note_privacy_request(session, shop, "data", request_ref, customer_ref=customer_ref, now=now)
            return Outcome(
                row, "done", "the merchant is asked to hand the data over", customer_ref=customer_ref
            )
        case ErasureRequested(customer_ref):
            return Outcome(row, "done", "the person is erased", customer_ref=customer_ref, forget=True)
        case ShopErasureRequested():
            note_privacy_request(session, shop, "shop_erasure", row.delivery_ref, customer_ref=None, now=now)
            jobs.enqueue(session, "erase_shop", program_id=program_id, shop_id=shop.shop_id)
            return Outcome(row, "done", "everybody known through this shop is erased")
        case Ignored(reason):
            return Outcome(row, "ignored", reason)
        case _:
            assert_never(change)


def _erase(session: Session, rt: Runtime, one: _Understood, change: ErasureRequested, now: datetime) -> None:
    ref = change.customer_ref
    note_privacy_request(session, one.shop, "erasure", one.row.delivery_ref, customer_ref=ref, now=now)
    erase_customer(
        session,
        rt.vault,
        one.shop.shop_id,
        ref,
        email=change.email,
        order_refs=change.order_refs,
        now=now,
    )


def _tags_changed(session: Session, row: InboxRow, shop: ShopRow, customer_ref: str) -> Outcome:
    if not shop_facts.want_tags_again(session, shop.shop_id, customer_ref):
        return Outcome(row, "ignored", "no rule asks how this customer is tagged", customer_ref=customer_ref)
    jobs.enqueue(session, "read_facts", program_id=shop.program_id, shop_id=shop.shop_id)
    return Outcome(row, "done", "the customer's tags are read at the shop", customer_ref=customer_ref)


def _code_gone(session: Session, row: InboxRow, shop: ShopRow, code_ref: str) -> Outcome:
    ours = session.first(
        "SELECT id FROM redemptions WHERE {fence} AND shop_id = :shop AND code_ref = :ref "
        "AND state IN ('requested', 'issued', 'cancelling')",
        shop=shop.shop_id,
        ref=code_ref,
    )
    if ours is None:
        return Outcome(row, "ignored", "the code is none of ours, or closed already")
    jobs.enqueue(
        session, "check_code", program_id=shop.program_id, shop_id=shop.shop_id, redemption_id=ours.id
    )
    return Outcome(row, "done", "our code is gone at the shop: it is looked into")
