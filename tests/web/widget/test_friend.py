"""A friend's link: a member hands it on, and it is remembered where the friend lands until it can be told."""

import pytest
from playwright.sync_api import Page, expect

from tests.web.widget.steps import launcher, open_panel, tab, visit
from tests.web.widget.stub import Answer, Stub, problem

pytestmark = pytest.mark.browser

LINK = "https://fern.example/?laurel_friend=9K2M4QXWJ7TDA5HZ"
KEPT = "localStorage.getItem('laurel-friend')"


def land(page: Page, stub: Stub, code: str = "9K2M4QXWJ7TDA5HZ") -> None:
    page.goto(f"{stub.url}?laurel_friend={code}")
    expect(launcher(page)).to_be_visible()


def told(stub: Stub) -> list[object]:
    return [request.body["code"] for request in stub.asked("POST", "referrals")]


def test_a_member_copies_the_link_that_the_server_made(page: Page, stub: Stub) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    stub.me["program"]["referral"] = True
    stub.always("POST", "referral-code", Answer(body={"code": "9K2M4QXWJ7TDA5HZ", "link": LINK}))
    panel = open_panel(page, stub)
    tab(page, "Ways to earn")
    expect(panel.get_by_role("heading", name="Bring a friend")).to_be_visible()
    panel.get_by_role("button", name="Copy your link").click()
    expect(panel.get_by_role("button", name="Copied")).to_be_focused()
    expect(panel).to_contain_text(LINK)
    assert page.evaluate("navigator.clipboard.readText()") == LINK
    panel.get_by_role("button", name="Copy your link").click()  # it says so again after a while
    expect(panel.get_by_role("button", name="Copied")).to_be_visible()
    assert len(stub.asked("POST", "referral-code")) == 1


def test_where_the_browser_copies_nothing_the_link_is_marked(page: Page, stub: Stub) -> None:
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))")
    stub.me["program"]["referral"] = True
    stub.always("POST", "referral-code", Answer(body={"code": "9K2M4QXWJ7TDA5HZ", "link": LINK}))
    panel = open_panel(page, stub)
    tab(page, "Ways to earn")
    panel.get_by_role("button", name="Copy your link").click()
    expect(panel.get_by_role("button", name="Marked: copy it now")).to_be_visible()


def test_a_program_that_gives_nothing_for_friends_offers_no_link(page: Page, stub: Stub) -> None:
    panel = open_panel(page, stub)
    tab(page, "Ways to earn")
    expect(panel.get_by_role("heading", name="Tiers")).to_be_visible()
    expect(panel.get_by_role("heading", name="Bring a friend")).to_have_count(0)


def test_a_visitors_link_waits_until_there_is_a_member_and_is_told_once(page: Page, stub: Stub) -> None:
    member = stub.member
    stub.me.update(member=None, signed_in=False)
    stub.always("POST", "referrals", Answer(status=201, body={"known": True}))
    land(page, stub)
    assert page.evaluate(KEPT) is not None
    visit(page, stub)  # looks around
    expect(launcher(page)).to_be_visible()
    assert told(stub) == []
    stub.me.update(member=member, signed_in=True)
    with page.expect_response("**/referrals*"):
        visit(page, stub)
    page.wait_for_function(f"() => {KEPT} === null")
    visit(page, stub)
    expect(launcher(page)).to_be_visible()
    assert told(stub) == ["9K2M4QXWJ7TDA5HZ"]


def test_joining_in_the_panel_tells_at_once(page: Page, stub: Stub) -> None:
    member = stub.member
    stub.me.update(member=None, signed_in=True)
    stub.always("POST", "referrals", Answer(status=201, body={"known": True}))
    land(page, stub)
    launcher(page).click()
    stub.always("POST", "join", Answer(status=201, body={**stub.me, "member": member}))
    with page.expect_response("**/referrals*"):
        page.get_by_role("dialog").get_by_role("button", name="Join free").click()
    assert told(stub) == ["9K2M4QXWJ7TDA5HZ"]


def test_no_answer_keeps_the_link_and_a_definite_no_drops_it(page: Page, stub: Stub) -> None:
    stub.answer("POST", "referrals", problem(503, "try_again"))
    stub.always("POST", "referrals", problem(409, "not_new", "Not possible", "Only new ones."))
    with page.expect_response("**/referrals*"):
        land(page, stub)
    assert page.evaluate(KEPT) is not None
    with page.expect_response("**/referrals*"):
        visit(page, stub)
    page.wait_for_function(f"() => {KEPT} === null")
    assert len(told(stub)) == 2


@pytest.mark.parametrize("code", ["", "<img src=x>", "a b", "x" * 61])
def test_what_is_no_code_is_not_kept(page: Page, stub: Stub, code: str) -> None:
    stub.me.update(member=None, signed_in=False)
    land(page, stub, code)
    assert page.evaluate(KEPT) is None


def test_a_link_of_long_ago_is_forgotten_untold(page: Page, stub: Stub) -> None:
    old = '{"code": "9K2M4QXWJ7TDA5HZ", "at": 1600000000000}'
    page.add_init_script(f"localStorage.setItem('laurel-friend', '{old}')")
    visit(page, stub)
    page.wait_for_function(f"() => {KEPT} === null")
    assert told(stub) == []
