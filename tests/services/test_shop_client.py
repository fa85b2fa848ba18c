"""A shop is called with credentials that hold, by one process at a time when they are renewed, and not at all if it
may not be."""

import threading

import pytest

from app.db import shops
from app.domain.errors import AccessLost, Refused, Retryable
from app.services.runtime import Runtime
from app.services.shop_client import open_shop
from sandbox.faults import FaultKind
from tests.conftest import Clock, make_program
from tests.services.stands import Stand, shopify_stand, woo_stand


@pytest.fixture
def shopify(rt: Runtime, clock: Clock) -> Stand:
    return shopify_stand(rt, clock, make_program(rt, currency="USD"))


@pytest.fixture
def woo(rt: Runtime, clock: Clock) -> Stand:
    return woo_stand(rt, clock, make_program(rt, currency="USD"))


def name_of(stand: Stand) -> str:
    with open_shop(stand.rt, stand.program_id, stand.shop.shop_id) as client:
        return client.shop_facts().name


def token_of(stand: Stand) -> str:
    with stand.rt.db.begin(stand.program_id) as session:
        return shops.get_secrets(session, stand.rt.vault, stand.shop.shop_id).credentials["access_token"]


def token_calls(stand: Stand) -> int:
    return sum("oauth" in url for _, url in stand.hosts.calls)


def test_a_token_that_holds_is_not_renewed(shopify: Stand) -> None:
    assert name_of(shopify) == shopify.store.name
    assert token_calls(shopify) == 0


def test_a_token_near_its_end_is_renewed_and_stored_before_it_is_used(shopify: Stand, clock: Clock) -> None:
    before = token_of(shopify)
    clock.forward(minutes=59, seconds=30)
    assert name_of(shopify) == shopify.store.name
    assert token_of(shopify) != before
    assert name_of(shopify) == shopify.store.name
    assert token_calls(shopify) == 1
    assert shopify.sql("SELECT lease_until FROM shops WHERE {fence}")[0].lease_until is None


@pytest.mark.race
def test_only_one_of_many_renews(shopify: Stand, clock: Clock) -> None:
    clock.forward(hours=2)
    told: list[str] = []

    def call() -> None:
        try:
            name_of(shopify)
        except Retryable as later:
            told.append(later.detail)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert token_calls(shopify) == 1
    assert all("renewed elsewhere" in one for one in told)
    assert name_of(shopify) == shopify.store.name


def test_the_lease_of_a_process_that_died_runs_out(shopify: Stand, clock: Clock) -> None:
    clock.forward(hours=2)
    with shopify.rt.db.begin(shopify.program_id) as session:
        assert shops.take_lease(session, shopify.shop.shop_id, now=clock.at, for_s=60)
    with pytest.raises(Retryable, match="renewed elsewhere"):
        name_of(shopify)
    clock.forward(seconds=61)
    assert name_of(shopify) == shopify.store.name


@pytest.mark.parametrize(
    "fault", [FaultKind.SERVER_ERROR, FaultKind.TIMEOUT_AFTER, FaultKind.TOO_MANY_REQUESTS]
)
def test_a_renewal_that_fails_is_tried_again_and_loses_nothing(
    shopify: Stand, clock: Clock, fault: FaultKind
) -> None:
    clock.forward(hours=2)
    shopify.store.faults.add("refresh", fault)
    with pytest.raises(Retryable):
        name_of(shopify)
    assert shopify.shop_row().access_problem is None
    assert name_of(shopify) == shopify.store.name


def test_a_refresh_token_that_ended_needs_a_person(shopify: Stand, clock: Clock) -> None:
    clock.forward(days=91)
    with pytest.raises(AccessLost):
        name_of(shopify)
    assert shopify.shop_row().access_problem
    with pytest.raises(Refused, match="not_callable"):
        name_of(shopify)


def test_an_app_that_was_removed_needs_a_person(shopify: Stand, clock: Clock) -> None:
    shopify.store.revoke_tokens()
    with pytest.raises(AccessLost):
        name_of(shopify)
    assert "401" in (shopify.shop_row().access_problem or "")


def test_a_token_that_ends_during_a_run_is_no_lost_access(shopify: Stand, clock: Clock) -> None:
    with (
        pytest.raises(Retryable, match="ended meanwhile"),
        open_shop(shopify.rt, shopify.program_id, shopify.shop.shop_id) as client,
    ):
        clock.forward(hours=2)
        client.shop_facts()
    assert shopify.shop_row().access_problem is None
    assert name_of(shopify) == shopify.store.name


def test_credentials_replaced_during_a_run_are_no_lost_access(woo: Stand) -> None:
    fresh = woo.store.api_key()
    with (
        pytest.raises(Retryable, match="replaced meanwhile"),
        open_shop(woo.rt, woo.program_id, woo.shop.shop_id) as client,
    ):
        next(iter(woo.store.keys.values())).revoked = True
        with woo.rt.db.begin(woo.program_id) as session:
            shops.put_secrets(
                session,
                woo.rt.vault,
                woo.shop.shop_id,
                credentials={
                    "consumer_key": fresh.consumer_key,
                    "consumer_secret": fresh.consumer_secret,
                },
            )
        client.shop_facts()
    assert name_of(woo) == woo.store.name


@pytest.mark.parametrize("state", ["unchecked", "uninstalled"])
def test_a_shop_that_may_not_be_called_is_not(woo: Stand, state: str) -> None:
    woo.sql("UPDATE shops SET state = :state WHERE {fence}", state=state)
    with pytest.raises(Refused, match="not_callable"):
        name_of(woo)
    assert woo.hosts.calls == []


def test_no_secret_stands_in_what_is_shown(woo: Stand) -> None:
    for key in woo.store.keys.values():
        key.revoked = True
    with pytest.raises(AccessLost):
        name_of_an_order(woo)
    shown = woo.shop_row().access_problem or ""
    assert "ck_" not in shown
    assert "cs_" not in shown


def name_of_an_order(stand: Stand) -> None:
    with open_shop(stand.rt, stand.program_id, stand.shop.shop_id) as client:
        client.read_orders(["1"])
