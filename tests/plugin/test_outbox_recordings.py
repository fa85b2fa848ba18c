"""What the plugin's outbox of a real shop sent (WooCommerce 10.9.1; addresses replaced, signed anew), byte for byte.

By hand: two mugs at 10.00 are 20 points; one given back leaves 10; that refund deleted leaves the same moment with other
facts, so the order is asked for; then the order is deleted for good, and asked for again. No webhook tells of those two.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from app.db.orders import OrderRow, find_orders
from app.services.receive_delivery import Receipt
from app.services.runtime import Runtime
from connectors.base import WebhookRequest
from tests.conftest import make_program
from tests.services.houses import House, make_shop

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.json"))


@pytest.fixture
def house(rt: Runtime) -> House:
    program_id = make_program(rt, currency="USD")
    return House(rt, program_id, make_shop(rt, program_id))


def recorded(path: Path) -> WebhookRequest:
    told = json.loads(path.read_text())
    return WebhookRequest(
        told["body"].encode(), {name.lower(): value for name, value in told["headers"].items()}
    )


def row(house: House) -> OrderRow:
    key = (house.shop.shop_id, "173")
    with house.rt.db.begin(house.program_id) as session:
        return find_orders(session, [key])[key]


def test_every_step_is_known_at_once_and_none_counts_twice(house: House) -> None:
    seen: list[tuple[int, int]] = []
    for path in RECORDINGS:
        assert house.deliver(recorded(path)) is Receipt.KEPT
        assert house.deliver(recorded(path)) is Receipt.SEEN_BEFORE
        house.drain()
        seen.append((house.points("173"), row(house).reread_wanted))
    # The refund of the second message comes without its lines, which is a wish to read it as well.
    assert seen == [(20, 0), (10, 1), (10, 2), (10, 3)]


def test_what_laurel_does_not_need_stays_in_the_shop() -> None:
    for path in RECORDINGS[:3]:
        body: dict[str, Any] = json.loads(json.loads(path.read_text())["body"])
        assert list(body["billing"]) == ["email"]
        private = {
            "shipping",
            "order_key",
            "payment_url",
            "customer_ip_address",
            "customer_note",
            "transaction_id",
        }
        assert not private & body.keys()
