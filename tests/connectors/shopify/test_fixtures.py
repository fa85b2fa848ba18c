"""The fixtures are what the edits make, valid by Shopify's JSON Schemas, and tell the stories by webhook and by API."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from app.domain.changes import Ignored, OrderChanged
from connectors.base import Delivery, ShopAccess
from connectors.shopify.client import ShopifyShop
from connectors.shopify.mapping import TOPICS, normalise
from tests.connectors.shopify.admin import SHOP, Admin, order_node, refund_node
from tests.connectors.shopify.make_fixtures import FIXTURES, HERE, written
from tests.connectors.stories import STORIES, plain

NAMES = sorted(FIXTURES)


def topic_of(name: str) -> str:
    return name.split("__")[0].replace("-", "/")


def story_of(name: str) -> str:
    return name.split("__", 1)[1]


def fixture(name: str) -> bytes:
    return (HERE / "fixtures" / f"{name}.json").read_bytes()


def body_schema(topic: str) -> Any:
    """The topic's schema, wider where it was inferred from a sample that holds an empty list or always a customer."""
    schema = json.loads((HERE / "schemas" / f"{topic.replace('/', '__')}.json").read_text("utf-8"))
    if topic.startswith("orders/") and "refunds" in schema["properties"]:
        refund = body_schema("refunds/create")
        refund.pop("$schema")
        schema["properties"]["refunds"]["items"] = refund
        schema["properties"]["customer"]["type"] = ["object", "null"]
    if topic == "refunds/create":
        schema["properties"]["refund_shipping_lines"]["items"] = True
    return schema


def test_every_story_is_told() -> None:
    assert {story_of(name) for name in NAMES} == set(STORIES)
    assert {path.stem for path in (HERE / "fixtures").glob("*.json")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_fixture_is_what_the_edits_make(name: str) -> None:
    assert fixture(name).decode() == written(FIXTURES[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_fixture_is_valid_by_shopifys_schema(name: str) -> None:
    jsonschema.Draft202012Validator(body_schema(topic_of(name))).validate(json.loads(fixture(name)))


@pytest.mark.parametrize("name", NAMES)
def test_the_webhook_tells_the_story(name: str) -> None:
    delivery = Delivery(topic=topic_of(name), delivery_ref="1", shop_ref=SHOP, body=fixture(name))
    change = normalise(delivery)
    assert isinstance(change, OrderChanged)
    assert plain(change.order) == STORIES[story_of(name)]


@pytest.mark.parametrize("page_size", [None, 1], ids=["one page", "a page for each line"])
@pytest.mark.parametrize("name", NAMES)
def test_the_api_tells_the_same_story(name: str, page_size: int | None) -> None:
    body = json.loads(fixture(name))
    node = order_node(body, page_size=page_size)
    refunds = {
        refund["admin_graphql_api_id"]: refund_node(refund, page_size=page_size) for refund in body["refunds"]
    }
    by_id = {node["id"]: node, **refunds}
    admin = Admin()
    admin.resolve["nodes"] = lambda ids: [by_id.get(each) for each in ids]
    admin.resolve["node"] = lambda id: by_id[id]  # noqa: A006 - the schema's word
    access = ShopAccess(shop_key="acme", shop_ref=SHOP, credentials={"access_token": "shpat_1"})
    told = normalise(Delivery(topic=topic_of(name), delivery_ref="1", shop_ref=SHOP, body=fixture(name)))
    assert isinstance(told, OrderChanged)
    ref = STORIES[story_of(name)].order_ref
    assert ShopifyShop(access, admin).read_orders([ref]) == {ref: told.order}


def recorded() -> list[Path]:
    return sorted((HERE / "recordings").glob("*.json"))


def recorded_topic(path: Path) -> str:
    name = path.name.removesuffix(".2026-07.json")
    return name.replace("__", "/") if "__" in name else name.replace("-", ".", 1)


@pytest.mark.parametrize("path", recorded(), ids=lambda path: path.stem)
def test_every_sample_is_understood_or_ignored_with_a_reason(path: Path) -> None:
    topic = recorded_topic(path)
    change = normalise(Delivery(topic=topic, delivery_ref="", shop_ref=SHOP, body=path.read_bytes()))
    assert topic in TOPICS
    assert not isinstance(change, Ignored) or len(change.reason) > 10


def test_there_are_29_samples() -> None:
    assert len(recorded()) == 29
