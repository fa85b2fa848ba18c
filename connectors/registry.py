"""Every platform that Laurel knows: one line each."""

from connectors import shopify, woocommerce
from connectors.base import Connector

_ALL = [
    shopify.CONNECTOR,
    woocommerce.CONNECTOR,
]

CONNECTORS: dict[str, Connector] = {connector.name: connector for connector in _ALL}
