"""Giving a member a tier until a day, with a reason, and the undo."""

import secrets
from dataclasses import dataclass
from datetime import date

from flask import request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.adjust import MAX_REASON
from app.services.describe_member import MemberView, describe_member
from app.services.give_tier import give_tier, take_tier_back
from app.services.publish_program import live_program
from app.web.admin.answers import ask, done
from app.web.admin.guard import blueprint, needs, program_id, visitor
from app.web.here import runtime


@dataclass(frozen=True, slots=True)
class Wish:
    """As somebody typed it. `until` None: without an end, or it is no day."""

    tier: str
    typed: str
    until: date | None
    reason: str


def _wish() -> Wish:
    given = request.values
    typed = given.get("until", "").strip()
    try:
        until = date.fromisoformat(typed)
    except ValueError:
        until = None
    return Wish(given.get("tier", ""), typed, until, " ".join(given.get("reason", "").split()))


@blueprint.get("/members/<int:member_id>/tier")
@needs(Role.STAFF)
def ask_tier(member_id: int) -> ResponseReturnValue:
    return _form(describe_member(runtime(), program_id(), member_id), _wish(), {}, secrets.token_urlsafe(16))


@blueprint.post("/members/<int:member_id>/tier")
def do_tier(member_id: int) -> ResponseReturnValue:
    rt, wish, key = runtime(), _wish(), request.form.get("key", "")[:100]
    member = describe_member(rt, program_id(), member_id)
    faults = {}
    if wish.typed and wish.until is None:
        faults["until"] = "Write a day as 2027-01-31, or nothing."
    if not wish.reason:
        faults["reason"] = "Write a few words: whoever looks later wants to know why."
    elif len(wish.reason) > MAX_REASON:
        faults["reason"] = f"At most {MAX_REASON} characters."
    if faults:
        return _form(member, wish, faults, key)
    try:
        given = give_tier(
            rt,
            program_id(),
            member.member_id,
            wish.tier,
            until=wish.until,
            reason=wish.reason,
            actor=visitor().actor,
            request_key=f"admin:{key or secrets.token_urlsafe(16)}",
        )
    except Refused as refused:
        field = "until" if refused.code == "past_date" else "tier"
        return _form(member, wish, {field: refused.detail}, key)
    undo = url_for("admin.undo_tier", grant_id=given.grant_id)
    return done(
        url_for("admin.member", member_id=given.member_id), f"{given.tier_name} given.", undo=(undo, {})
    )


@blueprint.post("/given-tiers/<int:grant_id>/undo")
def undo_tier(grant_id: int) -> ResponseReturnValue:
    ended = take_tier_back(runtime(), program_id(), grant_id, actor=visitor().actor)
    said = f"{ended.tier_name} taken back. The next review, within the hour, decides what the orders give."
    return done(url_for("admin.member", member_id=ended.member_id), said)


def _form(member: MemberView, wish: Wish, faults: dict[str, str], key: str) -> ResponseReturnValue:
    return ask(
        "admin/give_tier.html",
        status=422 if faults else 200,
        member=member,
        wish=wish,
        faults=faults,
        key=key,
        tiers=live_program(runtime(), program_id()).tiers[1:],
    )
