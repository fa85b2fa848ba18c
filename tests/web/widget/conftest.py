"""Chromium, a page of a shop, and the stub server behind it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from tests.web.widget.stub import Stub, serving

NOW = "2026-11-21T14:32:00Z"
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(Stub()) as stub:
        yield stub


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """One visitor. `@pytest.mark.parametrize("context", [{"viewport": PHONE}], indirect=True)` changes it."""
    wishes = {
        "viewport": DESKTOP,
        "locale": "en-GB",
        "reduced_motion": "reduce",
        **getattr(request, "param", {}),
    }
    context = browser.new_context(**wishes)
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails the test when a script throws or the CSP stops something."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None
    )
    page.clock.set_fixed_time(NOW)
    yield page
    assert wrong == []
