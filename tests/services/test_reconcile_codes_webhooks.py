"""Subscriptions are revived and reported; codes at the shop and codes sold are the same, or it is said."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from app.db.directory import Kind
from app.domain.errors import Refused
from app.domain.money import Money
from app.services import reconcile_codes
from app.services.cancel_redemption import cancel_redemption
from app.services.due_reconciliations import due_reconciliations
from app.services.receive_delivery import Receipt, receive_delivery
from app.services.reconcile_shop import Reconciled, reconcile_shop
from app.services.redeem import RedeemRequest, redeem
from app.services.runtime import Runtime
from app.services.set_up_shop import set_up_shop
from app.services.shop_access import shop_access
from app.services.shop_client import open_shop
from connectors.base import CodeKind, CodeSpec, WebhookRequest
from connectors.woocommerce.client import WooClient
from sandbox.faults import FaultKind
from sandbox.woocommerce import rest_site
from sandbox.woocommerce.wire import WcError
from tests.conftest import Clock, make_program
from tests.services.jobs import run_jobs
from tests.services.stands import Stand, shopify_stand, woo_stand


@pytest.fixture
def woo(rt: Runtime, clock: Clock) -> Stand:
    return woo_stand(rt, clock, make_program(rt, currency="USD"), subscribed=False)


def reconcile(stand: Stand, kind: str) -> Reconciled:
    return reconcile_shop(stand.rt, stand.program_id, stand.shop.shop_id, kind)


def set_up(stand: Stand) -> Any:
    return set_up_shop(stand.rt, stand.program_id, stand.shop.shop_id)


# --- Setting up and subscriptions -------------------------------------------------------------------------


def test_setting_up_subscribes_and_reads_what_counts(rt: Runtime, clock: Clock) -> None:
    stand = woo_stand(rt, clock, make_program(rt, currency="USD"), subscribed=False)
    clock.forward(days=-3)
    customer = stand.store.create_customer("ann@example.test")
    order = stand.store.create_order([(stand.store.product("Mug", 40), 1)], customer=customer)
    stand.store.pay(order)
    clock.forward(days=3)
    stand.store.name = "Fern &amp; Field"
    done = set_up(stand)
    assert stand.worth(order.id) == [40]
    assert stand.shop_row().name == "Fern & Field"
    hooks = stand.store.webhooks.values()
    address = f"https://laurel.example/webhooks/woocommerce/{stand.shop.key}"
    assert {hook.url for hook in hooks} == {address}
    assert {hook.topic for hook in hooks} == set(rt.connectors["woocommerce"].topics)
    assert stand.repairs() == []
    assert done.webhook_problem is None
    assert done.orders.looked_at == 1
    # From now on webhooks arrive and are believed.
    stand.store.refund(order, amount=10)
    stand.deliver_all()
    assert stand.worth(order.id) == [30]
    assert set_up(stand).orders.repairs == ()
    assert stand.repairs() == []


def test_a_shop_that_takes_no_subscriptions_is_read_all_the_same(
    woo: Stand, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Refused("webhook_refused", "not on this plan")

    monkeypatch.setattr(WooClient, "ensure_webhooks", refuse)
    customer = woo.store.create_customer("ann@example.test")
    order = woo.store.create_order([(woo.store.product("Mug", 40), 1)], customer=customer)
    woo.store.pay(order)
    assert set_up(woo).webhook_problem == "not on this plan"
    assert woo.worth(order.id) == [40]


def test_a_plugin_in_the_shop_is_told_who_we_are(woo: Stand) -> None:
    woo.store.plugin_server = "https://laurel.example"
    set_up(woo)
    known = shop_access(woo.rt, Kind.SHOP, woo.shop.key)
    assert known is not None
    assert woo.store.introduced == {
        "server": "https://laurel.example",
        "shop_key": woo.shop.key,
        "webhook_address": f"https://laurel.example/webhooks/woocommerce/{woo.shop.key}",
        "webhook_secret": known.webhook_secrets[0],
        "widget_secret": known.widget_secret,
    }
    companion = woo.shop_row().companion
    assert companion is not None
    assert (companion["version"], companion["problem"]) == ("0.1.0", None)


def test_a_shop_without_a_plugin_has_none(woo: Stand) -> None:
    set_up(woo)
    assert (woo.shop_row().companion, woo.store.introduced) == (None, {})


def test_a_plugin_of_another_installation_is_left_alone_and_shown(woo: Stand) -> None:
    woo.store.plugin_server = "https://other.example"
    assert set_up(woo).webhook_problem is None  # subscriptions do not depend on it
    companion = woo.shop_row().companion
    assert companion is not None
    assert "does not expect us" in companion["problem"]
    assert woo.store.introduced == {}


def test_a_plugin_whose_address_a_guard_has_shut_does_not_lock_us_out(
    woo: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    woo.store.plugin_server = "https://laurel.example"
    monkeypatch.setattr(rest_site, "authenticate", _shut)
    assert set_up(woo).webhook_problem is None
    companion = woo.shop_row().companion
    assert companion is not None
    assert "shut to us" in companion["problem"]
    assert woo.shop_row().callable


def _shut(_: object) -> None:
    raise WcError("rest_forbidden", "Not here.", 403)


def test_a_plugin_that_says_goodbye_is_believed_of_a_shop_that_lets_us_in_no_more(
    woo: Stand, clock: Clock
) -> None:
    set_up(woo)
    say_goodbye(woo, b"{}")
    assert woo.shop_row().state == "connected"
    for key in woo.store.keys.values():
        key.revoked = True
    say_goodbye(woo, b'{"again":true}')
    assert woo.shop_row().state == "uninstalled"


def say_goodbye(stand: Stand, body: bytes) -> None:
    known = shop_access(stand.rt, Kind.SHOP, stand.shop.key)
    assert known is not None
    signature = hmac.new(known.webhook_secrets[0].encode(), body, hashlib.sha256).digest()
    headers = {
        "x-wc-webhook-topic": "laurel.disconnected",
        "x-wc-webhook-signature": base64.b64encode(signature).decode(),
    }
    received = WebhookRequest(body, headers)
    assert receive_delivery(stand.rt, "woocommerce", stand.shop.key, received) is Receipt.KEPT
    stand.deliver_all()
    run_jobs(stand.rt, stand.program_id)


def test_the_app_of_the_installation_has_its_subscriptions_elsewhere(rt: Runtime, clock: Clock) -> None:
    stand = shopify_stand(rt, clock, make_program(rt, currency="USD"))
    assert set_up(stand).webhook_problem is None
    assert all(one["healthy"] for one in stand.shop_row().webhooks)


def test_a_webhook_that_the_shop_switched_off_is_revived_and_reported(woo: Stand, clock: Clock) -> None:
    set_up(woo)
    hook = next(hook for hook in woo.store.webhooks.values() if hook.topic == "order.updated")
    hook.status = "disabled"
    clock.forward(days=1)
    (repair,) = reconcile(woo, "webhooks").repairs
    assert (repair.subject, repair.cause) == ("webhook:order.updated", "webhook_switched_off")
    live = [one for one in woo.store.webhooks.values() if one.topic == "order.updated"]
    assert [one.status for one in live] == ["active"]
    assert reconcile(woo, "webhooks").repairs == ()


def test_a_webhook_that_is_gone_or_points_elsewhere_is_named_so(woo: Stand, clock: Clock) -> None:
    set_up(woo)
    by_topic = {hook.topic: hook for hook in woo.store.webhooks.values()}
    del woo.store.webhooks[by_topic["order.created"].id]
    by_topic["order.updated"].url = "https://somebody.example/hook"
    woo.store.add_webhook("order.deleted", by_topic["order.deleted"].url, "laurel-recording")
    causes = {repair.subject: repair.cause for repair in reconcile(woo, "webhooks").repairs}
    assert causes == {
        "webhook:order.created": "webhook_missing",
        "webhook:order.updated": "webhook_elsewhere",
        "webhook:order.deleted": "webhook_doubled",
    }
    assert reconcile(woo, "webhooks").repairs == ()


# --- Codes -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Codes:
    stand: Stand
    customer: Any

    def plant(self, code: str, tag: str) -> None:
        """A code at the shop that no redemption knows."""
        now = self.stand.rt.now()
        spec = CodeSpec(
            code=code,
            kind=CodeKind.AMOUNT,
            amount=Money(500, "USD"),
            percent=None,
            minimum_spend=None,
            customer_ref=str(self.customer.id),
            starts_at=now,
            expires_at=now + timedelta(days=90),
            tag=tag,
            title="5.00 off",
        )
        with open_shop(self.stand.rt, self.stand.program_id, self.stand.shop.shop_id) as client:
            client.issue_code(spec)

    def is_live(self, code: str) -> bool:
        with open_shop(self.stand.rt, self.stand.program_id, self.stand.shop.shop_id) as client:
            found = client.find_code(code)
        return found is not None and found.live

    def buy(self, key: str) -> tuple[int, str]:
        """A redemption, its code made. Returns its id and the code."""
        stand = self.stand
        members = stand.sql("SELECT id FROM members WHERE {fence}")
        request = RedeemRequest(
            program_id=stand.program_id,
            member_id=members[0].id,
            shop_id=stand.shop.shop_id,
            reward_key="amount-5",
            request_key=key,
            actor="shopper",
        )
        row = redeem(stand.rt, request)
        run_jobs(stand.rt, stand.program_id)
        return row.redemption_id, row.code

    def state(self, redemption_id: int) -> str:
        (row,) = self.stand.sql("SELECT state FROM redemptions WHERE {fence} AND id = :id", id=redemption_id)
        return str(row.state)


@pytest.fixture(params=["woocommerce", "shopify"])
def codes(request: pytest.FixtureRequest, rt: Runtime, clock: Clock) -> Codes:
    program_id = make_program(rt, currency="USD")
    make = woo_stand if request.param == "woocommerce" else shopify_stand
    stand = make(rt, clock, program_id)
    customer = stand.store.create_customer("ann@example.test")
    order = stand.store.create_order([(stand.store.product("Sofa", 450), 1)], customer=customer)
    stand.store.pay(order)
    stand.deliver_all()
    return Codes(stand, customer)


def test_an_orphan_is_only_told_for_seven_days_and_then_withdrawn(codes: Codes, clock: Clock) -> None:
    codes.plant("LRL-ORPHAN", codes.stand.rt.tag)
    clock.forward(days=6)
    (repair,) = reconcile(codes.stand, "codes").repairs
    assert repair.cause == "code_orphan_kept"
    assert codes.is_live("LRL-ORPHAN")
    clock.forward(days=2)
    (repair,) = reconcile(codes.stand, "codes").repairs
    assert repair.cause == "code_orphan"
    assert "ORPHAN" not in repair.detail
    assert not codes.is_live("LRL-ORPHAN")
    assert reconcile(codes.stand, "codes").repairs == ()


def test_a_code_of_another_installation_is_only_ever_told(codes: Codes, clock: Clock) -> None:
    codes.plant("LRL-OLDER", "laurel-0000dead")
    clock.forward(days=30)
    done = reconcile(codes.stand, "codes")
    assert [repair.cause for repair in done.repairs] == ["code_of_other_installation"]
    assert done.amiss == ()
    assert codes.is_live("LRL-OLDER")


def test_a_code_without_our_tag_is_none_of_our_business(codes: Codes, clock: Clock) -> None:
    store = codes.stand.store
    if hasattr(store, "coupons"):
        store.create_coupon("summer", 10)
    else:
        store.create_discount("SUMMER", amount=10)
    clock.forward(days=30)
    assert reconcile(codes.stand, "codes").repairs == ()


def test_a_code_that_was_paid_for_is_left_alone(codes: Codes, clock: Clock) -> None:
    _, code = codes.buy("one")
    clock.forward(days=30)
    assert reconcile(codes.stand, "codes").repairs == ()
    assert codes.is_live(code)


def test_a_code_whose_points_went_back_is_an_orphan(codes: Codes, clock: Clock) -> None:
    redemption_id, code = codes.buy("one")
    clock.forward(days=8)
    codes.stand.sql(
        "UPDATE redemptions SET state = 'cancelled', closed_at = :now WHERE {fence} AND id = :id",
        id=redemption_id,
        now=clock.at,
    )
    assert [repair.cause for repair in reconcile(codes.stand, "codes").repairs] == ["code_orphan"]
    assert not codes.is_live(code)


def test_a_code_that_vanished_at_the_shop_is_looked_into(codes: Codes, clock: Clock) -> None:
    redemption_id, code = codes.buy("one")
    store = codes.stand.store
    clock.forward(hours=1)
    if hasattr(store, "coupons"):
        coupon = store.coupon_named(code)
        assert coupon is not None
        del store.coupons[coupon.id]
    else:
        store.discounts.pop(store.discount_named(code).id)
    (repair,) = reconcile(codes.stand, "codes").repairs
    assert (repair.cause, repair.subject) == ("code_absent", f"redemption:{redemption_id}")
    assert [job["redemption_id"] for job in codes.stand.jobs("check_code")] == [redemption_id]
    run_jobs(codes.stand.rt, codes.stand.program_id)
    assert codes.state(redemption_id) in ("cancelling", "cancelled")


def test_a_redemption_given_up_while_codes_are_listed_is_no_orphan(
    codes: Codes, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    redemption_id, code = codes.buy("one")
    clock.forward(days=8)
    listed = reconcile_codes._listed_codes

    def listed_and_then_cancelled(run: Any) -> Any:
        found = listed(run)
        cancel_redemption(codes.stand.rt, codes.stand.program_id, redemption_id)
        for _ in range(60):
            run_jobs(codes.stand.rt, codes.stand.program_id)
            clock.forward(minutes=10)
        return found

    monkeypatch.setattr(reconcile_codes, "_listed_codes", listed_and_then_cancelled)
    assert reconcile(codes.stand, "codes").repairs == ()
    assert not codes.is_live(code)


def test_an_orphan_that_cannot_be_withdrawn_now_is_tried_again(codes: Codes, clock: Clock) -> None:
    codes.plant("LRL-ORPHAN", codes.stand.rt.tag)
    clock.forward(days=8)
    codes.stand.store.faults.add("withdraw_code", FaultKind.TIMEOUT_BEFORE)
    with pytest.raises(Exception, match="no answer"):
        reconcile(codes.stand, "codes")
    assert codes.stand.shop_row().codes_checked_at is None
    assert [repair.cause for repair in reconcile(codes.stand, "codes").repairs] == ["code_orphan"]
    assert not codes.is_live("LRL-ORPHAN")


# --- What is due -------------------------------------------------------------------------------------------


def kinds_due(stand: Stand) -> list[str]:
    due_reconciliations(stand.rt)
    return sorted(job["kind"] for job in stand.jobs("reconcile_shop"))


def test_a_shop_is_due_for_each_kind_in_its_own_time(woo: Stand, clock: Clock) -> None:
    everything = ["changed", "codes", "digests", "webhooks"]
    assert kinds_due(woo) == everything
    assert kinds_due(woo) == everything  # asked again, nothing is put in twice
    run_jobs(woo.rt, woo.program_id)
    assert kinds_due(woo) == []
    clock.forward(minutes=10)
    assert kinds_due(woo) == ["changed"]
    run_jobs(woo.rt, woo.program_id)
    clock.forward(hours=24)
    assert kinds_due(woo) == everything


@pytest.mark.parametrize(
    "change", ["state = 'uninstalled'", "state = 'unchecked'", "access_problem = 'gone'"]
)
def test_a_shop_that_may_not_be_called_is_never_due(woo: Stand, change: str) -> None:
    woo.sql(f"UPDATE shops SET {change} WHERE {{fence}}")
    assert kinds_due(woo) == []


def test_a_run_that_broke_off_is_not_due_every_minute(woo: Stand, clock: Clock) -> None:
    woo.store.faults.add("*", FaultKind.SERVER_ERROR, times=100)
    for kind in ("changed", "digests", "codes", "webhooks"):
        with pytest.raises(Exception, match="500"):
            reconcile(woo, kind)
    assert kinds_due(woo) == []
    clock.forward(minutes=10)
    assert kinds_due(woo) == ["changed"]
    clock.forward(minutes=50)
    assert kinds_due(woo) == ["changed", "codes", "digests", "webhooks"]


def test_marks_that_nobody_answers_are_due_too(woo: Stand, clock: Clock) -> None:
    woo.sql(
        "INSERT INTO unseen_orders (program_id, shop_id, order_ref, reason, wanted, marked_at) "
        "SELECT program_id, id, '7', 'its job was lost', 1, :now FROM shops WHERE {fence}",
        now=clock.at,
    )
    due_reconciliations(woo.rt)
    assert len(woo.jobs("reread_orders")) == 1
    run_jobs(woo.rt, woo.program_id)
    assert woo.sql("SELECT 1 FROM unseen_orders WHERE {fence}") == []


def test_an_unknown_kind_is_refused(woo: Stand) -> None:
    with pytest.raises(Refused, match="unknown_kind"):
        reconcile(woo, "everything")


def test_runs_that_found_nothing_are_forgotten_after_a_month(woo: Stand, clock: Clock) -> None:
    reconcile(woo, "changed")
    clock.forward(days=31)
    reconcile(woo, "digests")
    assert [row.kind for row in woo.sql("SELECT kind FROM reconciliations WHERE {fence}")] == ["digests"]
