"""The admin's pages once more, inside a shop's own admin: `/install/<platform>/<shop_ref>/admin/…`.

The same views answer there: what stands before `/admin` is taken for where the application is mounted, so that every
`url_for` leads back into the frame. No cookie comes in and none goes out. Each request proves itself by the platform's
token, which the connector checks: in `Authorization`, or, for a document alone, in the address. A page that another
site makes the browser load or send to has neither, so there is nothing to forge.

What a session would have kept from one page to the next (a toast) is handed to `frame.js`, which hands it back.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_plus

from flask import Flask, Request, Response, g, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature

from app.services.runtime import Runtime
from app.web.asked import headers
from app.web.here import runtime
from connectors.base import Frame, InstallRequest, Shell

SAID = "Laurel-Said"
_A_MINUTE_S = 60
GO = "HX-Redirect"
_ENVIRON = "laurel.frame"
_MOUNTED = re.compile(r"(/install/([a-z0-9-]{1,40})/([A-Za-z0-9.-]{1,200}))(/admin(?:/.*)?)", re.DOTALL)
# The address as the server got it holds the token too.
_STAY_OUTSIDE = ("HTTP_COOKIE", "REQUEST_URI", "RAW_URI")
_SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Framed:
    """The frame that a request comes from, as its address says; `query` is as it came, with what proves it."""

    platform: str
    shop_ref: str
    query: str
    frame: Frame

    @cached_property
    def shell(self) -> Shell:
        """Raises: Refused, for a shop that is none of the platform's."""
        return self.frame.shell(self.shop_ref, runtime().app_of(self.platform))

    def asked(self) -> InstallRequest:
        """The request as the platform's proof needs it."""
        path = quote(f"{request.script_root}{request.path}")
        return InstallRequest(
            method=request.method,
            url=f"{runtime().public_url}{path}" + (f"?{self.query}" if self.query else ""),
            query=_values(self.query),
            headers=headers(),
            body=b"",
        )

    @property
    def brings_bearer(self) -> bool:
        return bool(request.headers.get("Authorization"))


def framed() -> Framed | None:
    """The frame that this request comes from; None: a window of its own."""
    return of(request)


def of(asked: Request) -> Framed | None:
    found: Framed | None = asked.environ.get(_ENVIRON)
    return found


def home(platform: str, shop_ref: str) -> str:
    """Where the shop's people begin."""
    return f"/install/{platform}/{shop_ref}/admin/"


def changes_something() -> bool:
    return request.method not in _SAFE


def shell() -> Shell | None:
    """What a template needs for the frame; None: it is in none, or in one that cannot be."""
    found: Shell | None = g.get("shell")
    return found


def register(app: Flask, rt: Runtime) -> None:
    app.wsgi_app = _Mounted(app.wsgi_app, rt)  # type: ignore[method-assign]


class _Mounted:
    """Tells the application where it is mounted, and leaves cookies and the platform's own parameters outside."""

    def __init__(self, inner: Any, rt: Runtime) -> None:
        self._inner = inner
        self._rt = rt

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith("/install/") and (found := _MOUNTED.fullmatch(path)):
            connector = self._rt.connectors.get(found[2])
            if connector is not None and connector.frame is not None:
                environ = _moved(environ, found, connector.frame)
        answer: Iterable[bytes] = self._inner(environ, start_response)
        return answer


def _moved(environ: dict[str, Any], found: "re.Match[str]", frame: Frame) -> dict[str, Any]:
    query = environ.get("QUERY_STRING", "")
    inside = "&".join(part for part in query.split("&") if _name(part) not in frame.parameters)
    moved = {name: value for name, value in environ.items() if name not in _STAY_OUTSIDE}
    return moved | {
        "SCRIPT_NAME": f"{environ.get('SCRIPT_NAME', '')}{found[1]}",
        "PATH_INFO": found[4],
        "QUERY_STRING": inside,
        _ENVIRON: Framed(platform=found[2], shop_ref=found[3], query=query, frame=frame),
    }


def _name(part: str) -> str:
    return unquote_plus(part.partition("=")[0])


def _values(query: str) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        values.setdefault(unquote_plus(name), []).append(unquote_plus(value))
    return values


class HandedOn(SecureCookieSessionInterface):
    """Signs what is handed on in a frame; as a cookie it would be worth nothing."""

    salt = "laurel-said"


_handed_on = HandedOn()


class Sessions(SecureCookieSessionInterface):
    """Flask's sessions, in a cookie for the pages that people see, and in a frame from answer to request by hand."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if of(request) is None:
            return super().open_session(app, request)
        signer = _handed_on.get_signing_serializer(app)
        told = request.headers.get(SAID)
        if signer is None or not told:
            return self.session_class()
        try:
            return self.session_class(signer.loads(told, max_age=_A_MINUTE_S))
        except BadSignature:
            return self.session_class()

    def save_session(self, app: Flask, session: Any, response: Response) -> None:
        if framed() is None:
            super().save_session(app, session, response)
        elif session and session.modified and (signer := _handed_on.get_signing_serializer(app)) is not None:
            response.headers[SAID] = str(signer.dumps(dict(session)))


if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
