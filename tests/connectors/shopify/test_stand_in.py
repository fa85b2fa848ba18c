"""The stand-in shop's webhooks and its API, both read by this connector, must agree after whatever people do there."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.changes import OrderChanged
from app.domain.errors import AccessLost, Refused, Retryable
from app.domain.folding import fold
from app.domain.money import Money
from app.domain.orders import OrderSnapshot
from app.domain.rewards import Combines, Gift
from connectors.base import Absent, AppCredentials, CodeKind, CodeSpec, Delivery, Granted, ShopAccess
from connectors.shopify import codes, install
from connectors.shopify.client import ShopifyShop
from connectors.shopify.mapping import normalise
from sandbox.clock import VirtualClock
from sandbox.hosts import HostMap
from sandbox.refusals import CodeRefused, Impossible
from sandbox.shopify import Installation, Shop, create_app
from sandbox.shopify.bodies_orders import order_body
from sandbox.shopify.state import Order

SCOPES = [
    *(
        "read_orders",
        "read_products",
        "read_customers",
        "read_discounts",
        "write_discounts",
        "write_gift_cards",
    ),
    *("read_store_credit_accounts", "write_store_credit_account_transactions"),
]
APP = AppCredentials(client_id="client-id", secrets=("shpss_" + "s" * 32,))


class World:
    def __init__(self, **settings: Any) -> None:
        self.clock = VirtualClock()
        app = Installation(client_id=APP.client_id, secrets=list(APP.secrets), scopes=SCOPES)
        self.shop = Shop(clock=self.clock, app=app, **settings)
        self.hosts = HostMap({self.shop.domain: create_app(self.shop)})
        self.shop.install()
        self.mug = self.shop.product("Mug", "10.00")
        self.coffee = self.shop.product("Coffee", "19.99")
        self.gift_card = self.shop.product("Gift card", "25.00", gift_card=True)
        self.alice = self.shop.create_customer("alice@example.test", "Alice", "Archer")

    def access(self) -> ShopAccess:
        credentials = {"mode": "own_app", "access_token": self.shop.issue_token().value}
        return ShopAccess(shop_key="acme", shop_ref=self.shop.domain, credentials=credentials)

    def client(self) -> ShopifyShop:
        return ShopifyShop(self.access(), self.hosts)

    def told(self, order: Order) -> OrderSnapshot:
        body = json.dumps(order_body(self.shop, order)).encode()
        change = normalise(Delivery(topic="orders/updated", delivery_ref="", shop_ref=None, body=body))
        assert isinstance(change, OrderChanged)
        return change.order

    def read(self, order: Order) -> OrderSnapshot | Absent:
        return self.client().read_orders([str(order.id)])[str(order.id)]


ACTS = (
    *("pay", "fulfil", "refund a mug", "refund shipping", "goodwill", "goods back without money", "cancel"),
    *("remove a mug", "remove a coffee", "add a coffee", "refund all", "touch"),
)


@settings(max_examples=25, deadline=None)
@given(
    acts=st.lists(st.sampled_from(ACTS), max_size=6),
    taxes_included=st.booleans(),
    paying_in=st.sampled_from([None, "EUR", "JPY"]),
    tip=st.sampled_from([0, "3.00"]),
    off=st.sampled_from([None, "5.00"]),
)
def test_webhook_and_api_agree_after_whatever_people_do(
    acts: list[str], taxes_included: bool, paying_in: str | None, tip: Any, off: Any
) -> None:
    world = World(tax_percent=10, taxes_included=taxes_included)
    lines = [(world.mug, 3), (world.coffee, 1), (world.gift_card, 1)]
    order = world.shop.create_order(
        lines, customer=world.alice, shipping="7.50", currency=paying_in, tip=tip, off=off
    )
    mug, coffee = (line.id for line in order.lines[:2])
    for act in acts:
        world.clock.advance(timedelta(seconds=5))
        try:
            do(act, world.shop, order, mug, coffee, world)
        except Impossible:
            continue
    order.tags = ["wholesale", "Gift"]
    snapshot = world.told(order)
    assert world.read(order) == snapshot
    assert world.client().orders_changed(world.shop.created, world.clock()).orders == (snapshot,)
    assert snapshot.goods_refunded.minor <= snapshot.goods.minor
    assert snapshot.placed_at == order.created
    assert sum(line.goods_minor for line in snapshot.lines if not line.gift_card) == snapshot.goods.minor
    assert (snapshot.tips_minor, snapshot.channel, snapshot.tags) == (
        300 if tip else 0,
        "web",
        ("Gift", "wholesale"),
    )
    sold = {line.line_ref for line in snapshot.lines if not line.gift_card}
    for refund in snapshot.refunds:
        assert {line.line_ref for line in refund.lines} <= sold
        assert sum(line.goods_minor for line in refund.lines) <= refund.goods.minor


def do(act: str, shop: Shop, order: Order, mug: int, coffee: int, world: World) -> None:
    match act:
        case "pay":
            shop.pay(order)
        case "fulfil":
            shop.fulfil(order)
        case "refund a mug":
            shop.refund(order, {mug: 1})
        case "refund shipping":
            shop.refund(order, shipping="7.50")
        case "goodwill":
            shop.refund(order, beyond="4.00")
        case "goods back without money":
            shop.refund(order, {coffee: 1}, moves_money=False)
        case "remove a mug":
            shop.edit(order, remove={mug: 1})
        case "remove a coffee":
            shop.edit(order, remove={coffee: 1})
        case "add a coffee":
            shop.edit(order, add=[(world.coffee, 1)])
        case "refund all":
            shop.refund_all(order)
        case "cancel":
            shop.cancel(order)
        case _:
            shop.touch(order)


def test_goods_are_the_lines_without_gift_card_tip_tax_and_shipping() -> None:
    world = World(tax_percent=10)
    order = world.shop.create_order(
        [(world.mug, 2), (world.gift_card, 1)], shipping="7.50", tip="3.00", paid=True
    )
    assert world.told(order).goods == Money(2000, "USD")


def test_lines_shipping_and_tip_are_told_apart() -> None:
    world = World(tax_percent=10, taxes_included=True)
    lines = [(world.mug, 3), (world.gift_card, 1)]
    order = world.shop.create_order(lines, shipping="5.50", off="3.00", tip="3.00", paid=True, source="pos")
    world.shop.edit(order, remove={order.lines[0].id: 1})
    world.shop.refund(order, {order.lines[0].id: 1}, shipping="1.10")
    snapshot = world.told(order)
    mugs, card = snapshot.lines
    # 30.00 for three, 1.64 of the 3.00 off are theirs: 28.36, of which 2.58 is tax; two of the three are left.
    assert (mugs.quantity, mugs.goods_minor, mugs.discount_minor, mugs.tax_minor) == (2, 1718, 99, 172)
    assert (mugs.product_ref, mugs.variant_ref) == (str(world.mug.id), str(world.mug.variant_id))
    assert (mugs.vendor, mugs.gift_card, card.gift_card) == ("Fern & Field", False, True)
    assert snapshot.goods.minor == 1718
    assert (snapshot.shipping_minor, snapshot.shipping_tax_minor) == (500, 50)
    assert (snapshot.tips_minor, snapshot.channel) == (300, "pos")
    (refund,) = snapshot.refunds
    assert [(line.line_ref, line.goods_minor, line.tax_minor) for line in refund.lines] == [
        (mugs.line_ref, 859, 86)
    ]
    assert (refund.goods.minor, refund.shipping_minor) == (859, 100)


def test_a_selling_plan_is_told_by_the_shop_alone_and_then_kept() -> None:
    """A webhook of 2026-07 does not have it, so the two differ there; folding keeps what the shop told."""
    world = World()
    world.mug.selling_plan_id = 77
    order = world.shop.checkout([(world.mug, 1), (world.coffee, 1)])
    told, read = world.told(order), world.read(order)
    assert isinstance(read, OrderSnapshot)
    assert [line.subscription for line in told.lines] == [False, False]
    assert [line.subscription for line in read.lines] == [True, False]
    assert fold(read, told, reread=False).order == read
    assert fold(told, read, reread=True).order == read


def test_an_app_that_may_not_read_products_learns_them_from_webhooks() -> None:
    world = World()
    world.shop.app.scopes = [scope for scope in SCOPES if scope != "read_products"]
    order = world.shop.checkout([(world.mug, 1)])
    told, read = world.told(order), world.read(order)
    assert isinstance(read, OrderSnapshot)
    assert [line.product_ref for line in told.lines] == [str(world.mug.id)]
    assert [line.product_ref for line in read.lines] == [None]
    assert fold(told, read, reread=True).order == told
    assert fold(read, told, reread=False).order == told


def test_all_given_back_leaves_no_goods() -> None:
    world = World(tax_percent=10)
    order = world.shop.create_order([(world.mug, 2), (world.coffee, 1)], shipping="7.50", paid=True)
    world.shop.refund(order, beyond="5.00")
    world.shop.refund_all(order)
    snapshot = world.told(order)
    assert snapshot.goods_refunded == snapshot.goods == Money(3999, "USD")


def test_an_order_that_was_deleted_is_gone_and_an_old_one_too() -> None:
    """Which of the two it is, the caller knows: from how far back the scopes reach (`reads_orders_days`)."""
    world = World()
    order = world.shop.checkout([(world.mug, 1)])
    deleted = world.shop.checkout([(world.mug, 1)])
    world.shop.delete(deleted)
    assert world.read(deleted) is Absent.GONE
    world.clock.advance(timedelta(days=61))
    assert world.read(order) is Absent.GONE
    assert world.client().shop_facts().reads_orders_days == 60


DISCOUNTS = [CodeKind.AMOUNT, CodeKind.PERCENT, CodeKind.FREE_SHIPPING]


def asked_of(world: World, kind: CodeKind, **changes: Any) -> CodeSpec:
    with_money = (CodeKind.AMOUNT, CodeKind.GIFT_CARD, CodeKind.STORE_CREDIT)
    spec = CodeSpec(
        code="laurel-7k3m9q2x4v8t1w5z",
        kind=kind,
        amount=Money(500, "USD") if kind in with_money else None,
        percent=10 if kind is CodeKind.PERCENT else None,
        minimum_spend=None,
        customer_ref=str(world.alice.id),
        starts_at=world.clock(),
        expires_at=world.clock() + timedelta(days=90),
        tag="laurel:5f1c",
        title="A reward",
    )
    return replace(spec, **changes)


@pytest.mark.parametrize("kind", DISCOUNTS)
def test_a_code_lives_and_dies(kind: CodeKind) -> None:
    world = World()
    spec = asked_of(world, kind, minimum_spend=Money(1500, "USD"))
    client = world.client()
    issued = client.issue_code(spec)
    assert client.issue_code(spec) == issued
    found = client.find_code(spec.code)
    assert found
    assert (found.live, found.tag, found.customer_ref) == (True, spec.tag, spec.customer_ref)
    assert [code.code_ref for code in client.our_codes("laurel:")[0]] == [issued.code_ref]
    used = world.shop.checkout([(world.mug, 2)], customer=world.alice, codes=[spec.code], shipping="7.50")
    assert client.orders_with_code(spec.code) == [world.told(used)]
    assert spec.code.casefold() in [code.casefold() for code in world.told(used).codes_used]
    dead = client.withdraw_code(spec.code, spec.tag)
    assert dead
    assert not dead.live


def cart_with_gift(world: World) -> tuple[CodeSpec, Any, Any]:
    beans = world.shop.product("Beans", "30.00", collections=[41])
    cup = world.shop.product("Cup", "12.00")
    spec = asked_of(world, CodeKind.PRODUCT, gift=Gift(variant_ref=str(cup.variant_id), collection_ref="41"))
    return spec, beans, cup


def test_a_gift_is_one_piece_beside_a_purchase_however_many_are_in_the_cart() -> None:
    world = World()
    spec, beans, cup = cart_with_gift(world)
    client = world.client()
    issued = client.issue_code(spec)
    assert client.issue_code(spec) == issued
    found = client.find_code(spec.code)
    assert found
    assert (found.kind, found.live, found.tag) == (CodeKind.PRODUCT, True, spec.tag)
    with pytest.raises(CodeRefused):
        world.shop.checkout([(cup, 1)], customer=world.alice, codes=[spec.code])
    order = world.shop.checkout([(beans, 1), (cup, 3)], customer=world.alice, codes=[spec.code])
    assert world.told(order).goods == Money(3000 + 2 * 1200, "USD")
    assert client.orders_with_code(spec.code) == [world.told(order)]
    dead = client.withdraw_code(spec.code, spec.tag, spec)
    assert dead
    assert not dead.live


def test_a_gift_asks_for_as_much_as_its_minimum_and_does_not_count_itself() -> None:
    world = World()
    spec, beans, cup = cart_with_gift(world)
    spec = replace(spec, minimum_spend=Money(5000, "USD"))
    world.client().issue_code(spec)
    with pytest.raises(CodeRefused):
        world.shop.checkout([(beans, 1), (cup, 4)], customer=world.alice, codes=[spec.code])
    world.shop.checkout([(beans, 2), (cup, 1)], customer=world.alice, codes=[spec.code])


def test_a_whole_product_is_given_as_well_as_one_of_its_variants() -> None:
    world = World()
    spec, beans, cup = cart_with_gift(world)
    spec = replace(spec, gift=Gift(product_ref=str(cup.id), collection_ref="41"))
    client = world.client()
    assert client.issue_code(spec) == client.issue_code(spec)
    order = world.shop.checkout([(beans, 1), (cup, 1)], customer=world.alice, codes=[spec.code])
    assert world.told(order).goods == Money(3000, "USD")


def test_a_gift_that_the_shop_does_not_have_is_refused() -> None:
    world = World()
    spec, _, _ = cart_with_gift(world)
    with pytest.raises(Refused, match=r"^rejected"):
        world.client().issue_code(replace(spec, gift=Gift(product_ref="7", collection_ref="41")))


def test_a_gift_that_is_another_than_asked_for_is_withdrawn() -> None:
    world = World()
    spec, _, cup = cart_with_gift(world)
    world.client().issue_code(spec)
    other = replace(spec, gift=Gift(product_ref=str(cup.id), collection_ref="41"))
    with pytest.raises(Refused, match=r"^differs: .*items"):
        world.client().issue_code(other)
    assert world.shop.discounts[int(next(iter(world.shop.discounts)))].status(world.shop.now()) == "EXPIRED"


def test_a_code_beside_others_is_found_though_it_stands_second() -> None:
    world = World()
    spec = asked_of(world, CodeKind.AMOUNT, combines=frozenset(Combines))
    client = world.client()
    client.issue_code(spec)
    other = world.shop.create_discount("SUMMER", amount="1.00")
    other.combines = {"orderDiscounts": True}
    order = world.shop.checkout([(world.mug, 2)], customer=world.alice, codes=["SUMMER", spec.code])
    assert world.told(order).codes_used == ("SUMMER", spec.code)
    assert client.orders_with_code(spec.code) == [world.told(order)]


def test_a_code_that_says_nothing_of_others_stands_alone() -> None:
    world = World()
    spec = asked_of(world, CodeKind.AMOUNT)
    world.client().issue_code(spec)
    world.shop.create_discount("SUMMER", amount="1.00").combines = {"orderDiscounts": True}
    with pytest.raises(CodeRefused):
        world.shop.checkout([(world.mug, 2)], customer=world.alice, codes=["SUMMER", spec.code])


CARD = "LRL7K3M9Q2X4V8T1W5Z"


def test_a_gift_card_is_made_once_spent_bit_by_bit_and_what_is_left_can_be_withdrawn() -> None:
    world = World()
    spec = asked_of(world, CodeKind.GIFT_CARD, code=CARD)
    client = world.client()
    issued = client.issue_code(spec)
    world.clock.advance(timedelta(seconds=10))
    assert client.issue_code(spec) == issued
    assert [one.balance for one in world.shop.gift_cards.values()] == [5]
    world.shop.spend_gift_card(CARD, "2.00")
    found = client.find_code(CARD, spec)
    assert found
    assert (found.live, found.uses, found.left) == (True, 1, Money(300, "USD"))
    known = replace(spec, code_ref=issued.code_ref)
    for _ in range(2):
        dead = client.withdraw_code(CARD, spec.tag, known)
        assert dead
        assert (dead.live, dead.left) == (False, Money(300, "USD"))
    with pytest.raises(CodeRefused):
        world.shop.spend_gift_card(CARD, "1.00")


def test_a_gift_card_that_the_search_does_not_show_yet_is_not_made_again() -> None:
    world = World()
    spec = asked_of(world, CodeKind.GIFT_CARD, code=CARD)
    client = world.client()
    client.issue_code(spec)
    with pytest.raises(Retryable, match="not to be found yet"):
        client.issue_code(spec)
    assert len(world.shop.gift_cards) == 1


def test_a_gift_card_lives_at_least_as_long_as_promised() -> None:
    world = World()
    spec = asked_of(world, CodeKind.GIFT_CARD, code=CARD)
    world.client().issue_code(spec)
    (card,) = world.shop.gift_cards.values()
    assert card.expires is not None
    assert card.expires >= spec.expires_at.date() + timedelta(days=1)
    assert CARD.lower() not in (card.note or "")


def test_a_credit_is_given_once_and_told_from_all_others() -> None:
    world = World()
    spec = asked_of(world, CodeKind.STORE_CREDIT)
    other = replace(spec, number=1)
    world.shop.credit(world.alice, "5.00", expires=spec.expires_at)  # staff gave as much, to the same day
    client = world.client()
    assert client.find_code(spec.code, spec) is None
    first = client.issue_code(spec)
    assert first.handed_over
    assert client.issue_code(spec) == first
    assert client.issue_code(other) != first
    assert len(world.shop.credits_of(world.alice)) == 3
    found = client.withdraw_code(spec.code, spec.tag, spec)
    assert found
    assert (found.live, found.left) == (False, Money(0, "USD"))
    assert len(world.shop.credits_of(world.alice)) == 3


def test_credits_that_cannot_all_be_looked_through_wait_for_a_person() -> None:
    world = World()
    spec = asked_of(world, CodeKind.STORE_CREDIT)
    for _ in range(100):
        world.shop.credit(world.alice, "1.00")
    with pytest.raises(Retryable, match="looked through"):
        world.client().issue_code(spec)


@pytest.mark.parametrize("kind", [CodeKind.GIFT_CARD, CodeKind.STORE_CREDIT])
def test_a_scope_that_only_these_need_is_missing_without_losing_the_shop(kind: CodeKind) -> None:
    world = World()
    world.shop.app.scopes = [one for one in SCOPES if "gift" not in one and "credit" not in one]
    with pytest.raises(Refused) as refused:
        world.client().issue_code(asked_of(world, kind, code=CARD))
    assert (refused.value.code, isinstance(refused.value, AccessLost)) == ("not_granted", False)


@pytest.mark.parametrize(
    ("kind", "changes", "why"),
    [
        (CodeKind.PERCENT, {"maximum": Money(2000, "USD")}, "no maximum"),
        (CodeKind.FREE_SHIPPING, {"combines": frozenset(Combines)}, "one shipping discount"),
        (CodeKind.PRODUCT, {"gift": Gift(product_ref="11")}, "with_collection"),
        (CodeKind.GIFT_CARD, {"minimum_spend": Money(2000, "USD")}, "no minimum spend"),
        (CodeKind.STORE_CREDIT, {"minimum_spend": Money(2000, "USD")}, "no minimum spend"),
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
    assert not world.shop.discounts
    assert not world.shop.gift_cards


def test_subscriptions_are_made_once() -> None:
    world = World()
    address = "https://laurel.example/webhooks/shopify/acme"
    first = world.client().ensure_webhooks(address, None)
    assert all(state.repaired for state in first)
    assert not any(state.repaired for state in world.client().ensure_webhooks(address, None))
    world.client().remove_webhooks(address)
    assert not [each for each in world.shop.subscriptions.values() if each.by_api]


def test_a_merchants_own_app_gets_its_token_and_renews_it() -> None:
    world = World()
    credentials = install.client_credentials(
        world.shop.domain, APP.client_id, APP.secrets[0], world.hosts, world.clock()
    )
    access = ShopAccess(shop_key="acme", shop_ref=world.shop.domain, credentials=credentials)
    assert ShopifyShop(access, world.hosts).shop_facts().shop_ref == world.shop.domain
    assert install.refresh(access, AppCredentials(), world.hosts, world.clock()) is None
    renewed = install.refresh(access, AppCredentials(), world.hosts, world.clock.advance(timedelta(days=1)))
    assert renewed
    assert renewed["access_token"] != credentials["access_token"]


def test_a_renewed_token_brings_a_renewed_refresh_token() -> None:
    world = World()
    token = world.shop.issue_token()
    assert token.refresh
    assert token.expires
    credentials = {
        "mode": "app",
        "access_token": token.value,
        "refresh_token": token.refresh,
        "expires_at": token.expires.isoformat(),
    }
    access = ShopAccess(shop_key="acme", shop_ref=world.shop.domain, credentials=credentials)
    renewed = install.refresh(access, APP, world.hosts, world.clock.advance(timedelta(hours=1)))
    assert renewed
    assert renewed["refresh_token"] != token.refresh
    assert Granted(shop_ref=None, credentials=renewed, state=None).credentials["mode"] == "app"
