"""A server that speaks docs/storefront-api.md from plain dictionaries, and a shop's page with a strict CSP.

Tests change the dictionaries, or queue answers for one address with `answer`.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app.web.widget_files import read_widget_files

FILES = read_widget_files()
PREFIX = "/storefront/v1/"
CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Json


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int = 200
    body: Json = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    gate: threading.Event | None = None  # waits here until the test lets it go
    then: Callable[[], object] = field(
        default=lambda: None
    )  # what the answer changes: not before it, panels ask often


def eur(minor: int) -> Json:
    return {"minor": minor, "currency": "EUR"}


TIERS: list[Json] = [
    {"key": "member", "name": "Member", "from": eur(0), "earn_percent": 100},
    {"key": "silver", "name": "Silver", "from": eur(50000), "earn_percent": 125},
    {"key": "gold", "name": "Gold", "from": eur(200000), "earn_percent": 150},
]


def make_program() -> Json:
    return {
        "name": "Fern & Field",
        "currency": "EUR",
        "timezone": "Europe/Dublin",
        "points_name": None,
        "earn_sentence": "1 point for every €1.00",
        "tier_period": "rolling_12_months",
        "tiers": [dict(tier) for tier in TIERS],
    }


def make_member() -> Json:
    return {
        "id": "m_1",
        "joined_on": "2026-02-14",
        "name": "Mara Lindqvist",
        "balance": {
            "available": 1254,
            "pending": 37,
            "pending_next": {"points": 37, "at": "2026-12-05T00:00:00Z"},
            "deficit": 0,
            "worth": eur(6200),
            "expiring": {"points": 50, "at": "2027-02-14T22:59:59Z"},
        },
        "tier": {"key": "silver", "name": "Silver", "earn_percent": 125, "since": "2026-06-01T10:00:00Z"},
        "next_tier": {
            "key": "gold",
            "name": "Gold",
            "threshold": eur(200000),
            "spent": eur(131240),
            "missing": eur(68760),
        },
        "email_proof": None,
        "stopped": None,
    }


def make_me() -> Json:
    return {
        "signed_in": True,
        "server_time": "2026-11-21T14:32:00Z",
        "member": make_member(),
        "program": make_program(),
        "look": {
            "accent": {"light": "#1b6b4c", "dark": "#63c79a"},
            "on_accent": {"light": "#ffffff", "dark": "#06281a"},
            "accent_text": {"light": "#1b6b4c", "dark": "#7bd3aa"},
            "radius": 10,
            "position": "end",
            "font": "system",
        },
    }


def make_reward(key: str, title: str, cost: int, **changes: Any) -> Json:
    return {
        "key": key,
        "title": title,
        "cost": cost,
        "state": "ready",
        "missing": 0,
        "reason": None,
        "kind": "amount",
        "minimum_spend": None,
        "valid_days": 90,
        **changes,
    }


def make_rewards() -> list[Json]:
    return [
        make_reward("five-off", "€5.00 off", 100),
        make_reward("shipping", "Free shipping", 150, kind="free_shipping", minimum_spend=eur(2000)),
        make_reward("ten-percent", "10\u00a0% off", 200, kind="percent", reason="at most €40.00 off"),
        make_reward("board", "Oak serving board", 1500, kind="other", state="short", missing=246),
        make_reward(
            "glazes",
            "First look at new glazes",
            0,
            kind="other",
            state="locked",
            reason="Opens when you reach Gold",
        ),
    ]


def make_item(item_id: str, title: str, points: int, at: str, sentence: str, **changes: Any) -> Json:
    item = {"id": item_id, "kind": "earn", "points": points, "title": title, "at": at, "available_at": None}
    return {**item, "state": "done", "sentence": sentence, "facts": [], **changes}


def make_history() -> list[Json]:
    counted = "29.98 of goods × 1 point per 1.00 × 125\u00a0% Silver, rounded down."
    return [
        make_item(
            "e1",
            "Order #1042",
            37,
            "2026-11-21T11:02:00Z",
            counted,
            state="pending",
            available_at="2026-12-05T00:00:00Z",
            facts=[
                {"label": "Rule", "value": "1 point per 1.00"},
                {"label": "Program version", "value": "4"},
                {"label": "Goods", "value": "29.98"},
                {"label": "Rounding", "value": "down, once an order"},
            ],
        ),
        make_item(
            "e2",
            "€5.00 off",
            -100,
            "2026-11-09T09:00:00Z",
            "Code FERN-7KQ2-M9XD, not used yet.",
            kind="redeem",
        ),
        make_item(
            "o3",
            "Order #1031",
            0,
            "2026-11-02T09:00:00Z",
            "Gift cards do not earn points, and this order had nothing else.",
            kind="order",
        ),
        make_item(
            "e4",
            "Return on order #1019",
            -25,
            "2026-10-30T09:00:00Z",
            "20.00 of goods went back.",
            kind="reversal",
        ),
    ]


def make_redemption(state: str = "issued", **changes: Any) -> Json:
    return {
        "id": "r_1",
        "state": state,
        "code": "FERN-7KQ2-M9XD" if state == "issued" else None,
        "expires_at": "2027-02-19T22:59:59Z" if state == "issued" else None,
        "cost": 100,
        "reward": {"key": "five-off", "title": "€5.00 off", "kind": "amount"},
        "detail": None,
        **changes,
    }


def problem(status: int, code: str, title: str = "", detail: str = "", **headers: str) -> Answer:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, body=body, headers={"Content-Type": "application/problem+json", **named})


class Stub:
    """What the server says, what it was asked, and the attributes of the element on the page."""

    def __init__(self) -> None:
        self.url = ""
        self.me = make_me()
        self.rewards = make_rewards()
        self.redemptions: list[Json] = []
        self.history = make_history()
        self.earlier: list[Json] = []
        self.page: dict[str, str] = {}
        self.page_lang = "en"
        self.page_class = ""
        self.requests: list[Request] = []
        self._queued: dict[tuple[str, str], list[Answer]] = defaultdict(list)
        self._always: dict[tuple[str, str], Answer] = {}

    @property
    def member(self) -> Json:
        member: Json = self.me["member"]
        return member

    def answer(self, method: str, path: str, *answers: Answer) -> None:
        """The next answers for that address; afterwards it is as before."""
        self._queued[method, path].extend(answers)

    def always(self, method: str, path: str, answer: Answer | None) -> None:
        """Each answer for that address from now on; None: as before."""
        if answer is None:
            del self._always[method, path]
        else:
            self._always[method, path] = answer

    def down(self, status: int = 503) -> None:
        for path in ("me", "rewards", "redemptions", "history"):
            self.always("GET", path, problem(status, "unavailable", Retry_After="1"))

    def asked(self, method: str, path: str) -> list[Request]:
        return [request for request in self.requests if (request.method, request.path) == (method, path)]

    def respond(self, request: Request) -> Answer:
        self.requests.append(request)
        place = (request.method, request.path)
        if queued := self._queued[place]:
            return queued.pop(0)
        if place in self._always:
            return self._always[place]
        return self._usual(request)

    def _usual(self, request: Request) -> Answer:
        usual: dict[tuple[str, str], Callable[[], Json]] = {
            ("GET", "me"): lambda: self.me,
            ("GET", "rewards"): lambda: {"rewards": self.rewards},
            ("GET", "redemptions"): lambda: {"redemptions": self.redemptions},
            ("GET", "history"): lambda: self._history(request),
        }
        known = usual.get((request.method, request.path))
        return Answer(body=known()) if known else problem(404, "not_found", "Not found")

    def _history(self, request: Request) -> Json:
        if request.query.get("cursor"):
            return {"items": self.earlier, "next": None}
        return {"items": self.history, "next": "c2" if self.earlier else None}

    def host_page(self) -> str:
        attributes = {"api": "/storefront/v1", "shop": "fern", "token": "t0.eyJzdWIiOiI3In0.s", **self.page}
        element = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items() if value)
        return (
            f'<!doctype html><html lang="{self.page_lang}" class="{self.page_class}"><head><title>Shop</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="stylesheet" href="/shop.css">'
            '<script type="module" src="/widget/laurel.js"></script></head>'
            "<body><main><h1>Fern &amp; Field</h1><p>Thrown and glazed by hand in small batches.</p>"
            f"<button>Add to basket</button><laurel-widget {element}></laurel-widget>"
            "<p id=below>What stands below must not move.</p></main></body></html>"
        )


SHOP_CSS = """
body { margin: 0; font: 16px/1.5 Georgia, serif; }
body { background: light-dark(#faf8f4, #14120f); color: light-dark(#222, #eee); }
main { padding: 24px; max-width: 60rem; }
html.dark { color-scheme: dark; }
html.large { font-size: 200%; }
/* What our blocks print beside the element, so that its place is kept before the script has run. */
laurel-widget[mode=inline] { display: block; block-size: var(--laurel-height, 38rem); }
"""


@contextmanager
def serving(stub: Stub) -> Iterator[Stub]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stub))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(stub: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:  # the page was closed before its answer came
                self.close_connection = True

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == "/":
                self._send(200, "text/html; charset=utf-8", stub.host_page().encode(), CSP=CSP)
            elif path == "/shop.css":
                self._send(200, "text/css", SHOP_CSS.encode())
            elif path == "/widget/laurel.js":
                self._send(200, "text/javascript", FILES.entry)
            elif path.startswith(f"/widget/{FILES.digest}/"):
                self._send_file(path.removeprefix(f"/widget/{FILES.digest}/"))
            elif path == "/token":
                self._send(200, "application/json", b'{"token": "t1.eyJzdWIiOiI3In0.s"}')
            elif path.startswith(PREFIX):
                self._api("GET")
            else:
                self._send(404, "text/plain", b"")

        def do_POST(self) -> None:
            self._api("POST")

        def _send_file(self, name: str) -> None:
            self._send(200, FILES.content_type(name), FILES.bodies[name])

        def _api(self, method: str) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length", 0))
            request = Request(
                method=method,
                path=parts.path.removeprefix(PREFIX),
                query=dict(parse_qsl(parts.query)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=json.loads(self.rfile.read(length) or b"{}"),
            )
            answer = stub.respond(request)
            if answer.gate:
                answer.gate.wait(10)
            answer.then()
            headers = dict(answer.headers)
            kind = headers.pop("Content-Type", "application/json")
            self._send(answer.status, kind, json.dumps(answer.body).encode(), **headers)

        def _send(self, status: int, kind: str, body: bytes, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header("Content-Security-Policy" if name == "CSP" else name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Quiet: the tests read `requests`."""

    return Handler
