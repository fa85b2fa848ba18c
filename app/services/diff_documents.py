"""What differs between two program documents, for people: the admin's table and the command's lines."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One field, such as `rewards.five-off.cost`; what the one says, and what the other. None: not there."""

    field: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        """ "rewards.five-off.cost: 100 → 120", "+ tiers.levels.gold: {…}", "- rewards.mug: {…}"."""
        if self.after is None:
            return f"- {self.field}: {self.before}"
        if self.before is None:
            return f"+ {self.field}: {self.after}"
        return f"{self.field}: {self.before} → {self.after}"


def diff_documents(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Field by field; tiers and rewards are matched by their keys, and their order counts too."""
    return list(_differences("", old, new))


def _differences(path: str, old: Any, new: Any) -> Iterator[Change]:
    if old == new:
        return
    before, after = _parts(old), _parts(new)
    if before is None or after is None:
        yield Change(path, _shown(old), _shown(new))
        return
    for name in [*before, *(name for name in after if name not in before)]:
        place = f"{path}.{name}" if path else name
        if name not in after:
            yield Change(place, _shown(before[name]), None)
        elif name not in before:
            yield Change(place, None, _shown(after[name]))
        else:
            yield from _differences(place, before[name], after[name])
    if isinstance(old, list) and list(before) != list(after) and sorted(before) == sorted(after):
        yield Change(f"{path} in order", ", ".join(before), ", ".join(after))


def _parts(value: Any) -> dict[str, Any] | None:
    """A mapping by its names; a list of things with keys by those; anything else has no parts."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list) and all(isinstance(item, Mapping) and "key" in item for item in value):
        return {str(item["key"]): item for item in value}
    return None


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
