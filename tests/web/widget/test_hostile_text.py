"""Whatever the server's sentences hold is text in the panel, in each of its views."""

from itertools import cycle
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.web.hostile_text import STRINGS, grown, unguarded
from tests.web.widget.conftest import NOW
from tests.web.widget.steps import launcher
from tests.web.widget.stub import Stub, make_item, make_redemption, make_reward, problem

pytestmark = pytest.mark.browser

# What the panel decides by, and what must be a date or a colour.
_KEPT = {"key", "kind", "state", "currency", "unit", "timezone", "tier_period", "look", "id", "server_time"}


def hostile(value: Any, texts: Any, name: str = "") -> Any:
    """The same answer with every sentence replaced."""
    match value:
        case dict():
            return {key: one if key in _KEPT else hostile(one, texts, key) for key, one in value.items()}
        case list():
            return [hostile(one, texts) for one in value]
        case str() if name not in ("at", "since", "joined_on", "available_at", "expires_at"):
            return next(texts)
        case _:
            return value


def test_text_stays_text_in_every_view(browser: Browser, stub: Stub) -> None:
    texts = cycle(STRINGS)
    stub.me = hostile(stub.me, texts)
    stub.rewards = [
        make_reward(f"r{number}", text, 100, reason=text, barrier=text, state=state)
        for number, text in enumerate(STRINGS)
        for state in (("ready", "short", "locked")[number % 3],)
    ]
    stub.redemptions = [
        hostile(make_redemption(id=f"r_{number}", code=text), texts) | {"code": text}
        for number, text in enumerate(STRINGS)
    ]
    stub.history = [
        make_item(f"e{number}", text, 5, NOW, text, facts=[{"label": text, "value": text}])
        for number, text in enumerate(STRINGS)
    ]
    context = unguarded(browser)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.goto(stub.url)
    launcher(page).click()
    page.get_by_role("dialog").wait_for()
    found = grown(page)
    tabs = page.get_by_role("tab")
    for number in range(tabs.count()):
        tabs.nth(number).click()
        for summary in page.locator("summary").all():
            summary.click()
        found += grown(page)
    assert STRINGS[4] in page.evaluate("() => document.querySelector('laurel-widget').shadowRoot.textContent")
    tabs.first.click()
    stub.answer("POST", "redemptions", problem(409, "insufficient_points", STRINGS[0], STRINGS[4]))
    page.get_by_role("button", name="Get <").first.click()
    found += grown(page)
    context.close()
    assert found == []
