"""Everybody's codes."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.services.list_redemptions import list_redemptions
from app.services.list_shops import list_shops
from app.web.admin.guard import blueprint, program_id
from app.web.admin.members import number_of
from app.web.here import runtime

LISTS = (("all", "All"), ("open", "Open"), ("used", "Used"), ("closed", "Given back"))


@blueprint.get("/redemptions")
def redemptions() -> ResponseReturnValue:
    rt = runtime()
    group, code = request.args.get("show", "all"), request.args.get("q", "").strip()[:100]
    page = list_redemptions(rt, program_id(), group=group, code=code, cursor=number_of("after"))
    names = {one.key: one.name for one in list_shops(rt, program_id())}
    return render_template("admin/redemptions.html", page=page, group=group, q=code, lists=LISTS, names=names)
