"""How a shop lets us in, how its token is kept fresh, and who stands behind a request: a shopper, or the shop's staff.

Credentials, by name: `mode` "app" (the installation's own app: `access_token`, `expires_at`, `refresh_token`,
`refresh_expires_at`) or "own_app" (a merchant's own app: `client_id`, `client_secret`, `access_token`, `expires_at`).
Times in them are ISO 8601, UTC. Returns data, never a Flask response.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from msgspec import Struct
from shopify_app import ShopifyApp
from shopify_app.types import RequestInput, Res

from app.domain.errors import AccessLost, Refused, Retryable
from connectors.base import (
    AppCredentials,
    AutomatedGift,
    BadSignature,
    Extensions,
    Frame,
    Granted,
    HttpSeam,
    InstallRequest,
    InstallStep,
    Page,
    Shell,
    ShopAccess,
    ShopLinks,
    ShopperProof,
    StaffProof,
    TriggerUse,
    WebhookRequest,
)
from connectors.decoding import decode, in_utc
from connectors.shopify.payloads import HANDLES, FlowAct, FlowUse
from connectors.shopify.webhooks import SHOP, shop_domain
from connectors.signatures import require_hmac_sha256

_FLOW_CUSTOMER = re.compile(r"(?:gid://shopify/Customer/)?([1-9][0-9]{0,18})", re.ASCII)
_FLOW_POINTS = re.compile(r"([1-9][0-9]{0,8})(?:\.0{1,9})?", re.ASCII)
# As shopify.app.toml has them; a test compares the two.
OPTIONAL_SCOPES = (
    "write_customers",
    "read_gift_cards",
    "write_gift_cards",
    "read_store_credit_accounts",
    "write_store_credit_account_transactions",
)
_EMBED = "launcher"  # the block of extensions/laurel-loyalty that stands on every page
_LONGEST_RUN = 500
_TRIGGERS = {handle: trigger for trigger, handle in HANDLES.items()}
_RENEW_BEFORE = timedelta(minutes=5)
_CALLBACK = "/install/shopify/callback"
_CLOCKS_DIFFER_S = 10
# Shopify's live a minute; one that lives for years was not made by it, or would be a password.
_ID_TOKEN_LIVES_S = 600
_PROXY_MAX_AGE_S = 90
_USER = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_CUSTOMER = re.compile(r"gid://shopify/Customer/([1-9][0-9]{0,18})", re.ASCII)
# Not vendored: Shopify asks for its current file, from this very address, in every page that it frames.
_APP_BRIDGE = "https://cdn.shopify.com/shopifycloud/app-bridge.js"

# What Shopify's app proxy adds, and our own parameters; each exactly once, ours may be absent. Shopify signs the
# sorted `name=value` run together without anything between (C6), so two readings of one signed text must be
# impossible: no pattern lets "=" through, and no name here ends with another (a test says so).
_FROM_SHOPIFY = {
    "shop": SHOP.pattern,
    "logged_in_customer_id": r"(?:[1-9][0-9]{0,18})?",
    "path_prefix": r"/[a-z]{1,20}/[A-Za-z0-9_-]{1,60}",
    "timestamp": r"[1-9][0-9]{9}",
    "signature": r"[0-9a-f]{64}",
}
_OUR_OWN = {
    "locale": r"[a-z]{2,3}(?:-[A-Za-z]{2,4})?",
    "key": r"[a-z0-9][a-z0-9-]{0,99}",
    "lang": r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}",
    "cursor": r"[A-Za-z0-9-]{1,100}",
    # A basket, of which the pages ask what it would earn.
    "currency": r"[A-Z]{3}",
    "lines": r"[0-9.,]{1,4000}",
    "fees": r"[0-9]{1,15}",
    "delivery": r"[0-9]{1,15}",
    "delivery_tax": r"[0-9]{1,15}",
    "channel": r"[A-Za-z0-9_.-]{1,50}",
}


class TokenAnswer(Struct, frozen=True, kw_only=True):
    """What /admin/oauth/access_token gives. Offline tokens last an hour, refresh tokens 90 days."""

    access_token: str
    expires_in: int | None = None
    refresh_token: str | None = None
    refresh_token_expires_in: int | None = None


def begin_install(
    request: InstallRequest, state: str, public_url: str, app: AppCredentials, http: HttpSeam, now: datetime
) -> InstallStep:
    """The app's home in Shopify's admin, where a merchant lands after installing: the id token becomes our token.

    Shopify asked for consent before (managed install), so there is no `state`. Without a valid id token: a redirect
    to the page on which App Bridge fetches one.

    Raises: Refused("bad_request"), Refused("bad_id_token"), Refused("no_app"), Retryable.
    """
    shop = _shop_asked_for(request)
    told = urlsplit(request.url)
    asked: RequestInput = {
        "method": request.method,
        "headers": {**request.headers},
        # A proxy in front may have changed scheme and host, and the redirect is made from them.
        "url": f"{public_url.rstrip('/')}{told.path}?{told.query}",
        "body": "",
    }
    library = _library(app)
    verified = _verified(library, asked)
    if not verified.ok or verified.id_token is None:
        if verified.response.status == 302:
            return _page(verified.response, shop)
        raise Refused(
            "bad_id_token", f"Shopify's id token is not valid ({verified.log.code}): open the app again."
        )
    _check_claims(verified.id_token.claims, shop, now)
    call = _TokenCall(http, allow_private=False)
    try:
        result = library.exchange_using_token_exchange(
            access_mode="offline",
            id_token=verified.id_token,
            invalid_token_response=verified.invalid_token_response,
            http_client=call.client,
        )
    finally:
        call.client.close()
    if result.log.code == "invalid_subject_token":
        return _page(result.response, shop)
    return Granted(shop_ref=shop, credentials={"mode": "app", **call.credentials(result, now)}, state=None)


def finish_install(
    request: InstallRequest, app: AppCredentials, http: HttpSeam, now: datetime
) -> InstallStep:
    """The page on which App Bridge fetches an id token and goes back to where the merchant was.

    Raises: Refused("bad_request") unless `shop` is one of Shopify's and the way back is a path of ours.
    """
    shop = _shop_asked_for(request)
    back = request.query.get("shopify-reload", ())
    # The library takes any text: another site's address would be handed an id token.
    if len(back) != 1 or not re.fullmatch(r"/install/shopify(?:[/?][\x21-\x5b\x5d-\x7e]{0,2000})?", back[0]):
        raise Refused("bad_request", "There is no way back to a page of ours.")
    page = _library(app).app_home_patch_id_token(
        {"method": request.method, "headers": {**request.headers}, "url": request.url, "body": ""}
    )
    if not page.ok:
        raise Refused("bad_request", f"Shopify's sign-in page cannot be made ({page.log.code}).")
    return _page(page.response, shop)


def client_credentials(
    shop_ref: str,
    client_id: str,
    client_secret: str,
    http: HttpSeam,
    now: datetime,
    *,
    allow_private: bool = False,
) -> Mapping[str, str]:
    """The credentials of a merchant's own app in their own shop: a token for 24 hours, renewed by asking again.

    Raises: AccessLost if Shopify does not know the app in that shop; Retryable.
    """
    call = _TokenCall(http, allow_private=allow_private)
    try:
        result = ShopifyApp(client_id, client_secret).exchange_using_client_credentials(
            shop=_handle(shop_ref), http_client=call.client
        )
    finally:
        call.client.close()
    return {
        "mode": "own_app",
        "client_id": client_id,
        "client_secret": client_secret,
        **call.credentials(result, now),
    }


def refresh(
    access: ShopAccess, app: AppCredentials, http: HttpSeam, now: datetime
) -> Mapping[str, str] | None:
    """As `Connector.refresh` says.

    Raises: AccessLost (a person must open or reinstall the app); Retryable; Refused("token_refused"), for what only this
    call met: nothing was made at the shop.
    """
    held = access.credentials
    expires_at = held.get("expires_at", "")
    if not expires_at or datetime.fromisoformat(expires_at) - now > _RENEW_BEFORE:
        return None  # without an end: a token that was made by hand in the shop's admin
    if held.get("mode") == "own_app":
        return client_credentials(
            access.shop_ref,
            held["client_id"],
            held["client_secret"],
            http,
            now,
            allow_private=access.allow_private,
        )
    if (end := held.get("refresh_expires_at")) and datetime.fromisoformat(end) <= now:
        raise AccessLost("the refresh token has ended: a merchant must open the app once in Shopify's admin")
    call = _TokenCall(http, allow_private=access.allow_private)
    try:
        result = _library(app).refresh_token_exchanged_access_token(
            {
                "access_mode": "offline",
                "shop": _handle(access.shop_ref),
                "token": held["access_token"],
                "refresh_token": held.get("refresh_token", ""),
                # Empty: with an end it goes by its own clock, and does nothing before the last minute.
                "expires": "",
                "refresh_token_expires": "",
                "scope": "",
                "user": None,
            },
            http_client=call.client,
        )
    finally:
        call.client.close()
    return {**held, **call.credentials(result, now)}


def prove_shopper(request: InstallRequest, app: AppCredentials, now: datetime) -> ShopperProof:
    """Whom Shopify's app proxy vouches for.

    Our own checks come first: the scheme signs a text that more than one query can have, and a shopper's own
    parameters stand before Shopify's in the query. Not by the library: it reads a clock of its own and takes the
    first of two `logged_in_customer_id`.

    Raises: BadSignature.
    Source: shopify.dev, "Authenticate app proxies"; RELIABILITY C6.
    """
    told = _strictly(request.query)
    if abs(int(now.timestamp()) - int(told["timestamp"])) > _PROXY_MAX_AGE_S:
        raise BadSignature("the request is older than 90 seconds")
    claimed = told.pop("signature").encode()
    if not any(
        secret and hmac.compare_digest(proxy_signature(told, secret).encode(), claimed)
        for secret in app.secrets
    ):
        raise BadSignature("no known secret signs this request")
    return ShopperProof(shop_ref=told["shop"], customer_ref=told["logged_in_customer_id"] or None)


def proxy_signature(parameters: Mapping[str, str], secret: str) -> str:
    """What the app proxy puts into `signature`: HMAC-SHA256, as hex, over the sorted `name=value` without separators."""
    text = "".join(sorted(f"{name}={value}" for name, value in parameters.items()))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


# --- The admin in Shopify's frame --------------------------------------------------------------------------


def prove_staff(
    request: InstallRequest, shop_ref: str, app: AppCredentials, now: datetime
) -> StaffProof | Page:
    """Whom Shopify lets into that shop's admin: by `Authorization: Bearer`, or for a document by `id_token`.

    A document without a token, or with an old one, goes to the page on which App Bridge fetches one; whatever else
    is not believed is answered 401, with the header on which App Bridge tries once more.

    Raises: Refused("bad_request"), Refused("bad_id_token"), Refused("no_app").
    """
    shop = _known_shop(shop_ref)
    told = urlsplit(request.url)
    query = told.query
    if "shop" not in request.query:
        query = "&".join(filter(None, (f"shop={shop}", query)))  # the page that fetches tokens asks for it
    elif tuple(one.lower() for one in request.query["shop"]) != (shop,):
        raise Refused("bad_request", "This address names two shops: open the app again.")
    headers = {**request.headers}
    if "authorization" in headers:
        # Should a script have added a token beside App Bridge's own, both are as good.
        headers["authorization"] = headers["authorization"].partition(",")[0]
    url = f"{told.scheme}://{told.netloc}{told.path}?{query}"
    verified = _verified(
        _library(app), {"method": request.method, "headers": headers, "url": url, "body": ""}
    )
    if not verified.ok or verified.id_token is None:
        return _page(verified.response, shop)
    claims = verified.id_token.claims
    _check_claims(claims, shop, now)
    user = claims.get("sub")
    if not isinstance(user, str) or not _USER.fullmatch(user):
        raise Refused("bad_id_token", "Shopify's id token names nobody: open the app again.")
    return StaffProof(shop_ref=shop, user_ref=user)


def shell(shop_ref: str, app: AppCredentials) -> Shell:
    """App Bridge, and who may frame: this shop and Shopify's admin. Raises: Refused("bad_request"), Refused("no_app")."""
    shop = _known_shop(shop_ref)
    _library(app)
    return Shell(
        ancestors=(f"https://{shop}", "https://admin.shopify.com"),
        meta={"shopify-api-key": app.client_id},
        script=_APP_BRIDGE,
        token="shopify.idToken",  # noqa: S106 - the name of a function
        menu="s-app-nav",
        link="s-link",
    )


def _shop_asked_for(request: InstallRequest) -> str:
    """`shop` of the query. Checked before the library sees it: it puts it into a header as it is."""
    shops = request.query.get("shop", ())
    if len(shops) != 1 or not SHOP.fullmatch(shops[0].lower()):
        raise Refused("bad_request", "Open the app from Shopify's admin: the address names no shop.")
    return shops[0].lower()


FRAME = Frame(
    shop_named=_shop_asked_for,
    prove_staff=prove_staff,
    shell=shell,
    parameters=frozenset(
        {"embedded", "hmac", "host", "id_token", "locale", "protocol", "session", "shop", "timestamp"}
    ),
    secrets=frozenset({"hmac", "id_token", "session", "timestamp"}),
)


def links(shop_ref: str, app: AppCredentials) -> ShopLinks:
    """The theme editor with our app embed switched on in it, to be saved there; and the consent to optional scopes.

    Source: shopify.dev, "Configure theme app extensions" (deep links), "Manage access scopes" (optional scopes).
    """
    shop = _known_shop(shop_ref)
    editor = {"context": "apps", "activateAppId": f"{app.client_id}/{_EMBED}"}
    consent = {"client_id": app.client_id, "optional_scopes": ",".join(OPTIONAL_SCOPES)}
    return ShopLinks(
        show=f"https://{shop}/admin/themes/current/editor?{urlencode(editor, safe='/')}",
        grant=f"https://{shop}/admin/oauth/install?{urlencode(consent, safe=',')}",
    )


# --- Extensions: the customer's account, the checkout, the till ---------------------------------------------


def prove_extension_shopper(request: InstallRequest, app: AppCredentials, now: datetime) -> ShopperProof:
    """Whom Shopify shows our block in the account or the checkout to; nobody, where no `sub` is in the token.

    `sub` is there once a customer is signed in, and the app may read customers. A token of staff has a bare number in
    it, and is none here.

    Raises: BadSignature, Refused("token_expired"), Refused("no_app").
    Source: shopify.dev, "Session Token API" (checkout and customer account, 2026-07).
    """
    library = _library(app)
    # The same check as for the checkout's: the library has it once, under two names.
    claims = _bearer_claims(request, library.verify_customer_account_ui_ext_req, now)
    shop = _shop_of(claims)
    if "sub" not in claims:
        return ShopperProof(shop_ref=shop, customer_ref=None)
    customer = _CUSTOMER.fullmatch(claims["sub"]) if isinstance(claims["sub"], str) else None
    if customer is None:
        raise BadSignature("the token is for somebody who is no customer")
    return ShopperProof(shop_ref=shop, customer_ref=customer[1])


def prove_till(request: InstallRequest, app: AppCredentials, now: datetime) -> StaffProof:
    """Who is signed in at this shop's Point of Sale: the person of the device, not the one pinned in for a moment.

    Raises: BadSignature, Refused("token_expired"), Refused("no_app").
    Source: @shopify/ui-extensions 2026.7.0, SessionApiContent.getSessionToken.
    """
    claims = _bearer_claims(request, _library(app).verify_pos_ui_ext_req, now)
    shop, user = _shop_of(claims), claims.get("sub")
    if (claims["dest"], claims.get("iss")) != (f"https://{shop}", f"https://{shop}/admin"):
        raise BadSignature("the token was not made for a shop's staff")
    if not isinstance(user, str) or not _USER.fullmatch(user):
        raise BadSignature("the token names nobody")
    return StaffProof(shop_ref=shop, user_ref=user)


def read_flow_gift(request: WebhookRequest, app: AppCredentials) -> AutomatedGift:
    """What Shopify Flow's action “Add points” asks for. The shop is believed from the body, which is signed.

    Raises: BadSignature, Refused("not_understood").
    Source: shopify.dev, "Create Flow action endpoints": the customer there is a bare number, elsewhere a gid.
    """
    require_hmac_sha256(request.body, request.headers.get("x-shopify-hmac-sha256", ""), app.secrets)
    act = decode(request.body, FlowAct)
    told = act.properties
    customer = _FLOW_CUSTOMER.fullmatch(told.customer_id)
    points = _FLOW_POINTS.fullmatch(told.points)
    if customer is None or points is None or not 0 < len(act.action_run_id) <= _LONGEST_RUN:
        raise Refused(
            "not_understood", "Add points needs a customer, a whole number of points above 0, and its run."
        )
    return AutomatedGift(
        shop_ref=shop_domain(act.shopify_domain),
        run_ref=act.action_run_id,
        customer_ref=customer[1],
        points=int(points[1]),
        reason=told.reason,
        by="Shopify Flow",
    )


def read_flow_use(request: WebhookRequest, app: AppCredentials) -> TriggerUse:
    """Whether a workflow of the shop begins with one of our triggers. The shop is believed from the signed body.

    Raises: BadSignature, Refused("not_understood").
    """
    require_hmac_sha256(request.body, request.headers.get("x-shopify-hmac-sha256", ""), app.secrets)
    said = decode(request.body, FlowUse)
    trigger = _TRIGGERS.get(said.definition)
    if trigger is None:
        raise Refused("not_understood", "That is no trigger of ours.")
    return TriggerUse(
        shop_ref=shop_domain(said.shopify_domain),
        trigger=trigger,
        in_use=said.in_use,
        said_at=in_utc(said.timestamp),
    )


EXTENSIONS = Extensions(
    prove_shopper=prove_extension_shopper,
    prove_staff=prove_till,
    read_gift=read_flow_gift,
    read_trigger_use=read_flow_use,
)


def _bearer_claims(
    request: InstallRequest, verify: Callable[[RequestInput], Any], now: datetime
) -> Mapping[str, Any]:
    """What the token in `Authorization` says, once the library believes it. Raises: BadSignature, Refused."""
    asked: RequestInput = {
        "method": "GET",  # to OPTIONS the library says yes without a token
        "headers": {**request.headers},
        "url": request.url,
        "body": "",
    }
    try:
        verified = verify(asked)
    # A `dest` that is no text: the library trusts it.
    except (AttributeError, RecursionError, TypeError, ValueError) as broken:
        raise BadSignature("the token cannot be read") from broken
    if verified.log.code == "expired_id_token":
        raise Refused("token_expired", "Your sign-in has run out: open this page again.")
    if not verified.ok or verified.id_token is None:
        raise BadSignature(f"the token is not valid ({verified.log.code})")
    claims: Mapping[str, Any] = verified.id_token.claims
    end, then = claims.get("exp"), now.timestamp()
    if not isinstance(end, int) or isinstance(end, bool) or end - _CLOCKS_DIFFER_S > then + _ID_TOKEN_LIVES_S:
        raise BadSignature("the token has no end, or would live too long")
    if end + _CLOCKS_DIFFER_S < then:
        raise Refused("token_expired", "Your sign-in has run out: open this page again.")
    return claims


def _shop_of(claims: Mapping[str, Any]) -> str:
    """The shop of `dest`, which stands there with or without https://; `iss` may be missing, or is the same shop's.

    Both are seen: the page of the checkout's token shows a bare host and no issuer, and since 2025-09 there is one
    (Kyon147/laravel-shopify pull requests 329 and 452).
    """
    dest, issuer = claims.get("dest"), claims.get("iss")
    shop = dest.removeprefix("https://") if isinstance(dest, str) else ""
    if not SHOP.fullmatch(shop):
        raise BadSignature("the token names no shop of Shopify's")
    if issuer is not None and (
        not isinstance(issuer, str)
        or not re.fullmatch(rf"(?:https://)?{re.escape(shop)}(?:/.*)?", issuer, re.ASCII)
    ):
        raise BadSignature("the token is of another shop")
    return shop


# --- Helpers -----------------------------------------------------------------------------------------------


class _TokenCall:
    """One token call of the library's, seen as it happens.

    The library sleeps and tries again on 429, tries again at once on 5xx, and dates tokens by its own clock. So its
    HTTP client raises before it can do so, and keeps the answer.
    """

    def __init__(self, http: HttpSeam, *, allow_private: bool) -> None:
        self.client = http.client(allow_private=allow_private)
        self.client.event_hooks = {"response": [self._look]}
        self._answer: TokenAnswer | None = None

    def credentials(self, result: Any, now: datetime) -> dict[str, str]:
        """The token and its ends. Raises: AccessLost, Retryable, Refused("token_refused")."""
        if result.ok and self._answer:
            return _stored(self._answer, now)
        code = result.log.code
        if code in ("network_error", "server_error"):
            raise Retryable(f"Shopify gave no token ({code})")
        if code in ("invalid_grant", "invalid_client"):
            raise AccessLost(
                f"Shopify gives no token ({code}): the app was removed, or its secret is another"
            )
        raise Refused("token_refused", f"Shopify gives no token ({code}).")

    def _look(self, response: httpx.Response) -> None:
        shown = f"{response.request.url.host}: {response.status_code} for a token"
        if response.status_code == 429 or response.status_code >= 500:
            wait = response.headers.get("retry-after", "")
            raise Retryable(
                shown, retry_after_s=int(wait[:5]) if wait[:5].isdecimal() and wait.isascii() else None
            )
        response.read()
        if response.status_code == 200:
            try:
                self._answer = decode(response.content, TokenAnswer)
            except Refused as error:
                raise Retryable(f"{shown}, with something else") from error


def _stored(answer: TokenAnswer, now: datetime) -> dict[str, str]:
    stored = {"access_token": answer.access_token}
    if answer.expires_in:
        stored["expires_at"] = _after(now, answer.expires_in)
    if answer.refresh_token:
        stored["refresh_token"] = answer.refresh_token
    if answer.refresh_token_expires_in:
        stored["refresh_expires_at"] = _after(now, answer.refresh_token_expires_in)
    return stored


def _after(now: datetime, seconds: int) -> str:
    return (now.astimezone(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")


def _library(app: AppCredentials) -> ShopifyApp:
    if not app.client_id or not app.secrets:
        raise Refused(
            "no_app", "This installation has no Shopify app: set SHOPIFY_API_KEY and SHOPIFY_API_SECRET."
        )
    return ShopifyApp(app.client_id, app.secrets[0], app.secrets[1] if len(app.secrets) > 1 else None)


def _verified(library: ShopifyApp, asked: RequestInput) -> Any:
    """The library's word on an app home request. Raises: Refused("bad_id_token")."""
    try:
        return library.verify_app_home_req(asked, _CALLBACK)
    # A `dest` that is no text: the library trusts it.
    except (AttributeError, TypeError, ValueError) as broken:
        raise Refused("bad_id_token", "Shopify's id token cannot be read: open the app again.") from broken


def _known_shop(shop_ref: str) -> str:
    if not SHOP.fullmatch(shop_ref):
        raise Refused("bad_request", "This address names no shop of Shopify's.")
    return shop_ref


def _check_claims(claims: Mapping[str, Any], shop: str, now: datetime) -> None:
    """What the library leaves out: a token without an end or with a far one, and one whose issuer is another shop."""
    dest = f"https://{shop}"
    if claims.get("dest") != dest or claims.get("iss") != f"{dest}/admin":
        raise Refused("bad_id_token", "Shopify's id token is for another shop: open the app again.")
    end, then = claims.get("exp"), now.timestamp()
    if not isinstance(end, int) or isinstance(end, bool) or end + _CLOCKS_DIFFER_S < then:
        raise Refused("bad_id_token", "Shopify's id token has ended: open the app again.")
    if end - _CLOCKS_DIFFER_S > then + _ID_TOKEN_LIVES_S:
        raise Refused(
            "bad_id_token", "Shopify's id token is none: it would live too long. Open the app again."
        )


def _page(response: Res, shop: str) -> Page:
    """The library's page, framed by this shop alone; without its `Link`, which preloads a file that we do not use."""
    headers = {name: value for name, value in response.headers.items() if name.lower() != "link"}
    headers["Content-Security-Policy"] = f"frame-ancestors https://{shop} https://admin.shopify.com;"
    headers["Cache-Control"] = "no-store"
    return Page(status=response.status, headers=headers, html=response.body)


def _handle(shop_ref: str) -> str:
    """ "acme" of "acme.myshopify.com", as the library wants it."""
    try:
        return shop_domain(shop_ref).removesuffix(".myshopify.com")
    except BadSignature as error:
        raise Refused("bad_request", "A shop of Shopify's is called something.myshopify.com.") from error


def _strictly(query: Mapping[str, Any]) -> dict[str, str]:
    patterns = {**_FROM_SHOPIFY, **_OUR_OWN}
    told: dict[str, str] = {}
    for name, values in query.items():
        pattern = patterns.get(name)
        if pattern is None or len(values) != 1 or not re.fullmatch(pattern, values[0], re.ASCII):
            raise BadSignature("the query holds something that neither Shopify nor we put there")
        told[name] = values[0]
    if missing := set(_FROM_SHOPIFY) - set(told):
        raise BadSignature(f"the query lacks {', '.join(sorted(missing))}")
    return told
