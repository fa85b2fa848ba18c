"""A request as data, the way connectors want it."""

from flask import request

from connectors.base import InstallRequest


def asked() -> InstallRequest:
    """Every value of every name, in order; header names in lower case."""
    return InstallRequest(
        method=request.method,
        url=request.url,
        query=dict(request.args.lists()),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(cache=True),
    )


def bearer() -> str | None:
    """The token of `Authorization: Bearer`; None without that header. An empty one is a token, and a wrong one."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
