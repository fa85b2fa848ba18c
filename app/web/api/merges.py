"""Two members that are one person."""

from typing import Any

from app.services.find_merges import join_members_once, part_members
from app.services.merge_members import Merged
from app.web.api.blueprint import blueprint, key
from app.web.api.incoming import MergeIn
from app.web.api.members import MEMBER
from app.web.api.outgoing import MergeOut
from app.web.api.problems import problems
from app.web.here import runtime


@blueprint.post(f"{MEMBER}/merge")
@blueprint.input(MergeIn, arg_name="wish")
@blueprint.output(MergeOut, 201)
@blueprint.doc(
    summary="Make two members one",
    description="The older account wins, whichever is named first; the other's points, customers and orders are its "
    "own from now on, and its id answers as the winner. 200 with the same merge if it was done before.",
    operation_id="merge_members",
    responses={200: "It was done before.", **problems(400, 401, 404, 409, 422)},
)
def post_merge(member_id: int, wish: dict[str, Any]) -> tuple[Merged, int]:
    merged, is_new = join_members_once(
        runtime(), key().program_id, member_id, wish["other"], actor=key().actor
    )
    return merged, 201 if is_new else 200


@blueprint.post("/merges/<int:merge_id>/undo")
@blueprint.output(MergeOut)
@blueprint.doc(
    summary="Take a merge back",
    description="Each gets back what it brought, even if the winner has spent of it since: that leaves a deficit.",
    operation_id="undo_merge",
    responses=problems(400, 401, 404, 409),
)
def post_undo(merge_id: int) -> Merged:
    return part_members(runtime(), key().program_id, merge_id)
