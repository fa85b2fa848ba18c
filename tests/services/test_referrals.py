"""A friend's first order rewards both sides: after its hold, once, never one and the same person; and taken back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from app.db.session import Session
from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.orders import OrderState
from app.services.block_member import block_member
from app.services.erase_member import erase_member
from app.services.export_member import export_member
from app.services.find_member import ById
from app.services.find_merges import join_members, part_members
from app.services.refer_friend import refer_friend, referral_code
from app.services.runtime import Runtime
from app.services.undo_activity import undo_activity
from tests.conftest import NOW, Clock
from tests.factories import make_refund
from tests.services.books import entries, meet, publish
from tests.services.crowd import REFERRAL, Crowd, bought, make_crowd

LATER = NOW + timedelta(hours=1)


def make(rt: Runtime, *, earn: Any = None, **referral: Any) -> Crowd:
    return make_crowd(rt, activities=[], earn=earn, referral={**REFERRAL, **referral})


@pytest.fixture
def crowd(rt: Runtime) -> Crowd:
    return make(rt)


def pair(crowd: Crowd) -> tuple[int, int]:
    """(Ann, and Ben whom she brought)."""
    ann, ben = crowd.member("ann"), crowd.member("ben")
    crowd.bring(ann, ben)
    return ann, ben


def test_both_sides_are_rewarded_for_the_friends_first_order_alone(crowd: Crowd) -> None:
    ann, ben = pair(crowd)
    assert (crowd.has(ann), crowd.has(ben)) == (0, 0)
    assert crowd.why(ann, "referral") == "waits"
    crowd.see(bought("ben"))
    assert (crowd.has(ann), crowd.has(ben)) == (200, 30 + 100)
    crowd.see(bought("ben", ref="2"))
    crowd.see(bought("ben"))
    assert (crowd.has(ann), crowd.has(ben)) == (200, 60 + 100)
    crowd.require_proof()


def test_what_a_friend_bought_is_not_told_to_who_brought_them(crowd: Crowd) -> None:
    ann, ben = pair(crowd)
    crowd.see(bought("ben", ref="814"))
    (hers,) = entries(crowd.rt, crowd.program_id, ann)
    assert "814" not in str(hers.facts)
    assert any(one.facts.get("order") == "#814" for one in entries(crowd.rt, crowd.program_id, ben))


def test_points_wait_until_the_orders_hold_is_over(rt: Runtime, clock: Clock) -> None:
    crowd = make(rt, earn={"hold_days": 14})
    ann, ben = pair(crowd)
    crowd.see(bought("ben"))
    assert (crowd.pending(ann), crowd.pending(ben)) == (200, 130)
    clock.forward(days=14, hours=1)
    assert (crowd.pending(ann), crowd.has(ann)) == (0, 200)
    crowd.require_proof()


VOID: dict[str, dict[str, Any]] = {
    "cancelled": {"state": OrderState.CANCELLED, "cancelled_at": LATER},
    "gone": {"state": OrderState.GONE},
    "unpaid": {"state": OrderState.OPEN, "paid_at": None},
    "refunded below the minimum": {"refunds": (make_refund("10.01", refunded_at=LATER),)},
    "refunded": {"refunds": (make_refund("30.00", refunded_at=LATER),)},
}


# The field's abuse: a friend orders, both are rewarded, and the friend sends it all back.
@pytest.mark.parametrize("how", VOID)
def test_a_first_order_that_does_not_stand_takes_both_sides_back(crowd: Crowd, how: str) -> None:
    ann, ben = pair(crowd)
    crowd.see(bought("ben"))
    crowd.see(bought("ben", updated_at=LATER, **VOID[how]))
    assert crowd.has(ann) == 0
    assert [one.points for one in entries(crowd.rt, crowd.program_id, ann)] == [200, -200]
    his = entries(crowd.rt, crowd.program_id, ben)
    assert [one.points for one in his if one.facts["rule"] == "referral"] == [100, -100]
    crowd.require_proof()
    crowd.see(bought("ben", updated_at=LATER + timedelta(hours=1)), reread=True)  # it stands after all
    assert crowd.has(ann) == 200
    crowd.require_proof()


def test_a_refund_that_leaves_the_minimum_takes_nothing_back(crowd: Crowd) -> None:
    ann, _ = pair(crowd)
    refund = make_refund("10.00", refunded_at=LATER)
    crowd.see(bought("ben"), bought("ben", updated_at=LATER, refunds=(refund,)))
    assert crowd.has(ann) == 200
    crowd.require_proof()


def test_a_first_order_below_the_minimum_is_the_first_all_the_same(crowd: Crowd) -> None:
    ann, _ = pair(crowd)
    crowd.see(bought("ben", "19.99"), bought("ben", "80.00", ref="2"))
    assert (crowd.has(ann), crowd.why(ann, "referral")) == (0, "below_minimum")
    crowd.require_proof()


def test_the_minimum_is_of_the_programs_money(rt: Runtime) -> None:
    crowd = make_crowd(
        rt, activities=[], referral=REFERRAL, currencies={"JPY": {"spend_minor": 100, "program_minor": 65}}
    )
    ann, _ = pair(crowd)
    crowd.see(replace(bought("ben"), goods=Money(3076, "JPY")))
    assert crowd.why(ann, "referral") == "below_minimum"
    crowd.see(replace(bought("ben", updated_at=LATER), goods=Money(3077, "JPY")))
    assert crowd.has(ann) == 200
    crowd.require_proof()


def test_however_the_messages_come_the_end_is_the_same(rt: Runtime) -> None:
    told = [
        bought("ben", ref="1"),
        bought("ben", ref="1", updated_at=LATER, refunds=(make_refund("25.00", refunded_at=LATER),)),
        bought("ben", ref="2", at=NOW + timedelta(minutes=5)),
    ]
    ends = set()
    for order in permutations(told):
        crowd = make(rt)
        ann, ben = pair(crowd)
        for one in order:
            crowd.see(one)
        ends.add((crowd.has(ann), crowd.has(ben), crowd.why(ann, "referral")))
        crowd.require_proof()
    assert ends == {(0, 5 + 30, "below_minimum")}


def test_an_order_from_before_the_friend_was_brought_learnt_late_takes_it_back(
    crowd: Crowd, clock: Clock
) -> None:
    ann, _ = pair(crowd)
    crowd.see(bought("ben"))
    crowd.see(bought("ben", ref="0", at=NOW - timedelta(days=3)))
    assert (crowd.has(ann), crowd.why(ann, "referral")) == (0, "not_new")
    crowd.require_proof()


def test_an_order_that_turns_out_to_be_anothers_moves_nothing_to_them(crowd: Crowd) -> None:
    ann, ben = pair(crowd)
    crowd.see(bought("ben"))
    crowd.see(bought("carl", updated_at=LATER))
    assert (crowd.has(ann), crowd.has(ben), crowd.points("carl")) == (0, 0, 30)
    crowd.require_proof()


def test_a_guest_order_that_the_friend_claims_is_their_first(crowd: Crowd) -> None:
    ann, ben = pair(crowd)
    crowd.see(bought(None, email="ben@example.test"))
    meet(crowd.rt, crowd.program_id, crowd.shop.shop_id, "ben", "ben@example.test")
    assert (crowd.has(ann), crowd.has(ben)) == (200, 130)
    crowd.require_proof()


# --- Who may be brought ------------------------------------------------------------------------------------


def refused(crowd: Crowd, referrer: int, friend: int) -> str:
    with pytest.raises(Refused) as error:
        crowd.bring(referrer, friend)
    return error.value.code


# And: people bring themselves under a second account.
def test_nobody_brings_themselves(crowd: Crowd) -> None:
    ann = crowd.member("ann")
    assert refused(crowd, ann, ann) == "self_referral"
    for ref in ("ann", "anna"):
        meet(crowd.rt, crowd.program_id, crowd.shop.shop_id, ref, "ann@example.test", verified=False)
    assert refused(crowd, ann, crowd.member("anna")) == "self_referral"


def test_nor_where_the_address_shows_only_before_the_order(crowd: Crowd) -> None:
    ann, ben = pair(crowd)
    for ref in ("ann", "ben"):
        meet(crowd.rt, crowd.program_id, crowd.shop.shop_id, ref, "same@example.test", verified=False)
    crowd.see(bought("ben"))
    assert (crowd.has(ann), crowd.has(ben)) == (0, 30)
    assert crowd.why(ben, "referral") == "same_person"
    crowd.require_proof()
    erase_member(crowd.rt, crowd.program_id, ben)  # the address is gone, the decision is not
    crowd.see(bought("ben", updated_at=LATER))
    assert crowd.has(ann) == 0
    crowd.require_proof()


def test_two_sides_that_are_made_one_lose_both_and_the_undo_gives_them_back(crowd: Crowd) -> None:
    ann, ben = pair(crowd)
    crowd.see(bought("ben"))
    merged = join_members(crowd.rt, crowd.program_id, ann, ben, actor="Ada")
    assert crowd.has(ann) == 30
    crowd.require_proof()
    part_members(crowd.rt, crowd.program_id, merged.merge_id)
    assert (crowd.has(ann), crowd.has(ben)) == (200, 130)
    crowd.require_proof()


def test_made_one_before_the_order_they_never_get_it(crowd: Crowd) -> None:
    ann, ben = pair(crowd)
    join_members(crowd.rt, crowd.program_id, ann, ben, actor="Ada")
    crowd.see(bought("ben"))
    assert crowd.has(ann) == 30
    crowd.require_proof()


def test_a_friend_who_turns_out_to_be_an_old_customer_is_no_new_one(crowd: Crowd) -> None:
    ann, ben = pair(crowd)
    crowd.see(bought("ben"), bought("carl", ref="2", at=NOW - timedelta(days=9)))
    assert crowd.has(ann) == 200
    merged = join_members(crowd.rt, crowd.program_id, crowd.known("carl"), ben, actor="Ada")
    assert crowd.has(ann) == 0
    crowd.require_proof()
    part_members(crowd.rt, crowd.program_id, merged.merge_id)
    assert crowd.has(ann) == 200
    crowd.require_proof()


def test_two_friends_who_are_one_person_are_one_friend(crowd: Crowd) -> None:
    ann, ben = pair(crowd)
    benny = crowd.member("benny")
    crowd.bring(ann, benny)
    crowd.see(bought("ben"), bought("benny", ref="2"))
    assert crowd.has(ann) == 400
    join_members(crowd.rt, crowd.program_id, ben, benny, actor="Ada")
    assert (crowd.has(ann), crowd.has(ben)) == (200, 60 + 100)
    crowd.require_proof()


def test_who_has_ordered_cannot_be_brought(crowd: Crowd) -> None:
    crowd.see(bought("ben"))
    assert refused(crowd, crowd.member("ann"), crowd.known("ben")) == "not_new"


def test_nor_who_was_erased_and_comes_back(crowd: Crowd) -> None:
    ann, ben = pair(crowd)
    crowd.see(bought("ben"))
    erase_member(crowd.rt, crowd.program_id, ben)
    assert refused(crowd, ann, crowd.member("ben", asked=True)) == "not_new"
    assert crowd.has(ann) == 200


def test_a_friend_is_brought_once(crowd: Crowd) -> None:
    ann, ben = pair(crowd)
    assert crowd.bring(ann, ben).is_new is False
    assert refused(crowd, crowd.member("carl"), ben) == "already_referred"


def test_a_code_is_read_however_it_is_typed_and_leads_to_whom_its_owner_became(crowd: Crowd) -> None:
    dora, ann, ben = crowd.member("dora"), crowd.member("ann"), crowd.member("ben")
    code = referral_code(crowd.rt, crowd.program_id, ann)
    assert (len(code), referral_code(crowd.rt, crowd.program_id, ann)) == (16, code)
    join_members(crowd.rt, crowd.program_id, dora, ann, actor="Ada")
    typed = f" {code[:4].lower()}-{code[4:].replace('0', 'o').replace('1', 'l')} "
    refer_friend(crowd.rt, crowd.program_id, typed, ById(ben), actor="shopper")
    crowd.see(bought("ben"))
    assert crowd.has(dora) == 200
    with pytest.raises(Refused, match="Nobody has this code"):
        refer_friend(crowd.rt, crowd.program_id, "nonsense", ById(ben), actor="shopper")
    crowd.require_proof()


def test_a_code_is_erased_with_its_owner_who_gets_nothing_any_more(crowd: Crowd) -> None:
    ann, ben = pair(crowd)
    code = referral_code(crowd.rt, crowd.program_id, ann)
    erase_member(crowd.rt, crowd.program_id, ann)
    assert crowd.scalar("SELECT count(referral_code) FROM members WHERE {fence}") == 0
    with pytest.raises(Refused, match="Nobody has this code"):
        refer_friend(crowd.rt, crowd.program_id, code, ById(crowd.member("carl")), actor="shopper")
    crowd.see(bought("ben"))
    assert (crowd.has(ann), crowd.has(ben)) == (0, 130)
    assert crowd.why(ann, "referral") == "gone"
    crowd.require_proof()


def test_a_program_without_referrals_takes_none(rt: Runtime) -> None:
    crowd = make_crowd(rt)
    assert refused(crowd, crowd.member("ann"), crowd.member("ben")) == "no_referrals"


# --- Limits, versions, blocks, undo ------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 500])
def test_no_more_friends_than_the_limit_and_the_friends_get_theirs_all_the_same(
    rt: Runtime, batch: int
) -> None:
    crowd = make(rt, limit={"times": 2, "per": "month"})
    ann = crowd.member("ann")
    friends = [crowd.member(f"friend-{number}") for number in range(3)]
    for one in friends:
        crowd.bring(ann, one)
    told = [
        bought(f"friend-{number}", ref=str(number), at=NOW + timedelta(minutes=number + 1))
        for number in range(3)
    ]
    crowd.see(*told, batch=batch)
    assert crowd.has(ann) == 400
    assert [crowd.has(one) for one in friends] == [130, 130, 130]
    crowd.require_proof()
    # Room that a refund makes is for later friends only.
    crowd.see(bought("friend-0", ref="0", updated_at=LATER, state=OrderState.CANCELLED, cancelled_at=LATER))
    assert crowd.has(ann) == 200
    crowd.bring(ann, crowd.member("late"))
    crowd.see(bought("late", ref="9", at=LATER + timedelta(hours=1)))
    assert crowd.has(ann) == 400
    crowd.require_proof()


def test_a_referral_keeps_the_rule_under_which_the_friend_was_brought(crowd: Crowd, clock: Clock) -> None:
    ann, _ = pair(crowd)
    clock.forward(minutes=10)
    publish(crowd.rt, crowd.program_id, referral={**REFERRAL, "referrer_points": 5})
    crowd.see(bought("ben", at=clock.at))
    assert crowd.has(ann) == 200
    crowd.require_proof()


def test_a_blocked_referrer_gets_nothing_and_the_friend_does(crowd: Crowd, clock: Clock) -> None:
    ann, ben = pair(crowd)
    block_member(crowd.rt, crowd.program_id, ann, reason="fraud", actor="Ada")
    crowd.see(bought("ben"))
    assert (crowd.has(ann), crowd.has(ben)) == (0, 130)
    assert crowd.why(ann, "referral") == "blocked"
    assert refused(crowd, ann, crowd.member("carl")) == "blocked"
    crowd.require_proof()


def test_staff_takes_a_referral_back_on_both_sides(crowd: Crowd) -> None:
    ann, ben = pair(crowd)
    crowd.see(bought("ben"))
    hers = crowd.scalar("SELECT id FROM activities WHERE {fence} AND kind = 'referrer'")
    undo_activity(crowd.rt, crowd.program_id, hers, reason="They are a couple", actor="Ada")
    crowd.see(bought("ben", updated_at=LATER))
    assert (crowd.has(ann), crowd.has(ben)) == (0, 30)
    crowd.require_proof()


def test_a_referral_is_handed_over_with_everything_else(crowd: Crowd) -> None:
    ann, _ = pair(crowd)
    crowd.see(bought("ben"))
    handed = export_member(crowd.rt, crowd.program_id, ann)
    assert handed["referral_code"] == referral_code(crowd.rt, crowd.program_id, ann)
    assert [one["because"] for one in handed["activities"]] == ["A friend’s first order: 200 points."]


TELL: list[Callable[[Crowd], object]] = [
    lambda crowd: crowd.see(bought("ann")),
    lambda crowd: crowd.see(bought("ann"), bought("ben", ref="2")),
]


@pytest.mark.parametrize("tell", TELL)
def test_without_a_rule_a_batch_asks_nothing_of_referrals(
    rt: Runtime, tell: Callable[[Crowd], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = make_crowd(rt, activities=[])
    asked: list[str] = []
    plain = Session.run

    def watched(self: Session, sql: str, *args: Any, **named: Any) -> Any:
        asked.append(sql)
        return plain(self, sql, *args, **named)

    monkeypatch.setattr(Session, "run", watched)
    tell(crowd)
    assert asked
    assert [sql for sql in asked if any(word in sql for word in ("activities", "referrals", "blocks"))] == []
