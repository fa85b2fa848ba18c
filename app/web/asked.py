"""A request as data, the way connectors want it."""

from urllib.parse import quote

from flask import g, request

from app.web.here import runtime
from connectors.base import InstallRequest


def asked() -> InstallRequest:
    """The request, made once: every value of every name, in order; its address as the world knows it."""
    found: InstallRequest | None = g.get("asked")
    if found is None:
        query = request.query_string.decode("ascii", "replace")
        g.asked = found = InstallRequest(
            method=request.method,
            url=f"{runtime().public_url}{quote(request.path)}{query and '?'}{query}",
            query=dict(request.args.lists()),
            headers=headers(),
            body=request.get_data(cache=True),
        )
    return found


def headers() -> dict[str, str]:
    """The request's headers, names in lower case. From the environment itself: it is asked for with every webhook."""
    environ = request.environ
    found = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            found[name.replace("_", "-").lower()] = environ[name]
    return found


def bearer() -> str | None:
    """The token of `Authorization: Bearer`; None without that header. An empty one is a token, and a wrong one."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
