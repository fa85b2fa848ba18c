"""An owner chooses how the program looks: one colour, tried and published, and taken back."""

from typing import Any

import pytest

from app.domain.look import Look
from app.domain.staff import Role
from app.services.publish_program import list_versions, live_program, publish_program
from tests.web.admin.desk import Desk, Visitor
from tests.web.admin.frames import Insider

YELLOW: dict[str, Any] = {"accent": "#FFD400", "radius": "4", "position": "start", "font": "shop"}


def save(visitor: Visitor, status: int = 303, *, based_on: int = 1, **fields: Any) -> str:
    typed: dict[str, Any] = {**YELLOW, "based_on": str(based_on), **fields}
    return visitor.post("/admin/program/look", status, **typed).text


def test_a_look_is_published_as_a_version_and_undone(desk: Desk) -> None:
    page = desk.owner.get("/admin/program/look")
    assert 'value="#1b6b4c"' in page
    save(desk.owner)
    assert live_program(desk.rt, desk.program_id).look.accent == "#ffd400"
    page = desk.owner.get("/admin/program")
    assert "Version 2 is live, with the new look." in page
    assert "Look: colour #ffd400; corners 4 px; button on the shops’ pages left, and in Arabic right" in page
    assert "Ada owner" in page
    assert 'action="/admin/program/undo"' in page
    desk.owner.post("/admin/program/undo", version="1", based_on="2")
    assert live_program(desk.rt, desk.program_id).look == Look()
    assert "Version 3 is live: it is version 1 again." in desk.owner.get("/admin/program")


def test_what_changed_is_told_field_by_field(desk: Desk) -> None:
    save(desk.owner)
    save(desk.owner, based_on=2, accent="#5a31f4")
    page = desk.owner.get("/admin/program/versions/3")
    assert "look.accent" in page
    assert "#ffd400" in page
    assert "#5a31f4" in page


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"accent": "red"}, "is not written as in #1b6b4c"),
        ({"accent": "#fd0"}, "is not written as in #1b6b4c"),
        ({"accent": ""}, "is not written as in #1b6b4c"),
        ({"radius": "25"}, "25 is greater than the maximum of 24"),
        ({"radius": "round"}, "is not of type"),
        ({"radius": "-1"}, "is not of type"),
    ],
)
def test_a_wrong_field_says_so_and_keeps_what_was_typed(desk: Desk, wrong: dict[str, Any], said: str) -> None:
    page = save(desk.owner, 422, **wrong)
    assert said in page
    assert page.count('aria-invalid="true"') == 1
    for name in {"accent", "radius"} - set(wrong):
        assert f'value="{YELLOW[name]}"' in page
    assert len(list_versions(desk.rt, desk.program_id)) == 1


def test_all_that_is_wrong_is_told_at_once(desk: Desk) -> None:
    page = save(desk.owner, 422, accent="red", radius="99")
    assert page.count('aria-invalid="true"') == 2


def test_nobody_overwrites_what_another_published_meanwhile(desk: Desk) -> None:
    live = list_versions(desk.rt, desk.program_id)[0].document
    publish_program(desk.rt, desk.program_id, {**live, "name": "Fern & Field Circle"}, by="Eve")
    page = save(desk.owner, 422)
    assert "Version 2 was published meanwhile" in page
    assert 'name="based_on" value="2"' in page
    assert 'value="#FFD400"' in page
    save(desk.owner, based_on=2)
    live_now = live_program(desk.rt, desk.program_id)
    assert (live_now.name, live_now.look.accent) == ("Fern & Field Circle", "#ffd400")


def test_undo_is_refused_once_another_version_is_live(desk: Desk) -> None:
    save(desk.owner)
    save(desk.owner, based_on=2, radius="12")
    response = desk.owner.post("/admin/program/undo", 422, version="1", based_on="2")
    assert "Version 3 was published meanwhile" in response.text
    for version in ("", "x", "-1", "9" * 30):
        desk.owner.post("/admin/program/undo", 404, version=version, based_on="3")
    assert live_program(desk.rt, desk.program_id).look.radius == 12


def test_the_same_look_again_makes_no_version(desk: Desk) -> None:
    same: dict[str, Any] = {"accent": "#1B6B4C", "radius": "10", "position": "end", "font": "system"}
    assert "This is how version 1 looks." in save(desk.owner, 422, **same)
    assert len(list_versions(desk.rt, desk.program_id)) == 1


def test_only_owners_change_it_and_everybody_sees_it(desk: Desk) -> None:
    staff = desk.as_(Role.STAFF)
    assert "#1b6b4c" in staff.get("/admin/program")
    assert "Change the look" not in staff.get("/admin/program")
    staff.get("/admin/program/look", 403)
    save(staff, 403)
    staff.post("/admin/program/undo", 403, version="1", based_on="1")


def test_what_is_tried_says_what_was_mended_and_changes_nothing(desk: Desk) -> None:
    tried = desk.owner.get("/admin/program/look/try?accent=%23ffd400&radius=4&position=end&font=system")
    assert "As text and icon on white, #ffd400 is too light to be read: #7a6600 is used." in tried
    assert 'data-shown="ffd400-4-end-system"' in tried
    broken = desk.owner.get("/admin/program/look/try?accent=%23ffd&radius=4&position=end&font=system")
    assert "data-shown" not in broken
    assert len(list_versions(desk.rt, desk.program_id)) == 1


def test_the_preview_is_a_made_up_member_of_this_program_in_that_look(desk: Desk) -> None:
    as_ = "/admin/program/look/as/ffd400-4-start-shop"
    me = desk.owner.client.get(f"{as_}/me").get_json()
    assert me["look"]["accent"] == {"light": "#ffd400", "dark": "#ffd400"}
    assert (me["look"]["radius"], me["look"]["position"], me["look"]["font"]) == (4, "start", "shop")
    assert me["member"]["balance"]["available"] == 125
    assert me["member"]["next_tier"]["name"] == "Silver"
    rewards = desk.owner.client.get(f"{as_}/rewards").get_json()["rewards"]
    assert [(one["state"], one["missing"]) for one in rewards] == [("ready", 0), ("short", 25), ("short", 75)]
    assert desk.owner.client.get(f"{as_}/redemptions").get_json() == {"redemptions": []}
    for wrong in ("ffd4-4-start-shop/me", "ffd400-25-start-shop/me", "ffd400-4-start-shop/history"):
        desk.owner.get(f"/admin/program/look/as/{wrong}", 404)


def test_inside_the_shops_own_admin_it_works_alike(rt_desk: Desk) -> None:
    insider = Insider(rt_desk)
    page = insider.get("/admin/program/look")
    assert f'data-api="{insider.home}program/look/as/-/-"' in page
    done = insider.post("/admin/program/look", **{**YELLOW, "based_on": "1"})
    assert done.headers["HX-Redirect"] == f"{insider.home}program"
    assert live_program(rt_desk.rt, rt_desk.program_id).look.radius == 4


@pytest.fixture
def rt_desk(desk: Desk) -> Desk:
    return Desk(desk.rt, desk.app, platform="shopify")
