"""Giving and taking points, with a reason, and the undo."""

import re
import secrets
from dataclasses import dataclass

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.domain.money import Money
from app.domain.staff import Role
from app.services.adjust import MAX_REASON, adjust
from app.services.cancel_redemption import cancel_redemption
from app.services.describe_member import MemberView, describe_member
from app.services.find_redemptions import find_redemption
from app.services.hand_over import hand_over
from app.services.undo_adjustment import undo_adjustment
from app.web.admin import words
from app.web.admin.answers import ask, done
from app.web.admin.guard import blueprint, needs, program_id, visitor
from app.web.here import runtime

MOST = 10_000_000


@dataclass(frozen=True, slots=True)
class Wish:
    """An adjustment as somebody typed it. `points` None: that is no number of points."""

    adds: bool
    typed: str
    reason: str
    points: int | None

    @property
    def signed(self) -> int:
        return (self.points or 0) * (1 if self.adds else -1)


def _wish() -> Wish:
    given = request.values
    typed = given.get("points", "").strip()
    digits = typed.replace(",", "").replace("\u202f", "").replace("\u00a0", "").replace(" ", "")
    units = _units(digits)
    return Wish(
        adds=given.get("direction", "add") != "take",
        typed=typed,
        reason=" ".join(given.get("reason", "").split()),
        points=units if units is not None and 0 < units <= MOST else None,
    )


def _example() -> str:
    return "an amount" if words.said().counts_money else "a whole number"


def _units(digits: str) -> int | None:
    """Of what the program counts: "12", or "12.50" where it counts in money."""
    if len(digits) >= 12 or not re.fullmatch(r"[0-9]+(\.[0-9]+)?", digits, re.ASCII):
        return None
    currency = words.said().currency
    try:
        return Money.parse(digits, currency).minor if currency else int(digits)
    except (Refused, ValueError):
        return None


@blueprint.get("/members/<int:member_id>/adjust")
@needs(Role.STAFF)
def ask_adjust(member_id: int) -> ResponseReturnValue:
    return _form(describe_member(runtime(), program_id(), member_id), _wish(), {}, secrets.token_urlsafe(16))


@blueprint.get("/members/<int:member_id>/adjust/after")
@needs(Role.STAFF)
def after_adjust(member_id: int) -> ResponseReturnValue:
    """What will be true afterwards, as the form stands."""
    member = describe_member(runtime(), program_id(), member_id)
    return render_template("admin/adjust_after.html", member=member, wish=_wish(), live=True)


@blueprint.post("/members/<int:member_id>/adjust")
def do_adjust(member_id: int) -> ResponseReturnValue:
    rt, wish, key = runtime(), _wish(), request.form.get("key", "")[:100]
    member = describe_member(rt, program_id(), member_id)
    faults = {}
    if wish.points is None:
        faults["points"] = f"Write {_example()} from {words.units(1)} to {words.units(MOST)}."
    if not wish.reason:
        faults["reason"] = "Write a few words: whoever looks later wants to know why."
    elif len(wish.reason) > MAX_REASON:
        faults["reason"] = f"At most {MAX_REASON} characters."
    if faults:
        return _form(member, wish, faults, key)
    try:
        adjusted = adjust(
            rt,
            program_id(),
            member.member_id,
            wish.signed,
            reason=wish.reason,
            actor=visitor().actor,
            request_key=f"admin:{key or secrets.token_urlsafe(16)}",
        )
    except Refused as refused:
        return _form(member, wish, {"points": refused.detail}, key)
    said = f"{words.points(abs(wish.signed))} {'added' if wish.adds else 'taken'}."
    undo = url_for("admin.undo_adjust", adjustment_id=adjusted.adjustment_id)
    return done(url_for("admin.member", member_id=adjusted.account_id), said, undo=(undo, {}))


@blueprint.post("/adjustments/<int:adjustment_id>/undo")
def undo_adjust(adjustment_id: int) -> ResponseReturnValue:
    undone = undo_adjustment(runtime(), program_id(), adjustment_id, actor=visitor().actor)
    said = (
        f"Undone: {words.points(abs(undone.points))} {'given back' if undone.points > 0 else 'taken again'}."
    )
    return done(url_for("admin.member", member_id=undone.account_id), said)


def _form(member: MemberView, wish: Wish, faults: dict[str, str], key: str) -> ResponseReturnValue:
    return ask(
        "admin/adjust.html", status=422 if faults else 200, member=member, wish=wish, faults=faults, key=key
    )


@blueprint.get("/redemptions/<int:redemption_id>/cancel")
@needs(Role.STAFF)
def ask_cancel(redemption_id: int) -> ResponseReturnValue:
    return ask("admin/cancel.html", one=find_redemption(runtime(), program_id(), redemption_id))


@blueprint.post("/redemptions/<int:redemption_id>/hand-over")
@needs(Role.STAFF)
def do_hand_over(redemption_id: int) -> ResponseReturnValue:
    rt = runtime()
    undo = request.form.get("undo") == "yes"
    hand_over(rt, program_id(), redemption_id, by=visitor().actor, undo=undo)
    one = find_redemption(rt, program_id(), redemption_id)
    said = "It waits to be handed over again." if undo else f"{one.bought.title} was handed over."
    return done(url_for("admin.member", member_id=one.member_id), said)


@blueprint.post("/redemptions/<int:redemption_id>/cancel")
def do_cancel(redemption_id: int) -> ResponseReturnValue:
    rt = runtime()
    cancel_redemption(rt, program_id(), redemption_id)
    one = find_redemption(rt, program_id(), redemption_id)
    said = f"It is being withdrawn. {words.points(one.points_back)} come back when it is surely gone."
    return done(url_for("admin.member", member_id=one.member_id), said)
