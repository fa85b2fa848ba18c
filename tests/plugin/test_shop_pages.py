"""The plugin's script in a real browser, on pages as the plugin writes them. Shop and server are answers by address."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.plugin.words import PLUGIN
from tests.web.keyboard import focused, violations

pytestmark = pytest.mark.browser

SHOP, LAUREL = "https://shop.example", "https://laurel.example"
TOKEN = "e30.eyJzdWIiOiI3In0.c2ln"
WISH = {"currency": "USD", "lines": "11.0.1.1000.0.100.0"}
ESTIMATE = {"points": 10, "text": "10 points", "about": False}
REWARD = {"key": "five", "title": "$5.00 off", "cost": 100, "state": "ready", "kind": "amount"}
ISSUED = {"id": "r_1", "state": "issued", "code": "LRL-1", "cost": 100, "reward": REWARD}
WORDS = {
    "earn": "You will earn %s.",
    "earnAbout": "You will earn about %s.",
    "guest": "Members earn %s.",
    "guestAbout": "Members earn about %s.",
    "have": "You have %s",
    "use": "Use",
    "using": "…",
    "yours": "Yours",
    "applied": "%s is applied.",
    "kept": "%s is kept.",
    "later": "Later.",
    "failed": "Failed.",
}
Answer = tuple[int, Any] | None


@dataclass
class Shop:
    """What answers, by path; None: nobody does. A list is answered in turn. `asked`: what came in."""

    page: Page
    answers: dict[str, Answer | list[Answer]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    def open(self, body: str, **config: Any) -> None:
        told = {
            "server": LAUREL,
            "shop": "fern",
            "lang": "en",
            "launcher": True,
            "signedIn": False,
            "token": f"{SHOP}/wp-json/laurel/v1/token",
            "nonce": "n1",
            "ajax": f"{SHOP}/wp-admin/admin-ajax.php",
            "store": f"{SHOP}/wp-json/wc/store/v1/",
            "signIn": f"{SHOP}/my-account/",
            "apply": f"{SHOP}/?laurel_code={{code}}",
            "words": WORDS,
            **config,
        }
        script = (PLUGIN / "assets/shop.js").read_text()
        html = (
            f"<!doctype html><body>{body}"
            f"<script>window.laurelLoyalty = {json.dumps(told)};</script><script>{script}</script>"
        )
        self.answers.setdefault("/", (200, html))
        self.page.route("**/*", self._answer)
        self.page.goto(f"{SHOP}/")

    def _answer(self, route: Route) -> None:
        request = route.request
        path = urlsplit(request.url).path
        body = request.post_data_json if request.post_data else dict(parse_qs(urlsplit(request.url).query))
        if request.method != "OPTIONS":
            self.asked.append((path, request.headers, body))
        known = self.answers.get(path)
        answer = known.pop(0) if isinstance(known, list) and request.method != "OPTIONS" else known
        if answer is None or isinstance(answer, list):
            return route.abort() if request.method != "OPTIONS" else self._fulfil(route, 200, "")
        return self._fulfil(route, *answer)

    def _fulfil(self, route: Route, status: int, body: Any) -> None:
        is_page = isinstance(body, str)
        headers = {
            "Content-Type": "text/html" if is_page else "application/json",
            "Access-Control-Allow-Origin": SHOP,
            "Access-Control-Allow-Headers": "authorization, content-type, idempotency-key",
            "Nonce": "store-nonce",
        }
        route.fulfill(status=status, headers=headers, body=body if is_page else json.dumps(body))

    def of(self, path: str) -> list[tuple[dict[str, str], Any]]:
        return [(headers, body) for asked, headers, body in self.asked if asked == path]

    def text(self, selector: str, wanted: Callable[[str], bool] = bool) -> str:
        """Its text, once it is as wanted."""
        found = ""
        for _ in range(100):
            found = self.page.locator(selector).first.inner_text()
            if wanted(found):
                return found
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{selector}: {found!r}")


@pytest.fixture
def shop(browser: Browser) -> Iterator[Shop]:
    context = browser.new_context()
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield Shop(page)
    context.close()
    assert wrong == []


def earn(kind: str = "product", wish: object = WISH, **data: str) -> str:
    more = "".join(f' data-{name}="{value}"' for name, value in data.items())
    text = json.dumps(wish) if wish else ""
    return f"<p class=laurel-earn data-laurel=earn data-kind={kind} data-wish='{text}'{more}></p>"


def signed_in(shop: Shop) -> None:
    shop.answers["/wp-json/laurel/v1/token"] = (200, {"token": TOKEN, "expires_in": 600})


def test_a_guest_hears_what_members_earn_and_nothing_personal_is_asked(shop: Shop) -> None:
    shop.answers["/storefront/v1/estimate"] = (200, {**ESTIMATE, "about": True})
    shop.open(earn())
    assert shop.text(".laurel-earn") == "Members earn about 10 points."
    (headers, query), *more = shop.of("/storefront/v1/estimate")
    assert "authorization" not in headers
    assert (query["lines"], query["key"], more) == ([WISH["lines"]], ["fern"], [])
    assert shop.of("/wp-json/laurel/v1/token") == []
    widget = shop.page.locator("laurel-widget")
    assert [widget.get_attribute(name) for name in ("api", "shop", "token")] == [
        f"{LAUREL}/storefront/v1",
        "fern",
        None,
    ]
    assert shop.of("/widget/laurel.js")


def test_a_shopper_is_named_by_the_token_and_an_old_nonce_is_renewed(shop: Shop) -> None:
    shop.answers["/wp-json/laurel/v1/token"] = [
        (403, {"code": "rest_cookie_invalid_nonce"}),
        (200, {"token": TOKEN, "expires_in": 600}),
    ]
    shop.answers["/wp-admin/admin-ajax.php"] = (200, "abcdef1234")
    shop.answers["/storefront/v1/estimate"] = (200, ESTIMATE)
    shop.open(earn(), signedIn=True)
    assert shop.text(".laurel-earn") == "You will earn 10 points."
    assert [headers["x-wp-nonce"] for headers, _ in shop.of("/wp-json/laurel/v1/token")] == [
        "n1",
        "abcdef1234",
    ]
    assert shop.of("/storefront/v1/estimate")[0][0]["authorization"] == f"Bearer {TOKEN}"
    assert shop.page.locator("laurel-widget").get_attribute("token") == TOKEN


@pytest.mark.parametrize(
    "answer",
    [
        None,
        (503, {}),
        (200, "<h1>a proxy's own page</h1>"),
        (200, {"points": None, "text": None, "about": False}),
    ],
)
def test_without_an_answer_the_page_is_as_if_nothing_were_there(shop: Shop, answer: Answer) -> None:
    signed_in(shop)
    for path in ("estimate", "me", "rewards", "redemptions"):
        shop.answers[f"/storefront/v1/{path}"] = answer
    shop.open(f"<h1>Mug</h1>{earn()}<div data-laurel=redeem></div>", signedIn=True)
    shop.page.wait_for_function("document.querySelector('laurel-widget')")
    shop.page.wait_for_timeout(500)
    assert shop.page.locator("body").inner_text().strip() == "Mug"


def test_what_the_server_says_is_text(shop: Shop) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    shop.answers["/storefront/v1/estimate"] = (200, {**ESTIMATE, "text": hostile})
    shop.open(earn())
    assert shop.text(".laurel-earn") == f"Members earn {hostile}."
    assert shop.page.locator(".laurel-earn img").count() == 0


def test_more_pieces_are_asked_for_as_so_many(shop: Shop) -> None:
    shop.answers["/storefront/v1/estimate"] = (200, ESTIMATE)
    shop.open(f"{earn()}<form class=cart><input class=qty type=number value=1></form>")
    shop.text(".laurel-earn")
    shop.answers["/storefront/v1/estimate"] = (200, {**ESTIMATE, "text": "30 points"})
    shop.page.fill("input.qty", "3")
    shop.page.locator("input.qty").blur()
    assert shop.text(".laurel-earn", lambda text: "30" in text) == "Members earn 30 points."
    assert shop.of("/storefront/v1/estimate")[-1][1]["lines"] == ["11.0.3.3000.0.300.0"]


def with_rewards(shop: Shop, *, mine: list[Any] | None = None) -> None:
    signed_in(shop)
    shop.answers["/storefront/v1/estimate"] = (200, ESTIMATE)
    shop.answers["/storefront/v1/me"] = (200, {"member": {"balance": {"available_text": "320 points"}}})
    shop.answers["/storefront/v1/rewards"] = (200, {"rewards": [REWARD]})
    shop.answers["/wp-json/wc/store/v1/cart"] = (200, {})
    shop.answers["/storefront/v1/redemptions"] = (200, {"redemptions": mine or []})


def test_a_reward_is_bought_once_and_put_into_the_cart(shop: Shop) -> None:
    with_rewards(shop)
    nothing: Answer = (200, {"redemptions": []})
    # Read, bought without an answer, bought again under the same key, read again.
    shop.answers["/storefront/v1/redemptions"] = [nothing, None, (201, ISSUED), nothing]
    shop.answers["/wp-json/wc/store/v1/cart/apply-coupon"] = (200, {})
    shop.open(f"{earn('cart', codes='LRL-1')}<div data-laurel=redeem></div>", signedIn=True)
    shop.page.get_by_role("button", name="Use: $5.00 off").click()
    assert shop.text(".laurel-said") == "LRL-1 is applied."
    bought = [(headers, body) for headers, body in shop.of("/storefront/v1/redemptions") if "reward" in body]
    assert [body["reward"] for _, body in bought] == ["five", "five"]
    assert len({headers["idempotency-key"] for headers, _ in bought}) == 1
    ((headers, body),) = shop.of("/wp-json/wc/store/v1/cart/apply-coupon")
    assert (headers["nonce"], body) == ("store-nonce", {"code": "LRL-1"})


def test_a_code_that_the_shop_refuses_is_kept_and_said_so(shop: Shop) -> None:
    with_rewards(shop, mine=[ISSUED])
    shop.answers["/wp-json/wc/store/v1/cart/apply-coupon"] = (400, {"message": "Not with &quot;SALE&quot;."})
    shop.open(f"{earn('cart')}<div data-laurel=redeem></div>", signedIn=True)
    shop.page.get_by_role("button", name="Use: $5.00 off").first.click()
    assert shop.text(".laurel-said") == 'Not with "SALE". LRL-1 is kept.'


def test_beside_a_code_that_wants_no_other_nothing_is_offered(shop: Shop) -> None:
    with_rewards(shop, mine=[ISSUED])
    shop.open(f"{earn('cart', codes='sale', alone='yes')}<div data-laurel=redeem></div>", signedIn=True)
    filled(shop)
    assert shop.page.locator("[data-laurel=redeem]").inner_html() == ""


def test_points_that_buy_nothing_yet_are_no_box_beside_the_way_to_pay(shop: Shop) -> None:
    with_rewards(shop)
    shop.answers["/storefront/v1/rewards"] = (200, {"rewards": [{**REWARD, "state": "short"}]})
    shop.open(f"{earn('cart')}<div data-laurel=redeem></div>", signedIn=True)
    filled(shop)
    assert shop.page.locator("[data-laurel=redeem]").inner_html() == ""


def test_an_amount_is_not_offered_where_the_cart_shows_another_currency(shop: Shop) -> None:
    free = {**REWARD, "key": "ship", "title": "Free shipping", "kind": "free_shipping"}
    with_rewards(shop, mine=[ISSUED])
    shop.answers["/storefront/v1/rewards"] = (200, {"rewards": [REWARD, free]})
    body = earn("cart", {"currency": "JPY", "lines": "11.0.1.1500.0.150.0"})
    shop.open(f"{body}<div data-laurel=redeem></div>", signedIn=True, currency="USD")
    shop.text("[data-laurel=redeem]")
    assert shop.page.locator("[data-laurel=redeem] li").all_inner_texts() == ["Free shipping 100Use"]


BAR = "<a href=# style='position:fixed;inset:auto 0 0;block-size:{};background:#fff;z-index:9999'>Basket</a>"


@pytest.mark.parametrize(("height", "lifted"), [("69px", "69px"), ("100vh", "0px")])
def test_the_launcher_stands_above_a_bar_of_the_theme(shop: Shop, height: str, lifted: str) -> None:
    """Storefront keeps such a bar on phones, above everything. What covers the window is none."""
    shop.open(BAR.format(height))
    shop.page.wait_for_function("document.querySelector('laurel-widget')")
    assert lift_of(shop) == lifted
    shop.page.locator("a").evaluate("bar => bar.remove()")
    shop.page.evaluate("window.dispatchEvent(new Event('scroll'))")
    shop.page.wait_for_function(
        "document.querySelector('laurel-widget').style.getPropertyValue('--laurel-lift') === '0px'"
    )


def lift_of(shop: Shop) -> object:
    return shop.page.locator("laurel-widget").evaluate("one => one.style.getPropertyValue('--laurel-lift')")


def filled(shop: Shop) -> None:
    """Once the offer was read, and what came of it is on the page."""
    shop.page.wait_for_function("document.querySelector('[data-laurel=redeem]').dataset.filled")
    shop.page.wait_for_load_state("networkidle")
    assert shop.of("/storefront/v1/redemptions")


OPTIONS = """<form class=wp-block-add-to-cart-with-options><input class=qty type=number value=2>
<input type=hidden name=variation_id></form><div hidden data-laurel=variations data-wishes='{}'></div>"""


def test_a_variation_chosen_in_the_options_block_is_asked_about(shop: Shop) -> None:
    """The block's page as WooCommerce 10.9.1 writes it: its script binds the hidden field's value."""
    shop.answers["/storefront/v1/estimate"] = (200, ESTIMATE)
    wishes = {"178": {**WISH, "lines": "177.178.1.2000.0.200.0"}, "179": None}
    shop.open(earn(wish="") + OPTIONS.format(json.dumps(wishes)))
    shop.page.wait_for_function("document.querySelector('laurel-widget')")
    choose = "(field, id) => { field.value = id; }"
    shop.page.locator("[name=variation_id]").evaluate(choose, "178")
    assert shop.text(".laurel-earn") == "Members earn 10 points."
    assert shop.of("/storefront/v1/estimate")[-1][1]["lines"] == ["177.178.2.4000.0.400.0"]
    # Its buttons say first that the number changed, and write it with a later frame.
    told = "field.dispatchEvent(new Event('change', { bubbles: true }))"
    more = f"field => {{ {told}; requestAnimationFrame(() => {{ field.value = 3; }}); }}"
    shop.answers["/storefront/v1/estimate"] = (200, {**ESTIMATE, "text": "60 points"})
    shop.page.locator("input.qty").evaluate(more)
    assert shop.text(".laurel-earn", lambda text: "60" in text) == "Members earn 60 points."
    for nothing in ("179", ""):
        shop.page.locator("[name=variation_id]").evaluate(choose, nothing)
        assert shop.text(".laurel-earn", lambda text: text == "") == ""


def test_a_code_in_the_cart_is_not_offered_once_more(shop: Shop) -> None:
    with_rewards(shop, mine=[ISSUED])
    shop.open(f"{earn('cart', codes='LRL-1')}<div data-laurel=redeem></div>", signedIn=True)
    shop.text("[data-laurel=redeem]")
    assert shop.page.locator("[data-laurel=redeem] li").all_inner_texts() == ["$5.00 off 100Use"]


def test_points_and_rewards_are_used_by_keyboard_alone_and_axe_finds_nothing(shop: Shop) -> None:
    style = f"<style>{(PLUGIN / 'assets/shop.css').read_text()}</style>"
    with_rewards(shop, mine=[ISSUED])
    shop.answers["/wp-json/wc/store/v1/cart/apply-coupon"] = (400, {"message": "Not here."})
    place = "<div class=laurel-redeem data-laurel=redeem></div>"
    shop.open(f"{style}<main><h1>Cart</h1>{earn('cart')}{place}</main>", signedIn=True)
    page = shop.page
    shop.text("[data-laurel=redeem]")
    for scheme in ("dark", "light"):
        page.evaluate("(scheme) => { document.documentElement.style.colorScheme = scheme; }", scheme)
        assert violations(page, "main") == []
    first, second = page.get_by_role("button", name="Use: $5.00 off").all()
    page.keyboard.press("Tab")
    assert focused(page) == "Use: $5.00 off"
    expect(first).to_be_focused()
    page.keyboard.press("Tab")
    expect(second).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.locator(".laurel-said")).to_be_focused()  # what came of it, and not the page's beginning
    assert focused(page) == "Not here. LRL-1 is kept."
    assert violations(page, "main") == []
