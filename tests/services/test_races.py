"""Threads that race for the same rows: nothing is lost, nothing is paid twice, and the test can tell."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from app.db import ledger, redemptions
from app.db.redemptions import RedemptionRow
from app.domain.errors import Refused
from app.domain.ledger import Book
from app.domain.redeeming import RedemptionState as State
from app.services.cancel_redemption import cancel_redemption
from app.services.close_redemption import close_redemption
from app.services.drain_inbox import drain_inbox
from app.services.expire_lots import expire_lots
from app.services.merge_members import merge_members
from app.services.redeem import RedeemRequest, redeem
from app.services.reread_orders import reread_orders
from app.services.runtime import Runtime
from app.services.shop_client import open_shop
from app.web import create_app
from connectors.base import ShopClient
from tests.conftest import NOW, Clock, make_program
from tests.factories import after
from tests.services.bodies import woo_order
from tests.services.books import (
    assert_books_are_true,
    balance,
    booked,
    get_member,
    publish,
    read_until,
)
from tests.services.houses import House, make_shop, woo_request
from tests.services.stands import woo_stand
from tests.services.test_counting import LATER, paid, refunded
from tests.services.test_settle_orders import Shop

pytestmark = pytest.mark.race

ROUNDS = 6
_OPEN_SHOP = "app.services.read_at_shop.open_shop"


def at_once(*work: Callable[[], Any]) -> list[Any]:
    """Each in a thread of its own, let go together. What each returned, or the exception that it raised."""
    gate = threading.Barrier(len(work))

    def run(one: Callable[[], Any]) -> Any:
        gate.wait(timeout=60)
        try:
            return one()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(work)) as threads:
        return list(threads.map(run, work))


class Spender:
    """A member with so many points at a shop that makes no code by itself."""

    def __init__(self, shop: Shop, goods: str, customer_ref: str = "7") -> None:
        self.shop, self.rt, self.program_id = shop, shop.rt, shop.program_id
        self.order = paid(customer_ref, goods, after(days=1), customer_ref=customer_ref)
        shop.see(self.order)
        self.member_id = get_member(shop.rt, shop.program_id, shop.shop.shop_id, customer_ref)

    def redeem(self, key: str = "click", reward: str = "amount-5") -> RedemptionRow:
        request = RedeemRequest(
            program_id=self.program_id,
            member_id=self.member_id,
            shop_id=self.shop.shop.shop_id,
            reward_key=reward,
            request_key=key,
            actor="shopper",
        )
        return redeem(self.rt, request)

    @property
    def available(self) -> int:
        return balance(self.rt, self.program_id, self.member_id).available


@pytest.fixture
def shop(rt: Runtime, program_id: int) -> Shop:
    return Shop(rt, program_id)


def refusals(results: Sequence[Any]) -> list[str]:
    """The codes of those refused; anything raised that is no refusal is raised again."""
    for one in results:
        if isinstance(one, Exception) and not isinstance(one, Refused):
            raise one
    return [one.code for one in results if isinstance(one, Refused)]


# --- Orders ------------------------------------------------------------------------------------------------


def test_of_120_orders_sent_by_four_clients_at_once_none_is_lost(rt: Runtime) -> None:
    program_id = make_program(rt, currency="USD")
    house = House(rt, program_id, make_shop(rt, program_id))
    app = create_app(rt)
    sent = threading.Event()

    def send(part: int) -> list[int]:
        client, statuses = app.test_client(), []
        for number in range(part, 120, 4):
            body = woo_order(number + 1, goods=f"{number + 1}.50", customer=7, minute=number)
            request = woo_request("order.created", body, delivery_ref=f"d{number}")
            path = f"/webhooks/woocommerce/{house.shop.key}"
            answer = client.post(path, data=body, headers=dict(request.headers))
            statuses.append(answer.status_code)
        return statuses

    def drain() -> int:
        total = 0
        while not sent.is_set():
            total += drain_inbox(rt, batch=10).total
        return total + drain_inbox(rt).total

    with ThreadPoolExecutor(2) as drains:
        drained = [drains.submit(drain) for _ in range(2)]
        try:
            answers = at_once(*(partial(send, part) for part in range(4)))
        finally:
            sent.set()
        assert sum(one.result() for one in drained) >= 120
    assert answers == [[200] * 30] * 4
    assert [house.points(str(number)) >= number for number in range(1, 121)] == [True] * 120
    with rt.db.begin(program_id) as session:
        targets = session.scalar("SELECT sum(target_points) FROM orders WHERE {fence}")
        failed = session.rows("SELECT reason FROM inbox WHERE {fence} AND state <> 'done'")
    assert failed == []
    assert house.balance("7") == targets >= sum(range(1, 121))
    assert_books_are_true(rt, program_id)


def test_two_readings_of_one_order_the_older_never_settles_last(
    rt: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = woo_stand(rt, clock, make_program(rt, currency="USD"))
    clock.forward(hours=1)
    store = stand.store
    order = store.create_order(
        [(store.product("Mug", "40.00"), 2)], customer=store.create_customer("a@example.test")
    )
    store.pay(order)
    stand.deliver_all()
    clock.forward(minutes=1)
    store.refund(order, {order.lines[0].id: 1})
    store.deliveries.run()
    drain_inbox(stand.rt)  # settled from the body, and marked to be read
    fetched, go_on = threading.Event(), threading.Event()

    class Slow:
        """Has the shop's answer, and is slow to tell it."""

        def __init__(self, client: ShopClient) -> None:
            self.client = client

        def read_orders(self, order_refs: Sequence[str]) -> Any:
            answers = self.client.read_orders(order_refs)
            fetched.set()
            assert go_on.wait(timeout=60)
            return answers

    @contextmanager
    def slow_once(*args: Any) -> Iterator[Any]:
        monkeypatch.setattr(_OPEN_SHOP, open_shop)
        with open_shop(*args) as client:
            yield Slow(client)

    monkeypatch.setattr(_OPEN_SHOP, slow_once)
    with ThreadPoolExecutor(1) as threads:
        older = threads.submit(reread_orders, stand.rt, stand.program_id, stand.shop.shop_id)
        assert fetched.wait(timeout=60)
        # Within the same second: the shop's own clock does not tell the two answers apart.
        store.refund(order, {order.lines[0].id: 1})
        store.deliveries.run()
        drain_inbox(stand.rt)
        stand.reread()
        assert stand.points(str(order.id)) == 0
        go_on.set()
        older.result(timeout=60)
    assert stand.points(str(order.id)) == 0
    assert stand.row(order.id).reread_wanted == stand.row(order.id).reread_done
    assert_books_are_true(rt, stand.program_id)


# --- Redeeming ---------------------------------------------------------------------------------------------


def test_64_at_once_where_points_are_for_ten_make_exactly_ten(shop: Shop) -> None:
    spender = Spender(shop, "1000.00")
    results = at_once(*(partial(spender.redeem, f"click-{key}") for key in range(64)))
    assert refusals(results) == ["insufficient_points"] * 54
    codes = {one.code for one in results if isinstance(one, RedemptionRow)}
    assert (len(codes), spender.available) == (10, 0)
    assert_books_are_true(shop.rt, shop.program_id)


def test_64_at_once_with_the_same_key_are_one(shop: Shop) -> None:
    spender = Spender(shop, "1000.00")
    results = at_once(*([spender.redeem] * 64))
    assert refusals(results) == []
    assert len({one.redemption_id for one in results}) == 1
    assert spender.available == 900


def test_64_at_once_of_64_members_take_exactly_the_ten_there_are(shop: Shop) -> None:
    tea = {"key": "tea", "title": "Tea", "kind": "perk", "cost": 10, "stock": 10}
    publish(shop.rt, shop.program_id, rewards=[tea])
    spenders = [Spender(shop, "60.00", str(100 + number)) for number in range(64)]
    results = at_once(*(partial(one.redeem, "click", "tea") for one in spenders))
    assert refusals(results) == ["sold_out"] * 54
    assert sum(one.available == 50 for one in spenders) == 10
    assert_books_are_true(shop.rt, shop.program_id)


def test_64_at_once_of_one_member_take_exactly_the_three_they_may(shop: Shop) -> None:
    tea = {"key": "tea", "title": "Tea", "kind": "perk", "cost": 10, "limits": [{"times": 3, "per": "day"}]}
    publish(shop.rt, shop.program_id, rewards=[tea])
    spender = Spender(shop, "1000.00")
    results = at_once(*(partial(spender.redeem, f"click-{key}", "tea") for key in range(64)))
    assert refusals(results) == ["limit_reached"] * 61
    assert spender.available == 970


def test_without_the_stocks_lock_the_race_is_lost(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the stock."""
    tea = {"key": "tea", "title": "Tea", "kind": "perk", "cost": 10, "stock": 1}
    publish(shop.rt, shop.program_id, rewards=[tea])
    count, both_have_counted = redemptions.count_had, threading.Barrier(2)

    def counted(*args: Any) -> dict[str, int]:
        found = count(*args)
        both_have_counted.wait(timeout=60)
        return found

    first, second = Spender(shop, "60.00", "1"), Spender(shop, "60.00", "2")
    monkeypatch.setattr(redemptions, "lock_stock", lambda *_: None)
    monkeypatch.setattr(redemptions, "count_had", counted)
    results = at_once(partial(first.redeem, "click", "tea"), partial(second.redeem, "click", "tea"))
    assert refusals(results) == []


def test_without_the_accounts_lock_the_race_is_lost(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the same race with the lock taken away ends otherwise, so the tests above can fail."""
    locked = ledger.lock_books
    both_have_read = threading.Barrier(2)

    def unlocked(session: Any, account_ids: Any, **more: Any) -> dict[int, Book]:
        run = session.run
        session.run = lambda sql, *args, **named: run(sql.replace(" FOR NO KEY UPDATE", ""), *args, **named)
        books = locked(session, account_ids, **more)
        both_have_read.wait(timeout=60)
        return books

    spender = Spender(shop, "100.00")
    monkeypatch.setattr(ledger, "lock_books", unlocked)
    results = at_once(lambda: spender.redeem("one"), lambda: spender.redeem("two"))
    monkeypatch.undo()
    # Both were told that the points are theirs; only the chain's own key stops the second, by an accident.
    assert sum(isinstance(one, RedemptionRow) for one in results) == 1
    assert [type(one) for one in results if isinstance(one, Exception)] == [IntegrityError]


def test_a_redemption_against_a_refund_is_either_refused_or_leaves_a_deficit(rt: Runtime) -> None:
    program_id = make_program(rt)
    shop = Shop(rt, program_id)
    for number in range(ROUNDS):
        spender = Spender(shop, "100.00", f"{number + 1}")
        gone = refunded(spender.order, "100.00")
        results = at_once(spender.redeem, partial(shop.see, gone))
        refused = refusals(results)
        assert (refused, spender.available) in ((["insufficient_points"], 0), ([], -100))
    assert_books_are_true(rt, program_id)


def test_a_cancellation_against_a_use_gives_points_back_or_is_a_use_never_both(rt: Runtime) -> None:
    program_id = make_program(rt)
    shop = Shop(rt, program_id)
    for number in range(ROUNDS):
        spender = Spender(shop, "100.00", f"{number + 1}")
        bought = spender.redeem()
        used = paid(f"u{number}", "10.00", after(days=2), customer_ref="99", codes_used=(bought.code,))

        def cancel(bought: RedemptionRow = bought) -> State:
            cancel_redemption(rt, program_id, bought.redemption_id)
            # Never asked for at the shop, so the code is dead at once.
            return close_redemption(rt, program_id, bought.shop_id, bought.redemption_id)

        results = at_once(cancel, partial(shop.see, used))
        refused = refusals(results)
        with rt.db.begin(program_id) as session:
            row = redemptions.get_redemption(session, bought.redemption_id)
        assert (row.state, spender.available, row.returned) in (
            (State.USED, 0, 0),
            (State.CANCELLED, 100, 100),
        )
        if row.state is State.CANCELLED:
            assert refused == []
            assert row.message is not None
            assert "used this code after what it cost had been given back" in row.message
    assert_books_are_true(rt, program_id)


def test_who_redeems_while_two_records_become_one_has_the_points_of_both(shop: Shop) -> None:
    first, second = Spender(shop, "60.00", "1"), Spender(shop, "60.00", "2")
    merged, go_on = threading.Event(), threading.Event()

    def merge() -> None:
        with shop.rt.db.begin(shop.program_id) as session:
            merge_members(
                session,
                shop.rt.vault,
                first.member_id,
                second.member_id,
                cause="staff",
                actor="owner",
                now=shop.rt.now(),
            )
            merged.set()
            assert go_on.wait(timeout=60)

    with ThreadPoolExecutor(2) as threads:
        merging = threads.submit(merge)
        assert merged.wait(timeout=60)
        buying = threads.submit(
            second.redeem
        )  # of the account that is being merged away: it waits for the lock
        _wait_for_a_lock(shop.rt, shop.program_id)
        go_on.set()
        merging.result(timeout=60)
        row = buying.result(timeout=60)
    assert row.account_id == first.member_id
    assert first.available == 20
    assert_books_are_true(shop.rt, shop.program_id)


def test_points_given_back_while_two_records_become_one_are_not_left_behind(rt: Runtime) -> None:
    program_id = make_program(rt)
    shop = Shop(rt, program_id)
    for number in range(ROUNDS):
        first, second = Spender(shop, "60.00", f"1{number}"), Spender(shop, "100.00", f"2{number}")
        bought = second.redeem()
        cancel_redemption(rt, program_id, bought.redemption_id)

        def merge(one: int = first.member_id, other: int = second.member_id) -> None:
            with rt.db.begin(program_id) as session:
                merge_members(session, rt.vault, one, other, cause="staff", actor="owner", now=rt.now())

        results = at_once(
            merge,
            partial(close_redemption, rt, program_id, bought.shop_id, bought.redemption_id),
        )
        assert refusals(results) == []
        assert (first.available, second.available) == (160, 0)
    assert_books_are_true(rt, program_id)


def test_an_expiry_against_a_redemption_one_of_them_has_the_points(rt: Runtime, clock: Clock) -> None:
    program_id = make_program(rt)
    publish(rt, program_id, expiry={"kind": "after_days", "days": 30})
    shop = Shop(rt, program_id)
    clock.at = NOW + timedelta(days=40)
    read_until(rt, program_id, shop.shop.shop_id, clock.at)
    for number in range(ROUNDS):
        spender = Spender(shop, "1.00", f"{number + 1}")  # a member, by an order of the first version
        order = replace(spender.order, order_ref=f"e{number}", goods=paid("x", "100.00", NOW).goods)
        shop.see(replace(order, placed_at=LATER, paid_at=LATER, updated_at=LATER))
        results = at_once(spender.redeem, lambda: expire_lots(rt, program_id))
        refused = refusals(results)
        kinds = [kind for kind, _ in booked(rt, program_id, spender.member_id)][2:]
        assert (refused, kinds) in (
            (["insufficient_points"], ["expiry"]),
            ([], ["redeem"]),
            ([], ["redeem", "expiry"]),
        )
        assert spender.available in (0, 1)
    assert_books_are_true(rt, program_id)


def test_two_programs_at_once_do_not_wait_for_each_other_or_mix(rt: Runtime) -> None:
    shops = [Shop(rt, make_program(rt)) for _ in range(2)]
    spenders = [Spender(shop, "300.00") for shop in shops]

    def settle(shop: Shop, start: int) -> None:
        for number in range(start, start + 5):
            shop.see(paid(f"o{number}", "10.00", after(days=2, hours=number)))

    work: list[Callable[[], Any]] = []
    for shop, spender in zip(shops, spenders, strict=True):
        work += [partial(settle, shop, start) for start in (0, 5)]
        work += [partial(spender.redeem, f"k{key}") for key in range(6)]
    refused = refusals(at_once(*work))
    for shop, spender in zip(shops, spenders, strict=True):
        spent = sum(kind == "redeem" for kind, _ in booked(rt, shop.program_id, spender.member_id))
        assert spent in (3, 4)  # 300 points, and 100 more while they come
        assert spender.available == 400 - 100 * spent
        assert_books_are_true(rt, shop.program_id)
    assert set(refused) == {"insufficient_points"}


def _wait_for_a_lock(rt: Runtime, program_id: int) -> None:
    """Until some statement of ours waits for a row that another transaction holds."""
    while True:
        with rt.db.outside() as connection:
            waiting = connection.exec_driver_sql(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
            ).scalar_one()
        if waiting:
            return
