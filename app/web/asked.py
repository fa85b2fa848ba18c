"""A request as data, the way connectors want it."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
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
            # Asking for the body of a request that has none costs as much as all the rest here.
            body=request.get_data(cache=True) if _brings_body() else b"",
        )
    return found


def headers() -> Mapping[str, str]:
    """The request's headers, names in lower case; looked up in the environment itself, with every webhook."""
    return _Headers(request.environ)


def header_values() -> list[str]:
    """What the headers say, without their names."""
    environ = request.environ
    values = [value for variable, value in environ.items() if variable.startswith("HTTP_")]
    return values + [environ.get(variable) or "" for variable in _OUTSIDE.values()]


class _Headers(Mapping[str, str]):
    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        value: str = self._environ[_variable(name)]
        if not value and name in _OUTSIDE:  # WSGI servers may set these two to nothing
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        environ = self._environ
        for variable in environ:
            if variable.startswith("HTTP_"):
                yield variable[5:].replace("_", "-").lower()
        yield from (name for name, variable in _OUTSIDE.items() if environ.get(variable))

    def __len__(self) -> int:
        return sum(1 for _ in self)


_OUTSIDE = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


@lru_cache(maxsize=512)
def _variable(name: str) -> str:
    """What WSGI calls a header. A name that is not written in lower case names none."""
    if name != name.lower():
        raise KeyError(name)
    return _OUTSIDE.get(name) or f"HTTP_{name.upper().replace('-', '_')}"


def _brings_body() -> bool:
    environ = request.environ
    return bool(environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING"))


def bearer() -> str | None:
    """The token of `Authorization: Bearer`; None without that header. An empty one is a token, and a wrong one."""
    header: str | None = request.environ.get("HTTP_AUTHORIZATION")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def whole_number(word: str) -> int | None:
    """What a form's field or an address says, below 10⁸; None: it is no such number."""
    return int(word) if word.isascii() and word.isdigit() and len(word) < 9 else None
