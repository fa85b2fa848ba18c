"""From when a shop's orders count, and whether its test orders do: what it costs is shown before."""

from datetime import UTC, date, datetime, time

from flask import request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.describe_shop import ShopView, describe_shop
from app.services.preview_counting import CountingPreview, preview_counting
from app.services.set_counting import set_counting
from app.web.admin import words
from app.web.admin.answers import ask, done
from app.web.admin.guard import blueprint, needs, program_id, visitor
from app.web.here import runtime


@blueprint.get("/shops/<shop_key>/counting")
@needs(Role.OWNER)
def ask_counting(shop_key: str) -> ResponseReturnValue:
    """The form; with `preview` in the query, what it would do."""
    rt = runtime()
    view = describe_shop(rt, program_id(), shop_key)
    if "preview" not in request.args:
        return _form(view, None, view.shop.counts_from, view.shop.counts_test_orders)
    tests = request.args.get("tests") == "yes"
    try:
        start = _start(request.args.get("from", ""), view)
        preview = preview_counting(
            rt, program_id(), view.shop.shop_id, counts_from=start, counts_test_orders=tests
        )
    except Refused as refused:
        return _form(view, None, view.shop.counts_from, tests, refused.detail)
    return _form(view, preview, start, tests)


@blueprint.post("/shops/<shop_key>/counting")
@needs(Role.OWNER)
def do_counting(shop_key: str) -> ResponseReturnValue:
    rt = runtime()
    view = describe_shop(rt, program_id(), shop_key)
    start = _start(request.form.get("from", ""), view)
    set_counting(
        rt,
        program_id(),
        view.shop.shop_id,
        counts_from=start,
        counts_test_orders=request.form.get("tests") == "yes",
        actor=visitor().actor,
    )
    said = "Saved. Orders are being counted again; it may take a few minutes."
    return done(url_for("admin.shop", shop_key=shop_key), said)


def _start(typed: str, view: ShopView) -> datetime:
    """The beginning of that day, in the program's time zone; the same day as now keeps the exact moment."""
    try:
        wanted = date.fromisoformat(typed)
    except ValueError:
        raise Refused("bad_date", "Choose a day.") from None
    if wanted == view.shop.counts_from.astimezone(words.zone()).date():
        return view.shop.counts_from
    if wanted.year < 2000:
        raise Refused("bad_date", "Choose a day after 1 January 2000.")
    return datetime.combine(wanted, time(), tzinfo=words.zone()).astimezone(UTC)


def _form(
    view: ShopView, preview: CountingPreview | None, start: datetime, tests: bool, fault: str = ""
) -> ResponseReturnValue:
    return ask(
        "admin/counting.html",
        status=422 if fault else 200,
        view=view,
        shop=view.shop,
        preview=preview,
        start=start.astimezone(words.zone()).date(),
        tests=tests,
        fault=fault,
    )
