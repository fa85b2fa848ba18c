"""Connections: one page of rows with cursors. And Shopify's search syntax, as far as Laurel uses it."""

import base64
import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from graphql import GraphQLError

T = TypeVar("T")
Key = tuple[Any, int]


def connection(
    rows: Sequence[Any], arguments: dict[str, Any], key: Callable[[Any], Key] | None = None
) -> dict[str, Any]:
    """A page of `rows`, which come sorted. A cursor names the last row's `key`, so rows that change place in
    between are seen twice or not at all, as at Shopify."""
    first, last, after = arguments.get("first"), arguments.get("last"), arguments.get("after")
    if _whole.get():
        return {"nodes": rows, "edges": [{"node": row} for row in rows]}
    if first is None and last is None:
        raise GraphQLError("you must provide one of first or last")
    if max(first or 0, last or 0) > 250:
        raise GraphQLError("The first argument is limited to 250.")
    place = key or (lambda row: (0, rows.index(row)))
    reverse = bool(arguments.get("reverse"))
    ordered = list(reversed(rows)) if reverse else list(rows)
    if after is not None:
        at = _decode(after)
        ordered = [
            row for row in ordered if (_plain(place(row)) < at if reverse else _plain(place(row)) > at)
        ]
    page = ordered[:first] if first is not None else ordered[-(last or 0) :]
    cursors = [_encode(_plain(place(row))) for row in page]
    more = len(ordered) > len(page)
    return {
        "nodes": page,
        "edges": [{"node": row, "cursor": cursor} for row, cursor in zip(page, cursors, strict=True)],
        "pageInfo": {
            "hasNextPage": more and first is not None,
            "hasPreviousPage": after is not None or (more and first is None),
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


_whole: ContextVar[bool] = ContextVar("whole", default=False)


@contextmanager
def whole() -> Iterator[None]:
    """Within it connections have no pages, as in what the shop carries out by itself."""
    before = _whole.set(True)
    try:
        yield
    finally:
        _whole.reset(before)


@dataclass(frozen=True, slots=True)
class Term:
    name: str  # "" for a bare word
    sign: str  # ":", ">", ">=", "<", "<="
    value: str


def terms_of(query: str | None) -> list[Term]:
    """`updated_at:>='…' AND status:any` as terms that must all hold. OR and brackets are not understood here.

    Raises: GraphQLError for those.
    """
    found = []
    for word in shlex.split(query or ""):
        if word == "AND":
            continue
        if word == "OR" or word.startswith(("(", "-", "NOT")):
            raise GraphQLError(f"The stand-in does not understand “{word}” in a search.")
        name, colon, value = word.partition(":")
        if not colon:
            found.append(Term("", ":", word))
            continue
        sign = next((s for s in (">=", "<=", ">", "<") if value.startswith(s)), "")
        found.append(Term(name, sign or ":", value.removeprefix(sign)))
    return found


def holds(term: Term, value: datetime | str | Sequence[str]) -> bool:
    """Whether a field with `value` meets the term."""
    if isinstance(value, datetime):
        other = datetime.fromisoformat(term.value)
        other = other if other.tzinfo else other.replace(tzinfo=UTC)
        return {
            ":": value == other,
            ">": value > other,
            ">=": value >= other,
            "<": value < other,
            "<=": value <= other,
        }[term.sign]
    wanted = term.value.casefold()
    values = [value] if isinstance(value, str) else value
    if wanted.endswith("*"):
        return any(one.casefold().startswith(wanted[:-1]) for one in values)
    return any(one.casefold() == wanted for one in values)


def _plain(key: Key) -> list[Any]:
    first, second = key
    return [first.isoformat() if isinstance(first, datetime) else first, second]


def _encode(key: list[Any]) -> str:
    return base64.b64encode(json.dumps(key).encode()).decode()


def _decode(cursor: str) -> list[Any]:
    try:
        decoded: list[Any] = json.loads(base64.b64decode(cursor))
    except ValueError:
        raise GraphQLError("Invalid cursor for current pagination sort.") from None
    return decoded
