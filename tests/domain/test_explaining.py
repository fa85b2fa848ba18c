"""Each kind of entry and each reason for zero, as people read it."""

from functools import partial

import pytest

from app.domain import explaining
from app.domain.counting import Facts
from app.domain.earning import Zero
from app.domain.explaining import Counted, Waits
from app.domain.ledger import EntryKind
from app.domain.words import ENGLISH

sentence = partial(explaining.sentence, words=ENGLISH)
order_sentence = partial(explaining.order_sentence, words=ENGLISH)
counted = partial(explaining.counted, words=ENGLISH)

ORDER: Facts = {
    "rule": "order",
    "order": "#1042",
    "version": 4,
    "currency": "EUR",
    "goods": "29.98",
    "refunded": "0.00",
    "net": "29.98",
    "points_per": 1,
    "spend": "1.00",
    "tier": "silver",
    "tier_name": "Silver",
    "earn_percent": 125,
    "target": 37,
}
BACK: Facts = {**ORDER, "goods": "138.47", "refunded": "20.00", "net": "118.47", "target": 148, "given": 173}
MEMBER: Facts = {**ORDER, "tier": "member", "tier_name": "Member", "earn_percent": 100, "target": 29}
REWARD: Facts = {"rule": "redeem", "reward": "amount-5", "title": "€5.00 off", "cost": 100}
BACK_AGAIN: Facts = {"rule": "redeem_reversal", "reward": "amount-5", "title": "€5.00 off"}
LET_OFF: Facts = {"rule": "write_off", "order": "#1042"}


@pytest.mark.parametrize(
    ("kind", "points", "facts", "said"),
    [
        (
            EntryKind.EARN,
            37,
            {**ORDER, "given": 0},
            "29.98 of goods × 1 point per 1.00 × 125\u00a0% Silver, rounded down.",
        ),
        (EntryKind.EARN, 29, MEMBER, "29.98 of goods × 1 point per 1.00, rounded down."),
        (
            EntryKind.EARN,
            9,
            {
                **MEMBER,
                "currency": "JPY",
                "net": "300",
                "refunded": "0",
                "points_per": 3,
                "spend": "100",
                "target": 9,
            },
            "300 of goods × 3 points per 100, rounded down.",
        ),
        (
            EntryKind.EARN_REVERSAL,
            -25,
            BACK,
            "20.00 of goods went back. 118.47 of goods × 1 point per 1.00 × 125\u00a0% Silver, rounded down "
            "= 148, and 173 were given.",
        ),
        (
            EntryKind.EARN,
            8,
            {**ORDER, "target": 37, "given": 29},
            "29.98 of goods × 1 point per 1.00 × 125\u00a0% Silver, rounded down = 37, and 29 were given.",
        ),
        (
            EntryKind.EARN_REVERSAL,
            -1,
            {**MEMBER, "net": "0.98", "target": 0, "given": 1},
            "0.98 of goods × 1 point per 1.00, rounded down = 0, and 1 was given.",
        ),
        (
            EntryKind.EARN_REVERSAL,
            -173,
            {**BACK, "zero": "cancelled"},
            "The order was cancelled, and 173 were given.",
        ),
        (
            EntryKind.EARN_REVERSAL,
            -173,
            {**BACK, "target": 0, "zero": "other_member"},
            "The order belongs to another customer now, and 173 were given.",
        ),
        (EntryKind.REDEEM, -100, REWARD, "100 points for “€5.00 off”."),
        (EntryKind.REDEEM, -1, REWARD, "1 point for “€5.00 off”."),
        (
            EntryKind.REDEEM_REVERSAL,
            100,
            {**BACK_AGAIN, "why": "cancelled"},
            "Points back for “€5.00 off”: the code was given back before it was used.",
        ),
        (
            EntryKind.REDEEM_REVERSAL,
            100,
            {**BACK_AGAIN, "why": "expired"},
            "Points back for “€5.00 off”: the code was not used in time.",
        ),
        (
            EntryKind.REDEEM_REVERSAL,
            100,
            {**BACK_AGAIN, "why": "failed"},
            "Points back for “€5.00 off”: the shop could not make the code.",
        ),
        (
            EntryKind.REDEEM_REVERSAL,
            40,
            {**BACK_AGAIN, "why": "refund"},
            "Points back for “€5.00 off”: goods of the order that used it went back.",
        ),
        (
            EntryKind.REDEEM_REVERSAL,
            100,
            {**BACK_AGAIN, "why": "order_void"},
            "Points back for “€5.00 off”: the order that used it was cancelled.",
        ),
        (
            EntryKind.REDEEM_REVERSAL,
            -40,
            {**BACK_AGAIN, "why": "refund"},
            "“€5.00 off”: the refund did not stand, so its points are used again.",
        ),
        (EntryKind.EXPIRY, -50, {}, "50 points expired: they were not used in time."),
        (EntryKind.EXPIRY, -1, {}, "1 point expired: it was not used in time."),
        (
            EntryKind.EXPIRY_REVERSAL,
            50,
            {},
            "Expired points, given back first: the order that they came from is taken back.",
        ),
        (EntryKind.ADJUSTMENT, 50, {"rule": "adjustment", "adjustment": 3}, "Given by the shop."),
        (EntryKind.ADJUSTMENT, -50, {"rule": "adjustment", "adjustment": 3}, "Taken by the shop."),
        (EntryKind.TRANSFER_IN, 50, {}, "Brought along from another account of the same person."),
        (EntryKind.TRANSFER_OUT, -50, {}, "Moved to another account of the same person."),
        (
            EntryKind.WRITE_OFF,
            50,
            LET_OFF,
            "Let off: the points of order #1042 were spent before they were taken back.",
        ),
        (
            EntryKind.WRITE_OFF_REVERSAL,
            -50,
            LET_OFF,
            "No longer let off: order #1042 counts for more again.",
        ),
    ],
)
def test_an_entry_explains_itself(kind: EntryKind, points: int, facts: Facts, said: str) -> None:
    assert sentence(kind, points, facts) == said


@pytest.mark.parametrize("kind", EntryKind)
def test_no_entry_without_a_sentence_whatever_its_facts(kind: EntryKind) -> None:
    assert sentence(kind, 5, {}).endswith(".")
    assert sentence(kind, -5, {"rule": "something else", "zero": "new"}).endswith(".")


def test_staff_read_the_reason_as_it_was_written() -> None:
    facts: Facts = {"rule": "adjustment", "adjustment": 3}
    assert sentence(EntryKind.ADJUSTMENT, 50, facts, reason="broken mug") == "Given by the shop: broken mug."
    assert sentence(EntryKind.ADJUSTMENT, -5, facts, reason="Twice!") == "Taken by the shop: Twice!"


@pytest.mark.parametrize(
    ("zero", "said"),
    [
        (Zero.NOT_PAID, "The order is not paid."),
        (Zero.NOT_FULFILLED, "The order is paid, and counts once it is fulfilled."),
        (Zero.CANCELLED, "The order was cancelled."),
        (Zero.GONE, "The shop has no such order any more."),
        (Zero.BEFORE_START, "The order was placed before the program counted this shop."),
        (Zero.TEST_ORDER, "This is a test order."),
        (Zero.OTHER_MEMBER, "The order belongs to another customer now."),
    ],
)
def test_zero_is_explained_too(zero: Zero, said: str) -> None:
    assert order_sentence({**ORDER, "target": 0, "zero": zero.value}) == said


def test_a_sum_that_comes_to_nothing_says_so() -> None:
    assert (
        order_sentence({**MEMBER, "net": "0.40", "target": 0})
        == "0.40 of goods × 1 point per 1.00, rounded down = 0."
    )


def test_a_held_order_says_what_it_waits_for() -> None:
    facts: Facts = {"rule": "held", "order": "#7", "currency": "JPY", "why": "no_rate"}
    assert (
        order_sentence(facts)
        == "The program has no rate for JPY yet: the order is counted once there is one."
    )
    assert Counted("Waits for", "a rate for JPY") in counted(facts)


def test_an_order_that_nobody_has_says_what_it_would_be_and_what_it_waits_for() -> None:
    counts = "29.98 of goods × 1 point per 1.00, rounded down"
    assert order_sentence(MEMBER, waits=Waits.GUEST) == (
        f"{counts}. Ordered as a guest: counted once a member confirms the e-mail address it was placed with."
    )
    assert order_sentence(MEMBER, waits=Waits.NOT_JOINED) == f"{counts}. Counted once the customer joins."
    cancelled: Facts = {**MEMBER, "target": 0, "zero": "cancelled"}
    assert order_sentence(cancelled, waits=Waits.GUEST) == "The order was cancelled."


def test_how_it_was_counted_names_rule_version_inputs_and_rounding() -> None:
    assert counted(BACK) == (
        Counted("Order", "#1042"),
        Counted("Rule", "1 point per 1.00 EUR"),
        Counted("Program version", "4"),
        Counted("Goods, after discounts, without tax and shipping", "138.47 EUR"),
        Counted("Went back", "20.00 EUR"),
        Counted("Goods that count", "118.47 EUR"),
        Counted("Tier when it was placed", "Silver, 125\u00a0%"),
        Counted("Rounding", "down, once an order"),
        Counted("Points", "148"),
        Counted("Given before", "173"),
    )


def test_what_was_not_counted_was_not_rounded() -> None:
    lines = {line.label: line.value for line in counted({**ORDER, "target": 0, "zero": "test_order"})}
    assert "Rounding" not in lines
    assert lines["Not counted"] == "This is a test order"


@pytest.mark.parametrize(
    ("facts", "lines"),
    [
        (REWARD, [("Reward", "€5.00 off"), ("Costs", "100 points")]),
        (
            {**BACK_AGAIN, "why": "expired"},
            [("Reward", "€5.00 off"), ("Points back because", "the code was not used in time")],
        ),
        (LET_OFF, [("Order", "#1042")]),
        ({"rule": "adjustment", "adjustment": 3}, [("Adjustment", "no. 3")]),
        ({}, []),
    ],
)
def test_other_rules_list_what_they_know(facts: Facts, lines: list[tuple[str, str]]) -> None:
    assert [(line.label, line.value) for line in counted(facts)] == lines
