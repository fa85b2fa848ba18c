"""The first step of an installation: the merchant is sent to agree, and we remember whom we sent where."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from app.db import directory
from app.db.directory import Kind
from app.domain.errors import Refused
from app.services.connect_shop import ConnectedShop, ShopToConnect, connect_shop
from app.services.runtime import Runtime
from connectors.base import Connector, Consent, Granted, InstallRequest, Page

VALID = timedelta(minutes=10)
_LONGEST_BACK = 500


@dataclass(frozen=True, slots=True)
class Sent:
    """Send the browser to `url`, and have it keep `browser`: only the same browser finishes what it began."""

    url: str
    browser: str


def begin_install(
    rt: Runtime, platform: str, request: InstallRequest, *, invitation: str | None, back: str | None = None
) -> Sent | Page | ConnectedShop:
    """What to answer. Raises: Refused, Retryable.

    `invitation`: the token of a link whose page the merchant has agreed to. `back`: the page of the shop's own that
    the merchant came from; any other address is not gone back to.
    """
    connector = get_connector(rt, platform)
    state = secrets.token_urlsafe(32)
    step = connector.begin_install(request, state, rt.public_url, rt.app_of(platform), rt.http, rt.now())
    match step:
        case Consent():
            return Sent(step.url, _remember(rt, connector, state, step.shop_ref, invitation, back))
        case Granted():
            return _granted(rt, connector, step)
        case Page():
            return step
        case _:
            raise Refused("denied", "The shop did not agree. Nothing was connected.")


def get_connector(rt: Runtime, platform: str) -> Connector:
    """Raises: Refused("unknown_platform")."""
    connector = rt.connectors.get(platform)
    if connector is None:
        raise Refused("unknown_platform", "There is nothing here.")
    return connector


def _remember(
    rt: Runtime, connector: Connector, state: str, shop_ref: str, invitation: str | None, back: str | None
) -> str:
    browser = secrets.token_urlsafe(32)
    details = {
        "platform": connector.name,
        "shop_ref": shop_ref,
        "browser": rt.vault.token_hash(browser),
        "invitation": rt.vault.token_hash(invitation) if invitation else None,
        "back": back if back and back.startswith(f"{shop_ref}/") and len(back) <= _LONGEST_BACK else None,
    }
    with rt.db.outside() as connection:
        directory.put(
            connection,
            Kind.NONCE,
            rt.vault.token_hash(state),
            0,  # of no program yet
            details=details,
            expires_at=rt.now() + VALID,
        )
    return browser


def _granted(rt: Runtime, connector: Connector, granted: Granted) -> ConnectedShop:
    """The platform itself vouches for shop and merchant in this very request: there is nothing to wait for."""
    if granted.shop_ref is None or granted.state is not None:
        raise Refused("not_understood", "This installation cannot be finished. Start again from the shop.")
    return connect_shop(
        rt,
        ShopToConnect(
            platform=connector.name,
            shop_ref=granted.shop_ref,
            credentials=granted.credentials,
            own_app=not connector.app_signed,
        ),
    )
