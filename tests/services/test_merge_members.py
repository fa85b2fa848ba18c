"""Two members become one, and two again: no point is made, lost, or left where nobody looks."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.db import members as customers
from app.domain.errors import Refused
from app.domain.orders import OrderSnapshot
from app.domain.program import default_document
from app.services.adjust import adjust
from app.services.audit import audit
from app.services.expire_lots import expire_lots
from app.services.find_merges import find_merges
from app.services.merge_customers import merge_customers
from app.services.merge_members import Merged, merge_members, undo_merge
from app.services.replay import replay
from app.services.runtime import Runtime
from tests.conftest import NOW, Clock, make_program
from tests.factories import eur, make_order, make_refund
from tests.services.histories import make_history
from tests.services.test_settle_orders import Shop


@pytest.fixture
def shop(rt: Runtime, program_id: int) -> Shop:
    return Shop(rt, program_id)


def bought(customer: str, ref: str, amount: str, at: datetime = NOW, **changes: Any) -> OrderSnapshot:
    return make_order(
        order_ref=ref,
        number=f"#{ref}",
        customer_ref=customer,
        goods=eur(amount),
        placed_at=at,
        paid_at=at,
        **{"updated_at": at, **changes},
    )


def member(shop: Shop, customer: str) -> int:
    return found(shop, customer, "member_id")


def identity(shop: Shop, customer: str) -> int:
    return found(shop, customer, "id")


def found(shop: Shop, customer: str, column: str) -> int:
    with shop.rt.db.begin(shop.program_id) as session:
        return int(
            session.scalar(
                f"SELECT {column} FROM identities WHERE {{fence}} AND shop_id = :shop AND customer_ref = :ref",
                shop=shop.shop.shop_id,
                ref=customer,
            )
        )


def account(shop: Shop, account_id: int) -> tuple[int, int, int]:
    """(points, deficit, lifetime points)."""
    with shop.rt.db.begin(shop.program_id) as session:
        row = session.first(
            "SELECT a.points, a.deficit, m.lifetime_points FROM accounts a JOIN members m ON {fence:m} "
            "AND m.program_id = a.program_id AND m.id = a.id WHERE {fence:a} AND a.id = :id",
            id=account_id,
        )
    assert row is not None
    return row.points, row.deficit, row.lifetime_points


def merge(shop: Shop, one: int, other: int) -> Merged:
    with shop.rt.db.begin(shop.program_id) as session:
        merged = merge_members(
            session, shop.rt.vault, one, other, cause="staff", actor="ada", now=shop.rt.now()
        )
    assert merged is not None
    return merged


def undo(shop: Shop, merge_id: int) -> None:
    with shop.rt.db.begin(shop.program_id) as session:
        undo_merge(session, shop.rt.vault, merge_id, now=shop.rt.now())


def test_a_merge_and_its_undo_leave_everybody_as_they_were(shop: Shop) -> None:
    shop.see(bought("7", "a", "40.00"), bought("8", "b", "60.00"))
    seven, eight = member(shop, "7"), member(shop, "8")
    merged = merge(shop, seven, eight)
    assert account(shop, seven) == (100, 0, 100)
    undo(shop, merged.merge_id)
    assert (account(shop, seven), account(shop, eight)) == ((40, 0, 40), (60, 0, 60))
    with pytest.raises(Refused, match="already_undone"):
        undo(shop, merged.merge_id)


@pytest.mark.parametrize(("kept", "gone"), [("7", "8"), ("8", "7")])
def test_an_undo_does_not_part_what_the_shop_has_joined_since(shop: Shop, kept: str, gone: str) -> None:
    """Found by the campaign: a shop made two customers one whose members staff had joined before. When staff undid that,
    the orders of one went back to a member whom the shop does not know."""
    shop.see(bought("7", "a", "40.00"), bought("8", "b", "60.00"), bought("9", "c", "5.00"))
    seven, eight, nine = (member(shop, one) for one in "789")
    earlier = merge(shop, eight, nine)
    merged = merge(shop, seven, eight)
    merge_customers(shop.rt, shop.program_id, identity(shop, kept), identity(shop, gone))
    undo(shop, merged.merge_id)
    undo(shop, earlier.merge_id)
    owner = seven if kept == "7" else eight
    points = {seven: 0, eight: 0, nine: 5} | {owner: 100}
    assert {one: account(shop, one)[0] for one in points} == points
    assert member(shop, "7") == member(shop, "8") == owner
    assert audit(shop.rt, shop.program_id).problems == []
    assert replay(shop.rt, shop.program_id).differences == []


def test_an_undo_does_not_part_a_chain_that_the_shop_has_joined(shop: Shop) -> None:
    """Found by the campaign: the shop made two customers one, then these and a third, all of one member by then. When
    staff undid that, the first went back alone."""
    shop.see(bought("7", "a", "40.00"), bought("8", "b", "60.00"), bought("9", "c", "5.00"))
    seven, eight, nine = (member(shop, one) for one in "789")
    merge(shop, eight, nine)
    merged = merge(shop, seven, eight)
    merge_customers(shop.rt, shop.program_id, identity(shop, "8"), identity(shop, "9"))
    merge_customers(shop.rt, shop.program_id, identity(shop, "7"), identity(shop, "8"))
    undo(shop, merged.merge_id)
    assert [account(shop, one)[0] for one in (seven, eight)] == [105, 0]
    assert {member(shop, one) for one in "789"} == {seven}
    assert audit(shop.rt, shop.program_id).problems == []
    assert replay(shop.rt, shop.program_id).differences == []


def test_an_undo_does_not_part_who_was_nobody_s_when_the_shop_joined_them(shop: Shop) -> None:
    shop.see(bought("7", "a", "40.00"), bought("8", "b", "60.00"))
    seven, eight = member(shop, "7"), member(shop, "8")
    merged = merge(shop, seven, eight)
    with shop.rt.db.begin(shop.program_id) as session:
        key = (shop.program_id, shop.shop.shop_id, "9")
        (nine,) = customers.add_identities(session, [key], now=shop.rt.now()).values()
    merge_customers(shop.rt, shop.program_id, nine.identity_id, identity(shop, "8"))
    undo(shop, merged.merge_id)
    assert member(shop, "9") == member(shop, "8") == eight
    assert [account(shop, one)[0] for one in (seven, eight)] == [40, 60]


def test_an_undo_says_that_the_shop_was_wrong_and_binds_nobody_by_it_any_more(shop: Shop) -> None:
    shop.see(bought("7", "a", "40.00"), bought("8", "b", "60.00"), bought("9", "c", "5.00"))
    seven, eight, nine = (member(shop, one) for one in "789")
    joins = identity(shop, "7"), identity(shop, "8")
    for _ in range(2):  # told twice, it is one merge, and can be undone
        merge_customers(shop.rt, shop.program_id, *joins)
    (merged,) = find_merges(shop.rt, shop.program_id, seven)
    undo(shop, merged.merge_id)
    assert [account(shop, one)[0] for one in (seven, eight)] == [40, 60]
    joined = merge(shop, seven, nine)
    merge_customers(shop.rt, shop.program_id, identity(shop, "9"), identity(shop, "7"))
    again = merge(shop, seven, eight)
    undo(shop, joined.merge_id)
    assert [account(shop, one)[0] for one in (seven, eight, nine)] == [60, 0, 45]
    undo(shop, again.merge_id)
    assert [account(shop, one)[0] for one in (seven, eight, nine)] == [0, 60, 45]
    assert replay(shop.rt, shop.program_id).differences == []


def test_a_merge_by_the_shop_can_be_undone_though_it_goes_on_joining(shop: Shop) -> None:
    shop.see(bought("7", "a", "40.00"), bought("8", "b", "60.00"), bought("9", "c", "5.00"))
    seven, eight, nine = (member(shop, one) for one in "789")
    joined = merge(shop, seven, nine)
    merge_customers(shop.rt, shop.program_id, identity(shop, "7"), identity(shop, "8"))
    merge_customers(shop.rt, shop.program_id, identity(shop, "9"), identity(shop, "7"))
    (merged, _) = find_merges(shop.rt, shop.program_id, seven)
    assert merged.cause == "platform"
    undo(shop, merged.merge_id)
    assert [account(shop, one)[0] for one in (seven, eight)] == [45, 60]
    undo(shop, joined.merge_id)
    assert [account(shop, one)[0] for one in (seven, eight, nine)] == [0, 60, 45]


def test_an_order_that_leaves_a_merged_member_takes_its_points_from_the_winner(
    shop: Shop, clock: Clock
) -> None:
    shop.see(bought("7", "a", "40.00"), bought("8", "b", "60.00"))
    seven, eight = member(shop, "7"), member(shop, "8")
    merged = merge(shop, seven, eight)
    clock.forward(hours=1)
    shop.see(bought("9", "b", "60.00", updated_at=shop.rt.now()))
    nine = member(shop, "9")
    # Not from the account that was closed: nothing would be left there to take, and the winner would keep them.
    assert account(shop, eight) == (0, 0, 60)
    assert account(shop, seven) == (40, 0, 40)
    assert account(shop, nine) == (60, 0, 60)
    undo(shop, merged.merge_id)
    assert [account(shop, one) for one in (seven, eight, nine)] == [(40, 0, 40), (0, 0, 0), (60, 0, 60)]


def test_a_deficit_that_came_in_several_parts_goes_back(rt: Runtime, clock: Clock) -> None:
    document = default_document("Sprig", "EUR", "UTC")
    document["earn"]["hold_days"] = 5
    shop = Shop(rt, make_program(rt, document=document))
    shop.see(bought("7", "c", "50.00"), bought("8", "b", "60.00"))
    seven, eight = member(shop, "7"), member(shop, "8")
    clock.forward(days=6)
    adjust(rt, shop.program_id, eight, -60, reason="spent", actor="ada", request_key="k")
    now = rt.now()
    shop.see(bought("8", "b", "60.00", updated_at=now, refunds=(make_refund("60.00"),)))
    # What the loser owes takes an available and a pending lot of the winner; what it gets back is pending in two.
    shop.see(bought("7", "a", "20.00", at=now), bought("8", "d", "30.00", at=now))
    clock.forward(days=1)
    shop.see(bought("8", "e", "40.00", at=rt.now()))
    assert account(shop, eight) == (10, 60, 70)
    merged = merge(shop, seven, eight)
    assert account(shop, seven)[0] == 80
    undo(shop, merged.merge_id)
    assert (account(shop, seven)[0], account(shop, eight)[0]) == (70, 10)


def test_what_expired_after_a_merge_is_not_taken_twice_by_its_undo(
    shop: Shop, rt: Runtime, clock: Clock
) -> None:
    shop.see(bought("7", "a", "40.00"), bought("8", "b", "60.00"))
    seven, eight = member(shop, "7"), member(shop, "8")
    with rt.db.begin(shop.program_id) as session:
        session.run(
            "UPDATE lots SET expires_at = :soon WHERE {fence} AND account_id = :eight",
            soon=NOW + timedelta(days=1),
            eight=eight,
        )
    merged = merge(shop, seven, eight)
    clock.forward(days=2)
    with rt.db.begin(shop.program_id) as session:
        session.run(
            "UPDATE shops SET reconciled_until = :now, state = 'connected' WHERE {fence}", now=shop.rt.now()
        )
    assert expire_lots(rt, shop.program_id) == 1
    assert account(shop, seven)[0] == 40
    undo(shop, merged.merge_id)
    assert (account(shop, seven)[0], account(shop, eight)[0]) == (40, 60)
    expire_lots(rt, shop.program_id)
    assert (account(shop, seven)[0], account(shop, eight)[0]) == (40, 0)


def rt_now(shop: Shop) -> datetime:
    return shop.rt.now()


def test_what_expired_before_a_merge_is_not_taken_again_by_a_refund(rt: Runtime, clock: Clock) -> None:
    document = default_document("Sprig", "EUR", "UTC")
    document["expiry"] = {"kind": "after_days", "days": 5}
    past = make_history(rt, clock, document)
    past.buy("7", "a", "40.00")
    order = past.buy("8", "b", "60.00")
    seven, eight = past.member("7"), past.member("8")
    clock.forward(days=10)
    past.night()
    past.buy("7", "c", "30.00")
    merged = past.merge(seven, eight)
    past.refund(order, "20.00")
    assert account(past.shop, seven) == (30, 0, 110)
    clock.forward(hours=1)
    past.refund(order, "60.00")
    assert account(past.shop, seven) == (30, 0, 70)
    assert audit(rt, past.program_id).problems == []
    assert replay(rt, past.program_id).differences == []
    assert merged is not None
    past.undo(merged.merge_id)
    assert (account(past.shop, seven), account(past.shop, eight)) == ((30, 0, 70), (0, 0, 0))
    assert audit(rt, past.program_id).problems == []
