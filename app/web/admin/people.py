"""Two members that are one person, and members who want to be forgotten."""

from flask import request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.describe_member import describe_member
from app.services.erase_member import erase_member
from app.services.find_merges import find_other, join_members, part_members
from app.web.admin.answers import ask, done
from app.web.admin.guard import blueprint, needs, program_id, visitor
from app.web.admin.members import member_name
from app.web.here import runtime


@blueprint.get("/members/<int:member_id>/join")
@needs(Role.STAFF)
def ask_join(member_id: int) -> ResponseReturnValue:
    """First whom, then what will be true afterwards."""
    rt, search = runtime(), request.args.get("with", "").strip()[:300]
    member = describe_member(rt, program_id(), member_id)
    if not search:
        return ask("admin/join.html", member=member, other=None, search="", fault="")
    try:
        other = describe_member(rt, program_id(), find_other(rt, program_id(), member.member_id, search))
    except Refused as refused:
        return ask(
            "admin/join.html", status=422, member=member, other=None, search=search, fault=refused.detail
        )
    return ask("admin/join.html", member=member, other=other, search=search, fault="")


@blueprint.post("/members/<int:member_id>/join")
def do_join(member_id: int) -> ResponseReturnValue:
    other = request.form.get("other", "")
    if not (other.isascii() and other.isdigit() and len(other) < 19):
        raise Refused("bad_request", "Say which member to join with.")
    merged = join_members(runtime(), program_id(), member_id, int(other), actor=visitor().actor)
    undo = url_for("admin.undo_join", merge_id=merged.merge_id)
    return done(
        url_for("admin.member", member_id=merged.winner_id), "The two are one member now.", undo=(undo, {})
    )


@blueprint.post("/joins/<int:merge_id>/undo")
def undo_join(merge_id: int) -> ResponseReturnValue:
    parted = part_members(runtime(), program_id(), merge_id)
    return done(
        url_for("admin.member", member_id=parted.winner_id),
        "They are two members again, each with their own points.",
    )


@blueprint.get("/members/<int:member_id>/erase")
@needs(Role.OWNER)
def ask_erase(member_id: int) -> ResponseReturnValue:
    return ask("admin/erase.html", member=describe_member(runtime(), program_id(), member_id), fault="")


@blueprint.post("/members/<int:member_id>/erase")
@needs(Role.OWNER)
def do_erase(member_id: int) -> ResponseReturnValue:
    rt = runtime()
    member = describe_member(rt, program_id(), member_id)
    if request.form.get("sure") != "yes":
        return ask(
            "admin/erase.html", status=422, member=member, fault="Tick the box: this cannot be undone."
        )
    name = member_name(member)
    erase_member(rt, program_id(), member.member_id)
    return done(
        url_for("admin.member", member_id=member.member_id), f"{name} was forgotten. The ledger is whole."
    )
