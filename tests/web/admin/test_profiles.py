"""The shop's page: what stands at its customers, why not, and the switch of it."""

from typing import Any

from app.domain.staff import Role
from app.services.show_profiles import show_profiles
from tests.conftest import unique
from tests.services.houses import make_shop
from tests.web.admin.desk import Desk


def shop_of(desk: Desk, platform: str) -> str:
    shop = make_shop(desk.rt, desk.program_id, platform=platform)
    offered = desk.rt.connectors[platform].profiles
    show_profiles(desk.rt, desk.program_id, shop.shop_id, offered)
    return shop.key


def sql(desk: Desk, statement: str, **named: Any) -> Any:
    with desk.rt.db.begin(desk.program_id) as session:
        return session.rows(statement, named)


def test_an_owner_switches_each_part_by_itself(desk: Desk) -> None:
    key = shop_of(desk, "shopify")
    page = f"/admin/shops/{key}"
    assert desk.owner.get(page).count(" checked>") == 2
    desk.owner.post(f"{page}/profiles", of=page, fields="yes")
    ((fields, tags),) = sql(
        desk, "SELECT shows_fields, shows_tags FROM shops WHERE {fence} AND key = :k", k=key
    )
    assert (fields, tags) == (True, False)
    assert desk.owner.get(page).count(" checked>") == 1
    staff = desk.as_(Role.STAFF)
    assert "Level as a tag" in staff.get(page)
    staff.post(f"{page}/profiles", 403, of=page)


def test_why_nothing_is_written_is_said_and_saving_tries_again(desk: Desk) -> None:
    key = shop_of(desk, "shopify")
    page = f"/admin/shops/{key}"
    said = unique("Required access: write_customers")
    sql(desk, "UPDATE shops SET profile_problem = :said WHERE {fence} AND key = :k", k=key, said=said)
    assert said in desk.owner.get(page)
    desk.owner.post(f"{page}/profiles", of=page, fields="yes", tags="yes")
    assert said not in desk.owner.get(page)


def test_where_the_platform_offers_nothing_there_is_no_switch(desk: Desk) -> None:
    page = f"/admin/shops/{shop_of(desk, 'woocommerce')}"
    assert "At your customers in the shop" not in desk.owner.get(page)
    desk.owner.post(f"{page}/profiles", 422, of=page, tags="yes")
