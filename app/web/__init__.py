"""The web application: a list of what is registered. Views parse, call one service and render."""

from flask import Flask

from app.services.runtime import Runtime
from app.web import admin, api, confirm, errors, headers, health, install, storefront, webhooks, widget
from app.web.here import put_runtime
from app.web.policy import require_policies

LARGEST_BODY = 1024 * 1024


def create_app(rt: Runtime) -> Flask:
    """The application for `rt`. Raises: RuntimeError for a route that declares no policy."""
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY=rt.vault.sign("flask", "session"),
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        SESSION_COOKIE_SECURE=rt.public_url.startswith("https://"),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    # Nothing is ever redirected for its slashes: a platform takes a redirect for delivered, and does not follow it.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    put_runtime(app, rt)
    errors.register(app)
    headers.register(app)

    app.register_blueprint(health.blueprint)
    app.register_blueprint(webhooks.blueprint)
    app.register_blueprint(install.blueprint)
    app.register_blueprint(confirm.blueprint)
    storefront.register(app)
    api.register(app)
    widget.register(app)
    admin.register(app)

    require_policies(app)
    return app
