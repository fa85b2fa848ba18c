"""Shops: what we know of each, their sealed credentials and secrets."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.db.sealing import Vault
from app.db.session import Session
from app.domain.errors import Refused
from app.domain.profiles import ProfilePart
from app.domain.staff import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopRow:
    """A shop without its secrets."""

    program_id: int
    shop_id: int
    key: str
    platform: str
    shop_ref: str
    name: str
    url: str
    currency: str
    timezone: str
    state: str
    own_app: bool
    allow_private: bool
    counts_test_orders: bool
    counts_from: datetime
    connected_at: datetime
    uninstalled_at: datetime | None
    reads_orders_days: int | None
    withheld: Mapping[str, str]  # kinds of codes that its owner has not let us make: why
    reconciled_until: datetime | None
    digested_at: datetime | None
    codes_checked_at: datetime | None
    access_problem: str | None
    webhooks: Sequence[Mapping[str, Any]] = field(default=())
    companion: Mapping[str, Any] | None = None  # our piece in the shop: version, problem, seen_at
    shows_fields: bool = False
    shows_tags: bool = False
    profile_ready: bool = False
    profile_problem: str | None = None
    staff_role: Role | None = None  # of whoever opens us in the shop's own admin; None: nobody new comes in

    @property
    def profile_parts(self) -> frozenset[ProfilePart]:
        """What stands of ours at the shop's own customers."""
        shown = {ProfilePart.FIELDS: self.shows_fields, ProfilePart.TAGS: self.shows_tags}
        return frozenset(part for part, is_shown in shown.items() if is_shown)

    @property
    def callable(self) -> bool:
        """Whether we may call it at all."""
        return self.state == "connected" and self.access_problem is None


_COLUMNS = (
    "program_id, id AS shop_id, key, platform, shop_ref, name, url, currency, timezone, state, own_app, "
    "allow_private, counts_test_orders, counts_from, connected_at, uninstalled_at, reads_orders_days, withheld, "
    "reconciled_until, digested_at, codes_checked_at, access_problem, webhooks, companion, shows_fields, shows_tags, "
    "profile_ready, profile_problem, staff_role"
)

_JSON = {"webhooks", "companion", "withheld"}


def find_shops(session: Session, shop_ids: Sequence[int] | None = None) -> dict[int, ShopRow]:
    """Those shops of the session's programs (None: all), by id."""
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM shops WHERE {{fence}} "
        "AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(CAST(:ids AS bigint[]))) ORDER BY id",
        ids=None if shop_ids is None else list(shop_ids),
    )
    return {row.shop_id: _row(row) for row in rows}


def _row(row: Any) -> ShopRow:
    return ShopRow(**{**row._mapping, "staff_role": Role(row.staff_role) if row.staff_role else None})


def get_shop(session: Session, shop_id: int) -> ShopRow:
    """Raises: Refused("unknown_shop")."""
    try:
        return find_shops(session, [shop_id])[shop_id]
    except KeyError:
        raise Refused("unknown_shop", "This program has no such shop.") from None


def add_shop(
    session: Session,
    *,
    key: str,
    platform: str,
    shop_ref: str,
    name: str,
    url: str,
    currency: str,
    timezone: str,
    state: str,
    own_app: bool,
    allow_private: bool,
    counts_from: datetime,
    reads_orders_days: int | None,
    withheld: Mapping[str, str],
    profile_parts: frozenset[ProfilePart],
    staff_role: Role | None,
    now: datetime,
) -> int:
    return int(
        session.scalar(
            "INSERT INTO shops (program_id, key, platform, shop_ref, name, url, currency, timezone, state, own_app, "
            "allow_private, counts_from, connected_at, reads_orders_days, withheld, shows_fields, shows_tags, "
            "staff_role) "
            "VALUES (:program_id, :key, :platform, :shop_ref, :name, :url, :currency, :timezone, :state, :own_app, "
            ":allow_private, :counts_from, :now, :reads, CAST(:withheld AS jsonb), :fields, :tags, :staff_role) "
            "RETURNING id",
            key=key,
            platform=platform,
            shop_ref=shop_ref,
            name=name,
            url=url,
            currency=currency,
            timezone=timezone,
            state=state,
            own_app=own_app,
            allow_private=allow_private,
            counts_from=counts_from,
            reads=reads_orders_days,
            withheld=json.dumps(dict(withheld)),
            fields=ProfilePart.FIELDS in profile_parts,
            tags=ProfilePart.TAGS in profile_parts,
            staff_role=staff_role.value if staff_role else None,
            now=now,
        )
    )


def update_shop(session: Session, shop_id: int, **changes: Any) -> None:
    """Set columns of a shop. Values for `webhooks`, `companion` and `withheld` are given as data."""
    for name in _JSON & changes.keys():
        changes[name] = None if changes[name] is None else json.dumps(changes[name])
    assignments = ", ".join(
        f"{name} = CAST(:{name} AS jsonb)" if name in _JSON else f"{name} = :{name}" for name in changes
    )
    session.run(f"UPDATE shops SET {assignments} WHERE {{fence}} AND id = :shop_id", changes, shop_id=shop_id)


# --- Secrets -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopSecrets:
    credentials: Mapping[str, str] = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)  # newest first
    widget_secret: str = field(repr=False)


def _place(program_id: int, shop_id: int, name: str) -> str:
    return f"shops|{program_id}|{shop_id}|{name}"


def put_secrets(
    session: Session,
    vault: Vault,
    shop_id: int,
    *,
    credentials: Mapping[str, str] | None = None,
    webhook_secrets: Sequence[str] | None = None,
    widget_secret: str | None = None,
) -> None:
    """Seal and store what is given; the rest stays."""
    given: dict[str, Any] = {
        "credentials": credentials,
        "webhook_secrets": webhook_secrets,
        "widget_secret": widget_secret,
    }
    sealed = {
        name: vault.ring.seal(json.dumps(value).encode(), _place(session.program_id, shop_id, name))
        for name, value in given.items()
        if value is not None
    }
    if sealed:
        update_shop(session, shop_id, **sealed)


def get_secrets(session: Session, vault: Vault, shop_id: int) -> ShopSecrets:
    """Raises: Refused("unknown_shop"), CannotOpen."""
    row = session.first(
        "SELECT program_id, credentials, webhook_secrets, widget_secret FROM shops WHERE {fence} AND id = :id",
        id=shop_id,
    )
    if row is None:
        raise Refused("unknown_shop", "This program has no such shop.")

    def opened(name: str, nothing: Any) -> Any:
        sealed = getattr(row, name)
        if sealed is None:
            return nothing
        return json.loads(vault.ring.open(bytes(sealed), _place(row.program_id, shop_id, name)))

    return ShopSecrets(
        credentials=opened("credentials", {}),
        webhook_secrets=tuple(opened("webhook_secrets", ())),
        widget_secret=opened("widget_secret", ""),
    )


def reseal(session: Session, vault: Vault, shop_id: int) -> int:
    """Seal the shop's secrets under the newest key. Returns how many fields changed."""
    row = session.first(
        "SELECT credentials, webhook_secrets, widget_secret FROM shops WHERE {fence} AND id = :id FOR UPDATE",
        id=shop_id,
    )
    if row is None:
        return 0
    fresh = {}
    for name, sealed in row._mapping.items():
        if sealed is not None and not vault.ring.is_newest(bytes(sealed)):
            place = _place(session.program_id, shop_id, name)
            fresh[name] = vault.ring.seal(vault.ring.open(bytes(sealed), place), place)
    if fresh:
        update_shop(session, shop_id, **fresh)
    return len(fresh)


def count_older_seals(session: Session, vault: Vault, shop_id: int) -> int:
    """How many of the shop's secrets `reseal` would change."""
    row = session.first(
        "SELECT credentials, webhook_secrets, widget_secret FROM shops WHERE {fence} AND id = :id", id=shop_id
    )
    sealed = row._mapping.values() if row else ()
    return sum(one is not None and not vault.ring.is_newest(bytes(one)) for one in sealed)


def take_lease(session: Session, shop_id: int, *, now: datetime, for_s: int) -> bool:
    """Whether the right to renew the shop's credentials is now ours, for `for_s` seconds."""
    row = session.first(
        "UPDATE shops SET lease_until = :until WHERE {fence} AND id = :id "
        "AND (lease_until IS NULL OR lease_until < :now) RETURNING 1",
        id=shop_id,
        now=now,
        until=now + timedelta(seconds=for_s),
    )
    return row is not None


def end_lease(session: Session, shop_id: int) -> None:
    update_shop(session, shop_id, lease_until=None)
