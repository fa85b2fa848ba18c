"""A breach in the books, from the database to every face: spending stops in that program alone, and says so."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from app.db.migrating import psycopg_url
from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.audit_changed import audit_changed
from app.services.diagnose import diagnose
from app.services.invite_staff import invite_staff
from app.services.lift_freeze import lift_freeze
from app.services.runtime import Runtime
from app.web import create_app
from tests.conftest import DatabaseUrls, Mails, make_program
from tests.factories import eur, make_order
from tests.services.jobs import run_jobs
from tests.web.admin.desk import Visitor
from tests.web.shoppers import make_storefront
from tests.web.test_api import Api, make_api
from tests.web.test_storefront import YESTERDAY, placed


def plant(database: DatabaseUrls, program_id: int, member_id: int, points: int) -> None:
    """As nobody may: past triggers and fences."""
    engine = create_engine(psycopg_url(database.superuser_url))
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text("UPDATE accounts SET points = points + :points WHERE program_id = :program AND id = :id"),
            {"points": points, "program": program_id, "id": member_id},
        )
    engine.dispose()


@pytest.fixture
def api(rt: Runtime, client: FlaskClient, program_id: int) -> Api:
    return make_api(rt, client, program_id)


def bought_by(api: Api, member_id: int, key: str) -> tuple[int, str | None]:
    answer = api.post(f"members/{member_id}/redemptions", {"reward": "amount-5"}, key=key)
    return answer.status_code, answer.get_json().get("code")


def test_a_breach_stops_spending_in_its_program_alone_and_every_face_says_so(
    rt: Runtime,
    app: Flask,
    client: FlaskClient,
    api: Api,
    database: DatabaseUrls,
    mails: Mails,
    no_wait: None,
) -> None:
    shop, other = api.shop, make_storefront(rt, app.test_client(), make_program(rt))
    member_id = shop.member("7", points=500)
    other.member("7", points=500)
    invited = invite_staff(rt, shop.program_id, email="ada@shop.test", name="Ada", role=Role.OWNER)
    owner = Visitor(app.test_client())
    path = invited.link.removeprefix(rt.public_url)
    owner.post(path, of=path)
    mails.sent.clear()

    plant(database, shop.program_id, member_id, 5)
    for program_id in (shop.program_id, other.program_id):
        audit_changed(rt, program_id)
        run_jobs(rt, program_id)

    # The shopper, the merchant's systems, the merchant, whoever runs it.
    assert shop.get("me").get_json()["member"]["stopped"]["reason"] == "frozen"
    assert shop.post("redemptions", {"reward": "amount-5"}, key="a").status_code == 409
    assert bought_by(api, member_id, "b") == (409, "frozen")
    assert "Points cannot be spent" in owner.get("/admin/")
    assert "505 points are stored, the entries give 500" in owner.get("/admin/freeze")
    assert [to for to, _, _ in mails.sent] == ["ada@shop.test"]
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["checks"]["ledger"]) == (200, "wrong")
    assert any(one.name == "ledger" and "laurel unfreeze" in str(one.problem) for one in diagnose(rt))

    # Earning goes on, and the other program knows nothing of it.
    shop.see(make_order(order_ref="55", customer_ref="8", goods=eur("40.00"), **placed(YESTERDAY)))
    shop.see(make_order(order_ref="56", goods=eur("40.00"), **placed(YESTERDAY)))
    assert shop.get("me").get_json()["member"]["balance"]["available"] == 545
    assert other.get("me").get_json()["member"]["stopped"] is None
    assert other.post("redemptions", {"reward": "amount-5"}, key="c").status_code == 202

    # Lifted when it is right again, not before.
    with pytest.raises(Refused, match="still_wrong"):
        lift_freeze(rt, shop.program_id, by="Ada", reason="I hoped")
    owner.post("/admin/freeze/lift", 422, of="/admin/freeze/lift", reason="I hoped")
    plant(database, shop.program_id, member_id, -5)
    owner.post("/admin/freeze/lift", of="/admin/freeze/lift", reason="Restored the row")
    assert shop.get("me").get_json()["member"]["stopped"] is None
    assert bought_by(api, member_id, "d")[0] in (201, 202)


def test_an_owner_may_say_that_it_stays_as_found(
    rt: Runtime, app: Flask, api: Api, database: DatabaseUrls
) -> None:
    member_id = api.shop.member("7", points=500)
    invited = invite_staff(rt, api.shop.program_id, email="ada@shop.test", name="Ada", role=Role.OWNER)
    owner = Visitor(app.test_client())
    path = invited.link.removeprefix(rt.public_url)
    owner.post(path, of=path)
    plant(database, api.shop.program_id, member_id, 5)
    audit_changed(rt, api.shop.program_id)
    page = owner.post("/admin/freeze/lift", 422, of="/admin/freeze/lift", reason="A present")
    assert "It may stay as it was found" in page.text
    owner.post("/admin/freeze/lift", of="/admin/freeze/lift", reason="A present", as_found="yes")
    assert "Points cannot be spent" not in owner.get("/admin/members")


def test_a_full_disk_is_not_ready(rt: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = create_app(replace(rt, database_folder=tmp_path)).test_client()
    assert client.get("/readyz").get_json()["checks"]["disk"] == "ok"
    usage = (100 * 10**9, 99 * 10**9 + 7 * 10**8, 3 * 10**8)
    monkeypatch.setattr(
        "shutil.disk_usage",
        lambda _: type("Usage", (), dict(zip(("total", "used", "free"), usage, strict=True))),
    )
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["checks"]["disk"]) == (503, "wrong")
