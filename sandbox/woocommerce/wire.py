"""The REST API's manners: who may call, what refusals look like, faults asked for. Bodies are recorded ones."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote

from flask import Response, g, request

from sandbox.faults import AFTER_APPLYING, HANG_HEADER, FaultKind
from sandbox.woocommerce.parts import encode
from sandbox.woocommerce.shop import Shop
from sandbox.woocommerce.state import ApiKey

PREFIX = "/wp-json/wc/v3"
_VERBS = {
    "GET": ("view", "Sorry, you cannot list resources."),
    "POST": ("create", "Sorry, you are not allowed to create resources."),
    "PUT": ("edit", "Sorry, you are not allowed to edit this resource."),
    "DELETE": ("delete", "Sorry, you are not allowed to delete this resource."),
}
_HTML = {
    FaultKind.TOO_MANY_REQUESTS: (429, "Too Many Requests"),
    FaultKind.THROTTLED: (429, "Too Many Requests"),
    FaultKind.SERVER_ERROR: (500, "There has been a critical error on this website."),
    FaultKind.SERVER_ERROR_AFTER: (500, "There has been a critical error on this website."),
    FaultKind.BAD_GATEWAY: (502, "Bad Gateway"),
    FaultKind.UNAVAILABLE: (503, "Briefly unavailable for scheduled maintenance."),
}


class WcError(Exception):
    """A refusal as the store words it."""

    def __init__(self, code: str, message: str, status: int, data: object = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message, "data": data or {"status": status}}


def invalid_param(name: str, message: str, code: str = "rest_invalid_param") -> WcError:
    details = {name: {"code": code, "message": message, "data": None}}
    data = {"status": 400, "params": {name: message}, "details": details}
    return WcError("rest_invalid_param", f"Invalid parameter(s): {name}", 400, data)


def missing_param(name: str) -> WcError:
    data = {"status": 400, "params": [name]}
    return WcError("rest_missing_callback_param", f"Missing parameter(s): {name}", 400, data)


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer as PHP writes it; `_fields` leaves only what it names."""
    wanted = request.args.get("_fields")
    if wanted and status < 300:
        names = {name.strip().partition(".")[0] for name in wanted.split(",")}
        body = [_only(row, names) for row in body] if isinstance(body, list) else _only(body, names)
    response = Response(encode(body), status=status, content_type="application/json; charset=UTF-8")
    response.headers.update(headers or {})
    return response


def page_of(shop: Shop, rows: Sequence[Any], render: Any) -> Response:
    """One page of `rows` with the totals in the headers."""
    number, size = _whole("page", 1, None), _whole("per_page", 10, 100)
    pages = -(-len(rows) // size)
    here = rows[(number - 1) * size : number * size]
    headers = {"X-WP-Total": str(len(rows)), "X-WP-TotalPages": str(pages)}
    if number < pages:
        headers["Link"] = f'<{shop.url}{request.path}?page={number + 1}>; rel="next"'
    return answer([render(row) for row in here], headers=headers)


def names_of(path: str) -> str:
    return f"{request.method} {path.removeprefix(PREFIX)}"


def before(shop: Shop) -> Response | None:
    """Fault, then authentication; None lets the call through."""
    if not request.path.startswith(PREFIX):
        return None
    ref = request.args.get("code") or request.path.rpartition("/")[2]
    kind = shop.faults.pick([names_of(request.path)], ref=ref, at=shop.clock())
    if kind is FaultKind.REJECTED and request.method == "GET":
        kind = None
    g.fault = kind
    if kind is not None and kind not in AFTER_APPLYING and kind is not FaultKind.RACE:
        return _faulty(shop, kind)
    authenticate(shop)
    return None


def after(shop: Shop, response: Response) -> Response:
    kind: FaultKind | None = g.get("fault")
    if kind in AFTER_APPLYING and response.status_code < 400:
        return _faulty(shop, kind)
    response.headers.setdefault("Link", f'<{shop.url}/wp-json/>; rel="https://api.w.org/"')
    return response


def authenticate(shop: Shop) -> None:
    """Basic or query key over https; OAuth 1.0a over plain http. Raises: WcError(401)."""
    if request.is_secure:
        name, secret = _given()
        key = shop.keys.get(name)
        if key is None or key.revoked:
            raise _nobody()
        if not hmac.compare_digest(secret.encode(), key.consumer_secret.encode()):
            raise _refused("Consumer secret is invalid.")
    else:
        key = _signed_key(shop)  # Basic over plain http is not looked at
    needed = "read" if request.method in ("GET", "HEAD") else "write"
    if key.permissions not in (needed, "read_write"):
        raise _refused(f"The API key provided does not have {needed} permissions.")


def _given() -> tuple[str, str]:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        name, _, secret = base64.b64decode(value).decode(errors="replace").partition(":")
        return name, secret
    return request.args.get("consumer_key", ""), request.args.get("consumer_secret", "")


def _signed_key(shop: Shop) -> ApiKey:
    # PHP keeps only the last of a name that comes twice, and its signature check fails on empty values.
    pairs = dict(parse_qsl(request.query_string.decode(), keep_blank_values=True))
    if "oauth_consumer_key" not in pairs:
        raise _nobody()
    key = shop.keys.get(pairs["oauth_consumer_key"])
    if key is None or key.revoked:
        raise _refused("Consumer key is invalid.")
    given = pairs.pop("oauth_signature", "")
    method = {"HMAC-SHA256": hashlib.sha256, "HMAC-SHA1": hashlib.sha1}.get(
        pairs.get("oauth_signature_method", "")
    )
    if method is None:
        raise _refused("Invalid signature - signature method is invalid.")
    flat = "&".join(f"{_q(name)}={_q(value)}" for name, value in sorted(pairs.items()))
    for base in {f"{shop.url}{request.path}", request.base_url}:
        text = f"{request.method}&{_q(base)}&{_q(flat)}"
        digest = hmac.new(f"{key.consumer_secret}&".encode(), text.encode(), method).digest()
        if "" not in pairs.values() and hmac.compare_digest(base64.b64encode(digest), given.encode()):
            break
    else:
        raise _refused("Invalid signature - provided signature does not match.")
    nonce = (key.consumer_key, pairs.get("oauth_nonce", ""))
    if nonce in shop.nonces:
        raise _refused("Invalid nonce - nonce has already been used.")
    shop.nonces.add(nonce)
    return key


def _nobody() -> WcError:
    method = request.method.replace("HEAD", "GET")
    verb, message = _VERBS.get(method, _VERBS["PUT"])
    if request.method in ("GET", "HEAD") and request.path.rpartition("/")[2].isdigit():
        message = "Sorry, you cannot view this resource."
    return WcError(f"woocommerce_rest_cannot_{verb}", message, 401)


def _refused(message: str) -> WcError:
    return WcError("woocommerce_rest_authentication_error", message, 401)


def _faulty(shop: Shop, kind: FaultKind) -> Response:
    if kind in (FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER):
        return Response(b"", status=504, headers={HANG_HEADER: "1"})
    if kind is FaultKind.MALFORMED:
        return Response(b'<br />\n<b>Warning</b>: Undefined variable in plugin.php\n{"id":', status=200)
    if kind is FaultKind.REJECTED:
        refused = {"code": "rest_invalid_param", "message": "Invalid parameter(s).", "data": {"status": 400}}
        return answer(refused, 400)
    if kind is FaultKind.FORBIDDEN:
        return answer({"code": "rest_forbidden", "message": "Sorry.", "data": {"status": 403}}, 403)
    if kind in (FaultKind.UNAUTHORIZED, FaultKind.REVOKED):
        if kind is FaultKind.REVOKED:
            for key in shop.keys.values():
                key.revoked = True
        return answer(_nobody().body, 401)
    status, text = _HTML[kind]
    wait = {"Retry-After": "2"} if status in (429, 503) else {}
    return Response(f"<html><body><h1>{text}</h1></body></html>", status=status, headers=wait)


def _whole(name: str, default: int, most: int | None) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not text.isdigit() or not 1 <= int(text) <= (most or 10**9):
        between = (
            "greater than or equal to 1" if most is None else f"between 1 (inclusive) and {most} (inclusive)"
        )
        raise invalid_param(name, f"{name} must be {between}", "rest_out_of_bounds")
    return int(text)


def _only(row: object, names: set[str]) -> object:
    return {key: value for key, value in row.items() if key in names} if isinstance(row, dict) else row


def _q(text: str) -> str:
    return quote(text, safe="~")
