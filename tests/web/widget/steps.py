"""What a shopper does, in the words of the page."""

from playwright.sync_api import Locator, Page, expect

from tests.web.widget.stub import Stub


def visit(page: Page, stub: Stub) -> None:
    page.goto(stub.url)


def launcher(page: Page) -> Locator:
    return page.locator("button[aria-haspopup=dialog]")


def open_panel(page: Page, stub: Stub) -> Locator:
    visit(page, stub)
    launcher(page).click()
    panel = page.get_by_role("dialog")
    expect(panel).to_be_visible()
    panel.evaluate("panel => Promise.all(panel.getAnimations().map((one) => one.finished))")  # it glides in
    return panel


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def ask_for(page: Page, title: str = "€5.00 off") -> None:
    page.get_by_role("button", name=f"Get {title}").click()


def order(page: Page, title: str = "€5.00 off") -> None:
    ask_for(page, title)
    page.get_by_role("button", name="Get the code").click()
