"""Who may ask a shop how much: tables of a bucket of 2,000 points that gets 100 back a second."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.pacing import Allowance, Urgency, wait_s
from tests.conftest import NOW

COUNTS = st.integers(min_value=0, max_value=20_000)


def bucket(available: int) -> Allowance:
    return Allowance(available=available, maximum=2000, restored_per_s=100, at=NOW)


@pytest.mark.parametrize(
    ("urgency", "available", "cost", "wait"),
    [
        (Urgency.SHOPPER, 0, 50, 0),  # the shop itself may say no
        (Urgency.ORDERS, 600, 100, 0),
        (Urgency.ORDERS, 500, 100, 1),
        (Urgency.BACKGROUND, 1100, 100, 0),
        (Urgency.BACKGROUND, 1099, 100, 1),
        (Urgency.BACKGROUND, 0, 100, 11),
        (
            Urgency.BACKGROUND,
            1999,
            1500,
            1,
        ),  # dearer than what is free beside the part that is kept: when it is full
        (Urgency.BACKGROUND, 2000, 1500, 0),
        (Urgency.BACKGROUND, 2000, 9999, 0),
    ],
)
def test_what_is_more_urgent_keeps_its_part(urgency: Urgency, available: int, cost: int, wait: int) -> None:
    assert wait_s(bucket(available), cost, urgency, now=NOW) == wait


def test_it_refills_with_time_and_never_above_the_brim() -> None:
    assert bucket(0).left(NOW + timedelta(milliseconds=1500)) == 150
    assert bucket(1990).left(NOW + timedelta(hours=1)) == 2000
    assert bucket(700).left(NOW - timedelta(seconds=5)) == 700  # a clock that was set back gives nothing


@given(COUNTS, COUNTS, st.integers(min_value=1, max_value=2000), st.sampled_from(Urgency), COUNTS)
def test_after_the_wait_it_may_be_asked(
    available: int, more: int, rate: int, urgency: Urgency, cost: int
) -> None:
    seen = Allowance(available=available, maximum=available + more, restored_per_s=rate, at=NOW)
    now = NOW
    for _ in range(1000):
        wait = wait_s(seen, cost, urgency, now=now)
        if not wait:
            return
        now += timedelta(seconds=wait)
    raise AssertionError("it waits for ever")


@given(COUNTS, COUNTS)
def test_the_more_urgent_waits_no_longer(available: int, cost: int) -> None:
    waits = [wait_s(bucket(min(available, 2000)), cost, urgency, now=NOW) for urgency in Urgency]
    assert waits == sorted(waits)
