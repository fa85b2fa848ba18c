"""Shopify: order webhooks in, discount codes out."""

from app.domain.profiles import ProfilePart
from connectors.base import Connector
from connectors.shopify import codes, install, mapping, webhooks
from connectors.shopify.client import ShopifyShop
from connectors.shopify.payloads import HANDLES

CONNECTOR = Connector(
    name="shopify",
    title="Shopify",
    topics=webhooks.MAY_COME,
    shop_secret="client_secret",  # noqa: S106 - the name of a credential, not one
    app_signed=True,
    compliance_topics=webhooks.COMPLIANCE_TOPICS,
    verify=webhooks.verify,
    normalise=mapping.normalise,
    why_not=codes.why_not,
    balances=frozenset(),
    profiles=frozenset(ProfilePart),
    open_client=ShopifyShop,
    refresh=install.refresh,
    begin_install=install.begin_install,
    finish_install=install.finish_install,
    prove_shopper=install.prove_shopper,
    triggers=frozenset(HANDLES),
    links=install.links,
    frame=install.FRAME,
    extensions=install.EXTENSIONS,
)
