"""The desk, and for browser tests a server on it."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.serving import make_server

from app.services.runtime import Runtime
from app.web import create_app
from tests.web.admin.desk import Desk, World, fill


@pytest.fixture
def desk(rt: Runtime, app: Flask) -> Desk:
    return Desk(rt, app)


@pytest.fixture
def world(desk: Desk) -> World:
    return fill(desk)


@pytest.fixture
def served(rt: Runtime) -> Iterator[Desk]:
    """A desk whose pages a browser can open, under its `rt.public_url`."""
    server = make_server("127.0.0.1", 0, Flask("none"), threaded=True)
    local = replace(rt, public_url=f"http://127.0.0.1:{server.server_port}")
    server.app = create_app(local)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Desk(local, server.app)
    server.shutdown()
    thread.join()
    server.server_close()
