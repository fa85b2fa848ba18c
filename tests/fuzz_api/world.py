"""A program in which everything that the APIs speak of is there, with a key for the one and a shopper for the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from app.domain.program import default_document
from app.services.create_api_key import create_api_key
from app.services.erase_customer import erase_customer
from app.services.find_member import ById
from app.services.find_merges import join_members
from app.services.give_tier import give_tier
from app.services.member_card import member_card
from app.services.record_activity import Told, record_activity
from app.services.refer_friend import referral_code
from app.services.runtime import Runtime
from tests.conftest import make_program, unique
from tests.factories import make_order
from tests.services.books import suspect
from tests.services.crowd import VISIT
from tests.web.shoppers import Storefront, make_storefront
from tests.web.test_storefront import YESTERDAY, placed

TEA: dict[str, Any] = {"key": "tea", "title": "Tea", "kind": "perk", "cost": 50}
# A member; one without points; one who was forgotten, and comes back only by asking.
SHOPPER, POOR, STRANGER = "7", "21", "404"


@dataclass(frozen=True, slots=True)
class World:
    app: Flask
    shop: Storefront
    key: str
    values: Mapping[str, Any] = field(repr=False)
    """What stands in the blanks of addresses, and a few things beside."""

    def headers(self, path: str, customer_ref: str = SHOPPER) -> dict[str, str]:
        """Who asks: the merchant's system, or a shopper."""
        proof = self.key if path.startswith("/api/") else self.shop.token(customer_ref)
        return {"Authorization": f"Bearer {proof}"}

    def buy(self, reward: str = "amount-5", *, state: str | None = None) -> int:
        """A redemption of the shopper's."""
        bought = self.shop.post("redemptions", {"reward": reward}, SHOPPER, key=unique("buy")).get_json()
        redemption_id = int(bought["id"].removeprefix("r_"))
        if state is not None:
            self.shop.set_state(redemption_id, state)
        return redemption_id


def make_world(rt: Runtime, app: Flask) -> World:
    document = default_document("Fern & Field", "EUR", "UTC")
    document["rewards"].append(TEA)
    document |= {"activities": [VISIT], "referral": {"referrer_points": 10, "friend_points": 10}}
    shop = make_storefront(rt, app.test_client(), make_program(rt, document=document))
    shop.see(make_order(**placed(YESTERDAY)))
    member_id = shop.member(SHOPPER, points=100_000)
    shop.member(STRANGER)
    with rt.db.begin(shop.program_id) as session:
        erase_customer(session, rt.vault, shop.shop.shop_id, STRANGER, email=None, now=rt.now())
    poor, merged_id, other, friend = (shop.member(ref) for ref in (POOR, "22", "23", "24"))
    shop.know(SHOPPER, f"{unique('ada')}@mail.test")
    merged = join_members(rt, shop.program_id, shop.member("25"), merged_id, actor="Ada")
    given = give_tier(
        rt, shop.program_id, other, "gold", until=None, reason="Press", actor="Ada", request_key="known"
    )
    told = Told(who=ById(member_id), activity_key="visit", request_key="known", actor="Ada")
    values = {
        "member_id": member_id,
        "poor_id": poor,
        "other_id": other,
        "friend_id": friend,
        "merge_id": merged.merge_id,
        "activity_id": record_activity(rt, shop.program_id, told).activity_id,
        "grant_id": given.grant_id,
        "review_id": suspect(rt, shop.program_id, shop.member("26")),
        "code": referral_code(rt, shop.program_id, other),
        "own_code": referral_code(rt, shop.program_id, member_id),
        "card": member_card(rt, shop.program_id, member_id).code,
        "order": f"{shop.shop.key}:1001",
    }
    world = World(app, shop, create_api_key(rt, shop.program_id, "fuzz").token, values)
    bought = world.buy()
    return World(app, shop, world.key, {**values, "redemption_id": bought, "redemption_ref": f"r_{bought}"})
