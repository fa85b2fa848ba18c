"""The application over a real database, and Flask's test client."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.services.runtime import Runtime
from app.web import create_app
from tests.conftest import make_program
from tests.services.houses import House, make_shop
from tests.web.shoppers import Storefront, make_storefront


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


@pytest.fixture
def storefront(rt: Runtime, client: FlaskClient, program_id: int) -> Storefront:
    return make_storefront(rt, client, program_id)


@pytest.fixture
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody makes codes in these tests, so nobody waits for them."""
    monkeypatch.setattr("app.services.await_code.LONGEST_S", 0.0)
