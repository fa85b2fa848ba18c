"""Programs to start from: whole documents, right as they stand, to be changed before they are published."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.money import exponent
from app.domain.program import default_document

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Template:
    """`says`: for whom it is. `next_step`: what must be put in before it is published; empty: nothing."""

    key: str
    title: str
    says: str
    next_step: str
    build: Callable[[str, str, str], Document]


def start_from_template(key: str, *, like: Mapping[str, Any]) -> Document:
    """The template's document, in name, currency, time zone and look `like` another. Raises: KeyError."""
    document = TEMPLATES[key].build(like["name"], like["currency"], like["timezone"])
    return document | ({"look": like["look"]} if "look" in like else {})


def _unit(currency: str) -> int:
    """1.00, or 100 where there are no decimals."""
    return 10 ** exponent(currency) if exponent(currency) else 100


def _cashback(name: str, currency: str, timezone: str) -> Document:
    """5 % back, in the smallest units of the currency."""
    unit = _unit(currency)
    document = default_document(name, currency, timezone)
    document["counts_in"] = "money"
    document["earn"] |= {"points": 5, "spend_minor": 100, "hold_days": 14}
    document["expiry"] = {"kind": "after_inactivity_days", "days": 365, "reminders": [30, 7]}
    document["rewards"] = [
        {
            "key": "money-off",
            "kind": "amount",
            "steps": {"points": unit, "amount_minor": unit, "minimum_points": 5 * unit},
        }
    ]
    return document


def _vip(name: str, currency: str, timezone: str) -> Document:
    unit = _unit(currency)
    document = default_document(name, currency, timezone)
    document["tiers"] = {
        "window": "calendar_year",
        "grace_days": 30,
        "downgrade": "one_step",
        "levels": [
            {"key": "member", "name": "Member", "from_minor": 0, "earn_percent": 100},
            {
                "key": "silver",
                "name": "Silver",
                "from_minor": 300 * unit,
                "earn_percent": 125,
                "entry_points": 50,
                "perks": ["First look at what is new"],
            },
            {
                "key": "gold",
                "name": "Gold",
                "from_minor": 1000 * unit,
                "earn_percent": 150,
                "entry_points": 150,
                "perks": ["First look at what is new", "Free repairs"],
            },
            {
                "key": "circle",
                "name": "Inner circle",
                "invitation_only": True,
                "earn_percent": 200,
                "perks": ["An evening with us each year"],
            },
        ],
    }
    document["activities"] = [
        {"key": "welcome", "name": "Welcome", "kind": "sign_up", "points": 50},
        {"key": "birthday", "name": "Birthday", "kind": "birthday", "points": 100},
    ]
    document["rewards"].append(
        {"key": "gold-20", "kind": "percent", "percent": 20, "cost": 300, "tier": "gold"},
    )
    return document


def _visits(name: str, currency: str, timezone: str) -> Document:
    document = default_document(name, currency, timezone)
    document["earn"] |= {
        # Only the visit counts: what was bought earns nothing by itself.
        "rates": [{"key": "goods", "name": "Goods", "of": {}, "points": 0}],
        "bonuses": [{"key": "visit", "name": "Visit", "points": 1}],
        "caps": [{"key": "day", "name": "Three stamps a day", "points": 3, "per": "day"}],
    }
    document["tiers"] = {
        "months": 12,
        "grace_days": 0,
        "levels": [{"key": "guest", "name": "Guest", "from_minor": 0, "earn_percent": 100}],
    }
    document["rewards"] = [{"key": "coffee", "kind": "perk", "title": "A coffee on the house", "cost": 10}]
    return document


def _membership(name: str, currency: str, timezone: str) -> Document:
    unit = _unit(currency)
    document = default_document(name, currency, timezone)
    document["tiers"] = {
        "months": 12,
        "grace_days": 0,
        "levels": [
            {"key": "member", "name": "Member", "from_minor": 0, "earn_percent": 100},
            {
                "key": "club",
                "name": "Club",
                "earn_percent": 300,
                "perks": ["Free shipping every month"],
                "paid": {"products": [YOUR_PRODUCT], "days": 365},
            },
        ],
    }
    # The membership itself earns nothing.
    document["earn"]["exclude"] = {"products": [YOUR_PRODUCT]}
    document["rewards"] = [
        {"key": "amount-5", "kind": "amount", "cost": 100, "amount_minor": 5 * unit},
        {
            "key": "club-shipping",
            "kind": "free_shipping",
            "cost": 1,
            "tier": "club",
            "limits": [{"times": 1, "per": "month"}],
        },
    ]
    return document


YOUR_PRODUCT = "id-of-your-membership"

TEMPLATES: Mapping[str, Template] = {
    one.key: one
    for one in (
        Template(
            "points",
            "Points for every purchase",
            "A point for every unit of money, three tiers, money off, free shipping, a percentage.",
            "",
            default_document,
        ),
        Template(
            "cashback",
            "Cashback",
            "5 % of every order comes back as money to spend, once the time for returns is over.",
            "What a program counts in is fixed by its first version: begin one with `laurel connect … --cashback`.",
            _cashback,
        ),
        Template(
            "vip",
            "VIP tiers",
            "What a year brings counts: points for reaching a tier, birthdays, a circle by invitation.",
            "",
            _vip,
        ),
        Template(
            "visits",
            "A stamp a visit",
            "For a coffee shop: every order is a stamp, whatever it costs; ten of them are a coffee.",
            "",
            _visits,
        ),
        Template(
            "membership",
            "Paid membership",
            "Who buys the membership earns three times as much for a year, and has shipping free once a month.",
            f"Put the id of the product that sells the membership in place of “{YOUR_PRODUCT}”.",
            _membership,
        ),
    )
}
