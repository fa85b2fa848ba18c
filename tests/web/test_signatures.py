"""Every single change of something signed is refused: each letter of the signature, each part of what it signs."""

import base64
import hashlib
import hmac
import json
import string
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.services.create_api_key import create_api_key
from app.services.runtime import Runtime
from connectors.base import WebhookRequest
from tests.conftest import SHOPIFY_SECRET, make_program
from tests.services.bodies import woo_order
from tests.services.houses import House, make_shop, shopify_request, woo_request
from tests.web.shoppers import Storefront, make_storefront
from tests.web.test_shopper_proof import proxied
from tests.web.test_webhooks import kept

pytestmark = pytest.mark.usefixtures("no_limits")

BODY = woo_order(1, goods="10.00", customer=7)
_LETTERS = string.ascii_letters + string.digits


@pytest.fixture
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many tries come in a minute that they would be turned away unread."""
    monkeypatch.setattr("app.web.limits.Minute.count", lambda self, name, second: 1)


def changed_letters(text: str) -> Iterator[str]:
    """`text` with each letter changed in turn, and with each left out."""
    for place, letter in enumerate(text):
        other = _LETTERS[(_LETTERS.find(letter) + 1) % len(_LETTERS)]
        yield text[:place] + other + text[place + 1 :]
        yield text[:place] + text[place + 1 :]


def other_texts(signature: str) -> Iterator[str]:
    """What somebody might send in place of a signature."""
    yield from ("", " ", "=", "null", "undefined", "0", "true", "*", "%00", signature * 2, signature[::-1])
    yield from (signature + "=", signature + "A", signature[:-1], "ü" * 44)
    if signature.swapcase() != signature:
        yield signature.swapcase()


def refused_everywhere(client: FlaskClient, path: str, requests: Iterator[WebhookRequest]) -> int:
    tried = list(requests)
    for request in tried:
        answer = client.post(path, data=request.body, headers=dict(request.headers))
        assert answer.status_code == 401, dict(request.headers)
    return len(tried)


def test_a_webhook_of_a_shop(client: FlaskClient, house: House) -> None:
    good = woo_request("order.updated", BODY)
    name = "x-wc-webhook-signature"

    def attacks() -> Iterator[WebhookRequest]:
        signature = good.headers[name]
        for other in (*changed_letters(signature.rstrip("=")), *other_texts(signature)):
            if not other.isascii() or other != signature:
                headers = {**good.headers, name: other.encode().decode("latin-1")}
                yield WebhookRequest(BODY, headers)
        for place in range(0, len(BODY), 60):
            yield WebhookRequest(BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :], good.headers)
        for body in (b"", BODY + b" ", BODY[:-1], b" " + BODY, BODY * 2, BODY.upper()):
            yield WebhookRequest(body, good.headers)
        yield WebhookRequest(BODY, {key: value for key, value in good.headers.items() if key != name})
        for secret in ("", " ", "laurel", "secret", house.shop.key):
            yield woo_request("order.updated", BODY, secret=secret)

    assert refused_everywhere(client, f"/webhooks/woocommerce/{house.shop.key}", attacks()) >= 150
    assert kept(house) == 0
    answer = client.post(f"/webhooks/woocommerce/{house.shop.key}", data=BODY, headers=dict(good.headers))
    assert (answer.status_code, kept(house)) == (200, 1)


def test_a_webhook_of_the_installations_app(client: FlaskClient, rt: Runtime) -> None:
    program_id = make_program(rt)
    house = House(rt, program_id, make_shop(rt, program_id, platform="shopify"))
    good = shopify_request("orders/updated", BODY, house.shop)
    name = "x-shopify-hmac-sha256"

    def attacks() -> Iterator[WebhookRequest]:
        signature = good.headers[name]
        for other in (*changed_letters(signature.rstrip("=")), *other_texts(signature)):
            yield WebhookRequest(BODY, {**good.headers, name: other.encode().decode("latin-1")})
        for place in range(0, len(BODY), 60):
            yield WebhookRequest(BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :], good.headers)
        yield WebhookRequest(BODY, {key: value for key, value in good.headers.items() if key != name})
        for secret in ("", "shpss_", "secret"):
            yield shopify_request("orders/updated", BODY, house.shop, secret=secret)

    assert refused_everywhere(client, "/webhooks/shopify", attacks()) >= 130
    assert kept(house) == 0
    assert client.post("/webhooks/shopify", data=BODY, headers=dict(good.headers)).status_code == 200


def test_what_an_automation_says_and_asks(rt: Runtime, client: FlaskClient) -> None:
    shop = make_storefront(rt, client, make_program(rt), platform="shopify")
    gift = {
        "shopify_domain": shop.known.shop_ref,
        "action_run_id": "run-1",
        "properties": {"customer_id": "7", "points": "50", "reason": "A picture"},
    }
    use = {
        "flow_trigger_definition_id": "laurel-flow-points-earned",
        "has_enabled_flow": True,
        "shop_id": "1",
        "shopify_domain": shop.known.shop_ref,
        "timestamp": "2026-11-22T12:00:00.123Z",
    }
    name = "x-shopify-hmac-sha256"
    for path, told in (("give-points", gift), ("triggers", use)):
        body = json.dumps(told).encode()
        good = signed_by(SHOPIFY_SECRET, body)

        def attacks(body: bytes = body, signature: str = good) -> Iterator[WebhookRequest]:
            for other in (*changed_letters(signature.rstrip("=")), *other_texts(signature)):
                yield WebhookRequest(body, {name: other.encode().decode("latin-1")})
            for place in range(len(body)):
                yield WebhookRequest(
                    body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :], {name: signature}
                )
            for other_body in (b"", body + b" ", body[:-1], b" " + body, body * 2, body.upper()):
                yield WebhookRequest(other_body, {name: signature})
            yield WebhookRequest(body, {})
            yield WebhookRequest(body, {"x-shopify-hmac": signature, "authorization": f"Bearer {signature}"})
            for secret in ("", " ", "secret", "laurel-app", shop.known.widget_secret, SHOPIFY_SECRET.upper()):
                yield WebhookRequest(body, {name: signed_by(secret, body)})

        address = f"/extensions/shopify/automation/v1/{path}"
        assert refused_everywhere(client, address, attacks()) >= 250
        for table in ("adjustments", "triggers"):
            assert shop.scalar(f"SELECT count(*) FROM {table} WHERE {{fence}}") == (
                1 if (path, table) == ("triggers", "adjustments") else 0
            )
        assert client.post(address, data=body, headers={name: good}).status_code == 200


def signed_by(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def test_one_shops_webhook_is_nothing_at_anothers_address(
    client: FlaskClient, house: House, rt: Runtime
) -> None:
    other = House(rt, make_program(rt), make_shop(rt, make_program(rt), secret="another secret"))
    good = woo_request("order.updated", BODY)
    path = f"/webhooks/woocommerce/{other.shop.key}"
    assert client.post(path, data=BODY, headers=dict(good.headers)).status_code == 401
    assert kept(house) == 0


def test_a_shoppers_token(storefront: Storefront) -> None:
    storefront.member("7", points=100)
    good = storefront.token()
    tried = [*changed_letters(good), *_rearranged(good)]
    for token in tried:
        answer = storefront.client.get(
            "/storefront/v1/me",
            query_string={"key": storefront.shop.key},
            headers={"Authorization": f"Bearer {token}"},
        )
        # The last letter of base64 holds bits that nobody reads: the same bytes, the same token.
        assert answer.status_code == 401 or token[:-1] == good[:-1], token
    assert len(tried) >= 250
    assert storefront.get("me").get_json()["member"]["balance"]["available"] == 100


def _rearranged(token: str) -> Iterator[str]:
    head, body, signature = token.split(".")
    yield from (f"{body}.{head}.{signature}", f"{head}.{body}", f"{head}.{body}.", f".{body}.{signature}")
    yield from (f"{head}..{signature}", f"{token}.{signature}", f"{token}.", f" {head}.{body}", token.upper())
    yield from (
        f"{head}.{body}.{signature}{signature}",
        f"{head}.{body}.{body}",
        f"{head}.{head}.{signature}",
    )


@pytest.fixture
def signed_shop(rt: Runtime, client: FlaskClient, program_id: int) -> Storefront:
    return make_storefront(rt, client, program_id, platform="shopify")


def test_a_query_signed_by_the_platform(signed_shop: Storefront) -> None:
    signed_shop.member("7", points=100)
    signed_shop.member("77", points=100)
    good = list(proxied(signed_shop).items())

    def attacks() -> Iterator[list[tuple[str, str]]]:
        for place, (name, value) in enumerate(good):
            rest = good[:place] + good[place + 1 :]
            others = list(changed_letters(value))
            for other in others:
                yield [*rest, (name, other)]
            if name != "key":  # of a shop that is not named nobody is anybody: below
                yield rest
            yield [*good, (name, value)]  # told twice
            yield [*good, (name, others[0])]
            yield [*rest, (name.upper(), value)]
            yield [*rest, (f"{name}[]", value)]
            yield [*rest, (f" {name}", value)]
        # The platform joins names and values without anything between them: other names, the same text.
        told = dict(good)
        customer, prefix = told["logged_in_customer_id"], told["path_prefix"]
        rest = [one for one in good if one[0] not in ("logged_in_customer_id", "path_prefix")]
        yield [*rest, ("logged_in_customer_id", f"{customer}path_prefix={prefix}")]
        yield [*rest, ("logged_in_customer_id", customer + customer), ("path_prefix", prefix)]
        yield [*rest, ("logged_in_customer_i", f"d={customer}"), ("path_prefix", prefix)]
        yield [*rest, ("logged_in_customer_id=7path_prefix", prefix)]
        yield [*good, ("admin", "1")]

    tried = list(attacks())
    for query in tried:
        answer = signed_shop.client.get("/storefront/v1/me", query_string=query)
        nobody = answer.status_code == 200 and answer.get_json()["member"] is None
        assert answer.status_code in (401, 404) or nobody, query
    assert len(tried) >= 200
    assert signed_shop.client.get("/storefront/v1/me", query_string=good).get_json()["member"]


def test_a_key_of_the_api(client: FlaskClient, rt: Runtime, program_id: int) -> None:
    key = create_api_key(rt, program_id, "till").token

    def asked(bearer: str | None, **query: str) -> TestResponse:
        headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
        return client.get("/api/v1/members", headers=headers, query_string=query)

    tried = [
        *changed_letters(key),
        *(key[:length] for length in range(len(key))),
        *(key + one for one in "A=."),
    ]
    for other in tried:
        assert asked(other).status_code == 401, other
    assert len(tried) >= 100
    assert asked(None, api_key=key, key=key, token=key, access_token=key).status_code == 401
    assert asked(key).status_code == 200
