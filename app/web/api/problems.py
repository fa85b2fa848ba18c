"""How the description names what an operation may refuse with."""

from typing import Any

from app.web.api.outgoing import ProblemOut

_MEANING = {
    400: "The request cannot be read.",
    401: "No key of the program.",
    404: "This program has no such thing.",
    409: "Understood, and not possible as things stand.",
    422: "Not valid; or the same Idempotency-Key with another request.",
}


def problems(*statuses: int) -> dict[int, Any]:
    """RFC 9457 problem details under each of `statuses`."""
    content = {"application/problem+json": {"schema": ProblemOut}}
    return {status: {"description": _MEANING[status], "content": content} for status in statuses}
