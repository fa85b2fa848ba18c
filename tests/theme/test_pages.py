"""The blocks on a page in a real browser, through the stand-in's app proxy, under a policy that allows nothing more."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.services.books import publish
from tests.theme.stage import Stage
from tests.web.keyboard import focused, tab_to, violations

pytestmark = pytest.mark.browser

MUG: Mapping[str, Any] = {
    "id": 11,
    "gift_card?": False,
    "variants": [{"id": 21, "price": 1000}, {"id": 22, "price": 2550}],
    "selected_or_first_available_variant": {"id": 21},
}
FORM = (
    '<form action="/cart/add"><input type="hidden" name="id" value="21">'
    '<input name="quantity" type="number" value="1"></form>'
)
SHIFT = """() => new Promise((done) => {
    let sum = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((one) => { sum += one.value; }))
        .observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
})"""

KEPT = "localStorage.getItem('laurel-friend')"


def points(stage: Stage, *, tax: float = 0, **options: Any) -> str:
    return stage.block("points", settings={"product": MUG, "tax": tax}, **options)


def choose(stage: Stage, name: str, value: str) -> None:
    """As themes do: the field's value, then its event."""
    stage.page.evaluate(
        "([name, value]) => { const field = document.querySelector(`[name=${name}]`); field.value = value;"
        " field.dispatchEvent(new Event('change', { bubbles: true })); }",
        [name, value],
    )


def test_a_member_sees_points_launcher_and_panel(stage: Stage) -> None:
    stage.sign_in(points=320)
    stage.open(stage.block("launcher"), points(stage), body=FORM)
    expect(stage.page.locator(".laurel-points")).to_have_text("You will earn 10 points.")
    button = stage.page.get_by_role("button", name="320 points")
    button.click()
    expect(stage.page.get_by_role("dialog")).to_be_visible()
    assert stage.page.evaluate(SHIFT) == 0


def test_the_sentence_follows_variant_and_quantity(stage: Stage) -> None:
    stage.sign_in(points=0)
    stage.open(points(stage), body=FORM)
    line = stage.page.locator(".laurel-points")
    expect(line).to_have_text("You will earn 10 points.")
    choose(stage, "id", "22")
    expect(line).to_have_text("You will earn 25 points.")
    choose(stage, "quantity", "3")
    expect(line).to_have_text("You will earn 76 points.")
    choose(stage, "id", "99")  # a variant that is not this product's: another form's
    expect(line).to_have_text("You will earn 10 points.")


def test_a_guest_hears_what_members_earn(stage: Stage) -> None:
    stage.open(
        stage.block("launcher"), points(stage), stage.block("rewards"), stage.block("invite"), body=FORM
    )
    expect(stage.page.locator(".laurel-points")).to_contain_text("10 points with this.")
    for kind in ("rewards", "invite"):
        link = stage.page.locator(f"[data-laurel={kind}]").get_by_role("link", name="Sign in")
        expect(link).to_have_attribute("href", "/account/login")
    expect(stage.page.get_by_role("link", name="Join")).to_have_attribute("href", "/account/register")
    assert stage.page.evaluate(SHIFT) == 0


@pytest.mark.parametrize(
    ("tax", "said"), [(0, "You will earn up to 10 points."), (25, "You will earn about 8 points.")]
)
def test_tax_in_the_price_earns_nothing_and_is_never_kept_quiet(stage: Stage, tax: float, said: str) -> None:
    stage.sign_in(points=0)
    cart = {"currency": {"iso_code": "USD"}, "taxes_included": True, "items": []}
    stage.open(points(stage, tax=tax, cart=cart), body=FORM)
    expect(stage.page.locator(".laurel-points")).to_have_text(said)


def test_another_currency_is_counted_by_the_pages_own_rate(stage: Stage) -> None:
    stage.sign_in(points=0)
    cart = {"currency": {"iso_code": "EUR"}, "taxes_included": False, "items": []}
    stage.page.add_init_script("window.Shopify = { currency: { active: 'EUR', rate: '0.5' } };")
    stage.open(points(stage, cart=cart), body=FORM)
    expect(stage.page.locator(".laurel-points")).to_have_text("You will earn about 20 points.")


def test_the_cart_is_counted_less_what_is_off_the_whole(stage: Stage) -> None:
    stage.sign_in(points=0)
    line = {
        "product_id": 11,
        "variant_id": 21,
        "quantity": 2,
        "final_line_price": 1800,
        "original_line_price": 2000,
        "gift_card": False,
    }
    card = {**line, "product_id": 12, "variant_id": 31, "final_line_price": 5000, "original_line_price": 5000}
    cart = {
        "currency": {"iso_code": "USD"},
        "taxes_included": False,
        "items": [line, {**card, "gift_card": True}],
        "items_subtotal_price": 6800,
        "total_price": 6500,
    }
    stage.open(stage.block("cart-points", cart=cart))
    expect(stage.page.locator(".laurel-points")).to_have_text("You will earn 15 points.")


def test_a_member_sees_balance_and_rewards_and_gets_a_link_for_friends(stage: Stage) -> None:
    stage.sign_in(points=120)
    stage.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    settings = {"accent": "#ffee00", "radius": 12}
    stage.open(
        stage.block("launcher"),
        stage.block("rewards", settings=settings),
        stage.block("invite", settings=settings),
    )
    box = stage.page.locator("[data-laurel=rewards]")
    expect(box.locator(".laurel-have")).to_contain_text("You have 120 points")
    expect(box.locator("li.laurel-ready").first).to_contain_text("Ready to use")
    assert stage.page.evaluate(SHIFT) == 0
    get = stage.page.get_by_role("button", name="Get your link")
    expect(get).to_have_css("background-color", "rgb(255, 238, 0)")
    expect(get).to_have_css("color", "rgb(0, 0, 0)")
    expect(get).to_have_css("border-radius", "12px")
    get.click()
    expect(stage.page.locator("[data-laurel=invite] [role=status]")).to_contain_text(
        f"{stage.shop.url}/?laurel_friend="
    )
    box.get_by_role("button", name="See your rewards").click()
    expect(stage.page.get_by_role("dialog")).to_be_visible()


def test_a_friends_link_is_kept_until_somebody_is_a_member_and_told_once(stage: Stage) -> None:
    stage.open(stage.block("launcher"), path="/?laurel_friend=ABC-1")
    stage.until(lambda: stage.page.evaluate(KEPT) is not None)
    stage.sign_in(points=0)
    stage.page.unroute_all()
    stage.open(stage.block("launcher"))
    stage.until(lambda: stage.page.evaluate(KEPT) is None)
    assert stage.asked.count("referrals") == 1


def test_the_page_of_rewards_keeps_its_place_and_needs_no_button(stage: Stage) -> None:
    stage.sign_in(points=320)
    stage.open(stage.block("launcher"), stage.block("page"))
    expect(stage.page.locator("laurel-widget")).to_have_count(1)
    expect(stage.page.locator("laurel-widget").get_by_text("320").first).to_be_visible()
    assert stage.page.evaluate(SHIFT) == 0


def test_from_right_to_left_in_the_shoppers_language(stage: Stage) -> None:
    stage.sign_in(points=320)
    blocks = [stage.block(name, language="ar") for name in ("launcher", "rewards")]
    stage.open(*blocks, points(stage, language="ar"), language="ar", body=FORM)
    expect(stage.page.locator(".laurel-points")).to_contain_text("ستكسب")
    expect(stage.page.locator("[data-laurel=rewards] .laurel-have")).to_contain_text("لديك")
    expect(stage.page.locator("laurel-widget [dir=rtl]").first).to_be_attached()
    assert stage.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_with_the_server_down_the_page_is_as_if_nothing_were_there(stage: Stage) -> None:
    stage.sign_in(points=320)
    stage.down = True
    names = ("launcher", "rewards", "invite", "cart-points", "page")
    stage.open(*(stage.block(name) for name in names), points(stage), body=FORM)
    asked = {"me", "estimate", "widget/laurel.js"}
    stage.until(lambda: asked <= set(stage.asked))
    assert stage.page.locator("body").inner_text().split() == ["Mug", "The", "end."]
    assert stage.page.evaluate(SHIFT) == 0


def test_nothing_of_the_answer_is_read_as_markup(stage: Stage) -> None:
    stage.sign_in(points=0)
    hostile = "<img src=x onerror=alert(1)>"
    stage.open(points(stage), body=FORM)
    stage.page.route(
        "**/apps/laurel/estimate*",
        lambda route: route.fulfill(
            content_type="application/json", body=json.dumps({"points": 5, "text": hostile, "about": False})
        ),
    )
    choose(stage, "id", "22")
    expect(stage.page.locator(".laurel-points")).to_have_text(f"You will earn {hostile}.")
    assert stage.page.locator(".laurel-points img").count() == 0


def test_the_merchants_colour_and_corners_dress_the_button(stage: Stage) -> None:
    stage.sign_in(points=320)
    stage.open(stage.block("launcher", settings={"accent": "#004488", "radius": 4, "position": "start"}))
    button = stage.page.get_by_role("button", name="320 points")
    expect(button).to_have_css("background-color", "rgb(0, 68, 136)")
    expect(button).to_have_css("color", "rgb(255, 255, 255)")
    box = button.bounding_box()
    assert box is not None
    assert box["x"] < 100


def test_what_no_block_says_is_as_the_program_looks(stage: Stage) -> None:
    look = {"accent": "#ffd400", "radius": 3, "position": "start", "font": "system"}
    publish(stage.storefront.rt, stage.storefront.program_id, look=look)
    stage.sign_in(points=320)
    stage.open(stage.block("launcher"), stage.block("invite"))
    button = stage.page.get_by_role("button", name="320 points")
    expect(button).to_have_css("background-color", "rgb(255, 212, 0)")
    expect(button).to_have_css("color", "rgb(16, 19, 15)")
    box = button.bounding_box()
    assert box is not None
    assert box["x"] < 100
    get = stage.page.get_by_role("button", name="Get your link")
    expect(get).to_have_css("background-color", "rgb(255, 212, 0)")
    expect(get).to_have_css("color", "rgb(16, 19, 15)")
    expect(get).to_have_css("border-radius", "3px")


def test_all_blocks_are_used_by_keyboard_alone_and_axe_finds_nothing(stage: Stage) -> None:
    stage.sign_in(points=120)
    page = stage.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    blocks = [stage.block(name) for name in ("rewards", "invite", "launcher")]
    stage.open(points(stage), *blocks, body=FORM)
    expect(page.get_by_role("button", name="120 points")).to_be_visible()
    expect(page.locator("li.laurel-ready").first).to_be_visible()
    expect(page.get_by_role("button", name="Get your link")).to_be_visible()
    for scheme in ("dark", "light"):
        page.evaluate("(scheme) => { document.documentElement.style.colorScheme = scheme; }", scheme)
        assert violations(page, "section") == []
    assert tab_to(page, "120 points") == ["See your rewards", "Get your link", "120 points"]
    tab_to(page, "Get your link", "Shift+Tab")
    page.keyboard.press("Space")
    expect(page.locator("[data-laurel=invite] [role=status]")).to_contain_text("/?laurel_friend=")
    assert focused(page) == "Get your link"  # and not at the page's beginning
    tab_to(page, "See your rewards", "Shift+Tab")
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog")
    expect(panel.get_by_role("heading", level=2)).to_be_focused()
    expect(panel.get_by_role("button", name="Get $5.00 off")).to_be_visible()
    tab_to(page, "Get $5.00 off")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert focused(page) == "See your rewards"
