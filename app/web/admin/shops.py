"""The program's shops, and one of them: its state, its subscriptions, what comparing it found."""

from datetime import datetime

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.profiles import ProfilePart
from app.domain.staff import Role
from app.domain.triggers import Trigger
from app.services.describe_shop import ShopView, describe_shop, platform_title, runs_since
from app.services.list_shops import list_shops
from app.services.overview import overview
from app.services.reconcile_now import reconcile_now
from app.services.request_member_link import page_address
from app.services.show_profiles import show_profiles
from app.web.admin.answers import done, go
from app.web.admin.deliveries import DONE
from app.web.admin.guard import blueprint, needs, program_id
from app.web.admin.staff import ROLE_WORDS
from app.web.here import runtime

TRIGGER_WORDS = {
    Trigger.POINTS_EARNED: "Points earned",
    Trigger.TIER_CHANGED: "Level changed",
    Trigger.REWARD_REDEEMED: "Reward redeemed",
}
KIND_WORDS = {
    "changed": "Orders that changed",
    "digests": "Every order, in short",
    "webhooks": "Subscriptions",
    "codes": "Codes",
    "profiles": "Points and levels at customers",
}


@blueprint.get("/shops")
def shops() -> ResponseReturnValue:
    rt = runtime()
    known = list_shops(rt, program_id())
    return render_template(
        "admin/shops.html",
        shops=known,
        view=overview(rt, program_id()) if known else None,
        platforms={one.shop_id: platform_title(rt, one) for one in known},
        titles=[one.title for one in rt.connectors.values()],
    )


@blueprint.get("/shops/<shop_key>")
def shop(shop_key: str) -> ResponseReturnValue:
    rt = runtime()
    view = describe_shop(rt, program_id(), shop_key)
    since = _moment("since")
    return render_template(
        "admin/shop.html",
        view=view,
        shop=view.shop,
        words=KIND_WORDS,
        kinds=_kinds(view),
        people=ROLE_WORDS,
        triggers=TRIGGER_WORDS,
        page=page_address(rt, view.shop.key),
        since=since,
        runs=runs_since(rt, program_id(), view.shop.shop_id, since),
    )


@blueprint.post("/shops/<shop_key>/profiles")
@needs(Role.OWNER)
def set_profiles(shop_key: str) -> ResponseReturnValue:
    rt = runtime()
    view = describe_shop(rt, program_id(), shop_key)
    parts = frozenset(part for part in ProfilePart if request.form.get(part.value) == "yes")
    show_profiles(rt, program_id(), view.shop.shop_id, parts)
    said = "Saved. What is shown at your customers follows within a few minutes."
    return done(url_for("admin.shop", shop_key=shop_key), said)


@blueprint.post("/shops/<shop_key>/reconcile")
def reconcile(shop_key: str) -> ResponseReturnValue:
    rt = runtime()
    view = describe_shop(rt, program_id(), shop_key)
    since = reconcile_now(rt, program_id(), view.shop.shop_id)
    return go(url_for("admin.shop", shop_key=shop_key, since=since.isoformat()) + "#compared")


@blueprint.get("/shops/<shop_key>/progress")
def reconcile_progress(shop_key: str) -> ResponseReturnValue:
    rt, since = runtime(), _moment("since") or runtime().now()
    view = describe_shop(rt, program_id(), shop_key)
    runs = runs_since(rt, program_id(), view.shop.shop_id, since)
    kinds = _kinds(view)
    ended = all(kind in runs and runs[kind].finished_at is not None for kind in kinds)
    page = render_template("admin/shop_progress.html", shop=view.shop, kinds=kinds, since=since, runs=runs)
    return page, DONE if ended else 200


def _kinds(view: ShopView) -> dict[str, str]:
    return {kind: KIND_WORDS[kind] for kind in view.kinds}


def _moment(name: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return at if at.tzinfo else None
