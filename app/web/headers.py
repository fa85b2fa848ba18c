"""Headers that every answer carries, unless a view has set its own."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Nothing is loaded, framed or sent anywhere. Pages that need more say exactly what, in a policy of their own.
STRICT = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    # Not "no-referrer": browsers then send `Origin: null` with our own forms.
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "private, no-store"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
    ("Content-Security-Policy", STRICT),
)
_OVER_TLS = (("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),)


def register(app: Flask, public_url: str) -> None:
    # At the very outside, as a list: asking and setting by `Response.headers` is a tenth of an acknowledgement's time.
    app.wsgi_app = _Headed(app.wsgi_app, _ALWAYS + (_OVER_TLS if public_url.startswith("https://") else ()))  # type: ignore[method-assign]


class _Headed:
    def __init__(self, inner: "WSGIApplication", wanted: Iterable[tuple[str, str]]) -> None:
        self._inner = inner
        self._wanted = [(name.lower(), (name, value)) for name, value in wanted]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def begin(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            said = {name.lower() for name, _ in headers}
            return start_response(
                status, headers + [one for name, one in self._wanted if name not in said], *error
            )

        return self._inner(environ, begin)
