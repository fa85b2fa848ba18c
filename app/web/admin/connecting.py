"""Another shop is to join the program: a link for whoever owns it, or how else it gets in."""

from flask import request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.find_program import program_key
from app.services.invite_shop import VALID, invite_shop, joins_by_link
from app.web.admin.answers import ask
from app.web.admin.guard import blueprint, needs, program_id
from app.web.here import runtime


@blueprint.get("/connect")
@needs(Role.OWNER)
def ask_connect() -> ResponseReturnValue:
    return _form("")


@blueprint.post("/connect")
@needs(Role.OWNER)
def do_connect() -> ResponseReturnValue:
    rt, platform = runtime(), request.form.get("platform", "")
    if not platform:
        return _form("Choose what the shop runs on.")
    try:
        invited = invite_shop(rt, program_id(), platform)
    except Refused as refused:
        return _form(refused.detail)
    title = rt.connectors[platform].title
    return ask("admin/connect_link.html", invited=invited, title=title, back=url_for("admin.shops"))


def _form(fault: str) -> ResponseReturnValue:
    rt = runtime()
    known = list(rt.connectors.values())
    return ask(
        "admin/connect.html",
        status=422 if fault else 200,
        fault=fault,
        by_link=[one for one in known if joins_by_link(one)],
        by_command=[one for one in known if not joins_by_link(one)],
        program_key=program_key(rt, program_id()),
        days=VALID.days,
    )
