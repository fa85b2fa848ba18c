"""Whose points they are: guests, joining, two records of one person, merges and their undo, another owner."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.db import members
from app.domain.errors import Refused
from app.domain.orders import OrderState
from app.services.adjust import adjust
from app.services.enrol_customer import enrol_customer
from app.services.expire_lots import expire_lots
from app.services.join_identity import join_identity
from app.services.merge_members import undo_merge
from app.services.runtime import Runtime
from tests.conftest import NOW, Clock
from tests.factories import after, eur, make_order
from tests.services.books import (
    assert_books_are_true,
    balance,
    booked,
    entries,
    find_member,
    get_member,
    meet,
    merge_refs,
    publish,
    read_until,
)
from tests.services.test_counting import LATER, paid, refunded, spend, terms
from tests.services.test_settle_orders import Shop


@pytest.fixture
def shop(rt: Runtime, program_id: int) -> Shop:
    return Shop(rt, program_id)


def know(shop: Shop, customer_ref: str, email: str, *, verified: bool = True) -> None:
    meet(shop.rt, shop.program_id, shop.shop.shop_id, customer_ref, email, verified=verified)


def member_of(shop: Shop, customer_ref: str) -> int:
    return get_member(shop.rt, shop.program_id, shop.shop.shop_id, customer_ref)


def available(shop: Shop, member_id: int) -> int:
    return balance(shop.rt, shop.program_id, member_id).available


def merge(shop: Shop, kept_ref: str, deleted_ref: str) -> None:
    merge_refs(shop.rt, shop.program_id, shop.shop.shop_id, kept_ref, deleted_ref)


def undo(shop: Shop) -> None:
    with shop.rt.db.begin(shop.program_id) as session:
        merge_id = session.scalar("SELECT max(id) FROM merges WHERE {fence}")
        undo_merge(session, shop.rt.vault, merge_id, now=shop.rt.now())


GUEST = {"customer_ref": None, "email": "Alice@Example.test"}


# --- Guests ------------------------------------------------------------------------------------------------


def test_a_guests_order_is_claimed_by_who_proved_the_address(shop: Shop) -> None:
    shop.see(paid("1", "39.99", after(days=1), **GUEST))
    know(shop, "7", "alice@example.test")  # the platform vouches for it; case does not matter
    assert shop.points() == 39
    shop.see(paid("2", "10.00", after(days=2), **GUEST))  # and what comes after goes to the member at once
    assert shop.points() == 49


def test_an_address_that_nobody_proved_claims_nothing(shop: Shop) -> None:
    shop.see(paid("1", "39.99", after(days=1), **GUEST))
    know(shop, "7", "alice@example.test", verified=False)
    assert find_member(shop.rt, shop.program_id, shop.shop.shop_id, "7") is None
    # Then the shopper follows the link that we mailed.
    with shop.rt.db.begin(shop.program_id) as session:
        identity_id = session.scalar(
            "UPDATE identities SET email_verified = true WHERE {fence} AND shop_id = :shop RETURNING id",
            shop=shop.shop.shop_id,
        )
    join_identity(shop.rt, shop.program_id, identity_id)
    assert shop.points() == 39
    know(shop, "7", "alice@example.test", verified=False)  # told again, the proof stands
    shop.see(paid("2", "10.00", after(days=2), **GUEST))
    assert shop.points() == 49
    know(shop, "7", "another@example.test", verified=False)  # another address is not proven by it
    shop.see(paid("3", "10.00", after(days=3), customer_ref=None, email="another@example.test"))
    assert shop.points() == 49


def test_a_guests_target_is_provisional_and_terms_are_fixed_when_it_is_claimed(shop: Shop) -> None:
    (guest,) = shop.see(paid("2", "100.00", after(days=2), **GUEST))
    assert (guest.row.target_points, guest.row.terms_version, guest.row.terms_tier) == (100, None, None)
    shop.see(paid("1", "600.00", after(days=1)))
    know(shop, "7", "alice@example.test")
    assert (shop.points(), terms(shop, "2")) == (600 + 125, (1, "silver"))


def test_a_claimed_order_has_the_version_of_the_day_it_was_placed(shop: Shop, clock: Clock) -> None:
    shop.see(paid("1", "100.00", NOW - timedelta(hours=1), **GUEST))
    publish(shop.rt, shop.program_id, earn={"points": 5})
    clock.forward(days=3)
    know(shop, "7", "alice@example.test")
    assert (shop.points(), terms(shop, "1")[0]) == (100, 1)


def test_a_guests_order_that_was_refunded_meanwhile_is_claimed_for_what_is_left(shop: Shop) -> None:
    order = paid("1", "100.00", after(days=1), **GUEST)
    shop.see(order, refunded(order, "70.00"))
    know(shop, "7", "alice@example.test")
    assert shop.points() == 30


def test_a_guests_order_from_before_the_start_makes_nobody_richer(rt: Runtime, program_id: int) -> None:
    shop = Shop(rt, program_id)
    shop.see(paid("1", "100.00", NOW - timedelta(days=400), **GUEST))
    know(shop, "7", "alice@example.test")
    assert shop.points() == 0


def test_to_log_in_with_somebodys_address_claims_nothing(shop: Shop) -> None:
    shop.see(paid("1", "39.99", after(days=1), **GUEST))
    know(shop, "7", "alice@example.test", verified=False)
    enrol_customer(shop.rt, shop.program_id, shop.shop.shop_id, "7", asked=True)
    assert shop.points() == 0


# --- Joining -----------------------------------------------------------------------------------------------


def test_the_first_paid_order_of_an_account_makes_a_member(shop: Shop) -> None:
    order = paid("1", "10.00", after(days=1), state=OrderState.OPEN, paid_at=None)
    shop.see(order)
    assert find_member(shop.rt, shop.program_id, shop.shop.shop_id, "7") is None
    shop.see(
        replace(order, state=OrderState.PAID, paid_at=after(days=2), updated_at=after(days=2)),
    )
    assert shop.points() == 10


def test_to_log_in_is_enough_where_joining_is_automatic(shop: Shop) -> None:
    found = enrol_customer(shop.rt, shop.program_id, shop.shop.shop_id, "7", asked=False)
    assert found is not None
    again = enrol_customer(shop.rt, shop.program_id, shop.shop.shop_id, "7", asked=True)
    assert again is not None
    assert found.member_id is not None
    assert again.member_id == found.member_id


def test_who_must_ask_to_join_is_a_member_then_with_what_was_earned_before(shop: Shop) -> None:
    publish(shop.rt, shop.program_id, enrolment="on_join")
    (settled,) = shop.see(paid("1", "39.99", LATER))
    assert (settled.row.target_points, settled.row.member_id) == (39, None)
    looked = enrol_customer(shop.rt, shop.program_id, shop.shop.shop_id, "7", asked=False)
    assert looked is not None
    assert looked.member_id is None
    enrol_customer(shop.rt, shop.program_id, shop.shop.shop_id, "7", asked=True)
    assert shop.points() == 39
    shop.see(paid("2", "10.00", LATER + timedelta(days=1)))
    assert shop.points() == 49


# --- One person --------------------------------------------------------------------------------------------


def test_the_same_proven_address_in_two_shops_is_one_member(rt: Runtime, program_id: int) -> None:
    here, there = Shop(rt, program_id), Shop(rt, program_id)
    here.see(paid("1", "600.00", after(days=1)))
    there.see(paid("1", "50.00", after(days=2)))
    know(here, "7", "alice@example.test")
    know(there, "7", "ALICE@example.test", verified=False)
    assert member_of(here, "7") != member_of(there, "7")
    know(there, "7", "ALICE@example.test")
    assert member_of(here, "7") == member_of(there, "7")
    there.see(paid("2", "100.00", after(days=3)))
    assert available(here, member_of(here, "7")) == 650 + 125
    assert_books_are_true(rt, program_id)


def test_the_platforms_own_merge_makes_two_members_one(shop: Shop) -> None:
    shop.see(paid("1", "100.00", after(days=1)), paid("2", "60.00", after(days=2), customer_ref="8"))
    one, other = member_of(shop, "7"), member_of(shop, "8")
    merge(shop, "8", "7")
    merge(shop, "8", "7")  # told twice
    assert (member_of(shop, "7"), member_of(shop, "8")) == (one, one)  # the older account stays
    assert (available(shop, one), available(shop, other)) == (160, 0)
    assert booked(shop.rt, shop.program_id, other) == [("earn", 60), ("transfer_out", -60)]
    with shop.rt.db.begin(shop.program_id) as session:
        assert members.get_member(session, one).lifetime_points == 160
    assert_books_are_true(shop.rt, shop.program_id)


def test_a_customer_who_is_merged_before_we_know_them_is_the_same_member(shop: Shop) -> None:
    shop.see(paid("1", "100.00", after(days=1)))
    merge(shop, "9", "7")
    shop.see(paid("2", "60.00", after(days=2), customer_ref="9"))
    assert member_of(shop, "9") == member_of(shop, "7")
    assert available(shop, member_of(shop, "9")) == 160


def test_a_refund_after_the_merge_is_taken_from_what_came_over(shop: Shop) -> None:
    order = paid("2", "60.00", after(days=2), customer_ref="8")
    shop.see(paid("1", "100.00", after(days=1)), order)
    merge(shop, "7", "8")
    shop.see(refunded(order, "60.00"))
    assert available(shop, member_of(shop, "7")) == 100
    with shop.rt.db.begin(shop.program_id) as session:
        lots = session.rows("SELECT remaining FROM lots WHERE {fence} AND remaining > 0")
    assert [lot.remaining for lot in lots] == [100]  # the order's own points went, though younger
    shop.see(refunded(order, "20.00", hours=2))
    assert available(shop, member_of(shop, "7")) == 140
    assert_books_are_true(shop.rt, shop.program_id)


def test_a_deficit_comes_over_too(shop: Shop) -> None:
    order = paid("1", "100.00", after(days=1))
    shop.see(order)
    spend(shop, "amount-5")
    shop.see(refunded(order, "100.00"), paid("2", "130.00", after(days=2), customer_ref="8"))
    merge(shop, "8", "7")
    assert available(shop, member_of(shop, "8")) == 30
    undo(shop)
    assert (available(shop, member_of(shop, "7")), available(shop, member_of(shop, "8"))) == (-100, 130)
    assert_books_are_true(shop.rt, shop.program_id)


def test_pending_and_expiring_lots_keep_their_dates_over_there_and_back(shop: Shop, clock: Clock) -> None:
    publish(shop.rt, shop.program_id, earn={"hold_days": 10}, expiry={"kind": "after_days", "days": 90})
    shop.see(paid("1", "100.00", LATER), paid("2", "60.00", LATER + timedelta(days=2), customer_ref="8"))
    one, other = member_of(shop, "7"), member_of(shop, "8")
    clock.forward(days=5)
    (earned,) = entries(shop.rt, shop.program_id, other)

    def dates(member_id: int) -> tuple[object, object]:
        last = entries(shop.rt, shop.program_id, member_id)[-1]
        return last.available_at, last.expires_at

    merge(shop, "7", "8")
    assert dates(one) == (earned.available_at, earned.expires_at)
    now = balance(shop.rt, shop.program_id, one)
    assert (now.available, now.pending) == (0, 160)
    undo(shop)
    assert dates(other) == (earned.available_at, earned.expires_at)
    now = balance(shop.rt, shop.program_id, other)
    assert (now.available, now.pending) == (0, 60)
    clock.forward(days=8)
    assert (available(shop, one), available(shop, other)) == (100, 60)
    assert_books_are_true(shop.rt, shop.program_id)


def test_undone_each_has_what_it_brought_and_its_own_orders(shop: Shop) -> None:
    order = paid("2", "60.00", after(days=2), customer_ref="8")
    shop.see(paid("1", "100.00", after(days=1)), order)
    one, other = member_of(shop, "7"), member_of(shop, "8")
    merge(shop, "7", "8")
    shop.see(refunded(order, "20.00"), paid("3", "10.00", after(days=3), customer_ref="8"))
    assert available(shop, one) == 150
    undo(shop)
    assert (member_of(shop, "7"), member_of(shop, "8")) == (one, other)
    assert (available(shop, one), available(shop, other)) == (100, 50)
    with shop.rt.db.begin(shop.program_id) as session:
        lifetimes = [members.get_member(session, each).lifetime_points for each in (one, other)]
    assert lifetimes == [100, 50]
    with pytest.raises(Refused, match="already_undone"):
        undo(shop)
    assert_books_are_true(shop.rt, shop.program_id)


def test_points_spent_since_the_merge_stay_the_winners_debt(shop: Shop) -> None:
    shop.see(paid("1", "50.00", after(days=1)), paid("2", "60.00", after(days=2), customer_ref="8"))
    one, other = member_of(shop, "7"), member_of(shop, "8")
    merge(shop, "7", "8")
    spend(shop, "amount-5")
    undo(shop)
    assert (available(shop, one), available(shop, other)) == (-50, 60)
    assert_books_are_true(shop.rt, shop.program_id)


def test_what_came_over_and_expired_there_is_not_paid_for_by_the_winner(shop: Shop, clock: Clock) -> None:
    shop.see(paid("1", "50.00", after(days=1)))  # by the first version: for good
    publish(shop.rt, shop.program_id, expiry={"kind": "after_days", "days": 30})
    shop.see(paid("2", "60.00", LATER, customer_ref="8"))
    one, other = member_of(shop, "7"), member_of(shop, "8")
    merge(shop, "7", "8")
    clock.forward(days=40)
    read_until(shop.rt, shop.program_id, shop.shop.shop_id, clock.at)
    assert expire_lots(shop.rt, shop.program_id) == 1
    undo(shop)
    assert available(shop, one) == 50
    assert expire_lots(shop.rt, shop.program_id) == 1
    assert (available(shop, one), available(shop, other)) == (50, 0)
    assert_books_are_true(shop.rt, shop.program_id)


def test_the_same_click_after_the_merge_is_still_the_same_redemption(shop: Shop) -> None:
    shop.see(paid("1", "100.00", after(days=1), customer_ref="8"), paid("2", "100.00", after(days=2)))
    loser = member_of(shop, "7")
    code = spend(shop, "amount-5")
    merge(shop, "8", "7")
    assert member_of(shop, "7") != loser
    assert spend(shop, "amount-5") == code
    assert available(shop, member_of(shop, "7")) == 100


def test_the_same_adjustment_after_the_merge_is_still_the_same(shop: Shop) -> None:
    shop.see(paid("1", "100.00", after(days=1), customer_ref="8"), paid("2", "100.00", after(days=2)))
    loser = member_of(shop, "7")

    def give() -> bool:
        done = adjust(
            shop.rt, shop.program_id, loser, 5, reason="thank you", actor="owner", request_key="click"
        )
        return done.is_new

    assert give()
    merge(shop, "8", "7")
    assert not give()
    assert available(shop, member_of(shop, "7")) == 205


def test_a_merge_moves_no_terms_and_lifts_the_tier_of_what_comes_after(shop: Shop) -> None:
    shop.see(
        paid("1", "300.00", after(days=1)),
        paid("2", "300.00", after(days=2), customer_ref="8"),
        paid("3", "100.00", after(days=3)),
    )
    merge(shop, "7", "8")
    assert terms(shop, "3")[1] == "member"
    shop.see(paid("4", "100.00", after(days=4)))
    assert terms(shop, "4")[1] == "silver"
    assert available(shop, member_of(shop, "7")) == 700 + 125


def test_two_who_both_hold_something_of_one_order_are_paid_for_it_once(shop: Shop) -> None:
    order = make_order(order_ref="1", goods=eur("80.00"))
    shop.see(order, replace(order, customer_ref="8", updated_at=after(hours=1)))
    merge(shop, "7", "8")
    shop.see(replace(order, updated_at=after(hours=2)))
    assert available(shop, member_of(shop, "8")) == 80
    assert_books_are_true(shop.rt, shop.program_id)
