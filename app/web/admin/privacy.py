"""What people asked for by law, and handing it over."""

import json

from flask import Response, render_template, url_for
from flask.typing import ResponseReturnValue

from app.domain.staff import Role
from app.services.export_member import export_member
from app.services.list_privacy_requests import (
    MOST,
    find_privacy_request,
    finish_privacy_request,
    list_privacy_requests,
)
from app.web.admin.answers import ask, done
from app.web.admin.guard import blueprint, needs, program_id
from app.web.here import runtime

KINDS = {
    "data": "Wants their data",
    "erasure": "Wants to be forgotten",
    "shop_erasure": "The shop left: forget everybody",
}


@blueprint.get("/privacy")
def privacy() -> ResponseReturnValue:
    return render_template(
        "admin/privacy.html", found=list_privacy_requests(runtime(), program_id()), kinds=KINDS, most=MOST
    )


@blueprint.get("/members/<int:member_id>/data.json")
@needs(Role.OWNER)
def member_data(member_id: int) -> ResponseReturnValue:
    """Everything about one person, to hand over."""
    text = json.dumps(export_member(runtime(), program_id(), member_id), indent=2, ensure_ascii=False)
    response = Response(text, content_type="application/json; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="member-{member_id}.json"'
    return response


@blueprint.get("/privacy/<int:request_id>/done")
@needs(Role.OWNER)
def ask_finish(request_id: int) -> ResponseReturnValue:
    return ask(
        "admin/finish_request.html",
        one=find_privacy_request(runtime(), program_id(), request_id),
        kinds=KINDS,
    )


@blueprint.post("/privacy/<int:request_id>/done")
@needs(Role.OWNER)
def do_finish(request_id: int) -> ResponseReturnValue:
    finish_privacy_request(runtime(), program_id(), request_id)
    return done(url_for("admin.privacy"), "Marked as handed over.")
