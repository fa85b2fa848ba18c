"""A shop whose program gives points for more than orders, and what its people have, the short way."""

from datetime import datetime, timedelta
from typing import Any

from app.domain.orders import OrderSnapshot
from app.domain.program import default_document
from app.services.audit import audit
from app.services.enrol_customer import enrol_customer
from app.services.find_member import ById
from app.services.record_activity import RecordedActivity, Told, record_activity
from app.services.redeem import RedeemRequest, redeem
from app.services.refer_friend import Referred, refer_friend, referral_code
from app.services.replay import replay
from app.services.runtime import Runtime
from tests.conftest import NOW, make_program, unique
from tests.factories import eur, make_order
from tests.services.books import assert_books_are_true, balance, get_member
from tests.services.test_settle_orders import Shop

SIGN_UP = {"key": "welcome", "name": "Welcome", "kind": "sign_up", "points": 50}
BIRTHDAY = {"key": "birthday", "name": "Birthday", "kind": "birthday", "points": 40}
NEWSLETTER = {"key": "newsletter", "name": "Newsletter", "kind": "newsletter", "points": 20}
REVIEW = {
    "key": "review",
    "name": "Review",
    "kind": "review",
    "points": 10,
    "limit": {"times": 2, "per": "day"},
}
VISIT = {"key": "visit", "name": "Visit to the shop", "kind": "custom", "points": 5, "hold_days": 3}
ALL = [SIGN_UP, BIRTHDAY, NEWSLETTER, REVIEW, VISIT]
REFERRAL = {"referrer_points": 200, "friend_points": 100, "minimum_minor": 2000}


class Crowd(Shop):
    """`member` makes them; orders are told as to any shop."""

    def member(self, customer_ref: str, *, asked: bool = False) -> int:
        identity = enrol_customer(self.rt, self.program_id, self.shop.shop_id, customer_ref, asked=asked)
        assert identity is not None
        assert identity.member_id is not None
        return identity.member_id

    def known(self, customer_ref: str) -> int:
        return get_member(self.rt, self.program_id, self.shop.shop_id, customer_ref)

    def has(self, member_id: int) -> int:
        """Available and pending."""
        found = balance(self.rt, self.program_id, member_id)
        return found.available + found.pending

    def pending(self, member_id: int) -> int:
        return balance(self.rt, self.program_id, member_id).pending

    def did(self, member_id: int, activity: str, key: str, **more: Any) -> RecordedActivity:
        told = Told(who=ById(member_id), activity_key=activity, request_key=key, actor="api:the till", **more)
        return record_activity(self.rt, self.program_id, told)

    def spend(self, member_id: int, *, key: str | None = None) -> None:
        """A click on the reward for 100 points; `key` None: a click of its own. Raises: Refused."""
        redeem(
            self.rt,
            RedeemRequest(
                program_id=self.program_id,
                member_id=member_id,
                shop_id=self.shop.shop_id,
                reward_key="amount-5",
                request_key=key or unique("click"),
                actor="shopper",
            ),
        )

    def bring(self, referrer: int, friend: int) -> Referred:
        code = referral_code(self.rt, self.program_id, referrer)
        return refer_friend(self.rt, self.program_id, code, ById(friend), actor="api:the till")

    def why(self, member_id: int, key: str) -> str | None:
        """The reason for which the member's last activity of that rule is worth nothing."""
        with self.rt.db.begin(self.program_id) as session:
            row = session.first(
                "SELECT facts->>'zero' AS zero FROM activities WHERE {fence} AND member_id = :id AND key = :key "
                "ORDER BY id DESC LIMIT 1",
                id=member_id,
                key=key,
            )
        assert row is not None
        return None if row.zero is None else str(row.zero)

    def scalar(self, sql: str, **named: Any) -> Any:
        with self.rt.db.begin(self.program_id) as session:
            return session.scalar(sql, **named)

    def require_proof(self) -> None:
        """The books are whole, and everything can be counted again from what is stored, and gives the same."""
        assert_books_are_true(self.rt, self.program_id)
        assert not audit(self.rt, self.program_id).problems
        assert not replay(self.rt, self.program_id).differences


def make_crowd(rt: Runtime, *, timezone: str = "UTC", earn: Any = None, **document: Any) -> Crowd:
    rules = {**default_document("Sprig", "EUR", timezone), "activities": ALL, **document}
    rules["earn"] |= earn or {}
    return Crowd(rt, make_program(rt, timezone=timezone, document=rules))


def bought(
    customer_ref: str | None,
    goods: str = "30.00",
    *,
    ref: str = "1",
    at: datetime | None = None,
    **changes: Any,
) -> OrderSnapshot:
    """An order that was placed and paid at `at`: today, unless said otherwise."""
    moment = at or NOW + timedelta(minutes=1)
    told = {"placed_at": moment, "paid_at": moment, "updated_at": moment, **changes}
    return make_order(order_ref=ref, number=f"#{ref}", customer_ref=customer_ref, goods=eur(goods), **told)
