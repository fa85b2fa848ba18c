"""Every platform that Laurel knows: one line each."""

from connectors import woocommerce
from connectors.base import Connector

_ALL = [
    woocommerce.CONNECTOR,
]
CONNECTORS: dict[str, Connector] = {connector.name: connector for connector in _ALL}
