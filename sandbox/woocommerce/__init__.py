"""A stand-in WooCommerce 10.9. `Shop` is its state and its people's acts; `create_app(shop)` is what the wire sees."""

from sandbox.refusals import CodeRefused
from sandbox.woocommerce.app import create_app
from sandbox.woocommerce.shop import Shop

__all__ = ["CodeRefused", "Shop", "create_app"]
