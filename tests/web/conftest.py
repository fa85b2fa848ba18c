"""The application over a real database, and Flask's test client."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.services.runtime import Runtime
from app.web import create_app
from tests.conftest import make_program
from tests.services.houses import House, make_shop


@pytest.fixture
def app(rt: Runtime) -> Flask:
    return create_app(rt)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def house(rt: Runtime) -> House:
    program_id = make_program(rt, currency="USD")
    return House(rt, program_id, make_shop(rt, program_id))
