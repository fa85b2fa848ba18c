"""Rules that look at what only the shop knows: orders wait, the shop is asked, and what was found is fixed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.domain.errors import Refused, Retryable
from app.domain.program import default_document
from app.services.audit import audit
from app.services.erase_customer import erase_customer
from app.services.read_facts import read_facts
from app.services.refresh_facts import refresh_facts
from app.services.replay import replay
from app.services.runtime import Runtime
from sandbox.faults import FaultKind
from sandbox.shopify.shop import Shop as ShopifyShop
from tests.conftest import NOW, Clock, make_program
from tests.services.jobs import run_jobs
from tests.services.stands import Stand, shopify_stand, woo_stand

ALL = ("read_orders", "read_products", "read_customers", "write_discounts", "read_all_orders")


def open_stand(rt: Runtime, clock: Clock, platform: str, **earn: Any) -> Stand:
    document = default_document("Sprig", "USD", "UTC")
    document["earn"] |= earn
    program_id = make_program(rt, document=document)
    if platform == "woocommerce":
        stand = woo_stand(rt, clock, program_id)
    else:
        stand = shopify_stand(rt, clock, program_id, scopes=ALL)
    clock.forward(hours=1)
    return stand


def is_shopify(stand: Stand) -> bool:
    return isinstance(stand.store, ShopifyShop)


def coffee(stand: Stand) -> tuple[Any, str]:
    """A product, and the collection or the category above the one that it lies in."""
    store = stand.store
    if is_shopify(stand):
        return store.product("Espresso beans", 20, collections=[7001]), "7001"
    drinks = store.category("Drinks & more")
    beans = store.product("Espresso beans", 20)
    store.sort_product(beans, store.category("Coffee", within=drinks), tags=["Fair & square"])
    return beans, str(drinks.id)


def buy(stand: Stand, *products: Any, who: str = "ann@example.test") -> Any:
    store = stand.store
    customer = next((one for one in store.customers.values() if one.email == who), None)
    customer = customer or store.create_customer(who)
    order = store.create_order([(product, 1) for product in products], customer=customer)
    store.pay(order)
    stand.deliver_all()
    return order


def require_proof(stand: Stand) -> None:
    assert not audit(stand.rt, stand.program_id).problems
    assert not replay(stand.rt, stand.program_id).differences


def triple(collection: str) -> dict[str, Any]:
    of = {"collections": [collection]}
    return {"rates": [{"key": "coffee", "name": "Coffee", "of": of, "points": 3, "spend_minor": 100}]}


@pytest.fixture(params=["shopify", "woocommerce"])
def at(request: pytest.FixtureRequest, rt: Runtime, clock: Clock) -> Callable[..., Stand]:
    return lambda **earn: open_stand(rt, clock, request.param, **earn)


def test_an_order_waits_until_the_shop_told_what_its_products_belong_to(at: Callable[..., Stand]) -> None:
    _, number = coffee(at())
    stand = at(**triple(number))
    beans, same = coffee(stand)
    assert same == number
    order = buy(stand, beans, stand.store.product("Mug", 10))
    assert (stand.row(order.id).held_reason, stand.worth(order.id)) == ("shop_facts", [0])
    assert "read_facts" in run_jobs(stand.rt, stand.program_id)
    assert (stand.row(order.id).held_reason, stand.worth(order.id)) == (None, [70])
    require_proof(stand)


def test_what_is_known_is_not_asked_again_and_what_was_found_stays(at: Callable[..., Stand]) -> None:
    _, number = coffee(at())
    stand = at(**triple(number))
    beans, _ = coffee(stand)
    first = buy(stand, beans)
    run_jobs(stand.rt, stand.program_id)
    second = buy(stand, beans)
    assert stand.row(second.id).held_reason is None
    stand.sql("UPDATE product_facts SET groups = '[]' WHERE {fence}")
    stand.store.refund(first, beyond=5) if is_shopify(stand) else stand.store.refund(first, amount=5)
    stand.deliver_all()
    run_jobs(stand.rt, stand.program_id)
    third = buy(stand, beans)
    assert stand.worth(first.id, second.id, third.id) == [45, 60, 20]
    require_proof(stand)


def test_it_is_read_again_once_a_day(at: Callable[..., Stand], clock: Clock) -> None:
    _, number = coffee(at())
    stand = at(**triple(number))
    beans, _ = coffee(stand)
    buy(stand, beans)
    run_jobs(stand.rt, stand.program_id)
    assert refresh_facts(stand.rt, stand.program_id) == 0
    if is_shopify(stand):
        beans.collections = ()
    else:
        beans.categories = ()
    clock.forward(days=1, minutes=1)
    assert refresh_facts(stand.rt, stand.program_id) == 1
    run_jobs(stand.rt, stand.program_id)
    assert stand.worth(buy(stand, beans).id) == [20]


def test_a_product_that_the_shop_has_no_more_is_in_nothing(at: Callable[..., Stand]) -> None:
    stand = at(**triple("1"))
    lamp = stand.store.product("Lamp", 30)
    order = buy(stand, lamp)
    del stand.store.products[lamp.id]
    run_jobs(stand.rt, stand.program_id)
    assert stand.worth(order.id) == [30]


def test_a_shop_that_does_not_answer_makes_orders_wait_not_wrong(at: Callable[..., Stand]) -> None:
    _, number = coffee(at())
    stand = at(**triple(number))
    beans, _ = coffee(stand)
    order = buy(stand, beans)
    stand.store.faults.add("read_products", FaultKind.SERVER_ERROR, times=10)
    with pytest.raises(Retryable):
        read_facts(stand.rt, stand.program_id, stand.shop.shop_id)
    assert stand.row(order.id).held_reason == "shop_facts"
    stand.store.faults.clear()
    read_facts(stand.rt, stand.program_id, stand.shop.shop_id)
    assert stand.worth(order.id) == [60]


def test_who_may_not_read_products_keeps_everything_else(rt: Runtime, clock: Clock) -> None:
    stand = open_stand(rt, clock, "shopify", **triple("7001"))
    order = buy(stand, stand.store.product("Mug", 5))
    for token in stand.store.tokens.values():
        token.scopes.remove("read_products")
    with pytest.raises(Refused, match="read_products"):
        read_facts(stand.rt, stand.program_id, stand.shop.shop_id)
    assert (stand.row(order.id).held_reason, stand.shop_row().access_problem) == ("shop_facts", None)


def test_staff_earn_nothing_by_their_tag_or_role_from_the_first_order_on(at: Callable[..., Stand]) -> None:
    stand = at(exclude_members={"tags": ["Staff", "shop_manager"]})
    mug = stand.store.product("Mug", 10)
    if is_shopify(stand):
        bob = stand.store.create_customer("bob@example.test")
        bob.tags.append("staff")
    else:
        stand.store.create_customer("bob@example.test", role="shop_manager")
    ann, bobs = buy(stand, mug), buy(stand, mug, who="bob@example.test")
    run_jobs(stand.rt, stand.program_id)
    assert stand.worth(ann.id, bobs.id) == [10, 0]
    assert stand.row(bobs.id).facts["zero"] == "excluded_member"
    require_proof(stand)


def test_a_tag_that_comes_later_counts_for_later_orders(at: Callable[..., Stand]) -> None:
    stand = at(exclude_members={"tags": ["staff", "shop_manager"]})
    mug = stand.store.product("Mug", 10)
    first = buy(stand, mug)
    run_jobs(stand.rt, stand.program_id)
    ann = next(one for one in stand.store.customers.values())
    if is_shopify(stand):
        stand.store.tag_customer(ann, "Staff")
    else:
        stand.store.update_customer(ann, role="shop_manager")
    stand.deliver_all()
    run_jobs(stand.rt, stand.program_id)
    second = buy(stand, mug)
    assert stand.worth(first.id, second.id) == [10, 0]
    require_proof(stand)


def test_a_forgotten_customers_tags_are_forgotten(at: Callable[..., Stand]) -> None:
    stand = at(exclude_members={"tags": ["staff"]})
    buy(stand, stand.store.product("Mug", 10))
    run_jobs(stand.rt, stand.program_id)
    ann = next(one for one in stand.store.customers.values())
    with stand.rt.db.begin(stand.program_id) as session:
        erase_customer(session, stand.rt.vault, stand.shop.shop_id, str(ann.id), email=None, now=NOW)
    assert stand.sql("SELECT 1 FROM customer_facts WHERE {fence}") == []


def test_a_guests_order_waits_for_its_products_too(at: Callable[..., Stand]) -> None:
    _, number = coffee(at())
    stand = at(**triple(number))
    beans, _ = coffee(stand)
    order = stand.store.create_order([(beans, 1)])
    stand.store.pay(order)
    stand.deliver_all()
    run_jobs(stand.rt, stand.program_id)
    assert (stand.row(order.id).member_id, stand.row(order.id).target_points) == (None, 60)


def test_spend_joining_and_quiet_days_are_those_before_the_order(rt: Runtime, clock: Clock) -> None:
    bonuses = [
        {"key": "new", "name": "New", "points": 1, "whose": {"member_days_to": 10}},
        {"key": "spent", "name": "Spent", "points": 10, "whose": {"spend_from_minor": 3000}},
        {"key": "back", "name": "Back", "points": 100, "whose": {"quiet_days_from": 30}},
    ]
    stand = open_stand(rt, clock, "woocommerce", bonuses=bonuses)
    mug = stand.store.product("Mug", 20)
    first = buy(stand, mug)
    second = buy(stand, mug)
    clock.forward(days=20)
    stand.store.refund(first, amount=10)
    third = buy(stand, mug)
    clock.forward(days=30)
    fourth = buy(stand, mug)
    orders = [first.id, second.id, third.id, fourth.id]
    # The refund of 10 left 30.00 before the third order.
    assert stand.worth(*orders) == [11, 21, 30, 130]
    require_proof(stand)
    assert stand.rt.now() - NOW > timedelta(days=50)
