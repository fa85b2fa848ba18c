"""Levels in sentences, and what a document may not say of them."""

from typing import Any

import pytest

from app.domain.program import decode, default_document
from app.services.check_document import WrongDocument, check_document
from app.services.describe_tiers import describe_tiers

MEMBER = {"key": "member", "name": "Member", "from_minor": 0, "earn_percent": 100}
SILVER = {"key": "silver", "name": "Silver", "from_minor": 50_000, "earn_percent": 125}
CLUB = {"key": "club", "name": "Club", "earn_percent": 200, "paid": {"products": ["7", "8"], "days": 365}}


def document(*levels: dict[str, Any], **tiers: Any) -> dict[str, Any]:
    found = default_document("Sprig", "EUR", "UTC")
    found["tiers"] = {"months": 12, "grace_days": 0, "levels": list(levels), **tiers}
    return found


def words(*levels: dict[str, Any], **tiers: Any) -> tuple[str, list[str], str]:
    rules = document(*levels, **tiers)
    if "window" in tiers:
        del rules["tiers"]["months"]
    check_document(rules)
    found = describe_tiers(decode(rules, 1))
    return found.counts, [one.text.replace("\u00a0", " ") for one in found.levels], found.lost


def test_the_usual_levels_read_as_before() -> None:
    assert words(MEMBER, SILVER) == (
        "by spend, over 12 months",
        ["from the start; earns 100 %", "from €500.00; earns 125 %"],
        "Up at once; down at review",
    )


def test_everything_that_a_level_can_have_is_said() -> None:
    gold = {
        "key": "gold",
        "name": "Gold",
        "from_points": 1000,
        "from_orders": 1,
        "earn_percent": 150,
        "entry_points": 500,
        "perks": ["a birthday card", "early access"],
    }
    guests = {"key": "guests", "name": "Guests", "invitation_only": True, "earn_percent": 300}
    counts, levels, lost = words(
        MEMBER, CLUB, gold, guests, window="calendar_year", downgrade="one_step", grace_days=30
    )
    assert (
        counts
        == "by points earned or orders, in a calendar year; what one year reached holds till the end of the next"
    )
    assert levels[1:] == [
        "for 365 days with each product 7 or 8; earns 200 %",
        "from 1,000 points or from 1 order; earns 150 %; 500 points once for reaching it; a birthday card, early access",
        "by invitation only; earns 300 %",
    ]
    assert lost == "Up at once; down at review, after 30 days of grace, one level at a time"


@pytest.mark.parametrize(
    ("rules", "field", "said"),
    [
        (document(MEMBER, SILVER, window="lifetime"), "tiers.months", "leave it out"),
        (document(MEMBER, {**SILVER, "invitation_only": True}), "tiers.levels[1]", "contradict"),
        (document(MEMBER, {**SILVER, "from_minor": 0}), "tiers.levels", "exactly one tier begins at 0"),
        (
            document({**MEMBER, "entry_points": 5}),
            "tiers.levels[0].entry_points",
            "neither reached nor bought",
        ),
        (document(MEMBER, {**CLUB, "paid": {"days": 3}}), "tiers.levels[1].paid", "is missing"),
        (
            document(MEMBER, {"key": "x", "name": "X", "earn_percent": 100}),
            "tiers.levels[1]",
            "nothing reaches it",
        ),
        (document(CLUB, MEMBER), "tiers.levels", "write it first"),
        (
            document(
                MEMBER,
                {"key": "a", "name": "A", "from_orders": 5, "earn_percent": 100},
                {"key": "b", "name": "B", "from_orders": 3, "earn_percent": 100},
            ),
            "tiers.levels",
            "“b” stands above “a” and asks for less",
        ),
        (document(MEMBER, SILVER, {**SILVER, "key": "b"}), "tiers.levels", "two have from_minor"),
    ],
)
def test_levels_that_do_not_go_together_are_told_with_their_field(
    rules: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(WrongDocument) as wrong:
        check_document(rules)
    assert [one for one, fault in wrong.value.faults if said in fault] == [field]


def test_a_rolling_window_needs_its_months_and_steps_need_a_window() -> None:
    rules = document(MEMBER, SILVER)
    del rules["tiers"]["months"]
    with pytest.raises(WrongDocument, match="a rolling window needs it"):
        check_document(rules)
    rules["tiers"] |= {"window": "lifetime", "downgrade": "one_step"}
    with pytest.raises(WrongDocument, match="needs a window that ends"):
        check_document(rules)
