"""/extensions/<platform>/automation/v1/…: what a merchant's automation at the platform asks us to do, or wants to be
told, signed by it."""

from flask import Response, jsonify, request

from app.services.give_automatically import give_automatically
from app.services.note_trigger_use import note_trigger_use
from app.web.asked import headers
from app.web.extensions.door import PREFIX
from app.web.here import runtime
from app.web.policy import Guarded, Policy
from connectors.base import WebhookRequest

blueprint = Guarded("automation", __name__, policy=Policy.SIGNATURE, url_prefix=f"{PREFIX}/automation/v1")


@blueprint.post("/triggers")
def post_trigger(platform: str) -> Response:
    """Whether automations begin with a trigger of ours now; an older word than the last changes nothing."""
    news = note_trigger_use(runtime(), platform, WebhookRequest(request.get_data(), headers()))
    return jsonify(news=news)


@blueprint.post("/give-points")
def give_points(platform: str) -> Response:
    """200 once it is in the ledger, the first time and each time again; 4xx ends the run, 503 is asked again later."""
    given = give_automatically(runtime(), platform, WebhookRequest(request.get_data(), headers()))
    return jsonify(points=given.points, done_before=not given.is_new)
