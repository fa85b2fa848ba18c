"""Every platform that Laurel knows: one line each."""

from connectors import shopify, woocommerce
from connectors.base import Connector

CONNECTORS: dict[str, Connector] = {
    connector.name: connector for connector in (shopify.CONNECTOR, woocommerce.CONNECTOR)
}
