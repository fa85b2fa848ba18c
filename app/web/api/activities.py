"""What earns without an order: activities, friends brought, birthdays; and who earns nothing."""

from typing import Any

from app.domain.errors import Refused
from app.services.block_member import block_member, unblock_member
from app.services.describe_activities import (
    ActivityPage,
    ActivityView,
    describe_activities,
    describe_activity,
)
from app.services.describe_member import MemberView, describe_member
from app.services.find_member import ByCustomer, ByEmail, ById, Who
from app.services.record_activity import Told, record_activity
from app.services.refer_friend import Referred, refer_friend, referral_code
from app.services.set_birthday import forget_birthday, set_birthday
from app.services.undo_activity import undo_activity
from app.web.api.blueprint import blueprint, key
from app.web.api.incoming import (
    ActivitiesQuery,
    ActivityIn,
    BirthdayIn,
    ReasonIn,
    ReferralIn,
)
from app.web.api.members import MEMBER
from app.web.api.outgoing import (
    ActivitiesOut,
    ActivityOut,
    MemberOut,
    ReferralCodeOut,
    ReferralOut,
)
from app.web.api.problems import problems
from app.web.here import runtime
from app.web.languages import reader


@blueprint.post("/activities")
@blueprint.input(ActivityIn, arg_name="told")
@blueprint.output(ActivityOut, 201)
@blueprint.doc(
    summary="Tell of something that a member did",
    description="`key` is yours for this one act: the same again is answered with 200 and the same activity, and with "
    "422 if anything else in it differs. What earns nothing (a limit, once only, a blocked member) is kept too: "
    "`points` is 0, and `zero` and `explanation` say why. Signing up and birthdays are given by themselves.",
    operation_id="tell_activity",
    responses={
        200: {
            "description": "It was told before.",
            "content": {"application/json": {"schema": ActivityOut}},
        },
        **problems(400, 401, 404, 422),
    },
)
def post_activity(told: dict[str, Any]) -> tuple[ActivityView, int]:
    rt, program_id = runtime(), key().program_id
    done = record_activity(
        rt,
        program_id,
        Told(
            who=_who(told["member"]),
            activity_key=told["activity"],
            request_key=told["key"],
            actor=key().actor,
            occurred_at=told.get("occurred_at"),
            detail=told.get("detail"),
        ),
    )
    return describe_activity(rt, program_id, done.activity_id, reader()), 201 if done.is_new else 200


@blueprint.post("/activities/<int:activity_id>/undo")
@blueprint.input(ReasonIn, arg_name="wish")
@blueprint.output(ActivityOut)
@blueprint.doc(
    summary="Take an activity back",
    description="Its points are taken, even if they were spent: that leaves a deficit. Of a referral, on both sides.",
    operation_id="undo_activity",
    responses=problems(400, 401, 404, 422),
)
def post_undo_activity(activity_id: int, wish: dict[str, str]) -> ActivityView:
    rt, program_id = runtime(), key().program_id
    undo_activity(rt, program_id, activity_id, reason=wish["reason"], actor=key().actor)
    return describe_activity(rt, program_id, activity_id, reader())


@blueprint.get(f"{MEMBER}/activities")
@blueprint.input(ActivitiesQuery, location="query", arg_name="query")
@blueprint.output(ActivitiesOut)
@blueprint.doc(
    summary="What a member did beside ordering, newest first, each explained",
    operation_id="list_activities",
    responses=problems(400, 401, 404, 422),
)
def get_activities(member_id: int, query: dict[str, Any]) -> ActivityPage:
    return describe_activities(
        runtime(), key().program_id, member_id, cursor=query["cursor"], limit=query["limit"]
    )


@blueprint.post(f"{MEMBER}/referral-code")
@blueprint.output(ReferralCodeOut)
@blueprint.doc(
    summary="The code that a member hands on to friends",
    description="Made when it is first asked for, and the same from then on.",
    operation_id="referral_code",
    responses=problems(400, 401, 404),
)
def post_referral_code(member_id: int) -> dict[str, str]:
    return {"code": referral_code(runtime(), key().program_id, member_id)}


@blueprint.post("/referrals")
@blueprint.input(ReferralIn, arg_name="told")
@blueprint.output(ReferralOut, 201)
@blueprint.doc(
    summary="Tell that a friend came by a member's code",
    description="Before the friend's first order. Both sides are rewarded once that order's hold is over, and lose it "
    "again should the order not stand. 200 if it was known.",
    operation_id="tell_referral",
    responses={
        200: {"description": "It was known.", "content": {"application/json": {"schema": ReferralOut}}},
        **problems(400, 401, 404, 409, 422),
    },
)
def post_referral(told: dict[str, Any]) -> tuple[Referred, int]:
    done = refer_friend(runtime(), key().program_id, told["code"], _who(told["friend"]), actor=key().actor)
    return done, 201 if done.is_new else 200


@blueprint.put(f"{MEMBER}/birthday")
@blueprint.input(BirthdayIn, arg_name="wish")
@blueprint.output({}, 204)
@blueprint.doc(
    summary="Keep a member's birthday",
    description="Day and month, with the member's consent; sealed, and forgotten with them.",
    operation_id="set_birthday",
    responses=problems(400, 401, 404, 422),
)
def put_birthday(member_id: int, wish: dict[str, Any]) -> str:
    set_birthday(
        runtime(),
        key().program_id,
        member_id,
        wish["birthday"],
        consent=wish["consent"],
        actor=key().actor,
    )
    return ""


@blueprint.delete(f"{MEMBER}/birthday")
@blueprint.output({}, 204)
@blueprint.doc(
    summary="Forget a member's birthday", operation_id="forget_birthday", responses=problems(400, 401, 404)
)
def delete_birthday(member_id: int) -> str:
    forget_birthday(runtime(), key().program_id, member_id)
    return ""


@blueprint.post(f"{MEMBER}/block")
@blueprint.input(ReasonIn, arg_name="wish")
@blueprint.output(MemberOut)
@blueprint.doc(
    summary="Block a member",
    description="They earn nothing from then on and cannot spend; what they have stays.",
    operation_id="block_member",
    responses=problems(400, 401, 404, 409, 422),
)
def post_block(member_id: int, wish: dict[str, str]) -> MemberView:
    rt, program_id = runtime(), key().program_id
    blocked = block_member(rt, program_id, member_id, reason=wish["reason"], actor=key().actor)
    return describe_member(rt, program_id, blocked)


@blueprint.post(f"{MEMBER}/unblock")
@blueprint.input(ReasonIn, arg_name="wish")
@blueprint.output(MemberOut)
@blueprint.doc(
    summary="Let a member earn and spend again",
    description="What happened meanwhile is not paid afterwards.",
    operation_id="unblock_member",
    responses=problems(400, 401, 404, 409, 422),
)
def post_unblock(member_id: int, wish: dict[str, str]) -> MemberView:
    rt, program_id = runtime(), key().program_id
    free = unblock_member(rt, program_id, member_id, reason=wish["reason"], actor=key().actor)
    return describe_member(rt, program_id, free)


def _who(told: dict[str, Any]) -> Who:
    """Raises: Refused("invalid")."""
    match told:
        case {"id": member_id} if len(told) == 1:
            return ById(member_id)
        case {"ref": ref} if len(told) == 1:
            shop_key, _, customer_ref = ref.partition(":")
            return ByCustomer(shop_key, customer_ref)
        case {"email": email} if len(told) == 1:
            return ByEmail(email)
    raise Refused("invalid", "Name a person by one of id, ref and email.")
