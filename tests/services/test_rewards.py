"""Rewards at a shop: limits and stock as they are used up and given back, what is listed, what publishing refuses."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from app.db import redemptions
from app.db.redemptions import RedemptionRow
from app.domain.errors import Refused
from app.domain.program import default_document
from app.domain.redeeming import RedemptionState as State
from app.services.cancel_redemption import cancel_redemption
from app.services.check_document import WrongDocument, check_document
from app.services.describe_rewards import describe_rewards
from app.services.list_rewards import RewardView, list_rewards
from app.services.merge_members import merge_members
from app.services.preview_program import preview_program
from app.services.publish_program import live_program, publish_program
from app.services.redeem import RedeemRequest, redeem
from app.services.runtime import Runtime
from tests.conftest import Clock
from tests.factories import after
from tests.services.books import balance, get_member, publish
from tests.services.houses import make_shop
from tests.services.jobs import run_jobs
from tests.services.test_counting import paid
from tests.services.test_settle_orders import Shop

PERK = {"key": "tea", "title": "Tea", "kind": "perk", "cost": 10}


@pytest.fixture
def shop(rt: Runtime, program_id: int) -> Shop:
    return Shop(rt, program_id)


def member(shop: Shop, ref: str = "7", goods: str = "1000.00") -> int:
    shop.see(paid(ref, goods, after(days=1), customer_ref=ref))
    return get_member(shop.rt, shop.program_id, shop.shop.shop_id, ref)


def offer(shop: Shop, *rewards: Mapping[str, Any]) -> None:
    publish(shop.rt, shop.program_id, rewards=list(rewards))


def take(
    shop: Shop, member_id: int, key: str, reward: str = "tea", points: int | None = None
) -> RedemptionRow:
    request = RedeemRequest(
        program_id=shop.program_id,
        member_id=member_id,
        shop_id=shop.shop.shop_id,
        reward_key=reward,
        request_key=key,
        actor="shopper",
        points=points,
    )
    return redeem(shop.rt, request)


def refusal(shop: Shop, member_id: int, key: str, reward: str = "tea", points: int | None = None) -> str:
    with pytest.raises(Refused) as refused:
        take(shop, member_id, key, reward, points)
    return refused.value.code


def seen(shop: Shop, member_id: int | None = None, reward: str = "tea") -> RewardView:
    found = list_rewards(shop.rt, shop.program_id, member_id=member_id, shop_id=shop.shop.shop_id)
    return next(one for one in found if one.key == reward)


def give_back(shop: Shop, row: RedemptionRow) -> None:
    cancel_redemption(shop.rt, shop.program_id, row.redemption_id)
    run_jobs(shop.rt, shop.program_id)


# --- Limits and stock --------------------------------------------------------------------------------------


def test_a_limit_holds_until_its_time_is_over_and_what_is_given_back_makes_room(
    shop: Shop, clock: Clock
) -> None:
    offer(shop, {**PERK, "limits": [{"times": 2, "per": "month"}]})
    alice, bob = member(shop, "7"), member(shop, "8")
    first = take(shop, alice, "1")
    take(shop, alice, "2")
    assert refusal(shop, alice, "3") == "limit_reached"
    take(shop, bob, "1")
    give_back(shop, first)
    take(shop, alice, "4")
    assert refusal(shop, alice, "5") == "limit_reached"
    assert balance(shop.rt, shop.program_id, alice).available == 980
    clock.forward(days=31)
    take(shop, alice, "6")


@pytest.mark.parametrize(
    ("state", "has_room"),
    [
        (State.REQUESTED, False),
        (State.ISSUED, False),
        (State.USED, False),
        (State.CANCELLING, False),
        (State.CANCELLED, True),
        (State.EXPIRED, True),
        (State.FAILED, True),
    ],
)
def test_only_what_was_given_back_makes_room(shop: Shop, state: State, has_room: bool) -> None:
    offer(shop, {**PERK, "limits": [{"times": 1, "per": "member"}], "stock": 1})
    alice, bob = member(shop, "7"), member(shop, "8")
    bought = take(shop, alice, "1")
    with shop.rt.db.begin(shop.program_id) as session:
        redemptions.update_redemption(session, bought.redemption_id, state=state.value)
    if has_room:
        assert seen(shop, alice).state.value == "ready"
        take(shop, alice, "2")
    else:
        assert refusal(shop, bob, "1") == "sold_out"
        assert (seen(shop, bob).barrier, seen(shop, bob).left) == ("sold_out", 0)


def test_a_limit_counts_what_both_had_who_became_one(shop: Shop) -> None:
    offer(shop, {**PERK, "limits": [{"times": 2, "per": "member"}]})
    alice, other = member(shop, "7"), member(shop, "8")
    take(shop, alice, "1")
    take(shop, other, "1")
    with shop.rt.db.begin(shop.program_id) as session:
        merge_members(session, shop.rt.vault, alice, other, cause="staff", actor="ada", now=shop.rt.now())
    assert refusal(shop, alice, "2") == "limit_reached"
    assert seen(shop, alice).reason == "Had twice, as often as it can be had"


def test_stock_is_the_programs_over_all_versions_and_shops(shop: Shop) -> None:
    offer(shop, {**PERK, "stock": 2})
    alice = member(shop)
    take(shop, alice, "1")
    assert seen(shop, alice).left == 1
    offer(shop, {**PERK, "title": "Green tea", "stock": 2})
    take(shop, alice, "2")
    assert refusal(shop, alice, "3") == "sold_out"
    offer(shop, {**PERK, "stock": 3})
    take(shop, alice, "4")
    assert seen(shop).left == 0


def test_the_same_click_again_is_no_second_one(shop: Shop) -> None:
    offer(shop, {**PERK, "limits": [{"times": 1, "per": "day"}], "stock": 1})
    alice = member(shop)
    assert take(shop, alice, "1").redemption_id == take(shop, alice, "1").redemption_id


# --- What is bought ----------------------------------------------------------------------------------------


def test_any_number_of_points_in_steps(shop: Shop) -> None:
    offer(shop, {"key": "any", "kind": "amount", "steps": {"points": 50, "amount_minor": 250}})
    alice = member(shop)
    view = seen(shop, alice, "any")
    assert (view.title, view.cost, view.state.value) == ("€2.50 off for every 50 points", 50, "ready")
    assert refusal(shop, alice, "1", "any") == "bad_points"
    assert refusal(shop, alice, "1", "any", 75) == "bad_points"
    bought = take(shop, alice, "1", "any", 350)
    assert (bought.bought.title, bought.bought.cost) == ("€17.50 off", 350)
    assert refusal(shop, alice, "1", "any", 300) == "key_reused"
    assert balance(shop.rt, shop.program_id, alice).available == 650


def test_a_code_has_the_rewards_prefix_and_lives_as_long_as_it_says(shop: Shop) -> None:
    five = {"kind": "amount", "cost": 100, "amount_minor": 500, "prefix": "VIP", "code_days": 7}
    card = {"kind": "gift_card", "cost": 100, "amount_minor": 500, "prefix": "XMAS"}
    offer(shop, {"key": "five", **five}, {"key": "card", **card})
    alice = member(shop)
    code, card_row = take(shop, alice, "1", "five"), take(shop, alice, "2", "card")
    assert code.code.startswith("VIP-")
    assert code.expires_at - code.requested_at < timedelta(days=8)
    assert (card_row.code[:4], len(card_row.code), card_row.code.isalnum()) == ("XMAS", 20, True)
    assert card_row.expires_at - card_row.requested_at > timedelta(days=89)


def test_a_reward_of_another_shop_is_not_to_be_had_here(shop: Shop) -> None:
    sister = make_shop(shop.rt, shop.program_id, currency="EUR")
    offer(shop, {**PERK, "shops": [sister.key]})
    alice = member(shop)
    assert refusal(shop, alice, "1") == "reward_elsewhere"
    assert (seen(shop, alice).barrier, seen(shop, alice).reason) == (
        "reward_elsewhere",
        "Not to be had at this shop",
    )


# --- Publishing --------------------------------------------------------------------------------------------


def document(*rewards: Mapping[str, Any]) -> dict[str, Any]:
    return default_document("Sprig", "EUR", "UTC") | {"rewards": list(rewards)}


def faults(shop: Shop, *rewards: Mapping[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(WrongDocument) as wrong:
        publish_program(shop.rt, shop.program_id, document(*rewards), by="ada")
    with pytest.raises(WrongDocument) as tried:
        preview_program(shop.rt, shop.program_id, document(*rewards))
    assert tried.value.faults == wrong.value.faults
    return wrong.value.faults


BESIDE = {"key": "beside", "kind": "amount", "cost": 100, "amount_minor": 500, "combines": ["shipping"]}
ALL_OR_NONE = (
    "A WooCommerce coupon combines with all other coupons or with none: "
    "name order, product and shipping, or leave it out."
)
MOST = {"key": "most", "kind": "percent", "cost": 100, "percent": 10, "maximum_minor": 2000}


def test_what_a_shop_cannot_make_exactly_is_not_published(shop: Shop) -> None:
    told = faults(shop, PERK, BESIDE, MOST)
    name = shop.shop.key
    assert [field for field, _ in told] == ["rewards[1]", "rewards[2]"]
    assert told[0][1].startswith(f"“beside” cannot be had at {name}. {ALL_OR_NONE}")
    assert told[1][1].startswith(f"“most” cannot be had at {name}. WooCommerce’s percentage coupons")


def test_it_is_published_for_the_shop_that_can(shop: Shop) -> None:
    other = make_shop(shop.rt, shop.program_id, platform="shopify", currency="EUR")
    ((_, told),) = faults(shop, BESIDE)
    assert "name in" in told
    assert publish_program(shop.rt, shop.program_id, document({**BESIDE, "shops": [other.key]}), by="ada")
    assert [one.impossible for one in list_rewards(shop.rt, shop.program_id)] == [()]


def test_a_shop_that_is_not_there_is_named(shop: Shop) -> None:
    ((field, told),) = faults(shop, {**PERK, "shops": ["nowhere"]})
    assert (field, told) == ("rewards[0].shops", f"there is no shop “nowhere”; there are {shop.shop.key}")


def test_a_shop_that_came_later_and_cannot_make_it_says_so_and_takes_no_points(shop: Shop) -> None:
    offer(shop, BESIDE)  # as if it had been published before that shop was connected
    alice = member(shop)
    assert refusal(shop, alice, "1", "beside") == "not_at_this_shop"
    view = seen(shop, alice, "beside")
    assert (view.state.value, view.barrier) == ("locked", "not_at_this_shop")
    (whole,) = list_rewards(shop.rt, shop.program_id)
    assert whole.impossible == (f"{shop.shop.key}: {ALL_OR_NONE}",)
    assert balance(shop.rt, shop.program_id, alice).available == 1000


@pytest.mark.parametrize(
    ("reward", "field", "told"),
    [
        ({"kind": "amount", "cost": 5}, "rewards[0]", "'amount_minor' is a required property"),
        ({"kind": "amount", "amount_minor": 500}, "rewards[0]", "'cost' is a required property"),
        (
            {"kind": "amount", "cost": 5, "steps": {"points": 5, "amount_minor": 5}},
            "rewards[0].cost",
            "5 does not go with the fields beside it: leave it out",
        ),
        (
            {"kind": "percent", "percent": 5, "steps": {"points": 5, "amount_minor": 5}},
            "rewards[0].kind",
            "'percent' is not one of ['amount', 'store_credit', 'gift_card']",
        ),
        (
            {"kind": "free_shipping", "cost": 5, "maximum_minor": 5},
            "rewards[0].maximum_minor",
            "leave it out",
        ),
        ({"kind": "product", "cost": 5, "title": "Cup"}, "rewards[0]", "'gifts' is a required property"),
        ({"kind": "perk", "cost": 5}, "rewards[0]", "'title' is a required property"),
        (
            {"kind": "perk", "cost": 5, "title": "Tea", "combines": ["order"]},
            "rewards[0].combines",
            "leave it out",
        ),
        ({"kind": "perk", "cost": 5, "title": "Tea", "prefix": "VIP"}, "rewards[0].prefix", "leave it out"),
        (
            {"kind": "gift_card", "cost": 5, "amount_minor": 5, "prefix": "NOEL5"},
            "rewards[0].prefix",
            "is too long",
        ),
        (
            {"kind": "amount", "steps": {"points": 50, "amount_minor": 5, "maximum_points": 75}},
            "rewards[0].steps.maximum_points",
            "75 is no multiple of the step of 50",
        ),
        (
            {
                "kind": "amount",
                "steps": {"points": 5, "amount_minor": 5, "minimum_points": 50, "maximum_points": 25},
            },
            "rewards[0].steps.maximum_points",
            "it lies below the least that can be spent",
        ),
        (
            {"kind": "amount", "steps": {"points": 1, "amount_minor": 10**6, "maximum_points": 10**6}},
            "rewards[0].steps.maximum_points",
            "it comes to 1000000000000, and 1000000000 is the most",
        ),
        (
            {**PERK, "limits": [{"times": 1, "per": "day"}, {"times": 2, "per": "day"}]},
            "rewards[0].limits",
            "two have per “day”",
        ),
        (
            {**PERK, "during": {"starts": "2026-03-02", "ends": "2026-03-01"}},
            "rewards[0].during.ends",
            "it ends before it starts",
        ),
        ({**PERK, "tier": "gilt"}, "rewards[0].tier", "there is no tier “gilt”"),
        (
            {"kind": "product", "cost": 5, "title": "Cup", "gifts": {"a": {"product": "1"}}, "shops": ["b"]},
            "rewards[0].shops",
            "“b” is named, and gifts says nothing of it",
        ),
    ],
)
def test_a_wrong_reward_is_told_by_its_field(reward: Mapping[str, Any], field: str, told: str) -> None:
    with pytest.raises(WrongDocument) as wrong:
        check_document(document({"key": "it", **reward}))
    assert [(name, told in text) for name, text in wrong.value.faults] == [(field, True)], wrong.value.faults


def test_conditions_are_told_in_plain_words(rt: Runtime, program_id: int) -> None:
    shop = make_shop(rt, program_id, currency="EUR")
    reward = {
        "key": "five",
        "kind": "amount",
        "steps": {"points": 50, "amount_minor": 250, "maximum_points": 500},
        "tier": "silver",
        "minimum_spend_minor": 3000,
        "shops": [shop.key],
        "stock": 40,
        "prefix": "VIP",
        "during": {"starts": "2026-12-01", "ends": "2026-12-25"},
        "limits": [{"times": 1, "per": "month"}, {"times": 5, "per": "year"}],
        "combines": ["order", "product", "shipping"],
    }
    publish_program(rt, program_id, document(reward, PERK), by="ada")
    words = describe_rewards(live_program(rt, program_id))
    assert [one.replace("\u00a0", " ") for one in words["five"]] == [
        "from Silver",
        "from 50 points to 500 points, in steps of 50",
        "orders from €30.00",
        f"only at {shop.key}",
        "from 1 December 2026, through 24 December 2026",
        "once a month",
        "5 times a year",
        "40 in all",
        "beside order, product and shipping discounts",
        "codes begin with VIP",
    ]
    assert words["tea"] == []
