"""One customer at one stand-in shop of either platform, and what people do there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.services.enrol_customer import enrol_customer
from app.services.runtime import Runtime
from tests.conftest import Clock, make_program
from tests.services.books import assert_books_are_true, booked
from tests.services.stands import Stand, shopify_stand, woo_stand
from tests.services.test_redemption_faults import Spender

PLATFORMS: dict[str, Callable[..., Stand]] = {"woocommerce": woo_stand, "shopify": shopify_stand}


@dataclass(slots=True)
class Till(Spender):
    """A member without points. Amounts are the prices of goods; nothing arrives before `arrive`."""

    is_woo: bool = True

    @property
    def store(self) -> Any:
        return self.stand.store

    def place(self, price: str, *, pieces: int = 1, guest: str | None = None, **more: Any) -> Any:
        """An order of so many pieces at that price, not paid yet. `guest`: of somebody with that address."""
        product = self.store.product(f"Goods at {price}", price)
        who = {"customer": self.customer} if guest is None else {"email": guest}
        return self.store.create_order([(product, pieces)], **who, **more)

    def buy(self, price: str, *, pieces: int = 1, **more: Any) -> Any:
        """Placed and paid; told and settled."""
        order = self.place(price, pieces=pieces, **more)
        self.store.pay(order)
        self.arrive()
        return order

    def refund(self, order: Any, pieces: int) -> None:
        self.store.refund(order, {order.lines[0].id: pieces})

    def give(self, order: Any, amount: str) -> None:
        """A bare amount, without saying for which line."""
        if self.is_woo:
            self.store.refund(order, amount=amount)
        else:
            self.store.refund(order, beyond=amount)

    def complete(self, order: Any) -> None:
        if self.is_woo:
            self.store.complete(order)
        else:
            self.store.fulfil(order)

    def arrive(self) -> None:
        """What the shop has to tell arrives, and everything that follows from it is done; then a minute passes."""
        self.stand.deliver_all()
        self.work()
        self.clock.forward(minutes=1)

    def worth(self, order: Any) -> int:
        """What the ledger holds for an order."""
        return self.stand.points(str(order.id))

    def booked(self) -> list[tuple[str, int]]:
        return booked(self.rt, self.stand.program_id, self.member_id)

    def assert_true(self) -> None:
        assert_books_are_true(self.rt, self.stand.program_id)


def make_till(rt: Runtime, clock: Clock, platform: str, program_id: int | None = None) -> Till:
    stand = PLATFORMS[platform](rt, clock, program_id or make_program(rt, currency="USD"))
    clock.forward(hours=1)
    customer = stand.store.create_customer("alice@example.test", "Alice", "Jones")
    joined = enrol_customer(stand.rt, stand.program_id, stand.shop.shop_id, str(customer.id), asked=True)
    assert joined is not None
    assert joined.member_id is not None
    return Till(stand, clock, customer, joined.member_id, platform == "woocommerce")
