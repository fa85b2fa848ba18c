"""What merchants' automations at a shop's platform begin with, and how that goes."""

from app.db import happenings
from app.db.happenings import TriggerRow
from app.db.shops import ShopRow
from app.services.runtime import Runtime


def describe_triggers(rt: Runtime, shop: ShopRow) -> tuple[TriggerRow, ...] | None:
    """Those that the shop ever used; none yet is an empty one. None: the platform has no automations of ours."""
    connector = rt.connectors.get(shop.platform)
    if connector is None or not connector.triggers:
        return None
    with rt.db.begin(shop.program_id) as session:
        return tuple(happenings.find_triggers(session, shop.shop_id))
