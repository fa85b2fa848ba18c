"""The lives of orders: placed at the hour somebody really bought, then paid, sent, edited, given back, cancelled …

What the shop tells nobody of is noted in `silent`, so that a repair of it can be explained.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

from sandbox.demo.agenda import Agenda
from sandbox.demo.history import Purchase
from sandbox.demo.people import Habit, Person, make_person
from sandbox.demo.world import Stand, World
from sandbox.refusals import Impossible
from sandbox.shopify.state import Product as ShopifyProduct
from sandbox.woocommerce.state import Product as WooProduct

_HOUR = timedelta(hours=1)
_SHIPPING = Decimal("4.95")


@dataclass(frozen=True, slots=True)
class Placed:
    stand: Stand
    order: Any
    person: Person | None  # None: bought with a code, by whoever held it

    @property
    def ref(self) -> str:
        return str(self.order.id)

    @property
    def key(self) -> tuple[str, str]:
        return (self.stand.platform, self.ref)

    @property
    def changed(self) -> datetime:
        """The shop's own date of the last change."""
        moment: datetime = self.order.modified if self.stand.platform == "woocommerce" else self.order.updated
        return moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """Something that a shop did and told nobody."""

    act_id: str
    platform: str
    ref: str
    kind: str  # refund deleted, force-deleted, restored by API, customer merged
    at: datetime


class Lives:
    def __init__(self, world: World, agenda: Agenda, seed: int, now: Callable[[], datetime]) -> None:
        self._world = world
        self._agenda = agenda
        self._seed = seed
        self._now = now
        self._random = Random(f"{seed} lives")  # noqa: S311 - chance, no secret
        self._people: dict[int, Person] = {}
        self.placed: list[Placed] = []
        self.silent: list[Silent] = []
        self.kinds: Counter[str] = Counter()
        self._products = 9_000_000

    # --- People ------------------------------------------------------------------------------------------------

    def person(self, number: int) -> Person:
        if number not in self._people:
            self._people[number] = make_person(number, self._seed)
        return self._people[number]

    def account(self, person: Person, stand: Stand) -> Any:
        """The shop's customer for this person; None for a guest."""
        if not person.has_account(stand.platform):
            return None
        if stand.platform not in person.accounts:
            customer = stand.store.create_customer(person.email, person.first_name, person.last_name)
            person.accounts[stand.platform] = customer
        return person.accounts[stand.platform]

    # --- Orders ------------------------------------------------------------------------------------------------

    def past(self, purchase: Purchase) -> Placed:
        """An order from before Laurel: placed, paid, and long since sent."""
        placed = self._place(purchase, past=True)
        store = placed.stand.store
        if placed.stand.platform == "woocommerce":
            placed.order.completed = purchase.at
        else:
            placed.order.fulfilled = True
        kind = self._random.randrange(20)
        if kind == 0 and placed.order.lines:
            store.refund(placed.order, {placed.order.lines[0].id: 1})
        elif kind == 1:
            store.cancel(placed.order)
        return placed

    def live(self, purchase: Purchase) -> None:
        """An order of today, and what becomes of it."""
        placed = self._place(purchase)
        kinds = _WOO_LIVES if placed.stand.platform == "woocommerce" else _SHOPIFY_LIVES
        name = self._random.choices(list(kinds), [weight for weight, _ in kinds.values()])[0]
        self.kinds[f"{placed.stand.platform} {name}"] += 1
        wait = timedelta()
        for hours, step in kinds[name][1]:
            wait += _HOUR * hours * (0.5 + self._random.random())
            self._agenda.after(wait, partial(self._do, step, placed))

    def buy_with_code(self, customer: Any, stand: Stand, code: str) -> Placed:
        """Raises: CodeRefused."""
        product = self._product(stand, Decimal("29.90"))
        order = stand.store.checkout([(product, 1)], customer=customer, codes=[code], shipping=_SHIPPING)
        placed = Placed(stand, order, None)
        self.kinds[f"{stand.platform} with a code"] += 1
        self.placed.append(placed)
        if stand.platform == "woocommerce":
            self._agenda.after(timedelta(minutes=5), lambda: stand.store.pay(order))
        return placed

    def note_silent(self, stand: Stand, ref: object, kind: str) -> None:
        self.silent.append(
            Silent(
                act_id=f"act-{len(self.silent) + 1}",
                platform=stand.platform,
                ref=str(ref),
                kind=kind,
                at=self._now(),
            )
        )

    def _do(self, step: "Callable[[Lives, Placed], None]", placed: Placed) -> None:
        try:
            step(self, placed)
        except Impossible:
            self.kinds["refused by the shop"] += 1  # such as a refund of an order that cost nothing

    def _place(self, purchase: Purchase, *, past: bool = False) -> Placed:
        person = self.person(purchase.person)
        stand = self._world.stand(person.pick_platform())
        customer = self.account(person, stand)
        order = stand.store.create_order(
            self._lines(stand, purchase),
            customer=customer,
            email=person.email,
            codes=(),
            shipping=_SHIPPING,
            **self._manner(stand, purchase, past=past),
        )
        placed = Placed(stand, order, person)
        self.placed.append(placed)
        return placed

    def _manner(self, stand: Stand, purchase: Purchase, *, past: bool) -> dict[str, Any]:
        if past:
            at: dict[str, Any] = {"placed_at": purchase.at}
            return at | ({"status": "completed"} if stand.platform == "woocommerce" else {"paid": True})
        if stand.platform == "woocommerce":
            cash = self._random.random() < 0.1
            return {"via": "store-api", "payment_method": "cod" if cash else "bacs"}
        return {"paid": False, "test": self._random.random() < 0.02}

    def _lines(self, stand: Stand, purchase: Purchase) -> list[tuple[Any, int]]:
        """The pieces at one price, and one that takes what division leaves."""
        each, rest = divmod(purchase.cents, purchase.pieces)
        if rest == 0 or purchase.pieces == 1:
            return [(self._product(stand, Decimal(each) / 100), purchase.pieces)]
        first, last = (
            self._product(stand, Decimal(each) / 100),
            self._product(stand, Decimal(each + rest) / 100),
        )
        return [(first, purchase.pieces - 1), (last, 1)]

    def _product(self, stand: Stand, price: Decimal) -> Any:
        """A disc at that price, kept out of the shop's own catalogue."""
        self._products += 1
        if stand.platform == "woocommerce":
            return WooProduct(id=self._products, name="Disc", price=price, sku=f"CD-{self._products}")
        return ShopifyProduct(
            id=self._products,
            variant_id=self._products + 50_000_000,
            title="Disc",
            price=price,
            sku=f"CD-{self._products}",
        )

    # --- Steps both shops have ---------------------------------------------------------------------------------

    def pay(self, placed: Placed) -> None:
        placed.stand.store.pay(placed.order)

    def cancel(self, placed: Placed) -> None:
        placed.stand.store.cancel(placed.order)

    def refund_one(self, placed: Placed) -> None:
        placed.stand.store.refund(placed.order, {placed.order.lines[0].id: 1}, shipping="1.00")

    def refund_all(self, placed: Placed) -> None:
        placed.stand.store.refund_all(placed.order)

    def touch(self, placed: Placed) -> None:
        placed.stand.store.touch(placed.order)

    def rename(self, placed: Placed) -> None:
        customer = placed.person.accounts.get(placed.stand.platform) if placed.person else None
        if customer is not None and customer.id in placed.stand.store.customers:
            placed.stand.store.update_customer(customer, first_name=f"{customer.first_name} M.")

    # --- WooCommerce -------------------------------------------------------------------------------------------

    def complete(self, placed: Placed) -> None:
        placed.stand.store.complete(placed.order)

    def goodwill(self, placed: Placed) -> None:
        placed.stand.store.refund(placed.order, amount="2.50", reason="Late")

    def take_refund_back(self, placed: Placed) -> None:
        if placed.order.refunds:
            placed.stand.store.delete_refund(placed.order, placed.order.refunds[-1])
            self.note_silent(placed.stand, placed.ref, "refund deleted")

    def add_line(self, placed: Placed) -> None:
        placed.stand.store.add_line(placed.order, self._product(placed.stand, Decimal("11.49")))

    def fewer(self, placed: Placed) -> None:
        line = placed.order.lines[0]
        placed.stand.store.set_quantity(placed.order, line, line.quantity + 1)

    def set_refunded(self, placed: Placed) -> None:
        placed.stand.store.set_status(placed.order, "refunded")

    def fail(self, placed: Placed) -> None:
        placed.stand.store.set_status(placed.order, "failed")

    def trash(self, placed: Placed) -> None:
        placed.stand.store.trash(placed.order)

    def restore(self, placed: Placed) -> None:
        placed.stand.store.restore(placed.order)

    def restore_by_api(self, placed: Placed) -> None:
        """As the REST API does it: the status is set, and no webhook says so."""
        store, order = placed.stand.store, placed.order
        with store.lock:
            order.status, order.modified = order.status_before_trash, store.now()
            store.count_uses(order)
        self.note_silent(placed.stand, placed.ref, "restored by API")

    def force_delete(self, placed: Placed) -> None:
        placed.stand.store.force_delete(placed.order)
        self.note_silent(placed.stand, placed.ref, "force-deleted")

    def change_owner(self, placed: Placed) -> None:
        others = [one for one in self._people.values() if "woocommerce" in one.accounts]
        other = self._random.choice(others) if others else None
        placed.stand.store.change_owner(placed.order, other.accounts["woocommerce"] if other else None)

    # --- Shopify -----------------------------------------------------------------------------------------------

    def authorize(self, placed: Placed) -> None:
        placed.stand.store.authorize(placed.order)

    def pay_part(self, placed: Placed) -> None:
        placed.stand.store.pay(placed.order, "1.00")

    def fulfil(self, placed: Placed) -> None:
        placed.stand.store.fulfil(placed.order)

    def add_by_edit(self, placed: Placed) -> None:
        placed.stand.store.edit(placed.order, add=[(self._product(placed.stand, Decimal("11.49")), 1)])

    def remove_by_edit(self, placed: Placed) -> None:
        placed.stand.store.edit(placed.order, remove={placed.order.lines[0].id: 1})

    def beyond(self, placed: Placed) -> None:
        placed.stand.store.refund(placed.order, beyond="2.50")

    def take_back_without_money(self, placed: Placed) -> None:
        placed.stand.store.refund(placed.order, {placed.order.lines[0].id: 1}, moves_money=False)

    def cancel_and_keep(self, placed: Placed) -> None:
        placed.stand.store.cancel(placed.order, refund=False)

    def delete(self, placed: Placed) -> None:
        placed.stand.store.delete(placed.order)

    def merge(self, placed: Placed) -> None:
        """Two accounts of the shop become one: this order's customer takes somebody else's over."""
        mine = placed.order.customer
        others = [
            one
            for one in self._people.values()
            if one.habit is Habit.SHOPIFY and one is not placed.person and "shopify" in one.accounts
        ]
        if mine is None or not others:
            return
        other = self._random.choice(others)
        gone = other.accounts["shopify"]
        store = placed.stand.store
        if gone is mine or gone.id not in store.customers or mine.id not in store.customers:
            return
        moved = [order for order in store.orders.values() if order.customer is gone]
        store.merge_customers(mine, gone)
        for order in moved:  # they have another owner now, and only customers/merge says so
            self.note_silent(placed.stand, order.id, "customer merged")
        other.accounts["shopify"] = mine


_Life = tuple[int, tuple[tuple[float, Callable[[Lives, Placed], None]], ...]]

# name -> (how often, steps as (about so many hours later, what))
_WOO_LIVES: dict[str, _Life] = {
    "never paid": (5, ()),
    "failed, then paid": (2, ((0.2, Lives.fail), (1, Lives.pay))),
    "paid": (20, ((0.1, Lives.pay),)),
    "completed": (30, ((0.1, Lives.pay), (30, Lives.complete))),
    "saved again": (4, ((0.1, Lives.pay), (5, Lives.touch), (1, Lives.rename))),
    "edited": (6, ((0.1, Lives.pay), (3, Lives.add_line), (2, Lives.fewer))),
    "one piece back": (7, ((0.1, Lives.pay), (30, Lives.complete), (90, Lives.refund_one))),
    "goodwill": (5, ((0.1, Lives.pay), (30, Lives.complete), (40, Lives.goodwill))),
    "all back": (5, ((0.1, Lives.pay), (60, Lives.refund_all))),
    "piece, then all back": (3, ((0.1, Lives.pay), (60, Lives.refund_one), (30, Lives.refund_all))),
    "set refunded": (2, ((0.1, Lives.pay), (60, Lives.set_refunded))),
    "refund taken back": (4, ((0.1, Lives.pay), (50, Lives.refund_one), (30, Lives.take_refund_back))),
    "cancelled": (6, ((0.1, Lives.pay), (10, Lives.cancel))),
    "trashed": (3, ((0.1, Lives.pay), (40, Lives.trash))),
    "trashed, restored": (3, ((0.1, Lives.pay), (40, Lives.trash), (5, Lives.restore))),
    "trashed, restored by API": (3, ((0.1, Lives.pay), (40, Lives.trash), (5, Lives.restore_by_api))),
    "force-deleted": (3, ((0.1, Lives.pay), (60, Lives.force_delete))),
    "given to another": (2, ((0.1, Lives.pay), (30, Lives.change_owner))),
}
_SHOPIFY_LIVES: dict[str, _Life] = {
    "never paid": (3, ()),
    "paid": (25, ((0.01, Lives.pay),)),
    "authorised, paid": (6, ((0.01, Lives.authorize), (20, Lives.pay))),
    "paid in parts": (4, ((0.01, Lives.pay_part), (20, Lives.pay))),
    "fulfilled": (30, ((0.01, Lives.pay), (30, Lives.fulfil))),
    "saved again": (4, ((0.01, Lives.pay), (5, Lives.touch), (1, Lives.rename))),
    "edited": (5, ((0.01, Lives.pay), (3, Lives.add_by_edit), (2, Lives.pay))),
    "less by edit": (4, ((0.01, Lives.pay), (3, Lives.remove_by_edit))),
    "one piece back": (7, ((0.01, Lives.pay), (30, Lives.fulfil), (90, Lives.refund_one))),
    "goodwill": (4, ((0.01, Lives.pay), (30, Lives.fulfil), (40, Lives.beyond))),
    "back without money": (3, ((0.01, Lives.pay), (40, Lives.take_back_without_money))),
    "all back": (5, ((0.01, Lives.pay), (60, Lives.refund_all))),
    "piece, then all back": (3, ((0.01, Lives.pay), (60, Lives.refund_one), (30, Lives.refund_all))),
    "cancelled": (5, ((0.01, Lives.pay), (10, Lives.cancel))),
    "cancelled, money kept": (2, ((0.01, Lives.pay), (10, Lives.cancel_and_keep))),
    "cancelled, deleted": (3, ((0.01, Lives.pay), (10, Lives.cancel), (30, Lives.delete))),
    "customers merged": (3, ((0.01, Lives.pay), (20, Lives.merge))),
}
