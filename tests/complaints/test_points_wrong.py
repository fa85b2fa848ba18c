"""Complaints 1 to 17 of users of other loyalty products: points that were wrong. What Laurel does instead."""

from typing import Any

import pytest

from app.domain.redeeming import RedemptionState as State
from app.services.receive_delivery import Receipt, receive_delivery
from connectors.base import WebhookRequest
from tests.complaints.till import Till
from tests.services.books import publish


def change_rules(till: Till, **changes: Any) -> None:
    """The merchant publishes other rules; what was earned before was earned by the old ones."""
    till.clock.forward(minutes=1)
    publish(till.rt, till.stand.program_id, **changes)
    till.clock.forward(minutes=1)


def redeemed(till: Till, reward: str = "amount-5") -> str:
    """A code that works at the shop."""
    bought = till.redeem(reward)
    till.work()
    row = till.row(bought)
    assert row.state is State.ISSUED
    return row.code


def test_complaint_01_points_are_not_given_again_when_an_order_is_completed_again(till: Till) -> None:
    """However often an order is completed, opened again and completed: it is worth its points once."""
    order = till.buy("120.00")
    for _ in range(3):
        till.complete(order)
        till.arrive()
        if till.is_woo:
            till.store.set_status(order, "processing")
            till.arrive()
            till.store.complete(order)
            till.store.complete(order)
            till.arrive()
    assert (till.worth(order), till.available) == (120, 120)
    assert till.booked() == [("earn", 120)]


def test_complaint_02_a_full_refund_takes_the_orders_points_back(till: Till) -> None:
    order = till.buy("120.00")
    till.store.refund_all(order)
    till.arrive()
    assert (till.worth(order), till.available) == (0, 0)
    till.assert_true()


def test_complaint_03_a_cancelled_order_takes_its_points_back_once(till: Till) -> None:
    """Cancelled, told again, refunded besides: the points go once, and nothing is below zero."""
    order = till.buy("120.00")
    till.store.cancel(order)
    for _ in range(3):
        till.store.touch(order)
        till.arrive()
    if till.is_woo:
        till.store.refund_all(order)
        till.arrive()
        till.store.set_status(order, "refunded")
        till.store.set_status(order, "cancelled")
        till.arrive()
    assert (till.worth(order), till.available) == (0, 0)
    assert till.booked() == [("earn", 120), ("earn_reversal", -120)]


def test_complaint_04_each_delivery_of_the_order_again_earns_nothing_again(till: Till) -> None:
    """An order of 500 is worth 500 points, not 1,000, however often and under whatever id it is told."""
    till.store.deliveries.faults.next("duplicate", times=10)
    order = till.buy("499.00")
    for _ in range(4):
        till.store.deliveries.faults.next("duplicate", times=2)
        till.store.touch(order)
        till.arrive()
    assert (till.worth(order), till.available) == (499, 499)
    assert till.booked() == [("earn", 499)]


def test_complaint_05_what_is_confirmed_twice_after_a_fault_counts_once(till: Till) -> None:
    """Our answer is lost on the way back, so the shop tells again, the next day too; the shopper clicks again."""
    told: list[tuple[str, str | None, WebhookRequest]] = []
    post = till.store.deliveries.client.post

    def deaf(url: str, *, headers: dict[str, str], content: bytes, **more: Any) -> Any:
        request = WebhookRequest(content, {name.lower(): value for name, value in headers.items()})
        key = till.stand.shop.key if till.is_woo else None
        told.append(("woocommerce" if till.is_woo else "shopify", key, request))
        return post(url, headers=headers, content=content, **more)

    till.store.deliveries.client.post = deaf
    order = till.buy("120.00")
    assert told
    for platform, key, request in told:
        assert receive_delivery(till.rt, platform, key, request) is Receipt.SEEN_BEFORE
    till.clock.forward(days=1)
    for platform, key, request in told:
        assert receive_delivery(till.rt, platform, key, request) is Receipt.KEPT
    till.arrive()
    assert till.worth(order) == 120
    first, second = till.redeem(key="click"), till.redeem(key="click")
    assert (first.code, till.available) == (second.code, 20)


def test_complaint_06_an_order_on_account_earns_once_when_it_is_settled(till: Till) -> None:
    """Delivered and invoiced it is worth nothing yet; paid in full it is worth its points, once."""
    if till.is_woo:
        order = till.place("120.00", payment_method="cod")
        till.store.set_status(order, "processing")
        till.arrive()
        assert till.worth(order) == 0
        till.store.pay(order)
    else:
        order = till.place("120.00")
        till.store.fulfil(order)
        till.store.pay(order, "50.00")
        till.arrive()
        assert till.worth(order) == 0
        till.store.pay(order)
    till.arrive()
    till.complete(order)
    till.arrive()
    assert (till.worth(order), till.booked()) == (120, [("earn", 120)])


def test_complaint_07_buying_and_refunding_again_and_again_makes_no_points(till: Till) -> None:
    for _ in range(4):
        order = till.buy("120.00", pieces=2)
        till.refund(order, 1)
        till.refund(order, 1)
        till.arrive()
    assert till.available == 0
    till.assert_true()


@pytest.mark.parametrize("given_back", [False, True])
def test_complaint_08_refunding_an_order_paid_with_points_charges_no_points_again(
    till: Till, *, given_back: bool
) -> None:
    """The order's own points go, the 100 spent on it were spent once; the program says whether they come back."""
    change_rules(till, refunds={"return_redeemed_points": given_back})
    till.buy("120.00")
    code = redeemed(till)
    order = till.buy("80.00", codes=[code])
    assert (till.worth(order), till.available) == (75, 20 + 75)
    till.store.refund_all(order)
    till.arrive()
    assert (till.worth(order), till.available) == (0, 120 if given_back else 20)
    assert sum(kind == "redeem" for kind, _ in till.booked()) == 1
    till.assert_true()


def test_complaint_09_a_discount_is_no_goods_and_a_typed_price_is_the_price(till: Till) -> None:
    """A discount lowers what counts; a price typed by staff counts as typed: 700, not 2,100."""
    if till.is_woo:
        discounted = till.buy("50.00", fees={"Goodwill": "-10.00"})
        typed = till.place("700.00")
        typed.lines[0].price = typed.lines[0].price / 3
        till.store.recalculate(typed)
        till.store.pay(typed)
        till.arrive()
        assert (till.worth(discounted), till.worth(typed)) == (40, 233)
    else:
        discounted = till.buy("50.00", off="10.00")
        tipped = till.buy("50.00", tip="7.00", shipping="9.00")
        assert (till.worth(discounted), till.worth(tipped)) == (40, 50)


def test_complaint_10_money_given_back_without_naming_lines_takes_its_points_too(till: Till) -> None:
    """A bare amount is of goods as far as goods remain; given back in full, nothing is kept."""
    order = till.buy("100.00", shipping="10.00")
    till.give(order, "30.00")
    till.arrive()
    assert till.worth(order) == 70
    till.give(order, "80.00")
    till.arrive()
    assert (till.worth(order), till.available) == (0, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"earn": {"points": 2}},
        {"earn": {"points": 1, "spend_minor": 100_000}},
        {"tiers": {"levels": [{"key": "all", "name": "All", "from_minor": 0, "earn_percent": 0}]}},
    ],
    ids=["twice the rate", "next to no rate", "the rule deleted"],
)
def test_complaint_11_a_refund_takes_back_what_was_really_given_whatever_the_rules_are_today(
    till: Till, change: dict[str, Any]
) -> None:
    """50 given are 50 taken back, half of them for half the goods, not 100 and not nothing."""
    order = till.buy("25.00", pieces=2)
    change_rules(till, **change)
    till.refund(order, 1)
    till.arrive()
    assert till.worth(order) == 25
    till.refund(order, 1)
    till.arrive()
    assert (till.worth(order), till.available) == (0, 0)
    assert sum(points for kind, points in till.booked() if kind == "earn_reversal") == -50


def test_complaint_12_a_refund_goes_by_the_tier_and_settings_of_the_order_not_of_today(till: Till) -> None:
    till.buy("600.00")
    order = till.buy("100.00", pieces=2)  # as Silver
    assert till.worth(order) == 250
    change_rules(
        till,
        earn={"when": "fulfilled", "hold_days": 30},
        expiry={"kind": "after_days", "days": 1},
        tiers={"levels": [{"key": "silver", "name": "Silver", "from_minor": 0, "earn_percent": 300}]},
    )
    till.refund(order, 1)
    till.arrive()
    assert (till.worth(order), till.available) == (125, 600 + 125)


def test_complaint_13_a_return_paid_out_as_store_credit_is_seen_and_explained(till: Till) -> None:
    """Goods that came back count, whichever way the money went; the entry says what happened, for the customer."""
    order = till.buy("40.00", pieces=2)
    if till.is_woo:
        till.refund(order, 1)  # by hand: no gateway moved money, staff gave a voucher
    else:
        till.store.refund(order, {order.lines[0].id: 1}, moves_money=False)
    till.arrive()
    assert (till.worth(order), till.available) == (40, 40)
    facts = till.stand.row(order.id).facts
    assert (facts["target"], facts["net"]) == (40, "40.00")


def test_complaint_14_every_partial_refund_counts_by_line_and_by_hand(till: Till) -> None:
    """Four refunds in a row, by pieces and by amounts typed by hand: each is deducted, shipping's is not."""
    order = till.buy("20.00", pieces=5, shipping="9.00")
    left = [100]
    for step in ("piece", "amount", "shipping", "piece", "amount"):
        match step:
            case "piece":
                till.refund(order, 1)
            case "amount":
                till.give(order, "7.50")
            case _:
                till.store.refund(order, shipping="9.00")
        till.arrive()
        left.append(till.worth(order))
    assert left == [100, 80, 72, 72, 52, 45]
    till.assert_true()


def test_complaint_15_points_spent_before_the_refund_are_a_debt_if_the_merchant_wants_it(till: Till) -> None:
    """The default: the deficit shows, and the next earnings fill it before anything can be spent."""
    order = till.buy("120.00")
    redeemed(till)
    till.store.refund_all(order)
    till.arrive()
    assert till.available == -100
    till.buy("130.00")
    assert till.available == 30


def test_complaint_15_or_are_written_off_if_the_merchant_wants_that(till: Till) -> None:
    """Never below zero, and the ledger says what that cost."""
    change_rules(till, refunds={"policy": "clamp"})
    order = till.buy("120.00")
    redeemed(till)
    till.store.refund_all(order)
    till.arrive()
    assert (till.available, till.booked()[-2:]) == (0, [("earn_reversal", -120), ("write_off", 100)])
    till.buy("130.00")
    assert till.available == 130


def test_complaint_16_points_for_an_order_that_is_cancelled_are_not_lost(till: Till) -> None:
    """The code works again, or its points are back: by itself, nobody has to mend it."""
    change_rules(till, refunds={"return_redeemed_points": True})
    till.buy("120.00")
    bought = till.redeem()
    till.work()
    order = till.buy("80.00", codes=[till.row(bought).code])
    assert till.row(bought).state is State.USED
    till.store.cancel(order)
    till.arrive()
    usable = till.usable(till.row(bought))
    assert (usable, till.available) in ((1, 20), (0, 120))
    if usable:
        till.buy("80.00", codes=[till.row(bought).code])
        assert (till.row(bought).state, till.available) == (State.USED, 20 + 75)


def test_complaint_17_whatever_the_checkout_the_points_are_paid_before_there_is_a_discount(
    till: Till,
) -> None:
    """Points go when the code is bought, in one commit; no checkout, payment or lost message can skip that."""
    till.buy("120.00")
    bought = till.redeem()
    assert till.available == 20  # before the shop knows of any code
    assert till.usable(bought) == 0
    till.work()
    more: dict[str, Any] = (
        {"payment_method": "klarna", "via": "store-api"} if till.is_woo else {"source": "klarna"}
    )
    order = till.place("80.00", codes=[till.row(bought).code], **more)
    till.store.pay(order)
    till.stand.lose_all()
    assert (till.available, till.usable(bought)) == (20, 0)  # the reduced total was paid for
    till.clock.forward(minutes=1)
    till.store.touch(order)
    till.arrive()
    assert (till.row(bought).state, till.available) == (State.USED, 20 + 75)
