"""GET /widget/…: the shopper's element, as shops' pages load it. The files are read once, at start.

`/widget/laurel.js` waits until the page has loaded and has nothing better to do, and imports the version of now, which
stays the same for ever: a module's imports follow its own address, so one page never mixes two versions. All addresses
are relative, since the same files are served below a shop's own address too, through its platform's proxy: there a page
needs no other origin in its policy.
"""

from flask import Flask, Response, abort, redirect
from werkzeug.wrappers import Response as AnyResponse

from app.web.policy import Guarded, Policy
from app.web.storefront.views import PREFIX
from app.web.widget_files import WidgetFiles, read_widget_files

_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_NOW = "public, max-age=300"


def register(app: Flask) -> None:
    files = read_widget_files()
    app.register_blueprint(_serving(files, "widget", "/widget"))
    app.register_blueprint(_serving(files, "widget_by_proxy", f"{PREFIX}/widget"))


def _serving(files: WidgetFiles, name: str, url_prefix: str) -> Guarded:
    blueprint = Guarded(name, __name__, policy=Policy.PUBLIC, url_prefix=url_prefix)

    @blueprint.get("/laurel.js")
    def newest() -> AnyResponse:
        # Not a redirect: what a platform's proxy makes of one is its own affair.
        response = Response(files.entry, content_type=files.content_type("laurel.js"))
        return _for_any_page(response, _FOR_NOW)

    @blueprint.get("/<digest>/<path:name>")
    def one(digest: str, name: str) -> AnyResponse:
        if name not in files.bodies:
            abort(404)
        if digest != files.digest:
            up = "../" * (1 + name.count("/"))
            return _for_any_page(
                redirect(f"{up}{files.digest}/{name}", 302), _FOR_NOW
            )  # from before an upgrade
        response = Response(files.bodies[name], content_type=files.content_type(name))
        return _for_any_page(response, _FOR_EVER)

    return blueprint


def _for_any_page(response: AnyResponse, kept: str) -> AnyResponse:
    """Anybody's page may load it: it holds nothing of anybody's."""
    response.headers["Cache-Control"] = kept
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
