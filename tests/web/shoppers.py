"""A shop with customers who have points, and requests as its pages send them."""

from dataclasses import dataclass
from typing import Any

import jwt
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.db import members, shops
from app.db.directory import Kind
from app.domain.orders import OrderSnapshot
from app.services.adjust import adjust
from app.services.enrol_customer import enrol_customer
from app.services.record_shop import RecordedShop
from app.services.runtime import Runtime
from app.services.settle_orders import Seen, settle_orders
from app.services.shop_access import shop_access
from app.services.shop_memory import KnownShop
from tests.conftest import unique
from tests.services.houses import make_shop


@dataclass(frozen=True, slots=True)
class Storefront:
    """One shop as its pages see it. `sub` names the customer whom the token is for; None: no token."""

    rt: Runtime
    client: FlaskClient
    program_id: int
    shop: RecordedShop

    @property
    def known(self) -> KnownShop:
        found = shop_access(self.rt, Kind.SHOP, self.shop.key)
        assert found is not None
        return found

    def token(self, sub: object = "7", *, secret: str | None = None, **claims: Any) -> str:
        """A good token; `claims` replace its own, None takes one away."""
        now = int(self.rt.now().timestamp())
        told = {"sub": sub, "iat": now, "exp": now + 600, **claims}
        told = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(told, secret or self.known.widget_secret, algorithm="HS256")

    def get(self, path: str, sub: str | None = "7", /, **query: str) -> TestResponse:
        return self.client.get(
            f"/storefront/v1/{path}", query_string={"key": self.shop.key, **query}, headers=self._headers(sub)
        )

    def post(
        self, path: str, body: dict[str, Any] | None = None, sub: str | None = "7", *, key: str | None = None
    ) -> TestResponse:
        headers = self._headers(sub)
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.client.post(
            f"/storefront/v1/{path}",
            query_string={"key": self.shop.key},
            json={"shop": self.shop.key, **(body or {})},
            headers=headers,
        )

    def _headers(self, sub: str | None) -> dict[str, str]:
        return {} if sub is None else {"Authorization": f"Bearer {self.token(sub)}"}

    # --- What happens behind the pages -------------------------------------------------------------------

    def member(self, customer_ref: str = "7", *, points: int = 0) -> int:
        identity = enrol_customer(self.rt, self.program_id, self.shop.shop_id, customer_ref, asked=True)
        assert identity is not None
        assert identity.member_id is not None
        if points:
            self.give(identity.member_id, points)
        return identity.member_id

    def give(self, member_id: int, points: int, reason: str = "a gift") -> None:
        key = unique("give")
        adjust(self.rt, self.program_id, member_id, points, reason=reason, actor="Ada", request_key=key)

    def know(self, customer_ref: str, email: str | None, *, verified: bool = False) -> int:
        """As the shop tells of its customer. Returns the identity."""
        key = (self.shop.shop_id, customer_ref)
        with self.rt.db.begin(self.program_id) as session:
            identity = members.add_identities(session, [(self.program_id, *key)], now=self.rt.now())[key]
            members.put_personal(
                session,
                self.rt.vault,
                identity,
                email=email,
                email_verified=verified,
                name="Ada",
                now=self.rt.now(),
            )
        return identity.identity_id

    def see(self, *orders: OrderSnapshot) -> None:
        with self.rt.db.begin(self.program_id) as session:
            seen = [Seen(shop_id=self.shop.shop_id, order=one) for one in orders]
            settle_orders(session, self.rt.vault, seen, now=self.rt.now())

    def scalar(self, sql: str, **params: Any) -> Any:
        with self.rt.db.begin(self.program_id) as session:
            return session.scalar(sql, **params)

    def issue(self, redemption_id: int) -> None:
        """As if the shop had made the code."""
        self._set(redemption_id, state="issued", issued_at=self.rt.now())

    def set_state(self, redemption_id: int, state: str) -> None:
        self._set(redemption_id, state=state)

    def _set(self, redemption_id: int, **changes: Any) -> None:
        with self.rt.db.begin(self.program_id) as session:
            assignments = ", ".join(f"{name} = :{name}" for name in changes)
            session.run(
                f"UPDATE redemptions SET {assignments} WHERE {{fence}} AND id = :id",
                changes,
                id=redemption_id,
            )

    def set_shop(self, **changes: Any) -> None:
        with self.rt.db.begin(self.program_id) as session:
            shops.update_shop(session, self.shop.shop_id, **changes)
        self.rt.shop_memory.forget()


def make_storefront(
    rt: Runtime, client: FlaskClient, program_id: int, *, platform: str = "woocommerce", **facts: Any
) -> Storefront:
    return Storefront(
        rt, client, program_id, make_shop(rt, program_id, platform=platform, **{"currency": "EUR", **facts})
    )
