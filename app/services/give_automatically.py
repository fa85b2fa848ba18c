"""A merchant's automation at the platform gives a customer points."""

import hashlib

from app.domain.errors import Refused
from app.services.adjust import Adjusted, adjust
from app.services.enrol_customer import enrol_customer
from app.services.prove_extension import get_extensions, shop_of_app
from app.services.runtime import Runtime
from connectors.base import BadSignature, WebhookRequest


def give_automatically(rt: Runtime, platform: str, request: WebhookRequest) -> Adjusted:
    """An adjustment with the automation's reason; the same run of it again is the same adjustment.

    A customer becomes a member by it where joining is automatic.

    Raises: Refused with unproven, not_understood, unknown_shop, not_a_member, and what `adjust` refuses.
    """
    try:
        gift = get_extensions(rt, platform).read_gift(request, rt.app_of(platform))
    except BadSignature:
        raise Refused("unproven", "No known secret signs this.") from None
    shop = shop_of_app(rt, platform, gift.shop_ref)
    identity = enrol_customer(rt, shop.program_id, shop.shop_id, gift.customer_ref, asked=False)
    if identity is None or identity.member_id is None:
        raise Refused("not_a_member", "This customer is not a member, so there is nowhere to add points.")
    # By the shop too: the platform says of a run's name only that it is one run's.
    key = hashlib.sha256(f"{shop.shop_id} {gift.run_ref}".encode()).hexdigest()
    return adjust(
        rt,
        shop.program_id,
        identity.member_id,
        gift.points,
        reason=gift.reason,
        actor=gift.by,
        request_key=f"automation {key}",
    )
