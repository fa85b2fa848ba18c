"""What nobody's request may hold, refused before anything reads it: text that the database cannot keep, broken JSON."""

import json
import re
from collections.abc import Iterable
from typing import Any

from flask import request

from app.domain.errors import Refused
from app.web.asked import asked, header_values

_DEEPEST = 32
_UNCLEAN = re.compile("[\0\ud800-\udfff]")


def refuse_unclean() -> None:
    """Runs before the views of the JSON APIs. Raises: Refused("bad_request")."""
    query = asked().query
    texts = [*map(str, (request.view_args or {}).values()), *header_values(), *query]
    for values in query.values():
        texts += values
    _require_clean(texts)
    if request.method not in ("GET", "HEAD", "DELETE"):
        read_json()


def refuse_unclean_form() -> None:
    """Runs before the views of pages: address, query and form. Raises: Refused("bad_request")."""
    texts = [*map(str, (request.view_args or {}).values())]
    for told in (request.args, request.form):
        for name, values in told.lists():
            texts += [name, *values]
    _require_clean(texts)


def _require_clean(texts: Iterable[str]) -> None:
    if not _is_clean("\n".join(texts)):
        raise Refused("bad_request", "Text may not hold control characters that cannot be stored.")


def read_json() -> dict[str, Any]:
    """The body, a JSON object; an empty body is an empty one. Raises: Refused("bad_request")."""
    body = request.get_data(cache=True)
    if not body.strip():
        return {}
    try:
        value = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _bad() from None
    if not isinstance(value, dict) or not _is_sound(value, _DEEPEST):
        raise _bad()
    return value


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are no JSON


def _is_sound(value: object, deep: int) -> bool:
    if deep == 0:
        return False
    match value:
        case str():
            return _is_clean(value)
        case list():
            return _all_sound(value, deep)
        case dict():
            return all(map(_is_clean, value)) and _all_sound(value.values(), deep)
        case _:
            return True


def _all_sound(values: Iterable[object], deep: int) -> bool:
    return all(_is_sound(one, deep - 1) for one in values)


def _is_clean(text: str) -> bool:
    """No NUL, and nothing that is no text (half a pair of surrogates)."""
    return _UNCLEAN.search(text) is None


def _bad() -> Refused:
    return Refused("bad_request", "The body is not a JSON object that can be read.")
