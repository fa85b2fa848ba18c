"""Keys are rotated while everything goes on: nothing is refused, and afterwards the old key is needed for nothing."""

import base64
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import LargeBinary, text

from app.db import embedded, shops
from app.db.migrating import migrate
from app.db.sealing import CannotOpen, KeyRing, open_vault
from app.db.session import Database
from app.db.tables import metadata
from app.services.diagnose import diagnose
from app.services.rotate_keys import Rotated, rotate_keys
from app.services.runtime import Runtime
from app.services.shop_memory import ShopMemory
from app.web import create_app
from tests.conftest import Clock, Mails, make_program, make_runtime, new_database
from tests.services.bodies import woo_order
from tests.services.houses import House, woo_request
from tests.web.shoppers import Storefront, make_storefront
from tests.web.test_install import make_merchant, shop_of

ROUNDS = 2
OLD = b"k" * 32  # of every runtime in tests

# What each column of bytes is. Sealed under LAUREL_KEYS: sealed anew when they are rotated. Under a data key, which is
# itself sealed under them: nothing to do. A new column has to be named here, and resealed if it is of the first kind.
UNDER_OUR_KEYS = {"shops.credentials", "shops.webhook_secrets", "shops.widget_secret", "installation.value"}
UNDER_A_DATA_KEY = {
    *("identities.email", "identities.name", "birthdays.day", "activities.detail", "inbox.body"),
    "unknown_shop_messages.body",
}
NOT_SEALED = {
    *("accounts.head", "entries.hash", "members.card_hash", "birthdays.day_hash", "identities.email_hash"),
    *("identities.mailbox_hash", "orders.email_hash", "tombstones.hash", "inbox.body_hash"),
    *("unknown_shop_messages.body_hash", "activities.request_key", "activities.request_hash"),
    "redemptions.request_hash",
}


@pytest.fixture
def home(server: embedded.Embedded) -> Iterator[Database]:
    """A database of its own: rotating is for a whole installation."""
    with new_database(server, f"rotated_{os.getpid()}") as urls:
        migrate(urls.owner_url, urls.app_url)
        db = Database(urls.app_url, pool_size=20)
        yield db
        db.close()


def with_keys(rt: Runtime, *keys: bytes) -> Runtime:
    """Another process of the installation, which was started with these LAUREL_KEYS."""
    with rt.db.outside() as connection:
        vault = open_vault(connection, KeyRing(keys))
    return replace(rt, vault=vault, shop_memory=ShopMemory())


@pytest.mark.race
def test_keys_are_rotated_under_traffic_and_nothing_is_refused(
    home: Database, clock: Clock, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.limits.Minute.count", lambda self, name, second: 1)
    monkeypatch.setattr("app.services.await_code.LONGEST_S", 0.0)
    first = make_runtime(home, clock, mails)
    program_id = make_program(first)
    fronts = [make_storefront(first, create_app(first).test_client(), program_id) for _ in range(4)]
    for front in fronts:
        front.member("7", points=1_000_000)
    keys: tuple[bytes, ...] = (OLD,)
    started = [keys] * 3
    done, building = threading.Event(), threading.Lock()
    wrong: list[str] = []
    served = [0, 0, 0]

    def traffic(number: int, act: Callable[[Storefront, int], int]) -> None:
        """A web process with the keys of the moment; it is started anew whenever they change."""
        mine: tuple[bytes, ...] = ()
        front = fronts[number]
        count = 0
        while not done.is_set() or count == 0:
            if mine != keys:
                mine = keys
                rt = with_keys(first, *mine)
                with building:  # two at once break Python 3.11's own parser (python/cpython#106905)
                    front = replace(fronts[number], rt=rt, client=create_app(rt).test_client())
                started[number] = mine
            count += 1
            try:
                status = act(front, count)
            except Exception as error:  # told by the test, which would otherwise wait for ever
                wrong.append(repr(error))
                return
            if status >= 400:
                wrong.append(f"{act.__name__}: {status}")
            served[number] += 1

    def deploy(*now: bytes) -> None:
        """Change LAUREL_KEYS, and go on when every process was started anew."""
        nonlocal keys
        keys = now
        while any(one != now for one in started) and not wrong:
            threading.Event().wait(0.01)

    def deliver(front: Storefront, count: int) -> int:
        request = woo_request("order.updated", woo_order(count, goods="10.00", customer=7))
        path = f"/webhooks/woocommerce/{front.shop.key}"
        return front.client.post(path, data=request.body, headers=dict(request.headers)).status_code

    def look(front: Storefront, count: int) -> int:
        return front.get("me").status_code

    def buy(front: Storefront, count: int) -> int:
        return front.post("redemptions", {"reward": "amount-5"}, key=f"{os.getpid()}-{count}").status_code

    threads = [
        threading.Thread(target=traffic, args=(number, act))
        for number, act in enumerate((deliver, look, buy))
    ]
    for thread in threads:
        thread.start()
    newest = OLD
    for _ in range(ROUNDS):
        newest, before = os.urandom(32), newest
        deploy(before, newest)  # every process can open what the first of the new ones will seal
        deploy(newest, before)
        rotated = rotate_keys(with_keys(first, newest, before))
        assert rotated.data_keys == 2
        assert rotated.shop_secrets >= len(fronts)
        assert rotate_keys(with_keys(first, newest, before)) == Rotated(0, 0)
        deploy(newest)
    done.set()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert min(served) > 0

    alone = with_keys(first, newest)
    drained = House(alone, program_id, fronts[0].shop).drain()
    assert set(drained.states) <= {"done", "stale", "unchanged"}
    assert drained.total > 0
    with alone.db.begin(program_id) as session:
        for front in fronts:
            assert shops.get_secrets(session, alone.vault, front.shop.shop_id).webhook_secrets
    with pytest.raises(CannotOpen):
        with_keys(first, OLD)


def test_an_installation_that_has_begun_is_finished_after_the_old_key_went(
    home: Database, clock: Clock, mails: Mails
) -> None:
    new = os.urandom(32)
    merchant = make_merchant(make_runtime(home, clock, mails))
    back = merchant.approve(merchant.begin())  # the shop has posted its keys; the browser is still on its way
    both = with_keys(merchant.rt, new, OLD)
    assert "`laurel keys rotate`" in keys_problem(both)
    assert rotate_keys(both).shop_secrets == 1
    assert rotate_keys(both) == Rotated(0, 0)

    merchant.serve_anew(with_keys(merchant.rt, new))
    assert "is connected" in merchant.come_back(back).text
    found = shop_of(merchant)
    assert found is not None
    assert found[1].state == "connected"


def test_what_waited_too_long_under_a_lost_key_stands_in_nobodys_way(
    home: Database, clock: Clock, mails: Mails
) -> None:
    new, newest = os.urandom(32), os.urandom(32)
    first = make_runtime(home, clock, mails)
    rotate_keys(with_keys(first, new, OLD))
    merchant = make_merchant(with_keys(first, new))
    merchant.approve(merchant.begin())
    clock.forward(minutes=11)
    before = with_keys(first, newest, new)
    assert rotate_keys(before) == Rotated(2, 0)
    assert rotate_keys(with_keys(first, newest)) == Rotated(0, 0)


def test_nothing_is_left_under_an_old_key_in_any_column(home: Database, clock: Clock, mails: Mails) -> None:
    new = os.urandom(32)
    first = make_runtime(home, clock, mails)
    house = make_storefront(first, create_app(first).test_client(), make_program(first))
    house.know("7", "ada@example.test", verified=True)
    merchant = make_merchant(first)
    merchant.approve(merchant.begin())
    old_id = first.vault.ring.seal(b"", "anywhere")[:4]
    assert sealed_under(home, old_id) == UNDER_OUR_KEYS | {"directory.details"}
    rotate_keys(with_keys(first, new, OLD))
    assert sealed_under(home, old_id) == set()


def test_each_column_of_bytes_is_known_for_what_it_is() -> None:
    there = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert there == UNDER_OUR_KEYS | UNDER_A_DATA_KEY | NOT_SEALED


def sealed_under(home: Database, key_id: bytes) -> set[str]:
    """Columns in which something begins as what that key sealed, as bytes or as base64 within a document."""
    start = base64.b64encode(key_id + bytes(2)).decode()[:5]  # letters that tell of nothing but the id
    found: set[str] = set()
    with home.engine.begin() as connection:
        connection.execute(text("SELECT set_config('laurel.programs', :ids, true)"), {"ids": _programs(home)})
        for table, column, kind in connection.execute(
            text(
                "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' "
                "AND data_type IN ('bytea', 'jsonb', 'text') AND table_name NOT LIKE 'procrastinate%'"
            )
        ).all():
            holds = (
                f"substr({column}, 1, 4) = :id"
                if kind == "bytea"
                else f"position(:start IN {column}::text) > 0"
            )
            asked = text(f"SELECT EXISTS (SELECT 1 FROM {table} WHERE {holds})")
            given = {"id": key_id} if kind == "bytea" else {"start": start}
            if connection.execute(asked, given).scalar():
                found.add(f"{table}.{column}")
    return found


def _programs(home: Database) -> str:
    with home.outside() as connection:
        return ",".join(
            str(row[0]) for row in connection.execute(text("SELECT DISTINCT program_id FROM directory"))
        )


def keys_problem(rt: Runtime) -> str:
    return next(one.problem for one in diagnose(rt) if one.name == "keys") or ""
