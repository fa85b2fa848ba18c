"""Webhooks, one view for all platforms: size, shop, signature, keep. Nothing is parsed here."""

from flask import Response, abort, request

from app.services.receive_delivery import Receipt, receive_delivery
from app.services.require_room import require_room
from app.web.asked import headers
from app.web.here import runtime
from app.web.policy import Guarded, Policy
from connectors.base import WebhookRequest

LARGEST = 1024 * 1024

blueprint = Guarded("webhooks", __name__, policy=Policy.SIGNATURE)

_STATUS = {
    Receipt.KEPT: 200,
    Receipt.SEEN_BEFORE: 200,
    Receipt.NOTHING: 200,
    Receipt.UNKNOWN_SHOP: 404,
    Receipt.BAD_SIGNATURE: 401,
}


@blueprint.post("/webhooks/<platform>", provide_automatic_options=False)
@blueprint.post("/webhooks/<platform>/<shop_key>", provide_automatic_options=False)
def receive(platform: str, shop_key: str | None = None) -> Response:
    """200 once it is kept and committed. A platform must never be redirected: it would take that for delivered."""
    if (request.content_length or 0) > LARGEST:
        abort(413)
    rt = runtime()
    require_room(rt)
    # A body without a length is cut off at the limit, not refused (werkzeug's LimitedStream.readall): read one more.
    request.max_content_length = LARGEST + 1
    body = request.get_data(cache=False, parse_form_data=False)
    if len(body) > LARGEST:
        abort(413)
    received = WebhookRequest(body, headers())
    status = _STATUS[receive_delivery(rt, platform, shop_key, received)]
    if status != 200:
        abort(status)
    return Response(status=200, mimetype="text/plain")
