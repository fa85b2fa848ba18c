"""How a view answers: a page, a question in a dialog (or, without scripts, on a page of its own), a thing done."""

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from app.domain.errors import Refused, Retryable
from app.web import errors
from app.web.admin.guard import blueprint
from app.web.frames import GO, framed


def is_fragment() -> bool:
    """Whether the page that is open asks for a part of itself."""
    return request.headers.get("HX-Request") == "true"


def ask(template: str, *, status: int = 200, **context: Any) -> ResponseReturnValue:
    """A question. `template` extends `frame`: the dialog's for a page that is open, else a page of its own."""
    frame, heading = ("dialog", "h2") if is_fragment() else ("question", "h1")
    return render_template(template, frame=f"admin/{frame}.html", h=heading, **context), status


def done(to: str, said: str, *, undo: tuple[str, Mapping[str, str]] | None = None) -> ResponseReturnValue:
    """It is done: on to page `to`, with a toast. `undo`: (where to send, its fields)."""
    flash((said, undo), "done")  # type: ignore[arg-type]
    return go(to)


def go(to: str) -> ResponseReturnValue:
    if is_fragment() or framed():  # a redirect would be followed without the token, or without what was said
        return Response(status=204, headers={GO: to})
    return redirect(to, 303)


def problem(status: int, title: str, detail: str) -> ResponseReturnValue:
    if is_fragment():
        return render_template("admin/problem_part.html", title=title, detail=detail), status
    return render_template("admin/problem.html", title=title, detail=detail), status


@blueprint.errorhandler(Refused)
def refused(error: Refused) -> ResponseReturnValue:
    status = errors.status_of(error)
    return problem(status, errors.title_of(status), error.detail)


@blueprint.errorhandler(Retryable)
def retryable(error: Retryable) -> ResponseReturnValue:
    return problem(
        503, errors.title_of(503), "The shop does not answer at the moment. Please try again a little later."
    )


@blueprint.errorhandler(HTTPException)
def http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error.get_response()
    said = {
        400: "This form has grown old. Go back, load the page again and send it once more.",
        403: "Your role does not allow this. Ask an owner of the program.",
        404: "There is nothing here: it may have been removed, or the address is mistyped.",
    }.get(error.code, "This did not work.")
    return problem(error.code, errors.title_of(error.code), said)
