"""The stand-in store's webhooks and its API, both read by this connector, must agree after whatever people do there."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.changes import OrderChanged
from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.orders import OrderSnapshot
from app.domain.rewards import Combines, Gift
from connectors.base import CodeKind, CodeSpec, Delivery, ShopAccess
from connectors.woocommerce import codes
from connectors.woocommerce.client import WooClient
from connectors.woocommerce.mapping import normalise
from sandbox.clock import VirtualClock
from sandbox.hosts import HostMap
from sandbox.refusals import CodeRefused, Impossible
from sandbox.woocommerce import Shop, create_app
from sandbox.woocommerce.bodies_orders import order_body
from sandbox.woocommerce.state import Order
from tests.connectors.woocommerce import recorded

ACTS = ("pay", "complete", "refund a mug", "refund shipping", "goodwill", "refund all", "cancel")


class World:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.shop = Shop(clock=self.clock)
        self.hosts = HostMap({"shop.example": create_app(self.shop)})
        self.mug = self.shop.product("Mug", "10.00")
        self.coffee = self.shop.product("Coffee", "19.99")

    def client(self) -> WooClient:
        key = self.shop.api_key()
        credentials = {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}
        return WooClient(
            ShopAccess(shop_key="fern", shop_ref=self.shop.url, credentials=credentials), self.hosts
        )

    def told(self, order: Order) -> OrderSnapshot:
        body = json.dumps(order_body(self.shop, order)).encode()
        change = normalise(Delivery(topic="order.updated", delivery_ref="", shop_ref=None, body=body))
        assert isinstance(change, OrderChanged)
        return change.order

    def read(self, order: Order) -> OrderSnapshot:
        read = self.client().read_orders([str(order.id)])[str(order.id)]
        assert isinstance(read, OrderSnapshot)
        return read


def do(act: str, shop: Shop, order: Order) -> None:
    match act:
        case "pay":
            shop.pay(order)
        case "complete":
            shop.complete(order)
        case "refund a mug":
            shop.refund(order, {order.lines[0].id: 1})
        case "refund shipping":
            shop.refund(order, shipping="7.50")
        case "goodwill":
            shop.refund(order, amount="4.00")
        case "refund all":
            shop.refund_all(order)
        case _:
            shop.cancel(order)


@settings(max_examples=25, deadline=None)
@given(
    acts=st.lists(st.sampled_from(ACTS), max_size=6),
    prices_include_tax=st.booleans(),
    fee=st.sampled_from(["3.00", "-3.00", "-60.00"]),
    via=st.sampled_from(["store-api", "checkout", "rest-api"]),
)
def test_webhook_and_api_agree_but_for_the_lines_of_refunds(
    acts: list[str], prices_include_tax: bool, fee: str, via: str
) -> None:
    world = World()
    order = world.shop.create_order(
        [(world.mug, 3), (world.coffee, 1)],
        shipping="7.50",
        fees={"Fee": fee},
        prices_include_tax=prices_include_tax,
        via=via,
    )
    for act in acts:
        world.clock.advance(timedelta(seconds=5))
        try:
            do(act, world.shop, order)
        except Impossible:
            continue
    told, read = world.told(order), world.read(order)
    assert replace(read, refunds=told.refunds) == told
    assert [refund.refund_ref for refund in read.refunds] == [refund.refund_ref for refund in told.refunds]
    assert world.client().orders_changed(world.clock() - timedelta(days=1), world.clock()).orders == (told,)
    off = min(0, int(fee.replace(".", "")))
    assert read.goods.minor == max(0, sum(line.goods_minor for line in read.lines) + off)
    assert read.channel == via
    for refund in read.refunds:
        assert refund.exact
        assert {line.line_ref for line in refund.lines} <= {line.line_ref for line in read.lines}
        assert sum(line.goods_minor for line in refund.lines) <= refund.goods.minor


def test_lines_and_shipping_of_an_order_and_its_refund_are_told() -> None:
    world = World()
    order = world.shop.create_order([(world.mug, 3), (world.coffee, 1)], shipping="7.50")
    world.shop.pay(order)
    world.shop.refund(order, {order.lines[0].id: 2}, shipping="5.00")
    read = world.read(order)
    mugs, coffee = read.lines
    assert (mugs.line_ref, mugs.product_ref, mugs.quantity) == (str(order.lines[0].id), str(world.mug.id), 3)
    assert (mugs.goods_minor, coffee.goods_minor, read.shipping_minor) == (3000, 1999, 750)
    (refund,) = read.refunds
    assert [(line.line_ref, line.goods_minor) for line in refund.lines] == [(mugs.line_ref, 2000)]
    assert (refund.goods.minor, refund.shipping_minor) == (2000, 500)


def asked_of(world: World, kind: CodeKind, **changes: Any) -> CodeSpec:
    alice = world.shop.create_customer("alice@example.test", "Alice", "Archer")
    with_money = (CodeKind.AMOUNT, CodeKind.GIFT_CARD, CodeKind.STORE_CREDIT)
    spec = CodeSpec(
        code="LRL-7K3M9Q2X4V8T1W5Z",
        kind=kind,
        amount=Money(500, "USD") if kind in with_money else None,
        percent=10 if kind is CodeKind.PERCENT else None,
        minimum_spend=None,
        customer_ref=str(alice.id),
        starts_at=world.clock(),
        expires_at=world.clock().replace(microsecond=0) + timedelta(days=90),
        tag="laurel:5f1c",
        title="A reward",
    )
    return replace(spec, **changes)


def test_its_order_has_the_fields_of_a_real_one_with_our_code() -> None:
    """Of WooCommerce 11.0.1: mug and coffee, 5.00 off by our code at the block checkout."""
    world = World()
    world.client().issue_code(spec := asked_of(world, CodeKind.AMOUNT))
    alice = world.shop.customers[int(spec.customer_ref)]
    order = world.shop.create_order(
        [(world.mug, 1), (world.coffee, 1)],
        customer=alice,
        codes=[spec.code],
        shipping="7.50",
        via="store-api",
    )
    ours = json.loads(json.dumps(order_body(world.shop, order)))
    real = json.loads(recorded.body_of("66-T-11.0-our-code-block-1-order.updated.json"))
    assert ours.keys() == real.keys()
    for parts in ("line_items", "shipping_lines", "coupon_lines", "tax_lines"):
        assert ours[parts][0].keys() == real[parts][0].keys(), parts
    for amount in ("discount_total", "shipping_total", "cart_tax", "total"):
        assert ours[amount] == real[amount], amount
    for said in ("discount", "discount_tax", "discount_type", "nominal_amount", "free_shipping"):
        assert ours["coupon_lines"][0][said] == real["coupon_lines"][0][said], said
    assert [line["total"] for line in ours["line_items"]] == [line["total"] for line in real["line_items"]]


def test_a_gift_is_one_piece_however_many_are_in_the_cart() -> None:
    world = World()
    spec = asked_of(world, CodeKind.PRODUCT, gift=Gift(product_ref=str(world.mug.id)))
    client = world.client()
    issued = client.issue_code(spec)
    assert client.issue_code(spec) == issued
    found = client.find_code(spec.code)
    assert found
    assert (found.kind, found.live) == (CodeKind.PRODUCT, True)
    alice = world.shop.customers[int(spec.customer_ref)]
    order = world.shop.checkout([(world.mug, 3), (world.coffee, 1)], customer=alice, codes=[spec.code])
    assert world.told(order).goods == Money(2 * 1000 + 1999, "USD")
    dead = client.withdraw_code(spec.code, spec.tag, spec)
    assert dead is None or not dead.live


def test_a_gift_card_is_a_coupon_for_whoever_has_it_and_is_used_whole() -> None:
    world = World()
    spec = asked_of(world, CodeKind.GIFT_CARD)
    client = world.client()
    client.issue_code(spec)
    found = client.find_code(spec.code)
    assert found
    assert (found.kind, found.value, found.left) == (CodeKind.GIFT_CARD, "5.00", None)
    bob = world.shop.create_customer("bob@example.test", "Bob", "Baker")
    candy = world.shop.product("Candy", "4.99")
    with pytest.raises(CodeRefused, match="minimum spend"):
        world.shop.checkout([(candy, 1)], customer=bob, codes=[spec.code])
    order = world.shop.checkout([(world.mug, 1)], customer=bob, codes=[spec.code])
    assert world.told(order).goods == Money(500, "USD")


def test_a_balance_is_brought_to_what_is_left_and_asked_twice_it_is_the_same() -> None:
    world = World()
    spec = asked_of(world, CodeKind.STORE_CREDIT)
    client = world.client()
    client.issue_code(spec)
    found = client.find_code(spec.code)
    assert found
    assert (found.kind, found.value, found.left, found.uses_left) == (CodeKind.STORE_CREDIT, "5.00", None, 1)
    alice = world.shop.customers[int(spec.customer_ref)]
    world.shop.checkout([(world.shop.product("Candy", "3.50"), 1)], customer=alice, codes=[spec.code])
    for _ in range(2):
        assert client.set_balance(spec, Money(150, "USD"), 1)
        found = client.find_code(spec.code)
        assert found
        assert (found.live, found.value, found.uses, found.uses_left) == (True, "1.50", 1, 1)
    coupon = world.shop.coupon_named(spec.code)
    assert coupon is not None
    changed = coupon.modified
    world.clock.advance(timedelta(minutes=1))
    client.set_balance(spec, Money(150, "USD"), 1)
    assert coupon.modified == changed  # what is right is left alone
    order = world.shop.checkout([(world.mug, 1)], customer=alice, codes=[spec.code])
    assert world.told(order).goods == Money(850, "USD")
    assert [(use.code, use.taken_minor) for use in world.told(order).code_uses] == [(coupon.code, 150)]


def test_an_order_that_comes_in_between_reaches_the_limit() -> None:
    world = World()
    spec = asked_of(world, CodeKind.STORE_CREDIT)
    client = world.client()
    client.issue_code(spec)
    alice = world.shop.customers[int(spec.customer_ref)]
    world.shop.checkout([(world.mug, 1)], customer=alice, codes=[spec.code])
    client.set_balance(spec, Money(500, "USD"), 0)  # asked before that order
    found = client.find_code(spec.code)
    assert found
    assert (found.live, found.uses_left) == (False, 0)


@pytest.mark.parametrize("uses", [0, 1])
def test_with_nothing_left_no_order_can_use_it(uses: int) -> None:
    world = World()
    spec = asked_of(world, CodeKind.STORE_CREDIT)
    client = world.client()
    client.issue_code(spec)
    coupon = world.shop.coupon_named(spec.code)
    assert coupon is not None
    coupon.usage_count = uses
    coupon.usage_limit = None  # staff lifted it
    client.set_balance(spec, Money(0, "USD"), uses)
    found = client.find_code(spec.code)
    assert found
    assert (found.value, found.uses_left) == ("0.00", 1 - uses)


def test_thousandths_are_kept_though_the_shop_tells_hundredths() -> None:
    world = World()
    world.shop.currency, world.shop.decimals = "KWD", 3
    spec = asked_of(world, CodeKind.STORE_CREDIT, amount=Money(5000, "KWD"))
    client = world.client()
    client.issue_code(spec)
    assert client.set_balance(spec, Money(1255, "KWD"), 0)
    coupon = world.shop.coupon_named(spec.code)
    found = client.find_code(spec.code)
    assert coupon
    assert found
    assert (str(coupon.amount), found.value) == ("1.255", "1.26")


def test_a_balance_that_is_gone_or_not_ours_is_none() -> None:
    world = World()
    spec = asked_of(world, CodeKind.STORE_CREDIT)
    client = world.client()
    assert not client.set_balance(spec, Money(150, "USD"), 0)
    world.shop.create_coupon(spec.code, "50.00")
    assert not client.set_balance(spec, Money(150, "USD"), 0)
    with pytest.raises(Refused, match="unsupported"):
        client.set_balance(replace(spec, kind=CodeKind.AMOUNT), Money(150, "USD"), 0)


def test_a_shop_that_makes_something_else_of_it_is_refused() -> None:
    world = World()
    spec = asked_of(world, CodeKind.STORE_CREDIT)
    client = world.client()
    client.issue_code(spec)
    coupon = world.shop.coupon_named(spec.code)
    assert coupon is not None
    coupon.email_restrictions.clear()
    with pytest.raises(Refused, match=r"differs.*email_restrictions"):
        client.set_balance(spec, Money(150, "USD"), 0)


def test_a_code_stands_alone_unless_it_combines_with_everything() -> None:
    world = World()
    world.shop.create_coupon("summer", "1.00")
    alone, beside = (
        asked_of(world, CodeKind.AMOUNT, code=code, combines=combines)
        for code, combines in (("ALONE", frozenset[Combines]()), ("BESIDE", frozenset(Combines)))
    )
    for spec in (alone, beside):
        world.client().issue_code(spec)
    alice = world.shop.customers[int(alone.customer_ref)]
    with pytest.raises(CodeRefused):
        world.shop.checkout([(world.mug, 1)], customer=alice, codes=["summer", "ALONE"])
    alice = world.shop.customers[int(beside.customer_ref)]
    world.shop.checkout([(world.mug, 1)], customer=alice, codes=["summer", "BESIDE"])


@pytest.mark.parametrize(
    ("kind", "changes", "why"),
    [
        (CodeKind.PERCENT, {"maximum": Money(2000, "USD")}, "no maximum"),
        (CodeKind.AMOUNT, {"combines": frozenset({Combines.SHIPPING})}, "all other coupons or with none"),
        (
            CodeKind.PRODUCT,
            {"gift": Gift(product_ref="1"), "minimum_spend": Money(1, "USD")},
            "free product itself",
        ),
        (CodeKind.PRODUCT, {"gift": Gift(product_ref="1", collection_ref="2")}, "other goods"),
    ],
)
def test_what_cannot_be_made_exactly_is_said_and_never_tried(
    kind: CodeKind, changes: dict[str, Any], why: str
) -> None:
    world = World()
    spec = asked_of(world, kind, **changes)
    assert why in (codes.why_not(spec) or "")
    with pytest.raises(Refused, match=r"^unsupported"):
        world.client().issue_code(spec)
    assert not world.shop.coupons
