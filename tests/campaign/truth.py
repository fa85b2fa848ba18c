"""What should be, told by the shops' own records and by what people did; nothing of Laurel's code decides here.

Money is the stand-ins' (`sandbox.demo.truth`, in Decimal), the version is the one that was live when the order was
placed, the tier's percentage stands in that version's document.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.demo.lives import Placed
from sandbox.demo.truth import worth
from tests.campaign.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    number: int
    at: datetime
    document: Mapping[str, Any]

    def percent(self, tier: str | None) -> int:
        levels = self.document["tiers"]["levels"]
        return int(
            next((one["earn_percent"] for one in levels if one["key"] == tier), levels[0]["earn_percent"])
        )

    def points(self, money: Decimal, tier: str | None) -> int:
        """Multiplied first, rounded down once."""
        earn = self.document["earn"]
        cents = int(money * 100)
        return cents * int(earn["points"]) * self.percent(tier) // (int(earn["spend_minor"]) * 100)


def versions(world: World) -> list[Version]:
    """When each document that was published went live; the document as it was handed in."""
    rows = world.eye.rows("SELECT version, published_at FROM program_versions ORDER BY version")
    return [Version(number=row[0], at=row[1], document=world.documents[row[0] - 1]) for row in rows]


def versions_at(known: list[Version], moment: datetime) -> list[Version]:
    """What was live at that moment; both where one was published just then, since shops count whole seconds."""
    before = [one for one in known if one.at < moment]
    return [before[-1] if before else known[0], *(one for one in known if one.at == moment)]


def money(placed: Placed) -> Decimal:
    return worth(placed.stand.store, placed.order)


def paid_at(placed: Placed) -> datetime | None:
    """When the last of the money came in; None: it has not."""
    order = placed.order
    if placed.stand.platform == "woocommerce":
        return order.paid if isinstance(order.paid, datetime) else None
    moments = [one.at for one in order.transactions if one.kind in ("sale", "capture")]
    return max(moments, default=None)


def customer_ref(placed: Placed) -> str | None:
    """Whose the order is by the shop's record; None: a guest's."""
    order = placed.order
    if placed.stand.platform == "woocommerce":
        return str(order.customer_id) if order.customer_id else None
    return str(order.customer.id) if order.customer is not None else None


def is_gone(placed: Placed) -> bool:
    return placed.order.id not in placed.stand.store.orders


def codes_of(order: Any) -> set[str]:
    if hasattr(order, "coupons"):
        return {used.coupon.code.casefold() for used in order.coupons}
    return {code.casefold() for code in order.codes}


def live_codes(world: World, platform: str) -> dict[str, int]:
    """Codes of Laurel's that a shopper could use now, by the shop's own records -> how often."""
    store, now = world.stands[platform].store, world.clock()
    live: dict[str, int] = {}
    if platform == "woocommerce":
        for coupon in store.coupons.values():
            left = (coupon.usage_limit or 1) - coupon.usage_count
            if coupon.status == "publish" and left > 0 and (coupon.expires is None or coupon.expires > now):
                live[coupon.code.casefold()] = live.get(coupon.code.casefold(), 0) + left
        return live
    for one in store.discounts.values():
        left = (one.usage_limit or 1) - len(one.uses)
        if one.status(store.now()) == "ACTIVE" and left > 0:
            live[one.code.casefold()] = live.get(one.code.casefold(), 0) + left
    today = now.astimezone(store.zone).date()
    for card in store.gift_cards.values():
        if card.enabled and card.balance and (card.expires is None or card.expires >= today):
            live[card.code.casefold()] = 1
    return live


def used_codes(world: World, platform: str) -> set[str]:
    """Codes on orders that are there and not void."""
    return set(uses(world, platform))


def uses(world: World, platform: str) -> dict[str, datetime]:
    """Codes on orders that are there and not void -> since when the first of those orders stands as it does."""
    found: dict[str, datetime] = {}
    for placed in world.placed:
        if placed.stand.platform == platform and not is_gone(placed) and not _is_void(placed):
            for code in codes_of(placed.order):
                found[code] = min(found.get(code, placed.changed), placed.changed)
    return found


def _is_void(placed: Placed) -> bool:
    order = placed.order
    if placed.stand.platform == "woocommerce":
        # Cancelled, and then paid back: it is told as refunded, and its codes can be used again.
        paid_back = order.status == "refunded" and not order.uses_counted
        return paid_back or order.status in ("cancelled", "failed", "trash")
    return order.cancelled is not None
