"""Signing in at a shop's page by a mailed link, and out. Nothing here tells which addresses are known."""

import secrets
from collections.abc import Iterator

from flask import Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.services.check_member_session import SLIDING, end_member_session, end_member_sessions
from app.services.open_member_session import member_link_works, open_member_session
from app.services.request_member_link import LIVES, request_member_link
from app.web.here import runtime
from app.web.hosted import guard
from app.web.languages import language
from app.web.limits import limited
from app.web.policy import Guarded, Policy

TRIES = 20  # from one place, in a minute
MAILS = 3  # asked for one address, in a minute; of these one goes out
_LONGEST_ADDRESS = 254

blueprint = Guarded("hosted_door", __name__, policy=Policy.PUBLIC, url_prefix=guard.PREFIX)
guard.prepare(blueprint)


def _tries() -> Iterator[tuple[str, int]]:
    if request.method == "POST":
        yield f"page sign-in from {request.remote_addr}", TRIES
        if "email" in request.form:
            yield f"page sign-in of {runtime().vault.email_hash(_email()).hex()}", MAILS


limited(blueprint, _tries)


def _email() -> str:
    return request.form.get("email", "").strip()[:_LONGEST_ADDRESS]


@blueprint.get("/sign-in")
def ask() -> ResponseReturnValue:
    return _door()


@blueprint.post("/sign-in")
def ask_for_link() -> ResponseReturnValue:
    rt, at, email, tongue = runtime(), guard.shop(), _email(), language()
    response = make_response(_door(asked=True))
    # After the answer is out, so that its time tells nothing either.
    response.call_on_close(lambda: request_member_link(rt, at, email, tongue))
    return response


@blueprint.get("/sign-in/<token>")
def show_link(token: str) -> ResponseReturnValue:
    """A button, not the signing in itself: mail scanners follow links, and would use it up."""
    if not member_link_works(runtime(), guard.shop(), token):
        return _door(problem=True), 410
    return render_template("hosted/enter.html", days=SLIDING.days)


@blueprint.post("/sign-in/<token>")
def use_link(token: str) -> ResponseReturnValue:
    rt = runtime()
    try:
        opened = open_member_session(rt, guard.shop(), token)
    except Refused:
        return _door(problem=True), 410
    end_member_session(
        rt, guard.shop(), request.cookies.get(guard.COOKIE, "")
    )  # whoever was signed in here before
    response = _home()
    max_age = int((opened.until - rt.now()).total_seconds())
    guard.keep_signed_in(response, opened.token, secrets.token_hex(8), max_age)
    return response


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    token = request.cookies.get(guard.COOKIE, "")
    if request.form.get("everywhere"):
        end_member_sessions(runtime(), guard.shop(), token)
    end_member_session(runtime(), guard.shop(), token)
    response = _home()
    guard.forget_signed_in(response)
    return response


def _door(*, asked: bool = False, problem: bool = False) -> str:
    minutes = str(LIVES.seconds // 60)
    return render_template("hosted/door.html", asked=asked, problem=problem, minutes=minutes)


def _home() -> Response:
    response = redirect(guard.home(), 303)
    assert isinstance(response, Response)
    return response
