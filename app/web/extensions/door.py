"""Which platform's page asks, and that any page may read the answer."""

from typing import Any

from flask import Blueprint, Response, g, request

PREFIX = "/extensions/<platform>"


def open_to_any_origin(blueprint: Blueprint) -> None:
    """For blueprints under `PREFIX`: no cookie is read there, so that only who holds a token gets an answer worth it."""
    blueprint.url_value_preprocessor(_take_platform)
    blueprint.after_request(_allow)


def platform() -> str:
    name: str = g.platform
    return name


def asks_about_cors() -> bool:
    """A browser's question before the request itself; it carries no proof."""
    return request.method == "OPTIONS"


def _take_platform(endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.platform = (values or {}).pop("platform", "")


def _allow(response: Response) -> Response:
    headers = response.headers
    headers["Vary"] = "Authorization"
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Access-Control-Expose-Headers"] = "Retry-After"
    if asks_about_cors():
        headers["Access-Control-Allow-Methods"] = "GET, POST"
        headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Idempotency-Key"
        headers["Access-Control-Max-Age"] = "600"
    return response
