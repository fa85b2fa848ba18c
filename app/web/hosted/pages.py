"""The page, and what makes it an app: manifest and service worker. The same for everybody who asks in one language."""

from datetime import datetime

from flask import Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.domain.money import Money
from app.domain.program import Program
from app.domain.tier_rules import Measure, Tier
from app.services.list_rewards import list_rewards
from app.web.here import runtime
from app.web.hosted.files import BODIES, page_file
from app.web.hosted.guard import blueprint, front, home, look_file, say, shop
from app.web.languages import language
from app.web.widget_files import read_widget_files

_WIDGET = read_widget_files()
_PNGS = (
    ("icon-192.png", "192x192", "any"),
    ("icon-512.png", "512x512", "any"),
    ("maskable-512.png", "512x512", "maskable"),
)
_SHORT = 12  # what home screens show of a name


@blueprint.get("/")
def page() -> ResponseReturnValue:
    if not request.path.endswith("/"):  # a worker and a cookie for /my/tea would be /my/tea-house's as well
        query = request.query_string.decode("ascii", "replace")
        return redirect(f"{home()}{query and '?'}{query}", 308)
    rt, at, program = runtime(), shop(), front().program
    rewards = list_rewards(rt, at.program_id, shop_id=at.shop_id, language=language())
    return render_template(
        "hosted/page.html",
        rewards=[one for one in rewards if one.barrier in (None, "tier_too_low")],
        ways=_ways(program, rt.now()),
        tiers=[(tier, _from(tier, program)) for tier in program.tiers],
        widget=f"/widget/{_WIDGET.digest}/laurel.js",
        theme_colour=program.look.accents.fill.light,
    )


def _ways(program: Program, now: datetime) -> list[tuple[str, int]]:
    """What else earns now, as the merchant calls it, and how much."""
    local = now.astimezone(program.zone).replace(tzinfo=None)
    ways = [(one.name, one.points) for one in program.activities if one.during.covers(local)]
    if program.referral is not None:
        ways.append((say("activity.friend_ordered"), program.referral.referrer_points))
    return ways


def _from(tier: Tier, program: Program) -> Money | None:
    minor = tier.thresholds.get(Measure.SPEND)
    return Money(minor, program.currency) if minor else None


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    language_of = front().words.language
    response = jsonify(
        id=home(),
        name=front().program.name,
        short_name=front().shop_name[:_SHORT].strip(),
        start_url=home(),
        scope=home(),
        display="standalone",
        lang=language_of.code,
        dir="rtl" if language_of.right_to_left else "ltr",
        theme_color=front().program.look.accents.fill.light,
        background_color="#ffffff",
        icons=[
            {"src": look_file(name), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for name, sizes, purpose in _PNGS
        ],
        shortcuts=[{"name": say("page.card"), "url": f"{home()}#card"}],
    )
    response.mimetype = "application/manifest+json"
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/worker.js")
def worker() -> Response:
    """Keeps the page and its files, never an answer of the API. Its address is its scope: this shop's page."""
    tongue = front().words.language.code
    kept = [page_file(name) for name in BODIES] + [look_file(name) for name in ("look.css", "icon.svg")]
    kept += [
        f"/widget/{_WIDGET.digest}/{name}"
        for name in _WIDGET.bodies
        if name.endswith(".js") or name == f"messages/{tongue}.json"
    ]
    script = render_template(
        "hosted/worker.js",
        home=home(),
        language=tongue,
        version=f"{look_file('look.css')} {_WIDGET.digest} {tongue}",
        kept=kept,
    )
    response = Response(script, content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/<path:anything>")
def nowhere(anything: str) -> ResponseReturnValue:
    """An address of this shop that is none: said in the reader's language, as every other refusal here."""
    raise NotFound
