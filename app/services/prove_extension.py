"""Who a shopper's request from inside the platform's own pages is from: the platform's token says so, shop and all."""

from app.db.directory import Kind
from app.domain.errors import Refused
from app.services.begin_install import get_connector
from app.services.prove_shopper import Shopper
from app.services.runtime import Runtime
from app.services.shop_access import shop_access
from app.services.shop_memory import KnownShop
from connectors.base import BadSignature, Extensions, InstallRequest


def prove_extension(rt: Runtime, platform: str, request: InstallRequest) -> Shopper:
    """The shop of the token, and its customer if one is signed in there.

    Only the installation's own app is asked for: a merchant's own app has secrets of its own, and no extensions of ours.

    Raises: Refused with unknown_shop (an uninstalled one too), unproven, token_expired, not_found.
    """
    try:
        proof = get_extensions(rt, platform).prove_shopper(request, rt.app_of(platform), rt.now())
    except BadSignature:
        raise Refused("unproven", "Sign in to the shop again, or reload this page.") from None
    return Shopper(shop=shop_of_app(rt, platform, proof.shop_ref), customer_ref=proof.customer_ref)


def shop_of_app(rt: Runtime, platform: str, shop_ref: str) -> KnownShop:
    """A shop that the installation's own app is in. Raises: Refused("unknown_shop")."""
    shop = shop_access(rt, Kind.SHOP_REF, f"{platform} {shop_ref}")
    if shop is None or shop.own_app or shop.state == "uninstalled":
        raise Refused("unknown_shop", "There is no such shop here.")
    return shop


def get_extensions(rt: Runtime, platform: str) -> Extensions:
    """Raises: Refused("not_found") for a platform that takes no pieces of ours in."""
    connector = get_connector(rt, platform)
    if connector.extensions is None or not rt.app_of(platform).secrets:
        raise Refused("not_found", "There is nothing here.")
    return connector.extensions
