"""Somebody asks to be forgotten, or a shop leaves: what names people is gone, and the ledger is whole."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.db import inbox, shops
from app.domain.errors import Refused, Retryable
from app.domain.redeeming import RedemptionState as State
from app.services.check_uninstall import check_uninstall
from app.services.claim_orders import claim_orders
from app.services.drain_inbox import drain_inbox
from app.services.enrol_customer import enrol_customer
from app.services.erase_shop import erase_shop
from app.services.export_member import export_member
from app.services.list_privacy_requests import list_privacy_requests
from app.services.receive_delivery import receive_delivery
from app.services.record_shop import NewShop, record_shop
from app.services.runtime import Runtime
from app.services.uninstall_shop import disconnect
from connectors.base import ShopFacts
from sandbox.hosts import HostMap
from tests.complaints.till import Till, make_till
from tests.conftest import Clock, make_program
from tests.services.bodies import woo_order
from tests.services.books import assert_books_are_true, balance, find_member, get_member
from tests.services.houses import House, make_shop, shopify_request, woo_request
from tests.services.jobs import run_jobs

REF = 7_000_123_456_789
EMAIL = "canary.alice@example.test"
NAME = "Canaryname"
CANARIES = (str(REF), EMAIL, NAME)


class Searched(House):
    """A house in whose every table the canaries are looked for."""

    def settle(self) -> None:
        assert self.drain().states.get("failed", 0) == 0
        run_jobs(self.rt, self.program_id)

    def bodies(self) -> list[bytes]:
        """What was received and is still held, opened."""
        with self.rt.db.begin(self.program_id) as session:
            rows = session.rows("SELECT body FROM inbox WHERE {fence} AND body IS NOT NULL")
        of = (self.rt.vault, self.program_id, self.shop.shop_id)
        return [inbox.open_body(*of, row.body) for row in rows]

    def found(self) -> list[str]:
        """Where in the program's database, sealed bodies opened, a canary is."""
        return [
            f"{place}: {canary}" for place, content in self._all() for canary in CANARIES if canary in content
        ]

    def _all(self) -> list[tuple[str, str]]:
        with self.rt.db.begin(self.program_id) as session:
            tables = session.connection.execute(
                text(
                    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                    "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
                    "AND has_table_privilege(c.oid, 'SELECT')"
                )
            ).scalars()
            content = []
            for table in tables.all():
                rows = session.connection.execute(text(f'SELECT t::text FROM "{table}" t')).scalars()
                for row in rows:
                    content += [(table, row), (table, _unhexed(row))]
        return content + [("inbox", body.decode()) for body in self.bodies()]


class Shop(Searched):
    """A Shopify shop whose messages are written by hand."""

    def tell(self, topic: str, body: dict[str, Any], ref: str = "w") -> None:
        request = shopify_request(topic, json.dumps(body).encode(), self.shop, delivery_ref=ref)
        receive_delivery(self.rt, "shopify", None, request)

    def customer(self, number: int = REF) -> dict[str, Any]:
        return {
            "id": number,
            "email": EMAIL,
            "verified_email": True,
            "first_name": NAME,
            "last_name": "Jones",
        }

    def order(self, number: int, price: str, *, guest: bool = False, minute: int = 0) -> dict[str, Any]:
        moment = (self.rt.now() + timedelta(minutes=minute)).isoformat()
        money = {"shop_money": {"amount": price, "currency_code": "EUR"}}
        return {
            "id": number,
            "name": f"#{number}",
            "email": EMAIL,
            "currency": "EUR",
            "presentment_currency": "EUR",
            "taxes_included": False,
            "financial_status": "paid",
            "fulfillment_status": None,
            "created_at": moment,
            "processed_at": moment,
            "cancelled_at": None,
            "updated_at": moment,
            "test": False,
            "total_tip_received": "0.00",
            "customer": None if guest else self.customer(),
            "note": f"For {NAME}",
            "discount_codes": [],
            "line_items": [
                {
                    "id": number * 10,
                    "quantity": 1,
                    "current_quantity": 1,
                    "gift_card": False,
                    "requires_shipping": True,
                    "taxable": False,
                    "price_set": money,
                    "tax_lines": [],
                    "discount_allocations": [],
                }
            ],
            "refunds": [],
            "fulfillments": [],
        }

    def leave(self) -> None:
        """It is told, and the shop lets us in no more."""
        locked = Flask("locked")
        locked.register_error_handler(404, lambda _: ("{}", 401))
        hosts = HostMap({f"{self.shop.key}.myshopify.com": locked})
        object.__setattr__(self, "rt", replace(self.rt, http=hosts))
        self.tell("app/uninstalled", {"id": 1})

    def ask_to_forget(self, orders: Sequence[int] = ()) -> None:
        who = {"id": REF, "email": EMAIL, "phone": None}
        self.tell("customers/redact", {"shop_id": 1, "customer": who, "orders_to_redact": list(orders)})


def _unhexed(row: str) -> str:
    """The bytes columns of a row as text, should something lie there in clear."""
    parts = row.replace('"', "").replace("\\\\", "\\").split("\\x")[1:]
    found = []
    for part in parts:
        digits = part.split(",")[0].rstrip(")")
        found.append(bytes.fromhex(digits if len(digits) % 2 == 0 else "").decode("utf-8", "replace"))
    return "|".join(found)


class Site(Searched):
    """A WooCommerce shop; its customer is known by a number that is somebody's there."""

    def order(self, number: int, price: str, *, guest: bool = False) -> None:
        billing = {"email": EMAIL, "first_name": NAME, "last_name": "Jones"}
        body = woo_order(number, goods=price, customer=0 if guest else REF, billing=billing, currency="EUR")
        self.deliver(woo_request("order.updated", body, delivery_ref=f"o{number}"))

    def join(self) -> None:
        customer = {"id": REF, "email": EMAIL, "first_name": NAME, "last_name": "Jones"}
        self.deliver(woo_request("customer.updated", json.dumps(customer).encode(), delivery_ref="c"))

    def ask_to_forget(self, **changes: Any) -> None:
        """As the plugin tells it when staff use WordPress's “Erase Personal Data”."""
        wish = {"wish": "forget", "customer_id": REF, "email": EMAIL, **changes}
        self.deliver(
            woo_request("laurel.erasure_requested", json.dumps(wish).encode(), delivery_ref="forget")
        )


@pytest.fixture
def site(rt: Runtime, program_id: int) -> Site:
    return Site(rt, program_id, make_shop(rt, program_id, currency="EUR"))


@pytest.fixture
def shop(rt: Runtime, program_id: int) -> Shop:
    return Shop(rt, program_id, make_shop(rt, program_id, platform="shopify", currency="EUR"))


def test_what_names_a_person_is_found_before_and_nowhere_after(shop: Shop, clock: Clock) -> None:
    shop.tell("customers/create", shop.customer())
    shop.tell("orders/create", shop.order(1, "120.00"))
    shop.tell("orders/create", shop.order(2, "30.00", guest=True))
    shop.settle()
    member_id = get_member(shop.rt, shop.program_id, shop.shop.shop_id, str(REF))
    assert {place.split(":")[0] for place in shop.found()} >= {"identities", "orders", "inbox"}
    clock.forward(days=1)
    shop.ask_to_forget([1, 2])
    shop.settle()
    assert shop.found() == []
    # The ledger is whole, and the sealed columns are gone.
    assert balance(shop.rt, shop.program_id, member_id).available == 150
    assert_books_are_true(shop.rt, shop.program_id)
    with shop.rt.db.begin(shop.program_id) as session:
        (identity,) = session.rows(
            "SELECT email, name, email_hash, email_verified FROM identities WHERE {fence}"
        )
        erased_at = session.scalar("SELECT erased_at FROM members WHERE {fence} AND id = :id", id=member_id)
    assert tuple(identity) == (None, None, None, False)
    assert erased_at == clock.at


def test_an_order_and_the_wish_to_be_forgotten_in_one_batch_leave_nothing(shop: Shop) -> None:
    shop.tell("customers/create", shop.customer())
    shop.tell("orders/create", shop.order(1, "120.00"))
    shop.ask_to_forget()
    shop.settle()
    assert shop.found() == []


def test_a_guests_messages_are_emptied_by_the_address(shop: Shop) -> None:
    shop.tell("orders/create", shop.order(1, "120.00", guest=True))
    shop.settle()
    shop.ask_to_forget()
    shop.settle()
    assert shop.found() == []


def test_a_late_message_brings_no_guest_back(shop: Shop, clock: Clock) -> None:
    shop.tell("orders/create", shop.order(1, "120.00", guest=True))
    shop.settle()
    shop.ask_to_forget()
    shop.settle()
    late = [shop.order(1, "80.00", guest=True, minute=-5), shop.order(2, "55.00", guest=True, minute=-5)]
    late[0]["updated_at"] = (clock.at + timedelta(seconds=1)).isoformat()
    for number, order in enumerate(late):
        shop.tell("orders/updated", order, ref=f"late-{number}")
    shop.settle()
    assert shop.found() == []
    # Whoever proves the address later gets nothing of that time; from then on they are a customer like any other.
    clock.forward(days=1)
    other = {**shop.customer(8), "first_name": "New"}
    shop.tell("orders/create", shop.order(3, "30.00", guest=True))
    shop.settle()
    shop.tell("customers/create", other)
    shop.settle()
    assert [shop.points(number) for number in ("1", "2", "3")] == [0, 0, 30]


def test_who_is_forgotten_again_is_forgotten_up_to_then(shop: Shop, clock: Clock) -> None:
    shop.ask_to_forget()
    shop.settle()
    clock.forward(days=1)
    between = shop.order(9, "55.00", guest=True)
    clock.forward(days=1)
    shop.ask_to_forget([9])
    shop.settle()
    shop.tell("orders/create", between, ref="late")
    shop.settle()
    assert shop.found() == []


def test_late_messages_bring_nobody_back(shop: Shop, clock: Clock) -> None:
    shop.tell("orders/create", shop.order(1, "120.00"))
    shop.settle()
    member_id = get_member(shop.rt, shop.program_id, shop.shop.shop_id, str(REF))
    shop.ask_to_forget()
    shop.settle()
    clock.forward(days=1)
    shop.tell("customers/update", shop.customer())
    shop.tell("orders/updated", shop.order(1, "80.00", minute=5))  # an order that we know
    shop.tell("orders/create", shop.order(2, "55.00", minute=6))  # and one that we do not
    shop.ask_to_forget()
    shop.settle()
    assert shop.found() == []
    assert find_member(shop.rt, shop.program_id, shop.shop.shop_id, str(REF)) is None
    assert balance(shop.rt, shop.program_id, member_id).available == 80  # the ledger still follows the order
    assert (shop.points("1"), shop.points("2")) == (80, 0)
    back = enrol_customer(shop.rt, shop.program_id, shop.shop.shop_id, str(REF), asked=False)
    assert back is None


def test_a_merge_told_late_brings_nobody_back_and_its_job_names_nobody(shop: Shop) -> None:
    shop.tell("customers/create", shop.customer())
    shop.settle()
    told = {
        "status": "completed",
        "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/8",
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{REF}",
    }
    shop.tell("customers/merge", told)
    shop.drain()
    with shop.rt.db.outside() as connection:
        jobs = connection.execute(
            text("SELECT args::text FROM procrastinate_jobs WHERE task_name = 'merge_customers'")
        ).scalars()
        assert [args for args in jobs if str(REF) in args] == []
    shop.settle()
    shop.ask_to_forget()
    shop.settle()
    shop.tell("customers/merge", told, ref="again")
    shop.settle()
    assert shop.found() == []


def test_who_asks_to_join_again_is_somebody_new(shop: Shop) -> None:
    shop.tell("orders/create", shop.order(1, "120.00"))
    shop.settle()
    shop.ask_to_forget()
    shop.settle()
    back = enrol_customer(shop.rt, shop.program_id, shop.shop.shop_id, str(REF), asked=True)
    assert back is not None
    assert back.member_id is not None
    with shop.rt.db.begin(shop.program_id) as session:
        claim_orders(session, shop.rt.vault, back, now=shop.rt.now())
    assert balance(shop.rt, shop.program_id, back.member_id).available == 0


def test_a_shop_that_left_for_good_is_forgotten_with_everybody_in_it(shop: Shop) -> None:
    shop.tell("customers/create", shop.customer())
    shop.tell("orders/create", shop.order(1, "120.00"))
    shop.tell("orders/create", shop.order(2, "30.00", guest=True))
    shop.settle()
    member_id = get_member(shop.rt, shop.program_id, shop.shop.shop_id, str(REF))
    shop.leave()
    shop.tell("shop/redact", {"shop_id": 1, "shop_domain": f"{shop.shop.key}.myshopify.com"})
    shop.settle()
    assert shop.found() == []
    assert balance(shop.rt, shop.program_id, member_id).available == 150
    assert erase_shop(shop.rt, shop.program_id, shop.shop.shop_id) == 0


def test_a_shop_that_is_back_forgets_nobody(shop: Shop) -> None:
    shop.tell("orders/create", shop.order(1, "120.00"))
    shop.settle()
    with pytest.raises(Refused, match="shop_is_back"):
        erase_shop(shop.rt, shop.program_id, shop.shop.shop_id)
    assert shop.balance(str(REF)) == 120


# --- Leaving and coming back -------------------------------------------------------------------------------


def test_a_shop_that_leaves_freezes_its_orders_and_keeps_codes_and_balances(
    rt: Runtime, clock: Clock
) -> None:
    till = make_till(rt, clock, "shopify")
    order = till.buy("120.00")
    bought = till.redeem()
    till.work()
    till.store.uninstall()
    till.store.deliveries.run()
    drain_inbox(till.rt)
    till.work()
    assert till.stand.shop_row().state == "uninstalled"
    late = _late_refund(till, order)
    assert (till.available, till.worth(order)) == (20, 120)
    assert late == "the shop is not connected: its orders are frozen"
    assert (till.row(bought).state, till.usable(till.row(bought))) == (State.ISSUED, 1)
    with pytest.raises(Refused, match="shop_not_connected"):
        till.redeem(key="click-2")
    till.assert_true()


def test_a_shop_that_comes_back_goes_on_and_nobody_joins_twice(rt: Runtime, clock: Clock) -> None:
    program_id = make_program(rt)
    house = Shop(rt, program_id, make_shop(rt, program_id, platform="shopify", currency="EUR"))
    house.tell("orders/create", house.order(1, "120.00"))
    house.settle()
    member_id = get_member(rt, program_id, house.shop.shop_id, str(REF))
    house.leave()
    house.settle()
    clock.forward(days=3)
    back = _connect_again(house)
    assert (back.shop_id, back.key, back.came_back) == (house.shop.shop_id, house.shop.key, True)
    house.tell("orders/create", house.order(2, "30.00"))
    house.settle()
    assert get_member(rt, program_id, house.shop.shop_id, str(REF)) == member_id
    assert house.balance(str(REF)) == 150
    with rt.db.begin(program_id) as session:
        assert session.scalar("SELECT count(*) FROM members WHERE {fence}") == 1
        assert inbox.counts(session).get("failed", 0) == 0


def test_a_goodbye_that_arrives_after_the_shop_is_back_is_not_believed(rt: Runtime, clock: Clock) -> None:
    till = make_till(rt, clock, "shopify")
    till.store.uninstall()
    till.store.install()
    token = till.store.issue_token(expiring=False)
    with till.rt.db.begin(till.stand.program_id) as session:
        shops.put_secrets(
            session, till.rt.vault, till.stand.shop.shop_id, credentials={"access_token": token.value}
        )
    till.arrive()
    assert till.stand.shop_row().state == "connected"
    order = till.buy("120.00")
    assert till.worth(order) == 120


def test_a_shop_that_comes_back_while_it_is_asked_stays(rt: Runtime, clock: Clock) -> None:
    till = make_till(rt, clock, "shopify")
    till.store.uninstall()
    till.store.deliveries.run()
    drain_inbox(till.rt)
    with till.rt.db.begin(till.stand.program_id) as session:
        # Its old keys were refused, and before that counted, it was connected with new ones.
        assert disconnect(session, till.stand.shop.shop_id, now=till.rt.now()) is False
    assert till.stand.shop_row().state == "connected"


def test_a_shop_that_is_never_called_is_believed_at_once(rt: Runtime, clock: Clock) -> None:
    till = make_till(rt, clock, "shopify")
    till.stand.sql("UPDATE shops SET state = 'unchecked' WHERE {fence}")
    till.store.uninstall()
    till.store.deliveries.run()
    calls = len(till.stand.hosts.calls)
    drain_inbox(till.rt)
    assert till.stand.shop_row().state == "uninstalled"
    assert len(till.stand.hosts.calls) == calls


def test_a_shop_that_does_not_answer_is_asked_again(rt: Runtime, clock: Clock) -> None:
    till = make_till(rt, clock, "shopify")
    till.store.uninstall()
    till.store.deliveries.run()
    drain_inbox(till.rt)
    host = till.store.domain
    app = till.stand.hosts.hosts.pop(host)
    with pytest.raises(Retryable):
        check_uninstall(till.rt, till.stand.program_id, till.stand.shop.shop_id)
    assert till.stand.shop_row().state == "connected"
    till.stand.hosts.hosts[host] = app
    assert check_uninstall(till.rt, till.stand.program_id, till.stand.shop.shop_id) is True
    row = till.stand.shop_row()
    assert (row.state, row.access_problem) == ("uninstalled", None)


def _late_refund(till: Till, order: Any) -> str:
    """A message of the order that was on its way when the shop left."""
    till.clock.forward(minutes=1)
    till.store.installed = True
    till.refund(order, 1)
    till.store.installed = False
    till.store.deliveries.run()
    drain_inbox(till.rt)
    rows = till.stand.sql("SELECT reason FROM inbox WHERE {fence} AND state = 'ignored' ORDER BY id")
    return str(rows[-1].reason)


def _connect_again(house: Shop) -> Any:
    with house.rt.db.begin(house.program_id) as session:
        known = session.first("SELECT shop_ref, name, url FROM shops WHERE {fence}")
    assert known is not None
    facts = ShopFacts(
        shop_ref=known.shop_ref,
        name=known.name,
        url=known.url,
        currency="EUR",
        timezone="UTC",
        reads_orders_days=None,
    )
    new = NewShop(platform="shopify", facts=facts, credentials={"access_token": "another"}, own_app=False)
    return record_shop(house.rt, house.program_id, new)


# --- From the wish to see to the wish to be forgotten, on both platforms ------------------------------------------


def test_a_shopifys_customer_sees_everything_and_is_forgotten(shop: Shop) -> None:
    shop.tell("customers/create", shop.customer())
    shop.tell("orders/paid", shop.order(1, "40.00"), "o1")
    shop.settle()
    enrol_customer(shop.rt, shop.program_id, shop.shop.shop_id, str(REF), asked=False)
    who = {"id": REF, "email": EMAIL, "phone": None}
    shop.tell("customers/data_request", {"shop_id": 1, "customer": who, "data_request": {"id": 9}}, "see")
    shop.settle()
    (wish,) = list_privacy_requests(shop.rt, shop.program_id)
    assert (wish.kind, wish.done_at) == ("data", None)
    assert wish.member_id is not None
    _sees_and_is_forgotten(shop, wish.member_id, shop.ask_to_forget)


def test_a_woocommerces_customer_sees_everything_and_is_forgotten(site: Site) -> None:
    site.join()
    site.order(1, "40.00")
    site.order(2, "10.00", guest=True)
    site.settle()
    enrol_customer(site.rt, site.program_id, site.shop.shop_id, str(REF), asked=False)
    site.settle()
    member_id = get_member(site.rt, site.program_id, site.shop.shop_id, str(REF))
    _sees_and_is_forgotten(site, member_id, site.ask_to_forget)


def _sees_and_is_forgotten(shop: Searched, member_id: int, ask_to_forget: Callable[[], None]) -> None:
    told = json.dumps(export_member(shop.rt, shop.program_id, member_id), default=str)
    assert all(canary in told for canary in CANARIES)
    before = balance(shop.rt, shop.program_id, member_id)
    assert before.available + before.pending == 40
    assert set(CANARIES) <= {one.rpartition(": ")[2] for one in shop.found()}
    ask_to_forget()
    shop.settle()
    assert shop.found() == []
    assert balance(shop.rt, shop.program_id, member_id) == before
    assert_books_are_true(shop.rt, shop.program_id)
    assert "erasure" in [one.kind for one in list_privacy_requests(shop.rt, shop.program_id)]


def test_a_guest_of_woocommerces_is_forgotten_by_the_address(site: Site) -> None:
    site.order(1, "40.00", guest=True)
    site.settle()
    assert site.found()
    site.ask_to_forget(customer_id=None)
    site.settle()
    assert site.found() == []
    site.join()  # who comes later with that address is somebody new, to whom the old order does not belong
    site.settle()
    assert site.balance(str(REF)) == 0


def test_a_body_that_wishes_nothing_erases_nobody(site: Site) -> None:
    """The topic is not signed: a signed order that is sent again under this one must not be taken for a wish."""
    site.join()
    site.settle()
    order = woo_order(1, goods="1.00", customer=REF, billing={"email": EMAIL}, email=EMAIL)
    site.deliver(woo_request("laurel.erasure_requested", order, delivery_ref="x"))
    assert site.drain().states.get("failed") == 1
    assert find_member(site.rt, site.program_id, site.shop.shop_id, str(REF)) is not None or site.found()
