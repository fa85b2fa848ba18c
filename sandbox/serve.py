"""Runs a stand-in on 127.0.0.1, on a free port, in a thread."""

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from flask import Flask
from werkzeug.serving import make_server

from sandbox.faults import HANG_HEADER

_Start = Callable[..., Any]


class Served:
    """A running stand-in: `with Served(app) as served: … served.address …`. `tls` makes it https."""

    def __init__(self, app: Flask, *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request helps nobody here
        self._server = make_server("127.0.0.1", port, _Droppable(app), threaded=True, ssl_context=tls)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name=app.name)
        self.scheme = "http" if tls is None else "https"
        self.address = f"127.0.0.1:{self._server.server_port}"
        self.url = f"{self.scheme}://{self.address}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Droppable:
    """An answer that must not arrive: the connection is closed instead, and the caller never learns more."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: _Start) -> Iterable[bytes]:
        dropped = False

        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            nonlocal dropped
            dropped = any(name == HANG_HEADER for name, _ in headers)
            return start_response(status, headers, error)

        answer = self._app(environ, start)
        connection = environ.get("werkzeug.socket")
        if dropped and isinstance(connection, socket.socket):
            connection.shutdown(socket.SHUT_RDWR)
        return answer
