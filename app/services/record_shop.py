"""A shop enters a program: written down with its secrets sealed, found by its key from now on."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.db import directory, profiles, shops
from app.db.directory import Kind
from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.runtime import Runtime
from connectors.base import ShopFacts

_NOT_KEY = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShop:
    """What is known when a shop is connected. `webhook_secret` None: make one."""

    platform: str
    facts: ShopFacts
    credentials: Mapping[str, str] = field(repr=False)
    own_app: bool
    webhook_secret: str | None = field(default=None, repr=False)
    allow_private: bool = False
    unchecked: bool = False
    counts_from: datetime | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedShop:
    program_id: int
    shop_id: int
    key: str
    came_back: bool


def record_shop(rt: Runtime, program_id: int, new: NewShop) -> RecordedShop:
    """Write a shop down in a program; one that comes back keeps its key, its `counts_from` and its people.

    Raises: Refused("shop_elsewhere") if it belongs to another program; Refused("taken") if `new.key` is in use.
    """
    now = rt.now()
    ref_key = f"{new.platform} {new.facts.shop_ref}"
    secret = new.webhook_secret or secrets.token_urlsafe(32)
    with rt.db.outside() as connection:
        session = rt.db.session(connection, program_id)
        known = directory.find(connection, Kind.SHOP_REF, ref_key, now=now)
        if known is not None and known.program_id != program_id:
            raise Refused(
                "shop_elsewhere", "This shop belongs to another program already. Disconnect it there first."
            )
        if known is not None:
            row = shops.get_shop(session, known.target_id)
            shops.update_shop(
                session,
                row.shop_id,
                state="unchecked" if new.unchecked else "connected",
                uninstalled_at=None,
                access_problem=None,
                name=new.facts.name,
                url=new.facts.url,
                currency=new.facts.currency,
                timezone=new.facts.timezone,
                own_app=new.own_app,
                allow_private=new.allow_private,
                reads_orders_days=new.facts.reads_orders_days,
                withheld=dict(new.facts.withheld),
                profile_ready=False,
                profile_problem=None,
            )
            profiles.forget_certainty(session, row.shop_id, now=now)
            older = shops.get_secrets(session, rt.vault, row.shop_id).webhook_secrets
            shops.put_secrets(
                session,
                rt.vault,
                row.shop_id,
                credentials=new.credentials,
                webhook_secrets=list(dict.fromkeys([secret, *older]))[:2]
                if new.webhook_secret
                else older or [secret],
            )
            rt.shop_memory.forget()
            return RecordedShop(program_id=program_id, shop_id=row.shop_id, key=row.key, came_back=True)
        key = new.key or _free_key(rt, new, now)
        shop_id = shops.add_shop(
            session,
            key=key,
            platform=new.platform,
            shop_ref=new.facts.shop_ref,
            name=new.facts.name,
            url=new.facts.url,
            currency=new.facts.currency,
            timezone=new.facts.timezone,
            state="unchecked" if new.unchecked else "connected",
            own_app=new.own_app,
            allow_private=new.allow_private,
            counts_from=new.counts_from or now,
            reads_orders_days=new.facts.reads_orders_days,
            withheld=dict(new.facts.withheld),
            profile_parts=rt.connectors[new.platform].profiles,
            # People of a shop that joins later see another merchant's members too: somebody must want that.
            staff_role=None if shops.find_shops(session) else Role.STAFF,
            now=now,
        )
        directory.put(connection, Kind.SHOP, key, program_id, shop_id)
        directory.put(connection, Kind.SHOP_REF, ref_key, program_id, shop_id)
        shops.put_secrets(
            session,
            rt.vault,
            shop_id,
            credentials=new.credentials,
            webhook_secrets=[secret],
            widget_secret=secrets.token_urlsafe(32),
        )
    rt.shop_memory.forget()
    return RecordedShop(program_id=program_id, shop_id=shop_id, key=key, came_back=False)


def _free_key(rt: Runtime, new: NewShop, now: datetime) -> str:
    """A readable key from the shop's name that nobody has yet."""
    wanted = _NOT_KEY.sub("-", new.facts.name.lower()).strip("-")[:40] or "shop"
    with rt.db.outside() as connection:
        key, number = wanted, 1
        while directory.find(connection, Kind.SHOP, key, now=now) is not None:
            number += 1
            key = f"{wanted}-{number}"
    return key
