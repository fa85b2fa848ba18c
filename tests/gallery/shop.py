"""A shop with a member who has something of everything, behind the real server: what the pictures are of."""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from app.db import embedded
from app.db.migrating import migrate
from app.db.session import Database
from app.domain.money import Money
from app.services.redeem import RedeemRequest, redeem
from app.web import create_app, limits
from tests.conftest import NOW, Clock, Mails, make_program, make_runtime, new_database
from tests.factories import make_order, make_refund
from tests.services.books import publish
from tests.services.crowd import REFERRAL
from tests.web.shoppers import Storefront, make_storefront

MEMBER, STRANGER, EMAIL = "7", "8", "ada@example.test"
PROGRAM: dict[str, Any] = {
    "name": "Fern & Field",
    "enrolment": "on_join",
    "earn": {"hold_days": 14},
    "expiry": {"kind": "after_days", "days": 365},
    "referral": REFERRAL,
    "rewards": [
        {"key": "off", "kind": "amount", "cost": 500, "amount_minor": 2500, "minimum_spend_minor": 5000},
        {
            "key": "steps",
            "kind": "amount",
            "steps": {"points": 100, "amount_minor": 500, "minimum_points": 100, "maximum_points": 1000},
        },
        {"key": "shipping", "kind": "free_shipping", "cost": 150, "limits": [{"times": 2, "per": "month"}]},
        {"key": "percent", "kind": "percent", "cost": 200, "percent": 10},
        {"key": "credit", "kind": "store_credit", "cost": 2000, "amount_minor": 11000},
        {"key": "more", "kind": "percent", "cost": 300, "percent": 20, "tier": "gold"},
    ],
}


@contextmanager
def gallery_shop(**changes: Any) -> Iterator[Storefront]:
    """The shop, reached at its `rt.public_url`; its mails are in `rt.send_mail`. `changes`: of the program."""
    home = Path(tempfile.gettempdir()) / f"laurel-gallery-{os.getuid()}"
    with ExitStack() as stack:
        running = stack.enter_context(embedded.start(home, durable=False))
        urls = stack.enter_context(new_database(running, f"gallery_{os.getpid()}"))
        migrate(urls.owner_url, urls.app_url)
        db = Database(urls.app_url, pool_size=10)
        stack.callback(db.close)
        server = make_server("127.0.0.1", 0, Flask("none"), threaded=True, request_handler=_Quiet)
        rt = replace(make_runtime(db, Clock(), Mails()), public_url=f"http://127.0.0.1:{server.server_port}")
        server.app = app = create_app(rt)
        app.extensions[limits.NAME] = _Counted()
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        stack.callback(server.server_close)
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        assert isinstance(rt.clock, Clock)
        rt.clock.at = NOW - timedelta(days=310)
        storefront = make_storefront(rt, app.test_client(), make_program(rt))
        storefront.set_shop(name="Fern & Field", url="https://fern.example")
        publish(rt, storefront.program_id, **PROGRAM, **changes)
        fill(storefront, rt.clock)
        yield storefront


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nobody reads it."""


class _Counted(limits.Minute):
    """Counts as ever and refuses nobody: one person asks more often here than any may."""

    def count(self, name: str, second: float) -> int:
        super().count(name, second)
        return 0


def fill(storefront: Storefront, clock: Clock) -> None:
    """A member with orders, one of them partly back, one pending, one of gift cards only; a code; points by hand."""
    clock.at = NOW - timedelta(days=300)
    storefront.know(MEMBER, EMAIL, verified=True)
    member_id = storefront.member(MEMBER)
    for number, days, goods in (
        (1019, 120, "512.40"),
        (1031, 60, "640.00"),
        (1038, 20, "0.00"),
        (1042, 0, "29.98"),
    ):
        clock.at = NOW - timedelta(days=days, hours=4)
        order = make_order(
            order_ref=str(number),
            number=f"#{number}",
            customer_ref=MEMBER,
            goods=Money.parse(goods, "EUR"),
            placed_at=clock.at,
            paid_at=clock.at,
            updated_at=clock.at,
        )
        storefront.see(order)
        if number == 1019:
            clock.at += timedelta(days=10)
            storefront.see(
                replace(
                    order,
                    refunds=(replace(make_refund("112.00"), refunded_at=clock.at),),
                    updated_at=clock.at,
                )
            )
    clock.at = NOW - timedelta(hours=2)
    storefront.give(member_id, 400, reason="A broken mug")
    row = redeem(
        storefront.rt,
        RedeemRequest(
            program_id=storefront.program_id,
            member_id=member_id,
            shop_id=storefront.shop.shop_id,
            reward_key="shipping",
            request_key="gallery",
            actor="shopper",
        ),
    )
    storefront.issue(row.redemption_id)
    clock.at = NOW
