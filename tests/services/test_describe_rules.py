"""Finer rules read as a merchant would say them."""

from typing import Any

import pytest

from app.domain.program import decode, default_document
from app.services.check_document import WrongDocument, check_document
from app.services.describe_earning import describe_earning
from app.services.describe_rules import describe_rules

TEA = {"products": ["tea"]}


@pytest.mark.parametrize(
    ("earn", "said"),
    [
        ({}, []),
        ({"base": {"tax": True, "shipping": True}}, ["What counts: goods, and tax and shipping"]),
        ({"minimum_minor": 4000}, ["Minimum: an order earns if €40.00 of it count"]),
        ({"channels": ["pos", "web"]}, ["Channels: only orders from pos or web earn"]),
        ({"exclude": TEA}, ["Excluded: nothing is earned for product tea"]),
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
            ["Not for: nothing is earned for customers tagged staff or wholesale"],
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


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, []),
        (
            {"activities": [{"key": "a", "name": "Welcome", "kind": "sign_up", "points": 50}]},
            ["Welcome: 50 points for signing up, once"],
        ),
        (
            {"activities": [{"key": "a", "name": "Birthday", "kind": "birthday", "points": 40}]},
            ["Birthday: 40 points on the birthday, once a year"],
        ),
        (
            {"activities": [{"key": "a", "name": "Newsletter", "kind": "newsletter", "points": 1}]},
            ["Newsletter: 1 point, once"],
        ),
        (
            {
                "activities": [
                    {
                        "key": "a",
                        "name": "Review",
                        "kind": "review",
                        "points": 10,
                        "limit": {"times": 2, "per": "day"},
                        "hold_days": 3,
                        "during": {"starts": "2027-03-01"},
                    }
                ]
            },
            ["Review: 10 points each time, at most 2 times a day, after 3 days, from 1 March 2027"],
        ),
        (
            {
                "referral": {
                    "referrer_points": 200,
                    "friend_points": 100,
                    "minimum_minor": 2000,
                    "limit": {"times": 1, "per": "month"},
                }
            },
            [
                "Bringing a friend: 200 points, and 100 points for the friend, for the friend’s first order "
                "from €20.00 on, at most once a month"
            ],
        ),
    ],
)
def test_what_earns_without_an_order_is_a_sentence_too(document: dict[str, Any], said: list[str]) -> None:
    whole = default_document("Sprig", "EUR", "UTC") | document
    check_document(whole)
    assert [f"{one.name}: {one.text}" for one in describe_earning(decode(whole, 1))] == said


def test_what_is_wrong_with_activities_is_told_at_once() -> None:
    document = default_document("Sprig", "EUR", "UTC")
    document["activities"] = [
        {"key": "referral", "name": "A", "kind": "sign_up", "points": 1},
        {"key": "b", "name": "B", "kind": "sign_up", "points": 1, "limit": {"times": 1, "per": "day"}},
        {"key": "b", "name": "C", "kind": "custom", "points": 1, "during": {"starts": "2027-02-30"}},
    ]
    with pytest.raises(WrongDocument) as wrong:
        check_document(document)
    assert [field for field, _ in wrong.value.faults] == [
        "activities",
        "activities[0].key",
        "activities[1].kind",
        "activities[1].limit",
        "activities[2].during.starts",
    ]


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"activities": [{"key": "a", "name": "A", "kind": "dance", "points": 1}]}, "activities[0].kind"),
        ({"activities": [{"key": "a", "name": "A", "kind": "custom", "points": 0}]}, "activities[0].points"),
        ({"referral": {"referrer_points": 1}}, "referral"),
        (
            {"referral": {"referrer_points": 1, "friend_points": 1, "limit": {"times": 0, "per": "day"}}},
            "referral.limit.times",
        ),
    ],
)
def test_what_the_schema_refuses_names_its_field(part: dict[str, Any], field: str) -> None:
    with pytest.raises(WrongDocument) as wrong:
        check_document(default_document("Sprig", "EUR", "UTC") | part)
    assert [one for one, _ in wrong.value.faults] == [field]
