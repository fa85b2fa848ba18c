"""Orders as seen become what the ledger holds, whatever the order, the number and the size of the batches."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.money import Money
from app.domain.orders import OrderSnapshot, OrderState
from app.domain.tier_rules import Tier
from app.domain.tiers import tier_at
from app.services import settle_orders as settling
from app.services.runtime import Runtime
from app.services.settle_orders import Seen, Settled, settle_orders
from tests.conftest import NOW, make_program
from tests.factories import after, eur, make_order, make_refund
from tests.services.houses import make_shop


class Shop:
    def __init__(self, rt: Runtime, program_id: int) -> None:
        self.rt, self.program_id = rt, program_id
        self.shop = make_shop(rt, program_id, currency="EUR")

    def see(self, *orders: OrderSnapshot, reread: bool = False, batch: int = 500) -> list[Settled]:
        answers: list[Settled] = []
        for start in range(0, len(orders), batch):
            part = [
                Seen(shop_id=self.shop.shop_id, order=one, reread=reread)
                for one in orders[start : start + batch]
            ]
            with self.rt.db.begin(self.program_id) as session:
                answers += settle_orders(session, self.rt.vault, part, now=self.rt.now())
        return answers

    def state(self) -> dict[str, object]:
        """Everything that must not depend on how the messages came."""
        with self.rt.db.begin(self.program_id) as session:
            balances = session.rows(
                "SELECT i.customer_ref, a.points, a.deficit, m.tier_key, m.lifetime_points FROM identities i "
                "JOIN accounts a ON a.program_id = i.program_id AND a.id = i.member_id "
                "JOIN members m ON m.program_id = a.program_id AND m.id = a.id WHERE {fence:i} AND i.shop_id = :shop",
                shop=self.shop.shop_id,
            )
            orders = session.rows(
                "SELECT order_ref, target_points, terms_tier, terms_version FROM orders "
                "WHERE {fence} AND shop_id = :shop",
                shop=self.shop.shop_id,
            )
        return {
            "balances": {row[0]: tuple(row[1:]) for row in balances},
            "orders": {row[0]: tuple(row[1:]) for row in orders},
        }

    def points(self, customer_ref: str = "7") -> int:
        balances = self.state()["balances"]
        assert isinstance(balances, dict)
        found = balances.get(customer_ref)
        return int(found[0]) if found else 0


@pytest.fixture
def shop(rt: Runtime, program_id: int) -> Shop:
    return Shop(rt, program_id)


def test_an_order_whose_customer_changes_moves_with_its_points(shop: Shop) -> None:
    shop.see(make_order())
    shop.see(make_order(customer_ref="8", updated_at=after(hours=1)))
    assert (shop.points("7"), shop.points("8")) == (0, 39)
    shop.see(make_order(customer_ref="7", updated_at=after(hours=2)))
    assert (shop.points("7"), shop.points("8")) == (39, 0)


def test_a_guests_order_has_a_target_and_no_entries(shop: Shop) -> None:
    (settled,) = shop.see(make_order(customer_ref=None, email="guest@example.test"))
    assert (settled.row.target_points, settled.row.member_id, settled.moved) == (39, None, 0)


def test_an_order_from_before_the_shop_counts_is_kept_with_its_reason(rt: Runtime, program_id: int) -> None:
    late = make_shop(rt, program_id, currency="EUR", counts_from=after(days=1))
    with rt.db.begin(program_id) as session:
        (settled,) = settle_orders(
            session, rt.vault, [Seen(shop_id=late.shop_id, order=make_order())], now=NOW
        )
    assert (settled.row.target_points, settled.row.facts["zero"]) == (0, "before_start")


def test_test_orders_are_shown_and_not_counted(shop: Shop) -> None:
    (settled,) = shop.see(make_order(test=True))
    assert (settled.row.target_points, settled.row.facts["zero"]) == (0, "test_order")


def test_an_order_in_a_currency_without_a_rate_is_held(shop: Shop) -> None:
    (settled,) = shop.see(make_order(goods=Money(5000, "JPY")))
    assert (settled.row.held_reason, settled.row.terms_version, settled.moved) == ("no_rate", None, 0)


def test_the_tier_when_the_order_was_placed_decides_and_stays(shop: Shop) -> None:
    shop.see(make_order(order_ref="a", goods=eur("600.00"), placed_at=after(days=1), paid_at=after(days=1)))
    shop.see(make_order(order_ref="b", goods=eur("100.00"), placed_at=after(days=2), paid_at=after(days=2)))
    assert shop.points() == 600 + 125
    refunded = make_order(
        order_ref="a",
        goods=eur("600.00"),
        placed_at=after(days=1),
        paid_at=after(days=1),
        updated_at=after(days=5),
        refunds=(make_refund("600.00", refunded_at=after(days=5)),),
    )
    shop.see(refunded)
    assert shop.points() == 125  # what b earned as Silver stays


def test_a_shops_clock_that_is_ahead_of_ours_delays_no_tier(shop: Shop) -> None:
    soon = NOW + timedelta(seconds=30)
    shop.see(make_order(goods=eur("600.00"), placed_at=soon, paid_at=soon, updated_at=soon))
    balances = shop.state()["balances"]
    assert isinstance(balances, dict)
    assert balances["7"][2] == "silver"


def test_an_order_learnt_late_lifts_the_tier_of_those_behind_it(shop: Shop) -> None:
    shop.see(make_order(order_ref="b", goods=eur("100.00"), placed_at=after(days=2), paid_at=after(days=2)))
    assert shop.points() == 100
    shop.see(make_order(order_ref="a", goods=eur("600.00"), placed_at=after(days=1), paid_at=after(days=1)))
    assert shop.points() == 600 + 125


def test_an_order_learnt_late_asks_nothing_about_those_that_cannot_rise(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen with a buyer of thousands: each of their late orders worked out the tier of all others again."""
    big = [
        make_order(order_ref=f"{n:02}", goods=eur("2000.00"), placed_at=after(days=n), paid_at=after(days=n))
        for n in range(1, 41)
    ]
    shop.see(*big)
    asked: list[datetime] = []

    def counted(*facts: Any, **how: Any) -> Tier:
        asked.append(how["at"])
        return tier_at(*facts, **how)

    monkeypatch.setattr(settling, "tier_at", counted)
    shop.see(
        make_order(order_ref="late", goods=eur("100.00"), placed_at=after(hours=1), paid_at=after(hours=1))
    )
    assert (
        1 <= len(asked) <= 3 + 1
    )  # the order's own, the member's now, and that of the one that was placed first


def test_a_message_of_the_same_moment_with_other_facts_marks_a_reread(shop: Shop) -> None:
    shop.see(make_order())
    (settled,) = shop.see(make_order(goods=eur("50.00")))
    assert (settled.row.reread_wanted, shop.points()) == (1, 39)
    shop.see(make_order(goods=eur("50.00")), reread=True)
    assert shop.points() == 50


def test_refund_lines_once_read_are_kept_for_every_later_body(shop: Shop) -> None:
    body = make_order(
        updated_at=after(days=1), refunds=(make_refund("12.00", exact=False, refunded_at=None),)
    )
    shop.see(body)
    assert shop.points() == 27
    read = replace(body, refunds=(make_refund("10.00", exact=True),))
    shop.see(read, reread=True)
    assert shop.points() == 29
    shop.see(replace(body, updated_at=after(days=2)))
    assert shop.points() == 29


@st.composite
def messages(draw: st.DrawFn) -> list[OrderSnapshot]:
    """The lives of some orders of two customers, as the messages that tell them, shuffled and doubled."""
    lives: list[OrderSnapshot] = []
    for number in range(draw(st.integers(1, 4))):
        placed = draw(st.integers(0, 20))
        goods = eur(str(draw(st.integers(1, 900))))
        order = make_order(
            order_ref=str(number),
            number=f"#{number}",
            customer_ref=draw(st.sampled_from(["7", "7", "8"])),
            goods=goods,
            placed_at=after(days=placed),
            paid_at=None,
            state=OrderState.OPEN,
            updated_at=after(days=placed),
        )
        lives.append(order)
        for step in range(1, draw(st.integers(1, 4))):
            moment = after(days=placed, hours=step)
            paid = replace(order, state=OrderState.PAID, paid_at=order.paid_at or moment)
            match draw(st.sampled_from(["pay", "refund", "cancel", "edit", "give_away"])):
                case "pay":
                    order = paid
                case "refund":
                    part = make_refund(
                        str(draw(st.integers(1, 50))), f"r{step}", exact=False, refunded_at=None
                    )
                    order = replace(paid, refunds=(*paid.refunds, part))
                case "cancel":
                    order = replace(order, state=OrderState.CANCELLED)
                case "edit":
                    order = replace(order, goods=eur(str(draw(st.integers(1, 900)))))
                case _:
                    order = replace(order, customer_ref="8")
            order = replace(order, updated_at=moment)
            lives.append(order)
    doubled = lives + draw(st.lists(st.sampled_from(lives), max_size=4))
    return draw(st.permutations(doubled))


def newest(orders: Sequence[OrderSnapshot]) -> dict[str, OrderSnapshot]:
    found: dict[str, OrderSnapshot] = {}
    for order in orders:
        if order.order_ref not in found or order.updated_at > found[order.order_ref].updated_at:
            found[order.order_ref] = order
    return found


# Without shrinking: each try costs three programs in a real database.
@settings(
    max_examples=40,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seen=messages())
def test_batches_of_1_7_and_500_give_equal_results(rt: Runtime, seen: list[OrderSnapshot]) -> None:
    program_id = make_program(rt)
    shops = []
    for batch in (1, 7, 500):
        shop = Shop(rt, program_id if batch == 1 else make_program(rt))
        shop.see(*seen, batch=batch)
        shops.append(shop)
    first = shops[0].state()
    assert [shop.state() for shop in shops] == [first] * 3
    # Any order and repetition ends at the newest snapshot's target, and balances are the sum of the targets.
    balances, orders = first["balances"], first["orders"]
    assert isinstance(balances, dict)
    assert isinstance(orders, dict)
    for ref, order in newest(seen).items():
        if order.state is not OrderState.PAID:
            assert orders[ref][0] == 0
    assert sum(one[0] for one in balances.values()) == sum(one[0] for one in orders.values())
    assert all(one[0] == one[3] for one in balances.values())
