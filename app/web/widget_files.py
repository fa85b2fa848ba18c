"""The widget's files as they are served: comments and indentation taken out, and one digest over all of them.

Serve them below a folder named after the digest, for ever (`immutable`), and let the stable address
`/widget/laurel.js` import from there: a module's imports follow its own address, so that one page never mixes
two versions. What the modules do is in `static/widget/`; nothing here changes a statement of theirs.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static" / "widget"
TYPES = {".js": "text/javascript; charset=utf-8", ".json": "application/json; charset=utf-8"}

_ENTRY = """\
const go = () => import("./DIGEST/laurel.js").catch(() => {});
const idle = () => (window.requestIdleCallback ? requestIdleCallback(go, { timeout: 3000 }) : setTimeout(go, 300));
if (document.readyState === "complete") idle();
else addEventListener("load", idle, { once: true });
"""

# Whole lines only: `//` and `/* … */` within a line may be part of a string or an address.
_COMMENT_LINE = re.compile(r"^\s*(//.*|/\*[^\n]*\*/\s*|/\*\*\n(\s*\*[^\n]*\n)*?\s*\*/\s*)$\n?", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+|\n(?=\n)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WidgetFiles:
    """`digest` names the version; `bodies` maps "laurel.js" or "messages/en.json" to what goes out."""

    digest: str
    bodies: dict[str, bytes]

    @property
    def entry(self) -> bytes:
        """What stands at the stable address: a few lines, since a browser fetches a module before a page's pictures."""
        return _ENTRY.replace("DIGEST", self.digest).encode()

    def content_type(self, name: str) -> str:
        return TYPES[Path(name).suffix]


@cache
def read_widget_files(folder: Path = FOLDER) -> WidgetFiles:
    """All files of the widget, read once."""
    paths = sorted([*folder.glob("*.js"), *folder.glob("messages/*.json")])
    bodies = {path.relative_to(folder).as_posix(): _lean(path.read_text(encoding="utf-8")) for path in paths}
    whole = b"\0".join(name.encode() + b"\0" + body for name, body in bodies.items())
    return WidgetFiles(digest=hashlib.sha256(whole).hexdigest()[:16], bodies=bodies)


def _lean(text: str) -> bytes:
    return _INDENT.sub("", _COMMENT_LINE.sub("", text)).encode()
