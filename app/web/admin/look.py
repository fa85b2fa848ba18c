"""How the program looks to shoppers: one colour, corners, place and font, tried on the element that shoppers see."""

import re

from flask import jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.domain.errors import Refused
from app.domain.look import LAUREL, Font, Look, Position
from app.domain.staff import Role
from app.services.change_look import change_look, read_look
from app.services.check_document import WrongDocument
from app.services.describe_look import mended
from app.services.preview_look import preview_look
from app.services.publish_program import live_program, roll_back
from app.web.admin.answers import done
from app.web.admin.guard import blueprint, needs, program_id, visitor
from app.web.asked import whole_number
from app.web.here import runtime
from app.web.storefront import present
from app.web.widget_files import read_widget_files

_WIDGET = read_widget_files()
_SHOWN = re.compile(r"([0-9a-f]{6})-([0-9]|1[0-9]|2[0-4])-(start|end)-(system|shop)", re.ASCII)
_FIELDS = ("accent", "radius", "position", "font")


@blueprint.get("/program/look")
@needs(Role.OWNER)
def look() -> ResponseReturnValue:
    live = live_program(runtime(), program_id())
    return _page(live.look, _typed_of(live.look), live.version)


@blueprint.get("/program/look/try")
@needs(Role.OWNER)
def try_look() -> ResponseReturnValue:
    """What would become of what is typed: for the page that is open."""
    try:
        tried = read_look(runtime(), program_id(), _told(request.args.to_dict()))
    except WrongDocument:
        return render_template("admin/look_said.html", tried=None, mended=mended)
    return render_template("admin/look_said.html", tried=tried, shown=_shown(tried), mended=mended)


@blueprint.get("/program/look/as/<shown>/<part>")
@needs(Role.OWNER)
def show_look(shown: str, part: str) -> ResponseReturnValue:
    """What the element asks a shop's server, answered for a made-up member in that look."""
    rt, told = runtime(), _SHOWN.fullmatch(shown)
    if told is None:
        raise NotFound
    look = Look(accent=f"#{told[1]}", radius=int(told[2]), position=Position(told[3]), font=Font(told[4]))
    match part:
        case "me":
            return jsonify(present.me(None, preview_look(rt, program_id(), look).panel, rt.now()))
        case "rewards":
            found = preview_look(rt, program_id(), look).rewards
            return jsonify(rewards=[present.reward(one) for one in found])
        case "redemptions":
            return jsonify(redemptions=[])
        case _:
            raise NotFound


@blueprint.post("/program/look")
@needs(Role.OWNER)
def save_look() -> ResponseReturnValue:
    rt, typed = runtime(), {name: request.form.get(name, "") for name in _FIELDS}
    live = live_program(rt, program_id())
    based_on = whole_number(request.form.get("based_on", "")) or live.version
    try:
        wanted = read_look(rt, program_id(), _told(typed))
    except WrongDocument as wrong:
        faults = {field.removeprefix("look."): said for field, said in wrong.faults}
        return _page(live.look, typed, based_on, faults=faults)
    try:
        made = change_look(rt, program_id(), wanted, by=visitor().actor, based_on=based_on)
    except Refused as refused:
        again = "What you set stands below. Save once more to put it on that version."
        said = f"{refused.detail} {again}" if refused.code == "overtaken" else refused.detail
        return _page(wanted, typed, live.version, problem=said)
    undo = (url_for("admin.undo_version"), {"version": str(based_on), "based_on": str(made)})
    return done(url_for("admin.program"), f"Version {made} is live, with the new look.", undo=undo)


@blueprint.post("/program/undo")
@needs(Role.OWNER)
def undo_version() -> ResponseReturnValue:
    """Back to an older version, unless another one came in between."""
    version, based_on = (whole_number(request.form.get(name, "")) or 0 for name in ("version", "based_on"))
    made = roll_back(runtime(), program_id(), version, by=visitor().actor, based_on=based_on)
    return done(url_for("admin.program"), f"Version {made} is live: it is version {version} again.")


def _told(typed: dict[str, str]) -> dict[str, object]:
    """As the document has it. What is no number stays a text: the check names it."""
    radius = typed.get("radius", "").strip()
    number = whole_number(radius)
    return {
        "accent": typed.get("accent", "").strip(),
        "radius": radius if number is None else number,
        "position": typed.get("position", ""),
        "font": typed.get("font", ""),
    }


def _typed_of(look: Look) -> dict[str, str]:
    return {
        "accent": look.accent,
        "radius": str(look.radius),
        "position": look.position.value,
        "font": look.font.value,
    }


def _shown(look: Look) -> str:
    """The look as a part of an address."""
    return f"{look.accent[1:]}-{look.radius}-{look.position.value}-{look.font.value}"


def _page(
    tried: Look, typed: dict[str, str], based_on: int, *, faults: object = None, problem: str = ""
) -> ResponseReturnValue:
    page = render_template(
        "admin/look.html",
        tried=tried,
        typed=typed,
        shown=_shown(tried),
        based_on=based_on,
        faults=faults or {},
        problem=problem,
        mended=mended,
        laurels=LAUREL,
        language=live_program(runtime(), program_id()).language,
        widget=f"/widget/{_WIDGET.digest}/laurel.js",
    )
    return page, 422 if faults or problem else 200
