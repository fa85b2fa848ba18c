"""Signing in: a one-time link, and the page that asks for a new one. Nothing here tells which addresses are known."""

from collections.abc import Iterator

from flask import Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.services.check_session import check_session, end_session
from app.services.open_session import USED, link_works, open_session
from app.services.request_sign_in import request_sign_in
from app.web.admin import guard
from app.web.clean import refuse_unclean_form
from app.web.frames import framed
from app.web.here import runtime
from app.web.limits import limited
from app.web.policy import Guarded, Policy

TRIES = 20  # from an address, in a minute

blueprint = Guarded("admin_door", __name__, policy=Policy.PUBLIC, url_prefix="/admin")
blueprint.after_request(guard.secure)


def _tries() -> Iterator[tuple[str, int]]:
    if request.method == "POST":
        yield f"sign-in from {request.remote_addr}", TRIES


limited(blueprint, _tries)
blueprint.context_processor(guard.tools)


@blueprint.before_request
def check() -> None:
    if framed():
        abort(404)  # nobody signs in there: the platform says who it is
    refuse_unclean_form()
    if request.method == "POST":
        guard.check_form()


@blueprint.get("/sign-in")
def ask() -> ResponseReturnValue:
    if check_session(runtime(), request.cookies.get(guard.COOKIE, "")):
        return redirect(guard.HOME, 303)
    return render_template("admin/door.html", asked=False)


@blueprint.post("/sign-in")
def ask_for_link() -> ResponseReturnValue:
    rt, email = runtime(), request.form.get("email", "")
    response = Response(render_template("admin/door.html", asked=True))
    # After the answer is out, so that its time tells nothing either.
    response.call_on_close(lambda: request_sign_in(rt, email))
    return response


@blueprint.get("/sign-in/<token>")
def show_link(token: str) -> ResponseReturnValue:
    """A button, not the signing in itself: mail scanners follow links, and would use it up."""
    if not link_works(runtime(), token):
        return render_template("admin/door.html", asked=False, problem=USED), 410
    return render_template("admin/enter.html", token=token)


@blueprint.post("/sign-in/<token>")
def use_link(token: str) -> ResponseReturnValue:
    rt = runtime()
    try:
        opened = open_session(rt, token)
    except Refused as refused:
        return render_template("admin/door.html", asked=False, problem=refused.detail), 410
    return guard.begin(opened.token, int((opened.until - rt.now()).total_seconds()))


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    end_session(runtime(), request.cookies.get(guard.COOKIE, ""))
    response = redirect(url_for("admin_door.ask"), 303)
    response.delete_cookie(guard.COOKIE, path="/admin")
    return response
