"""Where a merchant goes on at the platform: shown where the platform has such pages, and for our own app alone."""

from datetime import timedelta
from html import unescape

from app.db import happenings
from app.domain.triggers import Trigger
from tests.services.houses import make_shop
from tests.web.admin.desk import Desk

EDITOR = ".myshopify.com/admin/themes/current/editor?context=apps&activateAppId=laurel-app/launcher"


def shop_key(desk: Desk, platform: str = "shopify") -> str:
    return make_shop(desk.rt, desk.program_id, platform=platform).key


def sql(desk: Desk, statement: str, **named: object) -> None:
    with desk.rt.db.begin(desk.program_id) as session:
        session.run(statement, named)


def test_a_new_shop_is_shown_the_way_to_its_pages_first(desk: Desk) -> None:
    key = shop_key(desk)
    home = unescape(desk.owner.get("/admin/"))
    assert home.count("data-first-step") == 1  # not for the shop without such pages
    assert EDITOR in home
    assert EDITOR in unescape(desk.owner.get(f"/admin/shops/{key}"))
    sql(
        desk,
        "UPDATE shops SET connected_at = :old WHERE {fence} AND key = :key",
        old=desk.rt.now() - timedelta(days=15),
        key=key,
    )
    assert "data-first-step" not in desk.owner.get("/admin/")
    assert EDITOR in unescape(desk.owner.get(f"/admin/shops/{key}"))


def test_a_shop_that_is_not_of_our_app_or_left_has_no_way(desk: Desk) -> None:
    for change in ("own_app = true", "state = 'uninstalled'"):
        key = shop_key(desk)
        sql(desk, f"UPDATE shops SET {change} WHERE {{fence}} AND key = :key", key=key)
        assert EDITOR not in unescape(desk.owner.get(f"/admin/shops/{key}"))
    assert EDITOR not in unescape(desk.owner.get(f"/admin/shops/{shop_key(desk, 'woocommerce')}"))


def test_where_the_shop_does_not_let_us_write_the_page_leads_to_granting_it(desk: Desk) -> None:
    key = shop_key(desk)
    page = f"/admin/shops/{key}"
    grant = ".myshopify.com/admin/oauth/install?client_id=laurel-app&optional_scopes=write_customers,"
    assert grant not in unescape(desk.owner.get(page))
    sql(
        desk,
        "UPDATE shops SET shows_fields = true, profile_problem = 'no' WHERE {fence} AND key = :key",
        key=key,
    )
    assert grant in unescape(desk.owner.get(page))


def test_what_the_owner_has_not_let_us_give_is_said_with_the_way_to_grant_it(desk: Desk) -> None:
    key = shop_key(desk)
    page = f"/admin/shops/{key}"
    assert "need your leave" not in desk.owner.get(page)
    sql(
        desk,
        "UPDATE shops SET withheld = CAST(:kinds AS jsonb) WHERE {fence} AND key = :key",
        kinds='{"store_credit": "why", "gift_card": "why"}',
        key=key,
    )
    shown = unescape(desk.owner.get(page))
    assert "Rewards that are gift cards or store credit need your leave first" in shown
    assert ".myshopify.com/admin/oauth/install?client_id=laurel-app&optional_scopes=" in shown


def test_what_automations_begin_with_is_shown_with_what_became_of_it(desk: Desk) -> None:
    key = shop_key(desk)
    page = f"/admin/shops/{key}"
    assert "None is in use yet." in desk.owner.get(page)
    with desk.rt.db.begin(desk.program_id) as session:
        shop_id = session.scalar("SELECT id FROM shops WHERE {fence} AND key = :key", key=key)
        happenings.set_in_use(session, shop_id, Trigger.TIER_CHANGED, in_use=True, said_at=desk.rt.now())
    sql(
        desk,
        "UPDATE triggers SET told = 3, told_at = :now, lost = 1, problem = :why WHERE {fence}",
        now=desk.rt.now(),
        why="<b>Customer does not exist.</b>",
    )
    shown = desk.owner.get(page)
    for words in (
        "Level changed",
        "In use",
        "begun 3 times",
        "1 time the shop did not answer",
        "&lt;b&gt;Customer",
    ):
        assert words in shown
    assert 'id="automations"' not in desk.owner.get(f"/admin/shops/{shop_key(desk, 'woocommerce')}")
