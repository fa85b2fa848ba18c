"""The whole way: each body signed, received by the web, drained, settled; then whether everything is still true."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from flask import Flask

from app.services.runtime import Runtime
from connectors.base import WebhookRequest
from tests.conftest import make_program
from tests.hostile.bodies import Hostile
from tests.services.bodies import woo_order
from tests.services.books import assert_books_are_true
from tests.services.houses import House, make_shop, shopify_request, woo_request

_BATCH = 300


@dataclass(slots=True)
class Through:
    """What became of them. `faults`: answers of 500 and above, and deliveries that failed by a fault of ours."""

    sent: int = 0
    answers: dict[int, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def go_through(app: Flask, rt: Runtime, bodies: Iterable[Hostile]) -> Through:
    """A program with a shop on both platforms gets them all, an honest order before, between and after.

    Raises: AssertionError where an honest order did not count, or a book is not true.
    """
    program_id = make_program(rt, currency="USD")
    shops = {
        platform: make_shop(rt, program_id, platform=platform) for platform in ("woocommerce", "shopify")
    }
    house = House(rt, program_id, shops["woocommerce"])
    found, client, honest = Through(), app.test_client(), 0
    waiting: dict[str, str] = {}  # delivery_ref -> name

    def send(request: WebhookRequest, path: str) -> int:
        answer = client.post(path, data=request.body, headers=dict(request.headers))
        found.answers[answer.status_code] = found.answers.get(answer.status_code, 0) + 1
        return answer.status_code

    def drain() -> None:
        nonlocal honest
        honest += 1
        body = woo_order(10_000_000 + honest, goods="10.00", customer=777_777)
        assert send(woo_request("order.updated", body), f"/webhooks/woocommerce/{house.shop.key}") == 200
        house.drain()
        assert house.balance("777777") == 10 * honest
        found.faults += _faults(house, waiting)
        waiting.clear()

    for number, one in enumerate(bodies, 1):
        found.sent += 1
        shop = shops[one.platform]
        if one.platform == "woocommerce":
            request = woo_request(one.topic, one.body, delivery_ref=str(number))
            status = send(request, f"/webhooks/woocommerce/{shop.key}")
        else:
            request = shopify_request(one.topic, one.body, shop, delivery_ref=str(number))
            status = send(request, "/webhooks/shopify")
        if status != 200:
            found.faults.append(f"{one.name}: answered {status}")
        waiting[str(number)] = one.name
        if number % _BATCH == 0:
            drain()
    drain()
    found.states = _states(house)
    assert_books_are_true(rt, program_id)
    return found


def _faults(house: House, waiting: dict[str, str]) -> list[str]:
    with house.rt.db.begin(house.program_id) as session:
        rows = session.rows(
            "SELECT delivery_ref, state, reason FROM inbox WHERE {fence} AND delivery_ref = ANY(:refs) "
            "AND (state = 'waiting' OR reason LIKE 'our fault%')",
            refs=list(waiting),
        )
    return [f"{waiting[row.delivery_ref]}: {row.state}: {row.reason}" for row in rows]


def _states(house: House) -> dict[str, int]:
    with house.rt.db.begin(house.program_id) as session:
        rows = session.rows("SELECT state, count(*) AS number FROM inbox WHERE {fence} GROUP BY state")
    return {row.state: row.number for row in rows}
