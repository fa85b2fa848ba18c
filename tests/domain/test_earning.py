from dataclasses import replace

import pytest

from app.domain.earning import Terms, Zero, target_for_order
from app.domain.money import Money
from app.domain.orders import OrderState
from app.domain.program import CurrencyRate, EarnWhen, ExpiryKind, Rate
from tests.factories import PROGRAM, after, eur, make_order, make_program, make_refund

MEMBER, SILVER, GOLD = PROGRAM.tiers


@pytest.mark.parametrize(
    ("goods", "tier", "points"),
    [
        ("39.99", MEMBER, 39),  # 39.99 × 1, rounded down
        ("39.99", SILVER, 49),  # 39.99 × 1.25 = 49.98…
        ("39.99", GOLD, 59),  # 39.99 × 1.5 = 59.98…
        ("0.99", MEMBER, 0),
        ("0.00", MEMBER, 0),
        ("0.80", SILVER, 1),  # 0.80 × 1.25 = 1 exactly: multiplied before the one rounding
    ],
)
def test_goods_times_rate_times_tier_rounded_down_once(goods: str, tier: object, points: int) -> None:
    terms = Terms(program=PROGRAM, tier=next(one for one in PROGRAM.tiers if one is tier))
    assert target_for_order(make_order(goods=eur(goods)), terms).points == points


@pytest.mark.parametrize(
    ("rate", "goods", "points"),
    [
        (Rate(1, 1000), "39.99", 3),  # 1 point per 10.00
        (Rate(3, 100), "39.99", 119),  # 3 points per 1.00
        (Rate(2, 250), "39.99", 31),  # 2 points per 2.50: 39.99 ÷ 2.50 × 2 = 31.99
    ],
)
def test_any_rate_is_exact(rate: Rate, goods: str, points: int) -> None:
    terms = Terms(program=make_program(rate=rate), tier=MEMBER)
    assert target_for_order(make_order(goods=eur(goods)), terms).points == points


def test_refunds_are_taken_from_the_base_and_never_below_zero() -> None:
    terms = Terms(program=PROGRAM, tier=MEMBER)
    part = make_order(refunds=(make_refund("5.00", "a"), make_refund("10.00", "b")))
    assert target_for_order(part, terms).points == 24
    more = make_order(refunds=(make_refund("39.99", "a"), make_refund("10.00", "b")))
    assert target_for_order(more, terms).points == 0


def test_another_currency_earns_in_its_own_money() -> None:
    program = make_program(currencies={"JPY": CurrencyRate(100, 65)})
    order = make_order(goods=Money(1650, "JPY"))
    assert target_for_order(order, Terms(program=program, tier=MEMBER)).points == 16
    assert program.worth(Money(1650, "JPY")) == Money(1072, "EUR")  # 1650 × 65 ÷ 100 = 1072.5, rounded down


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": OrderState.OPEN, "paid_at": None}, Zero.NOT_PAID),
        ({"state": OrderState.CANCELLED}, Zero.CANCELLED),
        ({"state": OrderState.GONE}, Zero.GONE),
    ],
)
def test_zero_says_why(changes: dict[str, object], why: Zero) -> None:
    target = target_for_order(make_order(**changes), Terms(program=PROGRAM, tier=MEMBER))
    assert (target.points, target.facts["zero"]) == (0, why.value)


def test_fulfilled_programs_wait_for_the_goods_to_leave() -> None:
    program = make_program(earn_when=EarnWhen.FULFILLED)
    terms = Terms(program=program, tier=MEMBER)
    waiting = target_for_order(make_order(), terms)
    assert (waiting.points, waiting.facts["zero"]) == (0, Zero.NOT_FULFILLED.value)
    sent = target_for_order(make_order(fulfilled_at=after(days=2)), terms)
    assert (sent.points, sent.occurred_at) == (39, after(days=2))


def test_a_hold_makes_points_ready_so_many_days_after_they_counted() -> None:
    target = target_for_order(make_order(), Terms(program=make_program(hold_days=14), tier=MEMBER))
    assert target.ready_at == after(days=14, minutes=1)


def test_a_lots_expiry_is_the_end_of_a_local_day() -> None:
    program = make_program(expiry=ExpiryKind.AFTER_DAYS, expiry_days=30, timezone="Europe/Berlin")
    target = target_for_order(make_order(), Terms(program=program, tier=MEMBER))
    # Paid on 1 June; the end of 1 July in Berlin is 22:00 UTC.
    assert target.expires_at == after(days=30).replace(hour=22, minute=0)


def test_a_target_does_not_move_with_the_clock_or_the_message() -> None:
    terms = Terms(program=PROGRAM, tier=SILVER)
    order = make_order()
    assert target_for_order(replace(order, updated_at=after(days=9)), terms) == target_for_order(order, terms)
