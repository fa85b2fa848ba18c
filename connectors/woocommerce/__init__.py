"""WooCommerce: the table of contents."""

from connectors.base import Connector
from connectors.woocommerce import client, codes, install, mapping, webhooks

CONNECTOR = Connector(
    name="woocommerce",
    title="WooCommerce",
    topics=webhooks.TOPICS,
    shop_secret="webhook_secret",  # noqa: S106 - the name of a credential, not one
    app_signed=False,
    compliance_topics=frozenset(),
    verify=webhooks.verify,
    normalise=mapping.normalise,
    why_not=codes.why_not,
    balances=codes.BALANCES,
    profiles=frozenset(),
    open_client=client.open_client,
    refresh=lambda access, app, http, now: None,
    begin_install=install.begin_install,
    finish_install=install.finish_install,
    prove_shopper=None,
)
