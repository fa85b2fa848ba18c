"""Levels of many members at once, by sums: exactly what `tier_at` says of each, order by order."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.db import orders
from app.db.orders import OrderRow
from app.db.programs import Versions
from app.db.session import Session
from app.db.tiers import NewFloor, add_floors
from app.domain.program import Program
from app.domain.spending import Membership, SpendFact, spans
from app.domain.tier_rules import Measure, Paid, Tier, Window
from app.domain.tiers import tier_at
from app.services.find_levels import find_levels
from app.services.find_standings import find_standings
from app.services.runtime import Runtime
from tests.conftest import NOW
from tests.factories import PROGRAM, make_order
from tests.services.test_settle_orders import Shop

KEYS = ("member", "silver", "gold", "vip")
AT = NOW.replace(microsecond=123456)
WINDOWS = [
    PROGRAM,
    replace(PROGRAM, tier_months=6),
    replace(PROGRAM, window=Window.CALENDAR_YEAR, timezone="Pacific/Auckland"),
]
# The edges of windows to the microsecond, where an order counts or does not.
EDGES = [
    edge + timedelta(microseconds=by)
    for edge in sorted({edge for program in WINDOWS for span in spans(program, AT) for edge in span})
    for by in (-1, 0, 1)
]

moments = st.one_of(
    st.sampled_from(EDGES),
    st.sampled_from([AT - timedelta(microseconds=1), AT, AT + timedelta(microseconds=1)]),
    st.integers(-900, 20).map(lambda days: AT + timedelta(days=days, hours=1)),
)
minor = st.sampled_from([0, 29_999, 30_000, 60_000])  # where thresholds lie


@st.composite
def facts(draw: st.DrawFn) -> SpendFact:
    counted_at = draw(moments)
    refunds = draw(st.lists(st.tuples(moments, minor), max_size=2))
    return SpendFact(
        order_key=(0, ""),
        counted_at=counted_at,
        goods_minor=draw(minor),
        refunds=tuple(refunds),
        void_at=draw(st.one_of(st.none(), st.none(), moments)),
        points=draw(minor) // 100,
        points_back=tuple((when, back // 100) for when, back in refunds),
        memberships=draw(
            st.one_of(
                st.just(()),
                st.just(()),
                st.just(()),
                st.tuples(st.builds(Membership, st.just("vip"), st.integers(1, 400), st.none())),
            )
        ),
    )


floors = st.builds(
    NewFloor,
    member_id=st.just(0),
    tier_key=st.sampled_from([*KEYS, "removed"]),
    cause=st.sampled_from(["grace", "promise", "manual"]),
    from_at=moments,
    until_at=st.one_of(st.none(), moments),
)
people = st.lists(
    st.tuples(st.lists(facts(), max_size=4), st.lists(floors, max_size=1)), min_size=6, max_size=12
)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    measures = draw(st.sets(st.sampled_from(Measure), min_size=1))
    scale = {Measure.SPEND: 30_000, Measure.POINTS: 300, Measure.ORDERS: 1}
    silver, gold = draw(st.integers(1, 2)), draw(st.integers(3, 4))
    tiers = [
        Tier(key, key.title(), {one: scale[one] * count for one in measures}, 100)
        for key, count in (("member", 0), ("silver", silver), ("gold", gold))
    ]
    if draw(st.booleans()):
        tiers.append(Tier("vip", "VIP", {}, 100, paid=Paid(frozenset("1"), frozenset(), 30)))
    return replace(
        PROGRAM,
        tiers=tuple(tiers),
        window=draw(st.sampled_from(Window)),
        tier_months=draw(st.sampled_from([6, 12])),
        timezone=draw(st.sampled_from(["UTC", "Pacific/Auckland"])),
    )


@pytest.fixture
def shop(rt: Runtime, program_id: int) -> Shop:
    return Shop(rt, program_id)


# Each try is some hundred rows in a real database, so none is shrunk.
@settings(
    max_examples=60,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(crowd=people, versions=st.lists(programs(), min_size=1, max_size=3))
def test_sums_give_the_level_that_the_orders_give(
    rt: Runtime, shop: Shop, crowd: list[tuple[list[SpendFact], list[NewFloor]]], versions: list[Program]
) -> None:
    assert_same(rt, shop, crowd, versions)


def test_at_the_edges_of_windows_orders_count_to_the_microsecond(rt: Runtime, shop: Shop) -> None:
    reached = replace(PROGRAM.tiers[1], thresholds={Measure.ORDERS: 1})
    versions = [replace(program, tiers=(PROGRAM.tiers[0], reached)) for program in WINDOWS]
    bought = [
        SpendFact(order_key=(0, ""), counted_at=edge, goods_minor=1, refunds=(), void_at=None)
        for edge in EDGES
    ]
    assert_same(rt, shop, [([one], []) for one in bought], versions)


def assert_same(
    rt: Runtime,
    shop: Shop,
    crowd: Sequence[tuple[Sequence[SpendFact], Sequence[NewFloor]]],
    versions: Sequence[Program],
) -> None:
    with rt.db.trial(shop.program_id) as session:
        ids = [_settled(session, shop, *person) for person in crowd]
        known = Versions(tuple(versions), (AT,) * len(versions))
        found = find_levels(session, ids, known, versions, at=AT)
        expected = [
            (
                one.member.member_id,
                [tier_at(one.facts, one.floors, program=program, at=AT) for program in versions],
            )
            for one in find_standings(session, ids, versions, at=AT)
        ]
    assert [(one.member_id, list(one.tiers)) for one in found] == expected
    assert {one.tier_key for one in found} == {"member"}


def test_nobody_has_no_levels(rt: Runtime, program_id: int) -> None:
    with rt.db.begin(program_id) as session:
        assert find_levels(session, [], Versions((PROGRAM,), (AT,)), [PROGRAM], at=AT) == []


def _settled(session: Session, shop: Shop, bought: Sequence[SpendFact], given: Sequence[NewFloor]) -> int:
    """A member with these orders, as settling leaves them. Returns the member's id."""
    member_id = int(
        session.scalar(
            "INSERT INTO accounts (program_id, head, opened_at) "
            "VALUES (:program_id, decode(repeat('00', 32), 'hex'), :now) RETURNING id",
            now=AT,
        )
    )
    session.run(
        "INSERT INTO members (program_id, id, joined_at, tier_key) VALUES (:program_id, :id, :now, 'member')",
        id=member_id,
        now=AT,
    )
    rows = [
        _row(session, shop, member_id, fact, order_id)
        for fact, order_id in zip(bought, orders.new_ids(session, len(bought)), strict=True)
    ]
    orders.write_orders(session, rows, now=AT)
    add_floors(session, [replace(one, member_id=member_id) for one in given])
    return member_id


def _row(session: Session, shop: Shop, member_id: int, fact: SpendFact, order_id: int) -> OrderRow:
    ref = f"o{order_id}"
    return OrderRow(
        program_id=session.program_id,
        order_id=order_id,
        shop_id=shop.shop.shop_id,
        order_ref=ref,
        member_id=member_id,
        order=make_order(order_ref=ref, placed_at=_placed(fact)),
        terms_version=1,
        terms_tier="member",
        spend=replace(fact, order_key=(shop.shop.shop_id, ref)),
    )


def _placed(fact: SpendFact) -> datetime:
    return fact.counted_at - timedelta(minutes=5)
