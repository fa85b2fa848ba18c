"""A visitor's page that fails the test when a script throws or the policy stops something."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser

from app.services.runtime import Runtime
from app.web import create_app
from tests.conftest import make_program
from tests.theme.stage import Stage, make_stage
from tests.web.shoppers import make_storefront


@pytest.fixture
def laurel(rt: Runtime) -> Flask:
    return create_app(rt)


@pytest.fixture
def stage(browser: Browser, rt: Runtime, laurel: Flask) -> Iterator[Stage]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US")
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if "Content Security" in line.text else None)
    storefront = make_storefront(
        rt, laurel.test_client(), make_program(rt, currency="USD"), platform="shopify", currency="USD"
    )
    yield make_stage(page, laurel, storefront)
    context.close()
    assert wrong == []
