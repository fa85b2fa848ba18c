"""Members whom a person should look at, and what is decided on them."""

from typing import Any

from app.services.decide_review import decide_review, undo_review
from app.services.list_reviews import MOST, ReviewView, get_review, list_reviews
from app.web.api.blueprint import blueprint, key
from app.web.api.incoming import ReasonIn
from app.web.api.outgoing import ReviewOut, ReviewsOut
from app.web.api.problems import problems
from app.web.here import runtime

REVIEW = "/reviews/<int:review_id>"


@blueprint.get("/reviews")
@blueprint.output(ReviewsOut)
@blueprint.doc(
    summary="Members to look at",
    description=f"What was noticed, in sentences. Open ones first, then the last that were decided; at most {MOST}.",
    operation_id="list_reviews",
    responses=problems(400, 401),
)
def get_reviews() -> dict[str, Any]:
    return {"reviews": list_reviews(runtime(), key().program_id)}


@blueprint.post(f"{REVIEW}/allow")
@blueprint.input(ReasonIn, arg_name="wish")
@blueprint.output(ReviewOut)
@blueprint.doc(
    summary="Let the member spend",
    description="What led here is not counted again.",
    operation_id="allow_review",
    responses=problems(400, 401, 404, 409, 422),
)
def post_allow(review_id: int, wish: dict[str, str]) -> ReviewView:
    return _decided(review_id, wish, allow=True)


@blueprint.post(f"{REVIEW}/refuse")
@blueprint.input(ReasonIn, arg_name="wish")
@blueprint.output(ReviewOut)
@blueprint.doc(
    summary="Refuse, which blocks the member",
    description="They earn nothing from then on and cannot spend; what they have stays.",
    operation_id="refuse_review",
    responses=problems(400, 401, 404, 409, 422),
)
def post_refuse(review_id: int, wish: dict[str, str]) -> ReviewView:
    return _decided(review_id, wish, allow=False)


@blueprint.post(f"{REVIEW}/undo")
@blueprint.input(ReasonIn, arg_name="wish")
@blueprint.output(ReviewOut)
@blueprint.doc(
    summary="Take the decision back",
    description="The review is open again, points wait again if they did, and a block that refusing made is lifted.",
    operation_id="undo_review",
    responses=problems(400, 401, 404, 409, 422),
)
def post_undo_review(review_id: int, wish: dict[str, str]) -> ReviewView:
    rt, program_id = runtime(), key().program_id
    undo_review(rt, program_id, review_id, reason=wish["reason"], actor=key().actor)
    return get_review(rt, program_id, review_id)


def _decided(review_id: int, wish: dict[str, str], *, allow: bool) -> ReviewView:
    rt, program_id = runtime(), key().program_id
    decide_review(rt, program_id, review_id, allow=allow, reason=wish["reason"], actor=key().actor)
    return get_review(rt, program_id, review_id)
