"""POST /admin/oauth/access_token (token exchange, refresh, client credentials, code) and the consent page."""

from typing import Any

import jwt
from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox.faults import AFTER_APPLYING, FaultKind
from sandbox.shopify.admin import faulty
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Token

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


def make(shop: Shop) -> Blueprint:
    api = Blueprint("oauth", __name__)
    codes: set[str] = set()

    @api.post("/admin/oauth/access_token")
    def access_token() -> Response:
        asked: dict[str, Any] = request.get_json(silent=True) or request.form.to_dict()
        grant = asked.get("grant_type") or "authorization_code"
        kind = shop.faults.pick([f"oauth {grant}", "oauth"], ref=shop.domain, at=shop.clock())
        if kind is not None and kind not in AFTER_APPLYING and kind is not FaultKind.THROTTLED:
            rejected = kind is FaultKind.REJECTED
            return _error("invalid_request", "Refused.", 400) if rejected else faulty(shop, kind)
        if asked.get("client_id") != shop.app.client_id or asked.get("client_secret") not in shop.app.secrets:
            return _error("invalid_client", "The client credentials are invalid.", 400)
        with shop.lock:
            result = _grant(shop, grant, asked, codes)
        if kind in AFTER_APPLYING and isinstance(result, Token):
            return faulty(shop, kind)
        return _told(shop, result) if isinstance(result, Token) else result

    @api.get("/admin/oauth/authorize")
    def authorize() -> AnyResponse:
        """The merchant's consent, given at once: the old way of installing, with a code."""
        target = request.args.get("redirect_uri", "")
        if request.args.get("client_id") != shop.app.client_id or target not in shop.app.redirect_urls:
            return Response("Oauth error invalid_request: The redirect_uri is not whitelisted", status=400)
        url = shop.consent_url(target, request.args.get("state", ""))
        codes.add(url.partition("code=")[2].partition("&")[0])
        return redirect(url)

    return api


def _grant(shop: Shop, grant: str, asked: dict[str, Any], codes: set[str]) -> Token | Response:
    expiring = str(asked.get("expiring", "0")) == "1"
    if grant == EXCHANGE:
        if asked.get("subject_token_type") != _ID_TOKEN or not _valid(shop, asked.get("subject_token", "")):
            return _error("invalid_subject_token", "The id token is invalid.", 400)
        if not shop.installed:
            shop.install()  # managed installation: opening the app is agreeing to its scopes
        return shop.issue_token(expiring=expiring)
    if grant == "refresh_token":
        token = shop.refresh_token(asked.get("refresh_token", ""))
        return token or _error("invalid_grant", "This refresh token is not valid.", 400)
    if grant == "client_credentials":
        return shop.issue_token(expiring=True) if shop.installed else _error("app_not_installed", "", 400)
    if grant == "authorization_code" and asked.get("code") in codes:
        codes.discard(asked["code"])
        if not shop.installed:
            shop.install()
        return shop.issue_token(expiring=expiring)
    return _error("invalid_request", "The authorization code was not found or was already used", 400)


def _told(shop: Shop, token: Token) -> Response:
    told: dict[str, Any] = {"access_token": token.value, "scope": ",".join(token.scopes)}
    if token.expires is not None:
        told["expires_in"] = int((token.expires - shop.clock()).total_seconds())
    if token.refresh is not None and token.refresh_expires is not None:
        told["refresh_token"] = token.refresh
        told["refresh_token_expires_in"] = int((token.refresh_expires - shop.clock()).total_seconds())
    return jsonify(told)


def _valid(shop: Shop, token: str) -> bool:
    now = shop.clock().timestamp()
    for secret in shop.app.secrets:
        try:
            told = jwt.decode(
                token,
                secret,
                algorithms=["HS256"],
                audience=shop.app.client_id,
                options={
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },  # by the shop's clock, below
            )
        except jwt.InvalidTokenError:
            continue
        return bool(told["dest"] == shop.url and told["nbf"] - 10 <= now < told["exp"] + 10)
    return False


def _error(code: str, text: str, status: int) -> Response:
    response = jsonify({"error": code, "error_description": text})
    response.status_code = status
    return response
