"""What holds for every route: a declared policy, answers that tell nothing, health that tells the truth."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from app.db import freezes, migrating
from app.db.session import Database
from app.domain.errors import Refused, Retryable
from app.services.enrol_customer import enrol_customer
from app.services.runtime import Runtime
from app.web import create_app
from app.web.policy import Guarded, Policy, policy, policy_of, require_policies
from tests.conftest import Clock
from tests.services.books import suspect
from tests.services.houses import House, woo_request

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def test_every_route_declares_a_policy(app: Flask) -> None:
    assert [rule.rule for rule in app.url_map.iter_rules() if policy_of(app, rule.endpoint) is None] == []


def test_a_route_without_a_policy_does_not_start(app: Flask) -> None:
    app.add_url_rule("/bare", "bare", lambda: "")
    with pytest.raises(RuntimeError, match="/bare"):
        require_policies(app)


def test_a_views_own_policy_goes_before_its_blueprints(rt: Runtime) -> None:
    app = create_app(rt)
    blueprint = Guarded("b", __name__, policy=Policy.STAFF)
    blueprint.add_url_rule("/b1", "one", lambda: "")
    blueprint.add_url_rule("/b2", "two", policy(Policy.PUBLIC)(lambda: ""))
    app.register_blueprint(blueprint)
    assert [policy_of(app, name) for name in ("b.one", "b.two")] == [Policy.STAFF, Policy.PUBLIC]


def broken(rt: Runtime, error: Exception, path: str) -> FlaskClient:
    app = create_app(rt)

    def view() -> str:
        raise error

    app.add_url_rule(path, "broken", view)
    return app.test_client()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refused("insufficient_points", "40 points are missing."), 409),
        (Refused("key_reused", "This key was used for another request."), 422),
        (Refused("unknown_member", "This program has no such member."), 404),
        (Refused("taken", "This key is in use."), 409),
        (Refused("not_understood", "Say it again."), 400),
        (Retryable("shop.example: 503", retry_after_s=7), 503),
        (OperationalError("SELECT", {}, Exception("secret-host refused")), 503),
        (ValueError("secret-value"), 500),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/x", "/page"])
def test_errors_become_answers_that_leak_nothing(
    rt: Runtime, error: Exception, status: int, path: str
) -> None:
    response = broken(rt, error, path).get(path, headers={"Accept": "text/html"})
    assert response.status_code == status
    assert "secret" not in response.text
    assert "shop.example" not in response.text
    assert "Traceback" not in response.text
    if path.startswith("/api"):
        assert response.mimetype == "application/problem+json"
        problem = response.get_json()
        assert problem["status"] == status
        assert problem["instance"]
    else:
        assert response.mimetype == "text/html"


def test_a_refusal_says_its_words_and_a_wait_its_seconds(rt: Runtime) -> None:
    client = broken(rt, Refused("insufficient_points", "40 points are missing."), "/api/v1/x")
    problem = client.get("/api/v1/x").get_json()
    assert (problem["code"], problem["detail"]) == ("insufficient_points", "40 points are missing.")
    waiting = broken(rt, Retryable("x", retry_after_s=7), "/api/v1/x").get("/api/v1/x")
    assert waiting.headers["Retry-After"] == "7"


def test_a_page_shows_text_as_text(rt: Runtime) -> None:
    client = broken(rt, Refused("x", "<script>alert(1)</script>"), "/page")
    assert "<script>" not in client.get("/page", headers={"Accept": "text/html"}).text


def test_it_is_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "alive"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.get_json()["checks"]["guards"] == "ok"


def test_ready_tells_that_the_drain_is_late_and_stays_in_use(
    client: FlaskClient, house: House, clock: Clock
) -> None:
    house.deliver(woo_request("order.updated", b"{}"))
    clock.forward(minutes=6)
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["status"]) == (200, "late")
    house.drain()
    assert client.get("/readyz").get_json()["checks"]["drain"] == "ok"


def test_a_database_that_is_away_is_not_ready_but_alive(rt: Runtime) -> None:
    away = replace(rt, db=Database("postgresql://nobody:x@127.0.0.1:1/none"))
    client = create_app(away).test_client()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["checks"]["database"]) == (503, "wrong")
    assert "127.0.0.1" not in ready.text
    assert client.get("/healthz").status_code == 200


def test_an_older_database_is_not_ready(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "newest_revision", lambda: "9999")
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["checks"]["migrated"]) == (503, "wrong")


def test_metrics_count_what_waits(client: FlaskClient, house: House, clock: Clock) -> None:
    house.deliver(woo_request("order.updated", b"{}"))
    clock.at += timedelta(seconds=90)
    text = client.get("/metrics").text
    assert 'laurel_deliveries{state="new"}' in text
    age = next(line for line in text.splitlines() if line.startswith("laurel_delivery_age_seconds "))
    assert float(age.split()[1]) >= 90
    house.drain()


@pytest.mark.parametrize("how", [{"X-Forwarded-For": "10.0.0.1"}, {"Forwarded": "for=1.2.3.4"}])
def test_metrics_are_not_for_those_who_come_through_the_public_address(
    client: FlaskClient, how: dict[str, str]
) -> None:
    assert client.get("/metrics", headers=how).status_code == 404


def test_metrics_are_not_for_strangers(client: FlaskClient) -> None:
    assert client.get("/metrics", environ_overrides={"REMOTE_ADDR": "8.8.8.8"}).status_code == 404


def test_every_figure_is_described_with_its_alert(client: FlaskClient) -> None:
    told = set(re.findall(r"^# HELP (laurel_\w+)", client.get("/metrics").text, re.MULTILINE))
    described = set(re.findall(r"^\| `(laurel_\w+)", OPERATIONS, re.MULTILINE))
    assert told == described


def test_every_check_of_readyz_is_described(client: FlaskClient) -> None:
    told = set(client.get("/readyz").get_json()["checks"])
    assert told == {name for name in told if f"| `{name}` |" in OPERATIONS}


def test_metrics_tell_what_is_frozen_and_whom_to_look_at(client: FlaskClient, house: House) -> None:
    def figures() -> list[float]:
        text = client.get("/metrics").text
        return [
            float(re.findall(rf"^{name} (\S+)", text, re.MULTILINE)[0])
            for name in ("laurel_frozen_programs", "laurel_open_reviews")
        ]

    before = figures()  # other tests' programs are in this database too
    identity = enrol_customer(house.rt, house.program_id, house.shop.shop_id, "7", asked=True)
    assert identity is not None
    assert identity.member_id is not None
    suspect(house.rt, house.program_id, identity.member_id)
    with house.rt.db.begin(house.program_id) as session:
        freezes.begin(session, [("account:7", "points", "905 are stored")], now=house.rt.now())
    assert figures() == [before[0] + 1, before[1] + 1]
