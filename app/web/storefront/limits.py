"""How often a shopper, a visitor and a whole shop may ask. Counted in each process: generous, and enough."""

from flask import Flask, request
from flask_limiter import Limiter

from app.domain.errors import Refused
from app.web.storefront.views import blueprint
from app.web.storefront.who import shopper

READS = "240 per minute"  # an open panel asks about every five seconds
WRITES = "30 per minute"
WHOLE_SHOP = "12000 per minute"


def register(app: Flask) -> None:
    limiter = Limiter(
        _who,
        app=app,
        storage_uri="memory://",
        headers_enabled=True,
        strategy="fixed-window",
        key_prefix="storefront",
    )
    limiter.limit(READS, methods=["GET"], key_func=_who)(blueprint)
    limiter.limit(WRITES, methods=["POST"], key_func=_who)(blueprint)
    limiter.limit(WHOLE_SHOP, methods=["GET", "POST"], key_func=_shop)(blueprint)


def _who() -> str:
    """The proven customer; or the visitor's address, for those who prove nothing or something wrong."""
    try:
        found = shopper()
    except Refused:
        return f"stranger {request.remote_addr}"
    if found.customer_ref is None:
        return f"visitor {found.shop.shop_id} {request.remote_addr}"
    return f"customer {found.shop.shop_id} {found.customer_ref}"


def _shop() -> str:
    try:
        return f"shop {shopper().shop.shop_id}"
    except Refused:
        return f"stranger's shop {request.remote_addr}"
