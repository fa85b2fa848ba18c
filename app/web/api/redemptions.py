"""Rewards, and what members buy."""

from typing import Any

from app.services.await_code import await_code
from app.services.cancel_redemption import cancel_redemption
from app.services.choose_shop import choose_shop
from app.services.find_redemptions import RedemptionView, find_redemption
from app.services.hand_over import hand_over
from app.services.list_rewards import list_rewards
from app.services.redeem import RedeemRequest, redeem
from app.web.api.blueprint import blueprint, key
from app.web.api.incoming import HandOverIn, KeyIn, RedemptionIn, RewardsQuery
from app.web.api.members import MEMBER
from app.web.api.outgoing import RedemptionOut, RewardsOut
from app.web.api.problems import problems
from app.web.here import runtime

REDEMPTION = "/redemptions/<int:redemption_id>"


@blueprint.get("/rewards")
@blueprint.input(RewardsQuery, location="query", arg_name="query")
@blueprint.output(RewardsOut)
@blueprint.doc(
    summary="The live program's rewards",
    description="With `member`: how far each is from them. With `shop`: in that shop's money.",
    operation_id="list_rewards",
    responses=problems(400, 401, 404, 422),
)
def get_rewards(query: dict[str, Any]) -> dict[str, Any]:
    rt, program_id = runtime(), key().program_id
    shop_id = choose_shop(rt, program_id, shop_key=query["shop"]) if "shop" in query else None
    return {"rewards": list_rewards(rt, program_id, member_id=query.get("member"), shop_id=shop_id)}


@blueprint.post(f"{MEMBER}/redemptions")
@blueprint.input(KeyIn, location="headers", arg_name="headers")
@blueprint.input(RedemptionIn, arg_name="wish")
@blueprint.output(RedemptionOut, 201)
@blueprint.doc(
    summary="Buy a reward for a member",
    description="Waits at most 3 seconds: 201 with the code; else 202, `code` is null, and it is followed under its id.",
    operation_id="redeem",
    responses={
        202: {
            "description": "The points are taken, and the code is being made.",
            "content": {"application/json": {"schema": RedemptionOut}},
        },
        **problems(400, 401, 404, 409, 422),
    },
)
def post_redemption(
    member_id: int, headers: dict[str, str], wish: dict[str, Any]
) -> tuple[RedemptionView, int]:
    rt, program_id = runtime(), key().program_id
    row = redeem(
        rt,
        RedeemRequest(
            program_id=program_id,
            member_id=member_id,
            shop_id=choose_shop(rt, program_id, shop_key=wish.get("shop"), member_id=member_id),
            reward_key=wish["reward"],
            points=wish.get("points"),
            request_key=headers["idempotency_key"],
            actor=key().actor,
        ),
    )
    view = await_code(rt, program_id, row.redemption_id)
    return view, 201 if view.is_ready else 202


@blueprint.get(REDEMPTION)
@blueprint.output(RedemptionOut)
@blueprint.doc(summary="One redemption", operation_id="get_redemption", responses=problems(400, 401, 404))
def get_redemption(redemption_id: int) -> RedemptionView:
    return find_redemption(runtime(), key().program_id, redemption_id)


@blueprint.post(f"{REDEMPTION}/hand-over")
@blueprint.input(HandOverIn, arg_name="said")
@blueprint.output(RedemptionOut)
@blueprint.doc(
    summary="Say that a perk was given to the member",
    description="Only for a reward of kind `perk`: of a code the shop tells. With `undo` it was a mistake.",
    operation_id="hand_over",
    responses=problems(400, 401, 404, 409, 422),
)
def post_hand_over(redemption_id: int, said: dict[str, bool]) -> RedemptionView:
    rt, program_id = runtime(), key().program_id
    hand_over(rt, program_id, redemption_id, by=key().actor, undo=said["undo"])
    return find_redemption(rt, program_id, redemption_id)


@blueprint.post(f"{REDEMPTION}/cancel")
@blueprint.output(RedemptionOut)
@blueprint.doc(
    summary="Give a code back",
    description="Its points come back once the code is surely dead at the shop: `cancelling` until then.",
    operation_id="cancel_redemption",
    responses=problems(400, 401, 404, 409),
)
def post_cancel(redemption_id: int) -> RedemptionView:
    rt, program_id = runtime(), key().program_id
    cancel_redemption(rt, program_id, redemption_id)
    return find_redemption(rt, program_id, redemption_id)
