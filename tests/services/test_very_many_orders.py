"""Very many orders are gathered by the shop itself: begun, waited for, read bit by bit; and by pages where that fails."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.errors import PutOff, Retryable
from app.services.audit import audit
from app.services.reconcile_run import Progress
from app.services.reconcile_shop import Reconciled, reconcile_shop
from app.services.runtime import Runtime
from connectors.shopify.client import gathering
from sandbox.faults import FaultKind
from sandbox.shopify.bulk import Operation
from tests.conftest import Clock, make_program
from tests.services.stands import SHOPIFY_SCOPES, Stand, shopify_stand, woo_stand

ORDERS = 30


@pytest.fixture
def stand(rt: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """A shop with more orders than are asked for by pages, of which nothing was ever heard; some with refunds."""
    monkeypatch.setattr(gathering, "_MANY_ORDERS", 10)
    monkeypatch.setattr(gathering, "_PART", 9000)
    program_id = make_program(rt, currency="USD")
    return filled(shopify_stand(rt, clock, program_id, scopes=(*SHOPIFY_SCOPES, "read_products")), clock)


def filled(stand: Stand, clock: Clock) -> Stand:
    clock.forward(hours=1)
    store = stand.store
    for n in range(ORDERS):
        customer = store.create_customer(f"p{n}@example.test")
        order = store.create_order(
            [(store.product(f"Mug {n}", 10), 1 + n % 3), (store.product("Pen", 3), 1)], customer=customer
        )
        store.pay(order)
        if n % 10 == 5:
            store.refund_the_rest(order)
    stand.lose_all()
    clock.forward(days=3)
    return stand


def read(stand: Stand, **more: Any) -> Reconciled:
    return reconcile_shop(stand.rt, stand.program_id, stand.shop.shop_id, "changed", everything=True, **more)


def gathered(stand: Stand, clock: Clock, **more: Any) -> Reconciled:
    """Until it is done, waiting as often as it is put off."""
    for _ in range(20):
        try:
            return read(stand, **more)
        except PutOff as later:
            clock.forward(seconds=later.wait_s)
    raise AssertionError("put off without end")


def expected(stand: Stand) -> list[int]:
    return [0 if n % 10 == 5 else 10 * (1 + n % 3) + 3 for n in range(ORDERS)]


def worth(stand: Stand) -> list[int]:
    return stand.worth(*stand.store.orders)


def test_they_are_gathered_and_settled_as_if_they_had_come_by_pages(stand: Stand, clock: Clock) -> None:
    done = gathered(stand, clock)
    assert worth(stand) == expected(stand)
    assert done.looked_at == ORDERS
    (operation,) = stand.store.bulk.operations.values()
    assert operation.roots == ORDERS
    assert len(stand.store.bulk.read) > 3  # bit by bit
    assert stand.shop_row().reconciled_until == done.until
    assert audit(stand.rt, stand.program_id).problems == []
    again = read(stand, since=stand.rt.now() - timedelta(hours=2))
    assert (again.looked_at, len(stand.store.bulk.operations)) == (0, 1)


def test_no_worker_waits_and_nothing_is_settled_meanwhile(stand: Stand, clock: Clock) -> None:
    with pytest.raises(PutOff) as first:
        read(stand)
    assert first.value.wait_s == 15
    assert not any(stand.knows(one) for one in stand.store.orders)
    clock.forward(seconds=15)
    with pytest.raises(PutOff):
        read(stand)
    assert len(stand.store.bulk.operations) == 1  # the same one, not another
    assert (stand.shop_row().reconciled_until or stand.store.created) < stand.rt.now()


def test_how_far_it_is_is_told(stand: Stand, clock: Clock) -> None:
    heard: list[Progress] = []
    gathered(stand, clock, watch=heard.append)
    assert {one.total for one in heard} == {ORDERS}
    assert [one.looked_at for one in heard] == sorted(one.looked_at for one in heard)
    assert heard[-1].looked_at == ORDERS


def test_a_few_orders_are_read_by_pages(stand: Stand, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "_MANY_ORDERS", ORDERS)
    assert read(stand).looked_at == ORDERS
    assert worth(stand) == expected(stand)
    assert not stand.store.bulk.operations


@pytest.mark.parametrize("ending", ["FAILED", "CANCELED", "CANCELING", "EXPIRED"])
def test_where_it_breaks_off_they_are_read_by_pages(stand: Stand, clock: Clock, ending: str) -> None:
    """What a broken-off operation brought is not taken for all of it."""
    stand.store.bulk.ending = ending
    done = gathered(stand, clock)
    assert worth(stand) == expected(stand)
    assert stand.shop_row().reconciled_until == done.until
    assert stand.store.bulk.read == []


def test_an_address_that_ended_is_no_lost_access(stand: Stand, clock: Clock) -> None:
    with pytest.raises(PutOff):
        read(stand)
    clock.forward(minutes=1)
    for operation in stand.store.bulk.operations.values():
        operation.gone = True
    assert read(stand).looked_at == ORDERS
    assert worth(stand) == expected(stand)
    assert stand.shop_row().access_problem is None


@pytest.mark.parametrize("wrong", ["not grouped", "no parts", "too few", "no lines"])
def test_a_file_that_is_of_no_use_is_not_believed(stand: Stand, clock: Clock, wrong: str) -> None:
    stand.store.bulk.grouped = wrong != "not grouped"
    stand.store.bulk.in_parts = wrong != "no parts"
    with pytest.raises(PutOff):
        read(stand)
    clock.forward(minutes=1)
    for operation in stand.store.bulk.operations.values():
        if wrong == "too few":
            del operation.lines[-4:]
        if wrong == "no lines":
            operation.lines[3] = "<html>"
    done = gathered(stand, clock)
    assert worth(stand) == expected(stand)
    assert stand.shop_row().reconciled_until == done.until


def test_an_order_that_is_longer_than_what_is_read_at_once_is_read_by_pages(
    stand: Stand, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "_PART", 500)
    gathered(stand, clock)
    assert worth(stand) == expected(stand)


def test_where_the_shop_carries_out_enough_already_they_are_read_by_pages(stand: Stand, clock: Clock) -> None:
    for _ in range(5):
        stand.store.bulk.operations[stand.store.new_id()] = another(stand)
    assert read(stand).looked_at == ORDERS
    assert worth(stand) == expected(stand)


def another(stand: Stand) -> Operation:
    now = stand.rt.now()
    tomorrow = now + timedelta(days=1)
    return Operation(id=stand.store.new_id(), query="{}", created=now, ends_at=tomorrow, ending="COMPLETED")


def test_what_the_app_may_not_read_ends_it_and_not_the_run(stand: Stand, clock: Clock) -> None:
    """By pages such a field is withheld and all else told."""
    stand.store.app.scopes.remove("read_products")
    for token in stand.store.tokens.values():
        token.scopes = list(stand.store.app.scopes)
    gathered(stand, clock)
    assert [one.error for one in stand.store.bulk.operations.values()] == ["ACCESS_DENIED"]
    assert worth(stand) == expected(stand)


@pytest.mark.parametrize("fault", [FaultKind.TIMEOUT_AFTER, FaultKind.SERVER_ERROR_AFTER])
def test_one_that_was_begun_without_an_answer_is_found_again(
    stand: Stand, clock: Clock, fault: FaultKind
) -> None:
    stand.store.faults.add("bulkOperationRunQuery", fault)
    gathered(stand, clock)
    assert worth(stand) == expected(stand)
    assert len(stand.store.bulk.operations) == 1


class Killed(BaseException):
    pass


def test_after_a_kill_it_goes_on_where_it_was(
    stand: Stand, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PutOff):
        read(stand)
    clock.forward(minutes=1)
    heard: list[Progress] = []

    def die(progress: Progress) -> None:
        heard.append(progress)
        if len(heard) == 3:
            raise Killed

    # A process that is killed writes no ending.
    monkeypatch.setattr("app.services.reconcile_shop._end", lambda run, *, problem: None)
    with pytest.raises(Killed):
        read(stand, watch=die)
    monkeypatch.undo()
    monkeypatch.setattr(gathering, "_PART", 9000)
    before = list(stand.store.bulk.read)
    assert len(before) == 3
    done = read(stand)
    assert worth(stand) == expected(stand)
    assert stand.store.bulk.read[3] == before[2]  # what was not committed is read again, and no more
    assert len(stand.store.bulk.operations) == 1
    assert stand.shop_row().reconciled_until == done.until


def test_an_outage_while_it_is_read_breaks_the_run_off_and_claims_nothing(stand: Stand, clock: Clock) -> None:
    with pytest.raises(PutOff):
        read(stand)
    clock.forward(minutes=1)
    stand.store.faults.add("bulkOperation", FaultKind.UNAVAILABLE, times=9)
    before = stand.shop_row().reconciled_until
    with pytest.raises(Retryable):
        read(stand)
    assert stand.shop_row().reconciled_until == before
    stand.store.faults.clear()
    gathered(stand, clock)
    assert worth(stand) == expected(stand)


def test_a_platform_that_gathers_nothing_goes_by_pages(rt: Runtime, clock: Clock) -> None:
    woo = woo_stand(rt, clock, make_program(rt, currency="USD"))
    shopper = woo.store.create_customer("ann@example.test")
    woo.store.pay(woo.store.create_order([(woo.store.product("Mug", 20), 1)], customer=shopper))
    woo.lose_all()
    assert read(woo).looked_at == 1
