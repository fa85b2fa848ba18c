"""Every recorded delivery is understood, or ignored or refused with the reason stated here."""

from fnmatch import fnmatch

import pytest

from app.domain.changes import (
    Change,
    CodeGone,
    CustomerFacts,
    CustomerSeen,
    Ignored,
    OrderChanged,
    OrderToReread,
)
from app.domain.errors import Refused
from app.domain.orders import OrderState
from connectors.base import BadSignature, NotADelivery, WebhookRequest
from connectors.woocommerce import CONNECTOR
from tests.connectors.stories import at, usd
from tests.connectors.woocommerce import recorded

PING = "01-ping-new-webhook-1-ping.json"
HALF_YEN = "69-W-11.0-half-yen-1-order.created.json"
ERRORS = [name for name in recorded.RECORDINGS if name.startswith("45-")]
# (state, goods, refunds that the body shows) by the beginning of the file's name
ORDERS = {
    "02-": (OrderState.OPEN, "39.99", []),
    "03-": (OrderState.OPEN, "39.99", []),
    "04-": (OrderState.PAID, "39.99", []),
    "05-A-completed-1": (OrderState.PAID, "39.99", []),
    "06-": (OrderState.PAID, "39.99", []),
    "08-": (OrderState.PAID, "39.99", ["5.00"]),
    "09-": (OrderState.PAID, "39.99", ["5.00", "10.00"]),
    "11-": (OrderState.PAID, "39.99", ["10.00", "41.24"]),
    "12-": (OrderState.PAID, "149.00", []),
    "13-": (OrderState.PAID, "149.00", []),
    "15-": (OrderState.OPEN, "10.00", []),
    "16-": (OrderState.CANCELLED, "10.00", []),
    "17-": (OrderState.OPEN, "10.00", []),
    "18-": (OrderState.OPEN, "10.00", []),
    "19-E-completed-1": (OrderState.PAID, "30.00", []),
    "19-E-completed-2": (OrderState.PAID, "30.00", []),
    "20-": (OrderState.CANCELLED, "30.00", []),
    "25-": (OrderState.PAID, "33.98", []),
    "26-": (OrderState.CANCELLED, "33.98", []),
    "50-": (OrderState.OPEN, "24.99", []),
    "51-": (OrderState.PAID, "24.99", []),
    "52-": (OrderState.PAID, "24.99", ["7.50"]),
    "54-": (OrderState.CANCELLED, "36.00", []),
    "55-": (OrderState.PAID, "36.00", []),
    "56-": (OrderState.PAID, "36.00", ["47.85"]),
    "57-": (OrderState.PAID, "279.99", ["7.50", "19.99"]),
    "58-": (OrderState.PAID, "36.00", []),
    "59-": (OrderState.PAID, "10.00", ["5.50"]),
    "60-": (OrderState.OPEN, "54.98", []),
    "61-P-8.0-our-code-block-2": (OrderState.OPEN, "34.99", []),
    "62-": (OrderState.OPEN, "24.99", []),
    "63-": (OrderState.OPEN, "24.99", []),
    "64-": (OrderState.OPEN, "144.00", []),
    "66-": (OrderState.OPEN, "24.99", []),
    "67-": (OrderState.OPEN, "24.99", []),
    "68-": (OrderState.PAID, "22.72", []),  # 24.99 with tax
}


def _customer(ref: str, email: str, name: str) -> CustomerFacts:
    return CustomerFacts(customer_ref=ref, email=email, email_verified=False, name=name, tags=("customer",))


OTHERS: dict[str, Change] = {
    "05-A-completed-2": CustomerSeen(_customer("2", "alice@example.test", "Alice Jones")),
    "19-E-completed-3": CustomerSeen(_customer("3", "bob@example.test", "Bob Smith")),
    "29-": OrderToReread("29", "deleted at the shop"),
    "31-": CustomerSeen(_customer("4", "carol@example.test", "Carol")),
    "32-": CustomerSeen(_customer("4", "carol@example.test", "Carol King")),
    "33-": Ignored("a customer was deleted at the shop; the member and the points stay"),
    "35-": CodeGone("33"),
    "53-": CodeGone("117"),
    "61-P-8.0-our-code-block-1": Ignored("a checkout that is not an order yet (checkout-draft)"),
    "65-": CodeGone("22"),
    **dict.fromkeys(
        ("22-", "23-", "24-"),
        Ignored("a coupon that can be used was made or changed; codes are read when they matter"),
    ),
}


def test_every_recording_has_its_line_here() -> None:
    known = (*ORDERS, *OTHERS, "01-", "27-", "45-", HALF_YEN)
    assert not [name for name in recorded.RECORDINGS if not name.startswith(known)]


@pytest.mark.parametrize("name", [name for name in recorded.RECORDINGS if name.startswith(tuple(ORDERS))])
def test_an_order_is_understood(name: str) -> None:
    state, goods, refunds = next(facts for start, facts in ORDERS.items() if name.startswith(start))
    change = _change(name)
    assert isinstance(change, OrderChanged)
    assert (change.order.state, change.order.goods) == (state, usd(goods))
    assert [refund.goods for refund in change.order.refunds] == [usd(refund) for refund in refunds]
    assert change.reread == bool(refunds)


@pytest.mark.parametrize("name", [name for name in recorded.RECORDINGS if name.startswith(tuple(OTHERS))])
def test_anything_else_is_understood_or_ignored_with_its_reason(name: str) -> None:
    assert _change(name) == next(change for start, change in OTHERS.items() if name.startswith(start))


def test_another_currency_stays_what_it_is() -> None:
    change = _change("27-G-order-EUR-tax-shipping-fee-1-order.created.json")
    assert isinstance(change, OrderChanged)
    assert (str(change.order.goods), change.order.goods.currency) == (
        "65.00",
        "EUR",
    )  # shipping, fee and tax apart


OUR_CODES = {"5[0-2]-*": "lrl-em2d3eap60w6gpq3", "5[4-68]-*": "lrl-zjqv6vk8s2f1ndv2"}


@pytest.mark.parametrize("pattern", OUR_CODES)
def test_an_order_names_our_code_whatever_becomes_of_it(pattern: str) -> None:
    """From the shop's two checkouts; the shop says it in lower case, however it was typed."""
    told = [_change(name) for name in recorded.RECORDINGS if fnmatch(name, pattern)]
    assert len(told) >= 3
    assert {change.order.codes_used for change in told if isinstance(change, OrderChanged)} == {
        (OUR_CODES[pattern],)
    }


IN_EVERY_VERSION = {
    "60-": "lrl-7hcnk467y7hk89ef",
    "61-P-8.0-our-code-block-2": "lrl-e8xryas8x6ywssmf",
    "62-": "LRL-4KEP85W7FN926XS1",  # 9.9 does not write it in lower case
    "63-": "LRL-527J4QAQZ9816NJP",
    "64-": "LRL-GUEST5X9",
    "66-": "lrl-5hbfb6zb4arxkj0s",
    "67-": "lrl-36gxpfj3ve8tkn99",
    "68-": "lrl-ddnvw0d3ychby7t2",
}


@pytest.mark.parametrize("start", IN_EVERY_VERSION)
def test_every_version_names_our_code_and_what_it_took_of_its_own_amount(start: str) -> None:
    """All of 5.00, where prices have tax in them too: there the shop tells it in two parts."""
    for name in (one for one in recorded.RECORDINGS if one.startswith(start)):
        change = _change(name)
        assert isinstance(change, OrderChanged)
        assert change.order.codes_used == (IN_EVERY_VERSION[start],)
        assert [(use.code, use.taken_minor) for use in change.order.code_uses] == [
            (IN_EVERY_VERSION[start], 500)
        ]


def test_half_a_yen_is_not_counted_by_guessing() -> None:
    """A currency plugin in a shop that keeps two decimals: such an order waits for a person."""
    with pytest.raises(Refused, match=r"2623\.50 has more decimals than JPY"):
        _change(HALF_YEN)


def test_gmt_times_are_utc_in_any_time_zone_of_the_machine() -> None:
    change = _change("05-A-completed-1-order.updated.json")
    assert isinstance(change, OrderChanged)
    order = change.order
    assert (order.placed_at, order.paid_at) == (at("18:18:36"), at("18:18:39"))
    assert (order.fulfilled_at, order.updated_at) == (at("18:18:41"), at("18:18:41"))


def test_the_ping_of_a_new_webhook_is_no_delivery() -> None:
    with pytest.raises(NotADelivery):
        CONNECTOR.verify(recorded.delivery(PING), ())


@pytest.mark.parametrize(
    "body", [b"webhook_id=12&x=1", b"webhook_id=", b"webhook_id=12\n", b"webhook_id=" + b"1" * 30, b""]
)
def test_what_only_looks_like_a_ping_is_refused(body: bytes) -> None:
    with pytest.raises(BadSignature):
        CONNECTOR.verify(WebhookRequest(body, {}), (recorded.SECRET,))


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_that_was_signed_and_sent_is_kept_with_its_code(name: str) -> None:
    with pytest.raises(Refused, match="woocommerce_rest_shop_order_invalid_id") as caught:
        _change(name)
    assert caught.value.code == "error_object"


def _change(name: str) -> Change:
    return CONNECTOR.normalise(CONNECTOR.verify(recorded.delivery(name), (recorded.SECRET,)))
