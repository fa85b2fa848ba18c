"""Signs of abuse: each is noticed, honest people are not; points wait and are never taken; decisions and their undo."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.errors import Refused
from app.domain.orders import OrderState
from app.services.block_member import unblock_member
from app.services.decide_review import decide_review, undo_review
from app.services.describe_member import describe_member
from app.services.erase_member import erase_member
from app.services.expire_lots import expire_lots
from app.services.export_member import export_member
from app.services.find_merges import join_members, part_members
from app.services.list_reviews import ReviewView, list_reviews
from app.services.look_for_abuse import look_for_abuse
from app.services.runtime import Runtime
from app.services.spared_accounts import GRACE
from tests.conftest import NOW, Clock, unique
from tests.factories import make_refund
from tests.services.books import meet, publish, read_until
from tests.services.crowd import REFERRAL, REVIEW, SIGN_UP, Crowd, bought, make_crowd

VISIT = {"key": "visit", "name": "Visit", "kind": "custom", "points": 5}
OFF: dict[str, Any] = {"action": "off"}
KINDS = (
    "orders",
    "redemptions",
    "activities",
    "self_referral",
    "sign_ups",
    "refunds",
    "spent_then_refunded",
)


def crowd_looking_for(rt: Runtime, **signals: Any) -> Crowd:
    """A program that looks for these, and for nothing else."""
    review = {kind: signals.get(kind, OFF) for kind in KINDS}
    return make_crowd(rt, activities=[SIGN_UP, VISIT], referral=REFERRAL, review=review)


def look(crowd: Crowd) -> int:
    return look_for_abuse(crowd.rt, crowd.program_id)


def queue(crowd: Crowd) -> list[ReviewView]:
    return list_reviews(crowd.rt, crowd.program_id)


def decide(crowd: Crowd, review_id: int, *, allow: bool) -> None:
    decide_review(crowd.rt, crowd.program_id, review_id, allow=allow, reason="I looked", actor="Ada")


def undo(crowd: Crowd, review_id: int) -> None:
    undo_review(crowd.rt, crowd.program_id, review_id, reason="I looked again", actor="Ben")


def is_held(crowd: Crowd, member_id: int) -> bool:
    return describe_member(crowd.rt, crowd.program_id, member_id).held_at is not None


def visitor(crowd: Crowd, name: str = "ann", *, goods: str = "500.00", visits: int = 3) -> int:
    """Has points, and did too much today."""
    crowd.see(bought(name, goods))
    member_id = crowd.known(name)
    for number in range(visits):
        crowd.did(member_id, "visit", unique(f"visit-{number}"))
    return member_id


@pytest.fixture
def visits(rt: Runtime) -> Crowd:
    """Two activities a day are usual, and more are held."""
    return crowd_looking_for(rt, activities={"more_than": 2})


# --- What is noticed -------------------------------------------------------------------------------------------


def test_many_redemptions_are_held_in_the_moment_and_nothing_is_taken(rt: Runtime) -> None:
    crowd = crowd_looking_for(rt, redemptions={"more_than": 2, "action": "hold"})
    crowd.see(bought("ann", "1000.00"))
    ann = crowd.known("ann")
    for _ in range(3):
        crowd.spend(ann)
    for _ in range(2):
        with pytest.raises(Refused, match="being checked") as refused:
            crowd.spend(ann)
        assert refused.value.code == "being_checked"
    (found,) = queue(crowd)
    assert (found.member.member_id, crowd.has(ann), is_held(crowd, ann)) == (ann, 1050 - 300, True)
    assert found.sentences == ("3 rewards bought within 24 hours. More than 2 are looked at.",)
    crowd.require_proof()


def test_many_activities_are_held_before_the_hour_is_over(visits: Crowd) -> None:
    ann = visitor(visits)
    with pytest.raises(Refused, match="being checked"):
        visits.spend(ann)
    assert look(visits) == 0  # one review, whoever noticed
    assert [one.held_at for one in queue(visits)] == [visits.rt.now()]


def test_what_is_only_watched_stops_nothing(rt: Runtime) -> None:
    crowd = crowd_looking_for(rt, orders={"more_than": 2})
    for number in range(3):
        crowd.see(bought("ann", "100.00", ref=str(number), at=NOW))
    assert look(crowd) == 1
    ann = crowd.known("ann")
    crowd.spend(ann)
    (found,) = queue(crowd)
    assert (found.held_at, is_held(crowd, ann)) == (None, False)
    assert found.sentences == ("3 orders that earn within 24 hours. More than 2 are looked at.",)


def test_who_brings_their_own_mailbox_is_held_on_both_sides(rt: Runtime) -> None:
    crowd = crowd_looking_for(rt, self_referral={})
    ann, other, friend = crowd.member("ann"), crowd.member("other"), crowd.member("friend")
    meet(rt, crowd.program_id, crowd.shop.shop_id, "ann", "ann.jones@gmail.com")
    meet(rt, crowd.program_id, crowd.shop.shop_id, "other", "AnnJones+two@googlemail.com")
    meet(rt, crowd.program_id, crowd.shop.shop_id, "friend", "ben@example.com")
    crowd.bring(ann, friend)
    assert look(crowd) == 0
    crowd.bring(ann, other)
    assert look(crowd) == 2
    assert [is_held(crowd, one) for one in (ann, other, friend)] == [True, True, False]
    assert f"member {other}," in queue(crowd)[0].sentences[0]


def test_many_spellings_of_one_mailbox_are_held_and_one_address_at_many_shops_is_not(rt: Runtime) -> None:
    crowd = crowd_looking_for(rt, sign_ups={"more_than": 2})
    for number in range(4):
        crowd.member(f"honest-{number}")
        email = "bea@example.com"
        meet(rt, crowd.program_id, crowd.shop.shop_id, f"honest-{number}", email, verified=False)
    for number in range(2):
        crowd.member(f"odd-{number}")
        meet(rt, crowd.program_id, crowd.shop.shop_id, f"odd-{number}", f"bo+{number}@example.com")
    assert look(crowd) == 0
    third = crowd.member("odd-2")
    meet(rt, crowd.program_id, crowd.shop.shop_id, "odd-2", "bo@example.com")
    assert look(crowd) == 3
    assert {one.member.member_id for one in queue(crowd)} == {
        crowd.known("odd-0"),
        crowd.known("odd-1"),
        third,
    }
    assert queue(crowd)[0].sentences == (
        "3 spellings of one mailbox joined within 30 days. More than 2 are looked at.",
    )


def test_the_newcomer_of_a_known_mailbox_is_held_when_they_spend(rt: Runtime) -> None:
    crowd = crowd_looking_for(rt, sign_ups={"more_than": 1})
    crowd.see(bought("one", "200.00"), bought("two", "200.00", ref="2"))
    for name in ("one", "two"):
        meet(rt, crowd.program_id, crowd.shop.shop_id, name, f"bo+{name}@example.com")
    with pytest.raises(Refused, match="being checked"):
        crowd.spend(crowd.known("two"))


def test_who_gives_nearly_everything_back_is_seen_and_who_gives_half_back_is_not(rt: Runtime) -> None:
    crowd = crowd_looking_for(rt, refunds={"more_than": 2, "percent": 60})
    for name, kept in (("ann", 1), ("ben", 4)):
        for number in range(3 + kept):
            ref = f"{name}-{number}"
            back = () if number < kept else (make_refund("30.00", f"r-{ref}"),)
            crowd.see(bought(name, "30.00", ref=ref, at=NOW, refunds=back))
    assert look(crowd) == 1
    (found,) = queue(crowd)
    assert found.member.member_id == crowd.known("ann")
    assert found.sentences == ("3 of 4 orders given back whole within 90 days. More than 2 are looked at.",)


def test_points_spent_and_the_order_given_back_again_and_again(rt: Runtime, clock: Clock) -> None:
    crowd = crowd_looking_for(rt, spent_then_refunded={"more_than": 1})
    for number in range(3):  # of the first nothing was spent: it is no sign
        assert look(crowd) == 0
        placed, ref = clock.at, str(number)
        crowd.see(bought("ann", "300.00", ref=ref, at=placed))
        if number:
            crowd.spend(crowd.known("ann"))
        clock.forward(hours=1)
        back = make_refund("300.00", f"r-{ref}", refunded_at=clock.at)
        crowd.see(bought("ann", "300.00", ref=ref, at=placed, updated_at=clock.at, refunds=(back,)))
        clock.forward(days=1)
    assert look(crowd) == 1
    assert (
        queue(crowd)[0].sentences[0].startswith("2 orders given back after what they earned had been spent")
    )
    crowd.require_proof()


def test_an_honest_heavy_buyer_is_not_held_at_the_defaults(rt: Runtime, clock: Clock) -> None:
    """Thirty orders, forty activities and twenty rewards in a day, a third given back, a friend brought."""
    crowd = make_crowd(rt, activities=[SIGN_UP, VISIT, REVIEW], referral=REFERRAL)
    friend = crowd.member("friend")
    meet(rt, crowd.program_id, crowd.shop.shop_id, "friend", "ben@gmail.com")
    for number in range(30):
        back = (make_refund("200.00", f"r-{number}"),) if number % 3 == 0 else ()
        crowd.see(bought("ann", "200.00", ref=str(number), at=NOW, refunds=back))
    ann = crowd.known("ann")
    meet(rt, crowd.program_id, crowd.shop.shop_id, "ann", "ann@gmail.com")
    crowd.bring(ann, friend)
    for number in range(39):  # and the welcome
        crowd.did(ann, "visit", f"visit-{number}")
    for _ in range(20):
        crowd.spend(ann)
    assert (look(crowd), queue(crowd)) == (0, [])


def test_without_the_group_nothing_is_looked_for_and_off_is_off(rt: Runtime) -> None:
    crowd = crowd_looking_for(rt)
    ann = visitor(crowd, visits=60)
    assert look(crowd) == 0
    crowd.spend(ann)
    assert queue(crowd) == []


# --- What follows ----------------------------------------------------------------------------------------------


def test_points_of_who_is_checked_do_not_end_and_there_is_time_to_spend_them_afterwards(
    rt: Runtime, clock: Clock
) -> None:
    crowd = crowd_looking_for(rt, activities={"more_than": 2})
    publish(rt, crowd.program_id, expiry={"kind": "after_days", "days": 10})
    clock.forward(seconds=1)
    crowd.see(bought("ann", "500.00", at=clock.at), bought("ben", "500.00", ref="2", at=clock.at))
    ann, ben = crowd.known("ann"), crowd.known("ben")
    for number in range(3):
        crowd.did(ann, "visit", f"visit-{number}")
    look(crowd)
    held = crowd.has(ann)
    clock.forward(days=30)
    read_until(rt, crowd.program_id, crowd.shop.shop_id, clock.at)
    expire_lots(rt, crowd.program_id)
    assert (crowd.has(ann), crowd.has(ben)) == (held, 0)
    decide(crowd, queue(crowd)[0].review_id, allow=True)
    expire_lots(rt, crowd.program_id)
    assert crowd.has(ann) == held
    clock.forward(seconds=GRACE.total_seconds() + 1)
    read_until(rt, crowd.program_id, crowd.shop.shop_id, clock.at)
    expire_lots(rt, crowd.program_id)
    assert crowd.has(ann) < held
    crowd.require_proof()


def test_points_that_silence_ends_wait_as_well(rt: Runtime, clock: Clock) -> None:
    crowd = crowd_looking_for(rt, activities={"more_than": 2})
    publish(rt, crowd.program_id, expiry={"kind": "after_inactivity_days", "days": 30})
    clock.forward(seconds=1)
    crowd.see(bought("ann", "500.00", at=clock.at))
    ann = crowd.known("ann")
    for number in range(3):
        crowd.did(ann, "visit", f"visit-{number}")
    look(crowd)
    held = crowd.has(ann)
    clock.forward(days=40)
    read_until(rt, crowd.program_id, crowd.shop.shop_id, clock.at)
    expire_lots(rt, crowd.program_id)
    assert crowd.has(ann) == held


def test_allowing_lets_them_spend_and_the_same_facts_are_not_held_again(visits: Crowd, clock: Clock) -> None:
    ann = visitor(visits)
    look(visits)
    clock.forward(minutes=1)
    decide(visits, queue(visits)[0].review_id, allow=True)
    visits.spend(ann)
    assert (look(visits), is_held(visits, ann)) == (0, False)
    clock.forward(minutes=1)
    for number in range(3):  # three more, after the decision
        visits.did(ann, "visit", f"more-{number}")
    assert look(visits) == 1
    assert [one.decision for one in queue(visits)] == [None, "allowed"]
    visits.require_proof()


def test_refusing_blocks_and_its_undo_opens_the_review_again(visits: Crowd, clock: Clock) -> None:
    ann = visitor(visits)
    look(visits)
    had = visits.has(ann)
    (found,) = queue(visits)
    clock.forward(minutes=1)
    decide(visits, found.review_id, allow=False)
    with pytest.raises(Refused, match="Ask the shop") as refused:
        visits.spend(ann)
    view = describe_member(visits.rt, visits.program_id, ann)
    assert (refused.value.code, view.blocked_at, view.held_at) == ("blocked", clock.at, None)
    clock.forward(minutes=1)
    undo(visits, found.review_id)
    view = describe_member(visits.rt, visits.program_id, ann)
    assert (view.blocked_at, view.held_at) == (None, NOW)
    decide(visits, found.review_id, allow=True)
    visits.spend(ann)
    assert visits.has(ann) == had - 100
    (found,) = queue(visits)
    assert [(one.act, one.actor, one.reason) for one in found.acts] == [
        ("refused", "Ada", "I looked"),
        ("undone", "Ben", "I looked again"),
        ("allowed", "Ada", "I looked"),
    ]
    visits.require_proof()


def test_the_undo_of_a_refusal_leaves_a_block_of_somebody_elses(visits: Crowd, clock: Clock) -> None:
    ann = visitor(visits)
    look(visits)
    (found,) = queue(visits)
    decide(visits, found.review_id, allow=False)
    unblock_member(visits.rt, visits.program_id, ann, reason="A mix-up", actor="Cleo")
    clock.forward(minutes=1)
    undo(visits, found.review_id)  # there is no block to lift any more
    assert describe_member(visits.rt, visits.program_id, ann).blocked_at is None


def test_what_cannot_be_decided_says_why(visits: Crowd, clock: Clock) -> None:
    ann = visitor(visits)
    look(visits)
    (found,) = queue(visits)
    for wrong, code in ((lambda: undo(visits, found.review_id), "not_decided"),
                        (lambda: decide(visits, 10**9, allow=True), "unknown_review"),
                        (lambda: decide_review(visits.rt, visits.program_id, found.review_id, allow=True,
                                               reason=" ", actor="Ada"), "no_reason")):  # fmt: skip
        with pytest.raises(Refused) as refused:
            wrong()
        assert refused.value.code == code
    clock.forward(minutes=1)
    decide(visits, found.review_id, allow=True)
    with pytest.raises(Refused, match="allowed already"):
        decide(visits, found.review_id, allow=False)
    clock.forward(minutes=1)
    for number in range(3):
        visits.did(ann, "visit", f"more-{number}")
    look(visits)
    with pytest.raises(Refused, match="Something newer"):
        undo(visits, found.review_id)


def test_a_hold_follows_who_is_merged_and_stays_behind_when_they_are_parted(visits: Crowd) -> None:
    visits.see(bought("ben", "500.00", ref="ben"))
    ben = visits.known("ben")
    ann = visitor(visits)
    look(visits)
    merged = join_members(visits.rt, visits.program_id, ben, ann, actor="Ada")
    assert (merged.winner_id, is_held(visits, ben)) == (ben, True)
    assert queue(visits)[0].member.member_id == ben
    with pytest.raises(Refused, match="being checked"):
        visits.spend(ben)
    part_members(visits.rt, visits.program_id, merged.merge_id)
    visits.spend(ben)
    assert (is_held(visits, ben), is_held(visits, ann)) == (False, True)
    visits.require_proof()


def test_what_was_decided_before_a_merge_is_not_held_again_after_it(rt: Runtime, clock: Clock) -> None:
    crowd = crowd_looking_for(rt, orders={"more_than": 2, "action": "hold"})
    crowd.see(bought("ben", "500.00", ref="ben", at=NOW))
    crowd.see(*(bought("ann", ref=str(number), at=NOW) for number in range(3)))
    ann, ben = crowd.known("ann"), crowd.known("ben")
    assert look(crowd) == 1
    clock.forward(minutes=1)
    decide(crowd, queue(crowd)[0].review_id, allow=True)
    join_members(rt, crowd.program_id, ben, ann, actor="Ada")  # the orders are Ben's from now on
    assert look(crowd) == 0
    crowd.spend(ben)


def test_erasing_who_is_checked_leaves_counts_and_no_mailbox(visits: Crowd) -> None:
    ann = visitor(visits)
    meet(visits.rt, visits.program_id, visits.shop.shop_id, "ann", "ann+1@example.com")
    look(visits)
    assert visits.scalar("SELECT count(*) FROM identities WHERE {fence} AND mailbox_hash IS NOT NULL") == 1
    assert "4 activities" in str(export_member(visits.rt, visits.program_id, ann)["reviews"])
    erase_member(visits.rt, visits.program_id, ann)
    assert visits.scalar("SELECT count(*) FROM identities WHERE {fence} AND mailbox_hash IS NOT NULL") == 0
    (found,) = queue(visits)
    assert found.member.erased_at is not None
    decide(visits, found.review_id, allow=True)
    visits.require_proof()


def test_who_was_erased_is_not_noticed_any_more(visits: Crowd) -> None:
    ann = visitor(visits)
    erase_member(visits.rt, visits.program_id, ann)
    assert (look(visits), queue(visits)) == (0, [])


def test_cancelled_orders_and_failed_codes_are_nobodys_fault(rt: Runtime) -> None:
    crowd = crowd_looking_for(
        rt, orders={"more_than": 0, "action": "hold"}, redemptions={"more_than": 0, "action": "hold"}
    )
    moment = NOW + timedelta(minutes=1)
    crowd.see(bought("ann", state=OrderState.CANCELLED, cancelled_at=moment))
    assert look(crowd) == 0
