"""Every example of balances.toml, told as a shop tells its orders: what is left, and what comes back."""

import json
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.domain.changes import OrderChanged
from app.domain.money import Money
from app.domain.orders import OrderSnapshot
from app.domain.program import UnusedCodes
from app.domain.redeeming import Bought, points_for_rest, use_of
from app.domain.rewards import RewardKind
from connectors.base import Delivery
from connectors.woocommerce.mapping import normalise

EXAMPLES = tomllib.loads(Path(__file__).with_name("balances.toml").read_text())["example"]
CODE = "LRL-7K3M9Q2X4V8T1W5Z"
FIVE = Money(500, "EUR")


def told(order: Mapping[str, Any], example: Mapping[str, Any]) -> OrderSnapshot:
    """The order's webhook, as far as it is read."""
    off, tax_off = order["takes"]
    status = order.get("status", "processing")
    paid = order.get("paid", "20.00")
    body = {
        "id": 7,
        "status": status,
        "currency": order.get("currency", "EUR"),
        "prices_include_tax": example.get("listed_with_tax", False),
        "total": paid,
        "date_created_gmt": "2026-03-04T14:00:00",
        "date_modified_gmt": "2026-03-04T14:00:00",
        "date_paid_gmt": "2026-03-04T14:00:00" if status == "processing" else None,
        "line_items": [{"id": 1, "total": paid, "total_tax": "0"}],
        "coupon_lines": [{"code": order.get("code", CODE).lower(), "discount": off, "discount_tax": tax_off}],
        "refunds": [{"id": 9, "total": f"-{order['refunded']}"}] if "refunded" in order else [],
    }
    change = normalise(
        Delivery(topic="order.updated", delivery_ref="", shop_ref=None, body=json.dumps(body).encode())
    )
    assert isinstance(change, OrderChanged)
    return change.order


@pytest.mark.parametrize("example", EXAMPLES, ids=[one["says"] for one in EXAMPLES])
def test_the_example_holds(example: Mapping[str, Any]) -> None:
    bought = Bought(
        key="credit",
        title="",
        kind=RewardKind.STORE_CREDIT,
        cost=100,
        version=1,
        amount=FIVE,
        percent=None,
        minimum_spend=None,
        unused=UnusedCodes.RETURN,
        return_on_refund=example.get("returns", False),
        is_balance=True,
    )
    uses = [use_of(bought, CODE, told(order, example)) for order in example["orders"]]
    left = FIVE - Money(sum(use.taken_minor - use.back_minor for use in uses), "EUR")
    assert str(left) == example["left"]
    assert points_for_rest(bought, left) == example["back"]


def test_every_example_is_told_apart() -> None:
    assert [says for says, count in Counter(one["says"] for one in EXAMPLES).items() if count > 1] == []
