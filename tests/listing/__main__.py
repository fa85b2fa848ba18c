"""`python -m tests.listing OUT`: what the app directories show of Laurel, made from its own pages.

OUT/wordpress is the folder `assets` of wordpress.org's plugin directory: icons, banners, and the screenshots in the
order of `readme.txt`. OUT/shopify has the app's icon, the feature image and screenshots for Shopify's App Store, and
what to write as their alternative text. People and orders in them are made up.
"""

import argparse
import logging
import random
import re
import shutil
import sys
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from pathlib import Path

import structlog
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from app import web
from app.db import reconciliations
from app.domain.money import Money
from app.domain.staff import Role
from app.services.invite_staff import invite_staff
from app.web.hosted.icons import icon_svg
from tests.conftest import CHROMIUM_ARGS, NOW, Clock
from tests.factories import make_order
from tests.gallery.__main__ import SIZES, signed_in
from tests.gallery.faces import hosted_faces, widget_faces
from tests.gallery.shop import MEMBER, gallery_shop
from tests.web.shoppers import Storefront

GROUND, INK, PALE = "#1b6b4c", "#ffffff", "#f2f6f3"
LOGO = Path(web.__file__).parent / "static" / "admin" / "logo.svg"
ICONS = {"wordpress/icon-128x128.png": 128, "wordpress/icon-256x256.png": 256, "shopify/icon.png": 1200}
_SHOPPER = ("home", "history", "redeeming", "code", "ways to earn", "page, card")
_STAFF = {
    "staff, home": "/admin/",
    "staff, member": "/admin/members/{member}",
    "staff, rewards": "/admin/rewards",
}


@dataclass(frozen=True, slots=True)
class Slide:
    """One picture: its file, what it says, and the faces on it. `said`: its alternative text."""

    file: str
    title: str
    text: str
    faces: tuple[str, ...]
    said: str


FEATURE = Slide(
    "shopify/feature.png",
    "Points that explain themselves",
    "Earned, spent and shown on your own pages",
    ("home", "history"),
    "The Laurel panel on a phone: points and the way to the next level, and a history in which an entry is explained",
)
SLIDES = (
    Slide(
        "shopify/1-shoppers.png",
        "What shoppers have, and what it is good for",
        "Balance, level and rewards, on the shop’s own page",
        ("home", "ways to earn"),
        "The panel with points, the way to the next level and rewards; and the ways to earn points",
    ),
    Slide(
        "shopify/2-explained.png",
        "Every point is explained",
        "By the order, its rule and its level",
        ("history", "code"),
        "The history of a member with one entry explained, and a discount code that can be copied or cancelled",
    ),
    Slide(
        "shopify/3-rewards.png",
        "Rewards become discount codes",
        "For one customer, used once, given back if they cancel",
        ("redeeming", "code"),
        "Choosing a reward, and the discount code that was made of it",
    ),
    Slide(
        "shopify/4-home.png",
        "Your program at a glance",
        "What was given, what was redeemed, what is owed",
        ("staff, home",),
        "The merchant's first page with the program's figures and what needs attention",
    ),
    Slide(
        "shopify/5-member.png",
        "Each member, entry by entry",
        "Adjust with a reason, and take it back",
        ("staff, member",),
        "The merchant's page of one member: balance, level, and each entry with its explanation",
    ),
    Slide(
        "shopify/6-till.png",
        "A card for the till",
        "On a phone’s home screen, with the member’s own code",
        ("page, card",),
        "The shop's page at Laurel on a phone, showing a member's card with a QR code",
    ),
)
# In the order of "Screenshots" in the plugin's readme.txt.
SCREENSHOTS = ("wide", "home", "history", "redeeming", "staff, home", "staff, member")

# A page of the shop that is not there: a mug, its price, and our element.
SHOP = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Stoneware mug</title><style>
* {{ box-sizing: border-box; margin: 0 }} body {{ font: 17px/1.5 Georgia, serif; background: #faf8f4; color: #26221c }}
nav {{ display: flex; gap: 32px; padding: 24px 56px; border-block-end: 1px solid #e6dfd2 }}
b {{ margin-inline-end: auto }}
main {{ display: grid; grid-template-columns: 420px 1fr; gap: 56px; padding: 56px; max-inline-size: 850px }}
h1 {{ font-size: 38px; font-weight: 400; line-height: 1.15 }} p {{ margin-block-start: 16px }}
i {{ display: inline-block; font-style: normal; padding: 12px 28px; background: #26221c; color: #fff;
  margin-block-start: 24px }}
</style><nav><b>Fern &amp; Field</b><span>Kitchen</span><span>Garden</span><span>Basket (1)</span></nav><main>
<svg viewBox="0 0 420 420"><rect width="420" height="420" fill="#ece5d8"/>
<g fill="none" stroke="#8a9a86" stroke-width="22">
<path d="M275 175h24a44 44 0 0 1 0 88h-24"/></g><path d="M110 130h168v120a64 64 0 0 1-64 64h-40a64 64 0 0 1-64-64z"
fill="#a3b19e"/><ellipse cx="194" cy="130" rx="84" ry="17" fill="#75836f"/></svg>
<div><h1>Stoneware mug, sage</h1><p>€24.00</p><p>Thrown and glazed by hand. Holds three decilitres, and a little
more if nobody is looking.</p><i>Add to basket</i></div></main>
<laurel-widget api="/storefront/v1" shop="{shop}" token="{token}" lang="en" signin-url="/login" join-url="/join"
apply-url="/discount/{{code}}"></laurel-widget><script type="module" src="/widget/laurel.js"></script>"""
_PAGE = """<!doctype html><meta charset="utf-8"><style>
* {{ box-sizing: border-box; margin: 0 }}
body {{ inline-size: {width}px; block-size: {height}px; overflow: hidden; background: {ground}; color: {ink};
  font-family: system-ui, sans-serif; display: flex; align-items: center; gap: {gap}px; padding: 0 {gap}px }}
h1 {{ font-size: {large}px; line-height: 1.12; font-weight: 600; letter-spacing: -.02em; text-wrap: balance }}
p {{ font-size: {small}px; line-height: 1.4; margin-block-start: .8em; opacity: .85; text-wrap: balance }}
img {{ display: block; border-radius: 14px; border: 1px solid #0002; min-inline-size: 0 }}
.phone {{ inline-size: {narrow}px }} .desk {{ inline-size: {wide}px }}
.said {{ flex: 1 }}
</style><div class="said"><h1>{title}</h1><p>{text}</p></div>{images}"""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.listing", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT")
    out: Path = parser.parse_args(arguments).out
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for folder in ("wordpress", "shopify"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    with gallery_shop() as storefront, sync_playwright() as playwright:
        fill(storefront)
        path = shutil.which("chromium") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        make(browser, storefront, out)
        browser.close()
    print(f"{sum(1 for one in out.rglob('*') if one.is_file())} files in {out}")
    return 0


def make(browser: Browser, storefront: Storefront, out: Path) -> None:
    """All files, into two folders that are there."""
    for name, size in ICONS.items():
        _compose(browser, out / name, (size, size), 1, _icon(size))
    (out / "wordpress/icon.svg").write_bytes(icon_svg(GROUND, INK))
    faces = {**_shopper_faces(browser, storefront), **_staff_faces(browser, storefront)}
    for number, name in enumerate(SCREENSHOTS, 1):
        (out / f"wordpress/screenshot-{number}.png").write_bytes(faces[name])
    for scale, name in ((1, "banner-772x250"), (2, "banner-1544x500")):
        _compose(browser, out / f"wordpress/{name}.png", (772, 250), scale, _banner())
    for slide in (FEATURE, *SLIDES):
        _compose(browser, out / slide.file, (1600, 900), 1, _slide(slide, faces))
    said = "".join(f"{Path(one.file).name}: {one.said}\n" for one in (FEATURE, *SLIDES))
    (out / "shopify/alternative-texts.txt").write_text(said)


# --- What is photographed ----------------------------------------------------------------------------------


def fill(storefront: Storefront) -> None:
    """Customers who bought over some months, so that the merchant's pages are those of a shop that is open."""
    clock, chance = storefront.rt.clock, random.Random(1)  # noqa: S311 - chance, no secret
    assert isinstance(clock, Clock)
    bought = sorted(
        (chance.randint(1, 200), chance.randint(100, 160), chance.randint(1200, 18_000)) for _ in range(260)
    )
    for number, (days, customer, minor) in enumerate(reversed(bought), 2001):
        clock.at = NOW - timedelta(days=days, minutes=number)
        storefront.member(str(customer))
        storefront.see(
            make_order(
                order_ref=str(number),
                number=f"#{number}",
                customer_ref=str(customer),
                goods=Money(minor, "EUR"),
                placed_at=clock.at,
                paid_at=clock.at,
                updated_at=clock.at,
            )
        )
    clock.at = NOW
    with storefront.rt.db.begin(
        storefront.program_id
    ) as session:  # as after its first comparison with the shop
        run = reconciliations.start_run(
            session, storefront.shop.shop_id, "changed", since=clock.at, until=clock.at, now=clock.at
        )
        reconciliations.note_looked(session, run, len(bought))
        reconciliations.end_run(session, run, problem=None, now=clock.at)
        reconciliations.advance(session, storefront.shop.shop_id, until=clock.at)


def _shopper_faces(browser: Browser, storefront: Storefront) -> dict[str, bytes]:
    found: dict[str, bytes] = {}

    def take(name: str, page: Page) -> None:
        # What asks one thing is a low sheet: without the page above it.
        of = page.locator(".lw-panel") if name in ("redeeming", "code") else page
        found[name] = of.screenshot(type="png")

    state = signed_in(browser, storefront)
    context = _context(browser, SIZES["phone"], scale=2, storage_state=state)
    widget_faces(context, storefront, "en", take)
    hosted_faces(context, storefront, "en", take)
    context.close()
    context = _context(browser, {"width": 1280, "height": 800})
    page = context.new_page()
    page.clock.set_fixed_time(storefront.rt.now())
    html = SHOP.format(shop=storefront.shop.key, token=storefront.token(MEMBER))
    page.route("**/shop", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{storefront.rt.public_url}/shop")
    page.locator("button[aria-haspopup=dialog]").click()
    expect(page.locator("[role=tabpanel]:visible .lw-btn").first).to_be_visible()
    expect(page.locator(".lw-wait:visible")).to_have_count(0)
    wide = page.screenshot(type="png")
    context.close()
    return {name: found[name] for name in _SHOPPER} | {"wide": wide}


def _staff_faces(browser: Browser, storefront: Storefront) -> dict[str, bytes]:
    invited = invite_staff(
        storefront.rt, storefront.program_id, email="mara@shop.test", name="Mara Lind", role=Role.OWNER
    )
    context = _context(browser, {"width": 1200, "height": 820}, scale=2)
    page = context.new_page()
    page.clock.set_fixed_time(storefront.rt.now())
    page.goto(invited.link)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()
    found: dict[str, bytes] = {}
    for name, path in _STAFF.items():
        page.goto(storefront.rt.public_url + path.format(member=storefront.member(MEMBER)))
        expect(page.locator("h1")).to_be_visible()
        found[name] = page.screenshot(type="png")
    context.close()
    return found


def _context(browser: Browser, size: ViewportSize, *, scale: int = 1, **wishes: object) -> BrowserContext:
    return browser.new_context(
        viewport=size,
        device_scale_factor=scale,
        locale="en-GB",
        timezone_id="UTC",
        color_scheme="light",
        reduced_motion="reduce",
        **wishes,  # type: ignore[arg-type]
    )


# --- What is made of it ------------------------------------------------------------------------------------


def _slide(slide: Slide, faces: dict[str, bytes]) -> str:
    images = "".join(
        f'<img class="{"desk" if name.startswith("staff") else "phone"}" alt="" '
        f'src="data:image/png;base64,{b64encode(faces[name]).decode()}">'
        for name in slide.faces
    )
    wide = slide.faces[0].startswith("staff")
    return _PAGE.format(
        width=1600, height=900, ground=PALE, ink="#15201b", gap=64, large=44 if wide else 64, small=26, narrow=390,
        wide=1060, title=escape(slide.title), text=escape(slide.text), images=images,
    )  # fmt: skip


def _icon(size: int) -> str:
    """The mark on its ground, square: directories round the corners themselves."""
    return (
        f'<!doctype html><body style="margin:0;background:{GROUND};display:grid;place-items:center;block-size:{size}px">'
        f"{_mark(size * 62 // 100)}"
    )


def _banner() -> str:
    return _PAGE.format(
        width=772, height=250, ground=GROUND, ink=INK, gap=64, large=44, small=20, narrow=0, wide=0, title="Laurel",
        text="Points that explain themselves", images=_mark(150),
    )  # fmt: skip


def _mark(size: int) -> str:
    (path,) = re.findall(r'<path[^>]* d="([^"]+)"', LOGO.read_text())
    return f'<svg viewBox="0 0 24 24" width="{size}" height="{size}"><path fill="{INK}" d="{path}"/></svg>'


def _compose(browser: Browser, file: Path, size: tuple[int, int], scale: int, html: str) -> None:
    context = _context(browser, {"width": size[0], "height": size[1]}, scale=scale)
    page = context.new_page()
    page.set_content(html, wait_until="load")
    page.screenshot(path=file, type="png")
    context.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
