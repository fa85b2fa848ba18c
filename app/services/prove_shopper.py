"""Who a shopper's request is from: the shop's own token, or the platform's signature. Nothing else is believed."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt

from app.db.directory import Kind
from app.domain.errors import Refused
from app.services.runtime import Runtime
from app.services.shop_access import shop_access
from app.services.shop_memory import KnownShop
from connectors.base import AppCredentials, BadSignature, InstallRequest

LONGEST = timedelta(minutes=15)
_CLOCKS_DIFFER = timedelta(seconds=10)
OUR_PARAMETERS = frozenset(
    {"key", "lang", "cursor", "currency", "lines", "fees", "delivery", "delivery_tax", "channel"}
)
"""What our own pages ask with; a platform adds others when it vouches for somebody."""

# What platforms call their customers. No colon: that is how the refs of erased people are told apart.
_CUSTOMER_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", re.ASCII)
_SHOP_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,99}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shopper:
    """`customer_ref` None: nobody is logged in, as far as anybody proves."""

    shop: KnownShop
    customer_ref: str | None


def prove_shopper(rt: Runtime, request: InstallRequest, token: str | None) -> Shopper:
    """The shop that the request is about, and its customer if one is proven.

    Raises: Refused with unknown_shop (an uninstalled one too), unproven, token_expired.
    """
    if (shop := named_shop(rt, request)) is None and "key" not in request.query:
        return _signed_alone(rt, request)
    if shop is None or shop.state == "uninstalled":
        raise Refused("unknown_shop", "There is no such shop here.")
    if token is not None:
        return Shopper(shop=shop, customer_ref=_by_token(token, shop.widget_secret, rt.now()))
    return Shopper(shop=shop, customer_ref=_by_platform(rt, request, shop))


def named_shop(rt: Runtime, request: InstallRequest) -> KnownShop | None:
    """The shop that the request names, which proves nothing yet."""
    keys = request.query.get("key", ())
    return shop_of_key(rt, keys[0]) if len(keys) == 1 else None


def shop_of_key(rt: Runtime, key: str) -> KnownShop | None:
    """The shop of that key, uninstalled ones too."""
    return shop_access(rt, Kind.SHOP, key) if _SHOP_KEY.fullmatch(key) else None


# --- The shop's own token ----------------------------------------------------------------------------------


def _by_token(token: str, secret: str, now: datetime) -> str:
    if not secret:
        raise _unproven()
    try:
        claims = _claims(token, secret)
    except (jwt.InvalidTokenError, RecursionError, ValueError):
        raise _unproven() from None
    _check_times(claims, now)
    customer_ref = claims["sub"]
    if not isinstance(customer_ref, str) or not _CUSTOMER_REF.fullmatch(customer_ref):
        raise _unproven()
    return customer_ref


@lru_cache(maxsize=4096)
def _claims(token: str, secret: str) -> dict[str, Any]:
    """What a signed token says. Remembered, because a panel shows the same one for as long as it is good."""
    # Times are checked by the caller, by our clock; the algorithm is ours to say, never the token's.
    return jwt.decode(
        token,
        secret,
        algorithms=["HS256"],
        options={
            "require": ["exp", "sub"],
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
            "verify_aud": False,
        },
    )


def _check_times(claims: dict[str, Any], now: datetime) -> None:
    at, differ = now.timestamp(), _CLOCKS_DIFFER.total_seconds()
    end = _seconds(claims["exp"])
    if end > at + LONGEST.total_seconds() + differ:
        raise _unproven()  # a token for ever is no proof that somebody is logged in now
    if end < at - differ:
        raise Refused("token_expired", "Your sign-in has run out: reload this page.")
    for name in ("iat", "nbf"):
        if name in claims and _seconds(claims[name]) > at + differ:
            raise _unproven()


def _seconds(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise _unproven()
    return value


# --- The platform's signature ------------------------------------------------------------------------------


def _by_platform(rt: Runtime, request: InstallRequest, shop: KnownShop) -> str | None:
    connector = rt.connectors.get(shop.platform)
    if connector is None or connector.prove_shopper is None or set(request.query) <= OUR_PARAMETERS:
        return None  # nobody claims anything
    secrets = shop.webhook_secrets if shop.own_app else rt.own_secrets(shop.platform)
    try:
        proof = connector.prove_shopper(request, AppCredentials(secrets=secrets), rt.now())
    except BadSignature:
        raise _unproven() from None
    if proof.shop_ref != shop.shop_ref:
        raise _unproven()
    return proof.customer_ref


def _signed_alone(rt: Runtime, request: InstallRequest) -> Shopper:
    """A request without our key: the shop is the one that the platform signed, by the installation's own app."""
    for name, connector in rt.connectors.items():
        app = rt.apps.get(name)
        if connector.prove_shopper is None or app is None:
            continue
        try:
            proof = connector.prove_shopper(request, app, rt.now())
        except BadSignature:
            continue
        shop = shop_access(rt, Kind.SHOP_REF, f"{name} {proof.shop_ref}")
        if shop is not None and not shop.own_app and shop.state != "uninstalled":
            return Shopper(shop=shop, customer_ref=proof.customer_ref)
    raise Refused("unknown_shop", "There is no such shop here.")


def _unproven() -> Refused:
    return Refused("unproven", "Sign in to the shop again, or reload this page.")
