"""A stand-in Shopify shop, API 2026-10. `Shop` is its state and its people's acts; `create_app(shop)` is the wire."""

from sandbox.refusals import CodeRefused
from sandbox.shopify.app import create_app
from sandbox.shopify.shop import Shop
from sandbox.shopify.state import Installation

__all__ = ["CodeRefused", "Installation", "Shop", "create_app"]
