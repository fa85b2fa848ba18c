"""Logs: `time level name key=value`, on stderr. Ids, never bodies; and behind that a net for what slips through."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from app.domain.redacting import redacted


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
