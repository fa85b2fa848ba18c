"""Order bodies as a real WooCommerce wrote them, with what a test is about changed."""

import copy
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.conftest import NOW

RECORDINGS = Path(__file__).parents[1] / "connectors" / "woocommerce" / "recordings"
_RECORDED = json.loads(
    json.loads((RECORDINGS / "04-A-processing-1-order.updated.json").read_text())["body_text"]
)


def woo_order(number: int, *, goods: str, customer: int, minute: int = 0, **changes: Any) -> bytes:
    """A paid order of one line, so many minutes after NOW; `changes` replace fields of the body."""
    body = copy.deepcopy(_RECORDED)
    moment = (NOW + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%S")
    line = {**body["line_items"][0], "total": goods, "total_tax": "0.00"}
    body |= {
        "id": number,
        "number": str(number),
        "customer_id": customer,
        "total": goods,
        "line_items": [line],
        "shipping_lines": [],
        "date_created_gmt": moment,
        "date_modified_gmt": moment,
        "date_paid_gmt": moment,
    }
    return json.dumps(body | changes).encode()
