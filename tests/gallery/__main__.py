"""`python -m tests.gallery OUT`: pictures of all faces in all languages, light and dark, on a phone and a desktop.

OUT gets a folder of pictures and a sheet with all of them for each language, and `index.html`. What a machine sees is
said: text that leaves its place, words left in English, with --axe what axe-core finds. The rest is yours to see.
"""

import argparse
import logging
import re
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import structlog
from playwright.sync_api import Browser, Page, StorageState, ViewportSize, sync_playwright

from app.domain.words import LANGUAGES
from tests.conftest import CHROMIUM_ARGS, Mails
from tests.gallery.faces import hosted_faces, widget_faces
from tests.gallery.looking import english, spilled, violations
from tests.gallery.shop import EMAIL, gallery_shop
from tests.web.shoppers import Storefront

SIZES: dict[str, ViewportSize] = {
    "phone": {"width": 360, "height": 740},
    "desktop": {"width": 1000, "height": 740},
}
THEMES = ("light", "dark")
SHEET = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{language}</title>
<style>body {{ font: 14px system-ui; margin: 16px; background: #888; }} h2 {{ margin: 24px 0 8px; }}
div {{ display: flex; gap: 8px; align-items: start; }} img {{ display: block; }}</style>
<h1>{language}</h1>{rows}"""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.gallery", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--languages", default=",".join(LANGUAGES), help="such as de,ar")
    parser.add_argument("--accent", help='the merchant\'s colour, such as "#ffd400"')
    parser.add_argument("--axe", action="store_true", help="ask axe-core about each picture too")
    given = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began, languages = time.monotonic(), given.languages.split(",")
    changes = {"look": {"accent": given.accent}} if given.accent else {}
    with gallery_shop(**changes) as storefront, sync_playwright() as playwright:
        path = shutil.which("chromium") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        state = signed_in(browser, storefront)
        gallery = Gallery(browser, storefront, state, given.out, axe=given.axe)
        for language in languages:
            gallery.photograph(language)
        browser.close()
    links = "".join(f'<p><a href="{one}.html">{one}</a>' for one in languages)
    (given.out / "index.html").write_text(f"<!doctype html><title>Laurel</title>{links}")
    for found in gallery.found:
        print(found)
    print(
        f"{gallery.pictures} pictures in {given.out}, {len(gallery.found)} findings, {time.monotonic() - began:.0f} s"
    )
    return 1 if gallery.found else 0


def signed_in(browser: Browser, storefront: Storefront) -> StorageState:
    context = browser.new_context()
    page, mails = context.new_page(), storefront.rt.send_mail
    assert isinstance(mails, Mails)
    page.goto(f"{storefront.rt.public_url}/my/{storefront.shop.key}/sign-in")
    page.fill("#email", EMAIL)
    page.click("button[type=submit]")
    while not mails.sent:  # it goes out after the answer
        page.wait_for_timeout(50)
    found = re.search(r"http://\S+/sign-in/[\w-]+", mails.sent[0][2])
    assert found is not None
    page.goto(found[0])
    page.click("button[type=submit]")
    page.wait_for_selector("#show-card")
    state = context.storage_state()
    context.close()
    return state


@dataclass
class Gallery:
    browser: Browser
    storefront: Storefront
    state: StorageState
    out: Path
    axe: bool
    pictures: int = 0
    found: list[str] = field(default_factory=list)

    def photograph(self, language: str) -> None:
        """All faces in one language, and its sheet."""
        taken: dict[str, list[str]] = {}
        for size in SIZES:
            for theme in THEMES:
                self._one_look(language, size, theme, taken)
        rows = "".join(
            f"<h2>{escape(name)}</h2><div>"
            + "".join(f'<img src="{language}/{file}" alt="{escape(file)}">' for file in files)
            + "</div>"
            for name, files in taken.items()
        )
        (self.out / f"{language}.html").write_text(SHEET.format(language=language, rows=rows))

    def _one_look(self, language: str, size: str, theme: str, taken: dict[str, list[str]]) -> None:
        folder = self.out / language
        folder.mkdir(parents=True, exist_ok=True)
        context = self.browser.new_context(
            viewport=SIZES[size],
            color_scheme="dark" if theme == "dark" else "light",
            locale=language,
            timezone_id="UTC",
            reduced_motion="reduce",
            storage_state=self.state,
        )

        def take(name: str, page: Page) -> None:
            file = folder / f"{re.sub('[^a-z]+', '-', name)}-{size}-{theme}.jpg"
            page.screenshot(path=file, type="jpeg", quality=70, full_page=name.startswith("page"))
            taken.setdefault(name, []).append(file.name)
            self.pictures += 1
            wrong = [f"leaves its place: {one}" for one in spilled(page)]
            wrong += [f"English: {one}" for one in english(page)] if language != "en" else []
            wrong += violations(page) if self.axe else []
            self.found += [f"{file.relative_to(self.out)}: {one}" for one in wrong]

        widget_faces(context, self.storefront, language, take)
        hosted_faces(context, self.storefront, language, take)
        context.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
