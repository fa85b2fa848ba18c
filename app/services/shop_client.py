"""A shop that may be called, with credentials that hold. Every call to a shop goes through `open_shop`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import httpx
import structlog

from app.db import shops
from app.db.shops import ShopRow
from app.domain.errors import AccessLost, Refused, Retryable
from app.domain.pacing import Urgency
from app.services.runtime import Runtime
from connectors.base import Connector, HttpSeam, Pace, ShopAccess, ShopClient

LEASE_S = 60  # longer than a connector may take to renew credentials

log = structlog.get_logger()


@contextmanager
def open_shop(
    rt: Runtime, program_id: int, shop_id: int, urgency: Urgency = Urgency.BACKGROUND
) -> Iterator[ShopClient]:
    """The shop's API, closed at the end. Never to be used inside a transaction.

    `urgency`: who waits for it. What nobody waits for is put off (PutOff) before it uses up what the shop allows.

    A shop that lets us in no more is written down as such (`access_problem`): people see it, what waits for the
    shop goes on waiting, and goes on when the shop is connected again.

    Raises: Refused("not_callable"); AccessLost; Retryable while its credentials are being renewed elsewhere.
    """
    shop, access = _access(rt, program_id, shop_id)
    connector = rt.connectors[shop.platform]
    if _is_renewal_due(rt, connector, shop, access):
        access = _renewed(rt, connector, shop)
    pace = rt.paces.setdefault((program_id, shop_id), Pace(rt.now))
    client = connector.open_client(replace(access, pace=pace, urgency=urgency), rt.http)
    try:
        yield client
    except AccessLost as lost:
        raise _judged(rt, connector, shop, access, lost) from lost
    finally:
        client.close()


def why_not_callable(shop: ShopRow) -> str | None:
    """Why the shop may not be called, for people; None: it may."""
    if shop.state == "uninstalled":
        return "The shop is not connected any more."
    if shop.state == "unchecked":
        return "The shop was connected without a check: it is never called."
    if shop.access_problem is not None:
        return f"The shop lets us in no more and must be connected again: {shop.access_problem}"
    return None


def _access(rt: Runtime, program_id: int, shop_id: int) -> tuple[ShopRow, ShopAccess]:
    with rt.db.begin(program_id) as session:
        shop = shops.get_shop(session, shop_id)
        if why := why_not_callable(shop):
            raise Refused("not_callable", why)
        secrets = shops.get_secrets(session, rt.vault, shop_id)
    return shop, _to(shop, secrets.credentials)


def _to(shop: ShopRow, credentials: Mapping[str, str]) -> ShopAccess:
    return ShopAccess(
        shop_key=shop.key,
        shop_ref=shop.shop_ref,
        credentials=credentials,
        allow_private=shop.allow_private,
    )


# --- Renewing ----------------------------------------------------------------------------------------------


class _RenewalIsDue(Exception):
    pass


class _NoCalls(HttpSeam):
    """Handed to `refresh` to learn whether it would call out: whoever only looks at a date never asks for it."""

    def client(self, *, allow_private: bool) -> httpx.Client:
        raise _RenewalIsDue


def _is_renewal_due(rt: Runtime, connector: Connector, shop: ShopRow, access: ShopAccess) -> bool:
    try:
        connector.refresh(access, rt.app_of(connector.name), _NoCalls(), rt.now())
    except _RenewalIsDue:
        return True
    except AccessLost as lost:
        _store_problem(rt, shop, lost)
        raise
    return False


def _renewed(rt: Runtime, connector: Connector, shop: ShopRow) -> ShopAccess:
    """New credentials, by the one process that holds the shop's lease; stored before anything is called with them."""
    with rt.db.begin(shop.program_id) as session:
        if not shops.take_lease(session, shop.shop_id, now=rt.now(), for_s=LEASE_S):
            raise Retryable(f"{shop.key}: its credentials are being renewed elsewhere", retry_after_s=5)
        # Read again under the lease: somebody may have renewed them since.
        access = _to(shop, shops.get_secrets(session, rt.vault, shop.shop_id).credentials)
    try:
        fresh = connector.refresh(access, rt.app_of(connector.name), rt.http, rt.now())
    except BaseException as error:
        with rt.db.begin(shop.program_id) as session:
            shops.end_lease(session, shop.shop_id)
        if isinstance(error, AccessLost):
            _store_problem(rt, shop, error)
        raise
    with rt.db.begin(shop.program_id) as session:
        # A shop that left meanwhile stays without credentials.
        if fresh is not None and shops.get_shop(session, shop.shop_id).state == "connected":
            shops.put_secrets(session, rt.vault, shop.shop_id, credentials=fresh)
        shops.end_lease(session, shop.shop_id)
    return access if fresh is None else _to(shop, fresh)


# --- Access lost -------------------------------------------------------------------------------------------


def _judged(
    rt: Runtime, connector: Connector, shop: ShopRow, access: ShopAccess, lost: AccessLost
) -> AccessLost | Retryable:
    """A refusal counts only for credentials that are still the shop's: a token may have ended or been replaced."""
    with rt.db.begin(shop.program_id) as session:
        now_held = shops.get_secrets(session, rt.vault, shop.shop_id).credentials
    if now_held != access.credentials:
        return Retryable(f"{shop.key}: its credentials were replaced meanwhile", retry_after_s=1)
    if _is_renewal_due(rt, connector, shop, access):
        return Retryable(f"{shop.key}: its credentials ended meanwhile", retry_after_s=1)
    _store_problem(rt, shop, lost)
    return lost


def _store_problem(rt: Runtime, shop: ShopRow, lost: AccessLost) -> None:
    with rt.db.begin(shop.program_id) as session:
        shops.update_shop(session, shop.shop_id, access_problem=lost.detail[:500])
    log.warning("access_lost", shop_id=shop.shop_id, detail=lost.detail)
