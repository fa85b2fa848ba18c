"""The first page: how things are, what needs a person, what happened last."""

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from app.services.describe_links import first_steps
from app.services.describe_shop import platform_title
from app.services.overview import overview
from app.web.admin.guard import blueprint, program_id
from app.web.here import runtime


@blueprint.get("/")
def home() -> ResponseReturnValue:
    rt = runtime()
    view = overview(rt, program_id())
    platforms = {one.shop_id: platform_title(rt, one) for one in view.shops}
    held = sum(one.orders for one in view.waiting if one.kind == "held")
    unreadable = sum(one.orders for one in view.waiting if one.kind == "unreadable")
    to_read = [one for one in view.waiting if one.kind == "to_read"]
    return render_template(
        "admin/home.html",
        view=view,
        platforms=platforms,
        first_steps=first_steps(rt, view.shops),
        held=held,
        held_reasons=sorted({one.reason for one in view.waiting if one.kind == "held"}),
        unreadable=unreadable,
        blocked=[one for one in to_read if one.blocked],
        to_read=sum(one.orders for one in to_read),
        lost=[one for one in view.shops if one.access_problem and one.state == "connected"],
    )


@blueprint.get("/<path:anything>")
def nothing(anything: str) -> ResponseReturnValue:
    """No such page: said in the admin's look, and only to who is signed in."""
    abort(404)
