"""How a merchant connects a WooCommerce shop: the shop's own consent page (wc-auth), which posts us API keys.

That post is not signed. All that links it to the installation is the state, an unguessable word used once: whoever
takes `Granted` checks and spends it, then calls the shop it was made for with the new keys before believing them.
Source: woocommerce plugins/woocommerce/includes/class-wc-auth.php; tried on 10.9.1.
"""

import re
from datetime import datetime
from urllib.parse import urlencode

import httpx

from app.domain.errors import AccessLost, Refused
from connectors.base import (
    AppCredentials,
    Consent,
    Denied,
    Granted,
    HttpSeam,
    InstallRequest,
    InstallStep,
    ShopAccess,
)
from connectors.decoding import decode
from connectors.http import check_url
from connectors.woocommerce.client import WooClient
from connectors.woocommerce.payloads import Keys

# What people copy from the address bar: everything from here on is a page of WordPress, not the shop's address.
_PAGE_OF_WORDPRESS = re.compile(r"/(wp-admin|wp-login\.php|wp-json|wp-content|index\.php|wc-auth)(/.*)?$")
_KEYS = (re.compile(r"ck_[0-9a-f]{40}"), re.compile(r"cs_[0-9a-f]{40}"))


def begin_install(
    request: InstallRequest,
    state: str,
    public_url: str,
    app: AppCredentials,
    http: HttpSeam,
    now: datetime,
) -> InstallStep:
    """The shop's consent page, for the address that the merchant typed (`?url=`).

    Raises: Refused("bad_shop_address") for what is no shop's address on the internet.
    """
    site = site_address(_only(request, "url"))
    callback = f"{public_url.rstrip('/')}/install/woocommerce/callback"
    wish = {
        "app_name": "Laurel",
        "scope": "read_write",
        "user_id": state,
        "return_url": callback,
        "callback_url": callback,
    }
    return Consent(url=f"{site}/wc-auth/v1/authorize?{urlencode(wish)}", shop_ref=site)


def finish_install(
    request: InstallRequest,
    app: AppCredentials,
    http: HttpSeam,
    now: datetime,
) -> InstallStep:
    """WordPress's post of the keys, or the browser that comes back after it.

    The browser brings no keys: `Granted` with empty credentials says that the post came before. WordPress takes
    any answer to its post but exactly 200 for a failure, and deletes the keys.

    Raises: Refused("not_understood"), Refused("keys_too_weak").
    """
    if request.method == "POST":
        return _granted(decode(request.body, Keys))
    state = _only(request, "user_id")
    if _only(request, "success") != "1":
        return Denied(state=state)
    return Granted(shop_ref=None, credentials={}, state=state)


def check_keys(access: ShopAccess, http: HttpSeam) -> None:
    """Keys that somebody made by hand: are they the shop's, and may they both read and write?

    WooCommerce makes keys that may only read unless told otherwise; with them a shop would be connected, and locked
    out by the first webhook to be made.

    Raises: Refused("keys_refused"), Refused("keys_too_weak"), Retryable.
    """
    where = "WooCommerce, Settings, Advanced, REST API"
    client = WooClient(access, http)
    try:
        client.shop_facts()
        try:
            client.require_write()
        except AccessLost as lost:
            raise Refused(
                "keys_too_weak", f"These keys may only read: give them Read/Write at the shop ({where})."
            ) from lost
    except AccessLost as lost:
        raise Refused(
            "keys_refused",
            f"The shop does not let these keys in ({lost.detail}): copy both once more, or make new ones ({where}).",
        ) from lost
    finally:
        client.close()


def site_address(typed: str) -> str:
    """The shop's address as we call it: https, lower-case host, a sub-directory kept, no slash at the end.

    Raises: Refused("bad_shop_address").
    """
    text = re.sub(r"^https?://", "", typed.strip(), flags=re.IGNORECASE)
    try:
        url = httpx.URL(f"https://{text}")
        check_url(url, allow_private=False)
        path = url.path
    except (httpx.InvalidURL, ValueError, Refused) as error:
        raise Refused("bad_shop_address", "Type your shop's address, such as https://shop.example") from error
    path = _PAGE_OF_WORDPRESS.sub("", path).rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", path) or ".." in path:
        raise Refused("bad_shop_address", "Type your shop's address, such as https://shop.example")
    return f"https://{url.raw_host.decode('ascii').lower()}{path}"


def _granted(keys: Keys) -> Granted:
    if not all(
        known.fullmatch(key)
        for known, key in zip(_KEYS, (keys.consumer_key, keys.consumer_secret), strict=True)
    ):
        raise Refused("not_understood", "WooCommerce's keys do not look like keys.")
    if keys.key_permissions != "read_write":
        raise Refused("keys_too_weak", "The keys may not both read and write; connect the shop again.")
    credentials = {"consumer_key": keys.consumer_key, "consumer_secret": keys.consumer_secret}
    return Granted(shop_ref=None, credentials=credentials, state=keys.user_id)


def _only(request: InstallRequest, name: str) -> str:
    values = request.query.get(name, ())
    if len(values) != 1:
        raise Refused("not_understood", f"“{name}” must be given once.")
    return values[0]
