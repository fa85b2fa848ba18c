"""The admin inside a shop's own admin: who comes in there, by what, and what they can do."""

import logging
import re
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from flask import Flask, request, request_started

from app.db import shops
from app.domain.staff import Role
from app.services.erase_shop import erase_shop
from app.services.find_shop import find_shop
from app.services.invite_staff import invite_staff
from app.services.list_staff import list_staff, remove_staff
from app.services.runtime import Runtime
from app.services.uninstall_shop import uninstall_shop
from app.web.admin.guard import COOKIE, role_for
from app.web.frames import HandedOn, Sessions
from app.web.policy import Policy, policy_of
from tests.services.houses import make_shop
from tests.web.admin.desk import Desk, World, fill
from tests.web.admin.frames import HEAD, Insider, at_the_same_time, encoded, signed
from tests.web.admin.test_policies import address, routes

ADDRESSES = re.compile(r'(?:href|action|formaction|hx-get|hx-post|src)="([^"]*)"')


@pytest.fixture
def desk(rt: Runtime, app: Flask) -> Desk:
    return Desk(rt, app, platform="shopify")


@pytest.fixture
def world(desk: Desk) -> World:
    return fill(desk)


@pytest.fixture
def insider(desk: Desk) -> Insider:
    """Opens Laurel first: the program is theirs."""
    insider = Insider(desk)
    insider.get()
    return insider


def uninstall(desk: Desk) -> None:
    """As the shop left: it lets us in no more, and says so."""
    with desk.rt.db.begin(desk.program_id) as session:
        shops.update_shop(session, desk.shop_id, access_problem="It was removed.")
        uninstall_shop(session, shops.get_shop(session, desk.shop_id), now=desk.rt.now())


# --- The pages -------------------------------------------------------------------------------------------------


def test_every_page_is_there_and_leads_to_none_outside(desk: Desk, insider: Insider, world: World) -> None:
    for _, method, rule in routes(desk.app):
        if method == "GET":
            response = insider.open(address(rule, desk, world))
            assert response.status_code in (200, 404), (rule, response.status_code, response.text[-800:])
            outside = [one for one in ADDRESSES.findall(response.text) if one.startswith("/admin")]
            assert all(one.startswith("/admin/files/") for one in outside), (rule, outside)


def test_points_are_adjusted_under_the_name_of_who_did_it(desk: Desk, insider: Insider, world: World) -> None:
    gone = insider.post(
        f"/admin/members/{world.member}/adjust", direction="add", points="100", reason="Goodwill", key="k"
    )
    assert gone.headers["HX-Redirect"] == f"{insider.home}members/{world.member}"
    assert desk.points(world.member) == 1005
    page = insider.get(f"/admin/members/{world.member}", headers={"Laurel-Said": gone.headers["Laurel-Said"]})
    assert "100 points added" in page
    assert f"By {list_staff(desk.rt, desk.program_id)[0].name}." in page
    assert "100 points added" not in insider.get(f"/admin/members/{world.member}")


def test_what_was_said_is_ours_and_no_cookie(desk: Desk, insider: Insider, world: World) -> None:
    told = {"_flashes": [("done", ("You won", None))]}
    cookies, said = (signer.get_signing_serializer(desk.app) for signer in (Sessions(), HandedOn()))
    assert cookies is not None
    assert said is not None
    for wrong in (f"{encoded(told)}.x.y", str(cookies.dumps(told)), "é", ""):
        assert "You won" not in insider.get("/admin/", headers={"Laurel-Said": wrong})
    with at_the_same_time(desk):
        good = str(said.dumps(told))
    assert "You won" in insider.get("/admin/", headers={"Laurel-Said": good})
    with time_machine.travel(desk.rt.now() + timedelta(minutes=2), tick=False):
        headers = {"Laurel-Said": good, "Authorization": f"Bearer {insider.token(exp=_in(desk, 180))}"}
        assert "You won" not in insider.client.get(insider.home, headers=headers).text


def _in(desk: Desk, seconds: int) -> int:
    return int(desk.rt.now().timestamp()) + seconds


def test_a_question_and_its_answer_are_fragments_for_an_open_page(insider: Insider, world: World) -> None:
    path = f"/admin/members/{world.member}/adjust"
    asked = insider.get(path, headers={"HX-Request": "true"})
    assert "<html" not in asked
    assert 'name="csrf_token" value=""' in asked
    wrong = insider.post(path, 422, headers={"HX-Request": "true"}, points="x", reason="")
    assert "Write a few words" in wrong.text


# --- By what somebody comes in -----------------------------------------------------------------------------------


def test_a_document_brings_its_token_in_the_address_and_no_view_sees_it(
    desk: Desk, insider: Insider, caplog: pytest.LogCaptureFixture
) -> None:
    token = insider.token()
    query = {"q": "mara", "id_token": token, "shop": insider.shop_ref, "host": "YWRtaW4", "locale": "en"}
    seen: list[str] = []

    def look(app: Flask, **_: Any) -> None:
        seen.append(request.full_path)
        assert request.cookies == {}

    with caplog.at_level(logging.DEBUG), request_started.connected_to(look, desk.app):
        response = insider.open(
            "/admin/members", bearer="", query_string=query, headers={"Cookie": f"{COOKIE}=x"}
        )
    assert response.status_code == 200
    assert 'value="mara"' in response.text
    assert seen == ["/admin/members?q=mara"]
    assert token not in response.text + str(response.headers) + caplog.text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_token_nobody_comes_in(desk: Desk, insider: Insider, world: World, method: str) -> None:
    """A document goes and fetches one, and comes back to the very page; what would change something is refused."""
    for endpoint, one, rule in routes(desk.app):
        if one != method:
            continue
        path = address(rule, desk, world)
        response = insider.open(path, method=method, bearer="", query_string={"page": "2"})
        if method == "POST":
            assert response.status_code == 401, endpoint
            continue
        to = urlsplit(response.headers["Location"])
        assert (response.status_code, to.path) == (302, "/install/shopify/callback"), endpoint
        back = urlsplit(parse_qs(to.query)["shopify-reload"][0])
        assert back.path == insider.home.removesuffix("/admin/") + path
        assert parse_qs(back.query)["page"] == ["2"]
        with at_the_same_time(desk):
            page = insider.client.get(f"{to.path}?{to.query}", headers={"Accept": "text/html"})
        assert "app-bridge.js" in page.text
    assert desk.points(world.member) == 905


def test_a_token_in_the_address_changes_nothing(desk: Desk, insider: Insider, world: World) -> None:
    for endpoint, method, rule in routes(desk.app):
        if method == "POST":
            response = insider.open(
                address(rule, desk, world),
                method="POST",
                bearer="",
                query_string={"id_token": insider.token()},
                data={"points": "5", "reason": "x", "sure": "yes"},
            )
            assert response.status_code == 401, endpoint
    assert desk.points(world.member) == 905


def test_a_session_is_worth_nothing_in_a_frame(desk: Desk, insider: Insider, world: World) -> None:
    owner = desk.sign_in(Role.OWNER)
    cookie = owner.client.get_cookie(COOKIE, path="/admin")
    assert cookie is not None
    for method in ("GET", "POST"):
        response = insider.open(
            f"/admin/members/{world.member}/adjust",
            method=method,
            bearer="",
            headers={"Cookie": f"{COOKIE}={cookie.value}"},
            data={"csrf_token": owner.token("/admin/"), "points": "5", "reason": "x"}
            if method == "POST"
            else None,
        )
        assert response.status_code == (302 if method == "GET" else 401)
    assert desk.points(world.member) == 905


def test_a_platforms_token_is_worth_nothing_outside_its_frame(
    desk: Desk, insider: Insider, world: World
) -> None:
    headers = {"Authorization": f"Bearer {insider.token()}", "Accept": "text/html"}
    with at_the_same_time(desk):
        for path in ("/admin/", f"/admin/members/{world.member}"):
            response = insider.client.get(path, headers=headers, query_string={"id_token": insider.token()})
            assert (response.status_code, response.headers["Location"]) == (303, "/admin/sign-in")


def test_no_cookie_is_set_and_nobody_signs_in_there(desk: Desk, insider: Insider, world: World) -> None:
    for endpoint, method, rule in routes(desk.app):
        response = insider.open(address(rule, desk, world), method=method)
        assert "Set-Cookie" not in response.headers, endpoint
    for other in desk.app.url_map.iter_rules():
        if other.rule.startswith("/admin") and policy_of(desk.app, other.endpoint) is not Policy.STAFF:
            for method in (other.methods or set()) & {"GET", "POST"}:
                response = insider.open(other.rule.replace("<token>", "x"), method=method)
                assert response.status_code in (404, 405), other.rule


WRONG: dict[str, dict[str, Any]] = {
    "another shop's": {"dest": "https://other.myshopify.com", "iss": "https://other.myshopify.com/admin"},
    "of another issuer": {"iss": "https://other.myshopify.com/admin"},
    "of another app": {"aud": "another-app"},
    "without an end": {"exp": None},
    "for years": {"exp": 4_000_000_000},
    "of nobody": {"sub": None},
    "of nobody in words": {"sub": "admin"},
    "of nobody in numbers": {"sub": 0},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_token_that_is_signed_and_not_for_here_is_refused(
    insider: Insider, world: World, wrong: str
) -> None:
    token = insider.token(**WRONG[wrong])
    path = f"/admin/members/{world.member}/adjust"
    fields = {"points": "5", "reason": "x"}
    assert insider.open(path, bearer=token).status_code == 401
    assert insider.open(path, bearer="", query_string={"id_token": token}).status_code in (401, 302)
    assert insider.open(path, method="POST", bearer=token, data=fields).status_code == 401
    assert insider.desk.points(world.member) == 905


def test_a_token_that_nobody_signed_is_refused(insider: Insider, world: World) -> None:
    claims = insider.claims()
    now = int(insider.desk.rt.now().timestamp())
    tokens = [
        signed(claims, "another secret"),
        signed(claims, ""),
        signed(claims, head={**HEAD, "alg": "none"}),
        f"{encoded({'alg': 'none'})}.{encoded(claims)}.",
        signed(claims, head={**HEAD, "alg": "HS512"}),
        signed({**claims, "exp": now - 11}),
        signed({**claims, "nbf": now + 60}),
        signed([claims]),
        "x",
        "..",
        insider.token()[:-1],
    ]
    path = f"/admin/members/{world.member}/adjust"
    for token in tokens:
        answer = insider.open(path, method="POST", bearer=token, data={"points": "5", "reason": "x"})
        assert answer.status_code == 401, token
        read = insider.open("/admin/", bearer=token)
        assert (read.status_code, read.headers.get("X-Shopify-Retry-Invalid-Session-Request")) == (
            401,
            "1",
        ), token
        document = insider.open("/admin/", bearer="", query_string={"id_token": token})
        assert document.status_code == 302, token  # goes for one that is
    assert insider.desk.points(world.member) == 905


def test_an_address_that_names_two_shops_is_refused(insider: Insider) -> None:
    query = {"id_token": insider.token(), "shop": "other.myshopify.com"}
    assert insider.open("/admin/", bearer="", query_string=query).status_code == 400


@pytest.mark.parametrize(
    "shop", ["evil.example", "x.myshopify.com.evil.example", "a_b.myshopify.com", "ACME.myshopify.com"]
)
def test_a_frame_of_no_shop_frames_nothing(desk: Desk, insider: Insider, shop: str) -> None:
    response = insider.client.get(f"/install/shopify/{shop}/admin/", headers={"Accept": "text/html"})
    assert response.status_code in (400, 404)
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


def test_a_platform_that_frames_nobody_has_no_such_pages(insider: Insider) -> None:
    for platform in ("woocommerce", "nobody"):
        response = insider.client.get(f"/install/{platform}/{insider.shop_ref}/admin/")
        assert response.status_code == 404


def test_once_uninstalled_a_token_that_still_holds_lets_nobody_in(desk: Desk, insider: Insider) -> None:
    token = insider.token()
    assert insider.open("/admin/", bearer=token).status_code == 200
    uninstall(desk)
    assert insider.open("/admin/", bearer=token).status_code == 409
    assert insider.open("/admin/", method="POST", bearer=token).status_code in (405, 409)


def test_a_merchants_own_app_is_not_opened_by_the_installations(desk: Desk, insider: Insider) -> None:
    with desk.rt.db.begin(desk.program_id) as session:
        shops.update_shop(session, desk.shop_id, own_app=True)
    assert insider.open("/admin/").status_code == 409


# --- Whom a page may be framed by ----------------------------------------------------------------------------------


def test_each_page_is_framed_by_its_own_shop_and_the_platforms_admin_alone(
    desk: Desk, insider: Insider, world: World
) -> None:
    wanted = f"frame-ancestors https://{insider.shop_ref} https://admin.shopify.com"
    for endpoint, method, rule in routes(desk.app):
        for bearer in (None, "", "x"):
            response = insider.open(address(rule, desk, world), method=method, bearer=bearer)
            csp = response.headers["Content-Security-Policy"]
            assert csp.endswith(wanted), (endpoint, csp)
            assert "unsafe" not in csp
            assert "*" not in csp
            assert response.headers["Cache-Control"] == "private, no-store"
            assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in desk.owner.client.get("/admin/").headers["Content-Security-Policy"]


def test_the_platforms_script_is_the_first_and_carries_this_answers_nonce(
    desk: Desk, insider: Insider
) -> None:
    response = insider.open("/admin/")
    found = re.search(
        r"script-src 'nonce-([\w-]+)' 'strict-dynamic';", response.headers["Content-Security-Policy"]
    )
    assert found is not None
    first = re.search(r"<script[^>]*>", response.text)
    assert first is not None
    assert first[0] == f'<script nonce="{found[1]}" src="https://cdn.shopify.com/shopifycloud/app-bridge.js">'
    assert '<meta name="shopify-api-key" content="laurel-app">' in response.text
    for path, visitor in (("/admin/", desk.owner.client), ("/admin/sign-in", desk.app.test_client())):
        outside = visitor.get(path).text
        assert re.findall(r"<(?:script|meta|link|iframe)[^>]*shopify", outside) == []
        assert "app-bridge" not in outside


# --- Who somebody is, and what they may -------------------------------------------------------------------------------


def roles(desk: Desk) -> list[tuple[str, str]]:
    return [(one.name.partition(", ")[2], one.role.value) for one in list_staff(desk.rt, desk.program_id)]


def test_the_first_owns_the_program_and_the_next_are_staff(desk: Desk) -> None:
    first, second = Insider(desk), Insider(desk)
    first.get()
    second.get()
    first.get()
    assert roles(desk) == [("person 1", "owner"), ("person 2", "staff")]
    second.get("/admin/staff/invite", 403)
    first.get("/admin/staff/invite")


def test_a_program_that_has_an_owner_gets_no_second_one(desk: Desk) -> None:
    invite_staff(desk.rt, desk.program_id, email="ada@shop.test", name="Ada", role=Role.OWNER)
    Insider(desk).get()
    assert ("person 1", "staff") in roles(desk)


@pytest.mark.race
def test_two_who_are_first_at_once_do_not_both_own_it(desk: Desk) -> None:
    people = [Insider(desk) for _ in range(4)]
    requests = [(one.home, {"Authorization": f"Bearer {one.token()}"}) for one in people]
    start = threading.Barrier(len(people))

    def go(home: str, headers: dict[str, str]) -> None:
        start.wait()
        assert desk.app.test_client(use_cookies=False).get(home, headers=headers).status_code == 200

    with at_the_same_time(desk):
        threads = [threading.Thread(target=go, args=one) for one in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(role for _, role in roles(desk)) == ["owner", "staff", "staff", "staff"]
    assert {name for name, _ in roles(desk)} == {f"person {number}" for number in (1, 2, 3, 4)}


def test_each_role_may_there_what_it_may_elsewhere(desk: Desk, insider: Insider, world: World) -> None:
    person = Insider(desk)
    person.get()
    staff_id = next(one.staff_id for one in list_staff(desk.rt, desk.program_id) if "person 2" in one.name)
    for role in Role:
        insider.post(f"/admin/staff/{staff_id}/change", name="Cy, person 2", role=role.value)
        for endpoint, method, rule in routes(desk.app):
            if endpoint in ("admin.do_erase", "admin.publish"):
                continue
            response = person.open(address(rule, desk, world), method=method)
            allowed = role.may(role_for(desk.app, endpoint, method))
            assert (response.status_code != 403) is allowed, (role, method, rule, response.status_code)


def test_an_owner_names_them_keeps_them_out_and_lets_them_in_again(desk: Desk, insider: Insider) -> None:
    person = Insider(desk)
    person.get()
    staff_id = next(one.staff_id for one in list_staff(desk.rt, desk.program_id) if one.role is Role.STAFF)
    insider.post(f"/admin/staff/{staff_id}/change", name="Cy Young", role="viewer")
    assert "Cy Young" in person.get()
    person.get("/admin/connect", 403)
    insider.post(f"/admin/staff/{staff_id}/remove")
    assert "has taken your access away" in person.get("/admin/", 403)
    assert "Kept out" in insider.get("/admin/staff")
    insider.post(f"/admin/staff/{staff_id}/change", name="Cy Young", role="staff")
    person.get()


def test_the_only_owner_stays_one(desk: Desk, insider: Insider) -> None:
    staff_id = list_staff(desk.rt, desk.program_id)[0].staff_id
    assert "only owner" in insider.post(f"/admin/staff/{staff_id}/change", 422, name="x", role="staff").text
    assert "only owner" in insider.post(f"/admin/staff/{staff_id}/remove", 422).text


def test_what_a_shops_people_get_is_the_owners_to_say(desk: Desk, insider: Insider) -> None:
    path = f"/admin/shops/{desk.shop_key}/people"
    insider.post(path, role="viewer")
    Insider(desk).get()
    assert ("person 2", "viewer") in roles(desk)
    insider.post(path, role="")
    assert "not let in by themselves" in Insider(desk).get("/admin/", 403)
    assert len(roles(desk)) == 2
    insider.post(path, 422, role="owner")
    assert find_shop(desk.rt, desk.program_id, desk.shop_key).staff_role is None


def test_people_of_a_shop_that_joined_later_are_not_let_in_by_themselves(desk: Desk) -> None:
    """They would see the members of another merchant's shop. Not even where the program has no owner yet."""
    second = make_shop(desk.rt, desk.program_id, platform="shopify")
    guest = Insider(replace(desk, shop_id=second.shop_id))
    guest.desk.program_id, guest.desk.shop_id = desk.program_id, second.shop_id
    assert "not let in by themselves" in guest.get("/admin/", 403)
    assert roles(desk) == []
    owner = Insider(desk)
    owner.get()
    owner.post(f"/admin/shops/{second.key}/people", role="viewer")
    assert desk.shop_key in guest.get("/admin/shops")  # the program's rights, not the shop's
    guest.get(f"/admin/shops/{second.key}/people", 403)


def test_another_programs_pages_are_not_opened(
    desk: Desk, insider: Insider, world: World, rt: Runtime, app: Flask
) -> None:
    stranger = Insider(Desk(rt, app, platform="shopify"))
    stranger.get()
    for path in (f"/admin/members/{world.member}", f"/admin/shops/{desk.shop_key}"):
        stranger.get(path, 404)
    staff_id = list_staff(rt, desk.program_id)[0].staff_id
    stranger.post(f"/admin/staff/{staff_id}/change", 404, name="x", role="owner")
    # With the stranger's own token in the frame of this shop.
    token = stranger.token()
    assert insider.open("/admin/", bearer=token).status_code == 401


def test_the_same_number_at_two_shops_is_two_people(desk: Desk, rt: Runtime, app: Flask) -> None:
    one = Insider(desk, user="777")
    other = Insider(Desk(rt, app, platform="shopify"), user="777")
    one.get()
    other.get()
    assert len(roles(desk)) == len(roles(other.desk)) == 1


def test_when_the_shop_is_erased_nobody_knows_its_people(desk: Desk, insider: Insider, world: World) -> None:
    insider.post(f"/admin/members/{world.member}/adjust", points="5", reason="x", key="k")
    uninstall(desk)
    erase_shop(desk.rt, desk.program_id, desk.shop_id)
    with desk.rt.db.begin(desk.program_id) as session:
        row = session.first(
            "SELECT user_ref, removed_at, name FROM staff WHERE {fence} AND shop_id IS NOT NULL"
        )
        actor = session.scalar("SELECT actor FROM adjustments WHERE {fence} AND reason = 'x'")
    assert row is not None
    assert (row.user_ref, row.removed_at, row.name) == (None, desk.rt.now(), actor)
    assert roles(desk) == []


def test_nothing_of_the_platforms_stands_in_the_books(desk: Desk, insider: Insider, world: World) -> None:
    insider.post(f"/admin/members/{world.member}/adjust", points="5", reason="x", key="k")
    assert len(insider.user) > 4
    with desk.rt.db.begin(desk.program_id) as session:
        for table in ("entries", "adjustments"):
            found = session.scalar(
                f"SELECT count(*) FROM {table} t WHERE {{fence}} AND t::text LIKE :it", it=f"%{insider.user}%"
            )
            assert found == 0, table


def test_somebody_who_was_removed_from_the_mailed_ones_is_not_let_in_by_changing_them(desk: Desk) -> None:
    invited = invite_staff(desk.rt, desk.program_id, email="gone@shop.test", name="Gone", role=Role.STAFF)
    desk.owner.get("/admin/")
    remove_staff(desk.rt, desk.program_id, invited.staff_id)
    desk.owner.post(f"/admin/staff/{invited.staff_id}/change", 404, name="Gone", role="owner")
