"""wc-auth: the merchant agrees, the store makes a key and posts it to the app itself.

Source: recording 9-wcauth-approve of a real store (tests/sandbox/recordings/woocommerce_rest).
"""

from urllib.parse import urlencode

import httpx
from flask import Blueprint, Response, redirect, request
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from sandbox.woocommerce.parts import encode
from sandbox.woocommerce.shop import Shop

_NEEDED = ("app_name", "scope", "user_id", "return_url", "callback_url")
_PERMISSIONS = {"read": "read", "write": "write", "read_write": "read_write"}
_PAGE = Markup("""<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Application authentication request</title>
<link rel="stylesheet" href="/static/shop.css"><main><h1>{app} would like to connect to your store</h1>
<p>This will give “{app}” {scope} access.</p>
<p class="row"><a href="{approve}">Approve</a> <a href="{deny}">Deny</a></p></main></html>""")


def make(shop: Shop) -> Blueprint:
    pages = Blueprint("consent", __name__)

    @pages.get("/wc-auth/v1/authorize")
    @pages.get("/wc-auth/v1/authorize/")
    def authorize() -> AnyResponse:
        """Staff are taken as logged in: a real store shows its login page first."""
        asked = request.args.to_dict()
        for name in _NEEDED:
            if not asked.get(name):
                return _denied(f"Missing parameter {name}")
        if asked["scope"] not in _PERMISSIONS:
            return _denied(f"Invalid scope {asked['scope']}")
        if not asked["callback_url"].startswith("https://"):
            return _denied("The callback_url needs to be over SSL")
        approve = f"/wc-auth/v1/access_granted/?{urlencode({**asked, 'wc_auth_nonce': 'cc93c8f908'})}"
        page = _PAGE.format(
            app=asked["app_name"],
            scope=asked["scope"].replace("_", "/"),
            approve=approve,
            deny=_back(asked, success=False),
        )
        return Response(page)

    @pages.get("/wc-auth/v1/access_granted/")
    def access_granted() -> AnyResponse:
        """Approve. Clicking twice makes a second key and a second callback."""
        asked = request.args.to_dict()
        key = shop.api_key(_PERMISSIONS[asked["scope"]], description=asked["app_name"])
        told = {
            "key_id": key.id,
            "user_id": asked["user_id"],
            "consumer_key": key.consumer_key,
            "consumer_secret": key.consumer_secret,
            "key_permissions": key.permissions,
        }
        if not _post(shop, asked["callback_url"], encode(told)):
            key.revoked = True
            return _denied(
                "An error occurred in the request and at the time were unable to send the consumer data"
            )
        return redirect(_back(asked, success=True))

    return pages


def _post(shop: Shop, url: str, body: bytes) -> bool:
    """True only for a 200: 201 and 500 alike lose the key."""
    if shop.deliveries.client is None:
        return False
    headers = {
        "User-Agent": f"WordPress/7.0.4; {shop.url}",
        "Accept": "*/*",
        "Content-Type": "application/json;charset=UTF-8",
        "Connection": "close",
    }
    try:
        return shop.deliveries.client.post(url, content=body, headers=headers).status_code == 200
    except httpx.TransportError:
        return False


def _back(asked: dict[str, str], *, success: bool) -> str:
    glue = "&" if "?" in asked["return_url"] else "?"
    query = urlencode({"success": int(success), "user_id": asked["user_id"]})
    return f"{asked['return_url']}{glue}{query}"


def _denied(why: str) -> Response:
    page = Markup(
        "<!doctype html><title>Access denied</title><h1>Access denied</h1><p>Error: {}.</p>"
    ).format(why)
    return Response(page, status=401)
