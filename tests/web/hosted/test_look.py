"""A shop's page in the merchant's look: its colours, corners, icons and what a phone makes an app of."""

import re
import struct
import zlib

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from app.services.runtime import Runtime
from tests.services.books import publish
from tests.web.hosted.conftest import Post
from tests.web.hosted.test_browser import ADA, axe, home, sign_in
from tests.web.hosted.visitors import visit
from tests.web.shoppers import Storefront

ICONS = ("icon-180.png", "icon-192.png", "icon-512.png", "maskable-512.png")
YELLOW = {"accent": "#ffd400", "radius": 0}


def addresses(page: str) -> list[str]:
    return re.findall(r'"(/page/[0-9a-f]+/[^"/]+/[^"/]+)"', page)


def test_colours_corners_and_icons_are_the_merchants(app: Flask, storefront: Storefront, rt: Runtime) -> None:
    visitor = visit(app, storefront)
    before = visitor.get().text
    assert "/1b6b4c-10/look.css" in before
    publish(rt, storefront.program_id, look=YELLOW)
    page = visitor.get().text
    assert '<meta name="theme-color" content="#ffd400" media="(prefers-color-scheme: light)">' in page
    assert {one.rpartition("/")[2] for one in addresses(page)} == {"look.css", "icon.svg", "icon-180.png"}
    for path in addresses(page):
        assert "/ffd400-0/" in path
        answer = visitor.client.get(path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    style = next(one for one in addresses(page) if one.endswith(".css"))
    assert visitor.client.get(style).text == (
        ":root{--accent:light-dark(#ffd400,#ffd400);--on-accent:light-dark(#10130f,#10130f);"
        "--accent-text:light-dark(#7a6600,#ffd400);--radius:0px}\n"
    )
    manifest = visitor.get("manifest.webmanifest").get_json()
    assert manifest["theme_color"] == "#ffd400"
    assert all("/ffd400-0/" in one["src"] for one in manifest["icons"])
    worker = visitor.get("worker.js").text
    assert worker.count("/ffd400-0/look.css") == 2  # kept, and a reason for another worker
    assert "ffd400-0" in visitor.get("sign-in").text


@pytest.mark.parametrize("name", ICONS)
def test_an_icon_is_the_mark_on_the_accent_in_what_can_be_read_on_it(client: FlaskClient, name: str) -> None:
    size = int(name.split("-")[1].split(".")[0])
    palette, rows = drawn(client.get(f"/page/x/ffd400-10/{name}").data, size)
    assert palette[rows[0][0]] == (0xFF, 0xD4, 0)  # the ground, to the very corner
    used = {place for row in rows for place in row}
    assert {palette[0], palette[255]} == {(0xFF, 0xD4, 0), (0x10, 0x13, 0x0F)}
    assert {0, 255} <= used
    assert 0.02 < sum(row.count(255) for row in rows) / size**2 < 0.2


def drawn(png: bytes, size: int) -> tuple[list[tuple[int, ...]], list[bytes]]:
    """Palette and rows of a PNG of 8-bit places, read apart from what wrote it."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    found, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + body),)
        found[kind] = body
        at += 12 + length
    assert struct.unpack(">IIBBBBB", found[b"IHDR"]) == (size, size, 8, 3, 0, 0, 0)
    colours = found[b"PLTE"]
    pixels = zlib.decompress(found[b"IDAT"])
    lines = [pixels[row : row + size + 1] for row in range(0, len(pixels), size + 1)]
    assert [line[0] for line in lines] == [0] * size
    return [tuple(colours[at : at + 3]) for at in range(0, len(colours), 3)], [line[1:] for line in lines]


@pytest.mark.parametrize(
    "wrong", ["ffd40-10/look.css", "ffd400-25/look.css", "FFD400-10/look.css", "red-10/icon.svg", "1b6b4c-10/page.css",
              "1b6b4c-10/icon-9999.png", "%3Cscript%3E-1/look.css", "1b6b4c-٤/look.css"]
)  # fmt: skip
def test_nothing_else_is_drawn(client: FlaskClient, wrong: str) -> None:
    assert client.get(f"/page/x/{wrong}").status_code == 404


def test_a_page_from_before_looks_have_addresses_keeps_its_icons(client: FlaskClient) -> None:
    for name in ("icon.svg", *ICONS):
        old, now = client.get(f"/page/x/{name}"), client.get(f"/page/x/1b6b4c-10/{name}")
        assert (old.status_code, old.data) == (200, now.data)


@pytest.mark.browser
@pytest.mark.parametrize("accent", ["#ffd400", "#000000"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_difficult_colour(
    page: Page, served: Storefront, post: Post, accent: str, scheme: str
) -> None:
    served.know("7", ADA, verified=True)
    served.member("7", points=1254)
    publish(served.rt, served.program_id, look={"accent": accent, "radius": 24})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(home(served, lang="ar"))
    expect(page.locator("laurel-widget .lw-panel")).to_be_visible()
    found = axe(page)
    sign_in(page, served, post)
    expect(page.get_by_text("1,254").first).to_be_visible()
    found += axe(page)
    page.get_by_role("button", name="Get €5.00 off").click()
    expect(page.get_by_role("button", name="Get the code")).to_be_visible()
    found += axe(page)
    page.get_by_role("button", name="Show card").click()
    expect(page.locator("#card-code")).not_to_be_empty()
    found += axe(page)
    assert found == []


@pytest.mark.browser
def test_the_page_and_the_element_on_it_wear_one_colour(page: Page, served: Storefront, post: Post) -> None:
    served.know("7", ADA, verified=True)
    served.member("7", points=1254)
    publish(served.rt, served.program_id, look={"accent": "#5a31f4", "radius": 2})
    sign_in(page, served, post)
    page.get_by_role("button", name="Get €5.00 off").click()
    for name in ("Show card", "Get the code"):
        button = page.get_by_role("button", name=name)
        expect(button).to_have_css("background-color", "rgb(90, 49, 244)")
        expect(button).to_have_css("border-radius", "2px")
