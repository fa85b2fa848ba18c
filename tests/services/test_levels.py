"""Levels beyond spend over twelve months: given, bought, rewarded, lost in steps; and the books stay true."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from app.db import members
from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.orders import OrderLine, OrderSnapshot, OrderState, Refund, RefundedLine
from app.domain.program import default_document
from app.domain.words import ENGLISH
from app.services.audit import audit
from app.services.describe_member import describe_member
from app.services.give_tier import GivenTier, give_tier, list_given_tiers, take_tier_back
from app.services.publish_program import publish_program
from app.services.replay import replay
from app.services.review_tiers import review_tiers
from app.services.runtime import Runtime
from tests.conftest import NOW, Clock, unique
from tests.factories import eur, make_order
from tests.services.histories import History, make_history

MEMBER = {"key": "member", "name": "Member", "from_minor": 0, "earn_percent": 100}
SILVER = {"key": "silver", "name": "Silver", "from_minor": 50_000, "earn_percent": 125}
GOLD = {"key": "gold", "name": "Gold", "from_minor": 200_000, "earn_percent": 150}
CLUB = {"key": "club", "name": "Club", "earn_percent": 200, "paid": {"products": ["card"], "days": 30}}
GUESTS = {"key": "guests", "name": "Guests", "earn_percent": 300, "invitation_only": True}


def document(*levels: dict[str, Any], **tiers: Any) -> dict[str, Any]:
    found = default_document("Sprig", "EUR", "UTC")
    found["tiers"] = {"grace_days": 0, "levels": [MEMBER, *levels], **tiers}
    if "window" not in tiers:
        found["tiers"]["months"] = 12
    return found


def history(rt: Runtime, clock: Clock, *levels: dict[str, Any], **tiers: Any) -> History:
    return make_history(rt, clock, document(*levels, **tiers))


def tier(past: History, customer: str = "7") -> str:
    with past.rt.db.begin(past.program_id) as session:
        return members.get_member(session, past.member(customer)).tier_key


def points(past: History, customer: str = "7") -> int:
    return int(
        past.scalar("SELECT points FROM accounts WHERE {fence} AND id = :id", id=past.member(customer))
    )


def review(past: History) -> int:
    past.reconciled()
    return review_tiers(past.rt, past.program_id)


def causes(past: History) -> list[str]:
    with past.rt.db.begin(past.program_id) as session:
        return [
            f"{row.to_key} by {row.cause}"
            for row in session.rows("SELECT to_key, cause FROM tier_changes WHERE {fence} ORDER BY id")
        ]


def assert_true(past: History) -> None:
    assert [str(one) for one in audit(past.rt, past.program_id).problems] == []
    assert [str(one) for one in replay(past.rt, past.program_id).differences] == []


# --- Given by staff ----------------------------------------------------------------------------------------


def give(past: History, key: str, until: date | None = None, **changes: Any) -> GivenTier:
    wish = {"reason": "Press", "actor": "ada", "request_key": unique("key"), **changes}
    return give_tier(past.rt, past.program_id, past.member("7"), key, until=until, **wish)


def test_a_given_tier_holds_to_the_end_of_its_last_day(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, SILVER, GUESTS, grace_days=10)
    past.buy("7", "a", "10.00")
    given = give(past, "guests", date(2026, 12, 24))
    assert (tier(past), given.until_at) == ("guests", datetime(2026, 12, 25, tzinfo=UTC))
    clock.forward(days=1)
    past.buy("7", "b", "10.00")
    assert points(past) == 10 + 30
    clock.at = datetime(2026, 12, 24, 23, 59, tzinfo=UTC)
    assert (review(past), tier(past)) == (0, "guests")
    clock.forward(minutes=1)
    assert (review(past), tier(past)) == (1, "member")  # its end was known: no grace on top
    assert causes(past) == ["guests by manual", "member by review"]
    assert_true(past)


def test_no_order_reaches_a_level_by_invitation(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, SILVER, GUESTS)
    past.buy("7", "a", "99999.00")
    assert tier(past) == "silver"
    assert describe_member(rt, past.program_id, past.member("7")).next_tier is None


def test_a_tier_taken_back_goes_with_the_next_review_and_what_was_earned_stays(
    rt: Runtime, clock: Clock
) -> None:
    past = history(rt, clock, SILVER, {**GUESTS, "entry_points": 500})
    past.buy("7", "a", "10.00")
    given = give(past, "guests")
    assert points(past) == 10 + 500
    clock.forward(days=1)
    past.buy("7", "b", "10.00")
    ended = take_tier_back(rt, past.program_id, given.grant_id, actor="bo")
    assert take_tier_back(rt, past.program_id, given.grant_id, actor="bo") == ended
    assert points(past) == 10 + 30
    clock.forward(hours=1)
    assert (review(past), tier(past)) == (1, "member")
    (listed,) = list_given_tiers(rt, past.program_id, past.member("7"))
    assert (listed.reason, listed.ended_at) == ("Press", NOW + timedelta(days=1))
    assert_true(past)


def test_a_tier_is_given_once_under_its_key(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, SILVER, GUESTS)
    past.buy("7", "a", "10.00")
    first, again = (give(past, "guests", request_key="k") for _ in range(2))
    assert (first.is_new, again.is_new, first.grant_id == again.grant_id) == (True, False, True)
    with pytest.raises(Refused, match="used for another"):
        give(past, "silver", request_key="k")


@pytest.mark.parametrize(
    ("key", "changes", "code"),
    [
        ("platinum", {}, "unknown_tier"),
        ("member", {}, "lowest_tier"),
        ("silver", {"until": date(2026, 11, 21)}, "past_date"),
        ("silver", {"reason": " "}, "no_reason"),
    ],
)
def test_what_cannot_be_given_says_why(
    rt: Runtime, clock: Clock, key: str, changes: dict[str, Any], code: str
) -> None:
    past = history(rt, clock, SILVER)
    past.buy("7", "a", "10.00")
    with pytest.raises(Refused) as refused:
        give(past, key, **changes)
    assert refused.value.code == code


def test_a_given_tier_goes_along_with_a_merge_and_back_with_its_undo(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, SILVER, GUESTS)
    past.buy("8", "a", "10.00")
    past.buy("7", "b", "10.00")
    give(past, "guests")
    merged = past.merge(past.member("7"), past.member("8"))
    assert merged is not None
    assert (merged.winner_id, tier(past, "8")) == (past.member("8"), "guests")
    assert_true(past)
    past.undo(merged.merge_id)
    clock.forward(hours=1)
    assert (review(past), tier(past, "7"), tier(past, "8")) == (1, "guests", "member")
    assert_true(past)


# --- Bought ------------------------------------------------------------------------------------------------


def card(ref: str = "m", pieces: int = 1, **changes: Any) -> OrderSnapshot:
    minor = 5000 * pieces
    line = OrderLine(line_ref="1", product_ref="card", quantity=pieces, goods_minor=minor)
    return make_order(
        order_ref=ref,
        number=f"#{ref}",
        goods=Money(minor, "EUR"),
        lines=(line,),
        **{"placed_at": NOW, "paid_at": NOW, "updated_at": NOW, **changes},
    )


def refunded(order: OrderSnapshot, at: datetime, minor: int = 5000) -> OrderSnapshot:
    refund = Refund(
        refund_ref=str(at),
        goods=Money(minor, "EUR"),
        exact=True,
        refunded_at=at,
        lines=(RefundedLine(line_ref="1", goods_minor=minor),),
    )
    return replace(order, refunds=(*order.refunds, refund), updated_at=at)


def test_who_buys_the_card_is_in_the_club_for_its_days(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, SILVER, CLUB)
    past.shop.see(card())
    assert (tier(past), points(past)) == ("club", 50)  # it does not count for its own order
    clock.forward(days=1)
    past.buy("7", "b", "10.00")
    assert points(past) == 50 + 20
    clock.at = datetime(2026, 12, 22, 23, 59, tzinfo=UTC)
    assert (review(past), tier(past)) == (0, "club")
    clock.forward(minutes=1)
    assert (review(past), tier(past)) == (1, "member")
    assert_true(past)


def test_a_refund_ends_the_membership_from_that_moment(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, SILVER, {**CLUB, "entry_points": 100}, grace_days=10)
    past.shop.see(card())
    assert points(past) == 50 + 100
    clock.forward(days=2)
    past.shop.see(refunded(card(), clock.at))
    clock.forward(minutes=1)
    past.buy("7", "b", "10.00")
    assert points(past) == 10  # neither the card's points nor the welcome, nor twice the points
    assert (review(past), tier(past)) == (1, "member")
    assert_true(past)


def test_a_cancelled_order_ends_it_too(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, CLUB)
    past.shop.see(card())
    clock.forward(days=1)
    past.shop.see(replace(card(), state=OrderState.CANCELLED, cancelled_at=clock.at, updated_at=clock.at))
    clock.forward(minutes=1)
    assert (review(past), tier(past)) == (1, "member")
    assert_true(past)


def test_several_cards_come_one_after_the_other_and_one_refund_takes_one(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, CLUB)
    past.shop.see(card("a", pieces=2), card("b"))
    ninety = NOW + timedelta(days=90)
    clock.at = datetime(ninety.year, ninety.month, ninety.day, 23, 59, tzinfo=UTC)
    assert (review(past), tier(past)) == (0, "club")
    past.shop.see(refunded(card("a", pieces=2), NOW + timedelta(days=5)))
    assert (review(past), tier(past)) == (1, "member")
    assert_true(past)


def test_an_edit_takes_the_card_off_the_order(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, CLUB)
    past.shop.see(card())
    clock.forward(hours=1)
    past.shop.see(replace(card(), lines=(), updated_at=clock.at))
    assert (review(past), tier(past)) == (1, "member")
    assert_true(past)


def test_a_card_that_is_told_late_lifts_what_was_bought_since(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, CLUB)
    clock.forward(days=2)
    past.buy("7", "b", "10.00")
    assert points(past) == 10
    past.shop.see(card())
    assert (tier(past), points(past)) == ("club", 50 + 20)
    assert_true(past)


def test_a_membership_goes_along_with_a_merge(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, CLUB)
    past.buy("8", "a", "10.00")
    past.shop.see(card())
    merged = past.merge(past.member("7"), past.member("8"))
    assert merged is not None
    assert tier(past, "8") == "club"
    assert_true(past)


def test_what_was_bought_is_kept_where_it_is_no_longer_sold(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, SILVER, CLUB)
    past.shop.see(card())
    closed = {**CLUB, "invitation_only": True}
    del closed["paid"]
    publish_program(rt, past.program_id, document(SILVER, closed), by="ada")
    clock.forward(days=1)
    past.shop.see(card("late", customer_ref="8", placed_at=clock.at, paid_at=clock.at, updated_at=clock.at))
    assert (tier(past, "7"), tier(past, "8")) == ("club", "member")
    assert (review(past), tier(past, "7")) == (0, "club")
    assert_true(past)


# --- Entry rewards -----------------------------------------------------------------------------------------

WELCOME = ({**SILVER, "entry_points": 100}, {**GOLD, "entry_points": 1000})


def test_reaching_a_level_brings_its_points_once(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, *WELCOME)
    order = past.buy("7", "a", "600.00")
    assert points(past) == 600 + 100
    clock.forward(days=400)
    assert (review(past), tier(past), points(past)) == (1, "member", 700)  # lapsed, not undone
    past.buy("7", "b", "600.00")
    assert (tier(past), points(past)) == ("silver", 600 + 100 + 600)
    assert_true(past)
    past.refund(order, "600.00")
    assert points(past) == 100 + 600  # still reached by the other
    assert_true(past)


def test_a_refund_that_undoes_the_level_takes_its_points_back(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, *WELCOME)
    order = past.buy("7", "a", "2100.00")
    assert points(past) == 2100 + 100 + 1000  # the level it passed, too
    clock.forward(hours=1)
    past.refund(order, "200.00")
    assert points(past) == 1900 + 100
    assert_true(past)
    clock.forward(hours=1)
    past.shop.see(replace(order, updated_at=clock.at))  # the refund was deleted at the shop
    assert points(past) == 2100 + 100 + 1000
    assert_true(past)


def test_spent_welcome_points_are_owed_or_let_off(rt: Runtime, clock: Clock) -> None:
    for policy, owed in (("deficit", -100), ("clamp", 0)):
        rules = document(*WELCOME)
        rules["refunds"]["policy"] = policy
        past = make_history(rt, clock, rules)
        order = past.buy("7", "a", "600.00")
        past.adjust(past.member("7"), -100)
        clock.forward(hours=1)
        past.refund(order, "600.00")
        assert points(past) == owed
        assert_true(past)


def test_a_published_version_takes_no_entry_reward_away(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, *WELCOME)
    order = past.buy("7", "a", "600.00")
    publish_program(rt, past.program_id, document(SILVER, GOLD), by="ada")
    clock.forward(hours=1)
    past.buy("7", "b", "1.00")
    assert points(past) == 600 + 100 + 1
    past.refund(order, "600.00")
    assert points(past) == 1
    assert_true(past)


def test_an_entry_reward_goes_over_with_a_merge_and_back(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, *WELCOME)
    past.buy("7", "a", "600.00")
    past.buy("8", "b", "10.00")
    merged = past.merge(past.member("7"), past.member("8"))
    assert merged is not None
    assert points(past) == 600 + 100 + 10
    assert_true(past)
    past.buy("7", "c", "10.00")
    past.undo(merged.merge_id)
    assert_true(past)


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_neither_batches_nor_the_order_of_messages_matter(rt: Runtime, clock: Clock, batch: int) -> None:
    levels = (
        {**SILVER, "from_points": 700, "from_orders": 3, "entry_points": 100},
        {**GOLD, "from_points": 2500, "entry_points": 1000},
        CLUB,
    )
    nine, eight, seven, three = (NOW - timedelta(days=days) for days in (9, 8, 7, 3))
    bought = card("m", placed_at=eight, paid_at=eight, updated_at=eight)
    messages = [
        make_order(order_ref="a", goods=eur("600.00"), placed_at=nine, paid_at=nine),
        bought,
        make_order(order_ref="b", goods=eur("1900.00"), placed_at=seven, paid_at=seven),
        refunded(bought, three),
    ]
    found = set()
    for order in permutations(messages):
        past = make_history(rt, clock, document(*levels))
        past.shop.see(*order, batch=batch)
        found.add((points(past), past.scalar("SELECT count(*) FROM tier_rewards WHERE {fence}")))
        assert_true(past)
    assert found == {(600 + 1900 * 2 + 100 + 1000, 2)}


# --- Measures, windows, steps ------------------------------------------------------------------------------


def test_points_that_a_tier_adds_lift_nobody(rt: Runtime, clock: Clock) -> None:
    silver = {"key": "silver", "name": "Silver", "from_points": 100, "earn_percent": 1000}
    gold = {"key": "gold", "name": "Gold", "from_points": 400, "earn_percent": 1000}
    past = history(rt, clock, silver, gold)
    for ref in "abc":
        past.buy("7", ref, "100.00")
        clock.forward(days=1)
    assert (tier(past), points(past)) == ("silver", 100 + 1000 + 1000)
    way = describe_member(rt, past.program_id, past.member("7")).next_tier
    assert way is not None
    assert (way.reached, way.sentence_in(ENGLISH), way.threshold) == (300, "100 more points to Gold.", None)
    past.buy("7", "d", "100.00")
    assert tier(past) == "gold"
    assert_true(past)


def test_orders_count_while_something_of_them_is_left(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, {"key": "silver", "name": "Silver", "from_orders": 3, "earn_percent": 125})
    first = past.buy("7", "a", "10.00")
    past.buy("7", "b", "10.00")
    past.buy("7", "free", "0.00")
    assert tier(past) == "member"
    past.buy("7", "c", "10.00")
    assert tier(past) == "silver"
    clock.forward(hours=1)
    past.refund(first, "9.00")
    clock.forward(hours=1)
    assert (review(past), tier(past)) == (0, "silver")
    past.refund(first, "10.00")
    clock.forward(hours=1)
    assert (review(past), tier(past)) == (1, "member")
    assert_true(past)


def test_a_calendar_year_holds_till_the_end_of_the_next_in_the_programs_zone(
    rt: Runtime, clock: Clock
) -> None:
    rules = document(SILVER, window="calendar_year")
    rules["timezone"] = "Pacific/Auckland"  # 13 hours ahead in summer
    past = make_history(rt, clock, rules)
    past.buy("7", "a", "600.00")
    clock.at = datetime(2027, 12, 31, 10, 59, tzinfo=UTC)
    assert (review(past), tier(past)) == (0, "silver")
    clock.forward(minutes=1)
    assert (review(past), tier(past)) == (1, "member")
    assert_true(past)


def test_for_life_is_for_life(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, SILVER, window="lifetime")
    order = past.buy("7", "a", "600.00")
    clock.forward(days=3000)
    assert (review(past), tier(past)) == (0, "silver")
    past.refund(order, "600.00")
    clock.forward(hours=1)
    assert (review(past), tier(past)) == (1, "member")


def test_one_step_at_a_time_and_each_holds_a_window(rt: Runtime, clock: Clock) -> None:
    past = history(rt, clock, SILVER, GOLD, downgrade="one_step", grace_days=10)
    past.buy("7", "a", "2100.00")
    clock.at = datetime(2027, 11, 23, 12, tzinfo=UTC)
    assert (review(past), tier(past)) == (0, "gold")  # its grace begins
    clock.forward(days=10)
    assert (review(past), tier(past)) == (1, "silver")
    clock.forward(days=360)
    assert (review(past), tier(past)) == (0, "silver")
    clock.forward(days=10)
    assert (review(past), tier(past)) == (1, "member")
    assert_true(past)
