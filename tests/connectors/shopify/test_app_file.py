"""shopify.app.toml against the code: topics, the fields that are read, the scopes that are needed, the proxy's way."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from graphql import InlineFragmentNode, parse

from app.domain.errors import Refused
from app.domain.profiles import ProfileField
from app.domain.triggers import FACTS
from app.web.storefront.views import PREFIX
from connectors import shopify
from connectors.base import AppCredentials, Delivery
from connectors.shopify import client, codes, payloads
from connectors.shopify.client.admin_api import API_VERSION
from connectors.shopify.client.profiles import NAMESPACE
from connectors.shopify.install import OPTIONAL_SCOPES, links
from connectors.shopify.mapping import normalise
from connectors.shopify.webhooks import COMPLIANCE_TOPICS, SUBSCRIBED
from sandbox.demo.world import _SCOPES as DEMO_SCOPES
from tests.connectors.shopify.make_fixtures import HERE

APP: Any = tomllib.loads((Path(shopify.__file__).parent / "shopify.app.toml").read_text("utf-8"))
SUBSCRIPTIONS: list[Any] = APP["webhooks"]["subscriptions"]
CUT: Mapping[str, tuple[str, ...]] = {
    topic: tuple(each["include_fields"])
    for each in SUBSCRIPTIONS
    if "include_fields" in each
    for topic in each["topics"]
}
READ: Mapping[str, type[msgspec.Struct]] = {
    "orders/create": payloads.Order,
    "orders/updated": payloads.Order,
    "orders/edited": payloads.EditedOrder,
    "refunds/create": payloads.OfOrder,
    "customers/create": payloads.Customer,
    "customers/update": payloads.Customer,
    "customers/merge": payloads.CustomersMerge,
}
"""What `mapping` decodes each shortened message as: it can read no field that its struct has not."""

# Source: shopify.dev, "Access scopes", and "Requires … access scope" of each type in the Admin API 2026-10.
NEEDS: Mapping[str, frozenset[str]] = {
    "orders": frozenset({"read_orders"}),
    "Order": frozenset({"read_orders"}),
    "Refund": frozenset({"read_orders"}),
    "customer": frozenset({"read_customers"}),
    "Customer": frozenset({"read_customers"}),
    "Product": frozenset({"read_products"}),
    "product": frozenset({"read_products"}),
    "codeDiscountNodeByCode": frozenset({"read_discounts"}),
    "discountNodes": frozenset({"read_discounts"}),
    "discountCodeBasicCreate": frozenset({"write_discounts"}),
    "discountCodeFreeShippingCreate": frozenset({"write_discounts"}),
    "discountCodeBxgyCreate": frozenset({"write_discounts"}),
    "discountCodeDeactivate": frozenset({"write_discounts"}),
    "giftCards": frozenset({"read_gift_cards"}),
    "giftCard": frozenset({"read_gift_cards"}),
    "giftCardCreate": frozenset({"write_gift_cards"}),
    "giftCardDeactivate": frozenset({"write_gift_cards"}),
    "storeCreditAccounts": frozenset({"read_store_credit_accounts"}),
    "storeCreditAccountCredit": frozenset({"write_store_credit_account_transactions"}),
    # "The same access level needed to mutate the owner resource", and here that is a customer.
    **dict.fromkeys(
        ("metafieldsSet", "metafieldsDelete", "metafieldDefinitionCreate", "metafieldDefinitionDelete"),
        frozenset({"write_customers"}),
    ),
    **dict.fromkeys(("tagsAdd", "tagsRemove"), frozenset({"write_customers"})),
    **dict.fromkeys(("node", "nodes", "shop", "currentAppInstallation", "webhookSubscriptions"), frozenset()),
    "flowTriggerReceive": frozenset(),
    "ordersCount": frozenset({"read_orders"}),
    **dict.fromkeys(("bulkOperation", "bulkOperations", "bulkOperationRunQuery"), frozenset()),
    **dict.fromkeys(
        ("webhookSubscriptionCreate", "webhookSubscriptionUpdate", "webhookSubscriptionDelete"), frozenset()
    ),
}
BESIDE_THE_API = {"read_customer_merge", "write_app_proxy"}  # the topic customers/merge, and [app_proxy]


def test_it_subscribes_to_what_is_understood_and_to_nothing_else() -> None:
    topics = [topic for each in SUBSCRIPTIONS for topic in each.get("topics", ())]
    assert sorted(topics) == sorted(SUBSCRIBED)
    assert {
        topic for each in SUBSCRIPTIONS for topic in each.get("compliance_topics", ())
    } == COMPLIANCE_TOPICS
    assert {each["uri"] for each in SUBSCRIPTIONS} == {"/webhooks/shopify"}
    assert not any("filter" in each for each in SUBSCRIPTIONS)
    assert APP["webhooks"]["api_version"] == API_VERSION


@pytest.mark.parametrize("topic", CUT)
def test_every_field_that_is_read_is_sent(topic: str) -> None:
    assert sorted(missing(READ[topic], set(CUT[topic]))) == []


@pytest.mark.parametrize("topic", [topic for topic in CUT if topic.startswith(("orders/c", "orders/u"))])
def test_no_field_is_sent_that_nobody_reads(topic: str) -> None:
    named = {field.encode_name for field in msgspec.structs.fields(READ[topic])}
    assert {path.partition(".")[0] for path in CUT[topic]} == named


@pytest.mark.parametrize("topic", CUT)
def test_a_shortened_sample_means_the_same(topic: str) -> None:
    path = HERE / "recordings" / f"{topic.replace('/', '__')}.2026-07.json"
    same(topic, json.loads(path.read_bytes()))


@pytest.mark.parametrize(
    "path", sorted((HERE / "fixtures").glob("orders-*.json")), ids=lambda path: path.stem
)
def test_a_shortened_order_means_the_same(path: Path) -> None:
    same("orders/updated", json.loads(path.read_bytes()))


def test_what_nobody_reads_of_a_person_stays_at_the_platform() -> None:
    order = json.loads((HERE / "recordings" / "orders__create.2026-07.json").read_bytes())
    told = json.dumps(cut(order, CUT["orders/create"]))
    assert order["billing_address"]["address1"] not in told.replace(json.dumps(order["line_items"]), "")
    assert {"billing_address", "shipping_address", "phone", "browser_ip", "note"}.isdisjoint(json.loads(told))


def test_the_scopes_are_those_that_the_calls_need() -> None:
    scopes = set(APP["access_scopes"]["scopes"].split(","))
    optional = set(APP["access_scopes"]["optional_scopes"])
    needed = {scope for text in (*client.OPERATIONS, *codes.OPERATIONS) for scope in scopes_of(text)}
    assert needed | BESIDE_THE_API == scopes | optional
    assert not scopes & optional
    assert optional == set(OPTIONAL_SCOPES)
    of_rewards = {scope for scope in optional if "gift_card" in scope or "store_credit" in scope}
    assert of_rewards | {"write_customers"} == optional
    assert scopes | {"read_all_orders", "write_customers"} == set(DEMO_SCOPES)


def test_an_operation_of_a_kind_that_is_not_listed_is_noticed() -> None:
    with pytest.raises(KeyError, match="metaobjects"):
        list(scopes_of("{ metaobjects(first: 1) { nodes { id } } }"))


def test_the_addresses_lead_to_one_installation() -> None:
    home = APP["application_url"].removesuffix("/install/shopify")
    assert APP["auth"]["redirect_urls"] == [f"{home}/install/shopify/callback"]
    proxy = APP["app_proxy"]
    assert proxy["url"] == f"{home}{PREFIX}"
    assert (proxy["prefix"], proxy["subpath"]) == ("apps", "laurel")
    assert APP["embedded"] is True


def missing(kind: type[msgspec.Struct], sent: set[str], path: str = "") -> Iterator[str]:
    """The fields of `kind` that `sent` lacks: neither whole nor part by part."""
    for field in msgspec.structs.fields(kind):
        name = f"{path}{field.encode_name}"
        if name in sent:
            continue
        inner = [one for one in (field.type, *get_args(field.type)) if isinstance(one, type)]
        structs = [one for one in inner if issubclass(one, msgspec.Struct)]
        if structs and any(each.startswith(f"{name}.") for each in sent):
            yield from missing(structs[0], sent, f"{name}.")
        else:
            yield name


def cut(body: Any, paths: tuple[str, ...]) -> Any:
    """The body as the platform sends it: the named fields, “a.b” for b within a."""
    told: dict[str, Any] = {}
    for path in paths:
        name, _, rest = path.partition(".")
        if name not in body:
            continue
        inner = body[name]
        told[name] = (
            {**(told.get(name) or {}), **cut(inner, (rest,))} if rest and inner is not None else inner
        )
    return told


def same(topic: str, body: Any) -> None:
    whole, short = (
        normalise(Delivery(topic=topic, delivery_ref="1", shop_ref="x", body=json.dumps(one).encode()))
        for one in (body, cut(body, CUT[topic]))
    )
    assert whole == short


def scopes_of(operation: str) -> Iterator[str]:
    """What an operation asks for, by its first fields, the types it names, and what only some may read."""
    for definition in parse(operation).definitions:
        chosen: Any = definition
        for field in chosen.selection_set.selections:
            yield from NEEDS[field.name.value]
            yield from _within(field)


def _within(node: Any) -> Iterator[str]:
    for inner in node.selection_set.selections if node.selection_set else ():
        named: Any = inner.type_condition if isinstance(inner, InlineFragmentNode) else inner
        yield from NEEDS.get(named.name.value, ())
        yield from _within(inner)


# --- The extensions that lie beside it -----------------------------------------------------------------------

FOLDER = Path(shopify.__file__).parent / "extensions"
PIECES: dict[str, Any] = {
    path.parent.name: tomllib.loads(path.read_text("utf-8"))
    for path in sorted(FOLDER.glob("*/shopify.extension.toml"))
}
IN_PAGES = {name: file for name, file in PIECES.items() if file.get("api_version")}


def test_every_piece_is_called_like_its_folder_and_says_what_it_may() -> None:
    assert set(IN_PAGES) == {"laurel-account", "laurel-account-page", "laurel-checkout", "laurel-pos"}
    for name, file in IN_PAGES.items():
        (piece,) = file["extensions"]
        assert (piece["handle"], piece["type"], file["api_version"]) == (name, "ui_extension", "2026-07")
        assert all((FOLDER / name / one["module"]).is_file() for one in piece["targeting"])
        # The till asks for nothing; everywhere else Shopify lets nobody call out who does not say so.
        asks = {"network_access": True} if name != "laurel-pos" else {}
        assert piece.get("capabilities", {}) == asks


def test_the_pieces_ask_at_the_address_of_the_app() -> None:
    address = (FOLDER / "shared" / "address.js").read_text("utf-8")
    server = re.search(r"SERVER = '([^']+)'", address)
    assert server is not None
    assert APP["application_url"] == f"{server[1]}/install/shopify"
    flow = PIECES["laurel-flow-add-points"]
    assert flow["extensions"][0]["runtime_url"] == f"{server[1]}/extensions/shopify/automation/v1/give-points"
    # What the code decodes is what the fields are called: a reference to a customer is told as `customer_id`.
    keys = {one.get("key", one["type"].replace("reference", "id")) for one in flow["settings"]["fields"]}
    assert keys == {field.name for field in msgspec.structs.fields(payloads.FlowGift)}


def test_the_pieces_ask_for_what_is_written_at_customers() -> None:
    glance = (FOLDER / "shared" / "glance.js").read_text("utf-8")
    asked = re.search(r"KEYS = \[([^\]]+)\]", glance)
    assert asked is not None
    keys = re.findall(r"'(\w+)'", asked[1])
    assert set(keys) <= {one.value for one in ProfileField}
    assert f"'{NAMESPACE}'" in glance
    for name in ("laurel-account", "laurel-checkout"):
        (piece,) = PIECES[name]["extensions"]
        assert piece["metafields"] == [{"namespace": NAMESPACE, "key": key} for key in keys]


TRIGGERS = {
    name: file
    for name, file in PIECES.items()
    if any(one["type"] == "flow_trigger" for one in file.get("extensions", ()))
}


def test_each_trigger_of_flow_is_told_what_its_file_says() -> None:
    assert set(TRIGGERS) == set(payloads.HANDLES.values())
    by_handle = {handle: trigger for trigger, handle in payloads.HANDLES.items()}
    for handle, file in TRIGGERS.items():
        (piece,) = file["extensions"]
        assert set(piece) == {"name", "type", "handle", "description"}
        assert piece["handle"] == handle
        reference, *fields = file["settings"]["fields"]
        assert reference == {"type": "customer_reference"}
        assert tuple(one["key"] for one in fields) == FACTS[by_handle[handle]]
        assert {one["type"] for one in fields} <= {"number_decimal", "single_line_text_field"}
        # Letters alone: what a key may hold is said differently in different places.
        assert all(one["key"].isalpha() and one["description"] for one in fields)


def test_flow_says_at_the_address_of_the_app_what_is_in_use() -> None:
    (piece,) = PIECES["laurel-flow-lifecycle"]["extensions"]
    home = APP["application_url"].removesuffix("/install/shopify")
    assert piece["type"] == "flow_trigger_lifecycle_callback"
    assert piece["url"] == f"{home}/extensions/shopify/automation/v1/triggers"


def test_the_theme_editor_opens_with_the_embed_that_is_there() -> None:
    told = links("acme.myshopify.com", AppCredentials(client_id="abc", secrets=("s",)))
    url = urlsplit(told.show)
    assert (url.scheme, url.netloc, url.path) == (
        "https",
        "acme.myshopify.com",
        "/admin/themes/current/editor",
    )
    query = parse_qs(url.query)
    assert query["context"] == ["apps"]
    app, block = query["activateAppId"][0].split("/")
    liquid = (FOLDER / "laurel-loyalty" / "blocks" / f"{block}.liquid").read_text("utf-8")
    assert app == "abc"
    assert '"target": "body"' in liquid  # an app embed, which stands on every page
    consent = urlsplit(told.grant)
    assert (consent.netloc, consent.path) == ("acme.myshopify.com", "/admin/oauth/install")
    with pytest.raises(Refused):
        links("evil.example/x", AppCredentials(client_id="abc", secrets=("s",)))
