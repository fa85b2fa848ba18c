"""A member's card at the till: scanned by the camera or by a reader that types, or typed by hand."""

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.find_by_card import find_by_card
from app.web.admin.guard import blueprint, needs, program_id
from app.web.here import runtime

_LONGEST = 60


@blueprint.get("/card")
@needs(Role.STAFF)
def ask_card() -> ResponseReturnValue:
    return _page()


@blueprint.post("/card")
def find_card() -> ResponseReturnValue:
    """Not by an address: what is asked for would stay in the browser's history, and cards are people."""
    code = request.form.get("code", "").strip()[:_LONGEST]
    try:
        found = find_by_card(runtime(), program_id(), code)
    except Refused as refused:
        return _page(code=code, problem=refused.detail), 404
    return redirect(url_for("admin.member", member_id=found), 303)


def _page(*, code: str = "", problem: str = "") -> Response:
    response = make_response(render_template("admin/card.html", code=code, problem=problem))
    response.headers["Permissions-Policy"] = "camera=(self), geolocation=(), microphone=(), payment=()"
    return response
