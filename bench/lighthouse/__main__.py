"""`python -m bench.lighthouse [--pairs 9]`: the same shop page with Laurel's element and without, by turns.

First, once: `npm ci --ignore-scripts` in bench/lighthouse. Lighthouse's own phone: a slow 4G and a processor a quarter as
fast, simulated. Long tasks (over 50 ms) are measured apart, with the processor really slowed: while the page loads, and
while the panel is opened. Ends in 1 if the score loses more than 2 points.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
from flask import Flask
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from app.db.shops import get_secrets, update_shop
from app.services.drain_inbox import drain_inbox
from app.services.receive_delivery import receive_delivery
from bench.__main__ import make_baseline
from bench.house import BenchHouse, bench_house, bodies, sign
from bench.lighthouse.page import page
from bench.load import served
from connectors.base import WebhookRequest

LIGHTHOUSE = Path(__file__).parent / "node_modules/.bin/lighthouse"
MOST_LOST = 2
CHROMIUM_ARGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AUDITS = {
    "first paint, ms": "first-contentful-paint",
    "largest paint, ms": "largest-contentful-paint",
    "blocked, ms": "total-blocking-time",
    "shift": "cumulative-layout-shift",
    "bytes": "total-byte-weight",
}
SLOWER = 4
WATCH_LONG = """
window.longTasks = [];
new PerformanceObserver((list) => list.getEntries().forEach((one) => window.longTasks.push(one.duration)))
  .observe({ type: "longtask", buffered: true });
"""
Figures = dict[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.lighthouse", description=__doc__)
    parser.add_argument("--pairs", type=int, default=9)
    options = parser.parse_args()
    if not LIGHTHOUSE.exists():
        print("First: npm ci --ignore-scripts in bench/lighthouse")
        return 2
    with bench_house() as house, shop_page() as shop, served(house.app_url) as port:
        make_baseline(house)
        token = member_token(house)
        with house.rt.db.begin(house.program_id) as session:
            update_shop(session, house.shop.shop_id, url=shop)

        def address(is_with: bool) -> str:
            laurel = f"http://127.0.0.1:{port}"
            told = {"laurel": laurel, "shop": house.shop.key, "token": token()} if is_with else {}
            return f"{shop}/shop/?{urlencode(told)}"

        measured = by_turns(options.pairs, lambda is_with: lighthouse(address(is_with)))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_ARGS))
            tasks = by_turns(options.pairs, lambda is_with: long_tasks(browser, address(is_with), is_with))
            browser.close()
    lost = report({**measured, **tasks})
    return 1 if lost > MOST_LOST else 0


@contextmanager
def shop_page() -> Iterator[str]:
    """The shop, at an address of its own: Laurel is another server for it, as it is."""
    app = Flask("shop")
    app.register_blueprint(page)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nobody reads it."""


def by_turns(pairs: int, measure: Callable[[bool], Figures]) -> dict[str, list[tuple[float, float]]]:
    """(without, with) for each figure; every other pair the other way round."""
    found: dict[str, list[tuple[float, float]]] = {}
    for number in range(pairs):
        first = bool(number % 2)
        both = {first: measure(first)}
        both[not first] = measure(not first)
        for name in both[False] | both[True]:
            found.setdefault(name, []).append((both[False].get(name, 0), both[True].get(name, 0)))
        print(f"{number + 1}/{pairs}", end=" ", flush=True, file=sys.stderr)
    return found


def member_token(house: BenchHouse) -> Callable[[], str]:
    """Of a member with points."""
    headers = {"x-wc-webhook-source": "https://bench.example/", "x-wc-webhook-topic": "order.updated"}
    for body in bodies(20, first=1000):
        told = {**headers, "x-wc-webhook-signature": sign(body), "x-wc-webhook-delivery-id": "d"}
        receive_delivery(house.rt, "woocommerce", house.shop.key, WebhookRequest(body, told))
    drain_inbox(house.rt)
    with house.rt.db.begin(house.program_id) as session:
        secret = get_secrets(session, house.rt.vault, house.shop.shop_id).widget_secret

    def make() -> str:
        now = int(time.time())  # noqa: TID251 - the server's clock is the machine's
        return jwt.encode({"sub": "10", "iat": now, "exp": now + 600}, secret, algorithm="HS256")

    return make


def chromium() -> str:
    return shutil.which("chromium") or "/usr/bin/chromium"


def lighthouse(url: str) -> Figures:
    command = [
        str(LIGHTHOUSE),
        url,
        "--quiet",
        "--output=json",
        "--output-path=stdout",
        "--only-categories=performance",
        f"--chrome-flags={' '.join(CHROMIUM_ARGS)}",
    ]
    environment = {**os.environ, "CHROME_PATH": chromium()}  # noqa: TID251
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=240)
    told: dict[str, Any] = json.loads(done.stdout)
    figures = {name: float(told["audits"][audit]["numericValue"]) for name, audit in AUDITS.items()}
    ours = [one for one in told["audits"]["bootup-time"]["details"]["items"] if "/widget/" in one["url"]]
    long = [one for one in told["audits"]["long-tasks"]["details"]["items"] if "/widget/" in one["url"]]
    return {
        "score": round(100 * told["categories"]["performance"]["score"]),
        **figures,
        "scripts of the element, ms": sum(one["total"] for one in ours),
        "of these beyond 50 ms at once": _beyond([one["duration"] for one in long]),
    }


def long_tasks(browser: Browser, url: str, is_with: bool) -> Figures:
    """How long what is longer than 50 ms takes in all, beyond those 50 each."""
    context = browser.new_context(viewport={"width": 412, "height": 823}, has_touch=True)
    page = context.new_page()
    page.add_init_script(WATCH_LONG)
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(url, wait_until="networkidle")
    if is_with:
        page.locator("button[aria-haspopup=dialog]").wait_for()
    page.wait_for_timeout(1000)
    found = {"long tasks while loading, ms": _beyond(page.evaluate("longTasks"))}
    if is_with:
        page.evaluate("longTasks.length = 0")
        page.locator("button[aria-haspopup=dialog]").click()
        page.locator("[role=tabpanel]:not([hidden]) h3").first.wait_for()
        page.wait_for_timeout(500)
        found["long tasks while the panel opens, ms"] = _beyond(page.evaluate("longTasks"))
    context.close()
    return found


def _beyond(durations: list[float]) -> float:
    return sum(one - 50 for one in durations)


def report(measured: dict[str, list[tuple[float, float]]]) -> float:
    """Prints the medians. Returns how many points of the score are lost, by the median of the pairs' differences."""
    print("\n| | without | with | difference, median (from … to) |\n|---|---|---|---|")
    for name, pairs in measured.items():
        without, with_it = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
        apart = sorted(pair[1] - pair[0] for pair in pairs)
        digits = 3 if name == "shift" else 0
        middle, low, high = (round(one, digits) for one in (statistics.median(apart), apart[0], apart[-1]))
        print(f"| {name} | {without:.{digits}f} | {with_it:.{digits}f} | {middle:g} ({low:g} … {high:g}) |")
    return -statistics.median(ours - base for base, ours in measured["score"])


if __name__ == "__main__":
    sys.exit(main())
