"""Finer rules read as a merchant would say them."""

from typing import Any

import pytest

from app.domain.program import decode, default_document
from app.services.describe_rules import describe_rules

TEA = {"products": ["tea"]}


@pytest.mark.parametrize(
    ("earn", "said"),
    [
        ({}, []),
        ({"base": {"tax": True, "shipping": True}}, ["What counts: goods, and tax and shipping"]),
        ({"minimum_minor": 4000}, ["Minimum: an order earns if €40.00 of it count"]),
        ({"channels": ["pos", "web"]}, ["Channels: only orders from pos or web earn"]),
        ({"exclude": TEA}, ["Excluded: no points for product tea"]),
        (
            {"rates": [{"key": "a", "name": "Tea", "of": TEA, "points": 3, "spend_minor": 100}]},
            ["Tea: 3 points for every €1.00 of product tea"],
        ),
        (
            {
                "rates": [
                    {"key": "a", "name": "Cups", "of": {"vendors": ["Kiln"], "excluding": TEA}, "points": 1}
                ]
            },
            ["Cups: 1 point for each piece of what comes from Kiln, but not product tea"],
        ),
        (
            {
                "campaigns": [
                    {
                        "key": "a",
                        "name": "Evenings",
                        "percent": 200,
                        "whose": {"tiers": ["gold"], "orders_from": 3},
                        "during": {
                            "starts": "2026-12-01",
                            "ends": "2026-12-25",
                            "days": ["fri", "sat"],
                            "hours": ["18:00", "22:00"],
                        },
                    }
                ],
                "stacking": "highest",
            },
            [
                "Evenings: 200 % of the points, for Gold, after 3 orders or more, from 1 December 2026, "
                "through 24 December 2026, on Fridays or Saturdays, from 18:00 to 22:00",
                "Several percents at once: the highest percent alone counts",
            ],
        ),
        (
            {"exclude_members": {"tags": ["staff", "wholesale"]}},
            ["Not for: no points for customers tagged staff or wholesale"],
        ),
        (
            {
                "goals": [
                    {"key": "a", "name": "A good year", "points": 25, "spend_minor": 50000, "per": "year"}
                ]
            },
            ["A good year: 25 points once €500.00 are spent in a year"],
        ),
        (
            {
                "rates": [
                    {
                        "key": "a",
                        "name": "Beans",
                        "of": {"collections": ["7"], "excluding": {"tags": ["Sale"]}},
                        "points": 2,
                    }
                ]
            },
            ["Beans: 2 points for each piece of collection 7, but not what is tagged sale"],
        ),
        (
            {
                "campaigns": [
                    {
                        "key": "a",
                        "name": "Come back",
                        "percent": 200,
                        "whose": {"quiet_days_from": 90, "spend_from_minor": 10000},
                    }
                ]
            },
            [
                "Come back: 200 % of the points, after spending €100.00 or more, "
                "after 90 days or more without an order",
                "Several percents at once: percents are multiplied with each other",
            ],
        ),
        (
            {"bonuses": [{"key": "a", "name": "Welcome", "points": 50, "order_number": 1}]},
            ["Welcome: 50 points for a member’s order no. 1"],
        ),
        (
            {"caps": [{"key": "a", "name": "Daily limit", "points": 200, "per": "day"}]},
            ["Daily limit: at most 200 points a member a day"],
        ),
    ],
)
def test_a_rule_is_a_sentence(earn: dict[str, Any], said: list[str]) -> None:
    document = default_document("Sprig", "EUR", "UTC")
    document["earn"] |= earn
    found = [f"{one.name}: {one.text}" for one in describe_rules(decode(document, 1))]
    assert [text.replace("\u00a0", " ") for text in found] == said
