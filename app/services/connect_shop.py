"""A shop is connected: its keys are tried at the shop itself, then it is written down and set up.

The same for the browser's installation and for `laurel connect`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.db import directory, jobs, shops
from app.db.directory import Kind
from app.domain.calendar import end_of_day
from app.domain.errors import Refused
from app.domain.program import CountsIn
from app.services.create_program import create_program
from app.services.record_shop import NewShop, RecordedShop, record_shop
from app.services.runtime import Runtime
from connectors.base import ShopAccess, ShopFacts

_NOT_KEY = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopToConnect:
    """`program_id` None: where the shop was before, or else a new program. `facts` given: the shop is not asked."""

    platform: str
    shop_ref: str
    credentials: Mapping[str, str] = field(repr=False)
    own_app: bool
    program_id: int | None = None
    program_key: str | None = None  # of the new program
    webhook_secret: str | None = field(default=None, repr=False)
    allow_private: bool = False
    counts_from_on: date | None = None  # in the shop's time zone; None: from now on
    key: str | None = None
    facts: ShopFacts | None = None
    counts_in: CountsIn = CountsIn.POINTS  # of a new program


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedShop:
    platform: str
    shop: RecordedShop
    facts: ShopFacts
    is_new_program: bool
    back: str | None = None  # the page of the shop's own that the merchant came from


def connect_shop(rt: Runtime, wish: ShopToConnect) -> ConnectedShop:
    """Raises: Refused (also what the shop answers to its keys, and "another_shop"), AccessLost, Retryable."""
    facts = wish.facts or ask_shop(rt, wish.platform, wish.shop_ref, wish.credentials, wish.allow_private)
    if facts.shop_ref != wish.shop_ref:
        raise Refused("another_shop", f"These keys belong to another shop: {facts.shop_ref}.")
    known = _program_of(rt, wish)
    program_id = wish.program_id or known
    is_new = program_id is None
    if program_id is None:
        program_id = _new_program(rt, wish, facts)
    shop = record_shop(
        rt,
        program_id,
        NewShop(
            platform=wish.platform,
            facts=facts,
            credentials=wish.credentials,
            own_app=wish.own_app,
            webhook_secret=wish.webhook_secret,
            allow_private=wish.allow_private,
            unchecked=wish.facts is not None,
            counts_from=_start(wish.counts_from_on, facts.timezone),
            key=wish.key,
        ),
    )
    if wish.facts is None:
        # A kill before this costs an hour: the round that looks after subscriptions sets the shop up as well.
        with rt.db.begin(program_id) as session:
            jobs.enqueue(session, "set_up_shop", shop_id=shop.shop_id)
    return ConnectedShop(platform=wish.platform, shop=shop, facts=facts, is_new_program=is_new)


def webhook_secret_of(rt: Runtime, shop: RecordedShop) -> str | None:
    """The secret with which webhooks are to be made by hand at a shop that we never call; None: we make them."""
    with rt.db.begin(shop.program_id) as session:
        if shops.get_shop(session, shop.shop_id).state != "unchecked":
            return None
        return shops.get_secrets(session, rt.vault, shop.shop_id).webhook_secrets[0]


def ask_shop(
    rt: Runtime, platform: str, shop_ref: str, credentials: Mapping[str, str], allow_private: bool
) -> ShopFacts:
    """What the shop says of itself to these keys: the proof that they are its own."""
    access = ShopAccess(
        shop_key="new", shop_ref=shop_ref, credentials=credentials, allow_private=allow_private
    )
    client = rt.connectors[platform].open_client(access, rt.http)
    try:
        return client.shop_facts()
    finally:
        client.close()


def _start(day: date | None, timezone: str) -> datetime | None:
    """The first instant of that day at the shop."""
    return None if day is None else end_of_day(day - timedelta(days=1), ZoneInfo(timezone))


def _program_of(rt: Runtime, wish: ShopToConnect) -> int | None:
    with rt.db.outside() as connection:
        found = directory.find(connection, Kind.SHOP_REF, f"{wish.platform} {wish.shop_ref}", now=rt.now())
    return found.program_id if found else None


def _new_program(rt: Runtime, wish: ShopToConnect, facts: ShopFacts) -> int:
    """In the shop's currency and time zone, under the wished key or a readable one of the shop's name."""
    if wish.program_key is not None:
        return _create(rt, wish.program_key, wish, facts)
    stem = _NOT_KEY.sub("-", facts.name.lower()).strip("-")[:40].strip("-") or "program"
    number = 1
    while True:
        key = stem if number == 1 else f"{stem}-{number}"
        try:
            return _create(rt, key, wish, facts)
        except Refused as refused:
            if refused.code != "taken":
                raise
            number += 1


def _create(rt: Runtime, key: str, wish: ShopToConnect, facts: ShopFacts) -> int:
    return create_program(
        rt,
        key,
        name=facts.name,
        currency=facts.currency,
        timezone=facts.timezone,
        counts_in=wish.counts_in,
    )
