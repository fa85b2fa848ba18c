"""Whatever shopper and staff do, and whatever is lost on the way: what is left is what the shop's orders leave."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.services.audit import audit
from app.services.reconcile_shop import reconcile_shop
from app.services.runtime import Runtime
from sandbox.refusals import CodeRefused
from tests.conftest import Clock
from tests.services.test_balances import Holder
from tests.services.test_redemption_faults import make_spender

ACTS = ("order", "pay", "cancel", "fail", "trash", "restore", "edit", "touch", "hear", "lose")
_VOID = ("cancelled", "failed", "trash")


@dataclass(slots=True)
class Life:
    holder: Holder
    orders: list[Any] = field(default_factory=list)

    def do(self, act: str, which: int) -> None:
        store = self.holder.store
        self.holder.clock.forward(minutes=1)
        if act == "hear":
            self.holder.hear()
        elif act == "lose":
            self.holder.stand.lose_all()
        elif act == "order":
            with suppress(CodeRefused):
                self.orders.append(self.holder.order(("1.10", "2.35", "20.00")[which % 3], pay=False))
        elif self.orders:
            self._change(store, act, self.orders[which % len(self.orders)])

    def _change(self, store: Any, act: str, order: Any) -> None:
        gone = order.status == "trash"
        match act:
            case "restore" if gone:
                store.restore(order)
            case "trash" if not gone:
                store.trash(order)
            case "pay" if not gone:
                store.pay(order)
            case "cancel" if not gone:
                store.cancel(order)
            case "fail" if not gone:
                store.set_status(order, "failed")
            case "edit" if not gone and order.status not in _VOID:
                store.set_quantity(order, order.lines[0], order.lines[0].quantity % 3 + 1)
            case "touch" if not gone:
                store.touch(order)
            case _:
                pass

    @property
    def left(self) -> Decimal:
        standing = [order for order in self.orders if order.status not in _VOID]
        return Decimal("5.00") - sum((order.coupons[0].discount for order in standing), Decimal(0))


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 5)), min_size=3, max_size=14))
def test_what_is_left_is_what_the_orders_leave(rt: Runtime, acts: list[tuple[str, int]]) -> None:
    clock = Clock()
    life = Life(Holder(make_spender(replace(rt, clock=clock), clock, "woocommerce"), clock))
    for act, which in [("order", 0), *acts]:
        life.do(act, which)
    holder = life.holder
    clock.forward(hours=1)
    holder.hear()
    for kind in ("changed", "digests", "codes"):  # what was lost is read
        reconcile_shop(holder.stand.rt, holder.stand.program_id, holder.stand.shop.shop_id, kind=kind)
        holder.hear()
    row = holder.row
    assert row.left_minor == int(life.left * 100)
    assert row.state.value == ("issued" if life.left > 0 else "used")
    amount, uses = holder.at_shop
    assert (amount, uses) == (str(life.left), 1) if life.left > 0 else (uses <= 0 or amount == "0.00")
    assert audit(holder.stand.rt, holder.stand.program_id).problems == []
