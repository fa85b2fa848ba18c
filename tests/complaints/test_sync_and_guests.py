"""Complaints 18 to 21 and 27 of users of other loyalty products: what was lost on the way, guests, edited orders."""

from datetime import timedelta
from typing import Any

from app.services.due_reconciliations import due_reconciliations
from app.services.join_identity import join_identity
from app.services.runtime import Runtime
from tests.complaints.till import Till, make_till
from tests.conftest import Clock
from tests.services.books import get_member
from tests.services.jobs import run_jobs


def time_passes(till: Till, **by: float) -> None:
    """Nobody presses anything: what the clock makes due is done."""
    till.clock.forward(**by)
    due_reconciliations(till.rt)
    run_jobs(till.rt, till.stand.program_id)


def test_complaint_18_messages_that_come_late_doubled_or_in_any_order_end_at_the_truth(till: Till) -> None:
    """A day late, and the last one first: a cancelled order keeps nothing, a refunded one what is left."""
    till.store.deliveries.faults.seed = 3
    till.store.deliveries.faults.delay = till.store.deliveries.faults.reorder = 0.9
    till.store.deliveries.faults.duplicate = 0.5
    till.store.deliveries.faults.longest = timedelta(days=1)
    cancelled, refunded = till.place("120.00"), till.place("50.00", pieces=2)
    for order in (cancelled, refunded):
        till.clock.forward(minutes=2)
        till.store.pay(order)
    till.clock.forward(minutes=2)
    till.store.cancel(cancelled)
    till.refund(refunded, 1)
    for _ in range(13):
        till.clock.forward(hours=2)
        till.arrive()
    assert till.store.deliveries.pending() == []
    assert (till.worth(cancelled), till.worth(refunded), till.available) == (0, 50, 50)


def test_complaint_18_messages_that_never_come_cost_time_and_no_points(till: Till) -> None:
    """Reconciliation comes by itself, every ten minutes, and says what it repaired."""
    bought, refunded = till.place("120.00"), till.buy("50.00", pieces=2)
    till.store.pay(bought)
    till.refund(refunded, 1)
    assert till.stand.lose_all() > 0
    time_passes(till, hours=1)
    assert (till.worth(bought), till.worth(refunded), till.available) == (120, 50, 170)
    assert {repair.cause for repair in till.stand.repairs()} == {"webhook_missed"}


def test_complaint_19_webhooks_that_were_switched_off_are_found_and_made_up_for(woo: Till) -> None:
    """WooCommerce switches webhooks off after failures, untold: orders come all the same, and they are on again."""
    for hook in woo.store.webhooks.values():
        hook.status = "disabled"
    order = woo.buy("120.00")
    assert woo.available == 0
    time_passes(woo, minutes=11)
    assert (woo.worth(order), woo.available) == (120, 120)
    time_passes(woo, hours=24)
    assert {hook.status for hook in woo.store.webhooks.values()} == {"active"}
    woo.buy("30.00")
    assert woo.available == 150


def test_complaint_20_no_order_is_missed_however_old_and_nobody_must_press_sync(till: Till) -> None:
    """Orders of 300 days ago, from when the shop counts, are read by the first reconciliation."""
    old = till.place("120.00", placed_at=till.clock.at - timedelta(days=300))
    recent = till.place("30.00", placed_at=till.clock.at - timedelta(days=61))
    for order in (old, recent):
        till.store.pay(order)
    till.stand.lose_all()
    time_passes(till, minutes=11)
    assert (till.worth(old), till.worth(recent), till.available) == (120, 30, 150)


def test_complaint_21_a_guests_orders_earn_and_wait_for_whoever_proves_the_address(till: Till) -> None:
    """Bought without an account; with one later, whose address is proven, the points are there."""
    order = till.buy("120.00", guest="Bob@example.test")
    assert (till.worth(order), till.stand.row(order.id).target_points) == (0, 120)
    assert till.available == 0
    bob = str(_register(till, "bob@example.test").id)
    if till.is_woo:
        assert till.worth(order) == 0  # anybody may register with any address there
        _prove(till, bob)
    assert (till.worth(order), till.stand.balance(bob)) == (120, 120)
    till.refund(order, 1)
    till.arrive()
    assert till.stand.balance(bob) == 0


def test_complaint_21_guests_of_two_shops_on_two_platforms_are_one_balance(rt: Runtime, clock: Clock) -> None:
    here = make_till(rt, clock, "shopify")
    there = make_till(rt, clock, "woocommerce", here.stand.program_id)
    for till in (here, there):
        till.buy("60.00", guest="bob@example.test")
    bob = str(_register(here, "bob@example.test").id)
    member_id = get_member(rt, here.stand.program_id, here.stand.shop.shop_id, bob)
    here.member_id = member_id
    assert here.available == 120


def test_complaint_27_points_follow_an_order_that_staff_edited(till: Till) -> None:
    """Goods added and taken away: what counts is what is left, and taken back to nothing it is nothing."""
    order = till.buy("30.00", pieces=2)
    more = till.store.product("More", "15.50")
    if till.is_woo:
        line = till.store.add_line(order, more, 2)
        till.arrive()
        assert till.worth(order) == 91
        till.store.remove_line(order, line)
        till.store.set_quantity(order, order.lines[0], 1)
    else:
        till.store.edit(order, add=[(more, 2)])
        till.store.pay(order)
        till.arrive()
        assert till.worth(order) == 91
        till.store.edit(order, remove={order.lines[0].id: 1, order.lines[1].id: 2})
    till.arrive()
    assert (till.worth(order), till.available) == (30, 30)
    till.assert_true()


def _register(till: Till, email: str) -> Any:
    """Somebody makes an account at the shop, and the shop tells."""
    if not till.is_woo:
        till.store.subscribe("customers/create", till.store.app.webhook_uri, by_api=False)
    customer = till.store.create_customer(email, "Bob", "Smith")
    till.arrive()
    return customer


def _prove(till: Till, customer_ref: str) -> None:
    """The shopper follows the link that Laurel mailed."""
    (row,) = till.stand.sql(
        "UPDATE identities SET email_verified = true WHERE {fence} AND shop_id = :shop AND customer_ref = :ref "
        "RETURNING id",
        shop=till.stand.shop.shop_id,
        ref=customer_ref,
    )
    join_identity(till.rt, till.stand.program_id, row.id)
