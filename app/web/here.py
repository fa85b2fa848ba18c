"""What a view needs to know about where it runs."""

from flask import Flask, current_app, request

from app.services.runtime import Runtime

_NAME = "laurel"
_FOR_PROGRAMS = ("/api/", "/storefront/", "/extensions/", "/webhooks/", "/healthz", "/readyz", "/metrics")


def put_runtime(app: Flask, rt: Runtime) -> None:
    app.extensions[_NAME] = rt


def runtime() -> Runtime:
    """The runtime of the application that serves this request."""
    found: Runtime = current_app.extensions[_NAME]
    return found


def wants_json() -> bool:
    """Whether a program asks, not a person with a browser."""
    if request.path.startswith(_FOR_PROGRAMS):
        return True
    return not request.accept_mimetypes.accept_html
