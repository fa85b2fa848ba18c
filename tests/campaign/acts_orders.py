"""Shoppers and staff at the shops: orders placed, paid, edited, given back, cancelled, brought back, deleted."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sandbox.demo.lives import Placed
from sandbox.demo.world import Stand
from sandbox.refusals import Impossible
from tests.campaign.world import YOUNG, Person, Silent, World

_PRICES = ("0.99", "9.50", "19.99", "33.33", "60.00", "149.00", "310.00")
_SHIPPING = Decimal("4.95")


def buy(world: World) -> None:
    """A shopper's order, or a guest's; most are paid at once."""
    stand = pick_stand(world)
    person = pick_person(world)
    guest = world.random.random() < 0.12
    customer = None if guest else account(person, stand)
    order = stand.store.create_order(
        cart(world, stand),
        customer=customer,
        email=person.email,
        shipping=_SHIPPING,
        **({"via": "store-api"} if stand.platform == "woocommerce" else {}),
    )
    placed = Placed(stand, order, None)
    world.placed.append(placed)
    world.note(f"{name(placed)} placed by {'a guest' if guest else person.email}")
    if world.random.random() < 0.8:
        stand.store.pay(order)


def pay(world: World, placed: Placed) -> None:
    placed.stand.store.pay(placed.order)


def fulfil(world: World, placed: Placed) -> None:
    store = placed.stand.store
    store.complete(placed.order) if placed.stand.platform == "woocommerce" else store.fulfil(placed.order)


def refund_piece(world: World, placed: Placed) -> None:
    line = world.random.choice(placed.order.lines)
    placed.stand.store.refund(placed.order, {line.id: 1})


def refund_amount(world: World, placed: Placed) -> None:
    amount = world.random.choice(("0.50", "5.00", "20.00"))
    if placed.stand.platform == "woocommerce":
        placed.stand.store.refund(placed.order, amount=amount)
    else:
        placed.stand.store.refund(placed.order, beyond=amount)


def refund_all(world: World, placed: Placed) -> None:
    placed.stand.store.refund_all(placed.order)


def add_line(world: World, placed: Placed) -> None:
    (line,) = cart(world, placed.stand)[:1]
    if placed.stand.platform == "woocommerce":
        placed.stand.store.add_line(placed.order, line[0], line[1])
    else:
        placed.stand.store.edit(placed.order, add=[line])


def less(world: World, placed: Placed) -> None:
    """Not below what went back already: such a body is refused, and kept for people to see."""
    line = placed.order.lines[0]
    if placed.order.refunds:
        return
    if placed.stand.platform == "woocommerce":
        placed.stand.store.set_quantity(placed.order, line, max(line.quantity - 1, 1))
    elif line.quantity - line.removed > 1:
        placed.stand.store.edit(placed.order, remove={line.id: 1})


def cancel(world: World, placed: Placed) -> None:
    placed.stand.store.cancel(placed.order)


def bring_back(world: World, placed: Placed) -> None:
    """Cancelled and taken up again, which only one of the platforms can."""
    if placed.stand.platform == "woocommerce" and placed.order.status in ("cancelled", "failed"):
        placed.stand.store.set_status(placed.order, "processing")


def trash(world: World, placed: Placed) -> None:
    store = placed.stand.store
    if placed.stand.platform == "shopify":
        if placed.order.cancelled is not None:
            store.delete(placed.order)
    elif placed.order.status == "trash":
        store.restore(placed.order)
    else:
        store.trash(placed.order)


def touch(world: World, placed: Placed) -> None:
    placed.stand.store.touch(placed.order)


def give_away(world: World, placed: Placed) -> None:
    """Staff makes it somebody else's."""
    if placed.stand.platform == "woocommerce":
        placed.stand.store.change_owner(placed.order, account(pick_person(world), placed.stand))


def take_refund_back(world: World, placed: Placed) -> None:
    """Silently, as that platform does."""
    if placed.stand.platform == "woocommerce" and placed.order.refunds and placed.order.status != "refunded":
        placed.stand.store.delete_refund(placed.order, placed.order.refunds[-1])
        keep_silent(world, placed)


def delete_for_good(world: World, placed: Placed) -> None:
    if placed.stand.platform == "woocommerce":
        placed.stand.store.force_delete(placed.order)
        keep_silent(world, placed)


ON_ORDERS: dict[str, tuple[int, Callable[[World, Placed], None]]] = {
    "pay": (8, pay),
    "fulfil": (6, fulfil),
    "refund a piece": (6, refund_piece),
    "refund an amount": (4, refund_amount),
    "refund all": (3, refund_all),
    "add a line": (3, add_line),
    "take a piece away": (2, less),
    "cancel": (5, cancel),
    "bring back": (4, bring_back),
    "trash or restore": (2, trash),
    "touch": (3, touch),
    "give away": (2, give_away),
    "take a refund back": (2, take_refund_back),
    "delete for good": (1, delete_for_good),
}


def change(world: World) -> None:
    """Something befalls an order that is not old; now and then twice within one second."""
    now = world.clock().replace(microsecond=0)
    hurry = world.random.random() < 0.2
    young = [
        placed
        for placed in world.placed[-40:]
        if placed.order.created > now - YOUNG
        and (hurry or placed.changed < now)
        and placed.order.id in placed.stand.store.orders
    ]
    if not young:
        return
    placed = world.random.choice(young)
    act = world.random.choices(list(ON_ORDERS), [weight for weight, _ in ON_ORDERS.values()])[0]
    if act != "trash or restore" and getattr(placed.order, "status", "") == "trash":
        act = "trash or restore"
    if act == "pay" and is_paid(placed):
        act = "touch"
    world.note(f"{name(placed)}: {act}")
    world.counts.acts[act] += 1
    try:
        ON_ORDERS[act][1](world, placed)
    except Impossible as refused:
        world.counts.refused[f"{act}: {refused}"] += 1


def is_paid(placed: Placed) -> bool:
    if placed.stand.platform == "woocommerce":
        return placed.order.paid is not None
    return bool(placed.order.cancelled) or placed.stand.store.sums(placed.order).outstanding <= 0


def keep_silent(world: World, placed: Placed) -> None:
    world.silent.append(Silent(placed.key, world.clock()))


def cart(world: World, stand: Stand) -> list[tuple[Any, int]]:
    prices = world.random.sample(_PRICES, world.random.choice((1, 1, 2)))
    return [
        (stand.store.product(f"Goods at {one}", one), world.random.choice((1, 1, 2, 3))) for one in prices
    ]


def pick_stand(world: World) -> Stand:
    return world.stands[world.random.choice(("woocommerce", "shopify"))]


def pick_person(world: World) -> Person:
    if len(world.people) < 4 or (len(world.people) < 12 and world.random.random() < 0.05):
        world.people.append(Person(f"shopper-{len(world.people) + 1}@example.test"))
        return world.people[-1]
    return world.random.choice(world.people)


def account(person: Person, stand: Stand) -> Any:
    """The shop's customer, made when they first buy there."""
    customer = person.accounts.get(stand.platform)
    if customer is None or customer.id not in stand.store.customers:
        customer = stand.store.create_customer(person.email, "Ada", "Lovelace")
        person.accounts[stand.platform] = customer
    return customer


def name(placed: Placed) -> str:
    return f"{placed.stand.platform} order {placed.ref}"
