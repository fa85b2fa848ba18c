"""A shop with a history of every kind, as it comes to be through the services; of which nothing is made up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.domain.orders import OrderSnapshot
from app.domain.program import default_document
from app.services.adjust import adjust
from app.services.cancel_redemption import cancel_redemption
from app.services.close_redemption import close_redemption
from app.services.expire_lots import expire_lots
from app.services.merge_members import Merged, merge_members, undo_merge
from app.services.redeem import RedeemRequest, redeem
from app.services.review_tiers import review_tiers
from app.services.runtime import Runtime
from tests.conftest import Clock, make_program, unique
from tests.factories import eur, make_order, make_refund
from tests.services.test_settle_orders import Shop


@dataclass(slots=True)
class History:
    """A program with one shop, and the short way to do everything that moves points."""

    rt: Runtime
    clock: Clock
    program_id: int
    shop: Shop

    def buy(self, customer: str | None, ref: str, amount: str, **changes: Any) -> OrderSnapshot:
        """An order paid now."""
        now = self.rt.now()
        order = make_order(
            order_ref=ref,
            number=f"#{ref}",
            customer_ref=customer,
            goods=eur(amount),
            **{"placed_at": now, "paid_at": now, "updated_at": now, **changes},
        )
        self.shop.see(order)
        return order

    def refund(self, order: OrderSnapshot, amount: str) -> None:
        now = self.rt.now()
        refund = make_refund(amount, refunded_at=now)
        self.shop.see(replace(order, updated_at=now, refunds=(refund,)))

    def member(self, customer: str) -> int:
        return int(
            self.scalar(
                "SELECT member_id FROM identities WHERE {fence} AND customer_ref = :ref", ref=customer
            )
        )

    def order_id(self, ref: str) -> int:
        return int(self.scalar("SELECT id FROM orders WHERE {fence} AND order_ref = :ref", ref=ref))

    def adjust(self, member_id: int, points: int) -> None:
        adjust(
            self.rt, self.program_id, member_id, points, reason="so", actor="ada", request_key=unique("key")
        )

    def redeem(self, member_id: int, reward: str = "amount-5") -> int:
        wish = RedeemRequest(
            program_id=self.program_id,
            member_id=member_id,
            shop_id=self.shop.shop.shop_id,
            reward_key=reward,
            request_key=unique("key"),
            actor="shopper",
        )
        return redeem(self.rt, wish).redemption_id

    def code(self, redemption_id: int) -> str:
        return str(self.scalar("SELECT code FROM redemptions WHERE {fence} AND id = :id", id=redemption_id))

    def cancel(self, redemption_id: int) -> None:
        """Before the shop was ever asked for the code: the points are back at once."""
        cancel_redemption(self.rt, self.program_id, redemption_id)
        close_redemption(self.rt, self.program_id, self.shop.shop.shop_id, redemption_id)

    def merge(self, one: int, other: int) -> Merged | None:
        with self.rt.db.begin(self.program_id) as session:
            return merge_members(
                session, self.rt.vault, one, other, cause="staff", actor="ada", now=self.rt.now()
            )

    def undo(self, merge_id: int) -> None:
        with self.rt.db.begin(self.program_id) as session:
            undo_merge(session, self.rt.vault, merge_id, now=self.rt.now())

    def reconciled(self, until: datetime | None = None) -> None:
        with self.rt.db.begin(self.program_id) as session:
            session.run("UPDATE shops SET reconciled_until = :at WHERE {fence}", at=until or self.rt.now())

    def night(self) -> None:
        """Everything is known up to now: what is due expires, and tiers are reviewed."""
        self.reconciled()
        expire_lots(self.rt, self.program_id)
        review_tiers(self.rt, self.program_id)

    def scalar(self, sql: str, **params: Any) -> Any:
        with self.rt.db.begin(self.program_id) as session:
            return session.scalar(sql, **params)


def make_history(rt: Runtime, clock: Clock, document: Mapping[str, Any] | None = None) -> History:
    program_id = make_program(rt, document=document)
    return History(rt, clock, program_id, Shop(rt, program_id))


def a_bit_of_everything(rt: Runtime, clock: Clock) -> History:
    """Earned, refunded, edited, redeemed, cancelled, used, expired, adjusted, merged, undone, given away, forgiven."""
    document = default_document("Sprig", "EUR", "UTC")
    document["earn"]["hold_days"] = 3
    document["expiry"] = {"kind": "after_days", "days": 60}
    document["refunds"] = {"policy": "clamp", "return_redeemed_points": True}
    past = make_history(rt, clock, document)
    first = past.buy("7", "a", "300.00")
    second = past.buy("7", "b", "450.00")
    past.buy("8", "c", "200.00")
    past.buy(None, "guest", "80.00", email="guest@example.test")
    clock.forward(days=4)
    seven, eight = past.member("7"), past.member("8")
    past.adjust(seven, 50)
    past.adjust(eight, -20)
    past.cancel(past.redeem(seven))
    used = past.redeem(seven, "percent-10")
    with_code = past.buy("7", "d", "100.00", codes_used=(past.code(used),))
    past.redeem(eight, "free-shipping")
    past.refund(with_code, "50.00")
    clock.forward(days=1)
    past.refund(first, "120.00")
    merged = past.merge(seven, eight)
    assert merged is not None
    past.buy("8", "e", "60.00")
    clock.forward(days=2)
    past.buy("9", "c", "200.00")  # the order is somebody else's now
    past.undo(merged.merge_id)
    clock.forward(days=10)
    late = past.buy("8", "f", "90.00")
    past.redeem(past.member("9"))
    past.refund(late, "90.00")
    clock.forward(days=55)
    past.night()
    past.refund(second, "450.00")  # what had expired of it is given back first
    clock.forward(days=400)
    past.night()
    past.buy("7", "g", "120.00")
    ten = past.buy("10", "h", "40.00")
    clock.forward(days=4)
    past.adjust(past.member("10"), -30)
    past.refund(ten, "40.00")  # more than is left: written off
    clock.forward(hours=1)
    past.shop.see(replace(ten, updated_at=rt.now()))  # that refund was deleted: no longer written off
    past.merge(past.member("10"), past.member("9"))
    return past
