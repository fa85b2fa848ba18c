"""What must not be repeated: tokens, keys, codes, addresses. A net for text that others wrote, shops and libraries."""

import re

# None may go back and forth in a long text: each begins at one place only, or is bounded. Whoever sends a megabyte
# of one letter must not get minutes of ours for it.
_REDACTIONS = (
    (re.compile(r"\bshp(?:at|ca|pa|ss|ua|tka|rt)_[A-Za-z0-9_-]{6,}"), "shp…"),
    (re.compile(r"\b(ck|cs)_[0-9A-Za-z]{6,}"), r"\1_…"),
    (re.compile(r"(?i)\b((?:set-)?cookie)(['\"]?\s*[:=]\s*['\"]?)[^\r\n'\"]+"), r"\1\2…"),
    (
        re.compile(
            r"(?i)\b(authorization|x-[a-z-]{1,40}-token)(['\"]?\s*[:=]\s*['\"]?)(?:[a-z]+\s+)?[^\s'\",}]+"
        ),
        r"\1\2…",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 …"),
    (
        re.compile(r"(?i)(password|secret|token|hmac|signature)(['\"]?\s*[:=]\s*['\"]?)[^\s'\",}]+"),
        r"\1\2…",
    ),
    (re.compile(r"(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}://)[^\s/@'\"]+@"), r"\1…@"),
    (re.compile(r"(?<=[A-Za-z0-9/_.-])\?[A-Za-z0-9_.%~\[\]-]+=[^\s'\"]*"), "?…"),
    (re.compile(r"(?<![A-Za-z0-9._%+'-])[A-Za-z0-9._%+'-]{1,200}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"), "…@…"),
    (re.compile(r"\bLRL-[0-9A-Z]{6,}\b"), "LRL-…"),
)


def redacted(line: str) -> str:
    """`line` without tokens, keys, codes, credentials, query strings and e-mail addresses."""
    for pattern, instead in _REDACTIONS:
        line = pattern.sub(instead, line)
    return line


def cleared(text: str, most: int = 200) -> str:
    """The beginning of what a shop said, to be kept and shown: it may repeat what it was sent, our way in included."""
    return redacted(text[: 4 * most])[:most]
