"""Every example of reviews.toml, which a merchant can read, told to the program as it runs."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.services.find_member import ById
from app.services.list_reviews import list_reviews
from app.services.look_for_abuse import look_for_abuse
from app.services.record_activity import Told, record_activity
from app.services.redeem import RedeemRequest, redeem
from app.services.runtime import Runtime
from tests.conftest import Clock
from tests.factories import make_refund
from tests.services.books import meet
from tests.services.crowd import Crowd, bought, make_crowd

EXAMPLES = tomllib.loads(Path(__file__).with_name("reviews.toml").read_text())["example"]
VISIT = {"key": "visit", "name": "Visit", "kind": "custom", "points": 5}


@pytest.mark.parametrize("example", EXAMPLES, ids=[one["name"] for one in EXAMPLES])
def test_example(rt: Runtime, clock: Clock, example: Mapping[str, Any]) -> None:
    crowd = make_crowd(rt, activities=[VISIT], review=example["review"])
    did = dict(example["did"])
    ago = did.pop("ago_days", 0)
    act(crowd, clock, did)
    clock.forward(days=ago)
    look_for_abuse(rt, crowd.program_id)
    found = list_reviews(rt, crowd.program_id)
    holds = any(one.held_at is not None for one in found)
    assert ("hold" if holds else "watch" if found else "nothing") == example["then"]


def act(crowd: Crowd, clock: Clock, did: Mapping[str, Any]) -> None:
    ann = crowd.member("ann")
    for number in range(did.get("orders", 0)):
        refunds = (make_refund("100.00", f"r{number}"),) if number < did.get("given_back", 0) else ()
        crowd.see(bought("ann", "100.00", ref=str(number), at=clock.at, refunds=refunds))
    for number in range(did.get("rewards", 0)):
        request = RedeemRequest(
            program_id=crowd.program_id,
            member_id=ann,
            shop_id=crowd.shop.shop_id,
            reward_key="amount-5",
            request_key=f"click-{number}",
            actor="shopper",
        )
        redeem(crowd.rt, request)
    for number in range(did.get("visits", 0)):
        told = Told(who=ById(ann), activity_key="visit", request_key=f"v{number}", actor="api:the till")
        record_activity(crowd.rt, crowd.program_id, told)
    for number, address in enumerate(did.get("addresses", ())):
        clock.forward(seconds=timedelta(minutes=1).seconds)
        crowd.member(f"other-{number}")
        meet(crowd.rt, crowd.program_id, crowd.shop.shop_id, f"other-{number}", address)
