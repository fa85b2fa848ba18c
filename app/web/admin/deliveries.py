"""What the shops told us: what failed and why, and doing it again."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.list_deliveries import COUNTED_TO, delivery_body, list_deliveries
from app.services.replay_deliveries import Replay, replay_deliveries, replay_progress
from app.web.admin import words
from app.web.admin.answers import go
from app.web.admin.guard import blueprint, needs, program_id
from app.web.admin.members import number_of
from app.web.here import runtime

DONE = 286  # htmx: do not ask again


@blueprint.get("/deliveries")
def deliveries() -> ResponseReturnValue:
    group = request.args.get("show", "failed")
    shop_id = number_of("shop")
    page = list_deliveries(
        runtime(), program_id(), group, shop_id=shop_id, cursor=request.args.get("after", "")
    )
    counts = {
        name: f"{words.number(COUNTED_TO)}+" if count >= COUNTED_TO else words.number(count)
        for name, count in page.counts.items()
    }
    replay = _replay()
    return render_template(
        "admin/deliveries.html",
        page=page,
        group=group,
        shop_id=shop_id,
        counts=counts,
        query=_query(replay) if replay else {},
        progress=replay_progress(runtime(), program_id(), replay) if replay else None,
    )


@blueprint.post("/deliveries/replay")
def replay() -> ResponseReturnValue:
    """Those that were chosen, or all that failed."""
    ids: list[int] | None = None
    if request.form.get("all") != "yes":
        ids = [
            int(one)
            for one in request.form.getlist("id")
            if one.isascii() and one.isdigit() and len(one) < 19
        ]
        if not ids:
            raise Refused("nothing_chosen", "Choose at least one delivery, then replay.")
    begun = replay_deliveries(runtime(), program_id(), ids)
    return go(url_for("admin.deliveries", **_query(begun)))


@blueprint.get("/deliveries/progress")
def progress() -> ResponseReturnValue:
    begun = _replay()
    if begun is None:
        abort(404)
    found = replay_progress(runtime(), program_id(), begun)
    body = render_template("admin/replay_progress.html", progress=found, query=_query(begun))
    return body, 200 if found.to_go else DONE


@blueprint.get("/deliveries/<day>/<int:delivery_id>/body")
@needs(Role.OWNER)
def body(day: str, delivery_id: int) -> ResponseReturnValue:
    """What the shop sent, as text and never as anything else. It names people: for owners."""
    try:
        received_on = date.fromisoformat(day)
    except ValueError:
        abort(404)
    return render_template(
        "admin/delivery_body.html", text=delivery_body(runtime(), program_id(), received_on, delivery_id)
    )


def _query(begun: Replay) -> dict[str, Any]:
    """A replay as it stands in an address, and is read by `_replay`."""
    ids = {} if begun.ids is None else {"ids": " ".join(map(str, begun.ids))}
    return {"replayed": str(begun.count), "last": str(begun.last), "at": begun.at.isoformat(), **ids}


def _replay() -> Replay | None:
    count, last = number_of("replayed"), number_of("last")
    try:
        at = datetime.fromisoformat(request.args.get("at", ""))
    except ValueError:
        return None
    if count is None or last is None or at.tzinfo is None:
        return None
    ids = request.args.get("ids")
    return Replay(count=count, last=last, at=at, ids=None if ids is None else tuple(_numbers(ids.split())))


def _numbers(words: Iterable[str]) -> list[int]:
    return [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 19]
