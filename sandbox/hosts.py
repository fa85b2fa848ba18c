"""The seam: which of the world's hosts are stand-ins, and how a client reaches them.

`HostMap` answers `client(allow_private=…)` as the connectors' HTTP seam does. A host maps to a Flask app (no
socket, fastest) or to "127.0.0.1:port" (a served stand-in; https is verified against the test authority under
the *host's* name). A host that is not mapped is refused: tests and the demo never reach the network.
"""

import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx
from flask import Flask

from sandbox.faults import HANG_HEADER

Target = Flask | str


class HostMap:
    """Hosts -> stand-ins. `hosts` may be changed at any time; clients made before see it."""

    def __init__(
        self, hosts: Mapping[str, Target] | None = None, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.hosts: dict[str, Target] = dict(hosts or {})
        self.tls = tls
        self.calls: list[tuple[str, str]] = []  # (method, url) of every request that passed

    def client(self, *, allow_private: bool = False) -> httpx.Client:
        """A client whose world is `hosts`. `allow_private` is taken and ignored: nothing here leaves the machine."""
        del allow_private
        return httpx.Client(transport=HostMapTransport(self), timeout=10.0, follow_redirects=False)


class HostMapTransport(httpx.BaseTransport):
    """Sends a request to the stand-in that its host maps to; Host header and TLS name stay those of the host."""

    def __init__(self, host_map: HostMap) -> None:
        self._map = host_map
        self._sockets: httpx.HTTPTransport | None = None  # made when first needed: reading the roots is slow

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._map.calls.append((request.method, str(request.url)))
        target = self._map.hosts.get(request.url.netloc.decode()) or self._map.hosts.get(request.url.host)
        if target is None:
            raise httpx.ConnectError(f"{request.url.host} is not a stand-in", request=request)
        response = (
            self._call_app(target, request) if isinstance(target, Flask) else self._call(target, request)
        )
        if HANG_HEADER in response.headers:
            response.read()
            raise httpx.ReadTimeout(f"{request.url.host}: no answer (asked for)", request=request)
        return response

    def close(self) -> None:
        if self._sockets is not None:
            self._sockets.close()

    def _call_app(self, app: Flask, request: httpx.Request) -> httpx.Response:
        return httpx.WSGITransport(app=_bare(app)).handle_request(request)

    def _call(self, address: str, request: httpx.Request) -> httpx.Response:
        if self._sockets is None:
            self._sockets = httpx.HTTPTransport(verify=self._map.tls or ssl.create_default_context())
        host, _, port = address.partition(":")
        mapped = httpx.Request(
            request.method,
            request.url.copy_with(host=host, port=int(port)),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        return self._sockets.handle_request(mapped)


def _bare(app: Flask) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    # httpx hands a WSGI app the port only when the URL names one, and werkzeug wants SERVER_PORT to be text.
    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["SERVER_PORT"] = str(environ.get("SERVER_PORT") or "")
        return app(environ, start_response)

    return call
