"""What a shopper sees, by where they stand."""

from functools import partial

import pytest
from playwright.sync_api import Page, expect

from tests.web.widget.steps import launcher, open_panel, tab, visit
from tests.web.widget.stub import Answer, Stub, eur, make_item, make_redemption

pytestmark = pytest.mark.browser


def test_the_launcher_shows_the_balance(page: Page, stub: Stub) -> None:
    visit(page, stub)
    expect(launcher(page)).to_have_text("1,254 points")


def test_a_member_sees_balance_worth_pending_expiry_and_tier(page: Page, stub: Stub) -> None:
    panel = open_panel(page, stub)
    expect(panel.get_by_role("heading", level=2)).to_have_text("Fern & Field points")
    for text in (
        "1,254 points",
        "Worth up to €62.00 off",
        "37 more, yours on 5 December",
        "50 points expire on 14 February 2027",
        "earns 125\u00a0%",
        "€687.60 more in 12 months brings Gold: 150\u00a0% points.",
    ):
        expect(panel).to_contain_text(text)
    bar = panel.get_by_role("progressbar", name="Towards Gold")
    expect(bar).to_have_attribute("aria-valuetext", "€1,312.40 of €2,000.00")


def test_pending_points_beyond_the_next_date_are_told_apart(page: Page, stub: Stub) -> None:
    stub.member["balance"]["pending"] = 100
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("37 more, yours on 5 December")
    expect(panel).to_contain_text("63 more are pending")


def test_rewards_stand_by_what_can_be_had_now(page: Page, stub: Stub) -> None:
    panel = open_panel(page, stub)
    expect(panel.get_by_role("heading", level=3)).to_have_text(["Ready for you", "Almost", "Not open yet"])
    expect(panel).to_contain_text("150 points, orders from €20.00")
    expect(panel).to_contain_text("1,500 points, 246 to go")
    expect(panel).to_contain_text("Opens when you reach Gold")
    expect(panel.get_by_role("button", name="Get Oak serving board")).to_have_count(0)


def test_open_codes_wait_above_the_rewards(page: Page, stub: Stub) -> None:
    stub.redemptions = [make_redemption(), make_redemption("used", id="r_0")]
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("Use it by 19 February 2027")
    panel.get_by_role("button", name="Show the code for €5.00 off").click()
    expect(panel.locator("code")).to_have_text("FERN-7KQ2-M9XD")


def test_ways_to_earn_name_the_rule_and_every_tier(page: Page, stub: Stub) -> None:
    panel = open_panel(page, stub)
    tab(page, "Ways to earn")
    expect(panel).to_contain_text("1 point for every €1.00")
    expect(panel).to_contain_text("From €500.00, 125\u00a0% points on every order")
    expect(panel).to_contain_text("Your tier")


def test_history_explains_every_entry_and_opens_to_the_sum(page: Page, stub: Stub) -> None:
    panel = open_panel(page, stub)
    tab(page, "History")
    expect(panel).to_contain_text("Order #1042 · 4 hours ago")
    expect(panel).to_contain_text("rounded down. Pending until 5 December.")
    expect(panel).to_contain_text("\u2212100")
    panel.get_by_text("How it was counted").click()
    expect(panel.get_by_text("Program version")).to_be_visible()


def test_an_order_without_points_says_why(page: Page, stub: Stub) -> None:
    panel = open_panel(page, stub)
    tab(page, "History")
    entry = panel.get_by_role("listitem").filter(has_text="Order #1031")
    expect(entry.locator(".lw-num")).to_have_text("0")
    expect(entry).to_contain_text("Gift cards do not earn points")


def test_earlier_entries_are_appended_on_demand(page: Page, stub: Stub) -> None:
    stub.earlier = [make_item("e9", "Order #900", 12, "2025-01-05T10:00:00Z", "12.00 of goods.")]
    panel = open_panel(page, stub)
    tab(page, "History")
    panel.get_by_role("button", name="Show earlier").click()
    expect(panel).to_contain_text("Order #900 · 5 Jan 2025")
    expect(panel).to_contain_text("Order #1042")
    expect(panel.get_by_role("button", name="Show earlier")).to_have_count(0)


def test_a_guest_sees_what_joining_gives_and_one_action(page: Page, stub: Stub) -> None:
    stub.me.update(member=None, signed_in=False)
    stub.page.update({"token": "", "join-url": "/register", "signin-url": "/login"})
    visit(page, stub)
    expect(launcher(page)).to_have_text("Points")
    launcher(page).click()
    panel = page.get_by_role("dialog")
    expect(panel).to_contain_text("1 point for every €1.00")
    expect(panel).to_contain_text("Silver from €500.00")
    expect(panel.get_by_role("link", name="Join free")).to_have_attribute("href", f"{stub.url}register")
    expect(panel.get_by_role("link", name="Sign in")).to_have_attribute("href", f"{stub.url}login")
    assert "authorization" not in stub.asked("GET", "me")[0].headers


def test_a_page_cannot_hand_in_a_script_as_an_address(page: Page, stub: Stub) -> None:
    stub.me.update(member=None, signed_in=False)
    stub.page.update({"token": "", "join-url": "javascript:alert(1)"})
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("Nothing is lost")
    expect(panel.get_by_role("link")).to_have_count(0)


def test_a_signed_in_shopper_joins_with_one_click(page: Page, stub: Stub) -> None:
    member = stub.member
    stub.me["member"] = None
    panel = open_panel(page, stub)
    joined = partial(stub.me.update, member=member)
    stub.answer("POST", "join", Answer(status=201, body={**stub.me, "member": member}, then=joined))
    panel.get_by_role("button", name="Join free").click()
    expect(panel).to_contain_text("1,254 points")
    expect(page.locator("[role=status]").first).to_have_text("You are a member now.")


def test_a_new_member_hears_how_far_the_first_reward_is(page: Page, stub: Stub) -> None:
    stub.member["balance"] = {"available": 0, "pending": 0, "pending_next": None, "deficit": 0}
    for reward in stub.rewards[:3]:
        reward.update(state="short", missing=reward["cost"])
    stub.history = []
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("Your first reward is 100 points away")
    tab(page, "History")
    expect(panel).to_contain_text("Nothing here yet")


def test_a_deficit_says_what_happened_and_what_fills_it(page: Page, stub: Stub) -> None:
    stub.member["balance"].update(available=0, deficit=40)
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("0 points")
    expect(panel).to_contain_text("40 points went back with a return after they were spent.")


def test_the_mail_that_proves_an_address_is_asked_for_once(page: Page, stub: Stub) -> None:
    stub.member["email_proof"] = "wanted"
    panel = open_panel(page, stub)
    stub.answer("POST", "email-proof", Answer(status=202, body={"email_proof": "sent"}))
    button = panel.get_by_role("button", name="Send me the link")
    expect(button).to_be_visible()
    stub.member["email_proof"] = "sent"
    button.click()
    expect(panel).to_contain_text("We have sent you an e-mail.")
    assert len(stub.asked("POST", "email-proof")) == 1


def test_that_nothing_can_be_spent_now_is_said_before_anybody_tries(page: Page, stub: Stub) -> None:
    sentence = "Your account is being checked. Nothing is lost meanwhile."
    stub.member["stopped"] = {"reason": "being_checked", "title": "Being checked", "sentence": sentence}
    panel = open_panel(page, stub)
    expect(panel.get_by_role("status").filter(has_text=sentence)).to_be_visible()
    expect(panel.get_by_role("heading", name="Ready for you")).to_be_visible()
    expect(panel.get_by_role("button", name="Get €5.00 off")).to_have_count(0)


def test_a_tier_by_points_uses_the_servers_sentence(page: Page, stub: Stub) -> None:
    sentence = "246 more points this year bring Gold."
    stub.member["next_tier"].update(
        threshold=None, spent=None, missing=None, sentence=sentence, progress_percent=83.6
    )
    panel = open_panel(page, stub)
    expect(panel).to_contain_text(sentence)
    expect(panel.get_by_role("progressbar", name="Towards Gold")).to_have_attribute("aria-valuenow", "83.6")


def test_the_merchants_word_for_points_is_used_everywhere(page: Page, stub: Stub) -> None:
    stub.me["program"]["points_name"] = {"one": "leaf", "other": "leaves"}
    panel = open_panel(page, stub)
    expect(launcher(page)).to_have_text("1,254 leaves")
    expect(panel.get_by_role("heading", level=2)).to_have_text("Fern & Field leaves")
    expect(panel).to_contain_text("50 leaves expire")


@pytest.mark.parametrize(
    ("currency", "minor", "shown"),
    [("EUR", 6200, "€62.00"), ("JPY", 3000, "¥3,000"), ("KWD", 1250, "KWD\u00a01.250")],
)
def test_money_has_the_decimals_of_its_currency(
    page: Page, stub: Stub, currency: str, minor: int, shown: str
) -> None:
    stub.member["balance"]["worth"] = {"minor": minor, "currency": currency}
    expect(open_panel(page, stub)).to_contain_text(f"Worth up to {shown} off")


def test_the_top_tier_promises_nothing_more(page: Page, stub: Stub) -> None:
    stub.member.update(
        tier={"key": "gold", "name": "Gold", "earn_percent": 150, "since": None}, next_tier=None
    )
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("there is no higher tier")
    expect(panel.get_by_role("progressbar", name="Towards")).to_have_count(1)  # the almost affordable board's


def test_a_program_without_tiers_shows_no_tier(page: Page, stub: Stub) -> None:
    stub.member.update(tier=None, next_tier=None)
    stub.me["program"]["tiers"] = []
    panel = open_panel(page, stub)
    expect(panel).to_contain_text("Ready for you")
    expect(panel.locator(".lw-tier")).to_have_count(0)


def test_inline_the_same_panel_stands_in_the_page(page: Page, stub: Stub) -> None:
    stub.page["mode"] = "inline"
    visit(page, stub)
    expect(page.get_by_role("button", name="Get €5.00 off")).to_be_visible()
    expect(page.get_by_role("button", name="Close")).to_have_count(0)
    expect(launcher(page)).to_have_count(0)


def test_amounts_from_are_of_the_programs_currency(page: Page, stub: Stub) -> None:
    stub.rewards[1]["minimum_spend"] = eur(2050)
    expect(open_panel(page, stub)).to_contain_text("orders from €20.50")
