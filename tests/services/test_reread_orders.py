"""Marked orders are read at their shop: no mark is lost, none answered twice, and no older answer settles last."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from app.db import rereads, shops
from app.domain.errors import AccessLost, Retryable
from app.domain.orders import OrderState
from app.domain.pacing import Urgency
from app.services import read_at_shop as reading
from app.services import shop_client
from app.services.drain_inbox import drain_inbox
from app.services.mark_rereads import mark_rereads
from app.services.read_at_shop import Ending, read_at_shop
from app.services.runtime import Runtime
from app.services.waiting import waiting
from connectors.base import ShopClient
from sandbox.faults import FaultKind
from tests.conftest import Clock, make_program
from tests.services.stands import Stand, woo_stand


@pytest.fixture
def woo(rt: Runtime, clock: Clock) -> Stand:
    stand = woo_stand(rt, clock, make_program(rt, currency="USD"))
    clock.forward(hours=1)
    return stand


def paid_order(stand: Stand, price: int = 40) -> Any:
    store = stand.store
    customer = next(iter(store.customers.values()), None) or store.create_customer("ann@example.test")
    order = store.create_order([(store.product(f"Mug {price}", price), 1)], customer=customer)
    store.pay(order)
    stand.deliver_all()
    return order


def mark(stand: Stand, *refs: object) -> None:
    with stand.rt.db.begin(stand.program_id) as session:
        shop = shops.get_shop(session, stand.shop.shop_id)
        mark_rereads(session, shop, {str(ref): "asked for" for ref in refs}, now=stand.rt.now())


def claim(stand: Stand, *refs: object) -> list[rereads.Claim]:
    with stand.rt.db.begin(stand.program_id) as session:
        return rereads.claim(session, stand.shop.shop_id, [str(ref) for ref in refs])


def is_marked(stand: Stand) -> bool:
    with stand.rt.db.begin(stand.program_id) as session:
        return rereads.is_marked(session, stand.shop.shop_id, now=stand.rt.now())


def during_the_call(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Do something after the shop has answered and before the answer is settled, the first time."""
    original = shop_client.open_shop
    acts = [act]

    @contextmanager
    def opened(rt: Runtime, program_id: int, shop_id: int, urgency: Urgency) -> Iterator[ShopClient]:
        with original(rt, program_id, shop_id, urgency) as client:
            yield client
        if acts:
            acts.pop()()

    monkeypatch.setattr(reading, "open_shop", opened)


def read(stand: Stand, claims: Sequence[rereads.Claim]) -> list[Ending]:
    return [one.ending for one in read_at_shop(stand.rt, stand.program_id, stand.shop.shop_id, claims)]


def test_each_mark_is_answered_once(woo: Stand) -> None:
    order = paid_order(woo)
    mark(woo, order.id)
    mark(woo, order.id)
    assert woo.reread().endings == {Ending.SETTLED: 1}
    assert not is_marked(woo)
    assert woo.reread().total == 0


def test_many_are_read_in_few_calls(woo: Stand) -> None:
    orders = [paid_order(woo, 1) for _ in range(60)]
    mark(woo, *(order.id for order in orders))
    woo.hosts.calls.clear()
    assert woo.reread().total == 60
    assert len([url for _, url in woo.hosts.calls if "/orders" in url]) == 3


def test_a_mark_made_while_the_shop_is_asked_survives(woo: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    order = paid_order(woo)
    mark(woo, order.id)
    during_the_call(monkeypatch, lambda: mark(woo, order.id))
    woo.reread()
    assert is_marked(woo)
    assert woo.jobs("reread_orders") != []
    woo.reread()
    assert not is_marked(woo)


def test_a_change_while_the_shop_is_asked_is_not_overwritten(
    woo: Stand, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = paid_order(woo, 40)
    mark(woo, order.id)

    def refunded_in_the_same_second() -> None:
        order.lines[0].total -= 15
        woo.store.touch(order)
        woo.store.deliveries.run()
        drain_inbox(woo.rt)

    clock.forward(seconds=1)
    woo.store.touch(order)
    woo.lose_all()
    during_the_call(monkeypatch, refunded_in_the_same_second)
    assert woo.reread().endings == {Ending.AGAIN: 1}
    assert woo.worth(order.id) == [25]
    woo.reread()
    assert woo.worth(order.id) == [25]
    assert not is_marked(woo)


def test_an_older_answer_never_settles_last(woo: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    order = paid_order(woo, 40)
    refund = woo.store.refund(order, amount=10)
    woo.deliver_all()
    assert woo.worth(order.id) == [30]
    older = claim(woo, order.id)

    def somebody_reads_the_newer() -> None:
        woo.store.delete_refund(order, refund)  # does not move the order's date
        assert read(woo, claim(woo, order.id)) == [Ending.SETTLED]
        assert woo.worth(order.id) == [40]

    during_the_call(monkeypatch, somebody_reads_the_newer)
    read(woo, older)
    assert woo.worth(order.id) == [40]
    assert not is_marked(woo)


def test_an_older_answer_is_fenced_off_even_if_nothing_changed_since(
    woo: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = paid_order(woo, 40)
    older = claim(woo, order.id)
    order.lines[0].total -= 15  # for a moment, and silently: what the older reading is told

    def back_as_it_was() -> None:
        order.lines[0].total += 15
        assert read(woo, claim(woo, order.id)) == [Ending.SETTLED]

    during_the_call(monkeypatch, back_as_it_was)
    read(woo, older)
    assert woo.worth(order.id) == [40]
    assert not is_marked(woo)


def test_an_order_never_seen_is_read_and_forgotten_as_unseen(woo: Stand, clock: Clock) -> None:
    order = woo.store.create_order(
        [(woo.store.product("Mug", 40), 1)], customer=woo.store.create_customer("ann@example.test")
    )
    woo.store.pay(order)
    woo.lose_all()
    mark(woo, order.id, 999)
    assert woo.reread().endings == {Ending.SETTLED: 1, Ending.NOTHING: 1}
    assert woo.worth(order.id) == [40]
    assert woo.sql("SELECT 1 FROM unseen_orders WHERE {fence}") == []
    assert not woo.knows(999)


def test_an_order_never_seen_that_is_marked_again_meanwhile_stays_wanted(
    woo: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark(woo, 999)
    during_the_call(monkeypatch, lambda: mark(woo, 999))
    woo.reread()
    assert is_marked(woo)
    woo.reread()
    assert not is_marked(woo)


def test_an_order_seen_by_webhook_while_it_is_read_is_settled_once(
    woo: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = woo.store.create_order(
        [(woo.store.product("Mug", 40), 1)], customer=woo.store.create_customer("ann@example.test")
    )
    woo.store.pay(order)
    mark(woo, order.id)

    def arrives() -> None:
        woo.store.deliveries.run()
        drain_inbox(woo.rt)

    during_the_call(monkeypatch, arrives)
    woo.reread()
    while is_marked(woo):
        woo.reread()
    assert woo.worth(order.id) == [40]
    assert woo.sql("SELECT 1 FROM unseen_orders WHERE {fence}") == []


def test_what_is_gone_for_good_is_void_and_stays_so(woo: Stand) -> None:
    order = paid_order(woo, 40)
    woo.store.force_delete(order)
    mark(woo, order.id)
    assert woo.reread().endings == {Ending.GONE: 1}
    assert woo.worth(order.id) == [0]
    assert woo.held(order.id).state is OrderState.GONE
    mark(woo, order.id)
    woo.reread()
    assert woo.worth(order.id) == [0]


def test_an_answer_that_cannot_be_understood_leaves_what_we_hold(woo: Stand, clock: Clock) -> None:
    order = paid_order(woo, 40)
    order.currency = "XXQ"
    mark(woo, order.id)
    assert woo.reread().endings == {Ending.UNREADABLE: 1}
    assert woo.worth(order.id) == [40]
    assert not is_marked(woo)
    (shown,) = waiting(woo.rt, woo.program_id)
    assert (shown.kind, shown.orders) == ("unreadable", 1)
    order.currency = "USD"
    mark(woo, order.id)
    woo.reread()
    assert waiting(woo.rt, woo.program_id) == []


@pytest.mark.parametrize(
    "fault", [FaultKind.TIMEOUT_BEFORE, FaultKind.TOO_MANY_REQUESTS, FaultKind.SERVER_ERROR]
)
def test_a_shop_that_does_not_answer_keeps_its_marks(woo: Stand, fault: FaultKind) -> None:
    order = paid_order(woo)
    mark(woo, order.id)
    woo.store.faults.add("read_orders", fault)
    with pytest.raises(Retryable):
        woo.reread()
    assert is_marked(woo)
    assert woo.reread().total == 1


def test_a_shop_that_may_not_be_called_keeps_its_marks_and_shows_them(woo: Stand) -> None:
    order = paid_order(woo)
    mark(woo, order.id, 999)
    for key in woo.store.keys.values():
        key.revoked = True
    with pytest.raises(AccessLost):
        woo.reread()
    woo.hosts.calls.clear()
    assert "connected again" in (woo.reread().waits or "")
    assert woo.hosts.calls == []
    assert [(one.orders, one.reason) for one in waiting(woo.rt, woo.program_id)] == [(1, "asked for")] * 2
    assert all(one.blocked for one in waiting(woo.rt, woo.program_id))
    woo.sql("UPDATE shops SET access_problem = NULL WHERE {fence}")
    for key in woo.store.keys.values():
        key.revoked = False
    assert woo.reread().total == 2


def test_a_shop_that_left_meanwhile_is_frozen(woo: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    order = paid_order(woo, 40)
    woo.store.refund(order, amount=10)
    woo.lose_all()
    mark(woo, order.id)

    def leaves() -> None:
        woo.sql("UPDATE shops SET state = 'uninstalled' WHERE {fence}")

    during_the_call(monkeypatch, leaves)
    with pytest.raises(Exception, match="frozen"):
        woo.reread()
    assert woo.worth(order.id) == [40]


def test_a_mark_for_later_waits(woo: Stand, clock: Clock) -> None:
    order = paid_order(woo)
    mark(woo, order.id)
    later = clock.at + timedelta(minutes=5)
    woo.sql("UPDATE orders SET reread_at = :later WHERE {fence}", later=later)
    assert woo.reread().total == 0
    clock.forward(minutes=6)
    assert woo.reread().total == 1


def test_an_owner_that_staff_changed_moves_the_points(woo: Stand) -> None:
    order = paid_order(woo, 40)
    other = woo.store.create_customer("bob@example.test")
    woo.store.change_owner(order, other)
    woo.lose_all()
    mark(woo, order.id)
    woo.reread()
    assert woo.balance(str(other.id)) == 40
    assert woo.held(order.id).customer_ref == str(other.id)


def test_one_bad_moment_among_many_calls_does_not_undo_the_rest(woo: Stand, clock: Clock) -> None:
    """Each refund is a call of its own: a shop that fails now and then would never answer for all at once."""
    orders = [paid_order(woo, price) for price in (40, 41, 42, 43)]
    for order in orders:
        clock.forward(minutes=1)
        woo.store.refund(order, {order.lines[0].id: 1})
    woo.lose_all()
    mark(woo, *(order.id for order in orders))
    woo.store.faults.add("GET /orders/*/refunds", FaultKind.SERVER_ERROR, times=1)
    assert woo.reread().total == 4
    assert woo.worth(*(order.id for order in orders)) == [0, 0, 0, 0]
    assert not is_marked(woo)


def test_a_shop_that_asks_us_to_wait_is_not_asked_again_at_once(woo: Stand, clock: Clock) -> None:
    orders = [paid_order(woo, price) for price in (40, 41)]
    clock.forward(minutes=1)
    mark(woo, *(order.id for order in orders))
    woo.store.faults.add("read_orders", FaultKind.TOO_MANY_REQUESTS, times=1)
    calls = len(woo.hosts.calls)
    with pytest.raises(Retryable):
        woo.reread()
    assert len(woo.hosts.calls) == calls + 1
    assert is_marked(woo)
