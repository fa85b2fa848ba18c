"""The page's own style sheet and scripts. One digest over all of them is in their address, for ever."""

import hashlib
import re
from pathlib import Path

from flask import Response, abort

from app.web.hosted.icons import icon_png
from app.web.policy import Guarded, Policy

_STATIC = Path(__file__).parent.parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_SPACE = re.compile(r"\s*\n\s*")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
ICONS = {
    "icon-180.png": (180, 18),
    "icon-192.png": (192, 0),
    "icon-512.png": (512, 0),
    "maskable-512.png": (512, 90),
}
"""Name -> (pixels a side, pixels that platforms may cut off at each side)."""


def _read() -> dict[str, bytes]:
    css = (_STATIC / "admin" / "tokens.css").read_text() + (_STATIC / "page" / "page.css").read_text()
    return {
        "page.css": _SPACE.sub("\n", _COMMENT.sub("", css)).strip().encode(),
        "page.js": (_STATIC / "page" / "page.js").read_bytes(),
        "icon.svg": (_STATIC / "page" / "icon.svg").read_bytes(),
    }


BODIES = _read()
DIGEST = hashlib.sha256(b"\0".join(BODIES[name] for name in sorted(BODIES))).hexdigest()[:12]

blueprint = Guarded("hosted_files", __name__, policy=Policy.PUBLIC, url_prefix="/page")


@blueprint.get("/<digest>/<name>")
def file(digest: str, name: str) -> Response:
    """One of them; under an old digest too, so that a page from before an update still looks right."""
    if name in ICONS:
        body = icon_png(*ICONS[name])
    elif name in BODIES:
        body = BODIES[name]
    else:
        abort(404)
    response = Response(body, content_type=_TYPES[Path(name).suffix])
    fresh = digest == DIGEST
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if fresh else "no-cache"
    return response


def page_file(name: str) -> str:
    return f"/page/{DIGEST}/{name}"
