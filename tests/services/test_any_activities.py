"""Whatever people do and in whatever order: everything can be counted again, and nobody has anything twice."""

from datetime import datetime

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.domain.orders import OrderState
from app.services.block_member import block_member, unblock_member
from app.services.erase_member import erase_member
from app.services.find_merges import find_merges, join_members, part_members
from app.services.pay_birthdays import pay_birthdays
from app.services.runtime import Runtime
from app.services.set_birthday import set_birthday
from app.services.undo_activity import undo_activity
from tests.conftest import NOW, Clock
from tests.factories import make_refund
from tests.services.crowd import REFERRAL, Crowd, bought, make_crowd

PEOPLE = ("ann", "ben", "carl")
WHO = st.sampled_from(PEOPLE)
ACTS = st.one_of(
    st.tuples(st.just("bring"), WHO, WHO),
    st.tuples(st.just("buy"), WHO, st.sampled_from(["5.00", "30.00"])),
    st.tuples(st.just("refund"), st.integers(0, 5), st.sampled_from(["5.00", "30.00"])),
    st.tuples(st.just("cancel"), st.integers(0, 5), st.none()),
    st.tuples(st.just("join"), WHO, WHO),
    st.tuples(st.just("part"), WHO, st.none()),
    st.tuples(st.just("do"), WHO, st.sampled_from(["newsletter", "review", "visit"])),
    st.tuples(st.just("undo"), st.integers(0, 8), st.none()),
    st.tuples(st.just("block"), WHO, st.none()),
    st.tuples(st.just("unblock"), WHO, st.none()),
    st.tuples(st.just("born"), WHO, st.sampled_from(["11-22", "11-23", "12-01"])),
    st.tuples(st.just("wait"), st.integers(1, 300), st.none()),
    st.tuples(st.just("erase"), WHO, st.none()),
)


class Life:
    def __init__(self, crowd: Crowd, clock: Clock) -> None:
        self.crowd, self.clock = crowd, clock
        self.orders: list[tuple[str, str, datetime]] = []  # who, goods, when

    def live(self, number: int, act: str, one: object, other: object) -> None:
        crowd, rt, program_id = self.crowd, self.crowd.rt, self.crowd.program_id
        self.clock.forward(minutes=1)
        at = self.clock.at
        match act, one, other:
            case "bring", str(), str():
                crowd.bring(self.member(one), self.member(other))
            case "buy", str(), str():
                self.orders.append((one, other, at))
                crowd.see(bought(one, other, ref=str(len(self.orders) - 1), at=at))
            case "refund" | "cancel", int(), _ if one < len(self.orders):
                who, goods, placed = self.orders[one]
                changes = (
                    {"refunds": (make_refund(min(str(other), goods, key=float), refunded_at=at),)}
                    if act == "refund"
                    else {"state": OrderState.CANCELLED, "cancelled_at": at}
                )
                crowd.see(bought(who, goods, ref=str(one), at=placed, updated_at=at, **changes))
            case "join", str(), str():
                join_members(rt, program_id, self.member(one), self.member(other), actor="Ada")
            case "part", str(), _:
                for merge in find_merges(rt, program_id, self.member(one))[:1]:
                    part_members(rt, program_id, merge.merge_id)
            case "do", str(), str():
                crowd.did(self.member(one), other, f"k{number}")
            case "undo", int(), _:
                ids = crowd.scalar("SELECT array_agg(id ORDER BY id) FROM activities WHERE {fence}") or []
                if one < len(ids):
                    undo_activity(rt, program_id, ids[one], reason="a slip", actor="Ada")
            case "block", str(), _:
                block_member(rt, program_id, self.member(one), reason="fraud", actor="Ada")
            case "unblock", str(), _:
                unblock_member(rt, program_id, self.member(one), reason="none", actor="Ada")
            case "born", str(), str():
                set_birthday(rt, program_id, self.member(one), other, consent=True, actor="Ada")
            case "erase", str(), _:
                erase_member(rt, program_id, self.member(one))
            case "wait", int(), _:
                self.clock.forward(days=one)
        pay_birthdays(rt, program_id)

    def member(self, ref: str) -> int:
        return self.crowd.member(ref, asked=True)


@settings(
    max_examples=20,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
@given(acts=st.lists(ACTS, min_size=4, max_size=14))
def test_any_life_can_be_counted_again(
    rt: Runtime, clock: Clock, acts: list[tuple[str, object, object]]
) -> None:
    clock.at = NOW
    life = Life(make_crowd(rt, referral=REFERRAL, earn={"hold_days": 2}), clock)
    for ref in PEOPLE:
        life.member(ref)
    for number, act in enumerate(acts):
        try:
            life.live(number, *act)
        except Refused:
            continue  # some of it is not allowed: then nothing of it may be left
    life.crowd.require_proof()
    doubled = life.crowd.scalar(
        "SELECT count(*) FROM (SELECT coalesce(c.merged_into, c.id), a.slot FROM activities a "
        "JOIN accounts c ON {fence:c} AND c.program_id = a.program_id AND c.id = a.member_id "
        "WHERE {fence:a} AND a.slot IS NOT NULL AND a.target_points > 0 GROUP BY 1, 2 HAVING count(*) > 1) d"
    )
    assert doubled == 0
