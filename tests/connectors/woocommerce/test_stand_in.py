"""The stand-in store's webhooks and its API, both read by this connector, must agree after whatever people do there."""

import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.changes import OrderChanged
from app.domain.orders import OrderSnapshot
from connectors.base import Delivery, ShopAccess
from connectors.woocommerce.client import WooClient
from connectors.woocommerce.mapping import normalise
from sandbox.clock import VirtualClock
from sandbox.hosts import HostMap
from sandbox.refusals import Impossible
from sandbox.woocommerce import Shop, create_app
from sandbox.woocommerce.bodies_orders import order_body
from sandbox.woocommerce.state import Order

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
