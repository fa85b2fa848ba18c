"""When points end and tiers change: the end of a local day, a review, and never before all is known that happened."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.db import members
from app.db.shops import update_shop
from app.services.adjust import adjust
from app.services.expire_lots import expire_lots
from app.services.review_tiers import review_tiers
from app.services.runtime import Runtime
from tests.conftest import NOW, Clock, make_program
from tests.factories import eur, make_refund
from tests.services.books import (
    assert_books_are_true,
    balance,
    booked,
    entries,
    get_member,
    merge_refs,
    publish,
    read_until,
)
from tests.services.test_counting import LATER, paid, refunded, spend, terms
from tests.services.test_rewards import PERK, give_back, offer, take
from tests.services.test_settle_orders import Shop

INSTANT = timedelta(microseconds=1)


def account_of(shop: Shop, customer_ref: str = "7") -> int:
    return get_member(shop.rt, shop.program_id, shop.shop.shop_id, customer_ref)


def at(shop: Shop, clock: Clock, moment: datetime) -> None:
    """It is then, and the shop was read until then."""
    clock.at = moment
    read_until(shop.rt, shop.program_id, shop.shop.shop_id, moment)


def expiring(rt: Runtime, days: int = 30, *, timezone: str = "UTC") -> Shop:
    """A program whose points are good for so many days after the day on which they were earned."""
    program_id = make_program(rt, timezone=timezone)
    publish(rt, program_id, expiry={"kind": "after_days", "days": days})
    return Shop(rt, program_id)


@pytest.fixture
def shop(rt: Runtime, program_id: int) -> Shop:
    return Shop(rt, program_id)


# --- Expiry, lot by lot ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timezone", "earned", "days", "ends"),
    [
        ("UTC", datetime(2026, 3, 1, 12, tzinfo=UTC), 30, datetime(2026, 4, 1, tzinfo=UTC)),
        # The clocks go forward in between: the day still ends at local midnight.
        ("Europe/Berlin", datetime(2026, 3, 1, 12, tzinfo=UTC), 30, datetime(2026, 3, 31, 22, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 1, 12, tzinfo=UTC), 30, datetime(2026, 10, 31, 23, tzinfo=UTC)),
        # It was tomorrow already at the shop when the order was paid.
        ("Pacific/Auckland", datetime(2026, 6, 1, 12, tzinfo=UTC), 10, datetime(2026, 6, 12, 12, tzinfo=UTC)),
        (
            "America/Los_Angeles",
            datetime(2026, 6, 1, 6, tzinfo=UTC),
            10,
            datetime(2026, 6, 11, 7, tzinfo=UTC),
        ),
        # That night has no midnight: the day ends with the first instant that exists of the next.
        ("Africa/Cairo", datetime(2026, 4, 13, 12, tzinfo=UTC), 10, datetime(2026, 4, 23, 22, tzinfo=UTC)),
        ("Asia/Beirut", datetime(2026, 3, 18, 12, tzinfo=UTC), 10, datetime(2026, 3, 28, 22, tzinfo=UTC)),
    ],
)
def test_a_lot_ends_with_a_local_day_and_never_before(
    rt: Runtime, clock: Clock, timezone: str, earned: datetime, days: int, ends: datetime
) -> None:
    clock.at = datetime(2026, 1, 1, tzinfo=UTC)
    shop = expiring(rt, days, timezone=timezone)
    shop.see(paid("1", "40.00", earned))
    at(shop, clock, ends - INSTANT)
    assert expire_lots(rt, shop.program_id) == 0
    at(shop, clock, ends)
    assert expire_lots(rt, shop.program_id) == 1
    assert expire_lots(rt, shop.program_id) == 0  # run again, late or anywhere
    last = entries(rt, shop.program_id, account_of(shop))[-1]
    assert (last.points, last.occurred_at, balance(rt, shop.program_id, account_of(shop)).available) == (
        -40,
        ends,
        0,
    )


def test_points_that_end_soonest_are_spent_first(rt: Runtime, clock: Clock) -> None:
    shop = expiring(rt)
    shop.see(paid("2", "80.00", LATER + timedelta(days=5)), paid("1", "60.00", LATER))
    spend(shop, "amount-5")
    at(shop, clock, LATER + timedelta(days=32))
    assert expire_lots(rt, shop.program_id) == 0  # the first lot was spent whole
    at(shop, clock, LATER + timedelta(days=40))
    assert expire_lots(rt, shop.program_id) == 1
    assert booked(rt, shop.program_id, account_of(shop))[-1] == ("expiry", -40)


def test_a_later_rule_never_shortens_what_a_lot_was_promised(rt: Runtime, clock: Clock) -> None:
    shop = expiring(rt, 300)
    order = paid("1", "100.00", LATER)
    shop.see(order)
    promised = entries(rt, shop.program_id, account_of(shop))[0].expires_at
    clock.forward(days=2)
    publish(rt, shop.program_id, expiry={"kind": "after_days", "days": 1})
    shop.see(replace(order, goods=eur("130.00"), updated_at=LATER + timedelta(days=3)))
    assert [entry.expires_at for entry in entries(rt, shop.program_id, account_of(shop))] == [promised] * 2
    at(shop, clock, LATER + timedelta(days=20))
    assert expire_lots(rt, shop.program_id) == 0


def test_taken_back_after_it_expired_the_expiry_is_given_back_in_the_same_commit(
    rt: Runtime, clock: Clock
) -> None:
    shop = expiring(rt)
    order = paid("1", "60.00", LATER)
    shop.see(order)
    at(shop, clock, LATER + timedelta(days=20))
    shop.see(paid("2", "50.00", clock.at))
    at(shop, clock, LATER + timedelta(days=32))
    assert expire_lots(rt, shop.program_id) == 1
    shop.see(refunded(order, "60.00", hours=24 * 33))
    assert booked(rt, shop.program_id, account_of(shop))[-3:] == [
        ("expiry", -60),
        ("expiry_reversal", 60),
        ("earn_reversal", -60),
    ]
    assert balance(rt, shop.program_id, account_of(shop)).available == 50
    assert_books_are_true(rt, shop.program_id)


def test_a_part_taken_back_after_expiry_gives_back_that_part_only(rt: Runtime, clock: Clock) -> None:
    shop = expiring(rt)
    order = paid("1", "60.00", LATER)
    shop.see(order)
    at(shop, clock, LATER + timedelta(days=32))
    expire_lots(rt, shop.program_id)
    shop.see(refunded(order, "25.00", hours=24 * 33))
    assert booked(rt, shop.program_id, account_of(shop))[-2:] == [
        ("expiry_reversal", 25),
        ("earn_reversal", -25),
    ]
    assert expire_lots(rt, shop.program_id) == 0
    assert balance(rt, shop.program_id, account_of(shop)).available == 0
    assert_books_are_true(rt, shop.program_id)


def test_staffs_points_end_like_earned_ones(rt: Runtime, clock: Clock) -> None:
    shop = expiring(rt)
    shop.see(paid("1", "10.00", NOW - timedelta(days=1)))  # by the first version: for good
    clock.forward(hours=1)
    adjust(
        rt, shop.program_id, account_of(shop), 25, reason="for your trouble", actor="owner", request_key="1"
    )
    at(shop, clock, NOW + timedelta(days=32))
    assert expire_lots(rt, shop.program_id) == 1
    assert balance(rt, shop.program_id, account_of(shop)).available == 10


# --- Expiry after a time without activity ------------------------------------------------------------------


def inactive(rt: Runtime, days: int = 30) -> Shop:
    program_id = make_program(rt)
    publish(rt, program_id, expiry={"kind": "after_inactivity_days", "days": days})
    return Shop(rt, program_id)


def test_points_of_who_was_still_for_so_long_end_and_of_who_was_not_stay(rt: Runtime, clock: Clock) -> None:
    shop = inactive(rt)
    shop.see(paid("1", "40.00", LATER), paid("2", "40.00", LATER, customer_ref="8"))
    shop.see(paid("3", "10.00", LATER + timedelta(days=20), customer_ref="8"))
    at(shop, clock, datetime(2026, 12, 23, tzinfo=UTC) - INSTANT)
    assert expire_lots(rt, shop.program_id) == 0
    at(shop, clock, datetime(2026, 12, 23, tzinfo=UTC))
    assert expire_lots(rt, shop.program_id) == 1
    assert (shop.points("7"), shop.points("8")) == (0, 50)
    at(shop, clock, datetime(2027, 1, 12, tzinfo=UTC))
    assert expire_lots(rt, shop.program_id) == 2
    assert shop.points("8") == 0
    assert_books_are_true(rt, shop.program_id)


def test_to_spend_is_to_be_active(rt: Runtime, clock: Clock) -> None:
    shop = inactive(rt)
    shop.see(paid("1", "140.00", LATER))
    clock.forward(days=20)
    spend(shop, "amount-5")
    at(shop, clock, NOW + timedelta(days=40))
    assert expire_lots(rt, shop.program_id) == 0
    at(shop, clock, NOW + timedelta(days=52))
    assert expire_lots(rt, shop.program_id) == 1


def test_points_that_came_with_a_merge_are_as_fresh_as_they_were(rt: Runtime, clock: Clock) -> None:
    shop = inactive(rt)
    shop.see(paid("1", "40.00", LATER))
    shop.see(paid("2", "60.00", LATER + timedelta(days=29), customer_ref="8"))
    clock.at = LATER + timedelta(days=29)
    merge_refs(rt, shop.program_id, shop.shop.shop_id, "7", "8")
    at(shop, clock, LATER + timedelta(days=31))
    assert expire_lots(rt, shop.program_id) == 0
    assert shop.points("7") == 100
    at(shop, clock, LATER + timedelta(days=61))
    assert expire_lots(rt, shop.program_id) == 2


# --- Tiers -------------------------------------------------------------------------------------------------


def tier(shop: Shop, customer_ref: str = "7") -> str:
    with shop.rt.db.begin(shop.program_id) as session:
        return members.get_member(session, account_of(shop, customer_ref)).tier_key


def changes(shop: Shop) -> list[tuple[str, str, str]]:
    with shop.rt.db.begin(shop.program_id) as session:
        rows = session.rows("SELECT from_key, to_key, cause FROM tier_changes WHERE {fence} ORDER BY id")
    return [(row.from_key, row.to_key, row.cause) for row in rows]


def test_up_at_once_and_down_only_at_the_review(shop: Shop, clock: Clock) -> None:
    order = paid("1", "600.00", NOW)
    shop.see(order)
    assert tier(shop) == "silver"
    shop.see(refunded(order, "600.00"))
    assert tier(shop) == "silver"
    at(shop, clock, NOW + timedelta(days=1))
    assert review_tiers(shop.rt, shop.program_id) == 1
    assert tier(shop) == "member"
    assert review_tiers(shop.rt, shop.program_id) == 0
    assert changes(shop) == [("member", "silver", "order"), ("silver", "member", "review")]


@pytest.mark.parametrize("ahead_s", [0, 40])
def test_a_review_leaves_the_tier_that_an_order_gave_since_the_shop_was_last_read(
    shop: Shop, clock: Clock, ahead_s: int
) -> None:
    shop.see(paid("1", "600.00", NOW + timedelta(seconds=ahead_s)))  # by the shop's clock
    read_until(shop.rt, shop.program_id, shop.shop.shop_id, NOW - timedelta(minutes=5))
    assert (review_tiers(shop.rt, shop.program_id), tier(shop)) == (0, "silver")
    at(shop, clock, NOW + timedelta(minutes=5))
    assert (review_tiers(shop.rt, shop.program_id), tier(shop)) == (0, "silver")


def test_what_leaves_the_twelve_months_counts_no_more(shop: Shop, clock: Clock) -> None:
    shop.see(paid("1", "600.00", NOW))
    at(shop, clock, datetime(2027, 11, 22, 12, tzinfo=UTC) - INSTANT)
    assert review_tiers(shop.rt, shop.program_id) == 0
    at(shop, clock, datetime(2027, 11, 22, 12, tzinfo=UTC))
    assert review_tiers(shop.rt, shop.program_id) == 1


def test_a_grace_keeps_the_tier_for_its_days_and_orders_earn_by_it(shop: Shop, clock: Clock) -> None:
    publish(shop.rt, shop.program_id, tiers={"grace_days": 10})
    clock.at = LATER
    order = paid("1", "600.00", LATER)
    shop.see(order, refunded(order, "600.00"))
    at(shop, clock, LATER + timedelta(days=1))
    assert review_tiers(shop.rt, shop.program_id) == 0
    shop.see(paid("2", "100.00", LATER + timedelta(days=5)))
    assert (tier(shop), terms(shop, "2")[1], shop.points()) == ("silver", "silver", 125)
    at(shop, clock, LATER + timedelta(days=11) - INSTANT)
    assert review_tiers(shop.rt, shop.program_id) == 0
    at(shop, clock, LATER + timedelta(days=11))
    assert review_tiers(shop.rt, shop.program_id) == 1
    assert tier(shop) == "member"


def test_a_tier_reached_again_has_a_grace_again(shop: Shop, clock: Clock) -> None:
    publish(shop.rt, shop.program_id, tiers={"grace_days": 10})
    clock.at = LATER
    first = paid("1", "600.00", LATER)
    shop.see(first, refunded(first, "600.00"))
    at(shop, clock, LATER + timedelta(days=1))
    review_tiers(shop.rt, shop.program_id)
    at(shop, clock, LATER + timedelta(days=20))
    assert review_tiers(shop.rt, shop.program_id) == 1
    second = paid("2", "600.00", clock.at)
    shop.see(second, refunded(second, "600.00"))
    at(shop, clock, LATER + timedelta(days=21))
    assert (review_tiers(shop.rt, shop.program_id), tier(shop)) == (0, "silver")
    at(shop, clock, LATER + timedelta(days=31))
    assert (review_tiers(shop.rt, shop.program_id), tier(shop)) == (1, "member")


# --- Never before all is known -----------------------------------------------------------------------------


@pytest.mark.parametrize("lagging", [{"reconciled_until": None}, {"reconciled_until": NOW}])
def test_nothing_ends_before_every_connected_shop_was_read(
    rt: Runtime, clock: Clock, lagging: dict[str, Any]
) -> None:
    shop = expiring(rt)
    other = Shop(rt, shop.program_id)
    clock.at = LATER
    order = paid("1", "600.00", LATER)
    shop.see(
        order, replace(order, refunds=(make_refund("560.00", refunded_at=LATER),), updated_at=LATER + INSTANT)
    )
    at(shop, clock, LATER + timedelta(days=40))

    def set_other(**facts: Any) -> None:
        with rt.db.begin(shop.program_id) as session:
            update_shop(session, other.shop.shop_id, **facts)

    def due() -> tuple[int, int]:
        return expire_lots(rt, shop.program_id), review_tiers(rt, shop.program_id)

    set_other(**lagging)
    assert due() == (0, 0)
    set_other(state="unchecked")  # never called: it would hold everything up for ever
    assert due()[0] == 1
    set_other(state="connected")
    assert due() == (0, 0)
    set_other(state="uninstalled")
    assert due()[0] == 0


def test_a_downgrade_waits_for_the_shop_that_was_read_last(shop: Shop, clock: Clock) -> None:
    other = Shop(shop.rt, shop.program_id)
    order = paid("1", "600.00", NOW)
    shop.see(order, refunded(order, "600.00", hours=5))
    at(shop, clock, NOW + timedelta(days=1))
    read_until(shop.rt, shop.program_id, other.shop.shop_id, NOW + timedelta(hours=4))
    assert review_tiers(shop.rt, shop.program_id) == 0
    read_until(shop.rt, shop.program_id, other.shop.shop_id, NOW + timedelta(hours=6))
    assert review_tiers(shop.rt, shop.program_id) == 1


# --- A later rule never shortens what a lot was promised ---------------------------------------------------


def test_points_given_for_good_are_not_ended_by_a_later_rule_of_silence(rt: Runtime, clock: Clock) -> None:
    program_id = make_program(rt)
    shop = Shop(rt, program_id)
    shop.see(paid("1", "40.00", NOW - timedelta(days=1)))
    clock.forward(hours=1)
    publish(rt, program_id, expiry={"kind": "after_inactivity_days", "days": 30})
    at(shop, clock, NOW + timedelta(days=1))
    shop.see(paid("2", "10.00", NOW + timedelta(days=1)))
    at(shop, clock, NOW + timedelta(days=40))
    assert expire_lots(rt, program_id) == 1
    assert shop.points() == 40
    assert_books_are_true(rt, program_id)


def test_a_shorter_silence_is_for_later_points_only(rt: Runtime, clock: Clock) -> None:
    shop = inactive(rt, days=60)
    shop.see(paid("1", "40.00", LATER))
    clock.forward(hours=1)
    publish(rt, shop.program_id, expiry={"kind": "after_inactivity_days", "days": 10})
    at(shop, clock, LATER + timedelta(days=30))
    shop.see(paid("2", "10.00", LATER + timedelta(days=29)))
    at(shop, clock, LATER + timedelta(days=45))
    assert expire_lots(rt, shop.program_id) == 1
    assert shop.points() == 40
    at(shop, clock, LATER + timedelta(days=91))
    assert expire_lots(rt, shop.program_id) == 1
    assert shop.points() == 0
    assert_books_are_true(rt, shop.program_id)


def test_points_for_a_number_of_days_keep_it_under_a_rule_of_silence(rt: Runtime, clock: Clock) -> None:
    shop = expiring(rt)  # 30 days from when they were given
    shop.see(paid("1", "40.00", LATER))
    clock.forward(hours=1)
    publish(rt, shop.program_id, expiry={"kind": "after_inactivity_days", "days": 5})
    at(shop, clock, LATER + timedelta(days=20))
    assert expire_lots(rt, shop.program_id) == 0
    at(shop, clock, LATER + timedelta(days=32))
    assert expire_lots(rt, shop.program_id) == 1


def test_points_that_came_back_keep_what_they_were_first_given_with(rt: Runtime, clock: Clock) -> None:
    """Found by seed 410: given by hand, spent, and back under a rule of silence."""
    program_id = make_program(rt)
    shop = Shop(rt, program_id)
    shop.see(paid("1", "1.00", NOW - timedelta(days=1)))
    member = account_of(shop)
    adjust(rt, program_id, member, 100, reason="a gift", actor="owner", request_key="1")
    offer(shop, PERK)
    tea = take(shop, member, "1")
    clock.forward(hours=1)
    publish(rt, program_id, expiry={"kind": "after_inactivity_days", "days": 30})
    at(shop, clock, NOW + timedelta(days=1))
    give_back(shop, tea)
    assert shop.points() == 101
    at(shop, clock, NOW + timedelta(days=40))
    assert expire_lots(rt, program_id) == 0
    assert shop.points() == 101
    assert_books_are_true(rt, program_id)


def test_points_that_came_with_a_merge_keep_it_too(rt: Runtime, clock: Clock) -> None:
    program_id = make_program(rt)
    shop = Shop(rt, program_id)
    shop.see(paid("1", "1.00", NOW - timedelta(days=1)))
    shop.see(paid("2", "1.00", NOW - timedelta(days=1), customer_ref="8"))
    adjust(rt, program_id, account_of(shop, "8"), 60, reason="a gift", actor="owner", request_key="1")
    clock.forward(hours=1)
    publish(rt, program_id, expiry={"kind": "after_inactivity_days", "days": 30})
    at(shop, clock, NOW + timedelta(days=1))
    merge_refs(rt, program_id, shop.shop.shop_id, "7", "8")
    at(shop, clock, NOW + timedelta(days=40))
    assert expire_lots(rt, program_id) == 0
    assert shop.points() == 62
    assert_books_are_true(rt, program_id)
