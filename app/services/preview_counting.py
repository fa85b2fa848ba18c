"""What another `counts_from`, or counting test orders, would cost: done for real, and taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import recounts, shops
from app.db.orders import OrderKey, find_orders
from app.db.session import Session
from app.db.shops import ShopRow
from app.domain.errors import Refused
from app.domain.orders import OrderSnapshot, OrderState
from app.services.reconcile_run import Progress, Watch
from app.services.recount import BATCH, all_to_recount
from app.services.runtime import Runtime
from app.services.settle_orders import Seen, settle_orders
from app.services.shop_client import open_shop, why_not_callable
from connectors.base import ShopClient

_MOST = 50_000  # orders read for one preview; they are settled, and taken back, in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingPreview:
    """`members`: points each would gain or lose. `joining`: people who would become members, and what they get.

    `read_at_shop`: orders we did not hold and read for this. `only_held`: why none could be read, if so.
    """

    orders: int
    members: dict[int, int]
    joining: int
    joining_points: int
    read_at_shop: int
    only_held: str | None

    @property
    def total(self) -> int:
        return sum(self.members.values()) + self.joining_points


def preview_counting(
    rt: Runtime,
    program_id: int,
    shop_id: int,
    *,
    counts_from: datetime | None = None,
    counts_test_orders: bool | None = None,
    watch: Watch | None = None,
) -> CountingPreview:
    """The same code as the change itself, in a transaction that is rolled back: exact to the point.

    Other settling of the program waits for its end. Raises: Refused("too_many"), AccessLost, Retryable.
    """
    with rt.db.begin(program_id) as session:
        shop = shops.get_shop(session, shop_id)
    start = counts_from or shop.counts_from
    tests = shop.counts_test_orders if counts_test_orders is None else counts_test_orders
    only_held = why_not_callable(shop)
    found = _read(rt, shop, start, watch) if start < shop.counts_from and only_held is None else []
    with rt.db.trial(program_id) as session:
        return _try(rt, session, shop, start, tests, found, only_held)


def _read(rt: Runtime, shop: ShopRow, start: datetime, watch: Watch | None) -> list[OrderSnapshot]:
    """Orders that changed since `start`: one that was placed since has changed since."""
    found: list[OrderSnapshot] = []
    until, looked_at = rt.now(), 0
    cursor: str | None = None
    while True:
        with open_shop(rt, shop.program_id, shop.shop_id) as client:
            page = client.orders_changed(start, until, cursor)
            found += _exact(client, [order for order in page.orders if order.placed_at >= start])
        looked_at += len(page.orders)
        if watch is not None:
            watch(Progress(kind="preview", looked_at=looked_at, total=None, repairs=0))
        if len(found) > _MOST:
            raise Refused("too_many", f"More than {_MOST} orders: choose a later date.")
        cursor = page.cursor
        if cursor is None:
            return found


def _exact(client: ShopClient, orders: Sequence[OrderSnapshot]) -> list[OrderSnapshot]:
    """Those that are orders; where a list shows refunds without their lines, the order as read."""
    real = [order for order in orders if order.state is not OrderState.GONE]
    vague = [order.order_ref for order in real if not all(refund.exact for refund in order.refunds)]
    read = client.read_orders(vague) if vague else {}
    answers = [(order, read.get(order.order_ref)) for order in real]
    return [answer if isinstance(answer, OrderSnapshot) else order for order, answer in answers]


def _try(
    rt: Runtime,
    session: Session,
    shop: ShopRow,
    start: datetime,
    tests: bool,
    found: Sequence[OrderSnapshot],
    only_held: str | None,
) -> CountingPreview:
    before = recounts.find_points(session)
    shops.update_shop(session, shop.shop_id, counts_from=start, counts_test_orders=tests)
    counted: set[OrderKey] = set()
    for batch in all_to_recount(session, [shop.shop_id]):
        settle_orders(session, rt.vault, [], now=rt.now(), recount=batch)
        counted.update(batch)
    unknown: set[OrderKey] = set()
    for first in range(0, len(found), BATCH):
        seen = [Seen(shop_id=shop.shop_id, order=order) for order in found[first : first + BATCH]]
        keys = [one.key for one in seen]
        unknown |= set(keys) - set(find_orders(session, keys))
        settle_orders(session, rt.vault, seen, now=rt.now())
    after = recounts.find_points(session)
    joining = {member: points for member, points in after.items() if member not in before}
    return CountingPreview(
        orders=len(counted | unknown),
        members={
            member: points - before[member]
            for member, points in sorted(after.items())
            if member in before and points != before[member]
        },
        joining=len(joining),
        joining_points=sum(joining.values()),
        read_at_shop=len(unknown),
        only_held=only_held,
    )
