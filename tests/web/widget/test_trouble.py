"""When the network, the server or the proof of identity is missing: quiet, true, and never another person's points."""

import threading

import pytest
from playwright.sync_api import Page, expect

from tests.web.widget.conftest import NOW
from tests.web.widget.steps import launcher, open_panel, order, visit
from tests.web.widget.stub import Answer, Stub, problem

pytestmark = pytest.mark.browser

EXPIRED = problem(401, "token_expired", "The token has expired")


def test_an_expired_token_is_renewed_from_the_pages_address(page: Page, stub: Stub) -> None:
    stub.answer("GET", "me", EXPIRED)
    stub.page["refresh-url"] = "/token"
    visit(page, stub)
    expect(launcher(page)).to_have_text("1,254 points")
    assert stub.asked("GET", "me")[-1].headers["authorization"] == "Bearer t1.eyJzdWIiOiI3In0.s"


def test_an_expired_token_is_asked_for_with_an_event(page: Page, stub: Stub) -> None:
    stub.answer("GET", "me", EXPIRED)
    page.add_init_script(
        "addEventListener('laurel:token', (event) => event.target.setAttribute('token', 't2.e30.s'))"
    )
    visit(page, stub)
    expect(launcher(page)).to_have_text("1,254 points")
    assert stub.asked("GET", "me")[-1].headers["authorization"] == "Bearer t2.e30.s"


def test_without_a_new_token_the_points_are_not_shown(page: Page, stub: Stub) -> None:
    open_panel(page, stub)
    stub.always("GET", "me", EXPIRED)
    stub.page["signin-url"] = "/login"
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("Your sign-in has run out")
    expect(panel.get_by_role("link", name="Sign in")).to_be_visible()
    expect(panel).not_to_contain_text("1,254")
    assert page.evaluate("sessionStorage.length") == 0


def test_a_token_that_expires_while_ordering_is_renewed_and_the_order_goes_on(page: Page, stub: Stub) -> None:
    stub.page["refresh-url"] = "/token"
    stub.answer(
        "POST", "redemptions", EXPIRED, problem(409, "limit_reached", "Once a year.", "You had it in May.")
    )
    panel = open_panel(page, stub)
    order(page)
    expect(panel.get_by_role("alert")).to_have_text("Once a year. You had it in May.")
    first, second = stub.asked("POST", "redemptions")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_offline_shows_the_last_known_values_and_their_time(page: Page, stub: Stub) -> None:
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("Ready for you")
    page.context.set_offline(True)
    expect(panel).to_contain_text("You are offline. These points are from 14:32 today.")
    get = panel.get_by_role("button", name="Get €5.00 off")
    expect(get).to_have_attribute("aria-disabled", "true")
    get.click(force=True)
    expect(panel).to_contain_text("1,254 points")
    page.context.set_offline(False)
    expect(get).not_to_have_attribute("aria-disabled", "true")


def test_a_server_that_is_down_shows_the_last_known_values(page: Page, stub: Stub) -> None:
    visit(page, stub)
    expect(launcher(page)).to_have_text("1,254 points")
    stub.down()
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("Your points cannot be read right now. These points are from 14:32 today.")
    expect(panel).to_contain_text("1,254 points")


def test_last_known_values_are_never_shown_to_someone_else(page: Page, stub: Stub) -> None:
    visit(page, stub)
    expect(launcher(page)).to_have_text("1,254 points")
    stub.down()
    stub.page["token"] = "t0.eyJzdWIiOiI4In0.s"
    visit(page, stub)
    expect(launcher(page)).to_have_text("Points")


def test_without_a_person_to_tell_apart_nothing_is_kept(page: Page, stub: Stub) -> None:
    stub.page["token"] = ""
    visit(page, stub)
    expect(launcher(page)).to_have_text("1,254 points")
    assert page.evaluate("sessionStorage.length") == 0


def test_nothing_known_says_so_and_offers_to_try_again(page: Page, stub: Stub) -> None:
    down = problem(503, "unavailable")
    down.body["ref"] = "L-4F2K"
    stub.always("GET", "me", down)
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("Your balance did not load")
    expect(panel).to_contain_text("tell the shop: L-4F2K")
    stub.always("GET", "me", None)
    panel.get_by_role("button", name="Try again").click()
    expect(panel).to_contain_text("1,254 points")


def test_a_proxys_own_page_counts_as_no_answer(page: Page, stub: Stub) -> None:
    stub.always("GET", "me", Answer(headers={"Content-Type": "text/html"}))
    expect(open_panel(page, stub)).to_contain_text("Your balance did not load")


def test_a_shop_nobody_knows_gets_no_launcher(page: Page, stub: Stub) -> None:
    stub.always("GET", "me", problem(404, "unknown_shop"))
    with page.expect_response("**/me?*"):
        visit(page, stub)
    expect(page.locator("laurel-widget aside")).to_be_attached()
    expect(launcher(page)).to_have_count(0)


def test_a_panel_that_cannot_be_read_says_so_and_the_next_click_tries_again(page: Page, stub: Stub) -> None:
    page.route("**/panel.js", lambda route: route.abort())
    visit(page, stub)
    launcher(page).click()
    expect(launcher(page)).to_have_text("Your balance did not load")
    page.unroute("**/panel.js")
    launcher(page).click()
    expect(page.get_by_role("dialog")).to_contain_text("1,254 points")
    expect(launcher(page)).to_have_text("1,254 points")


def test_without_its_words_nothing_is_shown_and_nothing_breaks(page: Page, stub: Stub) -> None:
    page.route("**/messages/*.json", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        visit(page, stub)
    expect(launcher(page)).to_have_count(0)
    expect(page.get_by_role("button", name="Add to basket")).to_be_visible()


def test_rewards_that_do_not_load_can_be_asked_for_again(page: Page, stub: Stub) -> None:
    stub.answer("GET", "rewards", problem(500, "internal"), problem(500, "internal"))
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("The rewards did not load.")
    panel.get_by_role("button", name="Try again").click()
    panel.get_by_role("button", name="Try again").or_(panel.get_by_text("Ready for you")).first.click()
    expect(panel).to_contain_text("Ready for you")


def test_a_slow_answer_shows_a_skeleton_and_says_so(page: Page, stub: Stub) -> None:
    gate = threading.Event()
    stub.page["mode"] = "inline"
    stub.answer("GET", "me", Answer(body=stub.me, gate=gate))
    visit(page, stub)
    expect(page.get_by_text("Loading your balance")).to_be_attached()
    expect(page.locator(".lw-wait").first).to_be_visible()
    gate.set()
    expect(page.locator(".lw-balance")).to_contain_text("1,254 points")


def test_an_open_panel_stays_fresh_and_tells_a_change_once(page: Page, stub: Stub) -> None:
    page.clock.install(time=NOW)
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("Ready for you")
    stub.member["balance"].update(available=1291, pending=0, pending_next=None)
    page.clock.fast_forward(6000)
    expect(panel).to_contain_text("1,291 points")
    expect(page.locator("aside > [role=status]")).to_have_text("You now have 1,291 points.")
    expect(launcher(page)).to_have_text("1,291 points")


def test_a_closed_panel_asks_for_nothing(page: Page, stub: Stub) -> None:
    page.clock.install(time=NOW)
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("Ready for you")
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()
    before = len(stub.requests)
    page.clock.fast_forward(60_000)
    expect(launcher(page)).to_be_focused()
    assert len(stub.requests) == before


def test_polling_keeps_the_focus_where_it_is(page: Page, stub: Stub) -> None:
    page.clock.install(time=NOW)
    panel = open_panel(page, stub)
    get = panel.get_by_role("button", name="Get Free shipping")
    get.focus()
    stub.rewards[0]["title"] = "€6.00 off"
    stub.member["balance"]["available"] = 1300
    page.clock.fast_forward(6000)
    expect(panel).to_contain_text("€6.00 off")
    expect(get).to_be_focused()
