"""The shop on the wire: Admin API, OAuth, app proxy and shop pages in one Flask app."""

from flask import Flask

from sandbox.shopify import admin, oauth, page
from sandbox.shopify.shop import Shop


def create_app(shop: Shop) -> Flask:
    """A WSGI app that answers for `shop`."""
    app = Flask("sandbox.shopify", static_folder=None)
    app.secret_key = shop.app.secrets[0]  # of the shop pages' own session
    for part in (admin, oauth, page):
        app.register_blueprint(part.make(shop))
    return app
