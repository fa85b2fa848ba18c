"""What a merchant's own automation may begin with, and what it is told: facts about one customer of one shop."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

FRESH = timedelta(days=3)
"""What happened longer ago is told to nobody: an old order counted late is no reason for a message today."""


class Trigger(StrEnum):
    """What merchants build automations on. The words stand in these, and in the shops' settings: they stay."""

    POINTS_EARNED = "points_earned"  # by orders and activities: staff's and automations' gifts begin nothing
    TIER_CHANGED = "tier_changed"
    REWARD_REDEEMED = "reward_redeemed"  # once its code is there


FACTS: Mapping[Trigger, tuple[str, ...]] = {
    Trigger.POINTS_EARNED: ("points", "available", "pending", "tier"),
    Trigger.TIER_CHANGED: ("tier", "name", "before", "direction"),
    Trigger.REWARD_REDEEMED: ("reward", "name", "cost", "code"),
}
"""What is told, by name. Points are in the program's unit: points, or minor units of its currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something to begin an automation with. `facts` has each name of `FACTS`, and no other."""

    trigger: Trigger
    customer_ref: str
    facts: Mapping[str, str | int]


def points_earned(
    customer_ref: str, *, points: int, available: int, pending: int, tier_key: str
) -> Happening:
    """A debt shows as 0, as on every page for shoppers."""
    return Happening(
        trigger=Trigger.POINTS_EARNED,
        customer_ref=customer_ref,
        facts={"points": points, "available": max(available, 0), "pending": pending, "tier": tier_key},
    )


def tier_changed(customer_ref: str, *, tier_key: str, name: str, before: str, is_up: bool) -> Happening:
    return Happening(
        trigger=Trigger.TIER_CHANGED,
        customer_ref=customer_ref,
        facts={
            "tier": tier_key,
            "name": name,
            "before": before,
            "direction": "up" if is_up else "down",
        },
    )


def reward_redeemed(customer_ref: str, *, reward_key: str, name: str, cost: int, code: str) -> Happening:
    """`code` is empty where nothing has to be typed in: the money stands in the customer's account already."""
    return Happening(
        trigger=Trigger.REWARD_REDEEMED,
        customer_ref=customer_ref,
        facts={"reward": reward_key, "name": name, "cost": cost, "code": code},
    )
