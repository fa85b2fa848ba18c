"""What differs between two program documents, a line each, for people."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def diff_documents(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Lines such as `rewards.five-off.cost: 100 → 120`, `+ tiers.levels.gold` and `- rewards.mug`."""
    return list(_differences("", old, new))


def _differences(path: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    before, after = _parts(old), _parts(new)
    if before is None or after is None:
        yield f"{path}: {_shown(old)} → {_shown(new)}"
        return
    for name in [*before, *(name for name in after if name not in before)]:
        place = f"{path}.{name}" if path else name
        if name not in after:
            yield f"- {place}: {_shown(before[name])}"
        elif name not in before:
            yield f"+ {place}: {_shown(after[name])}"
        else:
            yield from _differences(place, before[name], after[name])
    if isinstance(old, list) and list(before) != list(after) and sorted(before) == sorted(after):
        yield f"{path}: another order: {', '.join(after)}"


def _parts(value: Any) -> dict[str, Any] | None:
    """A mapping by its names; a list of things with keys by those; anything else has no parts."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list) and all(isinstance(item, Mapping) and "key" in item for item in value):
        return {str(item["key"]): item for item in value}
    return None


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
