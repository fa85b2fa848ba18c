"""A secret or a personal word is found in no place where it is not meant to be: tables, logs, reasons, answers, figures.

Erasure of a Shopify customer, with words of its own, is in test_erasure.py.
"""

import io
import json
import logging
import os
import re
import subprocess
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from flask import Flask, request
from psycopg.sql import SQL, Identifier

from app import logs
from app.db import embedded, inbox, members
from app.db.migrating import migrate
from app.db.place import Place
from app.db.reconciliations import KINDS
from app.db.session import Database
from app.domain.errors import Refused, Retryable
from app.domain.staff import Role
from app.mail import mail_sender
from app.services.audit import audit
from app.services.backup import backup
from app.services.create_api_key import create_api_key
from app.services.erase_member import erase_member
from app.services.invite_staff import invite_staff
from app.services.keep_house import BODIES_KEPT, keep_house
from app.services.reconcile_shop import reconcile_shop
from app.services.record_shop import NewShop, record_shop
from app.services.replay import replay
from app.web import create_app
from connectors.base import ShopFacts
from sandbox.hosts import HostMap
from tests.conftest import (
    NOW,
    SHOPIFY_SECRET,
    Clock,
    DatabaseUrls,
    Mails,
    make_program,
    make_runtime,
    new_database,
)
from tests.services.bodies import woo_order
from tests.services.books import get_member, meet
from tests.services.houses import House, woo_request
from tests.services.jobs import run_jobs
from tests.web.shoppers import Storefront

KEY, SECRET, WEBHOOKS = "ck_" + "ca7a" * 10, "cs_" + "5ec7" * 10, "canary-of-webhooks-9317"
EMAIL = "canary.mara@example.test"
PERSONAL = {
    "first_name": "Canaryfirst", "last_name": "Canarylast", "company": "Canarycompany", "address_1": "1 Canary Street",
    "address_2": "Canaryfloor", "city": "Canarytown", "postcode": "CN4RY", "phone": "+44 20 7946 0991", "email": EMAIL,
}  # fmt: skip
OF_AN_ORDER = {
    "billing": PERSONAL,
    "shipping": PERSONAL,
    "customer_ip_address": "203.0.113.77",
    "customer_user_agent": "Canarybrowser/1.0",
    "customer_note": "Canarynote",
    "order_key": "wc_order_CanaryKey",
    "payment_url": "https://shop.example/pay?key=wc_order_CanaryKey",
    "transaction_id": "Canarytransaction",
}
FERN = ShopFacts(
    shop_ref="https://fern.example",
    name="Fern",
    url="https://fern.example",
    currency="USD",
    timezone="UTC",
    reads_orders_days=None,
)
WORDS = sorted(
    {*PERSONAL.values(), "203.0.113.77", "Canarybrowser", "Canarynote", "CanaryKey", "Canarytransaction"}
)


@pytest.fixture
def urls(server: embedded.Embedded) -> Iterator[DatabaseUrls]:
    """A database of its own, all of which is searched."""
    with new_database(server, f"canaries_{os.getpid()}") as made:
        migrate(made.owner_url, made.app_url)
        yield made


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, as `serve` and `worker` log it."""
    root, written = logging.getLogger(), io.StringIO()
    before, level, known = root.handlers[:], root.level, structlog.get_config()
    logs.configure(level=logging.DEBUG)
    assert isinstance(root.handlers[0], logging.StreamHandler)
    root.handlers[0].setStream(written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)
    structlog.configure(**known)


def stored(urls: DatabaseUrls) -> str:
    """Every row of every table as text; bytes as text too, so that nothing hides in another spelling."""
    text = []
    with psycopg.connect(urls.superuser_url) as connection:
        names = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert len(names) > 40
        for schema, name in names:
            for row in connection.execute(SQL("SELECT * FROM {}").format(Identifier(schema, name))):
                for value in row:
                    shown = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                    text.append(f"{name}: {shown}")
    return "\n".join(text)


def hits(text: str, *words: str) -> list[str]:
    """The lines that hold one of the words, and the words, in whatever letters."""
    return [
        f"{word}: {line[:200]}"
        for word in words
        for line in text.splitlines()
        if word.lower() in line.lower()
    ]


def make_house(db: Database, clock: Clock, mails: Mails) -> Storefront:
    rt = make_runtime(db, clock, mails)
    program_id = make_program(rt, currency="USD")
    credentials = {"consumer_key": KEY, "consumer_secret": SECRET}
    new = NewShop(
        platform="woocommerce",
        facts=FERN,
        credentials=credentials,
        own_app=True,
        webhook_secret=WEBHOOKS,
        counts_from=NOW.replace(year=2025),
    )
    return Storefront(rt, create_app(rt).test_client(), program_id, record_shop(rt, program_id, new))


def live(front: Storefront) -> list[str]:
    """What goes well and what fails, with the words in all of it. Returns what was answered."""
    house = House(front.rt, front.program_id, front.shop)
    told: list[str] = []

    def send(number: int, **changes: Any) -> None:
        body = woo_order(number, goods="100.00", customer=7, **{**OF_AN_ORDER, **changes})
        request = woo_request("order.updated", body, delivery_ref=str(number), secret=WEBHOOKS)
        answer = front.client.post(
            f"/webhooks/woocommerce/{front.shop.key}", data=body, headers=dict(request.headers)
        )
        told.append(answer.text)

    send(1)
    broken: list[dict[str, Any]] = [
        {"billing": "Canaryfirst Canarylast"},
        {"customer_id": EMAIL},
        {"line_items": [{"name": "Canarynote", "total": [EMAIL]}]},
        {"date_paid_gmt": EMAIL},
        {"currency": "Canarytown"},
        {"status": "Canarynote"},
        {"coupon_lines": "CanaryKey"},
        {"refunds": [{"id": 1, "total": "CanaryKey", "reason": "Canarynote"}]},
    ]
    for number, changes in enumerate(broken, start=2):
        send(number, **changes)
    forged = woo_request("order.updated", b'{"billing": "Canarynote"}', secret="x")
    told.append(
        front.client.post(
            f"/webhooks/woocommerce/{front.shop.key}", data=forged.body, headers=dict(forged.headers)
        ).text
    )
    house.drain()
    meet(front.rt, front.program_id, front.shop.shop_id, "7", EMAIL)
    front.post("redemptions", {"reward": "amount-5"}, key="a click")
    for path in ("me", "rewards", "nowhere"):
        front.get(path, None, lang=EMAIL)
    told.append(
        front.client.get(f"/api/v1/members?email={EMAIL}", headers={"Authorization": f"Bearer {EMAIL}"}).text
    )
    told.append(front.client.get(f"/confirm/{EMAIL}", headers={"Accept": "text/html"}).text)
    told.append(front.client.get("/metrics").text)
    told.append(front.client.get("/readyz").text)
    told.append(str(audit(front.rt, front.program_id)))
    told.append(str(replay(front.rt, front.program_id)))
    return told


def test_no_secret_and_nobodys_words_are_anywhere_but_sealed(
    urls: DatabaseUrls, clock: Clock, mails: Mails, log: io.StringIO
) -> None:
    db = Database(urls.app_url, pool_size=4)
    front = make_house(db, clock, mails)
    key = create_api_key(front.rt, front.program_id, "till").token
    invited = invite_staff(front.rt, front.program_id, email="ada@shop.test", name="Ada", role=Role.OWNER)
    widget = front.known.widget_secret
    told = live(front)
    secrets = (
        KEY,
        SECRET,
        WEBHOOKS,
        widget,
        key,
        invited.link.rpartition("/")[2],
        (b"k" * 32).hex(),
        "k" * 32,
    )

    rows = stored(urls)
    assert "https://fern.example" in rows  # it is read
    assert hits(rows, *secrets) == []
    assert hits(rows, *WORDS) == []
    assert hits(log.getvalue(), *secrets) == []
    assert hits(log.getvalue(), *WORDS) == []
    assert "refused" in log.getvalue()
    assert hits("\n".join(told), *secrets) == []
    assert hits("\n".join(told), *WORDS) == []

    # Sealed, and to be had by whoever may: the shop's own secrets, and what a delivery said.
    assert front.known.webhook_secrets == (WEBHOOKS,)
    member_id = get_member(front.rt, front.program_id, front.shop.shop_id, "7")
    assert EMAIL in json.dumps(_opened(front, member_id))
    assert erase_member(front.rt, front.program_id, member_id) == 1
    assert EMAIL not in json.dumps(_opened(front, member_id))
    assert hits(stored(urls), *WORDS) == []
    assert not audit(front.rt, front.program_id).problems
    assert not replay(front.rt, front.program_id).differences
    db.close()


def test_what_was_not_understood_goes_with_its_day_whomever_it_is_about(
    urls: DatabaseUrls, clock: Clock, mails: Mails
) -> None:
    clock.at = NOW - timedelta(days=60)  # the database itself keeps the last seven days, by its own clock
    db = Database(urls.app_url, pool_size=4)
    front = make_house(db, clock, mails)
    live(front)
    clock.at += BODIES_KEPT
    keep_house(front.rt)
    assert EMAIL in _unread(front)
    clock.at += timedelta(days=1)
    keep_house(front.rt)
    assert _unread(front) == ""
    db.close()


@pytest.mark.parametrize(
    "place",
    [
        "app.services.process_deliveries.settle_orders",
        "app.services.redeem.quote",
        "app.web.storefront.present.me",
    ],
)
def test_a_bug_of_ours_writes_nobodys_words_down(
    urls: DatabaseUrls,
    clock: Clock,
    mails: Mails,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    """A trace tells lines of code, never what the variables held."""
    db = Database(urls.app_url, pool_size=4)
    front = make_house(db, clock, mails)

    def break_down(*told: object, **more: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(place, break_down)
    with suppress(RuntimeError):
        live(front)
    assert "RuntimeError: a bug" in log.getvalue()
    assert hits(log.getvalue(), *WORDS, KEY, SECRET, WEBHOOKS) == []
    assert hits(stored(urls), *WORDS, KEY, SECRET, WEBHOOKS) == []
    db.close()


def _unread(front: Storefront) -> str:
    """All that the vault opens of what failed."""
    with front.rt.db.begin(front.program_id) as session:
        rows = session.rows("SELECT body FROM inbox WHERE {fence} AND state = 'failed' AND body IS NOT NULL")
    opened = (
        inbox.open_body(front.rt.vault, front.program_id, front.shop.shop_id, bytes(row.body)) for row in rows
    )
    return "\n".join(one.decode() for one in opened)


def _opened(front: Storefront, member_id: int) -> list[Any]:
    """What the vault opens of a person: their particulars, and each delivery that was understood.

    Whom one is about that was not understood, nobody knows: it stays sealed, and goes with the days of the inbox.
    """
    rt = front.rt
    with rt.db.begin(front.program_id) as session:
        personal = members.find_personal(session, rt.vault, [member_id]).get(member_id, ())
        bodies = [
            inbox.open_body(rt.vault, front.program_id, front.shop.shop_id, bytes(row.body)).decode()
            for row in session.rows(
                "SELECT body FROM inbox WHERE {fence} AND body IS NOT NULL AND state <> 'failed'"
            )
        ]
    return [[str(one) for one in personal], [body for body in bodies if '"customer_id": 7' in body]]


# --- A shop that repeats what it was told, and a backup -----------------------------------------------------------

TOKENS = {
    "mode": "app",
    "access_token": "shpat_" + "ca7a" * 8,
    "refresh_token": "shprt_" + "5ec7" * 8,
    "expires_at": "2026-11-23T12:00:00+00:00",
    "refresh_expires_at": "2027-01-22T12:00:00+00:00",
}
MAIL_PASSWORD = "canary-of-mail-4471"


def echo(status: int) -> Flask:
    """A shop that answers everything with all that it was sent, the way in included."""
    shop = Flask(f"echo {status}")

    @shop.route("/", defaults={"path": ""}, methods=["GET", "POST", "PUT", "DELETE"])
    @shop.route("/<path:path>", methods=["GET", "POST", "PUT", "DELETE"])
    def repeat(path: str) -> tuple[str, int]:
        way_in = " ".join(
            value for name, value in request.headers if name.startswith(("Authorization", "X-Shop"))
        )
        told = f"{way_in} {EMAIL} {path} {request.headers} {request.get_data(as_text=True)}"
        return json.dumps(
            {"code": told, "message": told, "errors": [{"message": told}], "error": told}
        ), status

    return shop


def text_of(backup_file: Path) -> str:
    """All that is in a backup, the compressed dump opened and its bytes as text."""
    dump = backup_file.with_suffix(".dump")
    with zipfile.ZipFile(backup_file) as packed:
        manifest = packed.read("manifest.json").decode()
        dump.write_bytes(packed.read("database.dump"))
    done = subprocess.run([embedded.tool("pg_restore"), "--file=-", dump], capture_output=True, check=True)
    script = done.stdout.decode()
    unhexed = [
        bytes.fromhex(found).decode("latin-1") for found in re.findall(r"\\\\x((?:[0-9a-f]{2})+)", script)
    ]
    return "\n".join([manifest, script, *unhexed])


def test_shops_that_repeat_our_way_in_and_a_backup_spread_no_secret(
    urls: DatabaseUrls, clock: Clock, mails: Mails, log: io.StringIO, tmp_path: Path
) -> None:
    db = Database(urls.app_url, pool_size=4)
    front = make_house(db, clock, mails)
    facts = replace(FERN, shop_ref="oak.myshopify.com", name="Oak", url="https://oak.example")
    new = NewShop(
        platform="shopify",
        facts=facts,
        credentials=TOKENS,
        own_app=False,
        webhook_secret=None,
        counts_from=NOW,
    )
    oak = record_shop(front.rt, front.program_id, new)
    told = live(front)
    for status in (200, 400, 404, 429, 500, 401):
        hosts = HostMap({"fern.example": echo(status), "oak.myshopify.com": echo(status)})
        rt = replace(
            front.rt,
            http=hosts,
            send_mail=mail_sender(f"smtp://a:{MAIL_PASSWORD}@localhost:1", "https://l.example"),
        )
        for shop_id in (front.shop.shop_id, oak.shop_id):
            for kind in KINDS:
                told.append(outcome_of(partial(reconcile_shop, rt, front.program_id, shop_id, kind)))
        told.append(outcome_of(partial(rt.send_mail, "ada@shop.test", "Points", "Hello")))
        assert hosts.calls
        run_jobs(rt, front.program_id)

    secrets = (KEY, SECRET, WEBHOOKS, front.known.widget_secret, TOKENS["access_token"], TOKENS["refresh_token"],
               b64encode(f"{KEY}:{SECRET}".encode()).decode(), SHOPIFY_SECRET, MAIL_PASSWORD)  # fmt: skip
    for place, text in (("tables", stored(urls)), ("log", log.getvalue()), ("answers", "\n".join(told))):
        assert hits(text, *secrets) == [], place
        assert hits(text, *WORDS) == [], place

    everything = Place(urls.app_url, urls.owner_url, urls.superuser_url, None)
    backup(everything, tmp_path / "laurel.backup", now=NOW)
    saved = text_of(tmp_path / "laurel.backup")
    assert "https://fern.example" in saved
    assert hits(saved, *secrets, "k" * 32, (b"k" * 32).hex()) == []
    assert hits(saved, *WORDS) == []
    db.close()


def outcome_of(act: Callable[[], object]) -> str:
    """What it returns or what it says is wrong, as a log or a page would show it."""
    try:
        return str(act())
    except (Refused, Retryable) as error:
        return f"{error!r} {error}"
