"""From when a shop's orders count, and whether its test orders do: what it costs is shown before."""

from datetime import UTC, date, datetime, time

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.domain.staff import Role
from app.services import ask_counting as service
from app.services.ask_counting import AskedCounting, find_counting
from app.services.describe_shop import ShopView, describe_shop
from app.services.set_counting import set_counting
from app.web.admin import words
from app.web.admin.answers import ask, done, go, is_fragment
from app.web.admin.guard import blueprint, needs, program_id, visitor
from app.web.admin.members import number_of
from app.web.here import runtime


@blueprint.get("/shops/<shop_key>/counting")
@needs(Role.OWNER)
def ask_counting(shop_key: str) -> ResponseReturnValue:
    """The form; with `preview` in the query, what it would do, or how far working that out is."""
    rt = runtime()
    view = describe_shop(rt, program_id(), shop_key)
    preview_id = number_of("preview")
    if preview_id is None:
        return _form(view, None, view.shop.counts_from, view.shop.counts_test_orders)
    asked = find_counting(rt, program_id(), view.shop.shop_id, preview_id)
    return _form(view, asked, asked.counts_from, asked.counts_test_orders)


@blueprint.get("/shops/<shop_key>/counting/preview/<int:preview_id>")
@needs(Role.OWNER)
def counting_progress(shop_key: str, preview_id: int) -> ResponseReturnValue:
    """The part of the form that says how far it is, and what came out."""
    rt = runtime()
    view = describe_shop(rt, program_id(), shop_key)
    asked = find_counting(rt, program_id(), view.shop.shop_id, preview_id)
    return render_template(
        "admin/counting_cost.html",
        shop=view.shop,
        asked=asked,
        start=asked.counts_from.astimezone(words.zone()).date(),
        tests=asked.counts_test_orders,
    )


@blueprint.post("/shops/<shop_key>/counting/preview")
@needs(Role.OWNER)
def preview_counting(shop_key: str) -> ResponseReturnValue:
    """A job works it out: reading a shop may take minutes."""
    rt = runtime()
    view = describe_shop(rt, program_id(), shop_key)
    tests = request.form.get("tests") == "yes"
    try:
        start = _start(request.form.get("from", ""), view)
    except Refused as refused:
        return _form(view, None, view.shop.counts_from, tests, refused.detail)
    preview_id = service.ask_counting(
        rt, program_id(), view.shop.shop_id, counts_from=start, counts_test_orders=tests
    )
    if is_fragment():  # the dialog that is open shows how far it is
        return _form(view, find_counting(rt, program_id(), view.shop.shop_id, preview_id), start, tests)
    return go(url_for("admin.ask_counting", shop_key=shop_key, preview=preview_id))


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
    view: ShopView, asked: AskedCounting | None, start: datetime, tests: bool, fault: str = ""
) -> ResponseReturnValue:
    return ask(
        "admin/counting.html",
        status=422 if fault else 200,
        view=view,
        shop=view.shop,
        asked=asked,
        start=start.astimezone(words.zone()).date(),
        tests=tests,
        fault=fault,
    )
