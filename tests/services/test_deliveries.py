"""Deliveries that come again, cannot be understood, or break something: none is lost, none stops the others."""

import json
import random
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from app.db import inbox
from app.domain.changes import Change
from app.services.drain_inbox import MAX_ATTEMPTS, Drained, drain_inbox
from app.services.receive_delivery import Receipt, receive_delivery
from app.services.recount import recount
from app.services.runtime import Runtime
from connectors.base import Delivery, WebhookRequest
from connectors.registry import CONNECTORS
from tests.conftest import Clock, make_program
from tests.services.bodies import RECORDINGS, woo_order
from tests.services.books import assert_books_are_true, publish
from tests.services.houses import House, make_shop, shopify_request, woo_request
from tests.services.test_recorded_deliveries import recorded

SAMPLES = sorted((Path(__file__).parents[1] / "connectors" / "shopify" / "recordings").glob("*.json"))
POISON = b'"number": "666"'


@pytest.fixture
def house(rt: Runtime) -> House:
    program_id = make_program(rt, currency="USD")
    return House(rt, program_id, make_shop(rt, program_id))


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is told in the logs, instead of the console."""
    with capture_logs() as lines:
        yield lines


def kept(house: House) -> list[tuple[str, str | None]]:
    """(state, reason) of every delivery, oldest first."""
    with house.rt.db.begin(house.program_id) as session:
        rows = session.rows("SELECT state, reason FROM inbox WHERE {fence} ORDER BY id")
    return [(row.state, row.reason) for row in rows]


def told(house: House, *names: str) -> None:
    """Recorded deliveries whose file names begin so, or all."""
    for path in sorted(RECORDINGS.glob("*.json")):
        if not names or path.name.startswith(names):
            house.deliver(recorded(path))


def order(house: House, number: int, **changes: Any) -> None:
    body = woo_order(number, goods="10.00", customer=7, **changes)
    house.deliver(woo_request("order.updated", body, delivery_ref=f"d{number}"))


def ledger(house: House) -> Sequence[Any]:
    with house.rt.db.begin(house.program_id) as session:
        return session.rows(
            "SELECT account_id, seq, hash FROM entries WHERE {fence} ORDER BY account_id, seq"
        )


# --- Again -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 500])
def test_everything_sent_again_another_day_and_shuffled_changes_nothing(
    house: House, clock: Clock, batch: int
) -> None:
    told(house)
    house.drain()
    before = ledger(house)
    assert len(before) > 5
    clock.forward(days=1)  # the inbox keeps a delivery once a day: this time it is kept again
    paths = sorted(RECORDINGS.glob("*.json"))[1:] * 2
    random.Random(7).shuffle(paths)  # noqa: S311
    receipts = [house.deliver(recorded(path)) for path in paths]
    assert receipts.count(Receipt.KEPT) == receipts.count(Receipt.SEEN_BEFORE) == len(paths) // 2
    house.drain(batch)
    assert ledger(house) == before
    assert_books_are_true(house.rt, house.program_id)


def test_the_inbox_only_saves_work_without_it_the_ledger_is_the_same(house: House) -> None:
    """Each body under five ids of its own: nothing is deduplicated, and nothing counts twice."""
    for number in range(1, 6):
        for again in range(5):
            body = woo_order(number, goods="10.00", customer=7)
            assert house.deliver(woo_request("order.updated", body, delivery_ref=f"{again}")) is Receipt.KEPT
    assert house.drain(7).states == {"done": 25}
    assert (house.balance("7"), len(ledger(house))) == (50, 5)


# --- Not understood ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"order"',
        b"\xff\xfe\x00",
        b'{"id": NaN}',
        b'{"id": 1e400}',
        b'{"id": true}',
        b'{"id": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"id": 1, "note": "\\ud800"}',
        b'{"id": "1", "total": "NaN"}',
        b"\xef\xbb\xbf{}",
    ],
    ids=lambda body: f"{body[:14]!r}",
)
def test_signed_but_unparsable_is_kept_with_its_reason_and_stops_nothing(house: House, body: bytes) -> None:
    order(house, 1)
    assert house.deliver(woo_request("order.created", body)) is Receipt.KEPT
    order(house, 2)
    house.drain()
    states = kept(house)
    assert [state for state, _ in states] == ["done", "failed", "done"]
    assert states[1][1]
    assert not states[1][1].startswith("our fault")
    assert house.balance("7") == 20


def test_text_that_the_database_would_refuse_is_no_obstacle(house: House) -> None:
    order(house, 1, customer_note="\u0000 and \ud800", transaction_id="\u0000")
    house.drain()
    assert (kept(house), house.balance("7")) == ([("done", None)], 10)


def test_a_signed_error_object_is_kept_with_its_reason(house: House) -> None:
    told(house, "45-")
    house.drain()
    reason = "error_object: WooCommerce sent an error in place of the thing: woocommerce_rest_shop_order_invalid_id"
    assert kept(house) == [("failed", reason)] * 2


def test_an_order_in_euros_is_held_in_a_program_of_dollars_until_a_rate_is_published(
    house: House, clock: Clock
) -> None:
    told(house, "27-G")
    house.drain()
    ref = _ref_of("27-G")
    assert [state for state, _ in kept(house)] == ["done", "done"]
    with house.rt.db.begin(house.program_id) as session:
        (held,) = session.rows("SELECT held_reason, terms_version, target_points FROM orders WHERE {fence}")
    assert tuple(held) == ("no_rate", None, 0)
    assert house.points(ref) == 0
    clock.forward(days=1)
    publish(house.rt, house.program_id, currencies={"EUR": {"spend_minor": 100, "program_minor": 110}})
    assert recount(house.rt, house.program_id) == 1
    with house.rt.db.begin(house.program_id) as session:
        (counted,) = session.rows(
            "SELECT held_reason, terms_version, snapshot->'goods'->>'minor' AS minor FROM orders WHERE {fence}"
        )
    assert (counted.held_reason, counted.terms_version) == (None, 2)
    assert house.points(ref) == int(counted.minor) // 100 > 0


def _ref_of(name: str) -> str:
    path = next(iter(sorted(RECORDINGS.glob(f"{name}*.json"))))
    return str(json.loads(json.loads(path.read_text())["body_text"])["id"])


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name.split(".")[0])
def test_each_of_shopifys_own_samples_is_understood_or_ignored_with_a_reason(
    rt: Runtime, sample: Path
) -> None:
    program_id = make_program(rt, currency="USD")
    house = House(rt, program_id, make_shop(rt, program_id, platform="shopify"))
    topic = sample.name.split(".")[0].replace("__", "/").replace("customer-", "customer.")
    request = shopify_request(topic, sample.read_bytes(), house.shop)
    assert receive_delivery(rt, "shopify", None, request) is Receipt.KEPT
    house.drain()
    ((state, reason),) = kept(house)
    assert state in ("done", "ignored")
    assert state == "done" or reason
    assert "none that we know" not in (reason or "")


def test_there_are_29_samples() -> None:
    assert len(SAMPLES) == 29


def test_a_customer_whose_proven_address_is_gone_is_seen_like_any_other(rt: Runtime) -> None:
    program_id = make_program(rt, currency="USD")
    house = House(rt, program_id, make_shop(rt, program_id, platform="shopify"))
    customer = {
        "id": 7,
        "email": "ada@example.test",
        "verified_email": True,
        "first_name": "Ada",
        "last_name": None,
    }
    found = []
    for number, email in enumerate(["ada@example.test", None, "", "ada@example.test"]):
        body = json.dumps({**customer, "email": email}).encode()
        receive_delivery(
            rt,
            "shopify",
            None,
            shopify_request("customers/update", body, house.shop, delivery_ref=str(number)),
        )
        house.drain()
        with rt.db.begin(program_id) as session:
            rows = session.rows(
                "SELECT email_verified, email IS NOT NULL AS known FROM identities WHERE {fence}"
            )
        found += [tuple(row) for row in rows]
    assert found == [(True, True), (False, False), (False, False), (True, True)]
    assert {state for state, _ in kept(house)} == {"done"}


# --- Breaking something ------------------------------------------------------------------------------------


class Bug(Exception):
    pass


def breaking(rt: Runtime, error: Callable[[], Exception] = Bug) -> Runtime:
    """A connector that breaks at one order. Counts how often it was asked for it."""
    real = CONNECTORS["woocommerce"]

    def normalise(delivery: Delivery) -> Change:
        if POISON in delivery.body:
            raise error()
        return real.normalise(delivery)

    return replace(rt, connectors={**CONNECTORS, "woocommerce": replace(real, normalise=normalise)})


@pytest.mark.parametrize("batch", [1, 4, 500])
def test_one_poisoned_delivery_is_found_by_halving_and_set_aside_alone(
    house: House, logged: list[MutableMapping[str, Any]], batch: int
) -> None:
    numbers = [1, 2, 3, 666, 4, 5, 6, 7, 8, 9]
    for number in numbers:
        order(house, number)
    drained = drain_inbox(breaking(house.rt), batch=batch)
    assert drained.states == {"done": 9, "failed": 1}
    failed = ("failed", "our fault: Bug; replay it when this is mended")
    assert kept(house) == [failed if number == 666 else ("done", None) for number in numbers]
    assert house.balance("7") == 90
    assert drain_inbox(breaking(house.rt)).total == 0  # set aside is set aside
    assert [(line["event"], line["shop_id"]) for line in logged] == [("delivery_failed", house.shop.shop_id)]


def test_what_cannot_be_opened_stops_no_other_and_is_replayed_once_it_can(house: House) -> None:
    order(house, 1)
    order(house, 2)
    with house.rt.db.begin(house.program_id) as session:
        sealed = session.scalar("SELECT body FROM inbox WHERE {fence} ORDER BY id LIMIT 1")
        spoiled = b"?" + bytes(sealed)[1:-1] + b"?"
        session.run("UPDATE inbox SET body = :body WHERE {fence} AND body = :was", body=spoiled, was=sealed)
    house.drain()
    (first, reason), (second, _) = kept(house)
    assert (first, second, house.balance("7")) == ("failed", "done", 10)
    assert reason is not None
    assert "put the key back" in reason
    with house.rt.db.begin(house.program_id) as session:
        session.run("UPDATE inbox SET body = :body WHERE {fence} AND body = :was", body=sealed, was=spoiled)
        assert inbox.replay(session) == 1
    house.drain()
    assert house.balance("7") == 20


def test_what_failed_is_counted_and_replayed_when_the_cause_is_mended(house: House) -> None:
    order(house, 666)
    drain_inbox(breaking(house.rt))
    with house.rt.db.begin(house.program_id) as session:
        assert inbox.counts(session) == {"failed": 1}
        assert inbox.replay(session) == 1
    drain_inbox(breaking(house.rt))
    with house.rt.db.begin(house.program_id) as session:
        assert inbox.counts(session) == {"failed": 1}
        assert inbox.replay(session) == 1
    house.drain()
    assert (kept(house), house.balance("7")) == ([("done", None)], 10)


def test_a_replayed_older_message_does_not_undo_what_came_after_it(house: House) -> None:
    order(house, 666)
    drain_inbox(breaking(house.rt))
    newer = woo_order(666, goods="25.00", customer=7, minute=5)
    house.deliver(woo_request("order.updated", newer, delivery_ref="newer"))
    house.drain()
    with house.rt.db.begin(house.program_id) as session:
        inbox.replay(session)
    house.drain()
    assert kept(house) == [("stale", "older than what we hold"), ("done", None)]
    assert house.balance("7") == 25


def test_a_database_that_fails_for_a_while_costs_time_and_no_delivery(house: House, clock: Clock) -> None:
    def lost() -> Exception:
        return OperationalError("SELECT 1", {}, Exception("server closed the connection"))

    for number in (1, 666):
        order(house, number)
    assert drain_inbox(breaking(house.rt, lost)).states == {"done": 1}
    assert kept(house)[1] == ("new", None)  # taken again when its lease has run out
    assert house.drain().total == 0
    clock.forward(seconds=inbox.LEASE_S + 1)
    assert house.drain().states == {"done": 1}
    assert house.balance("7") == 20


def test_a_database_that_fails_for_one_delivery_only_sets_it_aside_in_the_end(
    house: House, clock: Clock
) -> None:
    order(house, 666)
    tries = 0
    broken = breaking(house.rt, lambda: OperationalError("SELECT 1", {}, Exception("out of memory")))
    for _ in range(MAX_ATTEMPTS + 2):
        tries += 1
        if drain_inbox(broken).states:
            break
        clock.forward(seconds=inbox.LEASE_S + 1)
    assert (tries, kept(house)[0][0]) == (MAX_ATTEMPTS, "failed")


def test_a_worker_that_died_leaves_its_deliveries_to_the_next_in_ever_smaller_parts(
    house: House, clock: Clock
) -> None:
    for number in range(1, 9):
        order(house, number)

    def take(limit: int) -> int:
        """As a worker that dies right after it."""
        with house.rt.db.begin(house.program_id) as session:
            return len(inbox.take(session, house.rt.vault, now=house.rt.now(), limit=limit))

    assert take(8) == 8
    assert take(8) == 0  # somebody has them
    clock.forward(seconds=inbox.LEASE_S + 1)
    assert take(8) == 2
    clock.forward(seconds=inbox.LEASE_S + 1)
    drained: Drained = house.drain(8)
    assert (drained.states, house.balance("7")) == ({"done": 8}, 80)


def test_two_who_took_the_same_delivery_finish_it_once(house: House, clock: Clock) -> None:
    """A lease runs out while its worker is only slow: the order counts once, and each delivery has one ending."""
    order(house, 1)
    with house.rt.db.begin(house.program_id) as session:
        rows = inbox.take(session, house.rt.vault, now=house.rt.now())
    clock.forward(seconds=inbox.LEASE_S + 1)
    assert house.drain().states == {"done": 1}
    with house.rt.db.begin(house.program_id) as session:
        outcome = inbox.Outcome(rows[0], "failed", "too slow")
        assert inbox.finish(session, [outcome], now=house.rt.now() + timedelta(seconds=1)) == 0
    assert (kept(house), house.balance("7")) == ([("done", None)], 10)


def test_nothing_is_kept_that_is_not_signed_by_the_shop_it_came_to(house: House) -> None:
    body = woo_order(1, goods="10.00", customer=7)
    forged: WebhookRequest = woo_request("order.updated", body, secret="another shop's")
    assert house.deliver(forged) is Receipt.BAD_SIGNATURE
    assert kept(house) == []
