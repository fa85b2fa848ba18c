"""Members whom a person should look at: what was noticed, letting them spend again or refusing, and the undo."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.adjust import MAX_REASON
from app.services.decide_review import decide_review, undo_review
from app.services.list_reviews import MOST, get_review, list_reviews
from app.web.admin.answers import ask, done
from app.web.admin.guard import blueprint, needs, program_id, visitor
from app.web.admin.members import member_name
from app.web.admin.words import in_unit
from app.web.here import runtime


@dataclass(frozen=True, slots=True)
class Choice:
    key: str
    title: str
    button: str
    busy: str
    after: tuple[str, ...]  # what will be true
    classes: str = "main"


CHOICES: Mapping[str, Choice] = {
    one.key: one
    for one in (
        Choice(
            "allow",
            "Let {} spend",
            "Let them spend",
            "Letting",
            (
                "Their points can be spent at once, if they waited.",
                "What would have ended meanwhile stays two weeks more.",
                "What led here is not counted again.",
            ),
        ),
        Choice(
            "refuse",
            "Refuse {}",
            "Refuse and block",
            "Blocking",
            (
                "They are blocked: nothing is earned from now on, and nothing can be spent.",
                "What they have stays. To take points that were not earned, adjust them.",
                "It can be undone; orders placed meanwhile still earn nothing.",
            ),
            "danger",
        ),
        Choice(
            "undo",
            "Take the decision on {} back",
            "Take it back",
            "Taking back",
            (
                "The review is open again, and points wait again if they did.",
                "A block that refusing made is lifted.",
            ),
        ),
    )
}


@blueprint.get("/reviews")
def reviews() -> ResponseReturnValue:
    return render_template("admin/reviews.html", found=list_reviews(runtime(), program_id()), most=MOST)


@blueprint.get("/reviews/<int:review_id>/<what>")
@needs(Role.STAFF)
def ask_review(review_id: int, what: str) -> ResponseReturnValue:
    return _form(review_id, _choice(what), "")


@blueprint.post("/reviews/<int:review_id>/<what>")
def do_review(review_id: int, what: str) -> ResponseReturnValue:
    rt, choice = runtime(), _choice(what)
    view = get_review(rt, program_id(), review_id)
    reason, actor = request.form.get("reason", ""), visitor().actor
    try:
        if choice.key == "undo":
            undo_review(rt, program_id(), review_id, reason=reason, actor=actor)
        else:
            allow = choice.key == "allow"
            decide_review(rt, program_id(), review_id, allow=allow, reason=reason, actor=actor)
    except Refused as refused:
        if refused.code != "no_reason":
            raise
        return _form(review_id, choice, refused.detail)
    said = {
        "allow": f"{member_name(view.member)} can spend.",
        "refuse": f"{member_name(view.member)} is blocked.",
        "undo": "The review is open again.",
    }
    return done(url_for("admin.reviews"), said[choice.key])


def _choice(what: str) -> Choice:
    if what not in CHOICES:
        raise Refused("not_found", "There is nothing here.")
    return CHOICES[what]


def _form(review_id: int, choice: Choice, fault: str) -> ResponseReturnValue:
    return ask(
        "admin/review.html",
        status=422 if fault else 200,
        one=get_review(runtime(), program_id(), review_id),
        choice=choice,
        after=[in_unit(one) for one in choice.after],
        fault=fault,
        reason=request.form.get("reason", ""),
        most=MAX_REASON,
    )
