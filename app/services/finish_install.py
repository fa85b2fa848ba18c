"""The platform's call back. Keys that a server posts wait, sealed, for the browser that began: only then they count.

Otherwise somebody could send a merchant a link of an installation of his own, and have the merchant's shop join it.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.db import directory, pending_keys
from app.db.directory import Found, Kind
from app.domain.errors import Refused
from app.services.begin_install import VALID, get_connector
from app.services.connect_shop import ConnectedShop, ShopToConnect, ask_shop, connect_shop
from app.services.invite_shop import spend_invitation
from app.services.runtime import Runtime
from connectors.base import Denied, Granted, InstallRequest, Page

_OVER = "This installation was finished already, or took longer than ten minutes. Start again."


@dataclass(frozen=True, slots=True)
class KeysKept:
    """A server's post: answer it exactly 200, whatever the platform makes of other answers."""


@dataclass(frozen=True, slots=True)
class NotAgreed:
    """The merchant said no: nothing was connected. `back`: the shop's own page that it began on, if on one."""

    back: str | None


def finish_install(
    rt: Runtime, platform: str, request: InstallRequest, *, browser: str | None
) -> ConnectedShop | KeysKept | NotAgreed | Page:
    """What to answer. `browser`: what the browser that began was given to keep. Raises: Refused, Retryable."""
    connector = get_connector(rt, platform)
    step = connector.finish_install(request, rt.app_of(platform), rt.http, rt.now())
    match step:
        case Page():
            return step
        case Denied():
            found = _take(rt, platform, step.state, browser) if step.state is not None else None
            return NotAgreed(back=found.details.get("back") if found else None)
        case Granted():
            if step.state is None:
                raise Refused("not_understood", "This answer belongs to no installation. Start again.")
            if request.method == "POST":
                return _keep_keys(rt, platform, step.state, step)
            return _connect(
                rt, platform, _take(rt, platform, step.state, browser), step.state, step.credentials
            )
        case _:
            raise Refused("not_understood", "This answer was not expected. Start again.")


def _keep_keys(rt: Runtime, platform: str, state: str, granted: Granted) -> KeysKept:
    """Anybody can post here. The state proves that an installation waits, the shop's own answer that the keys are its.

    The first post uses the state up; what the browser finds under it from then on are the keys.
    """
    key = rt.vault.token_hash(state)
    with rt.db.outside() as connection:
        found = directory.take(connection, Kind.NONCE, key, now=rt.now())
    if found is None or found.details["platform"] != platform or "keys" in found.details:
        raise Refused("link_used", _OVER)
    pending = found.details["shop_ref"]
    if not granted.credentials or granted.shop_ref not in (None, pending):
        raise Refused("not_understood", "These keys belong to no shop that waits for them.")
    ask_shop(rt, platform, pending, granted.credentials, allow_private=False)
    details = {**found.details, "keys": pending_keys.seal_keys(rt.vault, key, granted.credentials)}
    with rt.db.outside() as connection:
        directory.put(connection, Kind.NONCE, key, 0, details=details, expires_at=rt.now() + VALID)
    return KeysKept()


def _take(rt: Runtime, platform: str, state: str, browser: str | None) -> Found:
    """What waits under the state, for the browser that began only; it is used up. Raises: Refused."""
    key = rt.vault.token_hash(state)
    with rt.db.outside() as connection:
        found = directory.find(connection, Kind.NONCE, key, now=rt.now())
    if found is None or found.details["platform"] != platform:
        raise Refused("link_used", _OVER)
    if not secrets.compare_digest(rt.vault.token_hash(browser or ""), found.details["browser"]):
        # It stays: whoever began it may still finish it.
        raise Refused(
            "not_allowed", "This installation was begun in another browser. Go on there, or start again."
        )
    with rt.db.outside() as connection:
        taken = directory.take(connection, Kind.NONCE, key, now=rt.now())
    if taken is None:
        raise Refused("link_used", _OVER)
    return taken


def _connect(
    rt: Runtime, platform: str, found: Found, state: str, credentials: Mapping[str, str]
) -> ConnectedShop:
    keys = dict(credentials) or _opened(rt, found.details, state)
    invitation = found.details["invitation"]
    connected = connect_shop(
        rt,
        ShopToConnect(
            platform=platform,
            shop_ref=found.details["shop_ref"],
            credentials=keys,
            own_app=not rt.connectors[platform].app_signed,
            program_id=spend_invitation(rt, invitation) if invitation else None,
        ),
    )
    return replace(connected, back=found.details.get("back"))


def _opened(rt: Runtime, details: Mapping[str, Any], state: str) -> dict[str, str]:
    sealed = details.get("keys")
    if sealed is None:
        raise Refused(
            "no_keys",
            "The shop agreed, but its keys did not reach us. Start again; if that does not help, "
            "create keys in the shop by hand and connect it with them.",
        )
    return pending_keys.open_keys(rt.vault, rt.vault.token_hash(state), sealed)
