"""The admin's own files: style sheet, scripts, icons. One digest over all of them is in their address, for ever."""

import hashlib
import re
from pathlib import Path

from flask import Flask, Response, abort
from markupsafe import Markup

from app.web.policy import Guarded, Policy

FOLDER = Path(__file__).parent.parent / "static" / "admin"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_YEAR = 365 * 24 * 3600
_SPACE = re.compile(r"\s*\n\s*")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def _read() -> dict[str, bytes]:
    files = {
        name: (FOLDER / name).read_bytes()
        for name in ("admin.js", "card.js", "frame.js", "htmx.min.js", "icons.svg", "logo.svg", "look.js")
    }
    css = (FOLDER / "tokens.css").read_text() + (FOLDER / "admin.css").read_text()
    files["admin.css"] = _SPACE.sub("\n", _COMMENT.sub("", css)).strip().encode()
    return files


BODIES = _read()
DIGEST = hashlib.sha256(b"\0".join(BODIES[name] for name in sorted(BODIES))).hexdigest()[:12]

blueprint = Guarded("admin_files", __name__, policy=Policy.PUBLIC)


@blueprint.get("/admin/files/<digest>/<name>")
def file(digest: str, name: str) -> Response:
    """One of them; under an old digest too, so that a page from before an update still looks right."""
    if name not in BODIES:
        abort(404)
    response = Response(BODIES[name], content_type=f"{_TYPES[Path(name).suffix]}; charset=utf-8")
    fresh = digest == DIGEST
    response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable" if fresh else "no-cache"
    return response


def asset(name: str) -> str:
    return f"/admin/files/{DIGEST}/{name}"


def icon(name: str, classes: str = "") -> Markup:
    """An icon of the sheet. It says nothing by itself: a word stands beside it."""
    return Markup('<svg class="i {}" aria-hidden="true"><use href="{}#{}"/></svg>').format(
        classes, asset("icons.svg"), name
    )


def register(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(asset=asset, icon=icon)
