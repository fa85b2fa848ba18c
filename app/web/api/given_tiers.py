"""Tiers that are given for a time, whatever the orders say."""

from typing import Any

from app.services.give_tier import GivenTier, give_tier, take_tier_back
from app.web.api.blueprint import blueprint, key
from app.web.api.incoming import KeyIn, TierIn
from app.web.api.members import MEMBER
from app.web.api.outgoing import GivenTierOut
from app.web.api.problems import problems
from app.web.here import runtime


@blueprint.post(f"{MEMBER}/tier")
@blueprint.input(KeyIn, location="headers", arg_name="headers")
@blueprint.input(TierIn, arg_name="wish")
@blueprint.output(GivenTierOut, 201)
@blueprint.doc(
    summary="Give a tier until a day",
    description="At least that tier, at once; the only way to one that is by invitation. 200 if this Idempotency-Key "
    "has done it before.",
    operation_id="give_tier",
    responses={200: "It was done before.", **problems(400, 401, 404, 422)},
)
def post_tier(member_id: int, headers: dict[str, str], wish: dict[str, Any]) -> tuple[GivenTier, int]:
    given = give_tier(
        runtime(),
        key().program_id,
        member_id,
        wish["tier"],
        until=wish["until"],
        reason=wish["reason"],
        actor=key().actor,
        request_key=headers["idempotency_key"],
    )
    return given, 201 if given.is_new else 200


@blueprint.post("/given-tiers/<int:grant_id>/undo")
@blueprint.output(GivenTierOut)
@blueprint.doc(
    summary="Take a given tier back",
    description="It ends now, and what reaching the tier by it brought goes back. The next review brings the member "
    "down; what was earned meanwhile stays.",
    operation_id="take_tier_back",
    responses=problems(400, 401, 404, 409),
)
def post_tier_undo(grant_id: int) -> GivenTier:
    return take_tier_back(runtime(), key().program_id, grant_id, actor=key().actor)
