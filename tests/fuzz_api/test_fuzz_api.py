"""Both APIs keep what their descriptions say: each answer that is declared comes, and none that is not."""

import pytest
from flask import Flask

from app.services.runtime import Runtime
from app.web import create_app
from tests.fuzz_api.fuzz import OPERATIONS, ask_by_hand, fuzz
from tests.fuzz_api.world import make_world

pytestmark = pytest.mark.usefixtures("no_limits", "no_wait")


@pytest.fixture
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.limits.Minute.count", lambda self, name, second: 1)


@pytest.fixture
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody makes codes here, so nobody waits for them."""
    monkeypatch.setattr("app.services.await_code.LONGEST_S", 0.0)


@pytest.fixture
def app(rt: Runtime) -> Flask:
    return create_app(rt)


def test_every_answer_that_is_declared_comes_and_is_as_described(rt: Runtime, app: Flask) -> None:
    found = ask_by_hand(lambda: make_world(rt, app))
    assert "\n\n".join(found.faults) == ""
    assert found.missing() == []


def test_no_request_finds_a_fault(rt: Runtime, app: Flask) -> None:
    found = fuzz(lambda: make_world(rt, app), cases=500, start=1)
    assert found.faults == []
    assert found.sent >= 400


def test_the_descriptions_hold_all_there_is_and_the_api_needs_a_key(rt: Runtime, app: Flask) -> None:
    views = {
        (method, rule.rule.replace("<int:", "{").replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(("api.", "storefront."))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(one.method, one.path) for one in OPERATIONS} == views
    assert app.test_client().get("/api/v1/openapi.json").get_json()["security"] == [{"key": []}]


def test_the_schema_of_program_documents_is_published(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/program.schema.json")
    assert answer.mimetype == "application/schema+json"
    assert "earn" in answer.get_json()["properties"]
