"""A shop's page that a browser can open, and somebody who looks at it."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from queue import SimpleQueue

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import make_server

from app.services.runtime import Runtime
from app.web import create_app
from tests.web.shoppers import Storefront, make_storefront
from tests.web.widget.conftest import DESKTOP

Post = SimpleQueue[tuple[str, str, str]]


@pytest.fixture
def post() -> Post:
    """Mails as they go out, to be waited for."""
    return SimpleQueue()


@pytest.fixture
def served(rt: Runtime, program_id: int, post: Post) -> Iterator[Storefront]:
    """A shop whose page lies below its `rt.public_url`."""
    server = make_server("127.0.0.1", 0, Flask("none"), threaded=True)
    local = replace(
        rt,
        public_url=f"http://127.0.0.1:{server.server_port}",
        send_mail=lambda to, subject, text: post.put((to, subject, text)),
    )
    server.app = app = create_app(local)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield make_storefront(local, app.test_client(), program_id)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
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
    """A page that fails the test when a script throws or the policy stops something."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None
    )
    yield page
    assert wrong == []
