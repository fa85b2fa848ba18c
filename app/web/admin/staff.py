"""Who helps to run the program: inviting, changing and removing."""

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.change_staff import change_staff
from app.services.invite_staff import invite_staff
from app.services.list_staff import StaffView, find_staff, list_staff, remove_staff
from app.web.admin.answers import ask, done
from app.web.admin.guard import blueprint, needs, program_id
from app.web.here import runtime

ROLES = (
    (Role.VIEWER, "Viewer", "reads everything, changes nothing"),
    (Role.STAFF, "Staff", "looks after members, orders and deliveries"),
    (Role.OWNER, "Owner", "also shops, program, staff and privacy"),
)
ROLE_WORDS = {role: word for role, word, _ in ROLES}


@blueprint.get("/staff")
def staff() -> ResponseReturnValue:
    return render_template(
        "admin/staff.html", people=list_staff(runtime(), program_id()), words=ROLE_WORDS, roles=ROLES
    )


@blueprint.get("/staff/invite")
@needs(Role.OWNER)
def ask_invite() -> ResponseReturnValue:
    return _form({})


@blueprint.post("/staff/invite")
@needs(Role.OWNER)
def do_invite() -> ResponseReturnValue:
    rt, given = runtime(), request.form
    try:
        invited = invite_staff(
            rt,
            program_id(),
            email=given.get("email", ""),
            name=given.get("name", ""),
            role=_role(given.get("role")) or Role.VIEWER,
        )
    except Refused as refused:
        field = {"bad_email": "email", "bad_name": "name"}.get(refused.code, "role")
        return _form({field: refused.detail})
    one = find_staff(rt, program_id(), invited.staff_id)
    return ask("admin/invited.html", one=one, invited=invited)


@blueprint.get("/staff/<int:staff_id>/change")
@needs(Role.OWNER)
def ask_change(staff_id: int) -> ResponseReturnValue:
    one = find_staff(runtime(), program_id(), staff_id)
    return _change(one, one.name, one.role, {})


@blueprint.post("/staff/<int:staff_id>/change")
@needs(Role.OWNER)
def do_change(staff_id: int) -> ResponseReturnValue:
    rt, given = runtime(), request.form
    one = find_staff(rt, program_id(), staff_id)
    name, role = given.get("name", ""), _role(given.get("role")) or one.role
    try:
        change_staff(rt, program_id(), staff_id, name=name, role=role)
    except Refused as refused:
        return _change(one, name, role, {{"bad_name": "name"}.get(refused.code, "role"): refused.detail})
    return done(url_for("admin.staff"), f"{name.strip()}: {ROLE_WORDS[role].lower()}.")


@blueprint.get("/staff/<int:staff_id>/remove")
@needs(Role.OWNER)
def ask_remove(staff_id: int) -> ResponseReturnValue:
    return ask("admin/remove_staff.html", one=find_staff(runtime(), program_id(), staff_id), fault="")


@blueprint.post("/staff/<int:staff_id>/remove")
@needs(Role.OWNER)
def do_remove(staff_id: int) -> ResponseReturnValue:
    rt = runtime()
    one = find_staff(rt, program_id(), staff_id)
    try:
        remove_staff(rt, program_id(), staff_id)
    except Refused as refused:
        return ask("admin/remove_staff.html", status=422, one=one, fault=refused.detail)
    return done(url_for("admin.staff"), f"{one.name} is let in no more.")


def _role(typed: str | None) -> Role | None:
    return Role(typed) if typed in set(Role) else None


def _change(one: StaffView, name: str, role: Role, faults: dict[str, str]) -> ResponseReturnValue:
    return ask(
        "admin/change_staff.html",
        status=422 if faults else 200,
        one=one,
        name=name,
        role=role,
        faults=faults,
        roles=ROLES,
    )


def _form(faults: dict[str, str]) -> ResponseReturnValue:
    return ask(
        "admin/invite.html", status=422 if faults else 200, faults=faults, given=request.form, roles=ROLES
    )
