"""GET /widget/…: the shopper's element, as shops' pages load it. The files are read once, at start.

`/widget/laurel.js` leads to the version of now, and a version stays the same for ever: a module's imports follow its
final address, so one page never mixes two versions.
"""

from flask import Flask, Response, abort, redirect
from werkzeug.wrappers import Response as AnyResponse

from app.web.policy import Guarded, Policy
from app.web.widget_files import read_widget_files

_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_NOW = "public, max-age=300"


def register(app: Flask) -> None:
    files = read_widget_files()
    blueprint = Guarded("widget", __name__, policy=Policy.PUBLIC, url_prefix="/widget")

    @blueprint.get("/laurel.js")
    def newest() -> AnyResponse:
        return _led_to(f"/widget/{files.digest}/laurel.js")

    @blueprint.get("/<digest>/<path:name>")
    def one(digest: str, name: str) -> AnyResponse:
        if name not in files.bodies:
            abort(404)
        if digest != files.digest:
            return _led_to(f"/widget/{files.digest}/{name}")  # a page from before the last upgrade
        response = Response(files.bodies[name], content_type=files.content_type(name))
        response.headers["Cache-Control"] = _FOR_EVER
        return _for_any_page(response)

    app.register_blueprint(blueprint)


def _led_to(address: str) -> AnyResponse:
    response = redirect(address, 302)
    response.headers["Cache-Control"] = _FOR_NOW
    return _for_any_page(response)


def _for_any_page(response: AnyResponse) -> AnyResponse:
    """Anybody's page may load it: it holds nothing of anybody's."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
