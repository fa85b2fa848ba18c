"""How often a shopper, a visitor and a whole shop may ask in a minute."""

from collections.abc import Iterator

from flask import request

from app.domain.errors import Refused
from app.web.storefront.who import shopper

READS = 240  # an open panel asks about every five seconds
WRITES = 30
VISITS = 3000  # generous: a platform's proxy brings all of a shop's visitors from a few addresses
WHOLE_SHOP = 12_000


def counts() -> Iterator[tuple[str, int]]:
    """A proven customer by who they are; everybody else by the address they come from."""
    method = request.method
    if method not in ("GET", "POST"):
        return
    act, most = ("reads", READS) if method == "GET" else ("writes", WRITES)
    try:
        who = shopper()
    except Refused:
        yield f"{act} of {request.remote_addr}", most
        return
    if who.customer_ref is not None:
        yield f"{act} of {who.shop.shop_id} {who.customer_ref}", most
    else:
        yield f"visits from {request.remote_addr} to {who.shop.shop_id}", VISITS
    yield f"shop {who.shop.shop_id}", WHOLE_SHOP
