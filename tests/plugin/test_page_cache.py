"""A page as the plugin's PHP writes it for one customer, kept by a cache and shown to others; and a friend's link
that lands on it. The widget is the real one. Shop and server are answers by address."""

import json
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from tests.plugin.test_shop_pages import ESTIMATE, SHOP
from tests.plugin.words import PLUGIN
from tests.web.widget.stub import FILES, make_me

pytestmark = pytest.mark.browser

ADA, EVE, NOBODY = 41, 42, 0
POINTS = {ADA: 1254, EVE: 77}
Answered = tuple[int, str, str]  # status, content type, body


def written_for(user: int) -> str:
    command = ["php", str(Path(__file__).with_name("page.php")), str(PLUGIN), str(user)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def nonce_of(user: int) -> str:
    return sha256(f"wp_rest{user}".encode()).hexdigest()[:10]


def token_of(user: int) -> str:
    return f"e30.{urlsafe_b64encode(json.dumps({'sub': str(user)}).encode()).decode().rstrip('=')}.c2ln"


def as_json(body: object, status: int = 200) -> Answered:
    return status, "application/json", json.dumps(body)


@dataclass
class Cache:
    """In front of the shop, and wrong: it keeps every page and every other answer to a GET, whatever they say of that."""

    kept: dict[str, Answered] = field(default_factory=dict)

    def answer(self, request: Request, origin: Callable[[], Answered]) -> Answered:
        if request.method != "GET":
            return origin()
        url = request.url.partition("?laurel_friend")[0]
        return self.kept.setdefault(url, self.kept.get(url) or origin())


@dataclass
class Visit:
    """One browser in which that user is signed in, or nobody."""

    context: BrowserContext
    user: int
    cache: Cache
    widget: bool = True
    told: list[tuple[str, str | None, str | None]] = field(
        default_factory=list
    )  # path, bearer, body at Laurel

    def open(self, query: str = "") -> Page:
        page = self.context.new_page()
        page.route("**/*", self._answer)
        page.goto(f"{SHOP}/{query}")
        return page

    def _answer(self, route: Route) -> None:
        request, parts = route.request, urlsplit(route.request.url)
        if f"{parts.scheme}://{parts.netloc}" == SHOP:
            status, kind, body = self.cache.answer(request, lambda: self._shop(request, parts.path))
        elif request.method == "OPTIONS":
            status, kind, body = 204, "text/plain", ""
        else:
            status, kind, body = self._laurel(request, parts.path)
        allowed = {
            "Access-Control-Allow-Origin": SHOP,
            "Access-Control-Allow-Headers": "authorization, content-type, idempotency-key",
        }
        route.fulfill(status=status, body=body, headers={"Content-Type": kind, **allowed})

    def _shop(self, request: Request, path: str) -> Answered:
        if path == "/":
            return 200, "text/html", written_for(self.user)
        if path.startswith("/plugin/"):
            return 200, "text/javascript", (PLUGIN / path.removeprefix("/plugin/")).read_text()
        if path == "/wp-json/laurel/v1/token":  # as WordPress: without its user's nonce nobody is anybody
            good = self.user and request.headers.get("x-wp-nonce") == nonce_of(self.user)
            return as_json({"token": token_of(self.user), "expires_in": 600}) if good else as_json({}, 403)
        if path == "/wp-admin/admin-ajax.php":
            return (200, "text/html", nonce_of(self.user)) if self.user else (400, "text/html", "0")
        return as_json({}, 404)

    def _laurel(self, request: Request, path: str) -> Answered:
        if path == "/widget/laurel.js" and self.widget:
            return 200, "text/javascript", FILES.entry.decode()
        if path.startswith("/widget/"):
            name = path.removeprefix(f"/widget/{FILES.digest}/")
            return (
                (200, FILES.content_type(name), FILES.bodies[name].decode())
                if self.widget
                else as_json({}, 404)
            )
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ") or None
        self.told.append((path.removeprefix("/storefront/v1/"), bearer, request.post_data))
        who = next((user for user in POINTS if bearer == token_of(user)), NOBODY)
        me: dict[str, Any] = make_me()
        if who:
            me["member"]["balance"]["available"] = POINTS[who]
        else:
            me.update(member=None, signed_in=False)
        known = {"me": me, "rewards": {"rewards": []}, "redemptions": {"redemptions": []}}
        return as_json({**known, "estimate": ESTIMATE, "referrals": {}}.get(self.told[-1][0], {}))

    @property
    def bearers(self) -> set[str | None]:
        return {bearer for _, bearer, _ in self.told}


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    contexts: list[BrowserContext] = []

    def make(user: int, cache: Cache, **options: Any) -> Visit:
        contexts.append(browser.new_context(locale="en-GB"))
        return Visit(contexts[-1], user, cache, **options)

    yield make
    for context in contexts:
        context.close()


def test_what_php_writes_for_one_customer_differs_from_another_s_by_the_nonce_alone() -> None:
    ada, eve, nobody = (written_for(user) for user in (ADA, EVE, NOBODY))
    assert ada.replace(nonce_of(ADA), nonce_of(EVE)) == eve
    assert "nonce" in nobody
    for user in (ADA, EVE, NOBODY):
        assert nonce_of(user) not in nobody
    assert str(ADA) not in ada.replace(nonce_of(ADA), "")


def test_a_cache_that_keeps_everything_hands_nobody_s_identity_on(visit: Callable[..., Visit]) -> None:
    cache = Cache()
    ada = visit(ADA, cache)
    expect(ada.open().get_by_role("button", name="1,254 points")).to_be_visible()
    assert ada.bearers == {token_of(ADA)}
    assert cache.kept[f"{SHOP}/"][2] == written_for(ADA)  # and this is what the others see

    eve = visit(EVE, cache)
    page = eve.open()
    expect(page.get_by_role("button", name="77 points")).to_be_visible()
    assert eve.bearers == {token_of(EVE)}

    nobody = visit(NOBODY, cache)
    page = nobody.open()
    expect(page.get_by_role("button", name="Points")).to_have_text("Points")
    page.get_by_role("button", name="Points").click()
    expect(page.get_by_role("dialog")).to_contain_text("Every order earns you something")
    assert nobody.bearers == {None}
    assert page.evaluate("() => Object.keys(localStorage).filter((name) => name.startsWith('laurel '))") == []
    expect(page.locator(".laurel-earn")).to_have_text("Members earn 10 points with this.")

    for url, (_, _, body) in cache.kept.items():
        assert token_of(ADA) not in body, url


def test_a_friend_s_link_is_remembered_without_the_widget_and_told_once_by_a_member(
    visit: Callable[..., Visit],
) -> None:
    kept = "() => localStorage.getItem('laurel-friend')"
    friend = visit(NOBODY, Cache(), widget=False)
    page = friend.open("?laurel_friend=ABC-1")
    page.wait_for_function(kept)
    friend.widget = True  # still nobody: nothing is told
    page = friend.open()
    expect(page.get_by_role("button", name="Points")).to_be_visible()
    assert [one for one in friend.told if one[0] == "referrals"] == []

    friend.user, friend.cache = EVE, Cache()
    page = friend.open()
    expect(page.get_by_role("button", name="77 points")).to_be_visible()
    page.wait_for_function(f"() => ({kept})() === null")
    (told,) = [one for one in friend.told if one[0] == "referrals"]
    assert told[1] == token_of(EVE)
    assert json.loads(told[2] or "") == {"shop": "fern", "code": "ABC-1"}
    page = friend.open()
    expect(page.get_by_role("button", name="77 points")).to_be_visible()
    page.get_by_role("button", name="77 points").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert [one[0] for one in friend.told].count("referrals") == 1
