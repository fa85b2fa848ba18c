"""Whatever is done, in whatever order, by the services that do it: afterwards nothing contradicts anything."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.domain.orders import OrderSnapshot, OrderState
from app.domain.program import default_document
from app.services.audit import audit
from app.services.replay import replay
from app.services.runtime import Runtime
from tests.conftest import NOW, Clock
from tests.factories import eur, make_refund
from tests.services.histories import History, make_history

ACTS = (
    *("buy",) * 5,
    *("refund", "unrefund", "cancel_order", "edit", "give_away", "guest_order"),
    *("redeem", "redeem", "cancel_code", "use_code", "adjust_up", "adjust_down"),
    *("merge", "undo", "wait", "wait", "night"),
)


def documents() -> list[dict[str, Any]]:
    """Programs whose rules meet in different ways."""
    plain = default_document("Sprig", "EUR", "UTC")
    strict = default_document("Sprig", "EUR", "Africa/Cairo")
    strict["earn"]["hold_days"] = 3
    strict["expiry"] = {"kind": "after_days", "days": 5}
    strict["tiers"]["grace_days"] = 10
    kind = default_document("Sprig", "EUR", "UTC")
    kind["earn"]["hold_days"] = 1
    kind["expiry"] = {"kind": "after_inactivity_days", "days": 6}
    kind["refunds"] = {"policy": "clamp", "return_redeemed_points": True}
    leveled = default_document("Sprig", "EUR", "Pacific/Auckland")
    leveled["refunds"] = {"policy": "clamp", "return_redeemed_points": True}
    member, silver, gold = leveled["tiers"]["levels"]
    silver |= {"from_orders": 2, "entry_points": 30}
    gold |= {"from_points": 800, "entry_points": 200}
    levels = [member, silver, gold]
    leveled["tiers"] = {"window": "calendar_year", "grace_days": 1, "downgrade": "one_step", "levels": levels}
    return [plain, strict, kind, leveled]


DOCUMENTS = documents()


@dataclass(slots=True)
class Play:
    past: History
    orders: list[OrderSnapshot] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    merges: list[int] = field(default_factory=list)

    def do(self, act: str, customer: str, which: int, amount: int) -> None:
        with suppress(Refused):  # people ask for what cannot be
            getattr(self, f"_{act}")(customer, which, amount)

    def _buy(self, customer: str, which: int, amount: int) -> None:
        self.orders.append(self.past.buy(customer, f"o{len(self.orders)}", f"{amount}.00"))

    def _guest_order(self, customer: str, which: int, amount: int) -> None:
        email = f"{customer}@example.test"
        self.orders.append(self.past.buy(None, f"o{len(self.orders)}", f"{amount}.00", email=email))

    def _change(self, which: int, **changes: Any) -> None:
        if not self.orders:
            return
        self.past.clock.forward(seconds=1)
        place = which % len(self.orders)
        order = replace(self.orders[place], updated_at=self.past.rt.now(), **changes)
        self.past.shop.see(order)
        self.orders[place] = order

    def _refund(self, customer: str, which: int, amount: int) -> None:
        if self.orders:
            order = self.orders[which % len(self.orders)]
            refund = make_refund(f"{amount}.00", f"r{which}{amount}", refunded_at=self.past.rt.now())
            self._change(which, refunds=(*order.refunds, refund))

    def _unrefund(self, customer: str, which: int, amount: int) -> None:
        self._change(which, refunds=())

    def _cancel_order(self, customer: str, which: int, amount: int) -> None:
        self._change(which, state=OrderState.CANCELLED)

    def _edit(self, customer: str, which: int, amount: int) -> None:
        self._change(which, goods=eur(f"{amount}.00"), state=OrderState.PAID)

    def _give_away(self, customer: str, which: int, amount: int) -> None:
        self._change(which, customer_ref=customer)

    def _redeem(self, customer: str, which: int, amount: int) -> None:
        if member := self._member(customer):
            self.codes.append(
                self.past.redeem(member, ("amount-5", "free-shipping", "percent-10")[which % 3])
            )

    def _cancel_code(self, customer: str, which: int, amount: int) -> None:
        if self.codes:
            self.past.cancel(self.codes[which % len(self.codes)])

    def _use_code(self, customer: str, which: int, amount: int) -> None:
        if self.codes:
            code = self.past.code(self.codes[which % len(self.codes)])
            ref = f"o{len(self.orders)}"
            self.orders.append(self.past.buy(customer, ref, f"{amount}.00", codes_used=(code,)))

    def _adjust_up(self, customer: str, which: int, amount: int) -> None:
        if member := self._member(customer):
            self.past.adjust(member, amount)

    def _adjust_down(self, customer: str, which: int, amount: int) -> None:
        if member := self._member(customer):
            self.past.adjust(member, -amount)

    def _merge(self, customer: str, which: int, amount: int) -> None:
        one, other = self._member(customer), self._member("789"[which % 3])
        if one and other and (merged := self.past.merge(one, other)):
            self.merges.append(merged.merge_id)

    def _undo(self, customer: str, which: int, amount: int) -> None:
        if self.merges:
            self.past.undo(self.merges[which % len(self.merges)])

    def _wait(self, customer: str, which: int, amount: int) -> None:
        self.past.clock.forward(days=which % 5, hours=1)

    def _night(self, customer: str, which: int, amount: int) -> None:
        self.past.night()

    def _member(self, customer: str) -> int | None:
        found = self.past.scalar(
            "SELECT member_id FROM identities WHERE {fence} AND customer_ref = :ref", ref=customer
        )
        return int(found) if found else None


# Without shrinking: each try costs a program in a real database.
@settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    document=st.sampled_from(DOCUMENTS),
    acts=st.lists(
        st.tuples(
            st.sampled_from(ACTS),
            st.sampled_from("789"),
            st.integers(0, 9),
            st.sampled_from([1, 40, 150, 700]),
        ),
        min_size=5,
        max_size=30,
    ),
)
def test_after_any_history_audit_and_replay_find_nothing(
    rt: Runtime, clock: Clock, document: dict[str, Any], acts: list[tuple[str, str, int, int]]
) -> None:
    clock.at = NOW
    play = Play(make_history(rt, clock, document))
    for act in acts:
        play.do(*act)
    assert [str(one) for one in audit(rt, play.past.program_id).problems] == []
    assert [str(one) for one in replay(rt, play.past.program_id).differences] == []
