"""/api/v1 for merchants' own systems. One source for documentation, validation and tests: the views' own schemas."""

from flask import Flask

from app.web.api import (
    activities,
    description,
    errors,
    given_tiers,
    members,
    merges,
    orders,
    redemptions,
    reviews,
)
from app.web.api.blueprint import blueprint

# Imported for the views that they hang on the blueprint.
_VIEWS = (members, given_tiers, merges, redemptions, orders, activities, reviews)


def register(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.register_blueprint(description.blueprint)
    errors.register(app)


__all__ = ["blueprint", "register"]
