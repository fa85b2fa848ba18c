"""Logs: `time level name key=value`, on stderr. Ids, never bodies; and behind that a net for what slips through."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# What no line may hold, whoever wrote it: ours, a library's, a traceback's.
_REDACTIONS = (
    (re.compile(r"\bshp(?:at|ca|pa|ss|ua|tka|rt)_[A-Za-z0-9_-]{6,}"), "shp…"),
    (re.compile(r"\b(ck|cs)_[0-9A-Za-z]{6,}"), r"\1_…"),
    (re.compile(r"(?i)\b((?:set-)?cookie)(['\"]?\s*[:=]\s*['\"]?)[^\r\n'\"]+"), r"\1\2…"),
    (
        re.compile(r"(?i)\b(authorization|x-[a-z-]+-token)(['\"]?\s*[:=]\s*['\"]?)(?:[a-z]+\s+)?[^\s'\",}]+"),
        r"\1\2…",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 …"),
    (
        re.compile(r"(?i)(password|secret|token|hmac|signature)(['\"]?\s*[:=]\s*['\"]?)[^\s'\",}]+"),
        r"\1\2…",
    ),
    (re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s/@'\"]+@"), r"\1…@"),
    (re.compile(r"(?<=[A-Za-z0-9/_.-])\?[A-Za-z0-9_.%~\[\]-]+=[^\s'\"]*"), "?…"),
    (re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"), "…@…"),
    (re.compile(r"\bLRL-[0-9A-Z]{6,}\b"), "LRL-…"),
)


def redacted(line: str) -> str:
    """`line` without tokens, keys, codes, credentials, query strings and e-mail addresses."""
    for pattern, instead in _REDACTIONS:
        line = pattern.sub(instead, line)
    return line


def configure(*, level: int = logging.INFO) -> None:
    """Send our own log lines and the libraries' through one formatter, which redacts the finished line."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _line],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # The job queue tells every step of every job; what went wrong is told by us.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    trace = event.pop("exception", None)
    head = [str(event.pop(name, "-")) for name in ("timestamp", "level", "event")]
    rest = [f"{name}={_value(value)}" for name, value in event.items() if not name.startswith("_")]
    line = " ".join([*head, *rest])
    return redacted(line if trace is None else f"{line}\n{trace}")


def _value(value: object) -> str:
    shown = str(value)
    return repr(shown) if not shown or re.search(r"[\s\"=]", shown) else shown
