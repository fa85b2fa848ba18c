"""Points become a code: every outcome says where the points are."""

import threading
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from tests.web.widget.steps import ask_for, launcher, open_panel, order
from tests.web.widget.stub import Answer, Stub, eur, make_redemption, problem

pytestmark = pytest.mark.browser


def test_before_spending_cost_and_rest_are_shown(page: Page, stub: Stub) -> None:
    panel = open_panel(page, stub)
    ask_for(page)
    expect(panel).to_contain_text("€5.00 off for 100 points?")
    expect(panel).to_contain_text("You will have 1,154 points left.")
    expect(panel).to_contain_text("Valid for 90 days; not used, what it cost comes back")
    panel.get_by_role("button", name="Not now").click()
    expect(panel).to_contain_text("Ready for you")
    assert stub.asked("POST", "redemptions") == []


def test_a_code_made_at_once_is_shown_to_copy(page: Page, stub: Stub) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pay = partial(stub.member["balance"].update, available=1154)
    stub.answer("POST", "redemptions", Answer(status=201, body=make_redemption(), then=pay))
    stub.page["apply-url"] = "/discount/{code}?redirect=/cart"
    panel = open_panel(page, stub)
    order(page)
    expect(panel.locator("code")).to_have_text("FERN-7KQ2-M9XD")
    expect(panel.locator("code")).to_have_css("user-select", "all")
    expect(panel).to_contain_text("100 points used, 1,154 left.")
    expect(panel).to_contain_text(
        "Use it by 19 February 2027. If you do not, the 100 points come back by themselves."
    )
    panel.get_by_role("button", name="Copy").click()
    expect(panel.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "FERN-7KQ2-M9XD"
    link = panel.get_by_role("link", name="Apply to basket")
    expect(link).to_have_attribute("href", f"{stub.url}discount/FERN-7KQ2-M9XD?redirect=/cart")
    expect(launcher(page)).to_have_text("1,154 points")


def test_the_order_names_shop_reward_and_one_key(page: Page, stub: Stub) -> None:
    stub.answer("POST", "redemptions", Answer(status=201, body=make_redemption()))
    panel = open_panel(page, stub)
    order(page)
    expect(panel).to_contain_text("is ready")
    (request,) = stub.asked("POST", "redemptions")
    key = request.headers["idempotency-key"]
    assert len(key) == 36
    assert request.body == {"shop": "fern", "reward": "five-off", "request_key": key}
    assert request.query == {"key": "fern", "lang": "en"}
    assert request.headers["authorization"] == "Bearer t0.eyJzdWIiOiI3In0.s"


def test_a_double_click_orders_once(page: Page, stub: Stub) -> None:
    stub.answer("POST", "redemptions", Answer(status=201, body=make_redemption()))
    panel = open_panel(page, stub)
    ask_for(page)
    panel.get_by_role("button", name="Get the code").dblclick()
    expect(panel).to_contain_text("is ready")
    assert len(stub.asked("POST", "redemptions")) == 1


def test_a_code_being_made_is_followed_until_it_is_there(page: Page, stub: Stub) -> None:
    stub.answer("POST", "redemptions", Answer(status=202, body=make_redemption("requested")))
    stub.answer("GET", "redemptions/r_1", Answer(body=make_redemption("requested")))
    stub.answer("GET", "redemptions/r_1", Answer(body=make_redemption()))
    panel = open_panel(page, stub)
    order(page)
    expect(panel).to_contain_text("Making your code")
    expect(panel).to_contain_text("Your 100 points are set aside.")
    expect(panel.locator("code")).to_have_text("FERN-7KQ2-M9XD")
    assert len(stub.asked("GET", "redemptions/r_1")) == 2


def test_following_goes_on_after_a_missed_answer(page: Page, stub: Stub) -> None:
    stub.answer("POST", "redemptions", Answer(status=202, body=make_redemption("requested")))
    stub.answer("GET", "redemptions/r_1", problem(503, "unavailable"), Answer(body=make_redemption()))
    panel = open_panel(page, stub)
    order(page)
    expect(panel.locator("code")).to_have_text("FERN-7KQ2-M9XD")


def test_a_code_the_shop_could_not_make_gives_the_points_back(page: Page, stub: Stub) -> None:
    stub.answer("POST", "redemptions", Answer(status=202, body=make_redemption("requested")))
    stub.answer("GET", "redemptions/r_1", Answer(body=make_redemption("failed")))
    panel = open_panel(page, stub)
    order(page)
    alert = panel.get_by_role("alert")
    expect(alert).to_contain_text(
        "The shop could not make this code. Your 100 points are back. You have 1,254 points."
    )
    panel.get_by_role("button", name="Try again").click()
    expect(panel).to_contain_text("€5.00 off for 100 points?")


def test_a_new_try_after_a_failure_is_a_new_request(page: Page, stub: Stub) -> None:
    stub.answer(
        "POST",
        "redemptions",
        Answer(status=201, body=make_redemption("failed")),
        Answer(body=make_redemption()),
    )
    panel = open_panel(page, stub)
    order(page)
    panel.get_by_role("button", name="Try again").click()
    panel.get_by_role("button", name="Get the code").click()
    expect(panel).to_contain_text("is ready")
    first, second = stub.asked("POST", "redemptions")
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_a_refusal_shows_the_servers_sentence(page: Page, stub: Stub) -> None:
    refused = problem(409, "insufficient_points", "You have fewer points now.", "No points were used.")
    stub.answer("POST", "redemptions", refused)
    panel = open_panel(page, stub)
    order(page)
    expect(panel.get_by_role("alert")).to_have_text("You have fewer points now. No points were used.")
    panel.get_by_role("button", name="Other rewards").click()
    expect(panel).to_contain_text("Ready for you")


def test_no_answer_is_tried_again_under_the_same_key(page: Page, stub: Stub) -> None:
    stub.answer(
        "POST", "redemptions", problem(503, "unavailable"), Answer(status=201, body=make_redemption())
    )
    panel = open_panel(page, stub)
    order(page)
    expect(panel.get_by_role("alert")).to_contain_text("never used twice for the same code")
    panel.get_by_role("button", name="Try again").click()
    expect(panel).to_contain_text("is ready")
    first, second = stub.asked("POST", "redemptions")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_a_retry_waits_as_long_as_the_server_asks(page: Page, stub: Stub) -> None:
    stub.answer(
        "POST", "redemptions", problem(429, "too_many", Retry_After="1"), Answer(body=make_redemption())
    )
    panel = open_panel(page, stub)
    order(page)
    panel.get_by_role("button", name="Try again").click()
    expect(panel.get_by_role("button", name="Trying")).to_have_attribute("aria-disabled", "true")
    expect(panel).to_contain_text("is ready")


def test_going_elsewhere_while_a_code_is_made_is_respected(page: Page, stub: Stub) -> None:
    gate = threading.Event()
    stub.answer("POST", "redemptions", Answer(status=202, body=make_redemption("requested")))
    stub.answer("GET", "redemptions/r_1", Answer(body=make_redemption(), gate=gate))
    panel = open_panel(page, stub)
    order(page)
    expect(panel).to_contain_text("Making your code")
    panel.get_by_role("button", name="Back").click()
    expect(panel).to_contain_text("Ready for you")
    gate.set()
    expect(page.locator("aside > [role=status]")).to_have_text("Your code is ready")
    expect(panel).to_contain_text("Ready for you")


def test_a_code_is_given_back_after_asking(page: Page, stub: Stub) -> None:
    stub.redemptions = [make_redemption()]
    stub.answer("POST", "redemptions/r_1/cancel", Answer(body={"state": "cancelling"}))
    stub.answer("GET", "redemptions/r_1", Answer(body=make_redemption("cancelled")))
    panel = open_panel(page, stub)
    panel.get_by_role("button", name="Show the code").click()
    panel.get_by_role("button", name="Changed your mind? Give it back for 100 points").click()
    expect(panel).to_contain_text("The code stops working, and your 100 points come back.")
    assert stub.asked("POST", "redemptions/r_1/cancel") == []
    panel.get_by_role("button", name="Give it back").click()
    expect(panel).to_contain_text("Your 100 points come back as soon as the shop has withdrawn the code.")
    expect(panel).to_contain_text("The code is given back. Your 100 points are back.")
    assert stub.asked("POST", "redemptions/r_1/cancel")[0].body == {"shop": "fern"}


def test_a_code_can_be_kept_after_all(page: Page, stub: Stub) -> None:
    stub.redemptions = [make_redemption()]
    panel = open_panel(page, stub)
    panel.get_by_role("button", name="Show the code").click()
    panel.get_by_role("button", name="Changed your mind?").click()
    panel.get_by_role("button", name="Keep the code").click()
    expect(panel.locator("code")).to_have_text("FERN-7KQ2-M9XD")


def test_a_used_code_cannot_be_given_back(page: Page, stub: Stub) -> None:
    stub.redemptions = [make_redemption()]
    stub.answer("POST", "redemptions/r_1/cancel", Answer(body={"state": "used"}))
    panel = open_panel(page, stub)
    panel.get_by_role("button", name="Show the code").click()
    panel.get_by_role("button", name="Changed your mind?").click()
    panel.get_by_role("button", name="Give it back").click()
    expect(panel).to_contain_text("This code was used already. It belongs to an order, so it stays used.")


def test_giving_back_without_an_answer_changes_nothing(page: Page, stub: Stub) -> None:
    stub.redemptions = [make_redemption()]
    stub.answer("POST", "redemptions/r_1/cancel", problem(503, "unavailable"))
    panel = open_panel(page, stub)
    panel.get_by_role("button", name="Show the code").click()
    panel.get_by_role("button", name="Changed your mind?").click()
    panel.get_by_role("button", name="Give it back").click()
    expect(panel).to_contain_text("The code could not be given back.")
    panel.get_by_role("button", name="Keep the code").click()
    expect(panel.locator("code")).to_have_text("FERN-7KQ2-M9XD")


def offer_steps(stub: Stub) -> None:
    stub.rewards[0] |= {
        "title": "€2.50 off for every 50 points",
        "cost": 50,
        "steps": {"points": 50, "amount": eur(250), "minimum": 100, "maximum": 500},
    }


def test_any_number_of_points_is_chosen_by_keyboard_and_priced_as_it_changes(page: Page, stub: Stub) -> None:
    offer_steps(stub)
    stub.answer("POST", "redemptions", Answer(status=201, body=make_redemption(cost=150)))
    panel = open_panel(page, stub)
    ask_for(page, "€2.50 off for every 50 points")
    expect(panel).to_contain_text("€5.00 for 100 points?")
    slider = panel.get_by_role("slider", name="How many points?")
    expect(slider).to_have_attribute("aria-valuetext", "€5.00 for 100 points?")
    slider.focus()
    page.keyboard.press("ArrowUp")
    expect(panel).to_contain_text("€7.50 for 150 points?")
    expect(panel).to_contain_text("You will have 1,104 points left.")
    panel.get_by_role("button", name="Get the code").click()
    expect(panel).to_contain_text("is ready")
    (request,) = stub.asked("POST", "redemptions")
    assert request.body["points"] == 150


def test_a_step_more_or_less_is_one_press_and_told_once(page: Page, stub: Stub) -> None:
    offer_steps(stub)
    panel = open_panel(page, stub)
    ask_for(page, "€2.50 off for every 50 points")
    expect(panel).to_contain_text("100 to 500, in steps of 50")
    panel.get_by_role("button", name="More").click()
    expect(page.get_by_role("status").filter(has_text="€7.50 for 150 points?")).to_be_attached()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")  # no longer the second half of a double click
    panel.get_by_role("button", name="Less").click()
    panel.get_by_role("slider").press("Home")
    expect(panel).to_contain_text("€5.00 for 100 points?")
    panel.get_by_role("slider").press("End")
    expect(panel).to_contain_text("€25.00 for 500 points?")


def test_no_more_is_offered_than_there_is_and_no_slider_without_a_choice(page: Page, stub: Stub) -> None:
    offer_steps(stub)
    stub.member["balance"]["available"] = 267
    panel = open_panel(page, stub)
    ask_for(page, "€2.50 off for every 50 points")
    panel.get_by_role("slider").press("End")
    expect(panel).to_contain_text("€12.50 for 250 points?")
    stub.member["balance"]["available"] = 149
    panel = open_panel(page, stub)
    ask_for(page, "€2.50 off for every 50 points")
    expect(panel).to_contain_text("€5.00 for 100 points?")
    expect(panel.get_by_role("slider")).to_have_count(0)


def test_a_program_of_money_never_says_points(page: Page, stub: Stub) -> None:
    """Every view that a member comes to, in the widget's own words."""
    offer_steps(stub)
    stub.me["program"] |= {"unit": "EUR", "earn_sentence": "5 % back"}
    stub.rewards[0] |= {
        "title": "Money off",
        "steps": {"points": 50, "amount": eur(50), "minimum": 100, "maximum": None},
    }
    stub.rewards[1:] = []
    stub.history[:] = []
    stub.answer("POST", "redemptions", Answer(status=201, body=make_redemption(cost=150)))
    panel = open_panel(page, stub)
    expect(launcher(page)).to_have_text("€12.54")
    expect(panel.locator(".lw-balance")).to_contain_text("€0.37 more, yours on 5 December")
    said = []
    for name in ("Rewards", "Ways to earn", "History", "Rewards"):
        page.get_by_role("tab", name=name).click()
        expect(panel.locator("[role=tabpanel]:not([hidden]) .lw-wait")).to_have_count(0)  # it has been read
        said.append(panel.inner_text())
    ask_for(page, "Money off")
    expect(panel).to_contain_text("How much?")
    expect(panel).to_contain_text("€1.00 to €12.50, in steps of €0.50")
    panel.get_by_role("slider").press("ArrowRight")
    expect(panel).to_contain_text("€1.50 for €1.50?")
    said.append(panel.inner_text())
    panel.get_by_role("button", name="Get the code").click()
    expect(panel).to_contain_text("€1.50 used, €11.04 left.")
    said.append(panel.inner_text())
    panel.get_by_role("button", name="Changed your mind?").click()
    said.append(panel.inner_text())
    said += page.locator("laurel-widget [aria-label]").evaluate_all(
        "(all) => all.map((one) => one.ariaLabel)"
    )
    assert [text for text in said if "point" in text.lower()] == []


def test_what_has_no_code_is_yours_without_one(page: Page, stub: Stub) -> None:
    stub.rewards[0] |= {"title": "Early access", "kind": "perk"}
    perk = {"key": "five-off", "title": "Early access", "kind": "perk"}
    stub.answer("POST", "redemptions", Answer(status=201, body=make_redemption(code=None, reward=perk)))
    panel = open_panel(page, stub)
    ask_for(page, "Early access")
    panel.get_by_role("button", name="Get it").click()
    expect(panel).to_contain_text("Early access is yours")
    expect(panel.locator("code")).to_have_count(0)
    expect(panel.get_by_role("button", name="Changed your mind?")).to_be_visible()


def test_credit_that_was_paid_out_is_yours_and_cannot_be_given_back(page: Page, stub: Stub) -> None:
    stub.rewards[0] |= {"title": "€5.00 of store credit", "kind": "store_credit"}
    credit = {"key": "five-off", "title": "€5.00 of store credit", "kind": "store_credit"}
    stub.answer("POST", "redemptions", Answer(status=201, body=make_redemption("used", reward=credit)))
    panel = open_panel(page, stub)
    ask_for(page, "€5.00 of store credit")
    panel.get_by_role("button", name="Get it").click()
    expect(panel).to_contain_text("€5.00 of store credit is yours")
    expect(panel.get_by_role("button", name="Changed your mind?")).to_have_count(0)


def test_credit_under_a_code_shows_what_is_left_and_what_would_come_back(page: Page, stub: Stub) -> None:
    credit = {"key": "five-off", "title": "€5.00 of store credit", "kind": "store_credit"}
    stub.rewards[0] |= {"title": credit["title"], "kind": "store_credit", "has_code": True}
    bought = make_redemption(reward=credit, left_text="€3.50 of €5.00 left", back=70)
    stub.answer("POST", "redemptions", Answer(status=201, body=bought))
    panel = open_panel(page, stub)
    ask_for(page, credit["title"])
    panel.get_by_role("button", name="Get the code").click()
    expect(panel.locator("code")).to_have_text("FERN-7KQ2-M9XD")
    expect(panel).to_contain_text("€3.50 of €5.00 left")
    expect(panel.get_by_role("button", name="Give it back for 70 points")).to_be_visible()


def test_credit_under_a_code_that_is_used_up_is_over(page: Page, stub: Stub) -> None:
    credit = {"key": "five-off", "title": "€5.00 of store credit", "kind": "store_credit"}
    stub.rewards[0] |= {"title": credit["title"], "kind": "store_credit", "has_code": True}
    used = make_redemption("used", reward=credit, code="FERN-7KQ2-M9XD", back=0)
    stub.answer("POST", "redemptions", Answer(status=201, body=used))
    panel = open_panel(page, stub)
    ask_for(page, credit["title"])
    panel.get_by_role("button", name="Get the code").click()
    expect(panel).to_contain_text("This code was used already.")
