"""Faults: what was asked for happens, what happens is written down, the same seed does the same."""

import httpx
import pytest

from sandbox.clock import VirtualClock
from sandbox.faults import FaultKind
from sandbox.woocommerce import Shop
from tests.sandbox.receiver import Receiver


def order(woo: Shop) -> None:
    woo.create_order([(woo.product("Mug", "10.00"), 1)])


def test_a_lost_delivery_is_never_sent_and_is_named(woo: Shop, receiver: Receiver) -> None:
    woo.deliveries.faults.next("lose", "order.created")
    order(woo)
    woo.deliveries.flush()
    assert receiver.topics() == ["order.updated"]
    record = woo.deliveries.log[0]
    assert (record.fault_id, record.kind, record.topic) == ("woo-webhook-1", "lose", "order.created")
    assert record.ref == str(next(iter(woo.orders)))


def test_after_a_loss_the_next_change_is_told_again(woo: Shop, receiver: Receiver) -> None:
    woo.deliveries.faults.next("lose", "order.updated")
    order(woo)
    woo.pay(next(iter(woo.orders.values())))
    woo.deliveries.flush()
    assert "order.updated" in receiver.topics()


def test_after_the_queue_was_emptied_the_next_change_is_told_again(woo: Shop, receiver: Receiver) -> None:
    order(woo)
    assert woo.deliveries.drop() == 2
    woo.touch(next(iter(woo.orders.values())))
    woo.deliveries.flush()
    assert receiver.topics() == ["order.updated"]


def test_a_duplicate_arrives_more_than_once(woo: Shop, receiver: Receiver) -> None:
    woo.deliveries.faults.next("duplicate", "order.created")
    order(woo)
    woo.deliveries.flush()
    assert 2 <= receiver.topics().count("order.created") <= 5


@pytest.mark.parametrize("kind", ["delay", "reorder"])
def test_a_late_delivery_comes_after_what_was_queued_later(
    woo: Shop, receiver: Receiver, clock: VirtualClock, kind: str
) -> None:
    woo.deliveries.faults.next(kind, "order.created")
    order(woo)
    woo.deliveries.run()
    assert receiver.topics() == ["order.updated"]
    clock.advance(24 * 3600)
    woo.deliveries.run()
    assert receiver.topics() == ["order.updated", "order.created"]


def test_the_same_seed_hurts_the_same_deliveries() -> None:
    def log(seed: int) -> list[tuple[str, str, str]]:
        shop = Shop(clock=VirtualClock())
        shop.add_webhook("order.created", "https://laurel.example/w", "s")
        faults = shop.deliveries.faults
        faults.lose, faults.duplicate, faults.delay, faults.reorder = 0.1, 0.2, 0.2, 0.2
        faults.random.seed(seed)
        for _ in range(50):
            order(shop)
        return [(record.kind, record.topic, record.ref) for record in shop.deliveries.log]

    assert log(1) == log(1) != log(2)


def test_random_api_faults_follow_their_seed_and_spare_what_was_not_named(
    woo: Shop, woo_api: httpx.Client
) -> None:
    woo.faults.random(7, 0.5, (FaultKind.UNAVAILABLE,), ("GET /orders",))
    statuses = [woo_api.get("orders").status_code for _ in range(40)]
    assert {200, 503} == set(statuses)
    assert statuses.count(503) == len(woo.faults.log)
    assert woo_api.get("coupons").status_code == 200


@pytest.mark.parametrize(
    ("kind", "status"),
    [("429", 429), ("500", 500), ("502", 502), ("503", 503), ("401", 401), ("403", 403), ("throttled", 429)],
)
def test_api_faults_on_request(woo: Shop, woo_api: httpx.Client, kind: str, status: int) -> None:
    woo.faults.add("GET /orders", kind, times=1)
    answer = woo_api.get("orders")
    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) == (status in (429, 503))
    assert woo_api.get("orders").status_code == 200


def test_time_outs_before_and_after_applying(woo: Shop, woo_api: httpx.Client) -> None:
    for kind, made in (
        (FaultKind.TIMEOUT_BEFORE, 0),
        (FaultKind.TIMEOUT_AFTER, 1),
        (FaultKind.SERVER_ERROR_AFTER, 2),
    ):
        woo.faults.add("issue_code", kind)
        try:
            assert woo_api.post("coupons", json={"code": f"c-{made}", "amount": "1"}).status_code == 500
        except httpx.ReadTimeout:
            assert kind is not FaultKind.SERVER_ERROR_AFTER
        assert len(woo.coupons) == made


def test_a_malformed_answer_is_200_and_no_json(woo: Shop, woo_api: httpx.Client) -> None:
    woo.faults.add("*", FaultKind.MALFORMED)
    answer = woo_api.get("orders")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()


def test_a_revoked_key_stays_revoked(woo: Shop, woo_api: httpx.Client) -> None:
    woo.faults.add("*", FaultKind.REVOKED)
    assert [woo_api.get("orders").status_code for _ in range(2)] == [401, 401]


def test_the_queue_can_be_emptied_and_says_what_was_in_it(woo: Shop, receiver: Receiver) -> None:
    order(woo)
    assert woo.deliveries.drop() == 2
    assert woo.deliveries.flush() == 0
    assert {record.kind for record in woo.deliveries.log} == {"lose"}
