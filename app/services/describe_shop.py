"""A shop of the program: how it is, what it is subscribed to, what comparing it found."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db import reconciliations, shops
from app.db.happenings import TriggerRow
from app.db.reconciliations import RunRow
from app.db.shops import ShopRow
from app.domain.errors import Refused
from app.services.check_frame import is_framed
from app.services.describe_links import describe_links
from app.services.describe_profiles import ProfilesView, describe_profiles
from app.services.describe_triggers import describe_triggers
from app.services.drift_report import ShopDrift, drift_report
from app.services.runtime import Runtime
from connectors.base import ShopLinks

DRIFT_DAYS = 7
_RUNS = 20
_KINDS = {"gift_card": "gift cards", "store_credit": "store credit"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopView:
    shop: ShopRow
    platform: str  # as it writes itself
    drift: ShopDrift  # of the last 7 days
    runs: tuple[RunRow, ...]  # the newest
    subjects: dict[str, tuple[str, str | None]]  # a repair's subject -> (in words, order ref)
    orders: int
    customers: int
    kinds: tuple[str, ...]  # by which it can be compared
    profiles: ProfilesView
    links: ShopLinks | None  # where its merchant goes on at the platform
    triggers: tuple[TriggerRow, ...] | None  # None: its platform has no automations of ours
    withheld: tuple[str, ...]  # what its owner has not let us give, in words
    framed: bool  # its people can open us in its own admin


def describe_shop(rt: Runtime, program_id: int, shop_key: str) -> ShopView:
    """Raises: Refused("unknown_shop")."""
    with rt.db.begin(program_id) as session:
        shop = find_by_key(shops.find_shops(session).values(), shop_key)
        since = rt.now() - timedelta(days=DRIFT_DAYS)
        runs = reconciliations.find_runs(session, since=since, shop_ids=[shop.shop_id])[:_RUNS]
        orders = session.scalar("SELECT count(*) FROM orders WHERE {fence} AND shop_id = :s", s=shop.shop_id)
        people = session.scalar(
            "SELECT count(*) FROM identities WHERE {fence} AND shop_id = :s", s=shop.shop_id
        )
    drift = drift_report(rt, program_id, since=since, shop_id=shop.shop_id).shops[0]
    ids = [int(one.subject[6:]) for one in drift.repairs if one.subject.startswith("order:")]
    with rt.db.begin(program_id) as session:
        rows = session.rows(
            "SELECT id, order_ref, snapshot->>'number' AS number FROM orders WHERE {fence} AND id = ANY(:ids)",
            ids=ids,
        )
    return ShopView(
        shop=shop,
        platform=platform_title(rt, shop),
        drift=drift,
        runs=tuple(runs),
        subjects={
            **{one.subject: (_words(one.subject), None) for one in drift.repairs},
            **{f"order:{row.id}": (f"Order {row.number or row.order_ref}", row.order_ref) for row in rows},
        },
        orders=int(orders),
        customers=int(people),
        kinds=reconciliations.kinds_of(shop),
        profiles=describe_profiles(rt, program_id, shop.shop_id),
        links=describe_links(rt, shop),
        triggers=describe_triggers(rt, shop),
        withheld=tuple(_KINDS.get(kind, kind) for kind in sorted(shop.withheld)),
        framed=is_framed(rt, shop),
    )


def _words(subject: str) -> str:
    kind, _, name = subject.partition(":")
    return f"{'Subscription' if kind == 'webhook' else kind.capitalize()} {name}"


def find_by_key(known: Iterable[ShopRow], shop_key: str) -> ShopRow:
    """Raises: Refused("unknown_shop")."""
    for one in known:
        if one.key == shop_key:
            return one
    raise Refused("unknown_shop", "This program has no such shop.")


def platform_title(rt: Runtime, shop: ShopRow) -> str:
    connector = rt.connectors.get(shop.platform)
    return connector.title if connector else shop.platform


def runs_since(rt: Runtime, program_id: int, shop_id: int, since: datetime | None) -> dict[str, RunRow]:
    """The newest comparison of each kind that began at or after `since`; None: nobody waits for any."""
    if since is None:
        return {}
    with rt.db.begin(program_id) as session:
        found = reconciliations.find_runs(session, since=since, shop_ids=[shop_id])
    return {run.kind: run for run in reversed(found)}
