"""The audit found something that cannot be: what it is, and letting points be spent again."""

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.lift_freeze import MAX_REASON, find_freeze, lift_freeze
from app.web.admin.answers import ask, done
from app.web.admin.guard import blueprint, needs, program_id, visitor
from app.web.admin.words import in_unit
from app.web.here import runtime


@blueprint.get("/freeze")
def freeze() -> ResponseReturnValue:
    return render_template("admin/freeze.html", freeze=find_freeze(runtime(), program_id()))


@blueprint.get("/freeze/lift")
@needs(Role.OWNER)
def ask_lift() -> ResponseReturnValue:
    return _form("")


@blueprint.post("/freeze/lift")
@needs(Role.OWNER)
def do_lift() -> ResponseReturnValue:
    reason, as_found = request.form.get("reason", ""), request.form.get("as_found") == "yes"
    try:
        lift_freeze(runtime(), program_id(), by=visitor().actor, reason=reason, as_found=as_found)
    except Refused as refused:
        if refused.code not in ("bad_reason", "still_wrong"):
            raise
        return _form(refused.detail, still=as_found or refused.code == "still_wrong")
    return done(url_for("admin.home"), in_unit("Points can be spent again."))


def _form(fault: str, *, still: bool = False) -> ResponseReturnValue:
    """`still`: something is as it was found, so that is asked about too."""
    found = find_freeze(runtime(), program_id())
    if found is None:
        raise Refused("not_found", in_unit("Points can be spent: there is nothing to lift."))
    return ask(
        "admin/lift.html",
        status=422 if fault else 200,
        freeze=found,
        fault=fault,
        still=still,
        reason=request.form.get("reason", ""),
        most=MAX_REASON,
    )
