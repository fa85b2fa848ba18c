"""The page in a real browser: signing in, the card, buying, without a network, as an app, and for every reader."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.services.find_by_card import find_by_card
from tests.services.books import publish
from tests.services.crowd import REFERRAL
from tests.web.hosted.conftest import Post
from tests.web.shoppers import Storefront
from tests.web.widget.conftest import PHONE

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[1] / "vendor" / "axe.min.js"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
ADA, EVE = "ada@example.test", "eve@example.test"

on_a_phone = pytest.mark.parametrize("context", [{"viewport": PHONE, "has_touch": True}], indirect=True)


@pytest.fixture
def ada(served: Storefront) -> int:
    """A member with 1,254 points. Returns the member."""
    served.know("7", ADA, verified=True)
    return served.member("7", points=1254)


def home(served: Storefront, **query: str) -> str:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return f"{served.rt.public_url}/my/{served.shop.key}/{asked and '?'}{asked}"


def link(post: Post, email: str) -> str:
    to, _, text = post.get(timeout=30)  # it goes out after the answer
    found = re.search(r"http://127\.0\.0\.1:\d+/my/\S+/sign-in/[\w-]+", text)
    assert found is not None
    assert to == email
    return found[0]


def sign_in(page: Page, served: Storefront, post: Post, email: str = ADA) -> None:
    """As a person does it: the form, the mail, the button behind its link."""
    page.goto(home(served) + "sign-in")
    page.get_by_label("E-mail").fill(email)
    with page.expect_response("**/sign-in"):
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    page.goto(link(post, email))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Show card")).to_be_visible()


def installed(page: Page) -> None:
    """The worker is there, and has what it keeps."""
    page.evaluate("() => navigator.serviceWorker.ready.then(() => undefined)")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")


def axe(page: Page) -> list[tuple[str, str]]:
    page.evaluate(AXE.read_text())
    result: dict[str, Any] = page.evaluate("(rules) => axe.run(document, rules)", RULES)
    return [
        (found["id"], str(node["html"])[:150]) for found in result["violations"] for node in found["nodes"]
    ]


@on_a_phone
def test_signing_in_buying_and_finding_the_code_again(
    page: Page, served: Storefront, post: Post, ada: int, no_wait: None
) -> None:
    sign_in(page, served, post)
    expect(page.get_by_text("1,254").first).to_be_visible()
    page.get_by_role("button", name="Get €5.00 off").click()
    with page.expect_response("**/api/redemptions*"):
        page.get_by_role("button", name="Get the code").click()
    expect(page.get_by_text("Making your code")).to_be_visible()
    served.issue(int(served.scalar("SELECT max(id) FROM redemptions WHERE {fence}")))
    expect(page.get_by_text("Your code", exact=True).first).to_be_visible()
    code = served.scalar("SELECT code FROM redemptions WHERE {fence}")
    expect(page.locator("laurel-widget code")).to_have_text(code)
    page.reload()
    expect(page.get_by_text("1,154").first).to_be_visible()
    expect(page.get_by_role("button", name="Show the code for €5.00 off")).to_be_visible()


@on_a_phone
def test_the_card_is_shown_big_black_on_white_and_stays_without_a_network(
    context: BrowserContext, page: Page, served: Storefront, post: Post, ada: int
) -> None:
    page.emulate_media(color_scheme="dark")
    sign_in(page, served, post)
    page.get_by_role("button", name="Show card").click()
    dialog = page.get_by_role("dialog", name="Your card")
    expect(dialog.locator("#card-code")).not_to_be_empty()
    code = dialog.locator("#card-code").inner_text()
    assert find_by_card(served.rt, served.program_id, code) == ada
    drawn = dialog.locator(".qr")
    box = drawn.bounding_box()
    assert box is not None
    assert box["width"] > 250
    assert drawn.evaluate("(e) => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
    expect(page.get_by_role("heading", name="Your card")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Show card")).to_be_focused()
    installed(page)
    context.set_offline(True)
    page.reload()
    page.get_by_role("button", name="Show card").click()
    expect(page.locator("#card-code")).to_have_text(code)
    expect(page.get_by_role("alert")).to_be_hidden()


def test_another_card_ends_the_one_before(page: Page, served: Storefront, post: Post, ada: int) -> None:
    sign_in(page, served, post)
    page.get_by_role("button", name="Show card").click()
    expect(page.locator("#card-code")).not_to_be_empty()
    before = page.locator("#card-code").inner_text()
    page.get_by_text("Get another card").click()
    page.get_by_role("button", name="End this card").click()
    expect(page.get_by_role("status").filter(has_text="This is your new card")).to_be_visible()
    after = page.locator("#card-code").inner_text()
    assert after != before
    assert find_by_card(served.rt, served.program_id, after) == ada


def test_without_a_network_the_page_shows_the_last_balance_and_since_when(
    context: BrowserContext, page: Page, served: Storefront, post: Post, ada: int
) -> None:
    sign_in(page, served, post)
    expect(page.get_by_text("1,254").first).to_be_visible()
    installed(page)
    page.close()
    context.set_offline(True)
    again = context.new_page()  # the app is opened anew: nothing of the page's own memory is left
    again.goto(home(served))
    expect(again.get_by_text("1,254").first).to_be_visible()
    expect(again.get_by_text(re.compile("These points are from .* today"))).to_be_visible()
    context.set_offline(False)
    served.give(ada, 100)
    again.reload()
    expect(again.get_by_text("1,354").first).to_be_visible()


def test_after_signing_out_nothing_of_anybody_is_left_on_the_device(
    context: BrowserContext, page: Page, served: Storefront, post: Post, ada: int
) -> None:
    sign_in(page, served, post)
    page.get_by_role("button", name="Show card").click()
    expect(page.locator("#card-code")).not_to_be_empty()
    code = page.locator("#card-code").inner_text()
    page.keyboard.press("Escape")
    installed(page)
    page.wait_for_function("() => localStorage.length === 2")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    assert page.evaluate("() => [localStorage.length, document.cookie]") == [0, ""]
    kept = page.evaluate(
        """async () => {
          const found = [];
          for (const name of await caches.keys()) {
            const cache = await caches.open(name);
            for (const request of await cache.keys()) {
              found.push([request.url, await (await cache.match(request)).text()]);
            }
          }
          return found;
        }"""
    )
    assert len(kept) > 10  # the page and its files
    assert [url for url, text in kept if "/api/" in url or code in text or ADA in text] == []
    context.set_offline(True)
    page.reload()
    # Chromium before 156 forgets with the reload that it was told to be offline: the page can say no more than it knows.
    thinks_online = page.evaluate("() => navigator.onLine")
    expect(
        page.get_by_text("Your balance did not load" if thinks_online else "You are offline")
    ).to_be_visible()
    expect(page.get_by_text("1,254")).to_have_count(0)
    expect(page.get_by_role("button", name="Show card")).to_be_hidden()


def test_the_next_person_on_the_device_never_sees_the_one_before(
    context: BrowserContext, page: Page, served: Storefront, post: Post, ada: int
) -> None:
    served.know("8", EVE, verified=True)
    served.member("8", points=5)
    sign_in(page, served, post)
    expect(page.get_by_text("1,254").first).to_be_visible()
    installed(page)
    page.get_by_role("button", name="Show card").click()
    expect(page.locator("#card-code")).not_to_be_empty()
    adas = page.locator("#card-code").inner_text()
    sign_in(page, served, post, EVE)  # without anybody having signed out
    expect(page.get_by_role("button", name="Show card")).to_be_visible()
    page.wait_for_function("() => localStorage.length > 0")  # her own balance is kept by now
    context.set_offline(True)
    page.reload()
    expect(page.get_by_text("1,254")).to_have_count(0)
    page.get_by_role("button", name="Show card").click()
    expect(page.locator("#card-code")).not_to_have_text(adas)


def test_a_session_that_ended_elsewhere_takes_what_is_kept_along(
    page: Page, served: Storefront, post: Post, ada: int
) -> None:
    sign_in(page, served, post)
    expect(page.get_by_text("1,254").first).to_be_visible()
    with served.rt.db.begin(served.program_id) as session:
        session.run("DELETE FROM directory WHERE {fence} AND kind = 'member_session'")
    page.reload()
    expect(page.get_by_text("Your sign-in has run out")).to_be_visible()
    assert page.evaluate("() => localStorage.length") == 0
    expect(page.get_by_text("1,254")).to_have_count(0)


def test_it_can_be_installed(context: BrowserContext, page: Page, served: Storefront) -> None:
    page.goto(home(served))
    installed(page)
    chromium = context.new_cdp_session(page)
    found = chromium.send("Page.getAppManifest")
    assert found["errors"] == []
    assert found["url"].endswith("manifest.webmanifest?lang=en")
    parsed = found["manifest"]
    assert (parsed["startUrl"], parsed["scope"]) == (home(served), home(served))
    errors = chromium.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [one["errorId"] for one in errors] == ["in-incognito"]  # as every window that a test opens
    scope = page.evaluate("() => navigator.serviceWorker.ready.then((found) => found.scope)")
    assert scope == home(served)  # never another shop's page, nor the admin
    for name in ("icon-180.png", "icon-192.png", "icon-512.png", "maskable-512.png"):
        size = page.evaluate(
            """async (name) => {
              const css = document.querySelector("link[href$='look.css']").href;
              const picture = new Image();
              picture.src = css.replace("look.css", name);
              await picture.decode();
              return [picture.naturalWidth, picture.naturalHeight];
            }""",
            name,
        )
        assert size == [int(name.split("-")[1].split(".")[0])] * 2


def test_a_visitor_sees_the_program_and_the_way_in(page: Page, served: Storefront) -> None:
    page.goto(home(served))
    expect(page.get_by_role("heading", name="Tiers")).to_be_visible()
    expect(page.get_by_text("Every order earns you something")).to_be_visible()
    expect(page.get_by_role("button", name="Show card")).to_be_hidden()
    page.get_by_role("link", name="Sign in").first.click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, served: Storefront, post: Post, ada: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    found: list[Any] = []
    for language in ("en", "ar"):
        page.goto(home(served, lang=language))
        expect(page.locator("laurel-widget .lw-panel")).to_be_visible()
        found += axe(page)
        page.goto(home(served).rstrip("/") + f"/sign-in?lang={language}")
        found += axe(page)
    sign_in(page, served, post)
    expect(page.get_by_text("1,254").first).to_be_visible()
    found += axe(page)
    page.get_by_role("button", name="Show card").click()
    expect(page.locator("#card-code")).not_to_be_empty()
    found += axe(page)
    assert found == []


@pytest.mark.parametrize("context", [{"viewport": PHONE, "has_touch": True}], indirect=True)
@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_nothing_is_wider_than_a_phone(
    page: Page, served: Storefront, post: Post, ada: int, language: str
) -> None:
    sign_in(page, served, post)
    page.goto(home(served, lang=language))
    expect(page.get_by_text(re.compile("1[.,]254")).first).to_be_visible()
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0
    page.locator("#show-card").click()
    expect(page.locator("#card-code")).not_to_be_empty()
    assert page.evaluate(wide) == 0
    assert page.locator("#card").evaluate("(e) => e.scrollWidth - e.clientWidth") == 0


def test_a_friend_follows_the_link_joins_and_is_known(
    page: Page, served: Storefront, post: Post, ada: int
) -> None:
    """Both sides in one program: Ada hands on her link, and Eve, who followed it and signed in, is her friend."""
    publish(served.rt, served.program_id, referral=REFERRAL)
    sign_in(page, served, post)
    page.get_by_role("tab", name="Ways to earn").click()
    page.get_by_role("button", name="Copy your link").click()
    link_of = page.get_by_text("/?laurel_friend=")
    expect(link_of).to_contain_text(f"{served.known.url}/?laurel_friend=")
    code = link_of.inner_text().partition("=")[2]
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    page.goto(home(served, laurel_friend=code))
    expect(page.get_by_text("Every order earns you something")).to_be_visible()
    served.know("8", EVE, verified=True)
    served.member("8")
    with page.expect_response("**/api/referrals*") as told:
        sign_in(page, served, post, EVE)
    assert told.value.status == 201
    assert served.scalar("SELECT referrer_id FROM referrals WHERE {fence}") == ada
    page.wait_for_function("() => localStorage.getItem('laurel-friend') === null")
