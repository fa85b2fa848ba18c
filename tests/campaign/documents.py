"""Programs of the campaign: every kind of reward, an activity, a referral, and rules that meet in different ways."""

import copy
from collections.abc import Mapping
from random import Random
from typing import Any

from app.domain.program import default_document

SHOPIFY_KEY = "fern-music"  # of the shop's name


def first_document(random: Random) -> dict[str, Any]:
    """What a seed begins with."""
    document = make_document()
    for _ in range(8):
        document = change_document(document, random)
    return document


def make_document() -> dict[str, Any]:
    """The default program with levels that a few orders reach, every kind of reward, an activity and a referral."""
    told = default_document("Campaign", "USD", "UTC")
    levels = told["tiers"]["levels"]
    levels[1]["from_minor"], levels[2]["from_minor"] = 300_00, 900_00
    told["codes"]["days"] = 30
    told["rewards"] += [
        {"key": "any", "kind": "amount", "steps": {"points": 50, "amount_minor": 250}},
        {"key": "card", "kind": "gift_card", "cost": 100, "amount_minor": 500},
        {"key": "perk", "title": "Early access", "kind": "perk", "cost": 50},
        {"key": "credit", "kind": "store_credit", "cost": 100, "amount_minor": 500, "shops": [SHOPIFY_KEY]},
    ]
    told["activities"] = [
        {"key": "visit", "name": "Visit to the shop", "kind": "custom", "points": 5, "hold_days": 3},
        {"key": "welcome", "name": "Welcome", "kind": "sign_up", "points": 20},
    ]
    told["referral"] = {"referrer_points": 60, "friend_points": 30, "minimum_minor": 2000}
    return told


def change_document(before: Mapping[str, Any], random: Random) -> dict[str, Any]:
    """`before` with one thing changed, perhaps to what it was."""
    document = copy.deepcopy(dict(before))
    document["rewards"] = make_document()["rewards"]
    levels = document["tiers"]["levels"]
    match random.choice(("rate", "percent", "levels", "hold", "expiry", "refunds", "codes", "grace")):
        case "rate":
            document["earn"] |= {"points": random.choice((1, 2, 3)), "spend_minor": random.choice((100, 150))}
        case "percent":
            levels[1]["earn_percent"], levels[2]["earn_percent"] = random.choice(
                ((110, 200), (125, 150), (133, 167))
            )
        case "levels":
            levels[1]["from_minor"], levels[2]["from_minor"] = random.choice(
                ((200_00, 600_00), (300_00, 900_00), (500_00, 2000_00))
            )
        case "hold":
            document["earn"]["hold_days"] = random.choice((0, 3, 14))
        case "expiry":
            document["expiry"] = random.choice(
                (
                    {"kind": "never"},
                    {"kind": "after_days", "days": 90},
                    {"kind": "after_days", "days": 365},
                    {"kind": "after_inactivity_days", "days": 60},
                )
            )
        case "refunds":
            document["refunds"] = {
                "policy": random.choice(("deficit", "clamp")),
                "return_redeemed_points": random.random() < 0.5,
            }
        case "codes":
            document["codes"] = {
                "days": random.choice((10, 30, 90)),
                "unused": random.choice(("return", "breakage")),
            }
        case _:
            document["tiers"]["grace_days"] = random.choice((0, 20))
            document["tiers"]["downgrade"] = random.choice(("one_step", "to_level"))
    return document
