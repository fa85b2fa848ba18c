"""The web application: a list of what is registered. Views parse, call one service and render."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import NullSession, SecureCookieSession

from app.services.runtime import Runtime
from app.web import (
    admin,
    api,
    confirm,
    errors,
    extensions,
    frames,
    headers,
    health,
    hosted,
    install,
    limits,
    storefront,
    webhooks,
    widget,
)
from app.web.here import put_runtime
from app.web.policy import require_policies

LARGEST_BODY = 1024 * 1024


def create_app(rt: Runtime) -> Flask:
    """The application for `rt`. Raises: RuntimeError for a route that declares no policy."""
    app = Application(__name__, static_folder=None)
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
    app.session_interface = OnlyForPages()
    put_runtime(app, rt)
    errors.register(app)
    frames.register(app, rt)
    headers.register(app, rt.public_url)
    limits.register(app)

    app.register_blueprint(health.blueprint)
    app.register_blueprint(webhooks.blueprint)
    app.register_blueprint(install.blueprint)
    app.register_blueprint(confirm.blueprint)
    app.register_blueprint(storefront.blueprint)
    extensions.register(app)
    api.register(app)
    widget.register(app)
    hosted.register(app)
    admin.register(app)

    require_policies(app)
    return app


class Application(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is: no view of ours is a coroutine, and looking whether it is one takes longer than some of them."""
        return func


class OnlyForPages(frames.Sessions):
    """For the pages of staff: whoever brings a signature, a token or a cookie of its own needs no session."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if request.path.startswith(("/webhooks/", "/storefront/", "/extensions/", "/api/", "/my/")):
            return _NO_SESSION
        return super().open_session(app, request)


_NO_SESSION = NullSession()  # nothing can be written into it, and nothing of it is saved
