"""JSON for the shop's own pages, as docs/storefront-api.md says: the shopper's points, rewards and codes."""

from flask import Flask

from app.web.storefront import limits, views


def register(app: Flask) -> None:
    app.register_blueprint(views.blueprint)
    limits.register(app)
