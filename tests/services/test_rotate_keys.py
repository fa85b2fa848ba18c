"""Keys are rotated while everything goes on: nothing is refused, and afterwards the old key is needed for nothing."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from app.db import embedded, shops
from app.db.migrating import migrate
from app.db.sealing import CannotOpen, KeyRing, open_vault
from app.db.session import Database
from app.services.rotate_keys import Rotated, rotate_keys
from app.services.runtime import Runtime
from app.services.shop_memory import ShopMemory
from app.web import create_app
from tests.conftest import Clock, Mails, make_program, make_runtime, new_database
from tests.services.bodies import woo_order
from tests.services.houses import House, woo_request
from tests.web.shoppers import Storefront, make_storefront

ROUNDS = 2
OLD = b"k" * 32  # of every runtime in tests


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
