"""How the store writes things: JSON as PHP makes it, times twice, links, numbers."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.woocommerce.base import ShopBase
from sandbox.woocommerce.state import (
    Meta,
)

Body = dict[str, Any]


STAMP = "%Y-%m-%dT%H:%M:%S"


SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "KWD": "د.ك", "CHF": "CHF"}


def encode(body: object) -> bytes:
    """JSON as PHP writes it: no blanks, slashes escaped, everything beyond ASCII as \\u."""
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()


def local(shop: ShopBase, moment: datetime | None) -> str | None:
    return moment.astimezone(shop.zone).strftime(STAMP) if moment else None


def gmt(moment: datetime | None) -> str | None:
    # Without "Z": that is how WooCommerce writes it.
    return moment.astimezone(UTC).strftime(STAMP) if moment else None


def dates(shop: ShopBase, created: datetime, modified: datetime | None) -> Body:
    return {
        "date_created": local(shop, created),
        "date_created_gmt": gmt(created),
        "date_modified": local(shop, modified),
        "date_modified_gmt": gmt(modified),
    }


def links_of(shop: ShopBase, path: str, collection: str, hints: str = "GET POST PUT PATCH DELETE") -> Body:
    return {
        "self": [{"href": f"{shop.api}/{path}", "targetHints": {"allow": hints.split()}}],
        "collection": [{"href": f"{shop.api}/{collection}"}],
    }


def meta_of(meta: Meta) -> Body:
    return {"id": meta.id, "key": meta.key, "value": meta.value}


def plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(round(amount, 6))
