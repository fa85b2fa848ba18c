"""A shop says that a merchant's automation begins with one of our triggers, or that none does any more."""

from app.db import happenings
from app.domain.errors import Refused
from app.services.prove_extension import get_extensions, shop_of_app
from app.services.runtime import Runtime
from connectors.base import BadSignature, WebhookRequest


def note_trigger_use(rt: Runtime, platform: str, request: WebhookRequest) -> bool:
    """Returns whether it is news: said again, or late after a newer word, it changes nothing.

    Raises: Refused with unproven, not_understood, unknown_shop (one that left too), not_found.
    """
    try:
        use = get_extensions(rt, platform).read_trigger_use(request, rt.app_of(platform))
    except BadSignature:
        raise Refused("unproven", "No known secret signs this.") from None
    shop = shop_of_app(rt, platform, use.shop_ref)
    with rt.db.begin(shop.program_id) as session:
        # No later than now by our clock: a shop's clock that is ahead must not shut out what it says next.
        return happenings.set_in_use(
            session, shop.shop_id, use.trigger, in_use=use.in_use, said_at=min(use.said_at, rt.now())
        )
