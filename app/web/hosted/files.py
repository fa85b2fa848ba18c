"""The page's own style sheet and scripts. One digest over all of them is in their address, for ever.

What follows from a merchant's look, colours and icons, has the look itself in its address: nothing is read for it, and a
changed look is another address.
"""

import hashlib
import re
from pathlib import Path

from flask import Response, abort

from app.domain.look import LAURELS_OWN, Look, Pair
from app.web.hosted.icons import icon_png, icon_svg
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
    }


BODIES = _read()
DIGEST = hashlib.sha256(b"\0".join(BODIES[name] for name in sorted(BODIES))).hexdigest()[:12]
_LOOK = re.compile(r"([0-9a-f]{6})-([0-9]|1[0-9]|2[0-4])", re.ASCII)
LOOKS = ("look.css", "icon.svg", *ICONS)

blueprint = Guarded("hosted_files", __name__, policy=Policy.PUBLIC, url_prefix="/page")


@blueprint.get("/<digest>/<name>")
def file(digest: str, name: str) -> Response:
    """One of them; under an old digest too, so that a page from before an update still looks right: its icons were
    Laurel's own."""
    if name not in BODIES and name not in LOOKS:
        abort(404)
    return _answer(digest, name, BODIES[name] if name in BODIES else _drawn(name, LAURELS_OWN))


@blueprint.get("/<digest>/<look>/<name>")
def look_file(digest: str, look: str, name: str) -> Response:
    told = _LOOK.fullmatch(look)
    if told is None or name not in LOOKS:
        abort(404)
    return _answer(digest, name, _drawn(name, Look(accent=f"#{told[1]}", radius=int(told[2]))))


def _drawn(name: str, look: Look) -> bytes:
    ground, ink = look.accents.fill.light, look.accents.on_fill.light
    if name in ICONS:
        return icon_png(*ICONS[name], ground, ink)
    return icon_svg(ground, ink) if name == "icon.svg" else _style(look)


def _style(look: Look) -> bytes:
    """The tokens that are the merchant's; all others follow from them."""
    accents = look.accents
    pairs = (("accent", accents.fill), ("on-accent", accents.on_fill), ("accent-text", accents.text))
    tokens = "".join(f"--{name}:{_both(pair)};" for name, pair in pairs)
    return f":root{{{tokens}--radius:{look.radius}px}}\n".encode()


def _both(pair: Pair) -> str:
    return f"light-dark({pair.light},{pair.dark})"


def _answer(digest: str, name: str, body: bytes) -> Response:
    response = Response(body, content_type=_TYPES[Path(name).suffix])
    fresh = digest == DIGEST
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if fresh else "no-cache"
    return response


def page_file(name: str) -> str:
    return f"/page/{DIGEST}/{name}"


def look_file_of(look: Look, name: str) -> str:
    return f"/page/{DIGEST}/{look.accent[1:]}-{look.radius}/{name}"
