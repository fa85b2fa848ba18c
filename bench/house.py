"""A database of the bench's own, with one program, one shop and as many members and deliveries as asked for."""

import hashlib
import hmac
import json
import os
import secrets
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from app.db import embedded
from app.db.migrating import migrate
from app.db.sealing import KeyRing, open_vault
from app.db.session import Database
from app.services.create_program import create_program
from app.services.record_shop import NewShop, RecordedShop, record_shop
from app.services.runtime import Runtime
from connectors.base import ShopFacts
from connectors.http import Http
from connectors.registry import CONNECTORS

SECRET = "the bench's secret"  # noqa: S105 - of a shop that does not exist
KEY = b"bench" + bytes(range(27))
CUSTOMERS = 2000
# A real order's body (WooCommerce 10.9.1, synthetic people), as the tests hold it.
RECORDING = Path(__file__).parents[1] / (
    "tests/connectors/woocommerce/recordings/05-A-completed-1-order.updated.json"
)


@dataclass(frozen=True, slots=True)
class BenchHouse:
    rt: Runtime
    program_id: int
    shop: RecordedShop
    app_url: str
    owner_url: str
    everything_url: str
    server_url: str


@contextmanager
def bench_house() -> Iterator[BenchHouse]:
    """fsync is on: a figure without it is none."""
    home = Path(tempfile.gettempdir()) / f"laurel-bench-{os.getuid()}"
    with embedded.start(home) as server:
        name = f"bench_{os.getpid()}_{secrets.token_hex(3)}"
        server_url = server.url(embedded.SUPERUSER, "postgres")
        with psycopg.connect(server_url, autocommit=True) as admin:
            admin.execute(
                SQL("CREATE DATABASE {} OWNER {}").format(Identifier(name), Identifier(embedded.OWNER))
            )
            app_url, owner_url = server.url(embedded.APP, name), server.url(embedded.OWNER, name)
            try:
                yield _furnished(app_url, owner_url, server.url(embedded.SUPERUSER, name), server_url)
            finally:
                admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def runtime(app_url: str) -> Runtime:
    db = Database(app_url, pool_size=16)
    with db.outside() as connection:
        vault = open_vault(connection, KeyRing([KEY]))
    return Runtime(
        db=db,
        vault=vault,
        connectors=CONNECTORS,
        apps={},
        http=Http(),
        clock=lambda: datetime.now(UTC),  # noqa: TID251 - a process of its own, with a clock of its own
        public_url="https://laurel.example",
        send_mail=lambda to, subject, text: None,
    )


def _furnished(app_url: str, owner_url: str, everything_url: str, server_url: str) -> BenchHouse:
    migrate(owner_url, app_url)
    rt = runtime(app_url)
    program_id = create_program(rt, f"bench-{os.getpid()}", name="Bench", currency="USD", timezone="UTC")
    facts = ShopFacts(
        shop_ref="https://bench.example",
        name="bench",
        url="https://bench.example",
        currency="USD",
        timezone="UTC",
        reads_orders_days=None,
    )
    shop = record_shop(
        rt,
        program_id,
        NewShop(
            platform="woocommerce",
            facts=facts,
            credentials={},
            own_app=True,
            webhook_secret=SECRET,
            counts_from=datetime(2026, 1, 1, tzinfo=UTC) - timedelta(days=365),
        ),
    )
    return BenchHouse(rt, program_id, shop, app_url, owner_url, everything_url, server_url)


def bodies(count: int, *, first: int) -> list[bytes]:
    """So many paid orders, each another, of `CUSTOMERS` customers."""
    text = json.loads(RECORDING.read_text())["body_text"]
    return [
        text.replace('"id":23,', f'"id":{first + place},')
        .replace('"number":"23"', f'"number":"{first + place}"')
        .replace('"customer_id":2,', f'"customer_id":{10 + place % CUSTOMERS},')
        .encode()
        for place in range(count)
    ]


def sign(body: bytes) -> str:
    return b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
