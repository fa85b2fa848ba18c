"""Who stands at a shop's till: somebody of the shop's staff, as its platform says, with the role that we gave them."""

from dataclasses import dataclass

from app.db.directory import Kind
from app.domain.errors import Refused
from app.services.check_frame import let_in
from app.services.find_visitor import Visitor
from app.services.prove_extension import get_extensions
from app.services.runtime import Runtime
from app.services.shop_access import shop_access
from app.services.shop_memory import KnownShop
from connectors.base import BadSignature, InstallRequest


@dataclass(frozen=True, slots=True)
class AtTill:
    visitor: Visitor
    shop: KnownShop


def check_till(rt: Runtime, platform: str, request: InstallRequest) -> AtTill:
    """Asked with every request: there is no session. The same people as in the shop's own admin.

    Nobody comes to own a program here: whoever installed us opened the admin, and a till may be anybody's.

    Raises: Refused with unproven, token_expired, shop_not_connected, not_allowed, not_found.
    """
    try:
        proof = get_extensions(rt, platform).prove_staff(request, rt.app_of(platform), rt.now())
    except BadSignature:
        raise Refused("unproven", "The till’s sign-in is not valid. Sign in to it again.") from None
    visitor, row = let_in(rt, platform, proof, may_found=False)
    shop = shop_access(rt, Kind.SHOP, row.key)
    if shop is None:
        raise Refused("shop_not_connected", "This shop is not connected.")
    return AtTill(visitor, shop)
