"""Codes that a shop's owner has not let us make: nobody is offered one, and what is granted later is learnt at once."""

from typing import Any

import pytest

from app.domain.program import default_document
from app.services.check_document import WrongDocument
from app.services.list_rewards import list_rewards
from app.services.publish_program import publish_program
from app.services.reconcile_shop import reconcile_shop
from app.services.runtime import Runtime
from app.services.set_up_shop import set_up_shop
from tests.conftest import Clock, make_program
from tests.services.jobs import run_jobs
from tests.services.stands import SHOPIFY_SCOPES, Stand, shopify_stand

CARDS, CREDIT = "write_gift_cards", "write_store_credit_account_transactions"
REWARDS: list[dict[str, Any]] = [
    {"key": "card", "title": "A card", "kind": "gift_card", "cost": 100, "amount_minor": 500},
    {"key": "credit", "title": "Credit", "kind": "store_credit", "cost": 100, "amount_minor": 500},
]
WITHOUT = [one for one in SHOPIFY_SCOPES if one not in (CARDS, CREDIT)]


@pytest.fixture
def stand(rt: Runtime, clock: Clock) -> Stand:
    stand = shopify_stand(rt, clock, make_program(rt, currency="USD"), scopes=WITHOUT)
    stand.store.subscribe("app/scopes_update", stand.store.app.webhook_uri, by_api=False)
    set_up_shop(stand.rt, stand.program_id, stand.shop.shop_id)
    return stand


def publish(stand: Stand) -> None:
    document = default_document("Sprig", "USD", "UTC") | {"rewards": REWARDS}
    publish_program(stand.rt, stand.program_id, document, by="ada")


def impossible(stand: Stand) -> list[str]:
    views = list_rewards(stand.rt, stand.program_id, shop_id=stand.shop.shop_id)
    return [view.key for view in views if view.barrier == "not_at_this_shop"]


def test_what_is_not_granted_is_not_published_and_the_reason_names_it(stand: Stand) -> None:
    with pytest.raises(WrongDocument) as wrong:
        publish(stand)
    (_, card), (_, credit) = wrong.value.faults
    assert "The shop has not let Laurel give gift cards (write_gift_cards): grant it in the shop" in card
    assert f"store credit ({CREDIT})" in credit


def test_what_is_granted_is_learnt_at_once_and_so_is_what_is_taken_back(stand: Stand) -> None:
    stand.store.grant(CARDS, CREDIT)
    stand.deliver_all()
    assert "set_up_shop" in run_jobs(stand.rt, stand.program_id)
    publish(stand)
    assert impossible(stand) == []
    stand.store.withdraw(CARDS)
    stand.deliver_all()
    run_jobs(stand.rt, stand.program_id)
    assert impossible(stand) == ["card"]
    assert "grant it in the shop" in list_rewards(stand.rt, stand.program_id)[0].impossible[0]


def test_where_the_message_is_lost_the_night_learns_it(stand: Stand) -> None:
    stand.store.grant(CARDS, CREDIT)
    stand.lose_all()
    reconcile_shop(stand.rt, stand.program_id, stand.shop.shop_id, "digests")
    assert stand.shop_row().withheld == {}
