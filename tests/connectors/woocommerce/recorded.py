"""Recorded deliveries and answers, and fixtures: a recorded body with the edits that its file lists."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

from connectors.base import WebhookRequest

_HERE = Path(__file__).parent
RECORDINGS = sorted(path.name for path in (_HERE / "recordings").glob("*.json"))
FIXTURES = sorted(path.stem for path in (_HERE / "fixtures").glob("*.json"))
SECRET = "laurel-recording"


def delivery(name: str) -> WebhookRequest:
    """A delivery as it came over the wire."""
    recording = _load("recordings", name)
    headers = {header.lower(): value for header, value in recording["headers"]}
    return WebhookRequest(b64decode(recording["body_b64"]), headers)


def body_of(name: str, edits: dict[str, Any] | None = None) -> bytes:
    """A recorded body with `edits`: "line_items.0.total" -> the value there. Only what is there can be edited."""
    return _edited(json.loads(_load("recordings", name)["body_text"]), edits or {})


def answer(name: str, edits: dict[str, Any] | None = None) -> bytes:
    """A recorded answer's body with `edits`."""
    return _edited(json.loads(_load("answers", f"{name}.json")["body_text"]), edits or {})


def fixture(stem: str) -> tuple[bytes, bytes]:
    """The body, and what GET orders/<id>/refunds answers for that order."""
    told = _load("fixtures", f"{stem}.json")
    look = told.get("second_look")
    refunds = answer(look["answer"], look["edits"]) if look else b"[]"
    return body_of(told["recording"], told["edits"]), refunds


def _load(folder: str, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((_HERE / folder / name).read_text(encoding="utf-8"))
    return loaded


def _edited(body: Any, edits: dict[str, Any]) -> bytes:
    for path, value in edits.items():
        *way, last = (int(step) if step.isdecimal() else step for step in path.split("."))
        there = body
        for step in way:
            there = there[step]
        there[last]  # a field that is not there is an edit's mistake
        there[last] = value
    return json.dumps(body, ensure_ascii=False).encode()
