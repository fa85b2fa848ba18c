"""Members, their entries and adjustments."""

from typing import Any

from app.domain.errors import Refused
from app.services.adjust import Adjusted, adjust
from app.services.describe_member import MemberView, describe_member
from app.services.find_by_card import find_by_card
from app.services.list_members import MemberPage, list_members
from app.services.member_entries import EntryPage, member_entries
from app.web.api.blueprint import blueprint, key
from app.web.api.incoming import AdjustmentIn, EntriesQuery, KeyIn, MembersQuery
from app.web.api.outgoing import AdjustmentOut, EntriesOut, MemberOut, MembersOut
from app.web.api.problems import problems
from app.web.here import runtime
from app.web.languages import reader

MEMBER = "/members/<int:member_id>"


@blueprint.get("/members")
@blueprint.input(MembersQuery, location="query", arg_name="query")
@blueprint.output(MembersOut)
@blueprint.doc(
    summary="Find members, or list them",
    description="With `ref` or `email`: whom it means, in one page; nobody is an empty list. Else all, by id.",
    operation_id="list_members",
    responses=problems(400, 401, 422),
)
def get_members(query: dict[str, Any]) -> MemberPage:
    if "ref" in query and "email" in query:
        raise Refused("invalid", "Search by ref or by email, not by both.")
    search = query.get("ref") or query.get("email") or ""
    return list_members(
        runtime(), key().program_id, search=search, cursor=query["cursor"], limit=query["limit"]
    )


@blueprint.get("/members/by-card/<card>")
@blueprint.output(MemberOut)
@blueprint.doc(
    summary="The member whose card was shown at the till",
    description="`card` as scanned or typed: case, spaces, hyphens do not count. A card that was replaced is nobody's.",
    operation_id="get_member_by_card",
    responses=problems(400, 401, 404),
)
def get_member_by_card(card: str) -> MemberView:
    rt, program_id = runtime(), key().program_id
    return describe_member(rt, program_id, find_by_card(rt, program_id, card))


@blueprint.get(MEMBER)
@blueprint.output(MemberOut)
@blueprint.doc(
    summary="One member",
    description="An id that was merged into another answers as the one it was merged into.",
    operation_id="get_member",
    responses=problems(400, 401, 404),
)
def get_member(member_id: int) -> MemberView:
    return describe_member(runtime(), key().program_id, member_id)


@blueprint.get(f"{MEMBER}/entries")
@blueprint.input(EntriesQuery, location="query", arg_name="query")
@blueprint.output(EntriesOut)
@blueprint.doc(
    summary="A member's entries, newest first, each explained",
    operation_id="list_entries",
    responses=problems(400, 401, 404, 422),
)
def get_entries(member_id: int, query: dict[str, Any]) -> EntryPage:
    return member_entries(
        runtime(),
        key().program_id,
        member_id,
        cursor=query["cursor"],
        limit=query["limit"],
        language=reader(),
    )


@blueprint.post(f"{MEMBER}/adjustments")
@blueprint.input(KeyIn, location="headers", arg_name="headers")
@blueprint.input(AdjustmentIn, arg_name="wish")
@blueprint.output(AdjustmentOut, 201)
@blueprint.doc(
    summary="Give or take points by hand",
    description="200 if this Idempotency-Key has done it before. Never below 0.",
    operation_id="adjust",
    responses={200: "It was done before.", **problems(400, 401, 404, 409, 422)},
)
def post_adjustment(member_id: int, headers: dict[str, str], wish: dict[str, Any]) -> tuple[Adjusted, int]:
    done = adjust(
        runtime(),
        key().program_id,
        member_id,
        wish["points"],
        reason=wish["reason"],
        actor=key().actor,
        request_key=headers["idempotency_key"],
    )
    return done, 201 if done.is_new else 200
