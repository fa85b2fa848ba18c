"""What staff does with a browser: mouse, keyboard, phone, dark, right to left, large text, and axe on every page."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.domain.staff import Role
from app.services.drain_inbox import drain_inbox
from app.services.invite_staff import invite_staff
from app.services.member_card import member_card
from tests.conftest import unique
from tests.web.admin.desk import Desk, World, fill
from tests.web.keyboard import tab_to
from tests.web.widget.conftest import DESKTOP, PHONE

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[1] / "vendor" / "axe.min.js"
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


@pytest.fixture
def world(served: Desk) -> World:
    return fill(served)


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    wishes = {
        "viewport": DESKTOP,
        "locale": "en-GB",
        "reduced_motion": "reduce",
        **getattr(request, "param", {}),
    }
    context = browser.new_context(**wishes)
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails the test when a script throws or the CSP stops something."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None
    )
    yield page
    assert wrong == []


def sign_in(page: Page, desk: Desk, role: Role = Role.OWNER) -> None:
    invited = invite_staff(
        desk.rt, desk.program_id, email=f"{unique('ada')}@shop.test", name="Ada Byron", role=role
    )
    page.goto(invited.link)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()


def pages(desk: Desk, world: World) -> list[str]:
    return [
        "/admin/",
        "/admin/members",
        "/admin/card",
        f"/admin/members/{world.member}",
        f"/admin/members/{world.member}/adjust",
        f"/admin/members/{world.member}/join?with=218",
        f"/admin/members/{world.member}/erase",
        "/admin/orders",
        f"/admin/orders/{desk.shop_key}/1019",
        "/admin/redemptions",
        "/admin/deliveries",
        "/admin/deliveries?show=waiting",
        "/admin/shops",
        f"/admin/shops/{desk.shop_key}",
        f"/admin/shops/{desk.shop_key}/counting",
        "/admin/connect",
        "/admin/freeze",
        "/admin/reviews",
        f"/admin/reviews/{world.review}/refuse",
        "/admin/program",
        "/admin/program/edit",
        "/admin/program/look",
        "/admin/program/versions/1",
        "/admin/rewards",
        "/admin/staff",
        "/admin/staff/invite",
        "/admin/privacy",
        "/admin/nowhere",
    ]


def test_no_figure_is_broken_in_two(page: Page, served: Desk, world: World) -> None:
    """Found on the pictures for the app directories: "€1,070.3" and below it "8"."""
    sign_in(page, served)
    for path in ("/admin/", f"/admin/members/{world.member}"):
        page.goto(served.rt.public_url + path)
        page.locator("dd.big").evaluate_all("all => all.forEach(one => { one.textContent = '€123,456.78' })")
        for width in (1400, 1200, 1000, 700, 420, 340):
            page.set_viewport_size({"width": width, "height": 800})
            heights = page.locator("dd.big").evaluate_all(
                "all => all.map(one => { const text = document.createRange(); text.selectNodeContents(one); "
                "return text.getClientRects().length })"
            )
            assert heights, path
            assert set(heights) == {1}, (path, width)
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), (path, width)


def test_find_a_member_adjust_and_undo(page: Page, served: Desk, world: World) -> None:
    sign_in(page, served, Role.STAFF)
    page.get_by_role("link", name="Members").click()
    page.get_by_role("searchbox").fill("mara.lindqvist@mail.test")
    expect(page.get_by_role("status")).to_contain_text("1 member")
    page.get_by_role("navigation", name="Members found").get_by_role("link").click()
    page.get_by_role("link", name="Adjust points").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Points", exact=True).fill("100")
    expect(dialog.locator("#after")).to_contain_text("905 → 1,005")
    dialog.get_by_role("button", name="Add 100 points").click()
    expect(dialog).to_contain_text("Write a few words")
    dialog.get_by_label("Reason").fill("Goodwill")
    dialog.get_by_role("button", name="Add 100 points").click()
    toast = page.locator(".toast")
    expect(toast).to_contain_text("100 points added")
    assert served.points(world.member) == 1005
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_contain_text("Undone")
    assert served.points(world.member) == 905


def test_replay_a_failed_delivery(page: Page, served: Desk, world: World) -> None:
    sign_in(page, served)
    page.get_by_role("link", name="Deliveries").click()
    page.get_by_text("What the shop sent").first.click()
    expect(page.locator(".proof pre").first).to_contain_text('"id": 2203')
    page.get_by_label(f"Choose delivery {world.delivery}").check()
    expect(page.get_by_text("1 of 2 chosen")).to_be_visible()
    page.get_by_role("button", name="Replay 1").click()
    expect(page.get_by_text("Replaying 1 delivery")).to_be_visible()
    drain_inbox(served.rt)
    expect(page.get_by_text("failed again")).to_be_visible()


def test_everything_by_keyboard(page: Page, served: Desk, world: World) -> None:
    sign_in(page, served)
    page.goto(f"{served.rt.public_url}/admin/members/{world.member}")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    opener = page.get_by_role("link", name="Adjust points")
    for _ in range(40):
        page.keyboard.press("Tab")
        if opener.evaluate("link => link === document.activeElement"):
            break
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Points", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Points", exact=True)).to_be_focused()
    page.keyboard.type("5")
    page.keyboard.press("Tab")
    page.keyboard.type("By hand")
    expect(dialog.locator("#after")).to_contain_text("910")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("5 points added")


def test_a_look_is_tried_on_the_element_itself_and_published(page: Page, served: Desk, world: World) -> None:
    sign_in(page, served)
    page.get_by_role("link", name="Program", exact=True).click()
    page.get_by_role("link", name="Change the look").click()
    light, dark = (page.locator(f".stage[data-theme={theme}]") for theme in ("light", "dark"))
    button = light.locator(".lw-launch")
    expect(button).to_have_css("background-color", "rgb(27, 107, 76)")
    expect(light.locator(".lw-balance")).to_contain_text("125 points")
    page.get_by_label("Colour", exact=True).fill("#FFD400")
    expect(button).to_have_css("background-color", "rgb(255, 212, 0)")
    expect(button).to_have_css("color", "rgb(16, 19, 15)")
    expect(dark.locator(".lw-launch")).to_have_css("background-color", "rgb(255, 212, 0)")
    expect(page.locator("#look-said")).to_contain_text("too light to be read: #7a6600 is used")
    page.get_by_label("Corners").fill("0")
    expect(light.get_by_role("button", name="Get", include_hidden=True).first).to_have_css(
        "border-radius", "0px"
    )
    page.get_by_label("Colour", exact=True).fill("#5a31")  # half of a colour
    expect(page.locator("#look-said")).to_contain_text("The preview follows")
    expect(button).to_have_css("background-color", "rgb(255, 212, 0)")
    page.get_by_label("Pick the colour").fill("#5a31f4")
    expect(page.get_by_label("Colour", exact=True)).to_have_value("#5a31f4")
    expect(button).to_have_css("background-color", "rgb(90, 49, 244)")
    page.get_by_label("Pick the colour").focus()  # and from here on by keyboard alone
    assert tab_to(page, "Right")[-3:] == ["Colour", "Corners", "Right"]
    page.keyboard.press("ArrowLeft")
    at = "(e) => e.getBoundingClientRect().x - e.getRootNode().host.closest('.stage').getBoundingClientRect().x"
    page.wait_for_function(
        f"() => ({at})(document.querySelector('.stage [mode=launcher]').shadowRoot.querySelector('.lw-launch')) < 30"
    )
    assert tab_to(page, "Publish this look") == ["The reader’s own", "Cancel", "Publish this look"]
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Version 2 is live")
    tab_to(page, "Undo")
    page.keyboard.press("Space")
    expect(page.locator(".toast")).to_contain_text("it is version 1 again")


def test_a_look_is_changed_without_scripts(browser: Browser, served: Desk, world: World) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, served)
    page.goto(f"{served.rt.public_url}/admin/program/look")
    expect(page.get_by_label("Pick the colour")).to_be_hidden()
    page.get_by_label("Colour", exact=True).fill("#5a31f")
    page.get_by_role("button", name="Publish this look").click()
    expect(page.get_by_text("is not written as in #1b6b4c")).to_be_visible()
    page.get_by_label("Colour", exact=True).fill("#5a31f4")
    page.get_by_role("button", name="Publish this look").click()
    expect(page.locator(".toast")).to_contain_text("Version 2 is live")
    context.close()


def test_the_menu_on_a_phone(browser: Browser, served: Desk, world: World) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True)
    page = context.new_page()
    sign_in(page, served)
    expect(page.get_by_role("link", name="Orders", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Orders", exact=True).click()
    expect(page.get_by_role("heading", name="Orders", level=1)).to_be_visible()
    context.close()


def test_no_page_scrolls_sideways(browser: Browser, served: Desk, world: World) -> None:
    """Each page is opened once and then looked at in every way."""
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, served)
    wide = []
    for path in pages(served, world):
        page.goto(served.rt.public_url + path)
        for viewport, direction, size in product((DESKTOP, PHONE), ("ltr", "rtl"), ("100%", "200%")):
            page.set_viewport_size(viewport)
            over = page.evaluate(
                "([direction, size]) => { const root = document.documentElement;"
                "root.dir = direction; root.style.fontSize = size;"
                "return Math.max(root.scrollWidth - innerWidth, ...[...document.querySelectorAll('.card')]"
                ".map(card => card.scrollWidth - card.clientWidth)) }",
                [direction, size],
            )
            if over > 0:
                wide.append((path, viewport["width"], direction, size, over))
    context.close()
    assert wide == []


@pytest.mark.parametrize(("theme", "rules"), [("light", RULES), ("dark", COLOURS)])
def test_axe_finds_nothing(
    browser: Browser, served: Desk, world: World, theme: Any, rules: dict[str, Any]
) -> None:
    """In the dark the colours alone are others; all else is the same page."""
    context = browser.new_context(
        viewport=DESKTOP, color_scheme=theme, reduced_motion="reduce", bypass_csp=True
    )
    page = context.new_page()
    page.goto(f"{served.rt.public_url}/admin/sign-in")
    found = axe(page, "/admin/sign-in", rules)
    sign_in(page, served)
    for path in pages(served, world):
        page.goto(served.rt.public_url + path)
        found += axe(page, path, rules)
    page.goto(f"{served.rt.public_url}/admin/members/{world.member}")
    page.get_by_role("link", name="Adjust points").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    found += axe(page, "the dialog", rules)
    context.close()
    assert found == []


def axe(page: Page, path: str, rules: dict[str, Any]) -> list[tuple[str, str, str]]:
    page.add_script_tag(path=AXE)
    result: dict[str, Any] = page.evaluate("(rules) => axe.run(document, rules)", rules)
    return [(path, one["id"], one["nodes"][0]["html"][:200]) for one in result["violations"]]


# Chromium reads QR codes on Android and macOS only: the reader is played, the camera shows a drawn picture.
CAMERA = """(code) => {
  const canvas = document.createElement("canvas");
  canvas.getContext("2d").fillRect(0, 0, 9, 9);
  navigator.mediaDevices.getUserMedia = async () => (window.camera = canvas.captureStream(10));
  window.BarcodeDetector = class {
    static async getSupportedFormats() { return ["qr_code"]; }
    async detect() { return [{ rawValue: code }]; }
  };
}"""


def test_a_card_is_found_by_a_reader_that_types_and_by_the_camera(
    page: Page, served: Desk, world: World
) -> None:
    code = member_card(served.rt, served.program_id, world.member).code
    found = f"{served.rt.public_url}/admin/members/{world.member}"
    sign_in(page, served, Role.STAFF)
    page.get_by_role("link", name="Find by card").click()
    expect(page.get_by_label("Card number")).to_be_focused()
    expect(page.get_by_role("button", name="Scan with the camera")).to_be_hidden()
    page.keyboard.type(code.replace(" ", "") + "\n")
    expect(page).to_have_url(found)
    expect(page.get_by_role("link", name="Adjust points")).to_be_visible()
    page.add_init_script(f"({CAMERA})({json.dumps(code)})")
    page.goto(f"{served.rt.public_url}/admin/card")
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page).to_have_url(found)
