"""Errors become answers here, once: Refused 4xx, Retryable 503, a bug 500. Each has an id, which is also logged.

Programs get RFC 9457 problem details, people a plain page. Neither ever tells more than `Refused.detail`, which is
written for them.
"""

import secrets
from collections.abc import Callable

import structlog
from flask import Blueprint, Flask, Response, g, jsonify, make_response, render_template
from werkzeug.exceptions import HTTPException

from app.domain.errors import Refused, Retryable
from app.domain.words import ENGLISH, Words
from app.services.is_outage import is_outage
from app.web.here import wants_json

RETRY_AFTER_S = 30

# Every other refusal is 422: understood, and not possible as it stands.
_STATUS = {
    "bad_request": 400,
    "not_understood": 400,
    "bad_id_token": 401,
    "signed_out": 401,
    "token_expired": 401,
    "unproven": 401,
    "not_allowed": 403,
    "not_a_member": 403,
    "not_found": 404,
    "already_blocked": 409,
    "already_closed": 409,
    "blocked": 409,
    "being_checked": 409,
    "not_blocked": 409,
    "already_referred": 409,
    "no_referrals": 409,
    "not_new": 409,
    "self_referral": 409,
    "already_undone": 409,
    "grant_over": 409,
    "merged_further": 409,
    "same_member": 409,
    "already_used": 409,
    "frozen": 409,
    "insufficient_points": 409,
    "no_identity": 409,
    "no_rate": 409,
    "reward_unavailable": 409,
    "shop_not_connected": 409,
    "tier_too_low": 409,
    "reward_elsewhere": 409,
    "not_at_this_shop": 409,
    "limit_reached": 409,
    "sold_out": 409,
    "not_yet": 409,
    "ended": 409,
    "not_now": 409,
    "no_perk": 409,
    "unknown_reward": 409,
    "taken": 409,
    "shop_elsewhere": 409,
    "not_frozen": 409,
    "already_decided": 409,
    "not_decided": 409,
    "review_open": 409,
    "wrong_state": 409,
    "link_used": 410,
    "too_many": 429,
}
# What a refusal is called where its status alone says too little.
_TITLES = {
    "blocked": "Points cannot be spent",
    "being_checked": "Points cannot be spent until staff decided",
    "frozen": "Points cannot be spent at the moment",
    "insufficient_points": "There are fewer points now",
    "unknown_reward": "This reward is no longer there",
    "tier_too_low": "This reward is not open yet",
    "limit_reached": "You have had this as often as it can be had",
    "sold_out": "All of these are gone",
    "not_yet": "This reward is not open yet",
    "ended": "This reward is over",
    "shop_not_connected": "The shop makes no codes at the moment",
    "not_a_member": "Not a member yet",
    "token_expired": "Your sign-in has run out",
    "too_many": "Not so often",
}
_SAID = {
    400: "This request could not be understood.",
    401: "This needs a valid signature or sign-in.",
    403: "You may not do this.",
    404: "There is nothing here.",
    405: "This address does not answer this kind of request.",
    413: "This is too large.",
    429: "Too many requests: wait a little.",
}

log = structlog.get_logger()


def register(app: Flask) -> None:
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(Retryable, _retryable)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)


def speaking(blueprint: Blueprint, words: Callable[[], Words]) -> None:
    """Errors of these views are told in `words()`, as far as the catalogue has their code: refused.<code>, and .title."""

    @blueprint.before_request
    def speak() -> None:
        g.errors_in = words


def status_of(refused: Refused) -> int:
    known = _STATUS.get(refused.code)
    if known is None:
        return 404 if refused.code.startswith("unknown_") else 422
    return known


def answer(
    status: int, code: str, detail: str, *, error_id: str, retry_after_s: int | None = None
) -> Response:
    """The answer in the words of whoever asks: problem details or a page."""
    title, said = _told(status, code, detail)
    if wants_json():
        response = jsonify(
            type="about:blank",
            title=title,
            status=status,
            code=code,
            detail=said,
            instance=error_id,
            ref=error_id,
        )
        response.mimetype = "application/problem+json"
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
    else:
        words = _words()
        number = words.say("page.error_number", number=error_id)
        response = make_response(
            render_template("problem.html", title=title, detail=said, number=number, language=words.language)
        )
    response.status_code = status
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def _told(status: int, code: str, detail: str) -> tuple[str, str]:
    """Title and detail. What the catalogue has not: as whoever refused it put it."""
    if "errors_in" not in g:
        return (_TITLES.get(code) if wants_json() else None) or title_of(status), detail
    words = _words()
    title = words.find(f"refused.{code}.title") or words.say("refused.title")
    return title, words.find(f"refused.{code}") or detail


def _words() -> Words:
    """Those that the views said; else English."""
    if "errors_in" not in g:
        return ENGLISH
    found: Words = g.errors_in()
    return found


def _refused(error: Refused) -> Response:
    error_id = new_error_id()
    status = status_of(error)
    log.info("refused", error_id=error_id, code=error.code, status=status)
    return answer(status, error.code, error.detail, error_id=error_id, retry_after_s=error.retry_after_s)


def _retryable(error: Retryable) -> Response:
    error_id = new_error_id()
    log.warning("retryable", error_id=error_id, detail=error.detail)
    wait_s = error.retry_after_s or RETRY_AFTER_S
    # Not its detail: that names hosts and is written for the log.
    said = "This does not work at the moment; please try again a little later."
    return answer(503, "try_again", said, error_id=error_id, retry_after_s=wait_s)


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return make_response(error.get_response())
    error_id = new_error_id()
    said = _SAID.get(error.code, "This did not work.")
    code = "too_many" if error.code == 429 else f"http_{error.code}"
    response = answer(error.code, code, said, error_id=error_id)
    response.headers.extend(
        (name, value) for name, value in error.get_headers() if name.lower() in ("allow", "retry-after")
    )
    return response


def _bug(error: Exception) -> Response:
    error_id = new_error_id()
    if is_outage(error):
        log.error("database_out", error_id=error_id, error=type(error).__name__)
        said = "This does not work at the moment; please try again a little later."
        return answer(503, "try_again", said, error_id=error_id, retry_after_s=RETRY_AFTER_S)
    log.error("bug", error_id=error_id, exc_info=error)
    said = "Something went wrong on our side. It was written down; nothing was lost."
    return answer(500, "internal_error", said, error_id=error_id)


def title_of(status: int) -> str:
    return {
        400: "Not understood",
        401: "Not signed in",
        403: "Not allowed",
        404: "Not found",
        405: "Not possible",
        409: "Not as it stands",
        410: "No longer there",
        413: "Too large",
        422: "Not possible",
        429: "Too many requests",
        500: "Our fault",
        503: "Not now",
    }.get(status, "Not possible")


def new_error_id() -> str:
    return secrets.token_hex(8)
