"""What tests share: a real PostgreSQL, a runtime with a clock that stands still, and nothing of the network.

Each test has a program of its own, so that nothing needs to be cleaned up: the fence keeps them apart, as it
keeps merchants apart.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from psycopg.sql import SQL, Identifier

from app.db import embedded, session
from app.db.migrating import migrate
from app.db.sealing import KeyRing, open_vault
from app.db.session import FENCE, Database, fenced
from app.services.create_program import create_program
from app.services.runtime import Runtime
from connectors.base import AppCredentials
from connectors.http import Http
from connectors.registry import CONNECTORS
from tests.remembering import remember_what_is_compiled

# Tests never time: how long an example takes says how busy the machine is.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SHOPIFY_SECRET = "the-installation's-own-app-secret"
_numbers = itertools.count(1)


remember_what_is_compiled()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-filter",
        action="store_true",
        help="take the program's filter out of every statement: row-level security must hold alone",
    )
    parser.addoption("--races", type=int, default=1, help="how often each test marked as a race is run")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    rounds = metafunc.config.getoption("--races")
    if rounds > 1 and metafunc.definition.get_closest_marker("race"):
        metafunc.fixturenames.append("race_round")
        metafunc.parametrize("race_round", range(rounds))


@pytest.fixture
def race_round() -> int:
    """Asked for by nobody: `--races` runs the same test again under each of its numbers."""
    return 0


# What takes a minute or so in one file: begun first, so that no worker is left with it alone at the end.
LONGEST = (
    *("web/admin/test_browser", "services/test_redemption_faults", "web/hosted/test_browser"),
    *("fuzz_api/test_fuzz_api", "web/admin/test_frame_browser", "web/widget/test_manners"),
    *("web/test_attacks", "services/test_simulate_program", "web/widget/test_redeeming"),
    *("web/admin/test_frame", "db/test_embedded", "processes/test_processes", "campaign/test_campaign"),
    *("web/admin/test_hostile_text", "services/test_any_balance", "test_worker", "sandbox/test_demo"),
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files first. Without the filter, leave out what acts as the superuser, whom no policy binds, or is
    about the filter itself."""
    here = Path(__file__).parent
    order = {here / f"{name}.py": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))
    if not config.getoption("--without-filter"):
        return
    about_it = [item for item in items if item.get_closest_marker("needs_filter")]
    items[:] = [item for item in items if item not in about_it]
    config.hook.pytest_deselected(items=about_it)


@pytest.fixture(scope="session", autouse=True)
def filters(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every statement filtered as it is written, or by row-level security alone: tests share a database, so that a
    statement that sees another program's rows fails them."""
    if not request.config.getoption("--without-filter"):
        yield
        return
    asked = 0

    def unfiltered(sql: str, of: str = "") -> str:
        nonlocal asked
        asked += 1
        fenced(sql)  # a statement that names no fence stays refused
        return FENCE.sub("true", sql)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "fenced", unfiltered)
        yield
    assert asked, "nothing was taken out: app.db.session fences in another way now"


@dataclass(slots=True)
class Clock:
    """Stands still until it is told to move."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass(slots=True)
class Mails:
    sent: list[tuple[str, str, str]] = field(default_factory=list)

    def __call__(self, to: str, subject: str, text: str) -> None:
        self.sent.append((to, subject, text))


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    app_url: str
    owner_url: str
    superuser_url: str  # whom no rule binds: to plant a fault, and to see everything


@pytest.fixture(scope="session")
def server() -> Iterator[embedded.Embedded]:
    """A PostgreSQL that all tests of this checkout share."""
    checkout = sha256(str(Path(__file__).resolve()).encode()).hexdigest()[:8]
    # Not pytest's own temporary folder: as root, PostgreSQL runs as another user, who cannot pass it.
    home = Path(tempfile.gettempdir()) / f"laurel-tests-{os.getuid()}-{checkout}"
    with embedded.start(home, durable=False) as running:
        yield running


@contextmanager
def new_database(server: embedded.Embedded, name: str) -> Iterator[DatabaseUrls]:
    """An empty database of that name."""
    with psycopg.connect(server.url(embedded.SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(
            SQL("CREATE DATABASE {} OWNER {}").format(Identifier(name), Identifier(embedded.OWNER))
        )
        yield DatabaseUrls(
            *(server.url(role, name) for role in (embedded.APP, embedded.OWNER, embedded.SUPERUSER))
        )
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture(scope="session")
def database(server: embedded.Embedded) -> Iterator[DatabaseUrls]:
    """A migrated database, one for each test process."""
    with new_database(server, f"laurel_{os.getpid()}") as urls:
        migrate(urls.owner_url, urls.app_url)
        yield urls


@pytest.fixture(scope="session")
def pool(database: DatabaseUrls) -> Iterator[Database]:
    db = Database(database.app_url, pool_size=20)
    yield db
    db.close()


# Chromium, and nothing of what it would look up in the network by itself.
CHROMIUM_ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of the process: Playwright allows no second beside it."""
    path = shutil.which("chromium") or "/usr/bin/chromium"  # missing: apt-get install chromium
    expect.set_options(timeout=30_000)  # how long a busy machine may take; what is expected stays the same
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mails() -> Mails:
    return Mails()


@pytest.fixture(scope="session")
def broom(database: DatabaseUrls) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def rt(pool: Database, clock: Clock, mails: Mails, broom: psycopg.Connection) -> Runtime:
    """A drain works for all programs: what an earlier test left in the inbox is not this one's."""
    broom.execute("DELETE FROM inbox WHERE state = 'new'")
    return make_runtime(pool, clock, mails)


def make_runtime(pool: Database, clock: Clock, mails: Mails) -> Runtime:
    """A runtime as the application has it, but for the clock, the mails and the way out."""
    with pool.outside() as connection:
        vault = open_vault(connection, KeyRing([b"k" * 32]))
    return Runtime(
        db=pool,
        vault=vault,
        connectors=CONNECTORS,
        apps={"shopify": AppCredentials(client_id="laurel-app", secrets=(SHOPIFY_SECRET,))},
        http=Http(),
        clock=clock,
        public_url="https://laurel.example",
        send_mail=mails,
    )


@pytest.fixture
def program_id(rt: Runtime) -> int:
    """A program with the default rules, in euros, that began a year ago."""
    return make_program(rt)


def make_program(
    rt: Runtime,
    *,
    currency: str = "EUR",
    timezone: str = "UTC",
    document: Mapping[str, Any] | None = None,
) -> int:
    key = f"program-{os.getpid()}-{next(_numbers)}"
    return create_program(rt, key, name="Sprig", currency=currency, timezone=timezone, document=document)


def unique(word: str) -> str:
    return f"{word}-{os.getpid()}-{next(_numbers)}"


__all__ = ["NOW", "Clock", "DatabaseUrls", "Mails", "make_program", "unique"]
