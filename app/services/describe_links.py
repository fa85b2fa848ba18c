"""Where at the platform a merchant does what Laurel cannot do for them."""

from collections.abc import Iterable
from datetime import timedelta

from app.db.shops import ShopRow
from app.services.runtime import Runtime
from connectors.base import ShopLinks


def describe_links(rt: Runtime, shop: ShopRow) -> ShopLinks | None:
    """None: the platform has no such pages, or the shop is not one of the installation's own app, or not connected."""
    connector = rt.connectors.get(shop.platform)
    app = rt.app_of(shop.platform)
    if connector is None or connector.links is None or not app.client_id:
        return None
    if shop.own_app or shop.state != "connected":
        return None
    return connector.links(shop.shop_ref, app)


_NEW = timedelta(days=14)
"""For so long it is said where shoppers' pages are switched on: whether they are, no platform tells us."""


def first_steps(rt: Runtime, known: Iterable[ShopRow]) -> list[tuple[ShopRow, str]]:
    """Shops that were connected a short while ago, each with where its merchant shows it to shoppers."""
    new = [one for one in known if one.connected_at > rt.now() - _NEW]
    return [(one, links.show) for one in new if (links := describe_links(rt, one)) is not None]
