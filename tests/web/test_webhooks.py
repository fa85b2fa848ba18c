"""What a platform gets for what it sends, and what is kept of it."""

import hashlib
import hmac
from base64 import b64encode
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, session
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse, create_environ, run_wsgi_app

from app.db import inbox
from app.services import require_room
from app.services.runtime import Runtime
from app.web import create_app
from app.web.webhooks import LARGEST
from tests.conftest import SHOPIFY_SECRET, make_program
from tests.services.houses import House, make_shop, woo_request

BODY = b'{"id":1}'


def post(client: FlaskClient, house: House, body: bytes = BODY, **changes: Any) -> TestResponse:
    request = woo_request("order.updated", body, **changes)
    return client.post(f"/webhooks/woocommerce/{house.shop.key}", data=body, headers=dict(request.headers))


def kept(house: House) -> int:
    with house.rt.db.begin(house.program_id) as session:
        return sum(inbox.counts(session).values())


def app_signed(body: bytes, topic: str, shop_ref: str, secret: str = SHOPIFY_SECRET) -> dict[str, str]:
    return {
        "X-Shopify-Hmac-Sha256": b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode(),
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": shop_ref,
        "X-Shopify-Webhook-Id": "w1",
    }


def test_a_signed_delivery_is_kept_and_answered_200(client: FlaskClient, house: House) -> None:
    assert post(client, house).status_code == 200
    assert kept(house) == 1


def test_the_same_delivery_twice_is_200_and_kept_once(client: FlaskClient, house: House) -> None:
    assert [post(client, house).status_code for _ in range(2)] == [200, 200]
    assert kept(house) == 1


def test_a_wrong_signature_is_401_and_nothing_is_kept(client: FlaskClient, house: House) -> None:
    assert post(client, house, secret="another").status_code == 401
    assert kept(house) == 0


def test_a_changed_body_is_401(client: FlaskClient, house: House) -> None:
    headers = dict(woo_request("order.updated", BODY).headers)
    response = client.post(f"/webhooks/woocommerce/{house.shop.key}", data=BODY + b" ", headers=headers)
    assert response.status_code == 401


def test_a_signature_that_is_not_ascii_is_401(client: FlaskClient, house: House) -> None:
    headers = {**woo_request("order.updated", BODY).headers, "x-wc-webhook-signature": "\xe9"}
    response = client.post(f"/webhooks/woocommerce/{house.shop.key}", data=BODY, headers=headers)
    assert response.status_code == 401


@pytest.mark.parametrize(
    "path", ["/webhooks/woocommerce/nobody", "/webhooks/nothing/nobody", "/webhooks/nothing", "/webhooks"]
)
def test_what_is_not_known_is_404_in_the_same_words(client: FlaskClient, path: str) -> None:
    answers = [client.post(where, data=BODY).get_json() for where in (path, "/nowhere")]
    assert [one["status"] for one in answers] == [404, 404]
    assert answers[0]["detail"] == answers[1]["detail"]


def test_a_shop_of_another_platform_is_404_even_when_signed(client: FlaskClient, house: House) -> None:
    response = client.post(f"/webhooks/shopify/{house.shop.key}", data=BODY)
    assert response.status_code == 404


def test_a_body_over_a_mebibyte_is_413_before_it_is_read(client: FlaskClient, house: House) -> None:
    assert post(client, house, b"x" * (LARGEST + 1)).status_code == 413
    assert kept(house) == 0


def test_a_body_that_hides_its_size_is_413_too(app: Flask, house: House) -> None:
    body = b"x" * (LARGEST + 1)
    environ = create_environ(
        f"/webhooks/woocommerce/{house.shop.key}",
        method="POST",
        headers=dict(woo_request("order.updated", body).headers),
    )
    # As a WSGI server hands on what came in chunks: no length, but an end.
    environ.update({"wsgi.input": BytesIO(body), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""})
    assert run_wsgi_app(app.wsgi_app, environ)[1].startswith("413")
    assert kept(house) == 0


def test_a_body_of_exactly_a_mebibyte_is_kept(client: FlaskClient, house: House) -> None:
    assert post(client, house, b"x" * LARGEST).status_code == 200


def test_signed_bytes_that_nobody_can_parse_are_kept(client: FlaskClient, house: House) -> None:
    assert post(client, house, b'{"a":"\\u0000","b":NaN,\xff').status_code == 200
    assert kept(house) == 1


def test_the_unsigned_ping_is_exactly_200_and_not_kept(client: FlaskClient, house: House) -> None:
    response = client.post(
        f"/webhooks/woocommerce/{house.shop.key}",
        data=b"webhook_id=7",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert response.status_code == 200
    assert kept(house) == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_anything_but_post_is_405(client: FlaskClient, house: House, method: str) -> None:
    response = client.open(f"/webhooks/woocommerce/{house.shop.key}", method=method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize("shape", ["{}/", "/{}", "{}//"])
def test_no_slash_too_many_is_ever_redirected(client: FlaskClient, house: House, shape: str) -> None:
    path = shape.format(f"/webhooks/woocommerce/{house.shop.key}")
    response = client.post(path, data=BODY, headers=dict(woo_request("order.updated", BODY).headers))
    assert response.status_code in (200, 404)
    assert "Location" not in response.headers


def test_a_slash_at_the_end_is_kept_like_without(client: FlaskClient, house: House) -> None:
    headers = dict(woo_request("order.updated", BODY).headers)
    response = client.post(f"/webhooks/woocommerce/{house.shop.key}/", data=BODY, headers=headers)
    assert response.status_code == 200


def test_the_installations_own_app_finds_the_shop_by_its_header(client: FlaskClient, rt: Runtime) -> None:
    program_id = make_program(rt)
    house = House(rt, program_id, make_shop(rt, program_id, platform="shopify"))
    with rt.db.begin(program_id) as session:
        shop_ref = session.scalar("SELECT shop_ref FROM shops WHERE {fence}")
    response = client.post("/webhooks/shopify", data=BODY, headers=app_signed(BODY, "orders/paid", shop_ref))
    assert response.status_code == 200
    assert kept(house) == 1


def test_an_unknown_shops_message_is_404_but_a_compliance_message_is_kept(
    client: FlaskClient, rt: Runtime
) -> None:
    stranger = "nobody-here.myshopify.com"
    answers = [
        client.post("/webhooks/shopify", data=BODY, headers=app_signed(BODY, topic, stranger)).status_code
        for topic in ("orders/paid", "shop/redact")
    ]
    assert answers == [404, 200]
    with rt.db.outside() as connection:
        found = connection.execute(
            text("SELECT count(*) FROM unknown_shop_messages WHERE shop_ref = :ref"), {"ref": stranger}
        )
        assert found.scalar() == 1


def test_a_compliance_message_with_a_wrong_signature_is_401(client: FlaskClient) -> None:
    headers = app_signed(BODY, "shop/redact", "nobody-here.myshopify.com", secret="wrong")
    assert client.post("/webhooks/shopify", data=BODY, headers=headers).status_code == 401


def test_what_cannot_be_kept_is_503_with_a_time_to_wait(
    client: FlaskClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> bool:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(inbox.Keeping, "keep", fail)
    response = post(client, house)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "disk full" not in response.text


def test_a_full_disk_refuses_before_the_database_stops(
    rt: Runtime, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(require_room, "disk_problem", lambda _: "only 3 MB are free")
    client = create_app(replace(rt, database_folder=tmp_path)).test_client()
    response = post(client, house)
    assert response.status_code == 503
    assert kept(house) == 0


def test_the_bell_rings_for_what_is_new_only(rt: Runtime, house: House) -> None:
    rung: list[int] = []
    client = create_app(replace(rt, received=lambda: rung.append(1))).test_client()
    post(client, house)
    post(client, house)
    post(client, house, secret="another")
    assert len(rung) == 1


def test_answers_carry_the_security_headers(client: FlaskClient, house: House) -> None:
    headers = post(client, house).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "private, no-store"
    assert "max-age" in headers["Strict-Transport-Security"]


@pytest.mark.parametrize("place", ["webhooks", "storefront", "extensions", "api", "my"])
def test_what_brings_its_own_proof_has_no_session_to_write_into(app: Flask, place: str) -> None:
    with app.test_request_context(f"/{place}/"):
        assert session.get("who") is None
        with pytest.raises(RuntimeError, match="session is unavailable"):
            session["who"] = "somebody"


def test_no_cookie_is_ever_set_for_a_platform(app: Flask, house: House) -> None:
    assert "Set-Cookie" not in post(app.test_client(), house).headers
