"""`laurel demo` in a browser: buy, watch points arrive, redeem, and see the code in the shop."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sandbox.demo.live import Running, Wish, running
from tests.web.widget.conftest import context

__all__ = ["context"]

HOME = Path(tempfile.gettempdir()) / f"laurel-demo-live-{os.getuid()}"
WISH = Wish(orders=30, any_ports=True)


def quiet(*_: object) -> None: ...


@pytest.fixture(scope="module")
def demo() -> Iterator[Running]:
    with running(HOME, WISH, mail=quiet, say=quiet) as demo:
        yield demo


@pytest.fixture
def page(context: object) -> Page:
    made: Page = context.new_page()  # type: ignore[attr-defined]
    made.set_default_timeout(20_000)
    return made


def shop_as_somebody(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Shopping as").select_option(index=1)
    page.get_by_role("button", name="Change").click()


def buy(page: Page, name: str, code: str = "") -> None:
    card = page.get_by_role("listitem").filter(has_text=name)
    card.get_by_role("button", name="Add to cart").click()
    page.get_by_label("Discount code").fill(code)
    page.get_by_role("button", name="Buy now").click()
    expect(page.get_by_text("Thank you.")).to_be_visible()


def balance(page: Page) -> None:
    page.locator("button[aria-haspopup=dialog]").click()
    expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("platform", ["woocommerce", "shopify"])
def test_buy_redeem_and_see_the_code(demo: Running, page: Page, platform: str) -> None:
    shop_as_somebody(page, getattr(demo, platform))
    buy(page, "Box of ten")
    if platform == "woocommerce":
        page.locator("#orders article").first.get_by_role("button", name="Pay", exact=True).click()
    balance(page)
    get = page.get_by_role("button", name="Get $5.00 off")
    expect(get).to_be_visible(timeout=20_000)  # 129 points are there
    get.click()
    page.get_by_role("button", name="Get the code").click()
    shown = page.get_by_role("dialog").get_by_text("LRL-", exact=False).first
    expect(shown).to_be_visible(timeout=20_000)
    code = shown.inner_text().strip()
    page.goto(getattr(demo, platform))
    listed = page.locator("#codes article").filter(
        has_text=code.lower() if platform == "woocommerce" else code
    )
    expect(listed).to_have_count(1)
    buy(page, "Kind of Blue", code)
    expect(page.locator("#codes article").first).to_contain_text("1 of 1 used")


@pytest.mark.browser
def test_the_shopify_shops_admin_has_laurel_in_its_frame(demo: Running, page: Page) -> None:
    page.goto(demo.shopify)
    page.get_by_role("link", name="its admin").click()
    inside = page.frame_locator("iframe")
    expect(inside.get_by_role("heading", name="Home", level=1)).to_be_visible()
    page.get_by_role("button", name="Members").click()  # a document without a token: it goes round for one
    expect(inside.get_by_role("heading", name="Members", level=1)).to_be_visible()
    inside.get_by_role("navigation", name="Members found").get_by_role("link").first.click()
    expect(inside.get_by_role("link", name="Adjust points")).to_be_visible()
