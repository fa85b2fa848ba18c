"""Orders kept in order with their sums give, at any moment and after any change, what adding all up gives."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.program import Program
from app.domain.spending import Membership, OrderKey, SpendFact, SpendHistory, qualifying
from app.domain.tier_rules import Window
from app.domain.tiers import tier_at
from tests.conftest import NOW
from tests.factories import PROGRAM

PROGRAMS = [
    replace(PROGRAM, window=window, timezone=zone)
    for window in Window
    for zone in ("UTC", "America/New_York")
]
# Few enough to meet: at one moment, on the edge of a window, on the first of a year.
MOMENTS = st.sampled_from(
    [
        NOW + timedelta(days=days, microseconds=tick)
        for days in (-366, -365, -60, 0, 200)
        for tick in (-1, 0, 1)
    ]
    + [datetime(2026, 1, 1, tzinfo=NOW.tzinfo), datetime(2025, 12, 31, 23, 59, tzinfo=NOW.tzinfo)]
)
KEYS = st.sampled_from([(1, ref) for ref in "abcd"])
AMOUNTS = st.integers(-5_000, 120_000)
BACK = st.lists(st.tuples(MOMENTS, AMOUNTS), max_size=2).map(tuple)


@st.composite
def facts(draw: st.DrawFn) -> SpendFact:
    refunds = draw(BACK)
    return SpendFact(
        order_key=draw(KEYS),
        counted_at=draw(MOMENTS),
        goods_minor=draw(AMOUNTS),
        refunds=refunds,
        void_at=draw(st.none() | MOMENTS),
        points=draw(AMOUNTS),
        points_back=draw(BACK) if refunds else (),
        memberships=(Membership("gold", 30),) if draw(st.booleans()) else (),
    )


Act = Callable[[SpendHistory, dict[OrderKey, SpendFact]], None]


def putting(fact: SpendFact) -> Act:
    def act(history: SpendHistory, plain: dict[OrderKey, SpendFact]) -> None:
        history.put(fact)
        plain[fact.order_key] = fact

    return act


def dropping(key: OrderKey) -> Act:
    def act(history: SpendHistory, plain: dict[OrderKey, SpendFact]) -> None:
        history.drop(key)
        plain.pop(key, None)

    return act


@settings(max_examples=400)
@given(
    first=st.lists(facts(), max_size=8),
    acts=st.lists(facts().map(putting) | KEYS.map(dropping), max_size=8),
    program=st.sampled_from(PROGRAMS),
    questions=st.lists(st.tuples(MOMENTS, st.none() | KEYS), min_size=1, max_size=4),
)
def test_kept_sums_are_what_adding_up_gives(
    first: list[SpendFact],
    acts: list[Act],
    program: Program,
    questions: list[tuple[datetime, OrderKey | None]],
) -> None:
    history = SpendHistory(first, pays_from=0, pays_after=0)
    plain = {fact.order_key: fact for fact in first}
    for act in (lambda *_: None, *acts):
        act(history, plain)
        for at, before in questions:
            found = history.qualifying(program=program, at=at, before=before)
            assert found == qualifying(plain.values(), program=program, at=at, before=before)
            tier = tier_at(history, (), program=program, at=at, before=before)
            assert tier == tier_at(list(plain.values()), (), program=program, at=at, before=before)
    assert {fact.order_key: fact for fact in history} == plain


def test_many_orders_are_kept_in_order_once_a_few_questions_were_asked() -> None:
    def order(number: int) -> SpendFact:
        return SpendFact(
            order_key=(1, f"{number:04}"),
            counted_at=NOW + timedelta(minutes=number),
            goods_minor=100,
            refunds=((NOW + timedelta(days=5), 100),) if number % 10 == 0 else (),
            void_at=None,
        )

    history = SpendHistory(order(number) for number in range(500))
    asked = [NOW + timedelta(minutes=minutes) for minutes in (1, 100, 100_000, 2, 99)]
    spent = [history.qualifying(program=PROGRAM, at=at)[0].spend_minor for at in asked]
    assert spent == [200, 10_100, 45_000, 300, 10_000]
