"""From when a shop's orders count can be changed: told before what it costs, then counted again to the point."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.db import previews, programs
from app.domain.errors import Refused
from app.domain.program import default_document
from app.services.ask_counting import ask_counting, find_counting
from app.services.drain_inbox import drain_inbox
from app.services.preview_counting import preview_counting
from app.services.recount import recount
from app.services.runtime import Runtime
from app.services.set_counting import set_counting
from sandbox.faults import FaultKind
from tests.conftest import NOW, Clock, make_program
from tests.services.jobs import run_jobs
from tests.services.stands import Stand, shopify_stand, woo_stand


@pytest.fixture
def woo(rt: Runtime, clock: Clock) -> Stand:
    """Ann ordered for 600 ten days before the shop was connected (nobody told us) and for 40 the day after."""
    stand = woo_stand(rt, clock, make_program(rt, currency="USD"), counts_from=NOW)
    ann = stand.store.create_customer("ann@example.test")
    clock.forward(days=-10)
    buy(stand, ann, 600)
    stand.lose_all()
    clock.forward(days=11)
    buy(stand, ann, 40)
    stand.deliver_all()
    return stand


def buy(stand: Stand, customer: Any, price: int, **more: Any) -> Any:
    store = stand.store
    order = store.create_order([(store.product(f"Thing {price}", price), 1)], customer=customer, **more)
    store.pay(order)
    return order


def balances(stand: Stand) -> dict[int, int]:
    return {row.id: row.points for row in stand.sql("SELECT id, points FROM accounts WHERE {fence}")}


def change(stand: Stand, counts_from: datetime | None = None, *, tests: bool | None = None) -> None:
    set_counting(
        stand.rt,
        stand.program_id,
        stand.shop.shop_id,
        counts_from=counts_from,
        counts_test_orders=tests,
        actor="staff:1",
    )
    run_jobs(stand.rt, stand.program_id)


def test_a_preview_is_exact_and_writes_nothing(woo: Stand) -> None:
    before = balances(woo)
    tables = ("orders", "entries", "accounts", "members", "identities")
    counted = [woo.sql(f"SELECT count(*) AS n FROM {table} WHERE {{fence}}")[0].n for table in tables]
    preview = preview_counting(woo.rt, woo.program_id, woo.shop.shop_id, counts_from=NOW - timedelta(days=30))
    # 600 for the older order; it makes the later one a silver member's: 50 in place of 40.
    assert preview.total == 610
    assert preview.read_at_shop == 1
    assert preview.only_held is None
    assert balances(woo) == before
    assert [woo.sql(f"SELECT count(*) AS n FROM {table} WHERE {{fence}}")[0].n for table in tables] == counted
    assert woo.shop_row().counts_from == NOW
    change(woo, NOW - timedelta(days=30))
    gained = {member: points - before[member] for member, points in balances(woo).items()}
    assert gained == preview.members


def test_a_job_works_the_preview_out_and_says_how_far_it_is(woo: Stand, clock: Clock) -> None:
    shop_id = woo.shop.shop_id
    preview_id = ask_counting(
        woo.rt, woo.program_id, shop_id, counts_from=NOW - timedelta(days=30), counts_test_orders=False
    )
    assert find_counting(woo.rt, woo.program_id, shop_id, preview_id).waits
    seen = []
    keep = previews.note_looked

    def note(session: Any, number: int, looked_at: int) -> None:
        keep(session, number, looked_at)
        seen.append(looked_at)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(previews, "note_looked", note)
        run_jobs(woo.rt, woo.program_id)
    assert set(seen) == {2}
    asked = find_counting(woo.rt, woo.program_id, shop_id, preview_id)
    assert asked.cost is not None
    assert (asked.looked_at, asked.cost.total, asked.cost.read_at_shop, asked.cost.changing) == (2, 610, 1, 1)
    with pytest.raises(Refused, match="not_found"):
        find_counting(woo.rt, woo.program_id, shop_id + 1, preview_id)
    clock.forward(days=2)
    ask_counting(woo.rt, woo.program_id, shop_id, counts_from=NOW, counts_test_orders=False)
    with pytest.raises(Refused, match="not_found"):
        find_counting(woo.rt, woo.program_id, shop_id, preview_id)


@pytest.mark.parametrize("too_many", [True, False])
def test_a_preview_that_cannot_be_says_why_and_is_not_tried_again(
    woo: Stand, monkeypatch: pytest.MonkeyPatch, too_many: bool
) -> None:
    shop_id = woo.shop.shop_id
    if too_many:
        monkeypatch.setattr("app.services.preview_counting._MOST", 0)
    else:
        woo.store.faults.add("orders_changed", FaultKind.UNAVAILABLE, times=9)
    preview_id = ask_counting(
        woo.rt, woo.program_id, shop_id, counts_from=NOW - timedelta(days=30), counts_test_orders=False
    )
    run_jobs(woo.rt, woo.program_id)
    asked = find_counting(woo.rt, woo.program_id, shop_id, preview_id)
    assert asked.problem is not None
    assert ("choose a later date" if too_many else "does not answer") in asked.problem
    assert woo.jobs("try_counting") == []


def test_who_joins_by_a_back_fill_is_counted_before(rt: Runtime, clock: Clock) -> None:
    stand = woo_stand(rt, clock, make_program(rt, currency="USD"), counts_from=NOW)
    clock.forward(days=-10)
    order = buy(stand, stand.store.create_customer("bob@example.test"), 70)
    clock.forward(days=11)
    # Told late: known, and worth nothing.
    stand.deliver_all()
    assert stand.worth(order.id) == [0]
    assert stand.row(order.id).excluded == "before_start"
    preview = preview_counting(
        stand.rt, stand.program_id, stand.shop.shop_id, counts_from=NOW - timedelta(days=30)
    )
    assert (preview.joining, preview.joining_points, preview.members) == (1, 70, {})
    change(stand, NOW - timedelta(days=30))
    assert stand.worth(order.id) == [70]
    assert stand.balance(str(order.customer_id)) == 70


def test_counting_from_later_takes_back_what_was_before(woo: Stand) -> None:
    member, points = next(iter(balances(woo).items()))
    assert points == 40
    preview = preview_counting(woo.rt, woo.program_id, woo.shop.shop_id, counts_from=NOW + timedelta(days=5))
    assert preview.members == {member: -40}
    change(woo, NOW + timedelta(days=5))
    assert balances(woo) == {member: 0}
    change(woo, NOW)
    assert balances(woo) == {member: 40}


def test_a_shop_that_may_not_be_called_is_previewed_from_what_we_hold(woo: Stand) -> None:
    woo.sql("UPDATE shops SET access_problem = 'gone' WHERE {fence}")
    preview = preview_counting(woo.rt, woo.program_id, woo.shop.shop_id, counts_from=NOW - timedelta(days=30))
    assert preview.total == 0
    assert preview.only_held


def test_test_orders_count_only_when_they_are_said_to(rt: Runtime, clock: Clock) -> None:
    stand = shopify_stand(rt, clock, make_program(rt, currency="USD"))
    ann = stand.store.create_customer("ann@example.test")
    order = stand.store.create_order(
        [(stand.store.product("Mug", 40), 1)], customer=ann, test=True, paid=True
    )
    stand.deliver_all()
    assert stand.worth(order.id) == [0]
    assert stand.row(order.id).excluded == "test_order"
    preview = preview_counting(stand.rt, stand.program_id, stand.shop.shop_id, counts_test_orders=True)
    assert preview.total == 40
    change(stand, tests=True)
    assert stand.worth(order.id) == [40]
    change(stand, tests=False)
    assert stand.worth(order.id) == [0]


def test_what_a_preview_says_of_refunds_is_read_with_their_lines(woo: Stand, clock: Clock) -> None:
    clock.at = NOW - timedelta(days=10)
    ann = next(iter(woo.store.customers.values()))
    order = buy(woo, ann, 100, shipping=20)
    woo.store.refund(order, shipping=20)  # without its lines, it would pass for goods
    woo.lose_all()
    clock.at = NOW + timedelta(days=2)
    preview = preview_counting(woo.rt, woo.program_id, woo.shop.shop_id, counts_from=NOW - timedelta(days=30))
    before = balances(woo)
    change(woo, NOW - timedelta(days=30))
    assert {member: points - before[member] for member, points in balances(woo).items()} == preview.members
    assert woo.worth(order.id) == [125]  # the 600 of the same day lie before it


def test_orders_held_for_a_rate_are_counted_when_there_is_one(woo: Stand, clock: Clock) -> None:
    ann = next(iter(woo.store.customers.values()))
    orders = [buy(woo, ann, 3000, currency="JPY") for _ in range(3)]
    woo.deliver_all()
    assert woo.worth(*(order.id for order in orders)) == [0, 0, 0]
    assert {woo.row(order.id).held_reason for order in orders} == {"no_rate"}
    assert recount(woo.rt, woo.program_id, woo.shop.shop_id) == 3
    document = default_document("Sprig", "USD", "UTC")
    document["currencies"] = {"JPY": {"spend_minor": 100, "program_minor": 65}}
    with woo.rt.db.begin(woo.program_id) as session:
        programs.add_version(session, document, by="staff:1", note="yen", now=clock.at)
    assert recount(woo.rt, woo.program_id) == 3
    assert woo.worth(*(order.id for order in orders)) == [30, 30, 30]
    assert recount(woo.rt, woo.program_id) == 0


def test_a_recount_keeps_owners_and_guests_as_they_are(rt: Runtime, clock: Clock) -> None:
    stand = woo_stand(rt, clock, make_program(rt, currency="USD"))
    ann = stand.store.create_customer("ann@example.test")
    hers, guests = buy(stand, ann, 40), buy(stand, None, 50)
    stand.deliver_all()
    before = balances(stand)
    change(stand, NOW + timedelta(days=1))
    assert stand.worth(hers.id) == [0]
    change(stand, NOW - timedelta(days=1))
    assert balances(stand) == before
    assert stand.worth(hers.id, guests.id) == [40, 0]
    assert stand.row(guests.id).target_points == 50
    assert stand.row(guests.id).member_id is None


def test_many_orders_are_recounted_in_batches(woo: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.recount.BATCH", 7)
    ann = next(iter(woo.store.customers.values()))
    for _ in range(30):
        buy(woo, ann, 3)
    woo.store.deliveries.run()
    drain_inbox(woo.rt)
    (before,) = balances(woo).values()
    change(woo, NOW + timedelta(days=5))
    assert list(balances(woo).values()) == [0]
    change(woo, NOW)
    assert list(balances(woo).values()) == [before]


def test_a_shop_that_left_stays_frozen(woo: Stand) -> None:
    woo.sql("UPDATE shops SET state = 'uninstalled' WHERE {fence}")
    change(woo, NOW + timedelta(days=5))
    assert list(balances(woo).values()) == [40]


def test_nothing_changed_is_nothing_done(woo: Stand) -> None:
    set_counting(
        woo.rt, woo.program_id, woo.shop.shop_id, counts_from=NOW, counts_test_orders=False, actor="staff:1"
    )
    assert woo.jobs("recount") == []
