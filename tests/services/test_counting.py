"""What counts, by which terms, in which money, and what a take-back leaves: line by line as the program promises it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.db import members
from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.orders import OrderSnapshot, OrderState
from app.services.adjust import adjust
from app.services.recount import recount
from app.services.redeem import RedeemRequest, redeem
from app.services.runtime import Runtime
from app.services.set_counting import set_counting
from app.services.settle_orders import Seen, settle_orders
from tests.conftest import NOW, Clock, make_program
from tests.factories import after, eur, make_order, make_refund
from tests.services.books import assert_books_are_true, balance, booked, entries, get_member, publish
from tests.services.test_settle_orders import Shop

LATER = NOW + timedelta(hours=1)  # a version published now is live by then


@pytest.fixture
def shop(rt: Runtime, program_id: int) -> Shop:
    return Shop(rt, program_id)


def paid(ref: str, goods: str, at: datetime, **changes: Any) -> OrderSnapshot:
    """An order placed, paid and told at the same moment."""
    facts: dict[str, Any] = {"placed_at": at, "paid_at": at, "updated_at": at, **changes}
    return make_order(order_ref=ref, number=f"#{ref}", goods=eur(goods), **facts)


def terms(shop: Shop, ref: str) -> tuple[int, str]:
    """(version, tier) fixed for an order."""
    orders = shop.state()["orders"]
    assert isinstance(orders, dict)
    _, tier, version = orders[ref]
    return version, tier


def spend(shop: Shop, reward: str, key: str = "click") -> str:
    """The shopper buys a reward; the code."""
    request = RedeemRequest(
        program_id=shop.program_id,
        member_id=get_member(shop.rt, shop.program_id, shop.shop.shop_id),
        shop_id=shop.shop.shop_id,
        reward_key=reward,
        request_key=key,
        actor="shopper",
    )
    return redeem(shop.rt, request).code


def refunded(order: OrderSnapshot, goods: str | None, *, hours: int = 1) -> OrderSnapshot:
    """The same order so many hours after its last message, with that much given back; None: nothing any more."""
    moment = order.updated_at + timedelta(hours=hours)
    refunds = () if goods is None else (make_refund(goods, refunded_at=moment),)
    return replace(order, refunds=refunds, updated_at=moment)


# --- From when ---------------------------------------------------------------------------------------------


def test_an_order_counts_if_placed_at_or_after_the_start(shop: Shop) -> None:
    start = after(days=3)
    set_counting(shop.rt, shop.program_id, shop.shop.shop_id, counts_from=start, actor="owner")
    before, at = shop.see(paid("1", "10.00", start - timedelta(microseconds=1)), paid("2", "10.00", start))
    assert (before.row.target_points, before.row.facts["zero"]) == (0, "before_start")
    assert (at.row.target_points, shop.points()) == (10, 10)


def test_an_order_before_the_start_makes_nobody_a_member_and_lifts_no_tier(shop: Shop) -> None:
    start = after(days=3)
    set_counting(shop.rt, shop.program_id, shop.shop.shop_id, counts_from=start, actor="owner")
    (old,) = shop.see(paid("1", "900.00", after(days=1)))
    assert old.row.member_id is None
    shop.see(paid("2", "100.00", after(days=4)))
    assert shop.points() == 100


def test_an_earlier_start_counts_what_was_kept_and_a_later_one_takes_it_back(shop: Shop) -> None:
    def count_from(start: datetime) -> None:
        set_counting(shop.rt, shop.program_id, shop.shop.shop_id, counts_from=start, actor="owner")
        recount(shop.rt, shop.program_id, shop.shop.shop_id)

    count_from(after(days=3))
    shop.see(paid("1", "600.00", after(days=1)), paid("2", "100.00", after(days=4)))
    assert shop.points() == 100
    count_from(after(days=0))
    assert shop.points() == 600 + 125  # the tier of what lies behind is worked out once more, upward
    count_from(after(days=2))
    assert shop.points() == 125  # terms once fixed stay
    assert_books_are_true(shop.rt, shop.program_id)


def test_test_orders_count_once_the_switch_is_on(shop: Shop) -> None:
    shop.see(paid("1", "10.00", after(days=1), test=True))
    assert shop.points() == 0
    for on, points in ((True, 10), (False, 0)):
        set_counting(shop.rt, shop.program_id, shop.shop.shop_id, counts_test_orders=on, actor="owner")
        recount(shop.rt, shop.program_id, shop.shop.shop_id)
        assert shop.points() == points


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": OrderState.OPEN, "paid_at": None}, "not_paid"),
        ({"state": OrderState.CANCELLED}, "cancelled"),
        ({"state": OrderState.GONE}, "gone"),
        ({"test": True}, "test_order"),
    ],
)
def test_zero_is_explained_too(shop: Shop, changes: dict[str, Any], why: str) -> None:
    (settled,) = shop.see(make_order(**changes))
    assert (settled.row.target_points, settled.row.facts["zero"], settled.moved) == (0, why, 0)


def test_where_goods_must_leave_first_an_order_counts_from_then(shop: Shop) -> None:
    publish(shop.rt, shop.program_id, earn={"when": "fulfilled"})
    order = paid("1", "10.00", LATER)
    (waiting,) = shop.see(order)
    assert (waiting.row.facts["zero"], shop.points()) == ("not_fulfilled", 0)
    sent = NOW + timedelta(days=2)
    shop.see(replace(order, fulfilled_at=sent, updated_at=sent))
    (entry,) = entries(shop.rt, shop.program_id, get_member(shop.rt, shop.program_id, shop.shop.shop_id))
    assert (entry.points, entry.occurred_at) == (10, sent)


# --- Terms -------------------------------------------------------------------------------------------------


def test_the_version_live_when_the_order_was_placed_counts_however_late_it_is_told(shop: Shop) -> None:
    publish(shop.rt, shop.program_id, earn={"points": 3})  # live from NOW on
    shop.see(
        paid("1", "10.00", NOW - timedelta(seconds=1)),
        paid("2", "10.00", NOW + timedelta(seconds=1)),
        paid("3", "10.00", NOW - timedelta(days=300)),  # before there was a program
    )
    assert [terms(shop, ref)[0] for ref in ("1", "2", "3")] == [1, 2, 1]
    assert shop.points() == 10 + 30 + 10


def test_a_version_published_later_changes_nothing_that_was_counted(shop: Shop, clock: Clock) -> None:
    order = paid("1", "600.00", NOW)
    shop.see(order)
    clock.forward(days=1)
    levels = [{"key": "other", "name": "Other", "from_minor": 0, "earn_percent": 900}]
    publish(
        shop.rt,
        shop.program_id,
        earn={"points": 7, "hold_days": 9},
        tiers={"levels": levels},
        expiry={"kind": "after_days", "days": 5},
    )
    assert shop.points() == 600
    edited = replace(order, goods=eur("700.00"), updated_at=NOW + timedelta(days=2))
    shop.see(edited, refunded(edited, "650.00"))
    assert (shop.points(), terms(shop, "1")) == (50, (1, "member"))
    account = get_member(shop.rt, shop.program_id, shop.shop.shop_id)
    assert all(entry.expires_at is None for entry in entries(shop.rt, shop.program_id, account))


@pytest.mark.parametrize(("large", "small", "points"), [("1", "2", 125), ("2", "1", 100)])
@pytest.mark.parametrize("turned", [False, True])
def test_of_two_orders_of_one_moment_the_one_of_the_lower_ref_lies_first(
    shop: Shop, large: str, small: str, points: int, *, turned: bool
) -> None:
    orders = [paid(large, "600.00", after(days=1)), paid(small, "100.00", after(days=1))]
    for order in reversed(orders) if turned else orders:
        shop.see(order)
    assert shop.points() == 600 + points


@pytest.mark.parametrize(("on_day", "points"), [(2, 100), (4, 125)])
def test_a_refund_lowers_the_tier_only_of_what_was_placed_after_it(
    shop: Shop, on_day: int, points: int
) -> None:
    large = paid("1", "600.00", after(days=1))
    shop.see(
        replace(
            large, refunds=(make_refund("200.00", refunded_at=after(days=on_day)),), updated_at=after(days=9)
        ),
        paid("2", "100.00", after(days=3)),
    )
    assert shop.points() == 400 + points


@pytest.mark.parametrize("batch", [1, 500])
@pytest.mark.parametrize(("shown_on", "points"), [(2, 100), (4, 125)])
def test_an_undated_refund_is_of_the_first_message_that_shows_it_whichever_came_first(
    shop: Shop, batch: int, shown_on: int, points: int
) -> None:
    large = paid("1", "600.00", after(days=1))
    refund = make_refund("200.00", exact=False, refunded_at=None)
    newest = replace(large, refunds=(refund,), updated_at=after(days=5))
    first = replace(large, refunds=(refund,), updated_at=after(days=shown_on))
    shop.see(large, newest, first, paid("2", "100.00", after(days=3)), batch=batch)
    assert shop.points() == 400 + points


def test_a_tier_recorded_as_the_members_counts_if_it_is_higher(shop: Shop) -> None:
    shop.see(paid("1", "10.00", after(days=1)))
    member_id = get_member(shop.rt, shop.program_id, shop.shop.shop_id)
    with shop.rt.db.begin(shop.program_id) as session:
        session.run(
            "INSERT INTO tier_floors (program_id, member_id, tier_key, cause, from_at, until_at) "
            "VALUES (:program_id, :member, 'gold', 'manual', :start, :end)",
            member=member_id,
            start=after(days=2),
            end=after(days=4),
        )
    shop.see(*(paid(str(day), "100.00", after(days=day, hours=-1)) for day in (2, 3, 4)))
    shop.see(paid("5", "100.00", after(days=4)))
    assert [terms(shop, ref)[1] for ref in ("2", "3", "4", "5")] == ["member", "gold", "gold", "member"]
    assert shop.points() == 10 + 100 + 150 + 150 + 100


def test_what_is_learnt_late_never_lowers_terms(shop: Shop) -> None:
    large = paid("1", "600.00", after(days=1))
    shop.see(large, paid("2", "100.00", after(days=5)))
    shop.see(
        replace(large, refunds=(make_refund("600.00", refunded_at=after(days=2)),), updated_at=after(days=6))
    )
    assert (shop.points(), terms(shop, "2")[1]) == (125, "silver")
    shop.see(replace(large, customer_ref="8", updated_at=after(days=7)))
    assert (shop.points("7"), shop.points("8"), terms(shop, "2")[1]) == (125, 600, "silver")


def test_another_owner_does_not_move_an_orders_terms(shop: Shop) -> None:
    order = paid("2", "100.00", after(days=2))
    shop.see(paid("1", "600.00", after(days=1)), order)
    shop.see(replace(order, customer_ref="8", updated_at=after(days=3)))
    assert (shop.points("7"), shop.points("8")) == (600, 125)


def test_two_messages_in_one_batch_end_as_if_they_had_come_alone(shop: Shop) -> None:
    order = paid("1", "100.00", after(days=1))
    shop.see(order, refunded(order, "30.00"), refunded(order, "80.00", hours=2), order)
    assert shop.points() == 20
    assert_books_are_true(shop.rt, shop.program_id)


def test_of_two_readings_the_one_begun_first_never_settles_last(shop: Shop) -> None:
    shop.see(paid("1", "100.00", after(days=1)))

    def read(goods: str, number: int) -> None:
        one = Seen(
            shop_id=shop.shop.shop_id,
            order=paid("1", goods, after(days=1)),
            reread=True,
            read_no=number,
        )
        with shop.rt.db.begin(shop.program_id) as session:
            settle_orders(session, shop.rt.vault, [one], now=shop.rt.now())

    read("40.00", 2)
    read("70.00", 1)  # the shop's clock does not tell the two apart; the numbers drawn before asking do
    assert shop.points() == 40


# --- Rates and money ---------------------------------------------------------------------------------------


def test_an_order_is_rounded_down_once_after_every_multiplication(shop: Shop) -> None:
    publish(shop.rt, shop.program_id, earn={"points": 1, "spend_minor": 1000})  # "1 point per 10.00"
    shop.see(paid("1", "599.90", LATER), paid("2", "67.99", LATER + timedelta(hours=1)))
    # 67.99 × 125 % ÷ 10.00 is 8.49; rounded before the tier it would be 6 × 125 %, 7.
    assert shop.points() == 59 + 8


@pytest.mark.parametrize(
    ("currency", "amount", "points"),
    [("JPY", "1650", 16), ("JPY", "1650.00", 16), ("KWD", "12.999", 12), ("KWD", "0.999", 0)],
)
def test_a_currency_has_its_own_decimals(rt: Runtime, currency: str, amount: str, points: int) -> None:
    shop = Shop(rt, make_program(rt, currency=currency))
    shop.see(make_order(goods=Money.parse(amount, currency)))
    assert shop.points() == points


def test_three_points_for_every_hundred_yen(rt: Runtime) -> None:
    shop = Shop(rt, make_program(rt, currency="JPY"))
    publish(rt, shop.program_id, earn={"points": 3})
    shop.see(make_order(goods=Money(1650, "JPY"), placed_at=LATER, paid_at=LATER, updated_at=LATER))
    assert shop.points() == 49


def test_a_held_order_is_counted_when_a_rate_is_published_and_not_before(shop: Shop, clock: Clock) -> None:
    yen = make_order(
        order_ref="1", goods=Money(80_000, "JPY"), placed_at=LATER, paid_at=LATER, updated_at=LATER
    )
    (held,) = shop.see(yen)
    assert (held.row.held_reason, held.row.facts["why"], shop.points()) == ("no_rate", "no_rate", 0)
    shop.see(paid("2", "100.00", LATER + timedelta(hours=1)))
    assert shop.points() == 100
    clock.forward(days=1)
    assert recount(shop.rt, shop.program_id) == 1
    assert shop.points() == 100  # there is no rate yet: never at face value
    publish(shop.rt, shop.program_id, currencies={"JPY": {"spend_minor": 100, "program_minor": 65}})
    recount(shop.rt, shop.program_id)
    # ¥80,000: 800 points in its own money, 520.00 towards a tier, so what was placed behind it was Silver's.
    assert (shop.points(), terms(shop, "1"), terms(shop, "2")) == (800 + 125, (2, "member"), (1, "silver"))
    assert recount(shop.rt, shop.program_id) == 0
    assert_books_are_true(shop.rt, shop.program_id)


def test_a_held_order_that_was_cancelled_meanwhile_earns_nothing_when_a_rate_comes(shop: Shop) -> None:
    yen = make_order(goods=Money(80_000, "JPY"), placed_at=LATER, paid_at=LATER, updated_at=LATER)
    shop.see(yen, replace(yen, state=OrderState.CANCELLED, updated_at=LATER + timedelta(hours=1)))
    publish(shop.rt, shop.program_id, currencies={"JPY": {"spend_minor": 100, "program_minor": 65}})
    recount(shop.rt, shop.program_id)
    assert shop.points() == 0


# --- Hold --------------------------------------------------------------------------------------------------


def test_points_are_pending_until_the_hold_is_over(shop: Shop, clock: Clock) -> None:
    publish(shop.rt, shop.program_id, earn={"hold_days": 14})
    shop.see(paid("1", "100.00", LATER))
    account = get_member(shop.rt, shop.program_id, shop.shop.shop_id)
    clock.at = LATER + timedelta(days=14) - timedelta(microseconds=1)
    now = balance(shop.rt, shop.program_id, account)
    assert (now.available, now.pending) == (0, 100)
    with pytest.raises(Refused, match="insufficient_points"):
        spend(shop, "amount-5")
    clock.at = LATER + timedelta(days=14)
    now = balance(shop.rt, shop.program_id, account)
    assert (now.available, now.pending) == (100, 0)
    spend(shop, "amount-5", "again")


def test_a_refund_while_points_are_pending_takes_pending_points(shop: Shop, clock: Clock) -> None:
    shop.see(paid("0", "50.00", NOW - timedelta(days=1)))  # by the first version: available at once
    publish(shop.rt, shop.program_id, earn={"hold_days": 14})
    order = paid("1", "100.00", LATER)
    shop.see(order, refunded(order, "40.00"))
    account = get_member(shop.rt, shop.program_id, shop.shop.shop_id)
    now = balance(shop.rt, shop.program_id, account)
    assert (now.available, now.pending) == (50, 60)
    clock.forward(days=15)
    now = balance(shop.rt, shop.program_id, account)
    assert (now.available, now.pending) == (110, 0)
    assert_books_are_true(shop.rt, shop.program_id)


# --- Take-backs --------------------------------------------------------------------------------------------


def test_points_spent_meanwhile_leave_a_deficit_that_the_next_earnings_fill(shop: Shop) -> None:
    order = paid("1", "100.00", after(days=1))
    shop.see(order)
    spend(shop, "amount-5")
    shop.see(refunded(order, "100.00"))
    account = get_member(shop.rt, shop.program_id, shop.shop.shop_id)
    assert balance(shop.rt, shop.program_id, account).available == -100
    with pytest.raises(Refused, match="0 are available"):
        spend(shop, "amount-5", "again")
    shop.see(paid("2", "130.00", after(days=2)))
    assert balance(shop.rt, shop.program_id, account).available == 30
    assert_books_are_true(shop.rt, shop.program_id)


def test_a_deficit_is_filled_by_held_points_when_they_become_available(shop: Shop, clock: Clock) -> None:
    order = paid("1", "100.00", NOW - timedelta(days=1))
    shop.see(order)
    spend(shop, "amount-5")
    publish(shop.rt, shop.program_id, earn={"hold_days": 14})
    shop.see(refunded(order, "100.00"), paid("2", "130.00", LATER))
    account = get_member(shop.rt, shop.program_id, shop.shop.shop_id)
    now = balance(shop.rt, shop.program_id, account)
    assert (now.available, now.pending) == (-100, 130)
    clock.forward(days=14, hours=1)
    now = balance(shop.rt, shop.program_id, account)
    assert (now.available, now.pending) == (30, 0)


def test_taken_back_entirely_an_order_leaves_the_account_as_if_it_never_was(shop: Shop) -> None:
    order = paid("1", "100.00", after(days=1))
    shop.see(paid("2", "40.00", after(days=1)), order)
    shop.see(refunded(order, "60.00"), refunded(order, "100.00", hours=2))
    account = get_member(shop.rt, shop.program_id, shop.shop.shop_id)
    assert balance(shop.rt, shop.program_id, account).available == 40
    with shop.rt.db.begin(shop.program_id) as session:
        lots = session.rows("SELECT remaining FROM lots WHERE {fence} AND remaining > 0")
        lifetime = members.get_member(session, account).lifetime_points
    assert ([lot.remaining for lot in lots], lifetime) == ([40], 40)


def test_clamped_a_take_back_is_booked_whole_and_what_falls_below_zero_is_written_off(shop: Shop) -> None:
    publish(shop.rt, shop.program_id, refunds={"policy": "clamp"})
    order = paid("1", "100.00", LATER)
    shop.see(order, paid("2", "30.00", LATER))
    spend(shop, "amount-5")
    account = get_member(shop.rt, shop.program_id, shop.shop.shop_id)
    shop.see(refunded(order, "100.00"))
    assert booked(shop.rt, shop.program_id, account)[-2:] == [("earn_reversal", -100), ("write_off", 70)]
    assert balance(shop.rt, shop.program_id, account).available == 0
    assert_books_are_true(shop.rt, shop.program_id)


def test_a_write_off_is_taken_back_first_when_the_order_counts_again(shop: Shop) -> None:
    publish(shop.rt, shop.program_id, refunds={"policy": "clamp"})
    order = paid("1", "100.00", LATER)
    shop.see(order, paid("2", "30.00", LATER))
    spend(shop, "amount-5")
    account = get_member(shop.rt, shop.program_id, shop.shop.shop_id)
    shop.see(refunded(order, "100.00"), refunded(order, "60.00", hours=2))
    # 100 − 100 spent + 30; all back: 70 written off; 40 of it come again: 40 of the write-off go first.
    assert booked(shop.rt, shop.program_id, account)[-2:] == [("earn", 40), ("write_off_reversal", -40)]
    assert balance(shop.rt, shop.program_id, account).available == 0
    shop.see(refunded(order, None, hours=3))
    assert booked(shop.rt, shop.program_id, account)[-2:] == [("earn", 60), ("write_off_reversal", -30)]
    assert balance(shop.rt, shop.program_id, account).available == 30
    assert_books_are_true(shop.rt, shop.program_id)


@pytest.mark.parametrize("on", [True, False])
def test_points_used_for_a_refunded_order_are_given_back_in_proportion(shop: Shop, *, on: bool) -> None:
    publish(shop.rt, shop.program_id, refunds={"return_redeemed_points": on})
    shop.see(paid("1", "150.00", LATER))
    bought = paid("2", "10.00", LATER + timedelta(hours=1), codes_used=(spend(shop, "amount-5").lower(),))
    shop.see(bought)
    account = get_member(shop.rt, shop.program_id, shop.shop.shop_id)
    assert balance(shop.rt, shop.program_id, account).available == 50 + 10
    shop.see(refunded(bought, "3.33"))
    given = 33 if on else 0
    assert balance(shop.rt, shop.program_id, account).available == 50 + given + 6
    shop.see(refunded(bought, "10.00", hours=2))
    given = 100 if on else 0
    assert balance(shop.rt, shop.program_id, account).available == 50 + given
    shop.see(refunded(bought, None, hours=3))  # the refund did not stand
    assert balance(shop.rt, shop.program_id, account).available == 50 + 10
    assert_books_are_true(shop.rt, shop.program_id)


def test_staff_may_not_take_more_than_there_is(shop: Shop) -> None:
    shop.see(paid("1", "40.00", after(days=1)))
    account = get_member(shop.rt, shop.program_id, shop.shop.shop_id)

    def take(points: int, key: str) -> None:
        adjust(shop.rt, shop.program_id, account, points, reason="a mistake", actor="owner", request_key=key)

    with pytest.raises(Refused, match="insufficient_points"):
        take(-41, "one")
    take(-40, "two")
    take(-40, "two")  # the same click again
    assert balance(shop.rt, shop.program_id, account).available == 0


def test_lifetime_points_are_lowered_by_take_backs_and_by_nothing_else(shop: Shop) -> None:
    order = paid("1", "200.00", after(days=1))
    shop.see(order)
    spend(shop, "amount-5")
    shop.see(refunded(order, "50.00"))
    account = get_member(shop.rt, shop.program_id, shop.shop.shop_id)
    with shop.rt.db.begin(shop.program_id) as session:
        assert members.get_member(session, account).lifetime_points == 150
