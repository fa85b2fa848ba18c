"""Whatever is lost on the way from a shop, reconciliation finds it, puts the ledger right and says what it was."""

import random
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

import app.services.reconcile_shop as reconcile_module
from app.domain.errors import AccessLost, Refused, Retryable
from app.services.drift_report import drift_report
from app.services.reconcile_run import Progress, Run
from app.services.reconcile_shop import Reconciled, reconcile_shop
from app.services.runtime import Runtime
from connectors.http import Http, StandIn
from sandbox.authority import Authority
from sandbox.faults import FaultKind
from sandbox.serve import Served
from tests.conftest import Clock, make_program
from tests.services.stands import Stand, shopify_stand, woo_stand


def reconcile(stand: Stand, kind: str = "changed", **more: Any) -> Reconciled:
    return reconcile_shop(stand.rt, stand.program_id, stand.shop.shop_id, kind, **more)


def both(stand: Stand) -> list[str]:
    """Everything that orders can be compared by; the causes found, in order."""
    found = [*reconcile(stand).repairs, *reconcile(stand, "digests").repairs]
    return [repair.cause for repair in found]


@pytest.fixture
def woo(rt: Runtime, clock: Clock) -> Stand:
    stand = woo_stand(rt, clock, make_program(rt, currency="USD"))
    clock.forward(hours=1)  # the shop was connected before anything happened
    return stand


@pytest.fixture
def shopify(rt: Runtime, clock: Clock) -> Stand:
    stand = shopify_stand(rt, clock, make_program(rt, currency="USD"))
    clock.forward(hours=1)
    return stand


def paid_order(stand: Stand, price: int = 40, quantity: int = 1, email: str = "ann@example.test") -> Any:
    store = stand.store
    known = [customer for customer in store.customers.values() if customer.email == email]
    customer = known[0] if known else store.create_customer(email)
    order = store.create_order([(store.product(f"Mug {price}", price), quantity)], customer=customer)
    store.pay(order)
    return order


# --- Webhooks that never come ------------------------------------------------------------------------------


def woo_story(stand: Stand, clock: Clock, chance: random.Random, told: bool) -> list[str]:
    """A shop's fortnight, the same for the same seed; `told`: every webhook arrives in time.

    Nothing comes back from the trash: that an order was there for a while, nobody can tell afterwards.
    """
    shop, live = stand.store, []
    people = [shop.create_customer(f"{name}@example.test") for name in ("ann", "bob")]
    for _ in range(25):
        clock.forward(hours=chance.randint(1, 20), seconds=chance.randint(0, 59))
        match chance.choice(("order", "order", "order", "refund", "cancel", "edit", "trash")):
            case "order":
                order = shop.create_order(
                    [(shop.product("Mug", 30), chance.randint(1, 4)), (shop.product("Rug", 215), 1)],
                    customer=chance.choice(people),
                )
                shop.pay(order)
                live.append(order)
            case "refund" if live and (order := chance.choice(live)).total > order.refunded:
                shop.refund(order, amount=min(20, order.total - order.refunded))
            case "cancel" if live and (order := chance.choice(live)).status != "trash":
                shop.cancel(order)
            case "edit" if live and not (order := chance.choice(live)).refunds:
                shop.add_line(order, shop.product("Pin", 7))
            case "trash" if live and (order := chance.choice(live)).status != "trash":
                shop.trash(order)
        if told:
            stand.deliver_all()
    return [str(order.id) for order in live]


@pytest.mark.parametrize("seed", range(5))
def test_when_no_webhook_ever_came_each_order_is_worth_what_it_would_have_been(
    rt: Runtime, clock: Clock, seed: int
) -> None:
    began = clock.at
    told = woo_stand(rt, clock, make_program(rt, currency="USD"))
    refs = woo_story(told, clock, random.Random(seed), told=True)  # noqa: S311
    ended, clock.at = clock.at, began
    untold = woo_stand(rt, clock, make_program(rt, currency="USD"))
    assert woo_story(untold, clock, random.Random(seed), told=False) == refs  # noqa: S311
    assert clock.at == ended
    assert untold.lose_all() > 0
    clock.forward(hours=1)
    both(untold)
    late = " ".join(one.detail for one in untold.repairs() if "Learnt late" in one.detail)
    differ = [ref for ref in refs if told.points(ref) != untold.points(ref)]
    # Terms never move down: where a tier came from what nobody told of yet, the report names the order.
    assert [ref for ref in differ if f"#{ref} " not in late] == []
    assert [untold.held(ref).state for ref in refs] == [told.held(ref).state for ref in refs]
    assert both(untold) == []


def test_a_lost_order_is_found_and_the_repair_says_so(woo: Stand, clock: Clock) -> None:
    order = paid_order(woo, 40)
    woo.lose_all()
    clock.forward(hours=1)
    done = reconcile(woo)
    assert woo.worth(order.id) == [40]
    (repair,) = done.repairs
    assert repair.cause == "webhook_missed"
    assert repair.points == 40
    assert repair.detail == (
        f"#{order.id}: first seen now, changed at 2026-11-22 13:00:00 UTC and no delivery of it arrived."
    )
    assert reconcile(woo).repairs == ()


def test_a_lost_order_puts_the_subscriptions_in_doubt(woo: Stand, clock: Clock) -> None:
    """WooCommerce switches a webhook off after a few failures in a row; an hour of ours is enough."""
    reconcile(woo)
    assert woo.jobs("reconcile_shop") == []
    paid_order(woo, 40)
    woo.lose_all()
    clock.forward(hours=1)
    reconcile(woo)
    assert [job["kind"] for job in woo.jobs("reconcile_shop")] == ["webhooks"]


def test_a_lost_refund_is_found_with_its_lines(woo: Stand, clock: Clock) -> None:
    order = paid_order(woo, 40, quantity=2)
    woo.deliver_all()
    clock.forward(hours=1)
    woo.store.refund(order, {order.lines[0].id: 1})
    woo.lose_all()
    clock.forward(hours=1)
    assert [repair.cause for repair in reconcile(woo).repairs] == ["webhook_missed"]
    assert woo.worth(order.id) == [40]
    assert all(refund.exact for refund in woo.held(order.id).refunds)


def test_shopifys_lost_webhooks_are_made_up_for(shopify: Stand, clock: Clock) -> None:
    kept, refunded, cancelled = (paid_order(shopify, price) for price in (40, 50, 60))
    clock.forward(minutes=5)
    shopify.store.refund(refunded, {refunded.lines[0].id: 1})
    shopify.store.cancel(cancelled)
    shopify.lose_all()
    clock.forward(hours=1)
    done = reconcile(shopify)
    assert shopify.worth(kept.id, refunded.id, cancelled.id) == [40, 0, 0]
    assert {repair.cause for repair in done.repairs} == {"webhook_missed"}
    assert both(shopify) == []


def test_a_webhook_that_is_only_late_is_not_called_missed(woo: Stand, clock: Clock) -> None:
    paid_order(woo)
    clock.forward(minutes=2)
    done = reconcile(woo)
    assert [repair.cause for repair in done.repairs] == ["webhook_late"]
    assert done.amiss == ()
    woo.deliver_all()
    assert both(woo) == []
    clock.forward(hours=1)
    assert both(woo) == []


def test_a_webhook_that_is_late_for_good_is_called_missed(woo: Stand, clock: Clock) -> None:
    """Comparing every ten minutes finds each lost one while it may still come."""
    order = paid_order(woo)
    causes = []
    for _ in range(8):
        clock.forward(minutes=10)
        done = reconcile(woo)
        causes += [(repair.cause, repair.points) for repair in done.amiss]
    woo.lose_all()
    assert causes == [("webhook_missed", 0)]
    late, missed = woo.repairs()
    assert (late.cause, late.points) == ("webhook_late", 40)
    assert missed.detail == (
        f"#{order.id}: read at the shop at 2026-11-22 13:10:00 UTC, and no delivery of it has arrived since."
    )
    assert not drift_report(woo.rt, woo.program_id).zero_drift


def test_of_two_late_webhooks_the_last_decides(woo: Stand, clock: Clock) -> None:
    order = paid_order(woo, 40, quantity=2)
    clock.forward(minutes=2)
    reconcile(woo)
    woo.deliver_all()
    woo.store.refund(order, {order.lines[0].id: 1})
    clock.forward(minutes=2)
    assert [repair.cause for repair in reconcile(woo).repairs] == ["webhook_late"]
    woo.lose_all()
    clock.forward(minutes=30)
    assert [repair.cause for repair in reconcile(woo).repairs] == ["webhook_missed"]
    assert reconcile(woo).repairs == ()


def test_a_delivery_that_waits_or_was_set_aside_is_named(woo: Stand, clock: Clock) -> None:
    waits, failed = paid_order(woo, 40), paid_order(woo, 50)
    woo.store.deliveries.run()
    clock.forward(hours=1)
    woo.sql(
        "UPDATE inbox SET state = 'failed', reason = 'our fault' WHERE {fence} AND id IN "
        "(SELECT max(id) FROM inbox WHERE {fence} AND topic LIKE 'order%')"
    )
    repairs = {repair.cause: repair for repair in reconcile(woo).repairs}
    assert set(repairs) == {"delivery_waits", "delivery_failed"}
    assert f"#{waits.id}:" in repairs["delivery_waits"].detail
    assert f"#{failed.id}:" in repairs["delivery_failed"].detail
    assert "our fault" in repairs["delivery_failed"].detail


def test_what_was_there_before_the_shop_was_connected_is_no_repair(rt: Runtime, clock: Clock) -> None:
    stand = woo_stand(rt, clock, make_program(rt, currency="USD"))
    clock.forward(days=-3)
    order = paid_order(stand, 40)
    clock.forward(days=4)
    assert reconcile(stand).repairs == ()
    assert stand.worth(order.id) == [40]


def test_an_order_only_saved_again_is_no_repair(woo: Stand, clock: Clock) -> None:
    order = paid_order(woo)
    woo.deliver_all()
    clock.forward(hours=1)
    woo.store.touch(order)
    woo.lose_all()
    clock.forward(hours=1)
    assert both(woo) == []


# --- What the shop tells nobody ----------------------------------------------------------------------------


def test_an_order_whose_customer_was_merged_into_another_follows_though_nobody_told(
    shopify: Stand, clock: Clock
) -> None:
    order = paid_order(shopify, email="old@example.test")
    kept_one = paid_order(shopify, price=25, email="new@example.test")
    shopify.deliver_all()
    by_email = {customer.email: customer for customer in shopify.store.customers.values()}
    kept, gone = by_email["new@example.test"], by_email["old@example.test"]
    clock.forward(minutes=5)
    shopify.store.merge_customers(kept, gone)
    shopify.lose_all()
    clock.forward(hours=1)
    assert owner(shopify, order.id) != owner(shopify, kept_one.id)
    reconcile(shopify, "digests")
    assert owner(shopify, order.id) == owner(shopify, kept_one.id) == member_of(shopify, kept.id)
    assert reconcile(shopify, "digests").repairs == ()


def owner(stand: Stand, order_id: int) -> Any:
    with stand.rt.db.begin(stand.program_id) as session:
        return session.scalar(
            "SELECT member_id FROM orders WHERE {fence} AND order_ref = :ref", ref=str(order_id)
        )


def member_of(stand: Stand, customer_id: int) -> Any:
    with stand.rt.db.begin(stand.program_id) as session:
        return session.scalar(
            "SELECT member_id FROM identities WHERE {fence} AND customer_ref = :ref", ref=str(customer_id)
        )


@pytest.mark.parametrize("kind", ["changed", "digests"])
def test_a_deleted_refund_gives_the_points_back(woo: Stand, clock: Clock, kind: str) -> None:
    order = paid_order(woo, 40)
    clock.forward(minutes=1)
    refund = woo.store.refund(order, amount=40)
    woo.deliver_all()
    assert woo.worth(order.id) == [0]
    woo.store.delete_refund(order, refund)
    clock.forward(hours=1)
    (repair,) = reconcile(woo, kind).repairs  # its date of change did not move: only its facts differ
    assert (repair.cause, repair.points) == ("refund_deleted", 40)
    assert woo.worth(order.id) == [40]


def test_a_refund_whose_amount_changed_is_read_again(woo: Stand, clock: Clock) -> None:
    order = paid_order(woo, 40)
    woo.store.refund(order, amount=10)
    woo.deliver_all()
    clock.forward(hours=1)
    assert both(woo) == []  # what is listed is remembered now
    clock.forward(days=1)
    (refund,) = order.refunds
    refund.__class__.amount.__set__(refund, refund.amount + 5)  # a plugin wrote into the shop's tables
    (repair,) = reconcile(woo, "digests").repairs
    assert (repair.cause, repair.points) == ("refund_changed", -5)


def test_an_order_deleted_for_good_keeps_no_points(woo: Stand, clock: Clock) -> None:
    order = paid_order(woo, 40)
    woo.deliver_all()
    woo.store.force_delete(order)
    clock.forward(hours=1)
    (repair,) = reconcile(woo, "digests").repairs
    assert (repair.cause, repair.points) == ("order_deleted", -40)
    assert woo.worth(order.id) == [0]
    clock.forward(days=1)
    assert both(woo) == []


def test_an_order_that_grew_old_while_nobody_compared_is_looked_at_once_more(
    woo: Stand, clock: Clock
) -> None:
    """Found by the campaign: deleted for good in months without one comparison, it was too old for the next."""
    order = paid_order(woo, 40)
    woo.deliver_all()
    clock.forward(hours=1)
    assert both(woo) == []
    clock.forward(days=40)
    woo.store.force_delete(order)
    clock.forward(days=100)
    (repair,) = reconcile(woo, "digests").repairs
    assert (repair.cause, repair.points) == ("order_deleted", -40)


def test_the_trash_and_back_are_followed(woo: Stand, clock: Clock) -> None:
    order = paid_order(woo, 40)
    woo.deliver_all()
    for act, points in ((woo.store.trash, 0), (woo.store.restore, 40)):
        clock.forward(hours=1)
        act(order)
        woo.lose_all()
        clock.forward(hours=1)
        assert [repair.cause for repair in reconcile(woo).repairs] == ["webhook_missed"]
        assert woo.worth(order.id) == [points]


def test_a_draft_that_never_was_an_order_is_not_kept(woo: Stand, clock: Clock) -> None:
    store = woo.store
    draft = store.create_order([(store.product("Mug", 9), 1)], status="checkout-draft")
    clock.forward(hours=1)
    assert reconcile(woo).looked_at == 1
    assert not woo.knows(draft.id)


# --- What our access does not reach ------------------------------------------------------------------------


def test_an_order_outside_the_readable_window_stays_and_is_shown(rt: Runtime, clock: Clock) -> None:
    program_id = make_program(rt, currency="USD")
    stand = shopify_stand(rt, clock, program_id, scopes=("read_orders", "write_discounts"))
    old, young = paid_order(stand, 40), None
    stand.deliver_all()
    clock.forward(days=61)
    young = paid_order(stand, 50)
    stand.deliver_all()
    stand.sql("UPDATE orders SET reread_wanted = reread_wanted + 1 WHERE {fence}")
    stand.store.delete(young)
    stand.lose_all()
    stand.reread()
    assert stand.worth(old.id, young.id) == [40, 0]
    assert "60 days" in (stand.row(old.id).unreadable or "")
    assert stand.row(old.id).reread_wanted == stand.row(old.id).reread_done
    (shown,) = drift_report(stand.rt, program_id).shops[0].waiting
    assert (shown.kind, shown.orders) == ("unreadable", 1)


def test_a_scope_taken_away_since_does_not_void_what_it_showed(shopify: Stand, clock: Clock) -> None:
    order = paid_order(shopify, 40)
    shopify.deliver_all()
    clock.forward(days=70)
    shopify.store.app.scopes.remove("read_all_orders")
    shopify.sql("UPDATE orders SET reread_wanted = reread_wanted + 1 WHERE {fence}")
    shopify.reread()
    assert shopify.worth(order.id) == [40]
    assert shopify.shop_row().reads_orders_days == 60
    assert reconcile(shopify, "digests").repairs == ()


def test_an_order_that_cannot_be_understood_is_shown_once_and_does_not_stop_the_rest(
    woo: Stand, clock: Clock
) -> None:
    odd, fine = paid_order(woo, 40), paid_order(woo, 50)
    odd.currency = "XXQ"
    clock.forward(hours=1)
    causes = [(repair.cause, repair.subject) for repair in reconcile(woo).repairs]
    assert ("not_understood", f"order_ref:{odd.id}") in causes
    assert woo.worth(fine.id) == [50]
    assert reconcile(woo).repairs == ()
    odd.currency = "USD"
    clock.forward(days=2)
    woo.reread()
    assert woo.worth(odd.id) == [40]


# --- Broken off, at once, too often ------------------------------------------------------------------------


def test_access_lost_in_the_middle_is_shown_and_goes_on_when_connected_again(
    woo: Stand, clock: Clock
) -> None:
    orders = [paid_order(woo, 3) for _ in range(130)]
    woo.lose_all()
    clock.forward(hours=1)
    before = woo.shop_row().reconciled_until
    calls: list[Progress] = []

    def revoke_after_a_page(progress: Progress) -> None:
        calls.append(progress)
        for key in woo.store.keys.values():
            key.revoked = True

    with pytest.raises(AccessLost):
        reconcile(woo, watch=revoke_after_a_page)
    assert [call.looked_at for call in calls] == [100]
    shop = woo.shop_row()
    assert shop.access_problem
    assert shop.reconciled_until == before
    (drift,) = drift_report(woo.rt, woo.program_id).shops
    assert drift.not_callable
    assert drift.broken == 1
    assert "lets us in no more" in (drift.last["changed"].problem or "")
    with pytest.raises(Refused, match="not_callable"):
        reconcile(woo)
    for key in woo.store.keys.values():
        key.revoked = False
    woo.sql("UPDATE shops SET access_problem = NULL WHERE {fence}")
    assert len(reconcile(woo).repairs) == 30
    assert sum(woo.worth(*(order.id for order in orders))) == 390


@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT_BEFORE, FaultKind.SERVER_ERROR, FaultKind.MALFORMED])
def test_a_shop_that_does_not_answer_is_asked_again(woo: Stand, clock: Clock, kind: FaultKind) -> None:
    order = paid_order(woo, 40)
    woo.lose_all()
    clock.forward(hours=1)
    woo.store.faults.add("orders_changed", kind, times=3)
    with pytest.raises(Retryable):
        reconcile(woo)
    assert woo.shop_row().access_problem is None
    assert woo.shop_row().reconciled_until is None
    assert len(reconcile(woo).repairs) == 1
    assert woo.worth(order.id) == [40]
    assert woo.shop_row().reconciled_until == clock.at


@pytest.mark.parametrize("dies", [False, True])
def test_what_a_run_marked_before_it_broke_off_is_told_as_its_repair(
    woo: Stand, clock: Clock, dies: bool
) -> None:
    order = paid_order(woo, 40)
    woo.deliver_all()
    woo.store.force_delete(order)
    clock.forward(hours=1)

    def end(*_: Any) -> None:
        raise KeyboardInterrupt if dies else Retryable("the shop stopped answering")

    with pytest.MonkeyPatch.context() as patch, pytest.raises((Retryable, KeyboardInterrupt)):
        patch.setattr(Run, "read", end)
        reconcile(woo, "digests")
    assert woo.repairs() == []
    woo.reread()  # the job, before any run goes on
    (repair,) = woo.repairs()
    assert (repair.cause, repair.points) == ("order_deleted", -40)
    assert reconcile(woo, "digests").repairs == ()
    assert [one.cause for one in woo.repairs()] == ["order_deleted"]


def test_a_run_whose_process_died_is_shown_as_broken_off_and_gone_on_with(woo: Stand, clock: Clock) -> None:
    for _ in range(150):
        paid_order(woo, 10)
    woo.deliver_all()
    clock.forward(hours=1)

    def end_of_process(what: Any = None, **_: Any) -> None:
        if not isinstance(what, Progress) or what.looked_at > 100:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(reconcile_module, "_end", end_of_process)
        reconcile(woo, "digests", watch=end_of_process)
    clock.forward(minutes=5)
    assert reconcile(woo, "digests").looked_at == 50
    runs = woo.sql("SELECT problem, finished_at FROM reconciliations WHERE {fence} ORDER BY id")
    assert [bool(run.problem) for run in runs] == [True, False]
    assert all(run.finished_at for run in runs)


def test_digests_go_on_where_they_broke_off(woo: Stand, clock: Clock) -> None:
    for _ in range(150):
        paid_order(woo, 10)
    woo.deliver_all()
    clock.forward(hours=1)
    seen: list[Progress] = []

    def fail_after_a_page(progress: Progress) -> None:
        seen.append(progress)
        woo.store.faults.add("read_orders", FaultKind.UNAVAILABLE)

    with pytest.raises(Retryable):
        reconcile(woo, "digests", watch=fail_after_a_page)
    assert [(one.looked_at, one.total) for one in seen] == [(100, 150)]
    clock.forward(minutes=5)
    assert reconcile(woo, "digests").looked_at == 50
    clock.forward(days=1)
    assert reconcile(woo, "digests").looked_at == 150


@pytest.mark.race
def test_two_reconciliations_at_once_repair_each_order_once(woo: Stand, clock: Clock) -> None:
    orders = [paid_order(woo, 10) for _ in range(20)]
    for order in orders[:10]:
        woo.store.refund(order, {order.lines[0].id: 1})
    woo.lose_all()
    clock.forward(hours=1)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            reconcile(woo)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert woo.worth(*(order.id for order in orders)) == [0] * 10 + [10] * 10
    assert len([one for one in woo.repairs() if one.cause == "webhook_missed"]) == 20
    assert sum(one.points for one in woo.repairs()) == 100


# --- How far back --------------------------------------------------------------------------------------------


def test_each_run_overlaps_the_last_and_once_a_day_reaches_far_back(woo: Stand, clock: Clock) -> None:
    counts_from = woo.shop_row().counts_from
    assert reconcile(woo).since == counts_from - timedelta(hours=2)
    clock.forward(minutes=10)
    # The first reached back further than any wide window.
    assert reconcile(woo).since == clock.at - timedelta(minutes=10, hours=2)
    clock.forward(days=1, minutes=1)
    assert reconcile(woo).since == clock.at - timedelta(days=35)
    clock.forward(minutes=10)
    assert reconcile(woo).since == clock.at - timedelta(minutes=10, hours=2)
    assert reconcile(woo, everything=True).since == counts_from - timedelta(hours=2)


def test_a_window_chosen_by_hand_never_claims_what_lies_before_it(woo: Stand, clock: Clock) -> None:
    reconcile(woo)
    until = woo.shop_row().reconciled_until
    order = paid_order(woo, 40)
    woo.lose_all()
    clock.forward(days=40)
    reconcile(woo, since=clock.at - timedelta(days=1))
    assert woo.shop_row().reconciled_until == until
    assert woo.worth(order.id) == [0]
    reconcile(woo)
    assert woo.worth(order.id) == [40]


def test_an_order_learnt_late_names_whose_tier_it_leaves(woo: Stand, clock: Clock) -> None:
    big = paid_order(woo, 600)
    woo.deliver_all()
    clock.forward(days=1)
    woo.store.refund_all(big)
    woo.lose_all()
    clock.forward(days=1)
    small = paid_order(woo, 100)  # silver by then, as far as anybody told
    woo.deliver_all()
    assert woo.worth(small.id) == [125]
    clock.forward(hours=1)
    done = reconcile(woo)
    assert woo.worth(big.id, small.id) == [0, 125]
    repair = next(one for one in done.repairs if one.cause == "webhook_missed")
    assert f"#{small.id} keeps Silver, told in time it would have been Member" in repair.detail


def test_a_report_names_some_of_many_orders_that_were_left_another_tier(woo: Stand, clock: Clock) -> None:
    big = paid_order(woo, 600)
    woo.deliver_all()
    clock.forward(days=1)
    woo.store.refund_all(big)
    woo.lose_all()
    clock.forward(days=1)
    for _ in range(23):
        paid_order(woo, 1)
        clock.forward(seconds=1)
    woo.deliver_all()
    clock.forward(hours=1)
    repair = next(one for one in reconcile(woo).repairs if one.cause == "webhook_missed")
    assert repair.detail.count("told in time it would have been Member") == 20
    assert repair.detail.endswith("; and 3 more.")


def test_the_report_says_whether_anything_drifted(woo: Stand, clock: Clock) -> None:
    paid_order(woo, 40)
    woo.lose_all()
    clock.forward(hours=1)
    for kind in ("changed", "digests", "webhooks", "codes"):
        reconcile(woo, kind)
    report = drift_report(woo.rt, woo.program_id)
    (drift,) = report.shops
    assert not report.zero_drift
    assert [(one.cause, one.repairs, one.points) for one in drift.causes] == [("webhook_missed", 1, 40)]
    clock.forward(minutes=1)
    later = clock.at
    assert drift_report(woo.rt, woo.program_id, since=later).shops[0].unfinished == (
        "changed",
        "digests",
        "webhooks",
        "codes",
    )
    for kind in ("changed", "digests", "webhooks", "codes"):
        reconcile(woo, kind)
    assert drift_report(woo.rt, woo.program_id, since=later).zero_drift
    clock.forward(days=8)
    assert drift_report(woo.rt, woo.program_id).shops[0].lags


def test_over_real_connections_too(woo: Stand, clock: Clock, tmp_path: Path) -> None:
    """The same through the client that goes out into the world: TLS, its own authority, a connection that breaks."""
    order = paid_order(woo, 40)
    woo.lose_all()
    clock.forward(hours=1)
    ((host, app),) = woo.hosts.hosts.items()
    assert isinstance(app, Flask)
    authority, ca_file = Authority(), tmp_path / "ca.pem"
    ca_file.write_bytes(authority.pem())
    with Served(app, tls=authority.server_context(host)) as served:
        address, _, port = served.address.partition(":")
        way_out = Http({host: StandIn(address, int(port), str(ca_file))})
        outside = replace(woo, rt=replace(woo.rt, http=way_out))
        woo.store.faults.add("orders_changed", FaultKind.TIMEOUT_AFTER, times=3)
        with pytest.raises(Retryable):
            reconcile(outside)
        assert [repair.cause for repair in reconcile(outside).repairs] == ["webhook_missed"]
    assert woo.worth(order.id) == [40]


def test_a_page_that_fails_once_does_not_begin_a_long_run_anew(woo: Stand, clock: Clock) -> None:
    paid_order(woo)
    woo.lose_all()
    woo.store.faults.add("orders_changed", FaultKind.SERVER_ERROR, times=2)
    clock.forward(hours=1)
    assert [repair.cause for repair in reconcile(woo).repairs] == ["webhook_missed"]


def test_a_shop_that_fails_for_good_or_asks_us_to_wait_breaks_the_run_off(woo: Stand) -> None:
    for fault, times in ((FaultKind.SERVER_ERROR, 3), (FaultKind.TOO_MANY_REQUESTS, 1)):
        woo.store.faults.add("orders_changed", fault, times=times)
        with pytest.raises(Retryable):
            reconcile(woo)
    assert reconcile(woo).repairs == ()
