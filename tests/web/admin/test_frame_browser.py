"""The admin in Shopify's, in a browser that keeps no cookies of third parties: Laurel's pages in the stand-in's frame."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Request, Route, expect
from werkzeug.serving import make_server

from app.bootstrap import clock
from app.db import shops
from app.services.runtime import Runtime
from app.services.try_program import try_program
from app.web import create_app
from sandbox.shopify import Shop
from sandbox.shopify import create_app as serve
from sandbox.shopify.state import Installation
from tests.conftest import CHROMIUM_ARGS, NOW, SHOPIFY_SECRET
from tests.web.admin.desk import Desk, World, fill
from tests.web.admin.test_browser import AXE, COLOURS, RULES
from tests.web.widget.conftest import DESKTOP

pytestmark = pytest.mark.browser

APP_BRIDGE = "https://cdn.shopify.com/shopifycloud/app-bridge.js"


@dataclass
class Admin:
    """A Shopify shop's admin, with Laurel in its frame."""

    desk: Desk
    shop: Shop
    tokens: list[str] = field(default_factory=list)  # to be given out before good ones

    def __post_init__(self) -> None:
        self.pages = serve(self.shop).test_client()

    def answer(self, route: Route, request: Request) -> None:
        url = urlsplit(request.url)
        if url.path == "/admin/id-token" and self.tokens:
            route.fulfill(body=self.tokens.pop(0), content_type="text/plain")
            return
        answer = self.pages.get(f"{url.path}?{url.query}")
        route.fulfill(status=answer.status_code, body=answer.data, content_type=answer.content_type)
        answer.close()

    def app_bridge(self, route: Route) -> None:
        with self.pages.get("/static/app-bridge.js") as answer:
            route.fulfill(body=answer.data, content_type="text/javascript")

    @property
    def address(self) -> str:
        return f"{self.shop.url}/admin/apps/laurel"


@pytest.fixture
def admin(rt: Runtime) -> Iterator[Admin]:
    """At the time of the tests, and ticking: Shopify's library reads the machine's clock."""
    with time_machine.travel(NOW, tick=True):
        server = make_server("127.0.0.1", 0, Flask("none"), threaded=True)
        local = replace(rt, public_url=f"http://127.0.0.1:{server.server_port}", clock=clock)
        server.app = create_app(local)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        desk = Desk(local, server.app, platform="shopify")
        with local.db.begin(desk.program_id) as session:
            ref = shops.get_shop(session, desk.shop_id).shop_ref
        app = Installation(
            client_id="laurel-app", secrets=[SHOPIFY_SECRET], app_url=f"{local.public_url}/install/shopify"
        )
        yield Admin(desk, Shop(clock=clock, app=app, handle=ref.partition(".")[0]))
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def world(admin: Admin) -> World:
    return fill(admin.desk)


@pytest.fixture(scope="module")
def chromium(browser: Browser) -> Iterator[Browser]:
    """One that blocks cookies of third parties, as Chrome does in a private window."""
    # A page of the world is framing one of this machine here; Chromium would ask the visitor whether it may.
    args = [
        *CHROMIUM_ARGS,
        "--test-third-party-cookie-phaseout",
        "--disable-features=LocalNetworkAccessChecks",
    ]
    one = browser.browser_type.launch(
        executable_path=shutil.which("chromium") or "/usr/bin/chromium", args=args
    )
    yield one
    one.close()


@pytest.fixture
def context(chromium: Browser, admin: Admin) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=DESKTOP, locale="en-GB", reduced_motion="reduce")
    context.set_default_timeout(20_000)
    context.route(APP_BRIDGE, admin.app_bridge)
    context.route(f"{admin.shop.url}/**", admin.answer)
    yield context
    context.close()


# Chromium tells of each answer that is no success, and that it leaves the focus in a dialog to our script.
TOLD = ("Failed to load resource: the server responded with a status of 4", "Blocked autofocusing on a")


@pytest.fixture
def wrong() -> list[str]:
    """What scripts threw, and what the browser would not do."""
    return []


@pytest.fixture
def failures_allowed(wrong: list[str], page: Page) -> Iterator[None]:
    """Of a test that makes something fail: asked for after `page`, it is done with before."""
    yield
    wrong.clear()


@pytest.fixture
def sent(context: BrowserContext) -> list[Request]:
    sent: list[Request] = []
    context.on("request", lambda one: sent.append(one))
    return sent


@pytest.fixture
def page(context: BrowserContext, sent: list[Request], wrong: list[str]) -> Iterator[Page]:
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    yield page
    assert [one for one in wrong if not one.startswith(TOLD)] == []


@pytest.fixture
def inside(page: Page, admin: Admin, world: World) -> FrameLocator:
    page.goto(admin.address)
    inside = page.frame_locator("iframe")
    expect(inside.get_by_role("heading", name="Home", level=1)).to_be_visible()
    return inside


def test_no_token_stays_in_an_address_and_no_cookie_is_there(
    inside: FrameLocator, page: Page, admin: Admin, sent: list[Request]
) -> None:
    frame = page.frames[1]
    assert urlsplit(frame.url).path == f"/install/shopify/{admin.shop.domain}/admin/"
    assert set(parse_qs(urlsplit(frame.url).query)) == {"embedded", "host", "locale", "shop"}
    assert (
        frame.evaluate(
            "() => { try { document.cookie = 'a=b'; return document.cookie } catch { return '' } }"
        )
        == ""
    )
    inside.get_by_role("link", name="Members", exact=True).click()
    expect(inside.get_by_role("heading", name="Members", level=1)).to_be_visible()
    assert urlsplit(frame.url).path.endswith("/admin/members")
    ours = [one for one in sent if one.url.startswith(admin.desk.rt.public_url)]
    assert len(ours) > 5
    for one in ours:
        told = one.all_headers()
        assert "cookie" not in told, one.url
        assert "id_token" not in told.get("referer", ""), one.url


def test_find_a_member_adjust_and_undo(inside: FrameLocator, page: Page, admin: Admin, world: World) -> None:
    inside.get_by_role("link", name="Members", exact=True).click()
    inside.get_by_role("searchbox").fill("mara.lindqvist@mail.test")
    expect(inside.get_by_role("status")).to_contain_text("1 member")
    inside.get_by_role("navigation", name="Members found").get_by_role("link").click()
    inside.get_by_role("link", name="Adjust points").click()
    dialog = inside.get_by_role("dialog")
    dialog.get_by_label("Points", exact=True).fill("100")
    expect(dialog.locator("#after")).to_contain_text("905 → 1,005")
    dialog.get_by_role("button", name="Add 100 points").click()
    expect(dialog).to_contain_text("Write a few words")
    dialog.get_by_label("Reason").fill("Goodwill")
    dialog.get_by_role("button", name="Add 100 points").click()
    toast = inside.locator(".toast")
    expect(toast).to_contain_text("100 points added")
    expect(dialog).to_be_hidden()
    assert admin.desk.points(world.member) == 1005
    expect(inside.locator("#main")).to_contain_text("person 1")
    toast.get_by_role("button", name="Undo").click()
    expect(inside.locator(".toast")).to_contain_text("Undone")
    assert admin.desk.points(world.member) == 905


def test_publish_a_program(inside: FrameLocator, page: Page, admin: Admin) -> None:
    inside.get_by_role("link", name="Program", exact=True).click()
    inside.get_by_role("link", name="Change the program").click()
    text = inside.get_by_label("Document")
    wrong = text.input_value().replace('"Silver"', '""')
    text.fill(wrong)
    inside.get_by_role("button", name="Check it").click()
    expect(inside.get_by_role("alert").filter(has_text="Not right yet")).to_be_visible()
    inside.get_by_label("Document").fill(wrong.replace('""', '"Silver birch"'))
    inside.get_by_role("button", name="Check it").click()
    expect(inside.get_by_text("Checking.")).to_be_visible()
    number = int(page.frames[1].url.partition("?")[0].rpartition("/")[2])
    try_program(admin.desk.rt, admin.desk.program_id, number)  # the page asks every second how far it is
    inside.get_by_role("button", name="Publish").click()
    expect(inside.locator(".toast")).to_contain_text("2")
    with admin.desk.rt.db.begin(admin.desk.program_id) as session:
        assert session.scalar("SELECT max(version) FROM program_versions WHERE {fence}") == 2


def test_a_look_is_tried_and_published(inside: FrameLocator, page: Page, admin: Admin) -> None:
    inside.get_by_role("link", name="Program", exact=True).click()
    inside.get_by_role("link", name="Change the look").click()
    button = inside.locator(".stage[data-theme=light] .lw-launch")
    expect(button).to_have_css("background-color", "rgb(27, 107, 76)")
    inside.get_by_label("Colour", exact=True).fill("#ffd400")
    expect(button).to_have_css("background-color", "rgb(255, 212, 0)")
    inside.get_by_role("button", name="Publish this look").click()
    expect(inside.locator(".toast")).to_contain_text("Version 2 is live")
    inside.locator(".toast").get_by_role("button", name="Undo").click()
    expect(inside.locator(".toast")).to_contain_text("it is version 1 again")


def test_shops_and_who_comes_in_from_one(inside: FrameLocator, admin: Admin) -> None:
    inside.get_by_role("link", name="Shops", exact=True).click()
    inside.get_by_role("link", name="Fern & Field").click()
    inside.locator("section", has_text="Who comes in from Shopify").get_by_role("link", name="Change").click()
    dialog = inside.get_by_role("dialog")
    dialog.get_by_label("Viewer").check()
    dialog.get_by_role("button", name="Save").click()
    expect(inside.locator(".toast")).to_contain_text("Saved")
    expect(inside.get_by_text("comes in as viewer")).to_be_visible()


def test_a_token_that_ends_on_the_way_is_fetched_anew(
    inside: FrameLocator, page: Page, admin: Admin, world: World
) -> None:
    old = admin.shop.id_token(exp=int(clock().timestamp()) - 60)
    with page.expect_response(lambda answer: answer.status == 401):  # by our script
        admin.tokens.append(old)
        inside.get_by_role("link", name="Members", exact=True).click()
    expect(inside.get_by_role("heading", name="Members", level=1)).to_be_visible()
    inside.get_by_role("link", name="Mara Lindqvist").first.click()
    with page.expect_response(lambda answer: answer.status == 401):  # by htmx
        admin.tokens.append(old)
        inside.get_by_role("link", name="Adjust points").click()
    dialog = inside.get_by_role("dialog")
    dialog.get_by_label("Points", exact=True).fill("7")
    dialog.get_by_label("Reason").fill("Goodwill")
    expect(dialog.get_by_role("button", name="Add 7 points")).to_be_visible()
    with page.expect_response(lambda answer: answer.status == 401):
        admin.tokens.append(old)
        dialog.get_by_role("button", name="Add 7 points").click()
    expect(inside.locator(".toast")).to_contain_text("7 points added")
    assert admin.desk.points(world.member) == 912  # and once only


def test_a_document_without_a_token_goes_round_and_comes_to_the_very_page(
    inside: FrameLocator, page: Page, admin: Admin
) -> None:
    """Shopify's own menu loads a document, and so does whoever loads the frame again."""
    with page.expect_request(lambda one: "/install/shopify/callback" in one.url):
        page.get_by_role("navigation", name="App").get_by_role("button", name="Deliveries").click()
    expect(inside.get_by_role("heading", name="Deliveries", level=1)).to_be_visible()
    inside.get_by_role("link", name="Waiting").click()
    expect(inside.get_by_role("link", name="Waiting")).to_have_attribute("aria-current", "page")
    with page.expect_request(lambda one: "/install/shopify/callback" in one.url):
        page.frames[1].evaluate("() => location.reload()")
    expect(inside.get_by_role("link", name="Waiting")).to_have_attribute("aria-current", "page")
    # Our script takes the token away once it runs, which is after the page is seen.
    page.frames[1].wait_for_url(lambda url: "/admin/" in url and "id_token" not in url)
    assert parse_qs(urlsplit(page.frames[1].url).query)["show"] == ["waiting"]


def test_back_and_forward(inside: FrameLocator, page: Page) -> None:
    inside.get_by_role("link", name="Orders", exact=True).click()
    expect(inside.get_by_role("heading", name="Orders", level=1)).to_be_visible()
    inside.get_by_role("link", name="Codes", exact=True).click()
    expect(inside.get_by_role("heading", name="Codes", level=1)).to_be_visible()
    page.evaluate("history.back()")
    expect(inside.get_by_role("heading", name="Orders", level=1)).to_be_visible()
    page.evaluate("history.back()")
    expect(inside.get_by_role("heading", name="Home", level=1)).to_be_visible()
    page.evaluate("history.forward()")
    expect(inside.get_by_role("heading", name="Orders", level=1)).to_be_visible()


def test_by_keyboard_alone(inside: FrameLocator, page: Page, admin: Admin, world: World) -> None:
    inside.get_by_role("link", name="Members", exact=True).focus()
    page.keyboard.press("Enter")
    expect(inside.get_by_role("heading", name="Members", level=1)).to_be_visible()
    expect(inside.locator("#main")).to_be_focused()
    inside.get_by_role("link", name="Mara Lindqvist").first.focus()
    page.keyboard.press("Enter")
    opener = inside.get_by_role("link", name="Adjust points")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = inside.get_by_role("dialog")
    expect(dialog.get_by_label("Points", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_download(inside: FrameLocator, page: Page, admin: Admin, world: World) -> None:
    inside.get_by_role("link", name="Privacy", exact=True).click()
    with page.expect_download() as waiting:
        inside.get_by_role("link", name="Download").first.click()
    assert waiting.value.suggested_filename.endswith(".json")
    assert "mara.lindqvist@mail.test" in waiting.value.path().read_text()


def test_a_form_that_does_not_arrive_says_so_and_can_be_sent_again(
    inside: FrameLocator, page: Page, admin: Admin, failures_allowed: None
) -> None:
    inside.get_by_role("link", name="Shops", exact=True).click()
    inside.get_by_role("link", name="Fern & Field").click()
    compare = inside.get_by_role("button", name="Compare now")
    page.route("**/reconcile*", lambda route: route.abort())
    compare.click()
    expect(inside.get_by_text("This did not reach the server")).to_be_visible()
    page.unroute("**/reconcile*")
    compare.click()
    expect(inside.locator("#compared")).to_be_focused()


def test_nobody_else_frames_it(page: Page, admin: Admin, world: World, failures_allowed: None) -> None:
    evil = "https://evil.myshopify.com"
    address = admin.shop.open_app_url(f"/{admin.shop.domain}/admin/members")
    page.context.route(f"{evil}/**", lambda route: route.fulfill(
        body=f'<iframe src="{address}"></iframe>', content_type="text/html"))  # fmt: skip
    page.goto(f"{evil}/")
    expect(page.locator("iframe")).to_be_visible()
    page.wait_for_function("() => frames.length === 1")
    assert page.frames[1].locator("h1", has_text="Members").count() == 0
    assert "chrome-error" in page.frames[1].url


@pytest.mark.parametrize("rules", [RULES, COLOURS], ids=["rules", "colours"])
def test_axe_finds_nothing(
    inside: FrameLocator, page: Page, admin: Admin, world: World, rules: dict[str, Any]
) -> None:
    found = []
    for name in ("Home", "Members", "Program", "Shops", "Staff"):
        inside.get_by_role("link", name=name, exact=True).click()
        expect(inside.locator("nav.nav [aria-current=page]")).to_have_text(name)
        expect(inside.locator("body")).not_to_have_attribute("aria-busy", "true")
        page.frames[1].evaluate(AXE.read_text())
        result = page.frames[1].evaluate("(rules) => axe.run(document, rules)", rules)
        found += [(name, one["id"], one["nodes"][0]["html"]) for one in result["violations"]]
    assert found == []
