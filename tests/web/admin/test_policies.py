"""Who may come in, for every route there is: read from the application, so that a new one is never forgotten."""

import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from app.domain.staff import Role
from app.services.list_staff import remove_staff
from app.services.runtime import Runtime
from app.web import create_app
from app.web.admin.guard import COOKIE, role_for
from app.web.policy import Policy, policy_of
from tests.conftest import Clock
from tests.web.admin.desk import Desk, World, fill

PUBLIC = {
    "admin_door.ask",
    "admin_door.ask_for_link",
    "admin_door.show_link",
    "admin_door.use_link",
    "admin_door.sign_out",
}


def routes(app: Flask) -> list[tuple[str, str, str]]:
    """(endpoint, method, address with its blanks) of every page of the admin."""
    return [
        (rule.endpoint, method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/admin") and policy_of(app, rule.endpoint) is Policy.STAFF
        for method in sorted((rule.methods or set()) & {"GET", "POST"})
    ]


def address(rule: str, desk: Desk, world: World, **own: Any) -> str:
    """The route's address, each blank filled; `own`: with these ids instead of the first there ever was."""
    values: dict[str, Any] = {
        "member_id": world.member,
        "adjustment_id": 1,
        "redemption_id": world.redemption,
        "grant_id": 1,
        "merge_id": 1,
        "shop_key": desk.shop_key,
        "order_ref": world.order_ref,
        "day": "2026-11-22",
        "delivery_id": world.delivery,
        "version": 1,
        "staff_id": 1,
        "request_id": world.request,
        "preview_id": 1,
        "review_id": world.review,
        "what": "allow",
        "shown": "1b6b4c-10-end-system",
        "part": "me",
        "look": "1b6b4c-10",
        "anything": "nowhere",
        **own,
    }
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda blank: str(values[blank[1]]), rule)


def test_only_the_door_and_the_files_are_public(app: Flask) -> None:
    public = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/admin") and policy_of(app, rule.endpoint) is not Policy.STAFF
    }
    assert public == PUBLIC | {"admin_files.file"}


def test_whatever_changes_something_needs_more_than_a_viewer(app: Flask) -> None:
    for endpoint, method, _ in routes(app):
        if method == "POST":
            assert role_for(app, endpoint, method) is not Role.VIEWER


def test_without_a_session_every_page_leads_to_the_door(desk: Desk, world: World) -> None:
    client = desk.app.test_client()
    for _, method, rule in routes(desk.app):
        for cookie in (None, "x" * 43, "é"):
            if cookie:
                client.set_cookie(COOKIE, cookie, path="/admin")
            response = client.open(address(rule, desk, world), method=method, headers={"Accept": "text/html"})
            assert (response.status_code, response.headers["Location"]) == (303, "/admin/sign-in"), rule


def test_each_role_may_what_it_may_and_no_more(desk: Desk, world: World) -> None:
    for endpoint, method, rule in routes(desk.app):
        needed = role_for(desk.app, endpoint, method)
        for role in Role:
            visitor = desk.as_(role)
            client = visitor.client
            path = address(rule, desk, world)
            response = client.open(
                path, method=method, headers={"Accept": "text/html"}
            )  # a POST without its token
            if not role.may(needed):
                assert response.status_code == 403, (role, rule)
            elif method == "POST":
                assert response.status_code == 400, (role, rule)
            else:
                assert response.status_code in (200, 404), (role, rule, response.text[-800:])


def test_another_programs_ids_are_nobodys(desk: Desk, rt: Runtime, app: Flask) -> None:
    world, stranger = fill(desk), Desk(rt, app)
    owner = stranger.owner
    general = {"admin.home", "admin.members", "admin.orders", "admin.redemptions", "admin.deliveries", "admin.shops",
               "admin.program", "admin.version", "admin.edit_program", "admin.rewards", "admin.staff", "admin.privacy",
               "admin.ask_invite", "admin.do_invite", "admin.check_program", "admin.publish", "admin.replay",
               "admin.progress", "admin.ask_connect", "admin.do_connect", "admin.freeze",
               "admin.ask_lift", "admin.do_lift", "admin.reviews", "admin.ask_card",
               "admin.look", "admin.try_look", "admin.show_look", "admin.save_look"}  # fmt: skip
    token = owner.token("/admin/")
    for endpoint, method, rule in routes(app):
        if endpoint in general:
            continue
        path = address(rule, desk, world)
        if "staff_id" in rule:
            path = re.sub(r"/staff/\d+", f"/staff/{_staff_id(desk)}", path)
        data = {"csrf_token": token, "points": "5", "reason": "x", "other": str(world.other), "sure": "yes",
                "from": "2026-01-01"}  # fmt: skip
        response = owner.client.open(
            path, method=method, data=data if method == "POST" else None, headers={"Accept": "text/html"}
        )
        assert response.status_code == 404, (method, path, response.status_code)
    assert desk.points(world.member) == 905


def _staff_id(desk: Desk) -> int:
    desk.owner.get("/admin/")
    with desk.rt.db.begin(desk.program_id) as session:
        return int(session.scalar("SELECT min(id) FROM staff WHERE {fence}"))


def test_a_form_without_its_token_or_with_anothers_changes_nothing(desk: Desk, world: World) -> None:
    path = f"/admin/members/{world.member}/adjust"
    other = desk.as_(Role.STAFF).token("/admin/")
    for token in ({}, {"csrf_token": ""}, {"csrf_token": "x"}, {"csrf_token": other}):
        fields = {**token, "points": "5", "reason": "x"}
        response = desk.owner.client.post(path, data=fields, headers={"Accept": "text/html"})
        assert response.status_code == 400
    assert desk.points(world.member) == 905


def test_a_session_ends_by_itself_by_signing_out_and_by_removal(desk: Desk, clock: Clock) -> None:
    idle, busy = desk.sign_in(Role.OWNER), desk.sign_in(Role.STAFF)
    for _ in range(13):
        clock.forward(hours=11)
        busy.get("/admin/")
    idle.get("/admin/", 303)  # not used for 12 hours
    clock.forward(hours=11)
    busy.get("/admin/")
    for _ in range(3):
        clock.forward(hours=11)
        busy.client.get("/admin/")
    busy.get("/admin/", 303)  # 7 days at most, however busy

    leaving = desk.sign_in(Role.VIEWER)
    leaving.post("/admin/sign-out")
    leaving.get("/admin/", 303)

    gone = desk.sign_in(Role.STAFF, "Gone Girl")
    gone.get("/admin/")
    with desk.rt.db.begin(desk.program_id) as session:
        staff_id = session.scalar("SELECT id FROM staff WHERE {fence} AND name = 'Gone Girl'")
    remove_staff(desk.rt, desk.program_id, staff_id)
    gone.get("/admin/", 303)


def test_pages_carry_headers_that_let_nothing_in(desk: Desk) -> None:
    for path, visitor in (("/admin/", desk.owner.client), ("/admin/sign-in", desk.app.test_client())):
        headers = visitor.get(path).headers
        csp = headers["Content-Security-Policy"]
        for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"):
            assert part in csp
        assert "unsafe" not in csp
        assert headers["Cache-Control"] == "private, no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
    first, second = (desk.owner.client.get("/admin/").headers["Content-Security-Policy"] for _ in range(2))
    assert first != second  # a nonce is used once


def test_no_page_has_a_style_or_a_script_of_its_own(desk: Desk, world: World) -> None:
    for _, method, rule in routes(desk.app):
        if method == "GET" and not rule.endswith(".json"):
            text = desk.owner.client.get(address(rule, desk, world), headers={"Accept": "text/html"}).text
            assert " style=" not in text, rule
            assert not re.search(r"\son[a-z]+=", text), rule
            assert not re.search(r"<script(?![^>]*\bnonce=)", text), rule


@pytest.mark.parametrize("secure", [True, False])
def test_the_cookie_is_for_the_admin_and_for_no_script(rt: Runtime, secure: bool) -> None:
    local = replace(rt, public_url="https://laurel.example" if secure else "http://127.0.0.1:9")
    desk = Desk(local, create_app(local))
    visitor = desk.owner
    cookie = visitor.client.get_cookie(COOKIE, path="/admin")
    assert cookie is not None
    assert (cookie.http_only, cookie.secure, cookie.same_site, cookie.path) == (True, secure, "Lax", "/admin")
