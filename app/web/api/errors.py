"""Input that a schema refuses becomes problem details like every other error, with all fields that are wrong at once."""

from collections.abc import Iterator, Mapping
from typing import Any

from apiflask import HTTPError
from flask import Flask, Response

from app.web.errors import answer, new_error_id


def register(app: Flask) -> None:
    # What the views' decorators look up in whatever application runs them.
    app.config["VALIDATION_ERROR_STATUS_CODE"] = 422
    app.config["VALIDATION_ERROR_DESCRIPTION"] = "Validation error"
    app.config["BASE_RESPONSE_SCHEMA"] = None
    app.register_error_handler(HTTPError, _invalid)


def _invalid(error: HTTPError) -> Response:
    wrong = "; ".join(f"{field}: {said}" for field, said in _faults(error.detail))
    return answer(error.status_code, "invalid", wrong or "The request is not valid.", error_id=new_error_id())


def _faults(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(field, what is wrong) of marshmallow's nested messages."""
    match detail:
        case Mapping():
            for name, inside in detail.items():
                where = str(name) if path in ("", "json", "query", "headers") else f"{path}.{name}"
                yield from _faults(inside, where)
        case list():
            yield path, " ".join(str(one) for one in detail)
        case _:
            yield path, str(detail)
