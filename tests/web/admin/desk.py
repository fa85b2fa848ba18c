"""A merchant's desk: a program with a shop, members, orders, deliveries of every kind, and people who sign in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.db import inbox, reconciliations, shops
from app.db.reconciliations import Repair
from app.domain.changes import CustomerFacts
from app.domain.money import Money
from app.domain.orders import OrderSnapshot
from app.domain.staff import Role
from app.services.invite_staff import invite_staff
from app.services.redeem import RedeemRequest, redeem
from app.services.runtime import Runtime
from app.services.see_customers import see_customers
from app.services.settle_orders import Seen, settle_orders
from tests.conftest import NOW, make_program, unique
from tests.factories import make_order, make_refund
from tests.services.books import suspect
from tests.services.houses import make_shop

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(slots=True)
class Visitor:
    """Somebody with a browser. `get` and `post` fail the test on anything but the status that is asked for."""

    client: FlaskClient

    def get(self, path: str, status: int = 200, **options: Any) -> str:
        response = self.client.get(
            path, headers={"Accept": "text/html", **options.pop("headers", {})}, **options
        )
        assert response.status_code == status, (path, response.status_code, response.text[-1500:])
        return response.text

    def token(self, path: str) -> str:
        found = TOKEN.search(self.get(path))
        assert found is not None, f"no form on {path}"
        return found[1]

    def post(self, path: str, status: int = 303, *, of: str = "/admin/", **fields: Any) -> TestResponse:
        """Send a form with a token of the page `of`."""
        data = {"csrf_token": self.token(of), **fields}
        response = self.client.post(path, data=data, headers={"Accept": "text/html"})
        assert response.status_code == status, (path, response.status_code, response.text[-1500:])
        return response


@dataclass(slots=True)
class Desk:
    rt: Runtime
    app: Flask
    program_id: int = 0
    shop_id: int = 0
    shop_key: str = ""
    people: dict[Role, Visitor] = field(default_factory=dict)
    document: Mapping[str, Any] | None = None  # of the program; None: the default one
    platform: str = "woocommerce"

    def __post_init__(self) -> None:
        self.program_id = make_program(self.rt, document=self.document)
        shop = make_shop(self.rt, self.program_id, platform=self.platform, currency="EUR")
        self.shop_id, self.shop_key = shop.shop_id, shop.key

    def sign_in(self, role: Role, name: str = "") -> Visitor:
        invited = invite_staff(
            self.rt,
            self.program_id,
            email=f"{unique(role.value)}@shop.test",
            name=name or f"Ada {role.value}",
            role=role,
        )
        visitor = Visitor(self.app.test_client())
        path = invited.link.removeprefix(self.rt.public_url)
        visitor.post(path, of=path)
        return visitor

    def as_(self, role: Role) -> Visitor:
        if role not in self.people:
            self.people[role] = self.sign_in(role)
        return self.people[role]

    @property
    def owner(self) -> Visitor:
        return self.as_(Role.OWNER)

    def see(self, *orders: OrderSnapshot) -> None:
        with self.rt.db.begin(self.program_id) as session:
            seen = [Seen(shop_id=self.shop_id, order=one) for one in orders]
            settle_orders(session, self.rt.vault, seen, now=self.rt.now())

    def know(self, ref: str, name: str, email: str, *, verified: bool = False) -> None:
        facts = CustomerFacts(customer_ref=ref, email=email, email_verified=verified, name=name)
        with self.rt.db.begin(self.program_id) as session:
            shop = shops.get_shop(session, self.shop_id)
            see_customers(session, self.rt.vault, [(shop, facts)], now=self.rt.now())

    def member(self, ref: str) -> int:
        with self.rt.db.begin(self.program_id) as session:
            return int(
                session.scalar(
                    "SELECT member_id FROM identities WHERE {fence} AND shop_id = :shop AND customer_ref = :ref",
                    shop=self.shop_id,
                    ref=ref,
                )
            )

    def points(self, member_id: int) -> int:
        with self.rt.db.begin(self.program_id) as session:
            return int(session.scalar("SELECT points FROM accounts WHERE {fence} AND id = :id", id=member_id))

    def shopper(self, ref: str, spent: str, *, name: str = "Mara Lindqvist", number: str = "") -> int:
        """A member with one paid order."""
        self.see(order(ref, spent, number or f"#{unique('n')}", at=NOW - timedelta(days=2)))
        self.know(ref, name, f"{ref}@mail.test")
        return self.member(ref)

    def fail_delivery(
        self, body: bytes = b'{"id": 2207}', reason: str = "A price is not a number: “24.9O”"
    ) -> int:
        self.keep(body)
        with self.rt.db.begin(self.program_id) as session:
            row = inbox.take(session, self.rt.vault, now=self.rt.now())[0]
            inbox.finish(session, [inbox.Outcome(row, "failed", reason)], now=self.rt.now())
        return row.inbox_id

    def keep(self, body: bytes, topic: str = "order.updated") -> None:
        self.rt.inbox.keep(
            inbox.Arrival(
                program_id=self.program_id,
                shop_id=self.shop_id,
                topic=topic,
                delivery_ref=unique("d"),
                body=body,
                at=self.rt.now(),
            )
        )

    def buy(self, member_id: int, reward: str = "amount-5") -> int:
        row = redeem(
            self.rt,
            RedeemRequest(
                program_id=self.program_id,
                member_id=member_id,
                shop_id=self.shop_id,
                reward_key=reward,
                request_key=unique("key"),
                actor="shopper",
            ),
        )
        return row.redemption_id

    def compare(self, *repairs: Repair) -> None:
        """A complete run that found these."""
        with self.rt.db.begin(self.program_id) as session:
            now = self.rt.now()
            run = reconciliations.start_run(session, self.shop_id, "changed", since=now, until=now, now=now)
            reconciliations.note_looked(session, run, 412)
            reconciliations.add_repairs(session, run, repairs, now=now)
            reconciliations.end_run(session, run, problem=None, now=now)
            reconciliations.advance(session, self.shop_id, until=now)

    def ask_privacy(self, kind: str, member_id: int | None) -> int:
        with self.rt.db.begin(self.program_id) as session:
            return int(
                session.scalar(
                    "INSERT INTO privacy_requests (program_id, shop_id, kind, request_ref, member_id, received_at) "
                    "VALUES (:program_id, :shop, :kind, :ref, :member, :now) RETURNING id",
                    shop=self.shop_id,
                    kind=kind,
                    ref=unique("wish"),
                    member=member_id,
                    now=self.rt.now(),
                )
            )


def order(ref: str | None, spent: str, number: str, *, at: datetime, **changes: Any) -> OrderSnapshot:
    defaults: dict[str, Any] = {
        "order_ref": number.strip("#"),
        "number": number,
        "customer_ref": ref,
        "goods": Money.parse(spent, "EUR"),
        "placed_at": at,
        "paid_at": at,
        "updated_at": at,
    }
    return make_order(**{**defaults, **changes})


@dataclass(frozen=True, slots=True)
class World:
    """What `fill` made."""

    member: int
    other: int
    delivery: int
    redemption: int
    request: int
    order_ref: str
    review: int


def fill(desk: Desk) -> World:
    """Something on every page."""
    first = order("7614320911", "1138.47", "#1019", at=NOW - timedelta(days=29))
    back = replace(
        first,
        refunds=(make_refund("20.00", refunded_at=NOW - timedelta(days=23)),),
        updated_at=NOW - timedelta(days=23),
    )
    desk.see(first, back, order("7614320911", "29.98", "#1042", at=NOW - timedelta(hours=2)))
    desk.see(
        order("218", "62.40", "#1037", at=NOW - timedelta(days=3)),
        order(None, "45.00", "#1040", at=NOW - timedelta(days=1), email="guest@mail.test"),
        order("5", "12.00", "#1041", at=NOW - timedelta(hours=5), goods=Money.parse("300.00", "SEK")),
    )
    for number, name in enumerate(("Tomasz Wilk", "Aoife Brennan", "Maryam Haddad", "Damar Sari")):
        desk.shopper(str(900 + number), f"{640 + 70 * number}.00", name=name, number=f"#{950 + number}")
    desk.know("7614320911", "Mara Lindqvist", "mara.lindqvist@mail.test", verified=True)
    desk.know("218", "Mara L.", "mara@post.test")
    member, other = desk.member("7614320911"), desk.member("218")
    desk.keep(b'{"id": 2301}')
    delivery = desk.fail_delivery()
    desk.fail_delivery(b'{"id": 2203, "total": "12.O0"}', "A price is not a number: “12.O0”")
    desk.keep(b'{"id": 2302}')
    redemption = desk.buy(member)
    with desk.rt.db.begin(desk.program_id) as session:
        session.run(
            "UPDATE redemptions SET state = 'issued', issued_at = :now WHERE {fence}", now=desk.rt.now()
        )
    desk.buy(member, "free-shipping")
    request = desk.ask_privacy("data", member)
    desk.compare(
        Repair(subject="webhook:order.updated", cause="webhook_switched_off", detail="It is on again."),
        Repair(subject="code:LRL-X", cause="code_absent", detail="Looked into."),
    )
    with desk.rt.db.begin(desk.program_id) as session:
        hooks = [
            {"topic": "order.created", "healthy": True, "repaired": False, "detail": "", "found": "right"},
            {
                "topic": "order.updated",
                "healthy": False,
                "repaired": False,
                "detail": "Switched off.",
                "found": "x",
            },
        ]
        shops.update_shop(session, desk.shop_id, webhooks=hooks, name="Fern & Field")
    review = suspect(desk.rt, desk.program_id, other)
    return World(member, other, delivery, redemption, request, "1042", review)
