"""Orders are read at their shop and settled from its answer: marks first, then the call, then one transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.db import orders, programs, rereads, shops
from app.db.orders import OrderRow
from app.db.rereads import Claim
from app.db.session import Session
from app.db.shops import ShopRow
from app.domain.errors import Refused, Retryable
from app.domain.orders import OrderSnapshot
from app.domain.pacing import Urgency
from app.services.runtime import Runtime
from app.services.settle_orders import Seen, gone, settle_orders
from app.services.shop_client import open_shop
from connectors.base import Absent, ShopClient

UNREADABLE = "The shop answers for this order with an error: what we hold of it stays."
_TRY_UNSEEN_AGAIN = timedelta(days=1)
_EDGE = timedelta(days=1)  # the shop's window is by its own clock and its own date of the order


class Ending(StrEnum):
    SETTLED = "settled"
    GONE = "gone"  # the shop has it no more, and is believed
    UNREADABLE = "unreadable"
    NOTHING = "nothing"  # never seen, and the shop has no such order
    AGAIN = "again"  # a message about it came meanwhile: to be read once more


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOrder:
    """What a reading brought. `before` and `after`: the order as held; `moved`: points appended."""

    order_ref: str
    ending: Ending
    before: OrderRow | None
    after: OrderRow | None
    moved: int = 0


Answers = Mapping[str, OrderSnapshot | Absent]


Note = Callable[[Session, ShopRow, Sequence[ReadOrder]], None]


def read_at_shop(
    rt: Runtime, program_id: int, shop_id: int, claims: Sequence[Claim], *, note: Note | None = None
) -> list[ReadOrder]:
    """Read the claimed orders and settle them; `note` may write about it in the same transaction.

    In one go; or, where some call of it fails, in halves, so that one bad moment among many calls does not undo
    the rest. A shop that asks us to wait is not asked again at once.
    Raises: Refused, AccessLost, Retryable; then the marks stay of those that were not read.
    """
    if not claims:
        return []
    try:
        return _read(rt, program_id, shop_id, claims, note)
    except Retryable as error:
        if len(claims) == 1 or error.retry_after_s is not None:
            raise
    middle = len(claims) // 2
    first = read_at_shop(rt, program_id, shop_id, claims[:middle], note=note)
    return first + read_at_shop(rt, program_id, shop_id, claims[middle:], note=note)


def _read(
    rt: Runtime, program_id: int, shop_id: int, claims: Sequence[Claim], note: Note | None
) -> list[ReadOrder]:
    with open_shop(rt, program_id, shop_id, Urgency.ORDERS) as client:
        answers = client.read_orders([one.order_ref for one in claims])
        if Absent.GONE in answers.values():
            refresh_window(rt, program_id, shop_id, client)
    with rt.db.begin(program_id) as session:
        programs.lock_settling(session)
        shop = shops.get_shop(session, shop_id)
        if shop.state == "uninstalled":
            raise Refused("not_callable", "The shop was disconnected meanwhile: its orders are frozen.")
        read = _settle(rt, session, shop, claims, answers)
        if note is not None:
            note(session, shop, read)
    return read


def refresh_window(rt: Runtime, program_id: int, shop_id: int, client: ShopClient) -> None:
    """Ask how far back we may read, before an absence is believed: access may have been narrowed since."""
    facts = client.shop_facts()
    with rt.db.begin(program_id) as session:
        shops.update_shop(
            session, shop_id, reads_orders_days=facts.reads_orders_days, withheld=dict(facts.withheld)
        )


def is_readable(shop: ShopRow, placed_at: datetime, *, now: datetime) -> bool:
    """Whether the shop's scopes surely reach an order of that date: only then is its absence believed."""
    if shop.reads_orders_days is None:
        return True
    return placed_at > now - timedelta(days=shop.reads_orders_days) + _EDGE


def too_old(shop: ShopRow) -> str:
    return f"Older than the {shop.reads_orders_days} days that our access reaches: what we hold of it stays."


def _settle(
    rt: Runtime, session: Session, shop: ShopRow, claims: Sequence[Claim], answers: Answers
) -> list[ReadOrder]:
    now = rt.now()
    held = orders.find_orders(session, [(shop.shop_id, one.order_ref) for one in claims])
    unseen = rereads.find_unseen(session, shop.shop_id, [one.order_ref for one in claims])
    endings: dict[str, Ending] = {}
    seen: list[Seen] = []
    for one in claims:
        row = held.get((shop.shop_id, one.order_ref))
        told = answers.get(one.order_ref, Absent.UNREADABLE)
        endings[one.order_ref] = ending = _ending(shop, one, row, told, unseen, now)
        if ending in (Ending.SETTLED, Ending.GONE):
            seen.append(_seen(shop, one, row, told, now))
        elif ending is Ending.UNREADABLE:
            _note(session, shop, one, row, told, now)
    settled = settle_orders(session, rt.vault, seen, now=now) if seen else []
    after = {answer.row.order_ref: answer for answer in settled}
    rereads.forget_unseen(session, shop.shop_id, _done(claims, endings, unseen))
    return [
        ReadOrder(
            order_ref=one.order_ref,
            ending=endings[one.order_ref],
            before=held.get((shop.shop_id, one.order_ref)),
            after=after[one.order_ref].row if one.order_ref in after else None,
            moved=after[one.order_ref].moved if one.order_ref in after else 0,
        )
        for one in claims
    ]


def _ending(
    shop: ShopRow,
    one: Claim,
    row: OrderRow | None,
    told: OrderSnapshot | Absent,
    unseen: Mapping[str, int],
    now: datetime,
) -> Ending:
    if row is None:
        if one.order_ref not in unseen:
            return Ending.NOTHING  # another reading ended it meanwhile
        match told:
            case Absent.GONE:
                return Ending.NOTHING
            case Absent.UNREADABLE:
                return Ending.UNREADABLE
            case _:
                return Ending.SETTLED
    if told is Absent.UNREADABLE:
        return Ending.UNREADABLE
    if _overtaken(one, row, told):
        return Ending.AGAIN
    if told is Absent.GONE:
        placed_at = row.order.placed_at if row.order is not None else now
        return Ending.GONE if is_readable(shop, placed_at, now=now) else Ending.UNREADABLE
    return Ending.SETTLED


def _overtaken(one: Claim, row: OrderRow, told: OrderSnapshot | Absent) -> bool:
    """Whether a message of the same moment was settled after this reading began: nobody knows which is later.

    The shop's clock may count in seconds, and our answer may be from the first half of one. An absence has no
    moment at all.
    """
    before = one.held.order if one.held is not None else None
    if row.order is None or row.order == before:
        return False
    return isinstance(told, Absent) or told.updated_at == row.order.updated_at


def _seen(
    shop: ShopRow, one: Claim, row: OrderRow | None, told: OrderSnapshot | Absent, now: datetime
) -> Seen:
    if isinstance(told, Absent):
        assert row is not None
        assert row.order is not None
        told = gone(row.order, now=now)
    # An order never seen has no mark of its own yet: its reading is number 0.
    return Seen(
        shop_id=shop.shop_id, order=told, reread=True, read_no=one.number if one.held is not None else 0
    )


def _note(
    session: Session,
    shop: ShopRow,
    one: Claim,
    row: OrderRow | None,
    told: OrderSnapshot | Absent,
    now: datetime,
) -> None:
    if row is None:
        rereads.postpone_unseen(session, shop.shop_id, one.order_ref, UNREADABLE, now + _TRY_UNSEEN_AGAIN)
    else:
        reason = too_old(shop) if told is Absent.GONE else UNREADABLE
        rereads.note_unreadable(
            session, row.order_id, reason, number=one.number if one.held is not None else 0
        )


def _done(claims: Sequence[Claim], endings: Mapping[str, Ending], unseen: Mapping[str, int]) -> list[str]:
    """Orders that were never seen, read now, and not marked again meanwhile."""
    done = (Ending.SETTLED, Ending.GONE, Ending.NOTHING)
    return [
        one.order_ref
        for one in claims
        if endings[one.order_ref] in done and unseen.get(one.order_ref) == one.number
    ]
