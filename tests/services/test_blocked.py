"""Blocked people: nothing earned from then on, nothing spent, nothing taken; and nothing paid afterwards."""

from datetime import timedelta

import pytest

from app.domain.errors import Refused
from app.domain.orders import OrderState
from app.services.adjust import adjust
from app.services.block_member import block_member, unblock_member
from app.services.export_member import export_member
from app.services.find_merges import join_members, part_members
from app.services.runtime import Runtime
from tests.conftest import NOW, Clock
from tests.factories import make_refund
from tests.services.books import publish
from tests.services.crowd import NEWSLETTER, Crowd, bought, make_crowd


@pytest.fixture
def crowd(rt: Runtime) -> Crowd:
    return make_crowd(rt, activities=[NEWSLETTER])


def block(crowd: Crowd, member_id: int) -> None:
    block_member(crowd.rt, crowd.program_id, member_id, reason="Fake orders", actor="Ada")


def unblock(crowd: Crowd, member_id: int) -> None:
    unblock_member(crowd.rt, crowd.program_id, member_id, reason="Cleared up", actor="Ben")


def zero(crowd: Crowd, ref: str) -> str | None:
    found = crowd.scalar("SELECT facts->>'zero' FROM orders WHERE {fence} AND order_ref = :ref", ref=ref)
    return None if found is None else str(found)


def test_who_is_blocked_keeps_what_they_have_earns_nothing_and_spends_nothing(
    crowd: Crowd, clock: Clock
) -> None:
    crowd.see(bought("ann", "150.00"))
    ann = crowd.known("ann")
    block(crowd, ann)
    clock.forward(hours=1)
    crowd.see(bought("ann", ref="2", at=clock.at))
    crowd.did(ann, "newsletter", "k")
    assert (crowd.has(ann), zero(crowd, "2"), crowd.why(ann, "newsletter")) == (150, "blocked", "blocked")
    with pytest.raises(Refused, match="cannot spend"):
        crowd.spend(ann, key="k")
    crowd.require_proof()


def test_unblocking_pays_nothing_afterwards(crowd: Crowd, clock: Clock) -> None:
    ann = crowd.member("ann")
    block(crowd, ann)
    clock.forward(hours=1)
    crowd.see(bought("ann", "150.00", at=clock.at))
    during = clock.at
    clock.forward(hours=1)
    unblock(crowd, ann)
    crowd.see(bought("ann", "150.00", at=during, updated_at=clock.at, fulfilled_at=clock.at))
    crowd.see(bought("ann", "60.00", ref="late", at=during + timedelta(minutes=1)))  # told only now
    assert crowd.has(ann) == 0
    crowd.see(bought("ann", "120.00", ref="new", at=clock.at))
    assert crowd.has(ann) == 120
    crowd.spend(ann, key="k")
    crowd.require_proof()


def test_an_order_from_before_the_block_that_is_told_late_counts(crowd: Crowd, clock: Clock) -> None:
    ann = crowd.member("ann")
    clock.forward(hours=1)
    block(crowd, ann)
    crowd.see(bought("ann", at=NOW + timedelta(minutes=5)))
    assert crowd.has(ann) == 30


def test_what_was_earned_before_is_still_taken_back(crowd: Crowd, clock: Clock) -> None:
    crowd.see(bought("ann"))
    ann = crowd.known("ann")
    block(crowd, ann)
    later = NOW + timedelta(hours=2)
    crowd.see(bought("ann", updated_at=later, refunds=(make_refund("10.00", refunded_at=later),)))
    assert crowd.has(ann) == 20
    crowd.require_proof()


def test_an_order_of_that_time_lifts_no_tier_and_is_explained_when_cancelled(
    crowd: Crowd, clock: Clock
) -> None:
    ann = crowd.member("ann")
    block(crowd, ann)
    clock.forward(hours=1)
    crowd.see(bought("ann", "900.00", at=clock.at))
    unblock(crowd, ann)
    clock.forward(hours=1)
    crowd.see(bought("ann", "100.00", ref="2", at=clock.at))
    assert crowd.has(ann) == 100  # Silver would have 125
    crowd.require_proof()
    before = clock.at - timedelta(hours=1)
    gone = bought(
        "ann", "900.00", at=before, updated_at=clock.at, state=OrderState.CANCELLED, cancelled_at=clock.at
    )
    crowd.see(gone)
    assert zero(crowd, "1") == "cancelled"
    crowd.require_proof()


def test_finer_rules_are_blocked_too(rt: Runtime, clock: Clock) -> None:
    first = {"key": "first", "name": "First order", "points": 50, "order_number": 1}
    crowd = make_crowd(rt, activities=[], earn={"bonuses": [first]})
    ann = crowd.member("ann")
    block(crowd, ann)
    clock.forward(hours=1)
    crowd.see(bought("ann", at=clock.at))
    assert (crowd.has(ann), zero(crowd, "1")) == (0, "blocked")
    crowd.require_proof()


def test_a_block_goes_with_the_person_into_another_account(crowd: Crowd, clock: Clock) -> None:
    ann, anna = crowd.member("ann"), crowd.member("anna")
    block(crowd, anna)
    merged = join_members(crowd.rt, crowd.program_id, ann, anna, actor="Cleo")
    clock.forward(hours=1)
    crowd.see(bought("ann", at=clock.at))
    assert zero(crowd, "1") == "blocked"
    part_members(crowd.rt, crowd.program_id, merged.merge_id)
    clock.forward(hours=1)
    crowd.see(bought("ann", ref="2", at=clock.at), bought("anna", ref="3", at=clock.at))
    assert (crowd.has(ann), crowd.has(anna)) == (30, 0)
    crowd.require_proof()


def test_who_did_it_when_and_why_is_kept(crowd: Crowd, clock: Clock) -> None:
    ann = crowd.member("ann")
    block(crowd, ann)
    clock.forward(hours=1)
    unblock(crowd, ann)
    with crowd.rt.db.begin(crowd.program_id) as session:
        (row,) = session.rows(
            "SELECT actor, reason, at, lifted_by, lift_reason, lifted_at FROM blocks WHERE {fence}"
        )
    assert tuple(row) == ("Ada", "Fake orders", NOW, "Ben", "Cleared up", clock.at)
    assert export_member(crowd.rt, crowd.program_id, ann)["blocks"][0]["reason"] == "Fake orders"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_block_needs_a_reason(crowd: Crowd, reason: str) -> None:
    ann = crowd.member("ann")
    with pytest.raises(Refused, match="Say why"):
        block_member(crowd.rt, crowd.program_id, ann, reason=reason, actor="Ada")


def test_twice_is_told(crowd: Crowd) -> None:
    ann = crowd.member("ann")
    with pytest.raises(Refused, match="not blocked"):
        unblock(crowd, ann)
    block(crowd, ann)
    with pytest.raises(Refused, match="already"):
        block(crowd, ann)


def test_staff_may_still_adjust(crowd: Crowd) -> None:
    ann = crowd.member("ann")
    block(crowd, ann)
    adjust(crowd.rt, crowd.program_id, ann, 10, reason="sorry", actor="Ada", request_key="k")
    assert crowd.has(ann) == 10


def test_recounting_an_order_of_that_time_gives_nothing_either(crowd: Crowd, clock: Clock) -> None:
    ann = crowd.member("ann")
    block(crowd, ann)
    clock.forward(hours=1)
    crowd.see(bought("ann", at=clock.at))
    unblock(crowd, ann)
    publish(crowd.rt, crowd.program_id, earn={"points": 2})
    later = clock.at + timedelta(hours=1)
    crowd.see(bought("ann", "40.00", at=clock.at, updated_at=later))
    assert crowd.has(ann) == 0
    crowd.require_proof()
