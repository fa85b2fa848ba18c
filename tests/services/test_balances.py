"""A balance that we keep: what is left after whatever orders do, what the shop has of it, and what comes back."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from app.db import programs, shops
from app.db.redemptions import RedemptionRow
from app.domain.errors import AccessLost, Refused, Retryable
from app.domain.redeeming import RedemptionState as State
from app.services.audit import audit
from app.services.cancel_redemption import cancel_redemption
from app.services.code_spec import code_spec
from app.services.erase_member import erase_member
from app.services.expire_codes import expire_codes
from app.services.find_redemptions import find_redemption
from app.services.reconcile_shop import reconcile_shop
from app.services.runtime import Runtime
from app.services.shop_client import open_shop
from app.services.uninstall_shop import disconnect
from connectors.base import CodeSpec
from sandbox.faults import FaultKind
from sandbox.refusals import CodeRefused
from tests.conftest import Clock
from tests.services.books import get_member, merge_refs
from tests.services.jobs import run_jobs
from tests.services.test_redemption_faults import Spender, make_spender, rewards_of


class Holder:
    """A member with a balance of 5.00 for 100 points, at a shop that has no account for it."""

    def __init__(
        self, spender: Spender, clock: Clock, change: Callable[[dict[str, Any]], None] | None = None
    ) -> None:
        self.spender, self.stand, self.clock = spender, spender.stand, clock
        self.store = self.stand.store
        if change is not None:
            document = rewards_of(self.stand)
            change(document)
            with self.stand.rt.db.begin(self.stand.program_id) as session:
                programs.add_version(session, document, by="ada", note="", now=self.stand.rt.now())
        self.bought = self.spender.redeem("credit")
        self.spender.work()

    @property
    def row(self) -> RedemptionRow:
        return self.spender.row(self.bought)

    @property
    def coupon(self) -> Any:
        return next(one for one in self.store.coupons.values() if one.code == self.row.code.casefold())

    @property
    def at_shop(self) -> tuple[str, int]:
        """What it is worth there, and to how many orders."""
        coupon = self.coupon
        return str(coupon.amount), coupon.usage_limit - coupon.usage_count

    @property
    def points(self) -> int:
        """Available but for what this holder's orders earned."""
        return self.spender.available - self._earned()

    def _earned(self) -> int:
        earned = self.stand.sql(
            "SELECT coalesce(sum(target_points), 0) AS points FROM orders WHERE {fence} "
            "AND snapshot->>'codes_used' <> '[]'"
        )
        return int(earned[0].points)

    def order(self, price: str, *, pay: bool = True) -> Any:
        order = self.store.checkout(
            [(self.store.product("Thing", price), 1)], customer=self.spender.customer, codes=[self.row.code]
        )
        if pay:
            self.store.pay(order)
        return order

    def hear(self) -> None:
        """What the shop has to tell arrives, and what is to be done about it is done."""
        self.stand.deliver_all()
        self.spender.work()
        self.clock.forward(minutes=1)

    def do(self, act: Callable[[Any], object], order: Any) -> None:
        self.clock.forward(minutes=1)
        act(order)
        self.hear()

    def reconcile(self) -> list[str]:
        found = reconcile_shop(self.stand.rt, self.stand.program_id, self.stand.shop.shop_id, kind="codes")
        self.spender.work()
        return [repair.cause for repair in found.repairs]


@pytest.fixture
def holder(rt: Runtime, clock: Clock) -> Holder:
    return Holder(make_spender(rt, clock, "woocommerce"), clock)


@pytest.fixture
def returning(rt: Runtime, clock: Clock) -> Holder:
    """Of a program that gives back what was spent on goods that are returned."""
    spender = make_spender(rt, clock, "woocommerce")
    return Holder(spender, clock, lambda document: document["refunds"].update(return_redeemed_points=True))


def clean(holder: Holder) -> bool:
    return audit(holder.stand.rt, holder.stand.program_id).problems == []


# --- Using it ----------------------------------------------------------------------------------------------


def test_an_order_takes_what_it_needs_and_the_rest_stays_under_the_same_code(holder: Holder) -> None:
    assert (holder.row.state, holder.at_shop) == (State.ISSUED, ("5.00", 1))
    holder.order("3.50")
    assert holder.at_shop == ("5.00", 0)  # until we have heard of it nobody can use more
    holder.hear()
    assert (holder.row.state, holder.row.left_minor, holder.at_shop) == (State.ISSUED, 150, ("1.50", 1))
    holder.order("20.00")
    holder.hear()
    assert (holder.row.state, holder.row.left_minor, holder.row.order_id) == (State.USED, 0, None)
    assert holder.at_shop == ("1.50", 0)
    assert (holder.points, holder.row.returned) == (400, 0)
    with pytest.raises(Refused, match="Nothing is left of it"):
        holder.spender.cancel(holder.bought)
    assert clean(holder)
    assert holder.reconcile() == []


def test_what_is_shown_is_the_code_and_what_is_left(holder: Holder) -> None:
    holder.order("3.50")
    holder.hear()
    view = find_redemption(holder.stand.rt, holder.stand.program_id, holder.bought.redemption_id)
    assert view.left is not None
    assert (view.code, str(view.left), view.is_partly_used, view.points_back) == (
        holder.row.code,
        "1.50",
        True,
        30,
    )


def test_all_but_worth_and_uses_stays_as_it_was_made(holder: Holder) -> None:
    before = holder.coupon
    kept = ("code", "expires", "email_restrictions", "individual_use", "minimum_amount", "status", "meta")
    as_made = {name: getattr(before, name) for name in kept}
    holder.order("3.50")
    holder.hear()
    assert {name: getattr(holder.coupon, name) for name in kept} == as_made
    assert as_made["email_restrictions"] == ["alice@example.test"]
    assert holder.coupon.usage_limit_per_user is None


@pytest.mark.parametrize(("listed_with_tax", "price", "left"), [(False, "3.50", 150), (True, "3.50", 150)])
def test_tax_is_taken_from_the_balance_only_where_prices_have_it(
    rt: Runtime, clock: Clock, listed_with_tax: bool, price: str, left: int
) -> None:
    holder = Holder(make_spender(rt, clock, "woocommerce"), clock)
    holder.store.tax_percent, holder.store.prices_include_tax = Decimal(20), listed_with_tax
    order = holder.order(price)
    assert order.total == 0
    (used,) = order.coupons
    assert (used.discount, used.discount_tax) == (
        (Decimal("2.92"), Decimal("0.58")) if listed_with_tax else (Decimal("3.50"), Decimal("0.70"))
    )
    holder.hear()
    assert (holder.row.left_minor, holder.at_shop) == (left, ("1.50", 1))


# --- Two at once -------------------------------------------------------------------------------------------


def test_of_two_orders_at_once_the_shop_lets_one_through(holder: Holder) -> None:
    holder.order("4.00")
    with pytest.raises(CodeRefused, match="Usage limit"):
        holder.order("4.00")
    holder.hear()
    assert (holder.row.left_minor, holder.at_shop) == (100, ("1.00", 1))


def test_if_two_get_through_the_balance_is_overdrawn_and_says_so(holder: Holder) -> None:
    holder.coupon.usage_limit = None  # staff lifted it
    holder.order("4.00")
    holder.order("3.00")
    holder.hear()
    row = holder.row
    assert (row.state, row.left_minor) == (State.USED, -200)
    assert row.message == "Orders took $2.00 more than there was: look at them with the shop."
    assert holder.at_shop == ("0.00", 0)
    assert holder.reconcile() == ["code_overdrawn"]
    holder.clock.forward(hours=24)
    assert holder.reconcile() == []  # told once
    view = find_redemption(holder.stand.rt, holder.stand.program_id, row.redemption_id)
    assert view.left is not None
    assert (view.left.minor, view.points_back) == (0, 0)
    assert clean(holder)


def test_the_overdrawn_balance_grows_by_what_an_order_gives_back_less_what_was_too_much(
    holder: Holder,
) -> None:
    holder.coupon.usage_limit = 2
    first = holder.order("4.00")
    holder.order("3.00")
    holder.hear()
    holder.do(holder.store.cancel, first)
    assert (holder.row.state, holder.row.left_minor, holder.row.message) == (State.ISSUED, 200, None)
    assert holder.at_shop == ("2.00", 1)
    assert clean(holder)


# --- Orders that do not stand ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_a_void_order_gives_back_exactly_what_it_took_and_never_twice(holder: Holder, status: str) -> None:
    order = holder.order("3.50")
    holder.hear()
    for _ in range(2):
        holder.do(lambda one: holder.store.set_status(one, status), order)
        assert (holder.row.state, holder.row.left_minor, holder.at_shop) == (State.ISSUED, 500, ("5.00", 1))
    holder.do(holder.store.pay, order)
    assert (holder.row.left_minor, holder.at_shop) == (150, ("1.50", 1))
    assert clean(holder)


def test_a_balance_that_was_used_up_can_be_used_again_once_its_order_is_void(holder: Holder) -> None:
    order = holder.order("20.00")
    holder.hear()
    assert holder.row.state is State.USED
    holder.do(holder.store.trash, order)
    assert (holder.row.state, holder.row.closed_at, holder.at_shop) == (State.ISSUED, None, ("5.00", 1))
    holder.do(holder.store.restore, order)
    assert (holder.row.state, holder.row.left_minor, holder.at_shop[1]) == (State.USED, 0, 0)


def test_a_deleted_order_gives_back_what_it_took_though_the_shop_still_counts_its_use(holder: Holder) -> None:
    order = holder.order("3.50")
    holder.hear()
    holder.clock.forward(minutes=1)
    holder.store.force_delete(order)
    shop_id = holder.stand.shop.shop_id
    holder.clock.forward(days=1)
    reconcile_shop(holder.stand.rt, holder.stand.program_id, shop_id, kind="digests")
    holder.spender.work()
    assert (holder.row.left_minor, holder.at_shop, holder.coupon.usage_limit) == (500, ("5.00", 1), 2)


def test_a_refund_leaves_what_was_used_unless_the_program_gives_it_back(holder: Holder) -> None:
    order = holder.order("20.00")
    holder.hear()
    holder.do(holder.store.refund_all, order)
    assert (holder.row.state, holder.row.left_minor, holder.row.returned) == (State.USED, 0, 0)
    assert clean(holder)


def test_where_it_does_the_balance_grows_in_proportion_rounded_down(returning: Holder) -> None:
    order = returning.order("20.00")  # 5.00 of it from the balance, 15.00 paid
    returning.hear()
    returning.do(lambda one: returning.store.refund(one, amount="10.01"), order)
    # 10.01 of 15.00 went back: 3.3366… of 5.00.
    assert (returning.row.state, returning.row.left_minor) == (State.ISSUED, 333)
    assert returning.at_shop == ("3.33", 1)
    returning.do(returning.store.refund_all, order)
    assert (returning.row.left_minor, returning.row.returned, returning.at_shop) == (500, 0, ("5.00", 1))
    returning.do(returning.store.cancel, order)  # and not once more
    assert returning.row.left_minor == 500
    assert returning.points == 400
    assert clean(returning)


# --- Edited, doubled, late ---------------------------------------------------------------------------------


def test_an_edited_order_holds_what_it_takes_now(holder: Holder) -> None:
    order = holder.order("2.00")
    order_of_two = lambda one: holder.store.set_quantity(one, one.lines[0], 2)  # noqa: E731
    holder.do(order_of_two, order)
    assert (holder.row.left_minor, holder.at_shop) == (100, ("1.00", 1))
    assert clean(holder)


def test_a_code_that_staff_take_off_an_order_is_whole_again(holder: Holder) -> None:
    order = holder.order("3.50")
    holder.hear()
    holder.clock.forward(minutes=1)
    order.coupons.clear()
    holder.coupon.usage_count = 0
    holder.store.recalculate(order)
    holder.do(holder.store.touch, order)
    assert (holder.row.left_minor, holder.at_shop) == (500, ("5.00", 1))
    assert clean(holder)


def test_messages_that_are_lost_doubled_or_out_of_order_end_at_the_same(holder: Holder) -> None:
    first = holder.order("1.00")
    holder.hear()
    second = holder.order("2.00")
    holder.stand.lose_all()
    holder.clock.forward(minutes=1)
    holder.store.cancel(first)
    holder.store.deliveries.run()  # nothing but this
    holder.hear()
    # The shop counts a use that we never heard of: before it is told anything, its orders are read.
    assert (holder.row.left_minor, holder.at_shop) == (300, ("3.00", 1))
    holder.do(holder.store.touch, second)
    holder.do(holder.store.touch, second)
    assert (holder.row.left_minor, holder.at_shop) == (300, ("3.00", 1))
    assert clean(holder)


def test_an_order_in_another_money_takes_all_of_it_though_it_cannot_be_counted(holder: Holder) -> None:
    cart = [(holder.store.product("Thing", "3.50"), 1)]
    holder.store.create_order(
        cart, customer=holder.spender.customer, codes=[holder.row.code], currency="EUR", status="processing"
    )
    holder.stand.lose_all()
    holder.clock.forward(hours=1)
    holder.reconcile()
    assert (holder.row.state, holder.row.left_minor, holder.at_shop[1]) == (State.USED, 0, 0)


# --- The shop does not answer ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        FaultKind.TIMEOUT_BEFORE,
        FaultKind.TIMEOUT_AFTER,
        FaultKind.SERVER_ERROR,
        FaultKind.SERVER_ERROR_AFTER,
        FaultKind.MALFORMED,
        FaultKind.TOO_MANY_REQUESTS,
    ],
)
def test_a_change_of_unknown_outcome_is_made_again_and_is_the_same(holder: Holder, fault: FaultKind) -> None:
    holder.order("3.50")
    holder.store.faults.add("set_balance", fault, 2)
    holder.stand.deliver_all()
    for _ in range(3):
        with suppress(Retryable):
            holder.spender.work(hours=1)
    assert (holder.row.left_minor, holder.row.shop_minor, holder.at_shop) == (150, 150, ("1.50", 1))
    assert holder.coupon.usage_limit == 2


def test_an_older_change_that_lands_late_gives_nobody_more_and_is_put_right(holder: Holder) -> None:
    holder.order("3.50")
    holder.hear()
    holder.order("0.50")
    holder.hear()
    holder.coupon.amount, holder.coupon.usage_limit = Decimal("1.50"), 2
    with pytest.raises(CodeRefused):
        holder.order("1.00")
    assert holder.reconcile() == []  # no more than a use that may be under way
    assert holder.at_shop == ("1.00", 1)


def test_a_shop_that_locks_us_out_is_told_once_it_is_back(holder: Holder) -> None:
    holder.order("3.50")
    holder.store.faults.add("*", FaultKind.UNAUTHORIZED, 20)
    holder.stand.deliver_all()
    with pytest.raises(AccessLost):
        run_jobs(holder.stand.rt, holder.stand.program_id)
    assert (holder.row.state, holder.row.left_minor, holder.row.shop_minor) == (State.ISSUED, 150, 500)
    holder.spender.work(hours=2)  # nothing is asked of it meanwhile
    holder.store.faults.clear()
    holder.spender.reconnect()
    holder.spender.work(hours=1)
    assert (holder.row.shop_minor, holder.at_shop) == (150, ("1.50", 1))


def test_a_shop_that_left_keeps_the_balance_and_is_told_when_it_comes_back(holder: Holder) -> None:
    holder.order("3.50")
    holder.stand.deliver_all()
    with holder.stand.rt.db.begin(holder.stand.program_id) as session:
        shops.update_shop(session, holder.stand.shop.shop_id, access_problem="the keys are gone")
    with holder.stand.rt.db.begin(holder.stand.program_id) as session:
        assert disconnect(session, holder.stand.shop.shop_id, now=holder.stand.rt.now())
    with pytest.raises(Refused, match="not connected any more"):
        run_jobs(holder.stand.rt, holder.stand.program_id)
    holder.spender.work(hours=2)  # and nothing more is tried
    assert (holder.row.state, holder.row.left_minor, holder.at_shop) == (State.ISSUED, 150, ("5.00", 0))
    assert clean(holder)


# --- Giving it back ----------------------------------------------------------------------------------------


def test_unused_it_is_cancelled_and_all_points_come_back(holder: Holder) -> None:
    holder.spender.cancel(holder.bought)
    holder.spender.work(hours=1)
    row = holder.row
    assert (row.state, row.returned, holder.points) == (State.CANCELLED, 100, 500)
    assert row.message == "Cancelled. What it cost is back."
    assert holder.coupon.status == "draft"
    assert clean(holder)


def test_cancelled_with_a_rest_the_points_for_it_come_back_rounded_down(holder: Holder) -> None:
    holder.order("3.76")
    holder.hear()
    holder.spender.cancel(holder.bought)
    holder.spender.work(hours=1)
    row = holder.row
    # 1.24 of 5.00 was left: 24.8 of 100 points.
    assert (row.state, row.returned, holder.points) == (State.CANCELLED, 24, 424)
    assert row.message == "$1.24 of it was left: 24 points given back."
    assert clean(holder)


def test_an_order_that_is_made_while_it_is_withdrawn_lowers_what_comes_back(holder: Holder) -> None:
    holder.order("3.50")  # its message is still on its way
    holder.stand.lose_all()
    holder.spender.cancel(holder.bought)
    holder.spender.work(hours=1)
    assert (holder.row.state, holder.row.returned, holder.points) == (State.CANCELLED, 30, 430)
    assert clean(holder)


def test_used_up_while_it_is_withdrawn_it_is_used(holder: Holder) -> None:
    holder.order("20.00")
    holder.spender.cancel(holder.bought)
    holder.spender.work(hours=1)
    assert (holder.row.state, holder.row.returned, holder.points) == (State.USED, 0, 400)
    assert clean(holder)


def test_what_an_order_gives_back_after_that_comes_as_points(holder: Holder) -> None:
    order = holder.order("3.50")
    holder.hear()
    holder.spender.cancel(holder.bought)
    holder.spender.work(hours=1)
    assert holder.row.returned == 30
    holder.do(holder.store.cancel, order)
    assert (holder.row.state, holder.row.left_minor, holder.row.returned) == (State.CANCELLED, 500, 100)
    assert holder.points == 500
    holder.do(holder.store.pay, order)  # and is taken again where the order stands after all
    assert (holder.row.state, holder.row.left_minor, holder.row.returned) == (State.CANCELLED, 150, 30)
    assert holder.points == 430
    assert clean(holder)


def run_out(holder: Holder) -> None:
    holder.clock.forward(days=91)
    with holder.stand.rt.db.begin(holder.stand.program_id) as session:
        shops.update_shop(session, holder.stand.shop.shop_id, reconciled_until=holder.clock.at)
    assert expire_codes(holder.stand.rt, holder.stand.program_id) == 1
    holder.spender.work(hours=1)


def test_run_out_with_a_rest_the_points_for_it_come_back(holder: Holder) -> None:
    holder.order("3.50")
    holder.hear()
    run_out(holder)
    row = holder.row
    assert (row.state, row.returned, row.left_minor, holder.points) == (State.EXPIRED, 30, 150, 430)
    assert holder.coupon.status == "draft"
    assert clean(holder)


def test_run_out_where_unused_codes_are_kept_nothing_comes_back_nor_later(rt: Runtime, clock: Clock) -> None:
    spender = make_spender(rt, clock, "woocommerce")
    holder = Holder(spender, clock, lambda document: document["codes"].update(unused="breakage"))
    order = holder.order("3.50")
    holder.hear()
    run_out(holder)
    assert (holder.row.state, holder.row.returned) == (State.EXPIRED, 0)
    holder.do(holder.store.cancel, order)
    assert (holder.row.left_minor, holder.row.returned, holder.points) == (500, 0, 400)
    assert clean(holder)


# --- What people do at the shop ----------------------------------------------------------------------------


def test_a_balance_that_staff_trash_gives_back_the_points_for_its_rest(holder: Holder) -> None:
    holder.order("3.50")
    holder.hear()
    holder.store.trash_coupon(holder.coupon)
    holder.hear()
    holder.spender.work(hours=1)
    assert (holder.row.state, holder.row.returned, holder.points) == (State.CANCELLED, 30, 430)
    assert clean(holder)


def test_what_staff_change_of_it_is_found_and_put_right(holder: Holder) -> None:
    holder.order("3.50")
    holder.hear()
    holder.coupon.amount = Decimal("50.00")
    assert holder.reconcile() == ["code_balance"]
    assert holder.at_shop == ("1.50", 1)
    holder.coupon.usage_limit = None
    assert holder.reconcile() == ["code_balance"]
    assert holder.at_shop == ("1.50", 1)
    assert holder.reconcile() == []


def test_a_shop_that_does_not_keep_it_as_asked_loses_it(holder: Holder) -> None:
    holder.coupon.email_restrictions.clear()  # anybody's
    holder.order("3.50")
    holder.hear()
    holder.spender.work(hours=1)
    row = holder.row
    assert (row.state, row.returned, holder.coupon.status) == (State.CANCELLED, 30, "draft")


def test_an_order_that_nobody_told_us_of_is_found_by_its_use(holder: Holder) -> None:
    holder.order("3.50")
    holder.stand.lose_all()
    holder.clock.forward(hours=1)
    assert holder.reconcile() == []  # a use that is under way is nothing amiss
    assert (holder.row.left_minor, holder.at_shop) == (150, ("1.50", 1))


# --- People ------------------------------------------------------------------------------------------------


def test_a_balance_goes_on_at_the_winner_of_a_merge(rt: Runtime, clock: Clock) -> None:
    alice = make_spender(rt, clock, "woocommerce")
    stand, store = alice.stand, alice.stand.store
    bob = store.create_customer("bob@example.test", "Bob", "Baker")
    store.pay(store.checkout([(store.product("Machine", "500.00"), 1)], customer=bob))
    stand.deliver_all()
    clock.forward(minutes=1)
    bobs = get_member(stand.rt, stand.program_id, stand.shop.shop_id, str(bob.id))
    holder = Holder(Spender(stand, clock, bob, bobs), clock)
    order = holder.order("3.50")
    holder.hear()
    merge_refs(stand.rt, stand.program_id, stand.shop.shop_id, str(alice.customer.id), str(bob.id))
    assert holder.points == 0  # all is Alice's now
    before = alice.available
    cancel_redemption(stand.rt, stand.program_id, holder.bought.redemption_id, account_id=alice.member_id)
    holder.spender.work(hours=1)
    assert (holder.row.state, alice.available - before) == (State.CANCELLED, 30)
    holder.do(store.cancel, order)
    assert alice.available - before == 100
    assert clean(holder)


def test_the_balance_of_somebody_who_is_forgotten_is_kept_all_the_same(holder: Holder) -> None:
    first = holder.order("1.00")
    holder.hear()
    holder.clock.forward(minutes=1)
    erase_member(holder.stand.rt, holder.stand.program_id, holder.spender.member_id)
    holder.do(holder.store.cancel, first)
    assert (holder.row.left_minor, holder.at_shop) == (500, ("5.00", 1))
    holder.order("3.50")
    holder.hear()
    assert (holder.row.left_minor, holder.at_shop) == (150, ("1.50", 1))
    assert clean(holder)


# --- The books ---------------------------------------------------------------------------------------------


def test_an_order_that_comes_before_we_hear_that_the_code_was_made_counts(rt: Runtime, clock: Clock) -> None:
    spender = make_spender(rt, clock, "woocommerce")
    spender.stand.store.faults.add("issue_code", FaultKind.TIMEOUT_AFTER, 1)
    holder = Holder(spender, clock)
    assert holder.row.state is State.REQUESTED
    holder.order("3.50")
    holder.stand.deliver_all()
    assert (holder.row.state, holder.row.left_minor) == (State.REQUESTED, 150)
    clock.forward(minutes=10)
    run_jobs(holder.stand.rt, holder.stand.program_id)  # and nothing that looks for lost jobs
    assert (holder.row.state, holder.at_shop) == (State.ISSUED, ("1.50", 1))
    assert clean(holder)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE redemptions SET left_minor = 400 WHERE {fence}", "balance"),
        ("UPDATE redemption_uses SET taken_minor = 100 WHERE {fence}", "balance_use"),
        ("DELETE FROM redemption_uses WHERE {fence}", "balance_use"),
    ],
)
def test_the_audit_finds_what_the_orders_do_not_say(holder: Holder, statement: str, what: str) -> None:
    holder.order("3.50")
    holder.hear()
    holder.stand.sql(statement)
    found = audit(holder.stand.rt, holder.stand.program_id).problems
    assert what in [one.what for one in found]


def test_a_platform_with_accounts_of_its_own_keeps_no_balance_with_us(rt: Runtime, clock: Clock) -> None:
    spender = make_spender(rt, clock, "shopify")
    bought = spender.redeem("credit")
    spender.work()
    row = spender.row(bought)
    assert (row.bought.is_balance, row.state, row.left_minor, row.shop_minor) == (
        False,
        State.USED,
        None,
        None,
    )
    assert find_redemption(rt, spender.stand.program_id, row.redemption_id).code is None
    with open_shop(spender.rt, spender.stand.program_id, spender.stand.shop.shop_id) as client:
        spec = spec_of(spender, row)
        with pytest.raises(Refused, match="unsupported"):
            client.set_balance(spec, row.amount, 0)


def spec_of(spender: Spender, row: RedemptionRow) -> CodeSpec:
    with spender.rt.db.begin(spender.stand.program_id) as session:
        return code_spec(session, row)
