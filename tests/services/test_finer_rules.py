"""Rules that look at the member, through settling: what was known at the first count is fixed, and counts once."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.orders import OrderSnapshot
from app.domain.program import default_document
from app.services.audit import audit
from app.services.check_document import WrongDocument, check_document
from app.services.overview import overview
from app.services.replay import replay
from app.services.runtime import Runtime
from tests.conftest import make_program
from tests.factories import after, eur, make_order, make_refund
from tests.services.test_settle_orders import Shop

FIRST = {"key": "first", "name": "First order", "points": 50, "order_number": 1}
DAY = {"key": "day", "name": "100 a day", "points": 100, "per": "day"}
MONTH = {"key": "month", "name": "150 a month", "points": 150, "per": "month"}
EVER = {"key": "ever", "name": "300 in all", "points": 300, "per": "member"}


def open_shop(rt: Runtime, **earn: Any) -> Shop:
    document = default_document("Sprig", "EUR", "UTC")
    document["earn"] |= earn
    return Shop(rt, make_program(rt, document=document))


def order(ref: str, goods: str, *, days: float = 0, **changes: Any) -> OrderSnapshot:
    moment = after(days=days)
    told: Mapping[str, Any] = {"placed_at": moment, "paid_at": moment, "updated_at": moment, **changes}
    return make_order(order_ref=ref, number=f"#{ref}", goods=eur(goods), **told)


def worth(shop: Shop) -> dict[str, int]:
    orders = shop.state()["orders"]
    assert isinstance(orders, dict)
    return {ref: points for ref, (points, *_) in orders.items()}


def require_proof(shop: Shop) -> None:
    """Everything can be counted again from what is stored, and gives the same."""
    assert not audit(shop.rt, shop.program_id).problems
    assert not replay(shop.rt, shop.program_id).differences


def test_the_first_order_has_its_bonus_once_whichever_is_told_first(rt: Runtime) -> None:
    shop = open_shop(rt, bonuses=[FIRST])
    shop.see(order("2", "20.00", days=2))
    shop.see(order("1", "10.00", days=1))  # placed earlier, told later: it is not the first that was counted
    assert worth(shop) == {"2": 70, "1": 10}
    shop.see(order("2", "20.00", days=2, updated_at=after(days=3), refunds=(make_refund("5.00"),)))
    assert worth(shop) == {"2": 65, "1": 10}
    require_proof(shop)


def test_no_second_first_order_after_the_first_went_back_entirely(rt: Runtime) -> None:
    shop = open_shop(rt, bonuses=[FIRST])
    shop.see(order("1", "10.00"))
    shop.see(order("1", "10.00", updated_at=after(days=1), refunds=(make_refund("10.00"),)))
    shop.see(order("2", "10.00", days=2))
    assert worth(shop) == {"1": 0, "2": 10}


def test_a_days_limit_holds_within_a_batch_and_over_batches(rt: Runtime) -> None:
    together, apart = open_shop(rt, caps=[DAY]), open_shop(rt, caps=[DAY])
    orders = [
        order("1", "60.00"),
        order("2", "60.00", days=0.1),
        order("3", "60.00", days=0.2),
        order("4", "60.00", days=1),
    ]
    together.see(*orders)
    apart.see(*orders, batch=1)
    assert worth(together) == worth(apart) == {"1": 60, "2": 40, "3": 0, "4": 60}
    require_proof(together)


def test_a_refund_gives_room_to_later_orders_only(rt: Runtime) -> None:
    shop = open_shop(rt, caps=[DAY])
    shop.see(order("1", "60.00"), order("2", "60.00", days=0.1))
    shop.see(order("1", "60.00", updated_at=after(days=0.15), refunds=(make_refund("50.00"),)))
    assert worth(shop) == {"1": 10, "2": 40}
    shop.see(order("3", "60.00", days=0.2))
    assert worth(shop) == {"1": 10, "2": 40, "3": 50}
    require_proof(shop)


def test_months_and_for_ever(rt: Runtime) -> None:
    shop = open_shop(rt, caps=[MONTH, EVER])
    shop.see(
        order("1", "140.00"),
        order("2", "140.00", days=1),
        order("3", "140.00", days=40),
        order("4", "140.00", days=80),
    )
    assert worth(shop) == {"1": 140, "2": 10, "3": 140, "4": 10}
    require_proof(shop)


def test_members_have_limits_of_their_own(rt: Runtime) -> None:
    shop = open_shop(rt, caps=[DAY])
    shop.see(order("1", "80.00"), order("2", "80.00", customer_ref="8"))
    assert worth(shop) == {"1": 80, "2": 80}


def test_a_plain_program_stores_nothing_more(rt: Runtime) -> None:
    shop = open_shop(rt)
    shop.see(order("1", "80.00"))
    with rt.db.begin(shop.program_id) as session:
        assert session.scalar("SELECT known FROM orders WHERE {fence}") is None


@st.composite
def days_of_orders(draw: st.DrawFn) -> list[OrderSnapshot]:
    orders = [
        order(str(number), str(draw(st.integers(1, 120))), days=draw(st.integers(0, 3)) + number / 100)
        for number in range(draw(st.integers(2, 6)))
    ]
    refunded = [
        order(
            one.order_ref,
            str(one.goods.minor // 100),
            days=0,
            placed_at=one.placed_at,
            paid_at=one.paid_at,
            updated_at=one.updated_at + timedelta(days=5),
            refunds=(make_refund(str(draw(st.integers(1, one.goods.minor // 100)))),),
        )
        for one in draw(st.lists(st.sampled_from(orders), unique_by=lambda one: one.order_ref))
    ]
    return draw(st.permutations([*orders, *refunded]))


@settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seen=days_of_orders(), batch=st.sampled_from([1, 3, 500]))
def test_no_limit_is_ever_exceeded_however_messages_come(
    rt: Runtime, seen: list[OrderSnapshot], batch: int
) -> None:
    shop = open_shop(rt, caps=[DAY, EVER], bonuses=[FIRST])
    shop.see(*seen, batch=batch)
    found = worth(shop)
    days: dict[str, int] = {}
    for one in {one.order_ref: one for one in seen}.values():
        days[one.placed_at.date().isoformat()] = (
            days.get(one.placed_at.date().isoformat(), 0) + found[one.order_ref]
        )
    assert max(days.values()) <= 100
    assert sum(found.values()) <= 300
    assert shop.points() == sum(found.values())
    require_proof(shop)


def campaign(**changes: Any) -> dict[str, Any]:
    return {"campaigns": [{"key": "a", "name": "A", "percent": 200, **changes}]}


@pytest.mark.parametrize(
    ("earn", "field"),
    [
        (campaign(whose={"tiers": ["platinum"]}), "earn.campaigns[0].whose.tiers"),
        (campaign(during={"starts": "2026-02-30"}), "earn.campaigns[0].during.starts"),
        (campaign(during={"starts": "2026-03-02", "ends": "2026-03-01"}), "earn.campaigns[0].during.ends"),
        (campaign(during={"hours": ["22:00", "22:00"]}), "earn.campaigns[0].during.hours"),
        ({"caps": [DAY, DAY]}, "earn.caps"),
        ({"bonuses": [{**FIRST, "spend_from": 5}]}, "earn.bonuses[0]"),
        ({"rates": [{"key": "a", "name": "A", "of": {"product": ["1"]}, "points": 2}]}, "earn.rates[0].of"),
    ],
)
def test_a_wrong_rule_is_refused_by_its_field(earn: dict[str, Any], field: str) -> None:
    document = default_document("Sprig", "EUR", "UTC")
    document["earn"] |= earn
    with pytest.raises(WrongDocument) as refused:
        check_document(document)
    assert [name for name, _ in refused.value.faults] == [field]


# --- Goals, and what all members share ---------------------------------------------------------------------

GOAL = {"key": "hundred", "name": "100 in a year", "points": 25, "spend_minor": 10000, "per": "year"}


def test_a_goal_is_reached_once_a_year_by_the_order_that_reaches_it(rt: Runtime) -> None:
    together, apart = open_shop(rt, goals=[GOAL]), open_shop(rt, goals=[GOAL])
    orders = [
        order("1", "60.00"),
        order("2", "39.99", days=1),
        order("3", "0.01", days=2),
        order("4", "150.00", days=3),
        order("5", "150.00", days=400),
    ]
    together.see(*orders)
    apart.see(*orders, batch=1)
    assert worth(together) == worth(apart) == {"1": 60, "2": 39, "3": 25, "4": 150, "5": 175}
    require_proof(together)


def test_a_goal_that_was_taken_back_is_open_again_and_never_given_twice(rt: Runtime) -> None:
    shop = open_shop(rt, goals=[GOAL])
    shop.see(order("1", "90.00"), order("2", "20.00", days=1))
    assert worth(shop) == {"1": 90, "2": 45}
    # The first goes back: the second reached it all the same, by what was known then.
    shop.see(order("1", "90.00", updated_at=after(days=2), refunds=(make_refund("90.00"),)))
    shop.see(order("3", "95.00", days=3))
    assert worth(shop) == {"1": 0, "2": 45, "3": 95}
    # The second goes back below it, and with it what it reached; the next order may.
    shop.see(order("2", "20.00", days=1, updated_at=after(days=4), refunds=(make_refund("15.00"),)))
    shop.see(order("4", "10.00", days=5))
    assert worth(shop) == {"1": 0, "2": 5, "3": 95, "4": 35}
    require_proof(shop)


def test_what_all_members_share_is_never_exceeded(rt: Runtime) -> None:
    caps = [
        {"key": "all", "name": "100 a day", "points": 100, "per": "program_day"},
        {"key": "month", "name": "150 a month", "points": 150, "per": "program_month"},
    ]
    together, apart = open_shop(rt, caps=caps), open_shop(rt, caps=caps)
    orders = [
        order("1", "70.00", customer_ref="1"),
        order("2", "70.00", days=0.1, customer_ref="2"),
        order("3", "70.00", days=1, customer_ref="3"),
        order("4", "70.00", days=31, customer_ref="1"),
    ]
    together.see(*orders)
    apart.see(*orders, batch=1)
    assert worth(together) == worth(apart) == {"1": 70, "2": 30, "3": 50, "4": 70}
    apart.see(
        order("1", "70.00", customer_ref="1", updated_at=after(days=1), refunds=(make_refund("70.00"),))
    )
    apart.see(order("5", "70.00", days=1.2, customer_ref="2"))
    assert worth(apart)["5"] == 50  # 100 a day, 50 of them given; 150 a month, 80 of them given
    require_proof(apart)


def test_a_budget_that_stops_is_a_limit_of_the_month(rt: Runtime) -> None:
    document = default_document("Sprig", "EUR", "UTC")
    document["budget"] = {"minor": 500, "points": 100, "worth_minor": 500, "at_limit": "stop_earning"}
    shop = Shop(rt, make_program(rt, document=document))
    shop.see(order("1", "70.00"), order("2", "70.00", days=0.1, customer_ref="8"))
    assert worth(shop) == {"1": 70, "2": 30}
    assert shop.state()["orders"]


def test_what_is_used_of_a_budget_is_told(rt: Runtime) -> None:
    document = default_document("Sprig", "EUR", "UTC")
    document["budget"] = {"minor": 500, "points": 100, "worth_minor": 500, "at_limit": "warn"}
    shop = Shop(rt, make_program(rt, document=document))
    moment = rt.now()
    shop.see(order("1", "79.00", placed_at=moment, paid_at=moment))
    used = overview(rt, shop.program_id).budget
    assert used is not None
    assert (used.points, str(used.cost), used.percent, used.is_near) == (79, "3.95", 79, False)
    shop.see(order("2", "30.00", placed_at=moment, paid_at=moment))
    used = overview(rt, shop.program_id).budget
    assert used is not None
    assert (used.points, used.percent, used.is_near, used.stops_earning) == (109, 109, True, False)
