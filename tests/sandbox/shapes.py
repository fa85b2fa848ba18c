"""Is a body of the same shape as a recorded one: the same keys at every level, the same JSON types?"""

from typing import Any


def differences(mine: Any, theirs: Any, path: str = "$") -> list[str]:
    """Every place where `mine` is shaped otherwise. Null on either side says nothing; of lists the first rows speak."""
    if mine is None or theirs is None:
        return []
    if _kind(mine) != _kind(theirs):
        return [f"{path}: {_kind(mine)} here, {_kind(theirs)} recorded"]
    if isinstance(mine, dict):
        found = [f"{path}.{key}: not recorded" for key in mine.keys() - theirs.keys()]
        found += [f"{path}.{key}: missing" for key in theirs.keys() - mine.keys()]
        for key in mine.keys() & theirs.keys():
            found += differences(mine[key], theirs[key], f"{path}.{key}")
        return found
    if isinstance(mine, list) and mine and theirs:
        return differences(mine[0], theirs[0], f"{path}[0]")
    return []


def _kind(value: Any) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__
