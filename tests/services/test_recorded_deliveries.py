"""A real shop's deliveries, byte for byte: at every step the balance worked out by hand.

By hand, 1 point per 1.00 of goods without tax and shipping, rounded down once an order:
A (order 23, 2 mugs at 10.00 and coffee at 19.99 = 39.99): 39; 5.00 given back: 34.99, 34; a mug (10.00): 24.99,
24; the rest: 0. B (guest): 149.00 and some: 149, of nobody. E: 30.00, then cancelled. F: with a coupon, 33, then
cancelled.
From a second visit, with codes that Laurel made: K (order 120: 7.50 + 17.49 after the code): on hold 0, completed 24;
the mug given back (8.25 less 0.75 tax): 17.49, 17. L (123, 36.00): cancelled 0, completed all the same 36, refunded 0,
and 36 again when that refund was deleted, whatever its status says. M (110: 279.99, of two refunds left 21.99 less 2.00
tax and 8.25 of shipping less 0.75, which counts until it is read): 252.50, 252. N (133: 10.00 less a bare 5.50): 4.50, 4.
"""

import json
import random
from base64 import b64decode
from pathlib import Path

import pytest

from app.services.receive_delivery import Receipt
from app.services.runtime import Runtime
from connectors.base import WebhookRequest
from tests.conftest import make_program
from tests.services.houses import House, make_shop

# One shop's diary. From 60 on are other shops, whose orders have the same numbers.
RECORDINGS = sorted(
    (Path(__file__).parents[1] / "connectors" / "woocommerce" / "recordings").glob("[0-5]*.json")
)


def recorded(path: Path) -> WebhookRequest:
    recording = json.loads(path.read_text())
    headers = {name.lower(): value for name, value in recording["headers"]}
    return WebhookRequest(b64decode(recording["body_b64"]), headers)


def order_ref(path: Path) -> str | None:
    body = json.loads(path.read_text())["body_text"]
    if not body.startswith("{") or "order." not in path.name:
        return None
    ref = json.loads(body).get("id")
    return None if ref is None else str(ref)


# What each order is worth after the step whose file names begin so; from then on until the next.
WORTH = {
    "04-A": ("23", 39),
    "05-A": ("23", 39),
    "08-A": ("23", 34),
    "09-A": ("23", 24),
    "11-A": ("23", 0),
    "19-E": ("E", 30),
    "20-E": ("E", 0),
    "25-F": ("F", 33),
    "26-F": ("F", 0),
    "51-K": ("K", 24),
    "52-K": ("K", 17),
    "54-L": ("L", 0),
    "55-L": ("L", 36),
    "56-L": ("L", 0),
    "57-M": ("M", 252),
    "58-L": ("L", 36),
    "59-N": ("N", 4),
}
REFS = {path.name.split("-")[1]: ref for path in RECORDINGS if (ref := order_ref(path)) is not None}


def worth_after(step: int) -> dict[str, int]:
    """Order ref -> points, after the first `step` recordings, in any order and any number."""
    worth: dict[str, int] = {}
    for path in RECORDINGS[:step]:
        known = WORTH.get(path.name[:4])
        if known is not None:
            worth[REFS.get(known[0], known[0])] = known[1]
    return worth


@pytest.fixture
def house(rt: Runtime) -> House:
    program_id = make_program(rt, currency="USD")
    return House(rt, program_id, make_shop(rt, program_id))


@pytest.mark.parametrize("how", ["in order", "shuffled", "doubled"])
@pytest.mark.parametrize("step", range(1, len(RECORDINGS) + 1))
def test_at_every_step_the_balance_is_the_one_worked_out_by_hand(house: House, step: int, how: str) -> None:
    paths = RECORDINGS[:step] * (2 if how == "doubled" else 1)
    if how != "in order":
        random.Random(step).shuffle(paths)  # noqa: S311
    for path in paths:
        assert house.deliver(recorded(path)) is not Receipt.BAD_SIGNATURE
    house.drain()
    worth = worth_after(step)
    assert {ref: house.points(ref) for ref in worth} == worth
    assert house.balance("2") + house.balance("3") == sum(worth.values())


def test_the_ping_is_answered_and_not_kept(house: House) -> None:
    assert house.deliver(recorded(RECORDINGS[0])) is Receipt.NOTHING
    assert house.drain().total == 0
