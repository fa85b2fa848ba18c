"""What is photographed: every state of the widget on a shop's page, and the pages that Laurel has for the shop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape

from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.gallery.shop import MEMBER, STRANGER
from tests.web.shoppers import Storefront

Take = Callable[[str, Page], None]
SHOP_PAGE = """<!doctype html><html lang="{lang}" dir="{dir}"><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root {{ color-scheme: light dark }} body {{ margin: 0; background: light-dark(#faf8f4, #14120f); }}
i {{ display: block; margin: 20px; block-size: 150px; background: light-dark(#eee9df, #221f1a); }}
i + i {{ block-size: 20px; inline-size: 60%; }}</style>
<i></i><i></i><i></i><laurel-widget api="/storefront/v1" shop="{shop}" token="{token}" lang="{lang}"
 signin-url="/login" join-url="/join" apply-url="/discount/{{code}}"></laurel-widget>
<script type="module" src="/widget/laurel.js"></script>"""


def widget_faces(context: BrowserContext, storefront: Storefront, lang: str, take: Take) -> None:
    for name, sub, walk in (
        ("guest", "", _panel),
        ("not joined", STRANGER, _panel),
        ("member", MEMBER, _member),
        ("out of reach", MEMBER, _panel),
    ):
        with _visiting(context, storefront, lang, sub, broken=name == "out of reach") as page:
            walk(name, page, take)


@contextmanager
def _visiting(
    context: BrowserContext, storefront: Storefront, lang: str, sub: str, *, broken: bool
) -> Iterator[Page]:
    page = context.new_page()
    page.clock.set_fixed_time(storefront.rt.now())
    told = {"lang": lang, "shop": storefront.shop.key, "token": storefront.token(sub) if sub else ""}
    html = SHOP_PAGE.format(dir="rtl" if lang == "ar" else "ltr", **{k: escape(v) for k, v in told.items()})
    page.route("**/shop", lambda route: route.fulfill(body=html, content_type="text/html"))
    if broken:
        page.route("**/storefront/**", lambda route: _unreachable(route))
    page.goto(f"{storefront.rt.public_url}/shop")
    yield page
    page.close()


def _unreachable(route: Route) -> None:
    body = '{"code": "unavailable", "ref": "7QX2-M9XD"}'
    route.fulfill(status=503, body=body, content_type="application/problem+json")


def _panel(name: str, page: Page, take: Take) -> None:
    page.locator("button[aria-haspopup=dialog]").click()
    expect(page.locator(".lw-panel:not([aria-busy=true]) h2")).to_be_visible()
    expect(page.locator(".lw-body")).not_to_have_css("visibility", "hidden")
    take(name, page)


def _member(name: str, page: Page, take: Take) -> None:
    expect(page.locator("button[aria-haspopup=dialog]")).to_be_visible()
    take("launcher", page)
    page.locator("button[aria-haspopup=dialog]").click()
    body, panel = page.locator(".lw-body"), page.locator("[role=tabpanel]:visible")
    expect(panel.locator(".lw-btn").first).to_be_visible()
    expect(panel.locator(".lw-wait")).to_have_count(0)
    take("home", page)
    body.evaluate("e => e.scrollTo(0, e.scrollHeight)")
    take("home, further down", page)
    for at, tab in ((1, "ways to earn"), (2, "history")):
        page.get_by_role("tab").nth(at).click()
        expect(panel.locator("li").first).to_be_visible()
        expect(panel.locator(".lw-wait")).to_have_count(0)
        if tab == "history":
            panel.locator("summary").first.click()
        body.evaluate("e => e.scrollTo(0, e.querySelector('[role=tablist]').offsetTop - 60)")
        take(tab, page)
        body.evaluate("e => e.scrollTo(0, 0)")
    page.get_by_role("tab").first.click()
    for key, shown in (("code ", "code"), ("get steps", "redeeming, how many"), ("get off", "redeeming")):
        page.locator(f"[data-key^='{key}']").click()
        expect(page.locator(".lw-two").first).to_be_visible()
        take(shown, page)
        page.locator(".lw-head .lw-icon").first.click()
        expect(page.get_by_role("tablist")).to_be_visible()


def hosted_faces(context: BrowserContext, storefront: Storefront, lang: str, take: Take) -> None:
    """A context that is signed in."""
    page = context.new_page()
    page.clock.set_fixed_time(storefront.rt.now())
    home = f"{storefront.rt.public_url}/my/{storefront.shop.key}/"
    page.goto(f"{home}?lang={lang}")
    expect(page.locator("[role=tabpanel]:visible .lw-btn").first).to_be_visible()
    expect(page.locator("[role=tabpanel]:visible .lw-wait")).to_have_count(0)
    take("page", page)
    page.locator("#show-card").click()
    expect(page.locator("#card-code")).not_to_be_empty()
    take("page, card", page)
    context.clear_cookies()
    page.goto(f"{home}?lang={lang}")
    expect(page.locator(".lw-panel")).to_be_visible()
    take("page, stranger", page)
    page.goto(f"{home}sign-in?lang={lang}")
    take("page, signing in", page)
    page.close()
