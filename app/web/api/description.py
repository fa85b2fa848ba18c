"""The API described, from its own views: /api/v1/openapi.json, and the schema of program documents."""

from functools import cache
from typing import Any

from apiflask import APIFlask
from flask import Response, jsonify

from app.services.check_document import schema
from app.web.api.blueprint import PREFIX
from app.web.api.blueprint import blueprint as api
from app.web.policy import Guarded, Policy

blueprint = Guarded("api_description", __name__, policy=Policy.PUBLIC, url_prefix=PREFIX)

_ABOUT = """Points, members and rewards of one program, for the merchant's own systems.

Every error is problem details (RFC 9457). Money is whole minor units and a currency, times are UTC, points are whole."""


@blueprint.get("/openapi.json")
def openapi() -> Response:
    return jsonify(describe())


@blueprint.get("/program.schema.json")
def program_schema() -> Response:
    response = jsonify(schema())
    response.mimetype = "application/schema+json"
    return response


@cache
def describe() -> dict[str, Any]:
    """The OpenAPI document. Made by an application that holds the API alone; nobody ever asks it anything else."""
    app = APIFlask("laurel", title="Laurel", version="1", spec_path=None, docs_path=None)
    app.config.update(
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_OPERATION_DESCRIPTION=False,
        AUTO_SERVERS=False,
        SECURITY_SCHEMES={
            "key": {"type": "http", "scheme": "bearer", "description": "laurel api-key create"}
        },
    )
    app.description = _ABOUT
    app.register_blueprint(api)
    found = app.spec
    assert isinstance(found, dict)
    found["security"] = [{"key": []}]
    for path in found["paths"].values():
        for operation in path.values():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
    return found
